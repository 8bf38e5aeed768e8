//! The end of a case: all processes exit, the supervisor reaps them, and frames are counted.

use super::Driver;
use crate::agent::STATUS_ADDRESS;
use crate::guest::processes::{SUPERVISOR, Slot, State};
use abi::SystemCall;
use emulator::isa::register::A0;
use oracle::{Action, End, Failure, Nap, Process};

/// The state in which a process must be when the case ends, according to the judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Can be given an operation: it is told to exit with status 0.
    Ready,
    /// Sleeps in the kernel: the supervisor kills it.
    Blocked,
}

/// When the supervisor reaps the processes at the end of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaping {
    /// It calls `wait` after all of them have exited.
    Afterwards,
    /// It sleeps in `wait` while they exit, children before their parents.
    Meanwhile,
}

/// More processes than any xv6 has room for.
const MOST_FORKS: u64 = 1024;

/// Rounds of the scheduler after which a killed process must be gone. In xv6 it may come back to user mode once,
/// and dies at its next trap.
const ROUNDS_TO_DIE: u32 = 2;

impl Driver {
    /// Ends the case. `standing` lists the processes that are alive according to the judge.
    pub fn finish(&mut self, standing: &[(Process, Standing)], reaping: Reaping) -> End {
        self.events.clear();
        self.fail_no_frame();
        let living = standing
            .iter()
            .filter_map(|(process, _)| Slot::of(*process));
        // Members of a crowd would wake the supervisor as well.
        let reaping = match self.members_of_crowd() {
            0 => reaping,
            _ => Reaping::Afterwards,
        };
        let mut end = End {
            miscount: self.miscounted_frame(living.chain([SUPERVISOR])),
            ..End::default()
        };
        let dismissed = self.dismiss(standing, reaping, &mut end);
        end.frames = self.frames_expected_at_end().zip(self.free_frames());
        self.lost_owners = match end.frames {
            Some((expected, free)) if free < expected => self.frame_owners(),
            _ => None,
        };
        let accounts = self.guest.accounts;
        end.at_hand =
            accounts.and_then(|accounts| accounts.at_hand(&self.machine, &self.free_lists));
        end.promised = self.guest.at_end.promised.zip(self.promised_frames());
        let counted = dismissed.and_then(|()| {
            if self.fork_failed && end.all_reaped {
                self.count_forks()
            } else {
                Ok(None)
            }
        });
        match counted {
            Ok(forks) => end.forks = self.guest.at_end.forks.zip(forks),
            Err(failure) => {
                end.failure = Some(failure);
                end.stopped_in = self.stopped_in();
            }
        }
        end
    }

    /// Whether `process`, which has not come back, is dead: then the supervisor reaps it after the others
    /// have exited. The case is over after this call.
    pub fn has_died(&mut self, process: Process, others: &[(Process, Standing)]) -> bool {
        let Some(slot) = Slot::of(process) else {
            return false;
        };
        let pid = self.processes.get(slot).pid;
        let end = self.finish(others, Reaping::Afterwards);
        end.reaped.iter().any(|(reaped, _)| *reaped == pid)
    }

    /// How often the supervisor can fork before `fork` fails. `None` if it fails for lack of a frame, or if the
    /// children run before the supervisor does. It is the last thing to do before a reset.
    pub(crate) fn count_forks(&mut self) -> Result<Option<u64>, Failure> {
        self.leave_frames(u64::MAX);
        self.out_of_frames = false;
        for count in 0..MOST_FORKS {
            match self.supervisor_call(SystemCall::Fork, 0)? {
                Some(pid) if (pid as i64) > 0 => {}
                Some(u64::MAX) if !self.out_of_frames => return Ok(Some(count)),
                _ => return Ok(None),
            }
        }
        Ok(None)
    }

