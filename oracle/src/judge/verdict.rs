//! Verdicts: the kinds of mistakes.

use crate::named::named;

named! {
    /// The kinds of mistakes that are judged.
    pub enum Verdict {
        /// A returned value, a loaded value or an exit status differs from the oracle's.
        Divergence = "divergence",
        /// The kernel panicked, trapped in supervisor mode, switched the machine off, or left a hart
        /// that can never continue.
        Panic = "panic",
        /// Frames, process slots, inodes or blocks are missing when every process is gone.
        Leak = "leak",
        /// A process that had to die lives on.
        Unkilled = "unkilled",
        /// A process that had to live died.
        WronglyKilled = "wrongly killed",
        /// The kernel, or a process, does not come back.
        Hang = "hang",
        /// The page tables, or the memory that they map, break a rule.
        Invariant = "invariant",
        /// Frames were taken before any program touched the memory.
        NotLazy = "not lazy",
    }
}
