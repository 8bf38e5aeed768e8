//! The end of a case: everyone is told to go, the supervisor reaps, frames are counted.

use super::{Engine, HART, SUPERVISOR, Slot, State};
use crate::agent::DATA_START;
use abi::SystemCall;
use oracle::{Action, End, Failure, Process};

/// How the judge holds a process to stand when the case ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Can be given an operation: it is told to exit with status 0.
    Ready,
    /// Sleeps in the kernel: the supervisor kills it.
    Blocked,
}

/// Where the supervisor's `wait` puts a status: its own data page, made private before the
/// snapshot, so that reaping needs no frame even when none is left.
pub(crate) const STATUS_ADDRESS: u64 = DATA_START;

/// Rounds of the scheduler in which a killed process must be gone: in xv6 it may come back to
/// user mode once, and dies at its next trap.
const ROUNDS_TO_DIE: u32 = 2;

impl Engine {
    /// Ends the case. `standing` lists the processes that the judge holds to be alive.
    pub fn finish(&mut self, standing: &[(Process, Standing)]) -> End {
        self.events.clear();
        self.fail_no_frame();
        let mut end = End {
            reaped: Vec::new(),
            all_reaped: false,
            frames: None,
            disk: None,
            failure: None,
        };
        if let Err(failure) = self.dismiss(standing, &mut end) {
            end.failure = Some(failure);
        }
        end.frames = self.frames_expected_at_end().zip(self.free_frames());
        end
    }

    fn dismiss(&mut self, standing: &[(Process, Standing)], end: &mut End) -> Result<(), Failure> {
        let slots = |wanted: Standing| {
            standing
                .iter()
                .filter(move |(_, standing)| *standing == wanted)
                .filter_map(|(process, _)| Slot::of(*process))
        };
        // Parents first and one by one: a parent that sleeps in `wait` would else reap its killed
        // child before it dies of its own kill, or not, as the scheduler has it.
        let mut blocked: Vec<Slot> = slots(Standing::Blocked).collect();
        blocked.sort_by_key(|slot| self.processes.depth(*slot));
        for slot in blocked {
            let pid = self.processes.get(slot).pid;
            self.supervisor_call(SystemCall::Kill, pid)?;
            self.settle(ROUNDS_TO_DIE)?;
        }
        for slot in slots(Standing::Ready) {
            if self.bring_to_front(slot)? {
                self.prepare(slot, &call(SystemCall::Exit, 0));
                self.processes.get_mut(slot).state = State::Dead;
                let arrived = self.run_to_hint()?;
                self.arrive(arrived)?;
            }
        }
        self.reap(end)
    }

    fn reap(&mut self, end: &mut End) -> Result<(), Failure> {
        // One more than there can be processes: a kernel that reaps for ever is stopped.
        for _ in 0..=self.processes.slots().count() {
            match self.supervisor_call(SystemCall::Wait, STATUS_ADDRESS)? {
                None => return Ok(()),
                Some(pid) if (pid as i64) < 0 => {
                    end.all_reaped = true;
                    return Ok(());
                }
                Some(pid) => end.reaped.push((pid, self.supervisor_status())),
            }
        }
        Ok(())
    }

    /// A system call by the supervisor; `None` when it does not come back.
    fn supervisor_call(
        &mut self,
        system_call: SystemCall,
        argument: u64,
    ) -> Result<Option<u64>, Failure> {
        if !self.bring_to_front(SUPERVISOR)? {
            return Ok(None);
        }
        self.prepare(SUPERVISOR, &call(system_call, argument));
        let arrived = self.run_to_hint()?;
        self.arrive(arrived)?;
        Ok((arrived == Some(SUPERVISOR)).then(|| self.machine.x(HART, super::schedule::RESULT)))
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
