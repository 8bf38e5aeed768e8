//! Recording which functions of the kernel a step goes through, instruction by instruction.
//!
//! Only an explanation needs this: a recorded step runs a thousand times slower. Its result is the
//! same, because running instruction by instruction changes nothing.

use super::Driver;
use super::conflicts::Meeting;
use crate::guest::HARTS;
use crate::guest::symbols::Symbols;
use crate::guest::unwind::Unwinder;
use emulator::isa::csr::{self, VECTOR_MODE};
use emulator::isa::register::{A0, RA, SP};
use emulator::isa::{Effect, Instruction};
use emulator::{Exit, Machine, Privilege};
use std::ops::Range;
use std::sync::Arc;

/// The most instructions that are recorded. The rest of the step runs without a recording.
const LONGEST: u64 = 400_000;
/// The most instructions after those in which stores to a watched place are noted.
const LONGEST_WATCH: u64 = 4_000_000;
/// The most calls that are recorded.
const MOST_CALLS: usize = 20_000;
/// The most calls that are open at once. A kernel stack has no room for more.
const DEEPEST: usize = 400;

/// What the kernel did from the moment at which a process was given its operation to the next hint
/// call of any process; for a race, from its first turn to its last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recording {
    /// Calls, in the order in which they began.
    pub(crate) calls: Vec<Call>,
    /// The index of a call and the address of an instruction that it executed, in order.
    pub(crate) visits: Vec<(usize, u64)>,
    /// Traps, from user mode and from the kernel itself.
    pub(crate) traps: Vec<TrapTaken>,
    /// The call stack when the kernel first printed something: addresses, innermost first.
    pub(crate) first_words: Option<Vec<u64>>,
    /// The kernel's first store to a place that was watched.
    pub(crate) first_store: Option<Store>,
    /// The kernel's last store to a place that was watched.
    pub(crate) last_store: Option<Store>,
    /// Whether several processes acted at once.
    pub(crate) is_race: bool,
    /// Whether the step was longer than the recording.
    pub(crate) is_cut: bool,
}

/// A store of the kernel to a place that was watched.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    /// The index of the place.
    pub(crate) place: usize,
    /// The call stack: addresses, innermost first.
    pub(crate) stack: Vec<u64>,
}

/// One call of a function.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    /// The hart.
    pub(crate) hart: usize,
    /// The index of the call from which it was made, and the address of the instruction that made it.
    pub(crate) caller: Option<(usize, u64)>,
    /// What `a0` held when it returned, if it did.
    pub(crate) returned: Option<u64>,
}

/// A trap that the kernel took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TrapTaken {
    /// `scause`.
    pub(crate) cause: u64,
    /// `stval`.
    pub(crate) value: u64,
    /// `sepc`.
    pub(crate) pc: u64,
    /// Whether it came from user mode.
    pub(crate) from_user: bool,
}

/// A call that has not returned.
#[derive(Clone, Copy)]
struct Open {
    call: usize,
    /// The address to which it returns, 0 for the outermost, and the stack pointer then.
    back: u64,
    stack: u64,
}

/// What distinguishes a call from a jump, and a jump from the next instruction.
#[derive(Clone, Copy)]
struct Registers {
    pc: u64,
    ra: u64,
    sp: u64,
    is_user: bool,
}

impl Registers {
    fn of(machine: &Machine, hart: usize) -> Self {
        Self {
            pc: machine.pc(hart),
            ra: machine.x(hart, RA),
            sp: machine.x(hart, SP),
            is_user: machine.privilege(hart) == Privilege::User,
        }
    }

    fn follows(&self, before: &Registers) -> bool {
        let length = self.pc.wrapping_sub(before.pc);
        length == 2 || length == 4
    }
}

struct Recorder {
    recording: Recording,
    /// The calls that have not returned on each hart.
    open: [Vec<Open>; HARTS],
    /// The open calls of threads that do not run now.
    parked: Vec<Vec<Open>>,
    /// What the kernel has printed during the recording.
    printed: Vec<u8>,
    /// The physical addresses to watch.
    watched: Vec<Range<u64>>,
    /// Instructions that are still recorded.
    left: u64,
    /// Instructions that are still watched after those.
    left_to_watch: u64,
}

/// The state of a recording.
#[derive(Default)]
pub(super) enum Record {
    /// None was requested.
    #[default]
    Off,
    /// The next operation is to be recorded, with stores to these physical addresses.
    Asked(Vec<Range<u64>>),
    /// It is being recorded.
    On(Box<Active>),
    /// It was recorded.
    Done(Recording),
}

