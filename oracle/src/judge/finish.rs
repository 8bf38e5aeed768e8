//! The end of a case: who was reaped, with which status, and whether all frames came back.

use super::{Clause, End, Failure, Finding, Judge, words};
use crate::case::Process;
use crate::model::{Death, KILLED_STATUS, ProcessState};

/// The status with which the engine makes a ready process exit.
const DISMISSED_STATUS: i32 = 0;

impl Judge {
    /// Judges the end of a case, in which every process that was ready was told to exit with
    /// status 0, and every one that was blocked was killed.
    ///
    /// # Errors
    /// The first clause that was broken.
    pub fn finish(&mut self, end: &End) -> Result<(), Finding> {
        self.planned = None;
        if let Some(failure) = &end.failure {
            return Err(self.failed_at_end(failure));
        }
        self.compare_reaped(end)?;
        self.compare_free_frames(end)?;
        match &end.disk {
            None => Ok(()),
            Some(disk) => self.compare_disk(disk),
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
            match end.reaped.iter().find(|reaped| reaped.0 == pid) {
                Some((_, status)) if *status == wanted => {}
                Some((_, status)) => return Err(self.wrong_status(process, wanted, *status)),
                // A sleeper that is killed in `wait` may still reap before it dies.
                None if end.all_reaped && self.model.is_waited_for(process) => {}
                None => return Err(self.never_reaped(process, end)),
            }
        }
        let stranger = end.reaped.iter().find(|(pid, _)| {
            !Process::all().any(|process| self.model.pid_of(process) == Some(*pid))
        });
        if let Some((pid, status)) = stranger {
            return Err(self.finding(
                Clause::EverybodyReaped,
                Process::FIRST,
                "wait finds the processes of the case",
                format!("it finds process {pid}, which nobody made (status {status})"),
            ));
        }
        if !end.all_reaped {
            return Err(self.finding(
                Clause::EverybodyReaped,
                Process::FIRST,
                "when all have ended, wait says that no child is left",
                "there is a child left that does not end",
            ));
        }
        Ok(())
    }

    fn wrong_status(&self, process: Process, wanted: i32, seen: i32) -> Finding {
        let expected = format!("{process} ends with status {wanted}");
        let seen_words = format!("it ends with status {seen}");
        match (self.model.ended(process), self.model.state_of(process)) {
            (Some(ended), _) => {
                let clause = match ended.death {
                    // Somebody else let it go: it had lived on.
                    Death::ForbiddenAccess => Clause::ForbiddenAccessKills,
                    Death::Killed => Clause::DeadStayDead,
                    Death::Exited | Death::OutOfFrames => Clause::ExitStatus,
                };
                let at = self.operation_at(ended.step);
                self.finding_at(at, clause, process, expected, seen_words)
            }
            (None, ProcessState::Ready) if seen == KILLED_STATUS => {
                self.finding(Clause::InnocentLive, process, expected, seen_words)
            }
            (None, _) => self.finding(Clause::ExitStatus, process, expected, seen_words),
        }
    }

    fn never_reaped(&self, process: Process, end: &End) -> Finding {
        let seen = match end.all_reaped {
            true => "wait never returns it, and says that no child is left",
            false => "it does not end",
        };
        match self.model.ended(process) {
            Some(ended) => {
                let clause = match ended.death {
                    Death::ForbiddenAccess | Death::OutOfFrames => Clause::ForbiddenAccessKills,
                    Death::Killed | Death::Exited => Clause::DeadStayDead,
                };
                let at = self.operation_at(ended.step);
                self.finding_at(at, clause, process, format!("{process} is dead"), seen)
            }
            None => {
                let expected = format!("{process} ends when it is told to");
                self.finding(Clause::EverybodyReaped, process, expected, seen)
            }
        }
    }

    fn compare_free_frames(&self, end: &End) -> Result<(), Finding> {
        let Some((wanted, free)) = end.frames else {
            return Ok(());
        };
        let clause = match free.cmp(&wanted) {
            std::cmp::Ordering::Equal => return Ok(()),
            std::cmp::Ordering::Less => Clause::FramesComeBack,
            std::cmp::Ordering::Greater => Clause::FramesNotInvented,
        };
        Err(self.finding(
            clause,
            Process::FIRST,
            format!("{wanted} frames are free when every process is gone"),
            format!("{free} frames are free"),
        ))
    }
}
