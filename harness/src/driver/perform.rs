//! Performing one step: registers in, events out.

use super::Driver;
use super::patience::ACCESS_BUDGET;
use crate::guest::clock::ClockCall;
use crate::guest::processes::{Slot, State};
use crate::guest::registers::{RegisterSet, Registers, planted};
use abi::SystemCall;
use emulator::isa::register::{A0, A1, A2, A3, A7, SP, ZERO};
use oracle::{Action, Event, Failure, Observation, Step, UserTrap, Width};

/// `exit`, the one system call that never comes back.
const EXIT: u64 = SystemCall::Exit.number();
/// `pause`, which comes back when time has passed.
const PAUSE: u64 = SystemCall::Pause.number();
/// `uptime`, which returns how much time has passed.
const UPTIME: u64 = SystemCall::Uptime.number();
/// `exec`, which comes back in another program.
const EXEC: u64 = SystemCall::Exec.number();

impl Driver {
    /// Performs `step` and fills `observation` with what was seen.
    pub fn perform(&mut self, step: &Step, observation: &mut Observation) {
        self.observe(observation, step.pages, |driver| driver.act(step));
        self.collect_mappings(step, observation);
        if step.looks_at_disk {
            observation.disk = Some(self.disk_content());
        }
    }

    /// Fills `observation` with what is seen during `act`, except mappings. `pages` pages are at stake.
    pub(super) fn observe(
        &mut self,
        observation: &mut Observation,
        pages: u64,
        act: impl FnOnce(&mut Self) -> Result<(), Failure>,
    ) {
        self.grant(pages);
        self.events.clear();
        self.turns.clear();
        self.out_of_frames = self.may_lack_frames(pages);
        self.refused_store = None;
        self.holders_before.clear();
        self.console_mark = self.console.len();
        self.disk_was_used();
        let instructions_before = self.machine.retired();
        let frames_before = self.free_frames();
        let available = frames_before.and_then(|free| self.available(free));

        let failure = act(self).err();
        self.end_refusal();

        observation.stopped_in = failure.as_ref().and_then(|_| self.stopped_in());
        observation.failure = failure;
        observation.events.clear();
        observation.events.append(&mut self.events);
        self.note_crowd(observation);
        observation.turns.clear();
        observation.turns.append(&mut self.turns);
        observation.out_of_frames = self.out_of_frames;
        observation.refused_store = self.refused_store;
        observation.disk = None;
        observation.available = available;
        observation.frames = frames_before.zip(self.free_frames());
        observation.instructions = self.machine.retired() - instructions_before;
    }

    fn act(&mut self, step: &Step) -> Result<(), Failure> {
        match step.action {
            Action::LeaveFrames(keep) => {
                self.leave_frames(keep);
                return Ok(());
            }
            Action::FailFrame(nth) => {
                self.fail_frame(nth);
                return Ok(());
            }
            Action::Vary(variation) => {
                self.vary(variation);
                return Ok(());
            }
            Action::LeaveBlocks(keep) => {
                self.leave_blocks(keep);
                return Ok(());
            }
            Action::CutPower(cut) => {
                self.await_power_cut(cut);
                return Ok(());
            }
            Action::Type(keys) => {
                self.machine.console_input(keys.bytes());
                return self.settle(step.rounds.max(1));
            }
            _ => {}
        }
        if matches!(step.action, Action::Nothing) {
            return Ok(());
        }
        let Some(slot) = Slot::of(step.process) else {
            return Ok(());
        };
        let Some(hart) = self.bring_to_front(slot)? else {
            self.events.push(silent(step, None, false));
            return Ok(());
        };
        if matches!(step.action, Action::Yield) {
            return self.settle(step.rounds.max(1));
        }
        if let Action::MoveStack(address) = step.action {
            self.move_stack(hart, slot, address);
            return Ok(());
        }
        match step.action {
            Action::Gather { members } => return self.gather(step, slot, members),
            Action::Disperse { address, members } => {
                return self.disperse(step, slot, address, members);
            }
            _ => {}
        }
        self.prepare(hart, slot, &step.action);
        self.machine.clear_last_user_trap(hart);
        self.begin_recording(false);
        let budget = match step.action {
            Action::Load { .. } | Action::Store { .. } | Action::Fetch { .. } => ACCESS_BUDGET,
            _ => self.budget(),
        };
        let arrived = self.run_to_hint_within(hart, budget)?;
        self.end_recording();
        let reported = arrived == Some(slot);
        if !reported {
            self.note_silence(hart, slot, step);
        }
        self.arrive(hart, arrived)?;
        if step.rounds > 0 {
            self.settle(step.rounds)?;
        } else if !reported && (self.processes.anyone_away() || self.disk_was_used()) {
            // A process that ends may still be freeing files without a name.
            self.settle(1)?;
        } else {
            self.await_birth(slot)?;
        }
        if !reported {
            self.revise_silence(slot);
        }
        Ok(())
    }

    /// Moves the stack pointer of the process that is at its hint on `hart`.
    fn move_stack(&mut self, hart: usize, slot: Slot, address: u64) {
        self.machine.set_x(hart, SP, address);
        let values = self.machine.registers(hart);
        self.processes.get_mut(slot).registers = Registers::new(values, RegisterSet::NONE);
    }