pub(super) struct Active(Recorder);

impl Driver {
    /// Records the next operation that a process is given, and the kernel's last store to any of these
    /// physical addresses.
    pub(crate) fn record_next(&mut self, watched: Vec<Range<u64>>) {
        self.record = Record::Asked(watched);
    }

    /// What was recorded since [`record_next`](Self::record_next).
    pub(crate) fn take_recording(&mut self) -> Option<Recording> {
        self.end_recording();
        match std::mem::take(&mut self.record) {
            Record::Done(recording) => Some(recording),
            _ => None,
        }
    }

    /// Begins the recording if one was requested: a process was given an operation, or several were at once.
    pub(super) fn begin_recording(&mut self, is_race: bool) {
        if let Record::Asked(watched) = &mut self.record {
            let watched = std::mem::take(watched);
            self.record = Record::On(Box::new(Active(Recorder {
                recording: Recording {
                    is_race,
                    ..Recording::default()
                },
                open: Default::default(),
                parked: Vec::new(),
                printed: Vec::new(),
                watched,
                left: LONGEST,
                left_to_watch: LONGEST_WATCH,
            })));
        }
    }

    /// Ends the recording: a process has reached a hint again.
    pub(super) fn end_recording(&mut self) {
        self.record = match std::mem::take(&mut self.record) {
            Record::On(mut active) => {
                self.console.append(&mut active.0.printed);
                Record::Done(active.0.recording)
            }
            other => other,
        };
    }

    /// Takes what the kernel has printed during the recording, which belongs to its console output.
    pub(super) fn take_recorded_output(&mut self) -> Vec<u8> {
        match &mut self.record {
            Record::On(active) => std::mem::take(&mut active.0.printed),
            _ => Vec::new(),
        }
    }

    /// Runs a hart, and records what it does if this was requested.
    pub(super) fn advance(&mut self, hart: usize, budget: u64) -> Exit {
        match &mut self.record {
            Record::On(active) => {
                let guest = Arc::clone(&self.guest);
                let recorder = &mut active.0;
                recorder.run(
                    &mut self.machine,
                    hart,
                    budget,
                    &guest.symbols,
                    guest.unwinder(),
                )
            }
            _ => match &mut self.meeting {
                Meeting::On(meetings) => meetings.run(&mut self.machine, hart, budget, &self.guest),
                _ => self.machine.run_hart(hart, budget),
            },
        }
    }
}

impl Recorder {
    fn run(
        &mut self,
        machine: &mut Machine,
        hart: usize,
        budget: u64,
        symbols: &Symbols,
        unwinder: &Unwinder,
    ) -> Exit {
        for done in 0..budget {
            let is_full =
                self.recording.calls.len() >= MOST_CALLS || self.open[hart].len() >= DEEPEST;
            if self.left == 0 || is_full {
                self.recording.is_cut = true;
                if self.watched.is_empty() || self.left_to_watch == 0 {
                    return machine.run_hart(hart, budget - done);
                }
            }
            let before = Registers::of(machine, hart);
            if !before.is_user
                && let Some(place) = self.place_stored_to(machine, hart, before.pc)
            {
                let stack = unwinder.walk(machine, hart);
                let store = Store { place, stack };
                let first = &mut self.recording.first_store;
                first.get_or_insert_with(|| store.clone());
                self.recording.last_store = Some(store);
            }
            let exit = machine.run_hart(hart, 1);
            if exit != Exit::Budget {
                return exit;
            }
            if self.recording.is_cut {
                self.left_to_watch -= 1;
                continue;
            }
            self.left -= 1;
            let now = Registers::of(machine, hart);
            self.note(machine, hart, before, now, symbols);
            let printed = machine.console_output();
            if !printed.is_empty() {
                self.printed.extend(printed);
                let words = &mut self.recording.first_words;
                words.get_or_insert_with(|| unwinder.walk(machine, hart));
            }
        }
        Exit::Budget
    }

    /// The watched place to which the kernel's instruction at `pc` stores. The kernel maps memory at its physical
    /// addresses.
    fn place_stored_to(&self, machine: &Machine, hart: usize, pc: u64) -> Option<usize> {
        if self.watched.is_empty() {
            return None;
        }
        let mut bytes = [0; 4];
        machine.read_physical(pc, &mut bytes).ok()?;
        let access = Instruction::read(&bytes)?.memory_access()?;
        if access.effect == Effect::Load {
            return None;
        }
        let start = machine
            .x(hart, access.base)
            .wrapping_add_signed(access.offset);
        let end = start.saturating_add(access.bytes);
        let mut watched = self.watched.iter();
        watched.position(|place| start < place.end && place.start < end)
    }

