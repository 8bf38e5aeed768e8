//! Where a kernel asks for frames, and where a request fails: places to stop the kernel at.

use super::symbols::Symbols;

/// The most functions that give frames: labs add some besides `kalloc`, for a caller that holds the lock
/// of the list, say.
const MOST_DOORS: usize = 4;

/// The places of one kernel, by its symbols.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FrameRequests {
    /// Where it begins to ask.
    pub(crate) asked: Option<u64>,
    /// Where it has found too few frames, or may be about to.
    refused: [Option<u64>; MOST_DOORS],
    /// Whether the first argument at these places is how many frames are asked for; else it is one.
    pub(crate) tell_number: bool,
}

impl FrameRequests {
    /// Our kernel calls `kmem_asked` for each request, and `kmem_exhausted` if it refuses it, both
    /// with its allocator locked. The C kernels have `kalloc`, which gives a frame or refuses one, and
    /// perhaps others whose names begin so: at their entry an empty list is a refusal.
    pub(crate) fn discover(symbols: &Symbols) -> Self {
        match symbols.address("kmem_exhausted") {
            Some(refused) => Self {
                asked: symbols.address("kmem_asked"),
                refused: [Some(refused), None, None, None],
                tell_number: true,
            },
            None => {
                let mut refused = [None; MOST_DOORS];
                let doors = symbols.functions_named_like("kalloc");
                refused
                    .iter_mut()
                    .zip(doors)
                    .for_each(|(to, door)| *to = Some(door));
                Self {
                    asked: symbols.address("kalloc"),
                    refused,
                    tell_number: false,
                }
            }
        }
    }

    /// Whether the kernel may be refusing frames at `pc`.
    pub(crate) fn is_refusal(self, pc: u64) -> bool {
        self.refused.contains(&Some(pc))
    }

    /// Whether the kernel is seen to refuse frames.
    pub(crate) fn are_known(self) -> bool {
        self.refusals().next().is_some()
    }

    /// Where a kernel always stops.
    pub(crate) fn refusals(self) -> impl Iterator<Item = u64> {
        self.refused.into_iter().flatten()
    }
}
