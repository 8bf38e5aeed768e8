//! The test finisher: a register through which the guest ends the run.
//!
//! As SiFive's test device on QEMU's `virt`: the low half word says what, the high half word is the
//! exit code of a failure.

use super::is_aligned;

const PASS: u64 = 0x5555;
const FAIL: u64 = 0x3333;
const RESET: u64 = 0x7777;

/// How the guest asked the run to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// The guest is content.
    Pass,
    /// The guest failed, with this code.
    Fail(u16),
    /// The guest asked for a reset of the machine.
    Reset,
}

/// The finisher and what was last asked of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finisher {
    requested: Option<Finish>,
}

impl Finisher {
    /// Nothing asked yet.
    pub fn new() -> Finisher {
        Finisher::default()
    }

    /// What the guest asked for since the last call.
    pub fn take(&mut self) -> Option<Finish> {
        self.requested.take()
    }

    /// Reads as zero; 2 and 4 bytes only.
    pub fn read(&mut self, offset: u64, width: u8) -> Option<u64> {
        (matches!(width, 2 | 4) && is_aligned(offset, width)).then_some(0)
    }

    /// Takes a request at offset 0 and ignores anything else; 2 and 4 bytes only.
    pub fn write(&mut self, offset: u64, width: u8, value: u64) -> Option<()> {
        self.read(offset, width)?;
        let value = if width == 2 { value & 0xffff } else { value };
        if offset == 0 {
            self.requested = match value & 0xffff {
                PASS => Some(Finish::Pass),
                FAIL => Some(Finish::Fail((value >> 16) as u16)),
                RESET => Some(Finish::Reset),
                _ => self.requested,
            };
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Finish, Finisher};

    #[test]
    fn the_three_requests() {
        let mut finisher = Finisher::new();
        for (value, finish) in [
            (0x5555, Some(Finish::Pass)),
            (0x002a_3333, Some(Finish::Fail(42))),
            (0x7777, Some(Finish::Reset)),
            (0x1234, None),
        ] {
            assert_eq!(finisher.write(0, 4, value), Some(()));
            assert_eq!(finisher.take(), finish);
            assert_eq!(finisher.take(), None, "a request is taken once");
        }
    }

    #[test]
    fn a_half_word_carries_no_code() {
        let mut finisher = Finisher::new();
        assert_eq!(finisher.write(0, 2, 0x002a_3333), Some(()));
        assert_eq!(finisher.take(), Some(Finish::Fail(0)));
    }

    #[test]
    fn other_offsets_and_widths() {
        let mut finisher = Finisher::new();
        assert_eq!(finisher.write(4, 4, 0x5555), Some(()));
        assert_eq!(finisher.write(0, 1, 0x55), None);
        assert_eq!(finisher.write(0, 8, 0x5555), None);
        assert_eq!(finisher.write(1, 2, 0x5555), None);
        assert_eq!(finisher.take(), None);
        assert_eq!(finisher.read(0, 4), Some(0));
    }
}
