//! The end of a case: which processes were reaped and with which status, and whether all frames, promises of
//! frames and process slots came back.

use super::compare::panic_words;
use super::disk::DiskMoment;
use super::{Clause, End, Failure, Finding, Judge, Miscount, Nap, words};
use crate::case::Process;
use crate::dialect::ExitStatus;
use crate::model::{Death, KILLED_STATUS, ProcessState};

/// The status with which the driver makes a ready process exit.
const DISMISSED_STATUS: i32 = 0;

impl Judge {
    /// Judges the end of a case. Every process that was ready was told to exit with status 0, and every process
    /// that was blocked was killed.
    ///
    /// # Errors
    /// The first clause that was broken.
    pub fn finish(&mut self, end: &End) -> Result<(), Finding> {
        self.planned = None;
        self.race.clear();
        if let Some(failure) = &end.failure {
            let mut finding = self.failed_at_end(failure);
            finding.signature.words = panic_words(failure);
            finding.signature.functions = end.stopped_in.clone();
            return Err(finding);
        }
        self.judge_end_in_each_world(end)
    }

    pub(super) fn compare_end(&mut self, end: &End) -> Result<(), Finding> {
        if let Some(reboot) = &end.reboot {
            return self.compare_reboot(reboot);
        }
        self.compare_holders(end)?;
        self.compare_naps(&end.naps)?;
        self.compare_reaped(end)?;
        self.compare_free_frames(end)?;
        self.compare_promises(end)?;
        self.compare_slots(end)?;
        match &end.disk {
            None => Ok(()),
            Some(disk) => self.compare_disk(disk, DiskMoment::AtEnd),
        }
    }

    fn compare_holders(&self, end: &End) -> Result<(), Finding> {
        match &end.miscount {
            Some(miscount) => Err(self.miscounted(miscount)),
            None => Ok(()),
        }
    }

    /// The finding that a frame has more or fewer holders than the kernel counts.
    pub fn miscounted(&self, miscount: &Miscount) -> Finding {
        let (frame, mapped) = (miscount.frame, miscount.mapped);
        self.finding(
            Clause::HoldersCounted,
            Process::FIRST,
            format!(
                "frame {frame:#x} has a holder count of {mapped}, the number of pages that map it"
            ),
            format!("the count is {}", miscount.recorded),
        )
    }

    /// Checks whether the supervisor woke when it had to. It sleeps in `wait` while ready processes exit one after
    /// another. It wakes if the process that exits is its child, or if a child of that process has already ended.
    fn compare_naps(&self, naps: &[Nap]) -> Result<(), Finding> {
        for (at, nap) in naps.iter().enumerate() {
            let process = nap.process;
            let has_ended = |child: &Process| match self.model.state_of(*child) {
                ProcessState::Zombie | ProcessState::Blocked => true,
                ProcessState::Ready => naps[..at].iter().any(|earlier| earlier.process == *child),
                ProcessState::Gone => false,
            };
            let mut children =
                Process::all().filter(|child| self.model.parent_of(*child) == Some(process));
            let inherited = children.find(has_ended);
            let wakes = inherited.is_some() || self.model.parent_of(process).is_none();
            if wakes && !nap.woken {
                let whom = inherited.unwrap_or(process);
                return Err(self.finding(
                    Clause::EverybodyReaped,
                    whom,
                    format!("the first process, asleep in wait, is woken for {whom} when {process} exits"),
                    "it stays asleep",
                ));
            }
        }
        Ok(())
    }

    fn compare_promises(&self, end: &End) -> Result<(), Finding> {
        match end.promised {
            Some((wanted, promised)) if wanted != promised => Err(self.finding(
                Clause::PromisesEnd,
                Process::FIRST,
                format!("{wanted} frames are promised when every process is gone"),
                format!("{promised} are promised"),
            )),
            _ => Ok(()),
        }
    }

    fn compare_slots(&self, end: &End) -> Result<(), Finding> {
        match end.forks {
            Some((wanted, forks)) if wanted != forks => Err(self.finding(
                Clause::SlotsComeBack,
                Process::FIRST,
                format!("{wanted} processes can be made when all others are gone"),
                format!("{forks} can be made"),
            )),
            _ => Ok(()),
        }
    }

    fn failed_at_end(&self, failure: &Failure) -> Finding {
        let clause = match failure {
            Failure::Panic { .. } => Clause::NoPanic,
            Failure::Hang => Clause::EndsInTime,
            Failure::Stuck { .. } => Clause::NotStuck,
            Failure::PoweredOff => Clause::StaysOn,
            Failure::Registers { .. } => Clause::RegistersSurvive,
        };
        self.finding(
            clause,
            Process::FIRST,
            "every process ends and is reaped",
            words::failure_words(failure),
        )
    }