    fn dismiss(
        &mut self,
        standing: &[(Process, Standing)],
        reaping: Reaping,
        end: &mut End,
    ) -> Result<(), Failure> {
        let slots = |wanted: Standing| {
            standing
                .iter()
                .filter(move |(_, standing)| *standing == wanted)
                .filter_map(|(process, _)| Slot::of(*process))
        };
        // Parents first and one by one: otherwise the scheduler decides whether a parent that sleeps in
        // `wait` reaps its killed child before it dies itself.
        let mut blocked: Vec<Slot> = slots(Standing::Blocked).collect();
        blocked.sort_by_key(|slot| self.processes.depth(*slot));
        for slot in blocked {
            let pid = self.processes.get(slot).pid;
            self.supervisor_call(SystemCall::Kill, pid)?;
            self.settle(ROUNDS_TO_DIE)?;
        }
        match reaping {
            Reaping::Afterwards => {
                for slot in slots(Standing::Ready) {
                    self.tell_to_exit(slot)?;
                }
            }
            Reaping::Meanwhile => {
                let mut ready: Vec<Slot> = slots(Standing::Ready).collect();
                ready.sort_by_key(|slot| std::cmp::Reverse(self.processes.depth(*slot)));
                self.reap(end)?;
                for slot in ready {
                    self.tell_to_exit(slot)?;
                    self.note_nap(slot, end)?;
                }
            }
        }
        self.dismiss_crowd()?;
        if end.all_reaped {
            Ok(())
        } else {
            self.reap(end)
        }
    }

    fn tell_to_exit(&mut self, slot: Slot) -> Result<(), Failure> {
        if let Some(hart) = self.bring_to_front(slot)? {
            self.prepare(hart, slot, &call(SystemCall::Exit, 0));
            self.processes.get_mut(slot).state = State::Dead;
            let arrived = self.run_to_hint(hart)?;
            self.arrive(hart, arrived)?;
        }
        Ok(())
    }

    /// Notes whether the supervisor, which slept in `wait` when `slot` was told to exit, has come back. If it has, it
    /// reaps until it sleeps again.
    fn note_nap(&mut self, slot: Slot, end: &mut End) -> Result<(), Failure> {
        if end.all_reaped {
            return Ok(());
        }
        self.settle(1)?;
        let woken = self.processes.get(SUPERVISOR).state.is_at_hand();
        end.naps
            .extend(slot.process().map(|process| Nap { process, woken }));
        if woken && self.bring_to_front(SUPERVISOR)?.is_some() {
            self.note_reaped(end);
            if !end.all_reaped {
                self.reap(end)?;
            }
        }
        Ok(())
    }

    fn reap(&mut self, end: &mut End) -> Result<(), Failure> {
        // A kernel may need a frame to return a status, and that must not fail here.
        self.leave_frames(u64::MAX);
        // One more than there can be processes: a kernel that reaps for ever is stopped.
        for _ in 0..=self.processes.slots().count() + self.members_of_crowd() {
            self.supervisor_call(SystemCall::Wait, STATUS_ADDRESS)?;
            if self.hart_of(SUPERVISOR).is_none() {
                return Ok(());
            }
            self.note_reaped(end);
            if end.all_reaped {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Notes what `wait` has returned to the supervisor.
    fn note_reaped(&self, end: &mut End) {
        let pid = self.processes.get(SUPERVISOR).answer;
        if (pid as i64) < 0 {
            end.all_reaped = true
        } else {
            end.reaped.push((pid, self.supervisor_status()))
        }
    }

    /// Makes a system call in the supervisor. `None` if it does not come back.
    fn supervisor_call(
        &mut self,
        system_call: SystemCall,
        argument: u64,
    ) -> Result<Option<u64>, Failure> {
        let Some(hart) = self.bring_to_front(SUPERVISOR)? else {
            return Ok(None);
        };
        self.prepare(hart, SUPERVISOR, &call(system_call, argument));
        let arrived = self.run_to_hint(hart)?;
        self.arrive(hart, arrived)?;
        Ok((arrived == Some(SUPERVISOR)).then(|| self.machine.x(hart, A0)))
    }

    fn supervisor_status(&self) -> i32 {
        let mut bytes = [0; 4];
        let satp = self.processes.get(SUPERVISOR).satp;
        if let Some(mapping) = self.machine.translate(satp, STATUS_ADDRESS) {
            // A page table that leads outside RAM leaves the status 0, which the judge compares.
            let _ = self.machine.read_physical(mapping.physical, &mut bytes);
        }
        i32::from_le_bytes(bytes)
    }
}

fn call(system_call: SystemCall, argument: u64) -> Action {
    Action::SystemCall {
        number: system_call.number(),
        arguments: [argument, 0, 0],
        child: None,
    }
}
