//! The core-local interruptor: software interrupts, timer comparators and the time.
//!
//! Layout of the SiFive CLINT as QEMU's `virt` has it (the ACLINT specification's MSWI and MTIMER
//! devices side by side): `msip` at 0, `mtimecmp` at 0x4000, `mtime` at 0xbff8. The time itself is
//! the machine's: it is set with [`Clint::set_time`] and read with [`Clint::time`].

use super::{MAX_HARTS, is_aligned};

const COMPARE_BASE: u64 = 0x4000;
const TIME_BASE: u64 = 0xbff8;

/// Timers and software interrupts of up to eight harts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clint {
    harts: usize,
    software: [bool; MAX_HARTS],
    compare: [u64; MAX_HARTS],
    time: u64,
}

impl Clint {
    /// Time zero, no software interrupt, no deadline (QEMU, too, starts the comparators so far
    /// away that no timer fires before the guest sets one).
    pub fn new(harts: usize) -> Clint {
        Clint {
            harts: harts.min(MAX_HARTS),
            software: [false; MAX_HARTS],
            compare: [u64::MAX; MAX_HARTS],
            time: 0,
        }
    }

    /// `mtime`, in ticks.
    pub fn time(&self) -> u64 {
        self.time
    }

    /// Sets `mtime`, in ticks.
    pub fn set_time(&mut self, ticks: u64) {
        self.time = ticks;
    }

    /// `mtimecmp` of a hart, in ticks; `u64::MAX` where there is no such hart.
    pub fn deadline(&self, hart: usize) -> u64 {
        self.compare.get(hart).copied().unwrap_or(u64::MAX)
    }

    /// The machine timer interrupt line (MTIP) of a hart.
    pub fn timer_interrupt(&self, hart: usize) -> bool {
        hart < self.harts && self.time >= self.deadline(hart)
    }

    /// The machine software interrupt line (MSIP) of a hart.
    pub fn software_interrupt(&self, hart: usize) -> bool {
        self.software.get(hart).copied().unwrap_or(false)
    }

    /// Reads 4 or 8 aligned bytes; offsets without a register read as zero.
    pub fn read(&mut self, offset: u64, width: u8) -> Option<u64> {
        if offset < COMPARE_BASE {
            return (width == 4 && is_aligned(offset, width)).then(|| {
                self.hart_at(offset, 4)
                    .is_some_and(|hart| self.software[hart])
                    .into()
            });
        }
        if width < 4 || !is_aligned(offset, width) {
            return None;
        }
        let register = match offset & !7 {
            TIME_BASE => self.time,
            _ => self
                .hart_at(offset - COMPARE_BASE, 8)
                .map_or(0, |hart| self.compare[hart]),
        };
        Some(if width == 8 {
            register
        } else {
            (register >> (8 * (offset & 4))) & 0xffff_ffff
        })
    }

    /// Writes 4 or 8 aligned bytes; offsets without a register ignore it.
    pub fn write(&mut self, offset: u64, width: u8, value: u64) -> Option<()> {
        if offset < COMPARE_BASE {
            if width != 4 || !is_aligned(offset, width) {
                return None;
            }
            if let Some(hart) = self.hart_at(offset, 4) {
                self.software[hart] = value & 1 != 0;
            }
            return Some(());
        }
        if width < 4 || !is_aligned(offset, width) {
            return None;
        }
        let register = match offset & !7 {
            TIME_BASE => &mut self.time,
            _ => match self.hart_at(offset - COMPARE_BASE, 8) {
                Some(hart) => &mut self.compare[hart],
                None => return Some(()),
            },
        };
        *register = if width == 8 {
            value
        } else {
            let shift = 8 * (offset & 4);
            (*register & !(0xffff_ffff << shift)) | ((value & 0xffff_ffff) << shift)
        };
        Some(())
    }

    fn hart_at(&self, offset: u64, stride: u64) -> Option<usize> {
        usize::try_from(offset / stride)
            .ok()
            .filter(|hart| *hart < self.harts)
    }
}

#[cfg(test)]
mod tests {
    use super::Clint;

    #[test]
    fn software_interrupts_belong_to_their_hart() {
        let mut clint = Clint::new(2);
        assert_eq!(clint.write(4, 4, 0xffff_ffff), Some(()));
        assert!(!clint.software_interrupt(0));
        assert!(clint.software_interrupt(1));
        assert_eq!(clint.read(4, 4), Some(1));
        assert_eq!(clint.write(4, 4, 0xfffe), Some(()));
        assert!(!clint.software_interrupt(1));
        assert_eq!(
            clint.write(8, 4, 1),
            Some(()),
            "a hart that is not there ignores writes"
        );
        assert!(!clint.software_interrupt(2));
    }

    #[test]
    fn the_timer_interrupt_is_time_not_below_the_comparator() {
        let mut clint = Clint::new(2);
        clint.set_time(u64::MAX - 1);
        assert!(!clint.timer_interrupt(1), "no deadline after reset");
        clint.set_time(99);
        assert_eq!(clint.write(0x4008, 8, 100), Some(()));
        assert!(!clint.timer_interrupt(1));
        clint.set_time(100);
        assert!(clint.timer_interrupt(1));
        assert!(!clint.timer_interrupt(0));
        assert!(!clint.timer_interrupt(7));
    }

    #[test]
    fn halves_of_a_register_are_read_and_written_alone() {
        let mut clint = Clint::new(1);
        assert_eq!(clint.write(0x4004, 4, 0xffff_ffff_0000_0001), Some(()));
        assert_eq!(clint.read(0x4000, 8), Some(0x0000_0001_ffff_ffff));
        assert_eq!(clint.write(0x4000, 4, 5), Some(()));
        assert_eq!(clint.deadline(0), 0x0000_0001_0000_0005);
        clint.set_time(0x1234_5678_9abc_def0);
        assert_eq!(clint.read(0xbff8, 4), Some(0x9abc_def0));
        assert_eq!(clint.read(0xbffc, 4), Some(0x1234_5678));
        assert_eq!(clint.write(0xbff8, 8, 7), Some(()));
        assert_eq!(clint.time(), 7);
    }

    #[test]
    fn narrow_and_misaligned_accesses_fault() {
        let mut clint = Clint::new(1);
        for (offset, width) in [
            (0, 1),
            (0, 2),
            (0, 8),
            (2, 4),
            (0x4000, 1),
            (0x4004, 8),
            (0xbff9, 4),
            (0, 3),
        ] {
            assert_eq!(clint.read(offset, width), None, "{offset:#x}/{width}");
            assert_eq!(clint.write(offset, width, 1), None, "{offset:#x}/{width}");
        }
    }
}
