//! Finding out a kernel's dialect by asking it: a few steps for each question, each from the
//! snapshot, so that no answer depends on another.

mod files;
mod pipes;

use crate::driver::Driver;
use crate::guest::Guest;
use crate::guest::hardware::{Hardware, Seen as Known};
use abi::SystemCall;
use emulator::DiskFlavour;
use oracle::case::Text;
use oracle::dialect::{
    BelowZero, Bits, Bound, ForkMemory, Growth, Loading, SegmentPermissions, SegmentRule,
    StackRequest, Tail,
};
use oracle::layout::{PAGE_SIZE, RETURN};
use oracle::{Action, Dialect, Event, Layout, Observation, PageFlags, Process, Step, Width};
use pipes::WRITE_END;
use std::fmt;
use std::sync::Arc;

/// The first process of a case, which every question is put to.
const ASKED: Process = Process::FIRST;
/// Pages that show whether memory is copied, shared, or taken at once.
const PAGES: u64 = 8;
/// What a system call returns for failure.
const FAILED: u64 = u64::MAX;
/// `sbrk`'s second argument: memory at once.
const EAGER: u64 = 1;

/// A fact about a kernel: a field of its dialect or of its board, and how it is known.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Answer {
    /// The field, as in a dialect file, or after `board.`.
    pub field: &'static str,
    /// Its value, as in a dialect file.
    pub value: String,
    /// What was asked and what was seen, or that the default stands.
    pub because: String,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}  # {}", self.field, self.value, self.because)
    }
}

/// What a step led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    /// It came back with this.
    Returned(u64),
    /// It did not come back; whether the kernel said that it killed it.
    Silent { announced: bool },
    /// The machine stopped: a panic, a hang.
    Broken,
}

impl Seen {
    fn value(self) -> Option<u64> {
        match self {
            Seen::Returned(value) => Some(value),
            Seen::Silent { .. } | Seen::Broken => None,
        }
    }

    fn comes_back(self) -> bool {
        self.value().is_some()
    }
}

/// What booting has shown of the hardware that `guest` is made for.
pub fn hardware(guest: &Guest) -> Vec<Answer> {
    fn answer<T>(field: &'static str, seen: &Known<T>, value: impl ToString) -> Answer {
        Answer {
            field,
            value: value.to_string(),
            because: seen.because.clone(),
        }
    }
    let Hardware {
        disk,
        memory,
        timer,
        harts,
        ..
    } = &guest.hardware;
    let flavour = match disk.value {
        DiskFlavour::Modern => "modern",
        DiskFlavour::Legacy => "legacy",
    };
    vec![
        answer("board.disk", disk, name(flavour)),
        answer("board.memory", memory, memory.value),
        answer("board.timer", timer, name(timer.value.to_string())),
        answer("board.harts", harts, harts.value),
    ]
}

/// Asks `guest` all questions. A field that cannot be asked, or has no clear answer, is as in
/// `guest`'s dialect.
pub fn probe(guest: &Arc<Guest>) -> (Dialect, Vec<Answer>) {
    let mut prober = Prober {
        layout: guest.setting.booted.layout.clone(),
        driver: Driver::new(guest),
        observation: Observation::default(),
        dialect: guest.dialect.clone(),
        answers: Vec::new(),
    };
    prober.dialect.name = "probed".to_owned();
    prober.shared_pages();
    prober.break_and_heap();
    prober.faults();
    prober.fork();
    prober.exec();
    prober.pipes();
    prober.files();
    prober.limits();
    (prober.dialect, prober.answers)
}

struct Prober {
    driver: Driver,
    layout: Layout,
    observation: Observation,
    dialect: Dialect,
    answers: Vec<Answer>,
}

