//! Judging crowds: each member is a new process, finds what its parent had when it was made, and is reaped.

use super::{Clause, Finding, Judge, Observation, Planned, words};
use crate::case::{Kind, Process};
use crate::model::{Leave, Look};

/// The exit status of a member that is told to go at the end of a case.
const DISMISSED_STATUS: i32 = 0;

impl Judge {
    /// Compares what was seen of the crowd that the step has made or dispersed.
    pub(super) fn compare_crowd(
        &self,
        planned: &Planned,
        observation: &Observation,
    ) -> Result<(), Finding> {
        let process = planned.operation.process;
        let kind = planned.operation.call.kind();
        if kind == Kind::Crowd {
            return self.compare_identifiers(process, &observation.crowd);
        }
        match self.model.look().filter(|_| kind == Kind::Disperse) {
            Some(look) => self.compare_look(process, look, observation),
            None => Ok(()),
        }
    }

    /// Each member needs an identifier of its own.
    fn compare_identifiers(&self, founder: Process, seen: &[u64]) -> Result<(), Finding> {
        let is_used = |(at, pid): (usize, &u64)| {
            let of_a_name = |process| self.model.pid_of(process) == Some(*pid);
            seen[..at].contains(pid) || Process::all().any(of_a_name)
        };
        match seen.iter().enumerate().find(|one| is_used(*one)) {
            None => Ok(()),
            Some((_, pid)) => Err(self.finding(
                Clause::ReturnedValue,
                founder,
                format!("fork returns a new process identifier to {founder}"),
                format!("it returns {pid}, which another process has"),
            )),
        }
    }

    /// Compares the bytes that the members loaded.
    fn compare_look(
        &self,
        founder: Process,
        look: Look,
        observation: &Observation,
    ) -> Result<(), Finding> {
        let loaded = &observation.loaded_by_crowd;
        let Look { address, byte, .. } = look;
        let place = words::value(address);
        let wrong = loaded.iter().find(|loaded| **loaded != byte);
        if look.leave == Leave::Refused {
            return match loaded.first() {
                None => Ok(()),
                Some(loaded) => Err(self.finding(
                    Clause::ForbiddenAccessKills,
                    founder,
                    format!("each child of the crowd is killed when it loads from {place}"),
                    format!("one of them loads {loaded:#04x}"),
                )),
            };
        }
        if let Some(wrong) = wrong {
            let wrong_ones = loaded.iter().filter(|loaded| **loaded != byte).count();
            return Err(self.finding(
                Clause::LoadedValue,
                founder,
                format!("each child of the crowd loads {byte:#04x} from {place}, as its parent when it was made"),
                format!("{wrong_ones} of {} load another byte, such as {wrong:#04x}", look.members),
            ));
        }
        let dead = look.members.saturating_sub(loaded.len() as u64);
        if dead > 0 && look.leave == Leave::Granted && !observation.out_of_frames {
            return Err(self.finding(
                Clause::InnocentLive,
                founder,
                format!("each child of the crowd loads {byte:#04x} from {place}"),
                format!("{dead} of {} do not come back", look.members),
            ));
        }
        Ok(())
    }

    /// Checks that each member of the crowd that still stood at the end was reaped once, with its status. `reaped` is
    /// what `wait` returned.
    pub(super) fn compare_reaped_crowd(&self, reaped: &[(u64, i32)]) -> Result<(), Finding> {
        let Some(crowd) = self.model.crowd() else {
            return Ok(());
        };
        let members = || reaped.iter().filter(|(pid, _)| self.is_of_crowd(*pid));
        let wrong = |what: String, seen: String| {
            let founder = crowd.founder.unwrap_or(Process::FIRST);
            Err(self.finding(Clause::EverybodyReaped, founder, what, seen))
        };
        let count = members().count() as u64;
        if count != crowd.members {
            return wrong(
                format!(
                    "all {} children of the crowd end when they are told to",
                    crowd.members
                ),
                format!("wait returns {count} of them"),
            );
        }
        let is_told = self.tells_status();
        match members().find(|(_, status)| is_told && *status != DISMISSED_STATUS) {
            None => Ok(()),
            Some((pid, status)) => wrong(
                format!("each child of the crowd ends with status {DISMISSED_STATUS}"),
                format!("child {pid} ends with status {status}"),
            ),
        }
    }

    /// Whether a process identifier is that of a member of the crowd.
    pub(super) fn is_of_crowd(&self, pid: u64) -> bool {
        let crowd = self.model.crowd();
        let named = Process::all().any(|process| self.model.pid_of(process) == Some(pid));
        !named && crowd.is_some_and(|crowd| crowd.identifiers.contains(&pid))
    }
}
