//! What the system call `memory` answers: a process's frames and page faults.

/// A process's use of memory, as `memory` writes it to user memory: eight-byte numbers, in this
/// order.
///
/// A page fault counts once it has been resolved; one that kills is not counted. Faults that a
/// system call resolves on the way to user memory are not traps, and are counted separately.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct MemoryUsage {
    /// Faults of loads.
    pub load_faults: u64,
    /// Faults of stores, copies of shared pages included.
    pub store_faults: u64,
    /// Faults of instruction fetches.
    pub fetch_faults: u64,
    /// Pages that system calls filled or copied.
    pub system_call_faults: u64,
    /// Pages of the process that are mapped, shared ones included.
    pub mapped_pages: u64,
    /// Free frames in the whole system.
    pub free_frames: u64,
    /// How many of those are promised, to programs whose pages are not loaded yet: nobody else can
    /// take them.
    pub promised_frames: u64,
}

impl MemoryUsage {
    /// Bytes of the encoded form.
    pub const SIZE: usize = 56;

    /// The bytes that a user program sees.
    pub fn encode(&self) -> [u8; Self::SIZE] {
        let words = [
            self.load_faults,
            self.store_faults,
            self.fetch_faults,
            self.system_call_faults,
            self.mapped_pages,
            self.free_frames,
            self.promised_frames,
        ];
        let mut bytes = [0; Self::SIZE];
        for (chunk, word) in bytes.chunks_exact_mut(8).zip(words) {
            chunk.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }
}