impl Prober {
    fn break_and_heap(&mut self) {
        let heap = self.layout.heap;
        self.driver.reset();
        self.call(SystemCall::Sbrk, [(1 << 32) + PAGE_SIZE, 0, 0]);
        let (bits, because) = match self.program_break() {
            Some(at) if at == heap + PAGE_SIZE => (
                Bits::ThirtyTwo,
                "growing by 4 GiB and a page grows by a page",
            ),
            _ => (
                Bits::SixtyFour,
                "growing by 4 GiB and a page does not grow by a page",
            ),
        };
        self.dialect.sbrk.amount_bits = bits;
        self.note("sbrk.amount_bits", u8::from(bits), because);

        self.driver.reset();
        self.call(SystemCall::Sbrk, [PAGES * PAGE_SIZE, 0, 0]);
        let (growth, because) = match self.heap_pages() {
            0 => (Growth::OnTouch, "a growth maps no page"),
            _ => (Growth::AtOnce, "a growth maps pages that nobody touched"),
        };
        self.dialect.sbrk.growth = growth;
        self.note("sbrk.growth", name(growth), because);

        self.driver.reset();
        self.call(SystemCall::Sbrk, [PAGES * PAGE_SIZE, EAGER, 0]);
        let eager = growth == Growth::OnTouch && self.heap_pages() != 0;
        self.dialect.sbrk.eager_flavour = eager;
        let because = match (growth, eager) {
            (Growth::AtOnce, _) => "every growth is eager",
            (_, true) => "with flavour 1, a growth maps its pages",
            (_, false) => "with flavour 1, a growth maps no page either",
        };
        self.note("sbrk.eager_flavour", eager, because);

        self.driver.reset();
        let answer = self.call(SystemCall::Sbrk, [PAGE_SIZE.wrapping_neg(), 0, 0]);
        let (bound, because) = match (answer.value(), self.program_break()) {
            (Some(FAILED), _) => (Bound::Refused, "giving the stack back returns -1"),
            (_, Some(at)) if at == heap - PAGE_SIZE => {
                (Bound::Granted, "the stack can be given back")
            }
            _ => (self.dialect.sbrk.below_heap, UNCLEAR),
        };
        self.dialect.sbrk.below_heap = bound;
        self.note("sbrk.below_heap", name(bound), because);

        self.driver.reset();
        let below = (heap + PAGE_SIZE).wrapping_neg();
        let answer = self.call(SystemCall::Sbrk, [below, 0, 0]);
        let (bound, because) = match (answer.value(), self.program_break()) {
            (Some(FAILED), _) => (BelowZero::Refused, "a break below 0 returns -1"),
            (Some(_), Some(at)) if at == heap => {
                (BelowZero::Ignored, "a break below 0 changes nothing")
            }
            _ => (self.dialect.sbrk.below_zero, UNCLEAR),
        };
        self.dialect.sbrk.below_zero = bound;
        self.note("sbrk.below_zero", name(bound), because);

        self.driver.reset();
        self.call(SystemCall::Sbrk, [PAGE_SIZE, 0, 0]);
        self.act(Action::Store {
            address: heap,
            width: Width::Two,
            value: RETURN.into(),
        });
        let executable = self.act(Action::Fetch { address: heap }).comes_back();
        self.dialect.heap.executable = executable;
        let because = if executable {
            "a return instruction stored there can be jumped to"
        } else {
            "a jump to a return instruction stored there kills"
        };
        self.note("heap.executable", executable, because);

        self.driver.reset();
        self.call(SystemCall::Sbrk, [1, 0, 0]);
        let beyond = Action::Load {
            address: heap + PAGE_SIZE / 2,
            width: Width::One,
        };
        let loads = self.act(beyond).comes_back();
        // If a fork shares pages, the store faults.
        let child = Process::all().nth(1).unwrap_or(ASKED);
        self.fork_of(child);
        let shared = Action::Store {
            address: heap + PAGE_SIZE / 2,
            width: Width::One,
            value: 1,
        };
        let stores = loads && self.perform(child, shared).comes_back();
        let (tail, because) = match (loads, stores) {
            (true, true) => (
                Tail::Accessible,
                "a program may load beyond the break in its last page, and store there after a fork",
            ),
            (true, false) => (
                Tail::MayFault,
                "after a fork, a store beyond the break in its last page kills",
            ),
            (false, _) => (
                Tail::MayFault,
                "a load beyond the break in its last page kills",
            ),
        };
        let (tail, because) = match tail {
            Tail::Accessible if self.refuses_tail() => (
                Tail::ForPrograms,
                "a program may touch bytes beyond the break in its last page, but a system call refuses them",
            ),
            _ => (tail, because),
        };
        self.dialect.heap.tail = tail;
        self.note("heap.tail", name(tail), because);
    }

