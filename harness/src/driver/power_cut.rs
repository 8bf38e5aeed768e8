//! Power cuts: the disk as one leaves it, and the boot that follows.
//!
//! The kernel goes on to the end of its operation, and the disk is then made from what it has written up to the cut.
//! This is the same as stopping it there, because a write is the only thing that it leaves behind.

use super::Driver;
use crate::guest::{FIRST_HART, SecondBoot, TICKS_ASLEEP};
use emulator::{Defect, Exit, Machine, SectorWrite};
use oracle::{Cut, CutMoment, Failure, Reboot, Remains};

/// Instructions between two looks at a kernel that boots.
const GLANCE: u64 = 1_000_000;
/// How many times as long as usual a boot may take, and how many instructions more, because something may have to be
/// recovered.
const SLOWER: u64 = 4;
const RECOVERY_BUDGET: u64 = 30_000_000;

/// The power cuts of a case.
#[derive(Default)]
pub(super) struct PowerCuts {
    /// Those that are still to come.
    awaited: Vec<Cut>,
    /// What the disk held when the first of them was asked for.
    before: Vec<u8>,
    /// The machine that boots again, once one was needed.
    machine: Option<Box<Machine>>,
    /// Instructions that it has retired.
    retired: u64,
}

impl PowerCuts {
    /// Forgets the cuts of a case.
    pub(super) fn forget(&mut self) {
        self.awaited.clear();
        self.before.clear();
    }
}

impl Driver {
    /// The power is cut from now on, or once more.
    pub(super) fn await_power_cut(&mut self, cut: Cut) {
        if self.power.awaited.is_empty() {
            self.power.before = self.machine.disk();
            self.machine.record_disk_writes();
        }
        self.power.awaited.push(cut);
    }

    /// Whether the power is cut by now, and when: `within` the last operation, or after it.
    pub fn power_cut(&self, within: CutMoment) -> Option<CutMoment> {
        let cut = self.power.awaited.first()?;
        let done = self.machine.disk_write_requests();
        match done.cmp(&u32::from(cut.write)) {
            std::cmp::Ordering::Less => None,
            std::cmp::Ordering::Equal if cut.remains != Remains::Half => Some(CutMoment::After),
            _ => Some(within),
        }
    }

    /// Boots the kernel from the disk that the power cut has left. If the power is cut once more, that happens while it
    /// boots, and it boots another time.
    pub fn boot_again(&mut self, moment: CutMoment) -> Reboot {
        let mut disk = std::mem::take(&mut self.power.before);
        let mut cuts = std::mem::take(&mut self.power.awaited).into_iter();
        if let Some(cut) = cuts.next() {
            leave(&mut disk, self.machine.disk_writes(), cut);
        }
        let second_boot = self.guest.second_boot.clone();
        let mut failure = None;
        if let Some(second_boot) = &second_boot {
            failure = self.boot_from(second_boot, &disk).err();
            if let Some(cut) = cuts.next()
                && failure.is_none()
                && let Some(machine) = &self.power.machine
            {
                leave(&mut disk, machine.disk_writes(), cut);
                failure = self.boot_from(second_boot, &disk).err();
            }
        }
        let stopped_in = failure.as_ref().and_then(|_| self.stopped_in());
        let booted = self.power.machine.as_ref();
        Reboot {
            moment,
            failure,
            stopped_in,
            disk: self.content_after_boot(booted.map_or(disk, |machine| machine.disk())),
        }
    }

    /// Instructions that were retired on all machines of this driver.
    pub fn retired(&self) -> u64 {
        self.machine.retired() + self.power.retired
    }

    /// The mistake that a machine of this driver has found in itself, if there is one.
    pub fn defect(&self) -> Option<Defect> {
        let other = self.power.machine.as_ref();
        let other = other.and_then(|machine| machine.defect());
        self.machine.defect().or(other)
    }

