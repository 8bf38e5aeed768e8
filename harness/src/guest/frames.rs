//! Counting the kernel's physical frames from outside, through its symbols.
//!
//! Two kinds of accounts are known. The C kernels keep linked lists through the free frames themselves
//! ([`FreeLists`]). Our kernel keeps such a list, and after it a frontier of frames that were never handed out,
//! a count, and in `kmem_sharers` how many owners each frame has.

use super::free_lists::{FreeLists, Rests, number_of};
use super::symbols::Symbols;
use emulator::Machine;

pub use super::free_lists::{FRAME_BYTES, KnownLists, RAM_START};

/// Offsets into our `kmem`.
const FREE_LIST: u64 = 24;
const FRONTIER: u64 = 32;
const END: u64 = 40;
const COUNT: u64 = 48;
/// Free frames that only a few may take: those of programs whose pages are not loaded yet.
const PROMISED: u64 = 56;

/// How this kernel's frames are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameAccounts {
    /// Only linked lists: the C kernels.
    Linked {
        /// Where they begin.
        lists: FreeLists,
    },
    /// List, frontier, count and sharers: our kernel.
    Counted {
        /// Address of `kmem`.
        kmem: u64,
        /// Address of `kmem_sharers`.
        sharers: u64,
    },
}

impl FrameAccounts {
    /// Finds the accounts of the kernel that has booted on `machine`, by its symbols; `None` costs the
    /// checks that count frames.
    pub fn discover(symbols: &Symbols, machine: &Machine) -> Option<Self> {
        if let Some(sharers) = symbols.address("kmem_sharers") {
            let kmem = symbols.address("kmem")?;
            return Some(Self::Counted { kmem, sharers });
        }
        let lists = FreeLists::discover(symbols, machine)?;
        Some(Self::Linked { lists })
    }

    /// The lists of free frames.
    fn lists(self) -> FreeLists {
        match self {
            Self::Linked { lists } => lists,
            Self::Counted { kmem, .. } => FreeLists::single(kmem + FREE_LIST),
        }
    }

    /// The lists of a machine at its snapshot.
    pub fn known_lists(self, machine: &Machine) -> KnownLists {
        KnownLists::of(self.lists(), machine)
    }

    /// Frames that are free now. `known` is the list as it was at the snapshot.
    pub fn free(self, machine: &Machine, known: &KnownLists) -> Option<u64> {
        match self {
            Self::Counted { kmem, .. } => machine.read_u64(kmem + COUNT),
            Self::Linked { lists } => lists.length(machine, known),
        }
    }

    /// Frames that are promised to programs; `None`: this kernel promises none.
    pub fn promised(self, machine: &Machine) -> Option<u64> {
        match self {
            Self::Counted { kmem, .. } => machine.read_u64(kmem + PROMISED),
            Self::Linked { .. } => None,
        }
    }

    /// Whether fewer than `needed` frames are left besides promised ones, by the list itself and not
    /// by the kernel's count of it.
    pub fn fewer_than(self, machine: &Machine, needed: u64) -> bool {
        let needed = needed.saturating_add(self.promised(machine).unwrap_or(0));
        let on_lists = self.lists().length_up_to(machine, needed);
        let beyond = self.beyond_frontier(machine);
        let free = on_lists.zip(beyond);
        free.is_some_and(|(on_lists, beyond)| on_lists.saturating_add(beyond) < needed)
    }

    /// Frames that are really available: those on the list, counted one by one, and those that were never
    /// handed out. `None`: the list leads outside RAM, or has no end.
    pub fn at_hand(self, machine: &Machine, known: &KnownLists) -> Option<u64> {
        let on_lists = self.lists().length(machine, known)?;
        Some(on_lists.saturating_add(self.beyond_frontier(machine)?))
    }

    /// Frames that were never handed out, where the kernel keeps those apart.
    fn beyond_frontier(self, machine: &Machine) -> Option<u64> {
        let Self::Counted { kmem, .. } = self else {
            return Some(0);
        };
        let ends = machine
            .read_u64(kmem + END)
            .zip(machine.read_u64(kmem + FRONTIER));
        ends.map(|(end, frontier)| end.saturating_sub(frontier) / FRAME_BYTES)
    }