    /// Whether system calls compare addresses with the break: `write`, or `exec` with its array.
    fn refuses_tail(&mut self) -> bool {
        let heap = self.layout.heap;
        self.new_pipe();
        self.call(SystemCall::Sbrk, [1, 0, 0]);
        self.make_private(ASKED, heap);
        let written = self.call(SystemCall::Write, [WRITE_END, heap + PAGE_SIZE / 2, 1]);
        if written.value() != Some(1) {
            return true;
        }
        let started = self.start_with("init", |prober| {
            prober.call(SystemCall::Sbrk, [1, 0, 0]);
            heap
        });
        started.is_none() && self.start("init").is_some()
    }

    /// In some kernels loads and stores are treated differently. If not every kill is reported, silence
    /// proves nothing.
    fn faults(&mut self) {
        let guard = self.layout.guard.start;
        let beyond = self.layout.heap + PAGES * PAGE_SIZE;
        let width = Width::One;
        let accesses = [
            Action::Load {
                address: guard,
                width,
            },
            Action::Load {
                address: beyond,
                width,
            },
            Action::Store {
                address: guard,
                width,
                value: 0,
            },
            Action::Store {
                address: beyond,
                width,
                value: 0,
            },
        ];
        let seen = accesses.map(|access| {
            self.driver.reset();
            self.act(access)
        });
        let told = |told| {
            let silent = Seen::Silent { announced: told };
            seen.iter().filter(|seen| **seen == silent).count()
        };
        let (announced, because) = match (told(true), told(false)) {
            (0, 0) => (self.dialect.faults.announced, UNCLEAR),
            (_, 0) => (true, "the console shows a message when a fault kills"),
            (0, _) => (false, "the console shows no message when a fault kills"),
            _ => (
                false,
                "the console does not always show a message when a fault kills",
            ),
        };
        self.dialect.faults.announced = announced;
        self.note("faults.announced", announced, because);
    }

    fn fork(&mut self) {
        self.driver.reset();
        let child = Process::all().nth(1).unwrap_or(ASKED);
        let mut mappings = Vec::new();
        self.driver.list_mappings(Some(ASKED), &mut mappings);
        let end = self.end_of_memory();
        let own = mappings
            .iter()
            .filter(|page| page.flags.contains(PageFlags::USER) && page.address < end);
        let own = own.count() as u64;
        let born = self.fork_of(child);
        let taken = self
            .observation
            .frames
            .map(|(before, after)| before.saturating_sub(after));
        mappings.clear();
        self.driver.list_mappings(None, &mut mappings);
        let shared = mappings.iter().any(|page| {
            let others = mappings
                .iter()
                .filter(|other| other.process != page.process);
            page.flags.contains(PageFlags::USER)
                && page.process == child
                && others.clone().any(|other| other.frame == page.frame)
        });
        if !born.comes_back() {
            return self.note("fork.memory", name(self.dialect.fork.memory), UNCLEAR);
        }
        let (memory, because) = if shared {
            (
                ForkMemory::Shared,
                "parent and child share frames after a fork",
            )
        } else {
            (
                ForkMemory::Copied,
                "parent and child share no frame after a fork",
            )
        };
        self.dialect.fork.memory = memory;
        self.note("fork.memory", name(memory), because);
        let Some(taken) = taken else {
            let because = "the default: this kernel's frames cannot be counted";
            return self.note(
                "fork.overhead_frames",
                self.dialect.fork.overhead_frames,
                because,
            );
        };
        let copies = if shared { 0 } else { own };
        let overhead = taken.saturating_sub(copies + TABLES_OF_AGENT);
        self.dialect.fork.overhead_frames = overhead;
        let because = format!(
            "a fork took {taken} frames, {copies} of them for copies and {TABLES_OF_AGENT} for tables"
        );
        self.note("fork.overhead_frames", overhead, &because);
    }