    fn compare_reaped(&mut self, end: &End) -> Result<(), Finding> {
        for process in Process::all() {
            let state = self.model.state_of(process);
            let Some(pid) = self
                .model
                .pid_of(process)
                .filter(|_| state != ProcessState::Gone)
            else {
                continue;
            };
            let wanted = match state {
                ProcessState::Ready => DISMISSED_STATUS,
                ProcessState::Blocked => KILLED_STATUS,
                ProcessState::Zombie | ProcessState::Gone => self.model.status_of(process),
            };
            self.meter.compared += 1;
            let is_told = self.tells_status();
            match end.reaped.iter().find(|reaped| reaped.0 == pid) {
                Some((_, status)) if *status == wanted || !is_told => {}
                Some((_, status)) => return Err(self.wrong_status(process, wanted, *status)),
                // A process that is killed while it sleeps in `wait` may still reap a child before it dies.
                None if end.all_reaped && self.model.is_waited_for(process) => {}
                None => return Err(self.never_reaped(process, end)),
            }
        }
        let stranger = end.reaped.iter().find(|(pid, _)| {
            !Process::all().any(|process| self.model.pid_of(process) == Some(*pid))
                && !self.is_of_crowd(*pid)
        });
        if let Some((pid, status)) = stranger {
            return Err(self.finding(
                Clause::EverybodyReaped,
                Process::FIRST,
                "wait finds the processes of the case",
                format!("it finds process {pid}, which no fork made (status {status})"),
            ));
        }
        if !end.all_reaped {
            return Err(self.finding(
                Clause::EverybodyReaped,
                Process::FIRST,
                "when all have ended, wait says that no child is left",
                "a child is left that does not end",
            ));
        }
        self.compare_reaped_crowd(&end.reaped)
    }

    /// Whether `wait` tells with which status a process has ended.
    pub(super) fn tells_status(&self) -> bool {
        self.model.world.dialect.wait.status == ExitStatus::Told
    }

    /// The finding that a process that was reaped had a wrong status. It has died: a process that lives on although it
    /// had to die is not told to exit, and so is never reaped.
    fn wrong_status(&self, process: Process, wanted: i32, seen: i32) -> Finding {
        let expected = format!("{process} ends with status {wanted}");
        let seen_words = format!("it ends with status {seen}");
        match (self.model.ended(process), self.model.state_of(process)) {
            (Some(ended), _) => {
                let at = self.operation_at(ended.step);
                self.finding_at(at, Clause::ExitStatus, process, expected, seen_words)
            }
            (None, ProcessState::Ready) if seen == KILLED_STATUS => {
                self.finding(Clause::InnocentLive, process, expected, seen_words)
            }
            (None, _) => self.finding(Clause::ExitStatus, process, expected, seen_words),
        }
    }

    fn never_reaped(&self, process: Process, end: &End) -> Finding {
        let Some(ended) = self.model.ended(process) else {
            let expected = format!("{process} ends when it is told to");
            return self.finding(Clause::EverybodyReaped, process, expected, lost(end));
        };
        let at = self.operation_at(ended.step);
        let clause = match ended.death {
            // It has ended: for a process that lives on, `wait` waits.
            _ if end.all_reaped => Clause::EverybodyReaped,
            Death::ForbiddenAccess | Death::OutOfFrames => Clause::ForbiddenAccessKills,
            Death::Killed | Death::Exited => Clause::DeadStayDead,
        };
        self.finding_at(at, clause, process, format!("{process} is dead"), lost(end))
    }

    fn compare_free_frames(&self, end: &End) -> Result<(), Finding> {
        let Some((wanted, free)) = end.frames else {
            return Ok(());
        };
        self.compare_count(wanted, free, format!("{free} frames are free"))?;
        // A kernel's count may be right although its free list has lost a frame or contains one twice.
        let at_hand = end.at_hand.unwrap_or(free);
        let seen = format!(
            "the kernel counts that many, but {at_hand} frames are on its free list or were never used"
        );
        self.compare_count(free, at_hand, seen)
    }

    fn compare_count(&self, wanted: u64, there: u64, seen: String) -> Result<(), Finding> {
        let clause = match there.cmp(&wanted) {
            std::cmp::Ordering::Equal => return Ok(()),
            std::cmp::Ordering::Less => Clause::FramesComeBack,
            std::cmp::Ordering::Greater => Clause::FramesNotInvented,
        };
        let expected = format!("{wanted} frames are free when every process is gone");
        Err(self.finding(clause, Process::FIRST, expected, seen))
    }
}

/// What was seen of a process that `wait` has never returned.
fn lost(end: &End) -> &'static str {
    if end.all_reaped {
        "wait never returns it, and says that no child is left"
    } else {
        "it does not end"
    }
}