    /// Boots the kernel from `disk`, up to its first program. What it writes is recorded.
    fn boot_from(&mut self, second_boot: &SecondBoot, disk: &[u8]) -> Result<(), Failure> {
        let panic_entry = self.guest.panic_entry;
        let mut machine = self.power.machine.take().unwrap_or_else(|| {
            let mut machine = Machine::from_snapshot(&second_boot.snapshot);
            if let Some(pc) = panic_entry {
                machine.set_breakpoint(pc);
            }
            Box::new(machine)
        });
        machine.reset();
        machine.replace_disk(disk.to_vec());
        machine.record_disk_writes();
        let before = machine.retired();
        std::mem::swap(&mut self.machine, &mut machine);
        let result = self.run_to_first_program(second_boot);
        self.drain_console();
        std::mem::swap(&mut self.machine, &mut machine);
        self.power.retired += machine.retired() - before;
        self.power.machine = Some(machine);
        result
    }

    fn run_to_first_program(&mut self, second_boot: &SecondBoot) -> Result<(), Failure> {
        let usual = self.machine.steps() + SLOWER * second_boot.instructions;
        let deadline = usual + RECOVERY_BUDGET;
        let mut naps = 0;
        loop {
            let now = self.machine.steps();
            let left = deadline.saturating_sub(now);
            match self.machine.run_hart(FIRST_HART, left.min(GLANCE)) {
                Exit::Hint { .. } => return Ok(()),
                Exit::Idle if naps < TICKS_ASLEEP && self.machine.raise_timer(FIRST_HART) => {
                    naps += 1
                }
                // The runner finds out that the machine is broken, and drops the failure.
                Exit::Idle | Exit::Defect(_) => return Err(Failure::Hang),
                Exit::Breakpoint { hart, .. } => return Err(self.last_words(hart, None)),
                Exit::Stuck { pc, .. } => return Err(self.last_words(FIRST_HART, Some(pc))),
                Exit::Finished { .. } => return Err(Failure::PoweredOff),
                Exit::Budget if left <= GLANCE => return Err(self.out_of_budget(FIRST_HART)),
                // It may wait for a tick without sleeping.
                Exit::Budget if now > usual => {
                    self.machine.raise_timer(FIRST_HART);
                }
                Exit::Budget => {}
            }
        }
    }
}

/// Does to `disk` what is done of `writes` when the power is cut.
fn leave(disk: &mut [u8], writes: &[SectorWrite], cut: Cut) {
    let last = u32::from(cut.write);
    let of_last = || writes.iter().filter(|write| write.request == last);
    let half = of_last().count() / 2;
    let known_done = of_last().next().map_or(u32::MAX, |first| first.known_done);
    let mut of_last_so_far = 0;
    for write in writes {
        let is_last = write.request == last;
        of_last_so_far += usize::from(is_last);
        let is_done = write.request <= last
            && match cut.remains {
                Remains::Whole => true,
                Remains::Half => !is_last || of_last_so_far <= half,
                Remains::Alone => is_last || write.request <= known_done,
            };
        if is_done {
            write.apply(disk);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::leave;
    use emulator::{SECTOR_BYTES, SectorWrite};
    use oracle::{Cut, Remains};

    /// The sectors that are written when the power is cut so: of three requests of two sectors each. When the third
    /// began, only the first was known to be done.
    fn written(write: u8, remains: Remains) -> Vec<usize> {
        let writes = (0..6).map(|sector| SectorWrite {
            sector,
            content: [1; SECTOR_BYTES],
            request: 1 + sector as u32 / 2,
            known_done: u32::from(sector >= 4),
        });
        let mut disk = vec![0; 6 * SECTOR_BYTES];
        leave(
            &mut disk,
            &writes.collect::<Vec<_>>(),
            Cut { write, remains },
        );
        let sectors = disk.chunks(SECTOR_BYTES).enumerate();
        let written = sectors.filter(|(_, bytes)| bytes[0] == 1);
        written.map(|(sector, _)| sector).collect()
    }

    #[test]
    fn a_power_cut_leaves_what_was_written_before_it() {
        assert!(written(0, Remains::Whole).is_empty());
        assert_eq!(written(2, Remains::Whole), [0, 1, 2, 3]);
        assert_eq!(written(2, Remains::Half), [0, 1, 2]);
        assert_eq!(written(2, Remains::Alone), [2, 3]);
        assert_eq!(written(3, Remains::Alone), [0, 1, 4, 5]);
    }
}