    /// Pages that a lab has the kernel map for every program, below the trapframe.
    fn shared_pages(&mut self) {
        self.driver.reset();
        let mut mappings = Vec::new();
        self.driver.list_mappings(Some(ASKED), &mut mappings);
        let is_open = |address: u64| {
            let mut pages = mappings.iter();
            pages.any(|page| page.address == address && page.flags.contains(PageFlags::USER))
        };
        let trapframe = self.layout.trapframe;
        let pages =
            (1..=MOST_SHARED_PAGES).take_while(|page| is_open(trapframe - page * PAGE_SIZE));
        let pages = pages.count() as u64;
        self.dialect.exec.shared_pages = pages;
        let because = "a program that asked for no page below the trapframe has this many there";
        self.note("exec.shared_pages", pages, because);
    }

    fn exec(&mut self) {
        let started = self.start("init");
        let mut mappings = Vec::new();
        self.driver.list_mappings(Some(ASKED), &mut mappings);
        let untouched = self.layout.text.end - PAGE_SIZE;
        let (loading, because) = match started {
            None => (self.dialect.exec.loading, UNCLEAR),
            Some(_) if mappings.iter().any(|page| page.address == untouched) => (
                Loading::AtOnce,
                "a new program has pages that it did not touch",
            ),
            Some(_) => (
                Loading::OnDemand,
                "a new program has no page that it did not touch",
            ),
        };
        self.dialect.exec.loading = loading;
        self.note("exec.loading", name(loading), because);

        let (stack, because) = match self.start("grow") {
            None => (self.dialect.exec.stack, UNCLEAR),
            Some(pointer) if pointer > self.layout.stack.end => (
                StackRequest::Granted,
                "a program that asks for a larger stack gets it",
            ),
            Some(_) => (
                StackRequest::Ignored,
                "a program that asks for a larger stack gets one page",
            ),
        };
        self.dialect.exec.stack = stack;
        self.note("exec.stack", name(stack), because);

        let stack = &self.layout.stack;
        let pages = (stack.end - stack.start) / PAGE_SIZE;
        self.dialect.exec.stack_pages = pages;
        let because = "this many pages lie between the first program's guard page and its heap";
        self.note("exec.stack_pages", pages, because);

        // A store to code may be allowed by mistake if a fork has shared it; no kernel makes data
        // executable by mistake.
        self.driver.reset();
        let data = self.layout.data.end - PAGE_SIZE;
        self.act(Action::Store {
            address: data,
            width: Width::Two,
            value: RETURN.into(),
        });
        let fetch = self.act(Action::Fetch { address: data });
        let (permissions, because) = if fetch.comes_back() {
            (
                SegmentPermissions::All,
                "a program can execute its data, so it may do everything",
            )
        } else {
            (
                SegmentPermissions::AsAsked,
                "a program cannot execute its data",
            )
        };
        self.dialect.exec.permissions = permissions;
        self.note("exec.permissions", name(permissions), because);
        self.program_files();
    }

    /// What the kernel accepts as a program. Specimens that are refused although they should not be look as if
    /// the kernel had the stricter rule.
    fn program_files(&mut self) {
        let (segments, because) = match self.start("overlap") {
            Some(_) => (
                SegmentRule::Contiguous,
                "a program whose segments overlap starts",
            ),
            None => (
                SegmentRule::Separate,
                "a program whose segments overlap is refused",
            ),
        };
        self.dialect.exec.segments = segments;
        self.note("exec.segments", name(segments), because);

        let (bits, because) = match self.start("wide") {
            Some(_) => (
                Bits::ThirtyTwo,
                "an offset beyond 4 GiB in a program file is cut",
            ),
            None => (
                Bits::SixtyFour,
                "an offset beyond 4 GiB in a program file is refused",
            ),
        };
        self.dialect.exec.offset_bits = bits;
        self.note("exec.offset_bits", u8::from(bits), because);

        let (most, because) = match self.start("nine") {
            Some(_) => (u16::MAX, "a program of nine segments starts"),
            None => (8, "a program of nine segments is refused"),
        };
        self.dialect.limits.segments = most;
        self.note("limits.segments", most, because);
    }

    /// Starts the program of that name; its stack pointer, if it started.
    fn start(&mut self, program: &str) -> Option<u64> {
        // Zeros, which end the array of arguments at once.
        let array = self.layout.data.end - PAGE_SIZE / 2;
        self.start_with(program, |_| array)
    }