    fn note(
        &mut self,
        machine: &Machine,
        hart: usize,
        before: Registers,
        now: Registers,
        symbols: &Symbols,
    ) {
        if now.is_user {
            self.open[hart].clear();
            return;
        }
        let vector = machine.csr(hart, csr::STVEC).unwrap_or(0) & !VECTOR_MODE;
        let is_trap = before.is_user || (now.pc == vector && !now.follows(&before));
        if is_trap {
            self.note_trap(machine, hart, before);
        }
        // The trampoline is not a function: it is mapped at an address without a symbol.
        if !symbols.extent().contains(&now.pc) {
            return;
        }
        let is_in_vector = is_trap && !before.is_user;
        if self.open[hart].is_empty() {
            self.enter(hart, None, 0, now.sp);
        } else if !is_in_vector && !now.follows(&before) {
            self.jump(machine, hart, before, now, symbols);
        }
        self.visit(hart, now.pc);
    }

    fn note_trap(&mut self, machine: &Machine, hart: usize, before: Registers) {
        let csr = |number| machine.csr(hart, number).unwrap_or(0);
        let trap = TrapTaken {
            cause: csr(csr::SCAUSE),
            value: csr(csr::STVAL),
            pc: csr(csr::SEPC),
            from_user: before.is_user,
        };
        self.recording.traps.push(trap);
        if before.is_user {
            self.open[hart].clear();
        } else {
            self.enter(hart, Some(trap.pc), trap.pc, before.sp);
        }
    }

    /// Notes a jump. It is a call if it leaves the address after it in `ra`, a return if a caller waits for it, and a
    /// switch to another thread if it leads into the middle of another function. Otherwise it is a branch or a tail
    /// call.
    fn jump(
        &mut self,
        machine: &Machine,
        hart: usize,
        before: Registers,
        now: Registers,
        symbols: &Symbols,
    ) {
        let length = now.ra.wrapping_sub(before.pc);
        if length == 2 || length == 4 {
            return self.enter(hart, Some(before.pc), now.ra, now.sp);
        }
        let waits = |open: &Open| open.back == now.pc && open.stack == now.sp;
        if self.open[hart].iter().any(waits) {
            return self.leave(hart, machine.x(hart, A0), waits);
        }
        let resumed = self.parked.iter().position(|stack| stack.iter().any(waits));
        if let Some(at) = resumed {
            let resumed = self.parked.swap_remove(at);
            let left = std::mem::replace(&mut self.open[hart], resumed);
            self.parked.push(left);
            return self.leave(hart, machine.x(hart, A0), waits);
        }
        let function = |pc| symbols.function(pc);
        match (function(before.pc), function(now.pc)) {
            (Some((one, _)), Some((other, _))) if one == other => {}
            (_, Some((_, 0))) => {
                // After a tail call, the callee returns in place of its caller.
                let last = self.open[hart].last();
                let back = last.map_or((0, 0), |open| (open.back, open.stack));
                self.enter(hart, Some(before.pc), back.0, back.1);
            }
            _ => {
                let left = std::mem::take(&mut self.open[hart]);
                self.parked.push(left);
                self.enter(hart, None, 0, now.sp);
            }
        }
    }

    fn enter(&mut self, hart: usize, from: Option<u64>, back: u64, stack: u64) {
        let open = &mut self.open[hart];
        let caller = open.last().map(|open| open.call).zip(from);
        let call = self.recording.calls.len();
        self.recording.calls.push(Call {
            hart,
            caller,
            returned: None,
        });
        open.push(Open { call, back, stack });
    }

    /// Ends all calls down to the outermost of those that wait for this return.
    fn leave(&mut self, hart: usize, value: u64, waits: impl Fn(&Open) -> bool) {
        let open = &mut self.open[hart];
        let innermost = open.iter().rposition(&waits).unwrap_or(0);
        let mut first = innermost;
        while first > 0 && waits(&open[first - 1]) {
            first -= 1;
        }
        for open in open.drain(first..) {
            self.recording.calls[open.call].returned = Some(value);
        }
    }

    fn visit(&mut self, hart: usize, pc: u64) {
        if let Some(open) = self.open[hart].last() {
            self.recording.visits.push((open.call, pc));
        }
    }
}