    /// How many owners the frame at physical address `frame` has: 0 is free. `None`: not recorded.
    pub fn sharers(self, machine: &Machine, frame: u64) -> Option<u16> {
        let Self::Counted { sharers, .. } = self else {
            return None;
        };
        let number = frame.checked_sub(RAM_START)? / FRAME_BYTES;
        let mut bytes = [0; 2];
        machine
            .read_physical(sharers + 2 * number, &mut bytes)
            .ok()?;
        Some(u16::from_le_bytes(bytes))
    }

    /// How many owners each frame of RAM has, the first frame's first: 0 is free, 1 a frame that no one
    /// counts. `None`: the accounts lead outside RAM.
    pub fn owners(self, machine: &Machine) -> Option<Vec<u16>> {
        let mut last = RAM_START;
        while machine.read_u64(last).is_some() {
            last += FRAME_BYTES;
        }
        let frames = ((last - RAM_START) / FRAME_BYTES) as usize;
        if let Self::Counted { .. } = self {
            let addresses = (0..frames as u64).map(|number| RAM_START + FRAME_BYTES * number);
            return addresses
                .map(|frame| self.sharers(machine, frame))
                .collect();
        }
        let mut owners = vec![1; frames];
        for frame in self.listed(machine)? {
            *owners.get_mut(number_of(frame)?)? = 0;
        }
        Some(owners)
    }

    /// The frames on the lists of free frames, in their order. `None` if a list leads outside RAM, or has no end.
    pub fn listed(self, machine: &Machine) -> Option<Vec<u64>> {
        self.lists().frames(machine)
    }

    /// Takes a frame with `holders` holders out of its list of free frames, as if it had not been freed. `None` if it
    /// is on no list, or if the accounts lead outside RAM.
    pub fn take_back(self, machine: &mut Machine, frame: u64, holders: u16) -> Option<()> {
        self.lists().take_out(machine, frame)?;
        if let Self::Counted { kmem, .. } = self {
            let count = machine.read_u64(kmem + COUNT)?;
            machine.write_u64(kmem + COUNT, count.wrapping_sub(1))?;
        }
        self.set_sharers(machine, frame, holders)
    }

    /// Records how many owners a frame has, on a kernel that counts them.
    pub fn set_sharers(self, machine: &mut Machine, frame: u64, holders: u16) -> Option<()> {
        let Self::Counted { sharers, .. } = self else {
            return Some(());
        };
        let number = frame.checked_sub(RAM_START)? / FRAME_BYTES;
        let written = machine.write_physical(sharers + 2 * number, &holders.to_le_bytes());
        written.ok()
    }

    /// Hides all free frames except `keep` from the kernel, as if the machine had less memory.
    /// Nothing is hidden when fewer are free already. `None`: the accounts lead outside RAM.
    pub fn hide(self, machine: &mut Machine, known: &KnownLists, keep: u64) -> Option<Hidden> {
        let free = self.free(machine, known)?;
        let mut hidden = Hidden {
            frames: free.saturating_sub(keep),
            rests: Rests::default(),
            end: None,
        };
        if hidden.frames == 0 {
            return Some(hidden);
        }
        let (rests, on_lists) = self.lists().cut(machine, keep)?;
        hidden.rests = rests;
        if let Self::Counted { kmem, .. } = self {
            hidden.end = Some(machine.read_u64(kmem + END)?);
            let frontier = machine.read_u64(kmem + FRONTIER)?;
            // The frontier may be any number: the kernel says it.
            let end = frontier.wrapping_add((keep - on_lists).wrapping_mul(FRAME_BYTES));
            machine.write_u64(kmem + END, end)?;
            machine.write_u64(kmem + COUNT, keep)?;
        }
        Some(hidden)
    }

    /// Gives back what [`hide`](Self::hide) took, no matter what the kernel did in between.
    pub fn restore(self, machine: &mut Machine, hidden: Hidden) -> Option<()> {
        if hidden.frames == 0 {
            return Some(());
        }
        self.lists().join(machine, hidden.rests)?;
        if let (Self::Counted { kmem, .. }, Some(end)) = (self, hidden.end) {
            let count = machine.read_u64(kmem + COUNT)?;
            machine.write_u64(kmem + END, end)?;
            machine.write_u64(kmem + COUNT, count.wrapping_add(hidden.frames))?;
        }
        Some(())
    }
}

/// Frames taken from the kernel, to be given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hidden {
    /// How many frames there are.
    pub frames: u64,
    /// What was cut off the lists.
    rests: Rests,
    /// Where the frontier ended.
    end: Option<u64>,
}