    /// The same with the array of arguments that `prepare` makes and returns the address of.
    fn start_with(&mut self, program: &str, prepare: impl Fn(&mut Self) -> u64) -> Option<u64> {
        self.driver.reset();
        let path = self.layout.data.end - PAGE_SIZE;
        self.act(Action::StoreString {
            address: path,
            text: Text::spelled(program)?,
            terminated: true,
        });
        let arguments = prepare(self);
        self.call(SystemCall::Exec, [path, arguments, 0]);
        self.observation
            .events
            .iter()
            .find_map(|event| match event {
                Event::Started { stack, .. } => Some(*stack),
                _ => None,
            })
    }

    /// Lets a program store to a page, so that the next question does not depend on how the kernel
    /// treats shared or missing pages.
    fn make_private(&mut self, process: Process, address: u64) {
        let store = Action::Store {
            address,
            width: Width::One,
            value: 0,
        };
        self.perform(process, store);
    }

    /// Grows the heap by so many pages and touches them all, for the same reason.
    fn grow_and_touch(&mut self, pages: u64) {
        self.call(SystemCall::Sbrk, [pages * PAGE_SIZE, 0, 0]);
        self.act(Action::Touch {
            address: self.layout.heap,
            stride: PAGE_SIZE,
            count: pages,
            write: true,
        });
    }

    fn fork_of(&mut self, child: Process) -> Seen {
        self.perform(
            ASKED,
            Action::SystemCall {
                number: SystemCall::Fork.number(),
                arguments: [0; 3],
                child: Some(child),
            },
        )
    }

    fn program_break(&mut self) -> Option<u64> {
        self.call(SystemCall::Sbrk, [0; 3]).value()
    }

    /// Where the trapframe begins, or what the kernel has below it.
    fn end_of_memory(&self) -> u64 {
        self.layout.trapframe - self.dialect.exec.shared_pages * PAGE_SIZE
    }

    /// Pages of the heap that are mapped.
    fn heap_pages(&mut self) -> usize {
        let mut mappings = Vec::new();
        self.driver.list_mappings(Some(ASKED), &mut mappings);
        let heap = self.layout.heap..self.end_of_memory();
        let pages = mappings.iter().filter(|page| heap.contains(&page.address));
        pages.count()
    }

    fn call(&mut self, call: SystemCall, arguments: [u64; 3]) -> Seen {
        self.call_of(ASKED, call, arguments)
    }

    fn call_of(&mut self, process: Process, call: SystemCall, arguments: [u64; 3]) -> Seen {
        self.perform(
            process,
            Action::SystemCall {
                number: call.number(),
                arguments,
                child: None,
            },
        )
    }

    fn act(&mut self, action: Action) -> Seen {
        self.perform(ASKED, action)
    }

    fn perform(&mut self, process: Process, action: Action) -> Seen {
        let step = Step {
            process,
            action,
            rounds: 0,
            pages: 0,
        };
        self.driver.perform(&step, &mut self.observation);
        if self.observation.failure.is_some() {
            return Seen::Broken;
        }
        let mut own = self
            .observation
            .events
            .iter()
            .filter_map(|event| match *event {
                Event::Returned {
                    process: who,
                    value,
                } if who == process => Some(Seen::Returned(value)),
                Event::Silent {
                    process: who,
                    killed_message,
                    ..
                } if who == process => Some(Seen::Silent {
                    announced: killed_message,
                }),
                _ => None,
            });
        own.next_back().unwrap_or(Seen::Silent { announced: false })
    }

    fn note(&mut self, field: &'static str, value: impl fmt::Display, because: &str) {
        self.answers.push(Answer {
            field,
            value: value.to_string(),
            because: because.to_owned(),
        });
    }
}

/// Why a default stands where asking did not help.
const UNCLEAR: &str = "the default: the kernel does neither";
/// The most pages of the kernel's that are looked for below the trapframe.
const MOST_SHARED_PAGES: u64 = 8;
/// Page tables below the root that the agent's image takes: it lies within 2 MiB.
const TABLES_OF_AGENT: u64 = 2;

/// How a dialect file spells a value: a string in quotes, as JSON has it.
fn name(value: impl serde::Serialize) -> String {
    serde_json::to_string(&value).unwrap_or_else(|error| error.to_string())
}
