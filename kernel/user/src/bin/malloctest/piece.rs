//! Memory that is filled with a pattern, which shows whether something else stores to it.

use core::ptr::NonNull;
use core::slice;

use user::heap;

/// Memory from `malloc`, freed when dropped.
pub struct Piece {
    memory: NonNull<u8>,
    size: usize,
    seed: u8,
}

impl Piece {
    /// Allocates `size` bytes and fills them with a pattern that follows from `seed`.
    pub fn new(size: usize, seed: u8) -> Option<Piece> {
        let memory = heap::malloc(size)?;
        // SAFETY: memory of that size, which is in no other use.
        unsafe { memory.write_bytes(0, size) };
        let mut piece = Piece { memory, size, seed };
        for (byte, value) in piece.bytes_mut().iter_mut().zip(pattern(seed)) {
            *byte = value;
        }
        Some(piece)
    }

    /// Whether the pattern is still there.
    pub fn is_intact(&self) -> bool {
        self.bytes()
            .iter()
            .zip(pattern(self.seed))
            .all(|(&byte, value)| byte == value)
    }

    /// Where it begins.
    pub fn start(&self) -> usize {
        self.memory.addr().get()
    }

    /// Where it ends.
    pub fn end(&self) -> usize {
        self.start() + self.size
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: the memory has that size, is initialised, and is this piece's alone.
        unsafe { slice::from_raw_parts(self.memory.as_ptr(), self.size) }
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `bytes`.
        unsafe { slice::from_raw_parts_mut(self.memory.as_ptr(), self.size) }
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        // SAFETY: it is `malloc`'s, and it cannot be named any more.
        unsafe { heap::free(self.memory) };
    }
}

/// Bytes that differ from one to the next, and from seed to seed.
fn pattern(seed: u8) -> impl Iterator<Item = u8> {
    (0..251)
        .cycle()
        .map(move |step: u8| step.wrapping_add(seed))
}
