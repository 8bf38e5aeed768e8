//! Bringing a process to the front. The driver controls time, so it decides which process runs.
//!
//! The clock is held. Raising a hart's timer makes the kernel pre-empt the process that waits at its
//! hint there, and its round robin brings the next one to *its* hint. Nothing else ever
//! interrupts. One hart runs at a time. The others wait at a hint or in `wfi`, where no hart
//! holds a lock.

use super::{Driver, Pause};
use crate::guest::FIRST_HART;
use crate::guest::frames::RAM_START;
use crate::guest::processes::{Slot, SlotSet, State};
use crate::guest::registers::{RegisterSet, Registers, planted};
use abi::SystemCall;
use emulator::isa::register::{self, A0, A1, SP};
use emulator::isa::{cause, csr};
use oracle::{Action, Event, Failure, Observation, Passage, Process, Step};

/// Rounds after the last use of the disk. A process that slept because of the disk may die in the first round and wake
/// another process, which gets its turn in the second.
const ROUNDS_AFTER_DISK: u32 = 2;

/// The most rounds in which a settling kernel may use the disk, one for each block. One that does not stop then never
/// does.
const MOST_ROUNDS_FOR_DISK: usize = super::MOST_BLOCKS;

/// The most rounds for which a settling kernel may print. A process that writes to the console may sleep after each
/// byte until the serial port has sent it. Some kernels also print in each round, and never stop.
const MOST_ROUNDS_FOR_CONSOLE: u32 = 256;

/// Instructions after which an idle hart will not go to sleep.
const IDLE_BUDGET: u64 = 2_000_000;

impl Driver {
    /// Brings `slot` to its hint on the hart where it is, or else on the first hart. `None` if the scheduler never runs
    /// it.
    pub(super) fn bring_to_front(&mut self, slot: Slot) -> Result<Option<usize>, Failure> {
        if self.turns_by_sleep() {
            return self.bring_by_sleep(slot);
        }
        let mut met = SlotSet::default();
        loop {
            if let Some(hart) = self.hart_of(slot) {
                return Ok(Some(hart));
            }
            if let Some(front) = self.fronts[FIRST_HART]
                && !met.insert(front)
            {
                return Ok(None);
            }
            if !self.next_process(FIRST_HART)? {
                return Ok(None);
            }
        }
    }

    /// The hart on which `slot` is at its hint, if there is one.
    pub(super) fn hart_of(&self, slot: Slot) -> Option<usize> {
        let stands = |front: &Option<Slot>| *front == Some(slot);
        self.fronts.iter().position(stands)
    }

    /// Lets others run, for at least `rounds` rounds of the scheduler. Goes on until a round brings no event and no
    /// process can be asleep because of the disk or the serial port. Then reports which processes came to their hints
    /// in that round.
    pub(super) fn settle(&mut self, rounds: u32) -> Result<(), Failure> {
        let mut left = rounds;
        let mut rounds_for_console = MOST_ROUNDS_FOR_CONSOLE;
        let mut rounds_for_disk = MOST_ROUNDS_FOR_DISK;
        loop {
            let before = self.events.len();
            self.drain_console();
            let printed = self.printed;
            let met = self.round()?;
            left = left.saturating_sub(1);
            self.drain_console();
            if self.printed != printed && rounds_for_console > 0 && self.processes.anyone_away() {
                rounds_for_console -= 1;
                left = left.max(1);
            }
            if self.disk_was_used() && rounds_for_disk > 0 {
                rounds_for_disk -= 1;
                left = left.max(ROUNDS_AFTER_DISK);
            }
            if left == 0 && self.events.len() == before {
                self.call_the_roll(met);
                return Ok(());
            }
        }
    }

    /// Whether the disk has read or written anything since this was last called.
    pub(super) fn disk_was_used(&mut self) -> bool {
        let before = std::mem::replace(&mut self.disk_requests, self.machine.disk_requests());
        before != self.disk_requests
    }

    /// Lets others run until the child that `parent` has just made appears. If it does not within a
    /// round, it is looked for as in [`settle`](Self::settle).
    pub(super) fn await_birth(&mut self, parent: Slot) -> Result<(), Failure> {
        let mut met = SlotSet::default();
        while self.processes.unborn_child_of(parent).is_some() {
            let goes_on = self.next_process(FIRST_HART)?;
            let new = self.fronts[FIRST_HART].is_some_and(|front| met.insert(front));
            if !goes_on || !new {
                return self.settle(1);
            }
        }
        Ok(())
    }