    /// Notes that the process left the hart without reporting: it sleeps, or it is dead.
    fn note_silence(&mut self, hart: usize, slot: Slot, step: &Step) {
        let trap = self.machine.last_user_trap(hart).map(|trap| UserTrap {
            cause: trap.cause,
            value: trap.value,
            pc: trap.pc,
        });
        self.report_silence(slot, step, trap);
    }

    /// Adds the event that the process has not reported: it sleeps, or it is dead.
    pub(super) fn report_silence(&mut self, slot: Slot, step: &Step, trap: Option<UserTrap>) {
        self.drain_console();
        let killed_message = self.killed_message(self.processes.get(slot).pid);
        let exits = matches!(step.action, Action::SystemCall { number: EXIT, .. });
        if exits || killed_message {
            self.processes.get_mut(slot).state = State::Dead;
        }
        self.events.push(silent(step, trap, killed_message));
    }

    /// Corrects the event of a process that has been killed since: it may have slept until a page was read from the
    /// disk.
    fn revise_silence(&mut self, slot: Slot) {
        self.drain_console();
        let entry = self.processes.get(slot);
        if !entry.state.is_away() || !self.killed_message(entry.pid) {
            return;
        }
        self.processes.get_mut(slot).state = State::Dead;
        for event in &mut self.events {
            if let Event::Silent {
                process,
                killed_message,
                ..
            } = event
                && slot.process() == Some(*process)
            {
                *killed_message = true;
            }
        }
    }

    /// Fills the registers of the process on `hart` and points it to the agent's stub.
    pub(super) fn prepare(&mut self, hart: usize, slot: Slot, action: &Action) {
        let Some(task) = self.task(action) else {
            return;
        };
        let turn = self.processes.next_turn();
        let mut values = planted(slot, turn, &self.machine.registers(hart));
        for (register, value) in task.operands {
            values[register] = value;
        }
        self.machine.set_registers(hart, &values);
        self.machine.set_pc(hart, task.stub);
        if let Action::SystemCall {
            child: Some(child), ..
        } = action
            && let Some(child) = Slot::of(*child)
        {
            let entry = self.processes.get_mut(child);
            entry.state = State::Unborn { parent: slot };
            entry.parent = Some(slot);
            entry.registers = Registers::new(values, RegisterSet::RESULT);
        }
        let now = self.moment();
        let entry = self.processes.get_mut(slot);
        entry.registers = Registers::new(values, task.free);
        entry.clock_call = match *action {
            Action::SystemCall { number: PAUSE, .. } => Some((ClockCall::Pause, now)),
            Action::SystemCall { number: UPTIME, .. } => Some((ClockCall::Uptime, now)),
            _ => None,
        };
        entry.state = match *action {
            Action::SystemCall { number: EXEC, .. } => State::Executing,
            _ => State::Acting,
        };
    }

    /// What the agent has to do for `action`; `None` if it does nothing.
    fn task(&self, action: &Action) -> Option<Task> {
        let stubs = &self.guest.agent.stubs;
        let width_index = |width: Width| width.bytes().trailing_zeros() as usize;
        let task = |stub, operands, free| {
            Some(Task {
                stub,
                operands,
                free,
            })
        };
        match *action {
            Action::SystemCall {
                number,
                arguments: [first, second, third],
                ..
            } => task(
                stubs.system_call,
                [(A0, first), (A1, second), (A2, third), (A7, number)],
                RegisterSet::RESULT,
            ),
            Action::Load { address, width } => task(
                stubs.load[width_index(width)],
                [(A1, address), UNUSED, UNUSED, UNUSED],
                RegisterSet::RESULT,
            ),
            Action::Store {
                address,
                width,
                value,
            } => task(
                stubs.store[width_index(width)],
                [(A1, address), (A2, value), UNUSED, UNUSED],
                RegisterSet::NONE,
            ),
            Action::StoreString {
                address,
                text,
                terminated,
            } => {
                let bytes = text.bytes().len() as u64 + u64::from(terminated);
                let string = self.guest.agent.string(text);
                task(
                    stubs.copy,
                    [(A1, address), (A2, bytes), (A3, string), UNUSED],
                    RegisterSet::LOOP,
                )
            }
            Action::Fetch { address } => task(
                stubs.fetch,
                [(A0, 0), (A1, address), UNUSED, UNUSED],
                RegisterSet::JUMP,
            ),
            Action::Touch {
                address,
                stride,
                count,
                write,
            } => task(
                if write {
                    stubs.touch_write
                } else {
                    stubs.touch_read
                },
                [(A0, 0), (A1, address), (A2, count), (A3, stride)],
                RegisterSet::LOOP,
            ),
            Action::Gather { .. }
            | Action::Disperse { .. }
            | Action::MoveStack(_)
            | Action::Yield
            | Action::LeaveFrames(_)
            | Action::FailFrame(_)
            | Action::LeaveBlocks(_)
            | Action::CutPower(_)
            | Action::Type(_)
            | Action::Vary(_)
            | Action::Nothing => None,
        }
    }
}

/// What the agent has to do for one operation.
struct Task {
    /// The stub to run.
    stub: u64,
    /// The registers from which the stub takes its operands, with their values. `x0` stands for none.
    operands: [(usize, u64); 4],
    /// Registers that the stub, or the system call that it makes, changes.
    free: RegisterSet,
}

/// An operand that the stub does not have.
const UNUSED: (usize, u64) = (ZERO, 0);

pub(super) fn silent(step: &Step, trap: Option<UserTrap>, killed_message: bool) -> Event {
    Event::Silent {
        process: step.process,
        trap,
        killed_message,
    }
}
