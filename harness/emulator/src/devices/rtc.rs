//! The real-time clock: Goldfish's, as QEMU's `virt` board has it.
//!
//! It counts nanoseconds since 1970. There is no host clock anywhere: the machine was switched on at [`SWITCHED_ON`], and a
//! tick of `mtime` is 100 ns, as on QEMU. An alarm can be set, but it never rings.

use super::is_aligned;

/// Nanoseconds since 1970 when `mtime` is zero: the first of January 2025.
const SWITCHED_ON: u64 = 1_735_689_600_000_000_000;

const NANOSECONDS_PER_TICK: u64 = 100;

const TIME_LOW: u64 = 0x00;
const TIME_HIGH: u64 = 0x04;
const ALARM_LOW: u64 = 0x08;
const ALARM_HIGH: u64 = 0x0c;
const INTERRUPT_ENABLED: u64 = 0x10;

/// The clock's registers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rtc {
    /// Nanoseconds between what was set and what would be the time otherwise.
    offset: u64,
    /// The high half of the time, as it was when the low half was read.
    high: u32,
    /// What was written to the registers of the alarm.
    alarm: [u32; 2],
    interrupt_enabled: u32,
}

impl Rtc {
    /// As when the machine is switched on.
    pub fn new() -> Rtc {
        Rtc::default()
    }

    /// Reads a register at time `mtime`; 4 bytes only.
    pub fn read(&mut self, offset: u64, width: u8, mtime: u64) -> Option<u64> {
        if width != 4 || !is_aligned(offset, width) {
            return None;
        }
        let value = match offset {
            TIME_LOW => {
                let now = self.now(mtime);
                self.high = (now >> 32) as u32;
                now as u32
            }
            TIME_HIGH => self.high,
            ALARM_LOW => self.alarm[0],
            ALARM_HIGH => self.alarm[1],
            INTERRUPT_ENABLED => self.interrupt_enabled,
            _ => 0,
        };
        Some(value.into())
    }

    /// Writes a register at time `mtime`; 4 bytes only.
    pub fn write(&mut self, offset: u64, width: u8, value: u64, mtime: u64) -> Option<()> {
        if width != 4 || !is_aligned(offset, width) {
            return None;
        }
        let value = value as u32;
        let now = self.now(mtime);
        let low = u64::from(u32::MAX);
        match offset {
            TIME_LOW => self.set(now & !low | u64::from(value), mtime),
            TIME_HIGH => self.set(now & low | u64::from(value) << 32, mtime),
            ALARM_LOW => self.alarm[0] = value,
            ALARM_HIGH => self.alarm[1] = value,
            INTERRUPT_ENABLED => self.interrupt_enabled = value & 1,
            _ => {}
        }
        Some(())
    }

    fn now(&self, mtime: u64) -> u64 {
        let passed = mtime.wrapping_mul(NANOSECONDS_PER_TICK);
        SWITCHED_ON.wrapping_add(passed).wrapping_add(self.offset)
    }

    fn set(&mut self, time: u64, mtime: u64) {
        self.offset = self.offset.wrapping_add(time.wrapping_sub(self.now(mtime)));
    }
}

#[cfg(test)]
mod tests {
    use super::{Rtc, SWITCHED_ON};

    fn time(rtc: &mut Rtc, mtime: u64) -> u64 {
        let low = rtc.read(0, 4, mtime).unwrap();
        // The high half belongs to the low half that was read.
        let high = rtc.read(4, 4, u64::MAX / 2).unwrap();
        high << 32 | low
    }

    #[test]
    fn time_passes_with_mtime() {
        let mut rtc = Rtc::new();
        assert_eq!(time(&mut rtc, 0), SWITCHED_ON);
        assert_eq!(time(&mut rtc, 10_000_000), SWITCHED_ON + 1_000_000_000);
    }

    #[test]
    fn the_time_can_be_set() {
        let mut rtc = Rtc::new();
        rtc.write(4, 4, 5, 100).unwrap();
        rtc.write(0, 4, 7, 100).unwrap();
        assert_eq!(time(&mut rtc, 100), 5 << 32 | 7);
        assert_eq!(time(&mut rtc, 101), 5 << 32 | 107);
    }

    #[test]
    fn the_alarm_is_kept_and_other_widths_are_refused() {
        let mut rtc = Rtc::new();
        rtc.write(8, 4, 1, 0).unwrap();
        rtc.write(0xc, 4, 2, 0).unwrap();
        rtc.write(0x10, 4, 3, 0).unwrap();
        assert_eq!(
            [8, 0xc, 0x10, 0x18].map(|at| rtc.read(at, 4, 0).unwrap()),
            [1, 2, 1, 0]
        );
        assert_eq!(rtc.read(0, 8, 0), None);
        assert_eq!(rtc.read(2, 4, 0), None);
        assert_eq!(rtc.write(0, 1, 0, 0), None);
    }
}