    /// Reports the processes met in a quiet round. A process that should have been there and was not is dead.
    fn call_the_roll(&mut self, met: SlotSet) {
        for slot in self.processes.slots() {
            if met.contains(slot) {
                let process = slot.process();
                self.events
                    .extend(process.map(|process| Event::Appeared { process }));
            } else if self.processes.get(slot).state.is_at_hand() {
                self.processes.get_mut(slot).state = State::Dead;
            }
        }
    }

    /// Whether the other harts sleep when they have no work, even if there is a process `child` that has ended and was
    /// not reaped. Some kernels count processes before they let a hart sleep.
    pub(crate) fn others_sleep(&mut self, child: Process) -> Result<bool, Failure> {
        let step = |process, number, child| Step {
            process,
            action: Action::SystemCall {
                number,
                arguments: [0; 3],
                child,
            },
            rounds: 0,
            pages: 0,
            looks_at_disk: false,
        };
        let fork = step(Process::FIRST, SystemCall::Fork.number(), Some(child));
        let exit = step(child, SystemCall::Exit.number(), None);
        let mut observation = Observation::default();
        for step in [fork, exit] {
            self.perform(&step, &mut observation);
        }
        for hart in FIRST_HART + 1..self.fronts.len() {
            self.raise_timer(hart);
            match self.run_hart(hart, IDLE_BUDGET)? {
                // It is the one process that was on no hart.
                Pause::Hint(slot) => self.fronts[hart] = Some(slot),
                Pause::Asleep => return Ok(true),
                Pause::Budget => return Ok(false),
            }
        }
        Ok(true)
    }

    /// One round of the scheduler: processes on other harts take a trap, and then the first hart
    /// switches until it meets a process for the second time.
    pub(super) fn round(&mut self) -> Result<SlotSet, Failure> {
        if self.turns_by_sleep() {
            return self.round_by_sleep();
        }
        let mut met = SlotSet::default();
        for hart in FIRST_HART + 1..self.fronts.len() {
            if self.fronts[hart].is_some() && self.next_process(hart)? {
                self.fronts[hart].map(|front| met.insert(front));
            }
        }
        while self.next_process(FIRST_HART)? {
            match self.fronts[FIRST_HART] {
                Some(front) if met.insert(front) => {}
                _ => break,
            }
        }
        Ok(met)
    }

    /// Makes the kernel switch to the next process on `hart` and notes what it reports. Returns false if no process is
    /// runnable, even after a tick.
    pub(super) fn next_process(&mut self, hart: usize) -> Result<bool, Failure> {
        if self.turns_by_sleep()
            && let Some(front) = self.fronts[hart]
            && self.nap(hart, front)?
        {
            return Ok(true);
        }
        self.tick(hart)
    }

    /// Notes that `slot` waits at its hint on `hart`: a report, a birth, or nothing new.
    pub(super) fn arrive(&mut self, hart: usize, slot: Option<Slot>) -> Result<(), Failure> {
        self.fronts[hart] = None;
        let Some(mut slot) = slot else {
            return Ok(());
        };
        let satp = self.machine.csr(hart, csr::SATP).unwrap_or(0);
        let value = self.machine.x(hart, A0);
        if self.has_started(hart, slot) {
            self.check_new_program(hart, slot)?;
            self.events.extend(self.started(hart, slot));
            self.set_registers(hart, slot);
            self.park(hart, slot, satp);
            return Ok(());
        }
        let child = self.newborn(slot, satp, value);
        self.check_registers(hart, child.unwrap_or(slot))?;
        if let Some(child) = child {
            self.set_registers(hart, child);
            self.events
                .extend(child.process().map(|child| Event::Born { child }));
            slot = child;
        } else if matches!(
            self.processes.get(slot).state,
            State::Acting | State::Executing
        ) {
            self.processes.get_mut(slot).answer = value;
            self.note_fork_result(slot, value);
            let process = slot.process();
            self.events
                .extend(process.map(|process| Event::Returned { process, value }));
            self.note_time(slot, value);
        }
        // Otherwise it was parked already, or counted as dead. It is alive, as `settle` will report.
        self.park(hart, slot, satp);
        Ok(())
    }

