//! The prober: makes the processes of a kernel perform steps, and looks at the results.

use crate::driver::Driver;
use crate::guest::Guest;
use abi::SystemCall;
use oracle::case::Text;
use oracle::layout::PAGE_SIZE;
use oracle::{
    Action, Dialect, Event, Layout, Observation, PageFlags, PageMapping, Process, Step, Width,
};
use std::sync::Arc;

/// The first process of a case. It runs the steps of every question.
pub(super) const ASKED: Process = Process::FIRST;
/// What a system call returns for failure.
pub(super) const FAILED: u64 = u64::MAX;
/// The most shared pages that a question looks for below the trapframe.
const MOST_SHARED_PAGES: u64 = 8;

/// The result of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// Its process came back with this value.
    Returned(u64),
    /// Its process did not come back. `announced` says whether the kernel printed that it killed the process.
    Silent { announced: bool },
    /// The machine stopped: a panic or a hang.
    Broken,
}

impl Seen {
    pub(super) fn value(self) -> Option<u64> {
        match self {
            Seen::Returned(value) => Some(value),
            Seen::Silent { .. } | Seen::Broken => None,
        }
    }

    pub(super) fn comes_back(self) -> bool {
        self.value().is_some()
    }
}

/// A kernel that is asked, and its answers so far.
pub(super) struct Prober {
    pub(super) driver: Driver,
    pub(super) layout: Layout,
    /// What is known about the kernel so far. A field that is not known has its default.
    pub(super) dialect: Dialect,
    /// Shared pages directly below the trapframe.
    pub(super) shared_pages: u64,
    observation: Observation,
}

impl Prober {
    pub(super) fn new(guest: &Arc<Guest>) -> Prober {
        let mut prober = Prober {
            driver: Driver::new(guest),
            layout: guest.setting.booted.layout.clone(),
            dialect: guest.dialect.clone(),
            shared_pages: 0,
            observation: Observation::default(),
        };
        prober.shared_pages = prober.count_shared_pages();
        prober
    }

    /// Counts user pages directly below the trapframe in a program that asked for none.
    fn count_shared_pages(&mut self) -> u64 {
        self.reset();
        let mappings = self.mappings(Some(ASKED));
        let is_user = |address: u64| {
            let mut pages = mappings.iter();
            pages.any(|page| page.address == address && page.flags.contains(PageFlags::USER))
        };
        let trapframe = self.layout.trapframe;
        let pages =
            (1..=MOST_SHARED_PAGES).take_while(|page| is_user(trapframe - page * PAGE_SIZE));
        pages.count() as u64
    }

    /// Goes back to the snapshot.
    pub(super) fn reset(&mut self) {
        self.driver.reset();
    }

    /// The full observation of the last step.
    pub(super) fn observation(&self) -> &Observation {
        &self.observation
    }

    /// The mapped pages of a process, or of all processes.
    pub(super) fn mappings(&mut self, process: Option<Process>) -> Vec<PageMapping> {
        let mut mappings = Vec::new();
        self.driver.list_mappings(process, &mut mappings);
        mappings
    }

    /// The start of the trapframe, or of the shared pages below it.
    pub(super) fn end_of_memory(&self) -> u64 {
        self.layout.trapframe - self.shared_pages * PAGE_SIZE
    }

    /// Mapped pages of the heap.
    pub(super) fn heap_pages(&mut self) -> usize {
        let heap = self.layout.heap..self.end_of_memory();
        let mappings = self.mappings(Some(ASKED));
        let pages = mappings.iter().filter(|page| heap.contains(&page.address));
        pages.count()
    }

    pub(super) fn program_break(&mut self) -> Option<u64> {
        self.call(SystemCall::Sbrk, [0; 3]).value()
    }

    /// Starts the program of that name. Returns its stack pointer if it started.
    pub(super) fn start(&mut self, program: &str) -> Option<u64> {
        // The bytes there are zeros, which end the array of arguments at once.
        let array = self.layout.data.end - PAGE_SIZE / 2;
        self.start_with(program, |_| array)
    }

    /// [`start`](Self::start) with the array of arguments at the address that `prepare` returns.
    pub(super) fn start_with(
        &mut self,
        program: &str,
        prepare: impl Fn(&mut Self) -> u64,
    ) -> Option<u64> {
        self.reset();
        let path = self.store_path(program, 0);
        let arguments = prepare(self);
        self.call(SystemCall::Exec, [path, arguments, 0]);
        let mut events = self.observation.events.iter();
        events.find_map(|event| match event {
            Event::Started { stack, .. } => Some(*stack),
            _ => None,
        })
    }

    /// Stores a path to the agent's last page of data, `offset` bytes from its start. Returns its address.
    pub(super) fn store_path(&mut self, word: &str, offset: u64) -> u64 {
        let address = self.layout.data.end - PAGE_SIZE + offset;
        self.act(Action::StoreString {
            address,
            text: Text::spelled(word).unwrap_or(Text::from_code(0)),
            terminated: true,
        });
        address
    }

    /// Makes a process store to a page, so that it has a frame of its own. Then the answer does not depend on
    /// mistakes of the kernel with shared pages and pages that are not mapped yet.
    pub(super) fn make_private(&mut self, process: Process, address: u64) {
        self.store(process, address);
    }

    /// Stores a zero byte.
    pub(super) fn store(&mut self, process: Process, address: u64) -> Seen {
        let store = Action::Store {
            address,
            width: Width::One,
            value: 0,
        };
        self.perform(process, store)
    }

    /// Loads a byte.
    pub(super) fn load(&mut self, address: u64) -> Seen {
        self.act(Action::Load {
            address,
            width: Width::One,
        })
    }

    /// Raises the program break by `pages` and stores to all of them, as [`make_private`](Self::make_private)
    /// does.
    pub(super) fn grow_and_touch(&mut self, pages: u64) {
        self.call(SystemCall::Sbrk, [pages * PAGE_SIZE, 0, 0]);
        self.act(Action::Touch {
            address: self.layout.heap,
            stride: PAGE_SIZE,
            count: pages,
            write: true,
        });
    }

    /// The second process of a case. The first one forks it.
    pub(super) fn child() -> Process {
        Process::all().nth(1).unwrap_or(ASKED)
    }

    pub(super) fn fork(&mut self, child: Process) -> Seen {
        self.perform(
            ASKED,
            Action::SystemCall {
                number: SystemCall::Fork.number(),
                arguments: [0; 3],
                child: Some(child),
            },
        )
    }

    pub(super) fn call(&mut self, call: SystemCall, arguments: [u64; 3]) -> Seen {
        self.call_of(ASKED, call, arguments)
    }

    pub(super) fn call_of(
        &mut self,
        process: Process,
        call: SystemCall,
        arguments: [u64; 3],
    ) -> Seen {
        self.perform(
            process,
            Action::SystemCall {
                number: call.number(),
                arguments,
                child: None,
            },
        )
    }

    pub(super) fn act(&mut self, action: Action) -> Seen {
        self.perform(ASKED, action)
    }

    pub(super) fn act_of(&mut self, process: Process, action: Action) -> Seen {
        self.perform(process, action)
    }

    fn perform(&mut self, process: Process, action: Action) -> Seen {
        let step = Step {
            process,
            action,
            rounds: 0,
            pages: 0,
            looks_at_disk: false,
        };
        self.driver.perform(&step, &mut self.observation);
        if self.observation.failure.is_some() {
            return Seen::Broken;
        }
        let events = self.observation.events.iter();
        let mut own = events.filter_map(|event| match *event {
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
}