    /// Whether `slot`, which is on `hart`, is at the first instruction of a new program.
    fn has_started(&self, hart: usize, slot: Slot) -> bool {
        let stubs = &self.guest.agent.stubs;
        let entries = [stubs.entry, stubs.second_entry];
        self.processes.get(slot).state == State::Executing
            && entries.contains(&self.machine.pc(hart))
    }

    /// The process that reached a hint on `hart` with registers that name none: a kernel may clear them for a new
    /// program.
    pub(super) fn unnamed(&self, hart: usize) -> Option<Slot> {
        let mut slots = self.processes.slots();
        slots.find(|slot| self.has_started(hart, *slot))
    }

    fn started(&self, hart: usize, slot: Slot) -> Option<Event> {
        slot.process().map(|process| Event::Started {
            process,
            arguments: self.machine.x(hart, A0),
            // Where `exec` puts the address of the array of arguments.
            array: self.machine.x(hart, A1),
            stack: self.machine.x(hart, SP),
            entry: self.machine.pc(hart),
        })
    }

    /// The child of a fork comes back under its parent's name, in another address space, with 0.
    fn newborn(&self, named: Slot, satp: u64, value: u64) -> Option<Slot> {
        if value != 0 || satp == self.processes.get(named).satp {
            return None;
        }
        self.processes.unborn_child_of(named)
    }

    /// Notes what a fork has returned to the parent: the identifier of the child, or that there is none.
    fn note_fork_result(&mut self, parent: Slot, value: u64) {
        let Some(child) = self.processes.unnumbered_child_of(parent) else {
            return;
        };
        let entry = self.processes.get_mut(child);
        if (value as i64) > 0 {
            entry.pid = value;
        } else if entry.state == (State::Unborn { parent }) {
            entry.state = State::Unused;
            self.fork_failed = true;
        }
    }

    /// Fails if a trap has changed a register of `slot`, which is on `hart`, that it had to preserve.
    fn check_registers(&self, hart: usize, slot: Slot) -> Result<(), Failure> {
        let now = self.machine.registers(hart);
        let changed = self.processes.get(slot).registers.changed(&now);
        match (changed, slot.process()) {
            (Some(changed), Some(process)) => Err(Failure::Registers {
                process,
                register: register::NAMES[changed.register],
                expected: changed.expected,
                seen: changed.seen,
                passage: self.passage(hart, slot),
            }),
            _ => Ok(()),
        }
    }

    /// Fails if a program that `slot` has just started on `hart` finds a secret in a register.
    fn check_new_program(&self, hart: usize, slot: Slot) -> Result<(), Failure> {
        let memory = RAM_START..RAM_START + self.guest.hardware.memory.value;
        let secret = self
            .processes
            .secret_of_others(slot, &self.machine.registers(hart), memory);
        match (secret, slot.process()) {
            (Some(secret), Some(process)) => Err(Failure::Registers {
                process,
                register: register::NAMES[secret.register],
                expected: secret.expected,
                seen: secret.seen,
                passage: Passage::Program,
            }),
            _ => Ok(()),
        }
    }

    /// How `slot`, which asks for its next operation on `hart`, left its program and came back since its registers were
    /// set.
    pub(super) fn passage(&self, hart: usize, slot: Slot) -> Passage {
        match self.processes.get(slot).state {
            State::Unborn { .. } => Passage::Birth,
            State::Acting | State::Executing | State::Napping => {
                match self.machine.last_user_trap(hart) {
                    Some(trap) if trap.is_interrupt => Passage::Interrupt,
                    Some(trap) if trap.cause == cause::USER_CALL => Passage::SystemCall,
                    Some(_) => Passage::Fault,
                    None => Passage::Interrupt,
                }
            }
            State::Unused | State::Parked | State::Dead => Passage::Interrupt,
        }
    }

    /// Gives the process in `slot`, which is on `hart`, registers of its own.
    fn set_registers(&mut self, hart: usize, slot: Slot) {
        let turn = self.processes.next_turn();
        let values = planted(slot, turn, &self.machine.registers(hart));
        self.machine.set_registers(hart, &values);
    }

    /// Notes that `slot` waits on `hart` for its next operation with the registers that it has now.
    fn park(&mut self, hart: usize, slot: Slot, satp: u64) {
        let values = self.machine.registers(hart);
        let entry = self.processes.get_mut(slot);
        entry.state = State::Parked;
        entry.satp = satp;
        entry.registers = Registers::new(values, RegisterSet::NONE);
        self.fronts[hart] = Some(slot);
    }
}
