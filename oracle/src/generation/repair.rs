//! Repair: makes every operation of a case apply, by running the model along with it.
//!
//! Cases are never rejected. An operation of a process that is dead or asleep goes to one that can
//! act; a fork gets a free name; an operation that would end the case early becomes a fork, so that
//! the rest of the case still means something. What is repaired of an argument alone is in
//! `change.rs`, by the argument's type.

use crate::case::{Access, Address, Call, Case, Flavour, Operation, Process, Region};
use crate::dialect::Dialect;
use crate::layout::AGENT_CODE;
use crate::model::{EAGER_PAGES, Model, ProcessState, Witness};
use crate::setting::Setting;
use std::cell::RefCell;
use std::num::NonZeroU8;

/// Frames below which memory counts as scarce.
const SCARCE: u16 = 64;

/// The model that follows a case while it is repaired or generated.
#[derive(Clone, Debug)]
pub(super) struct Companion {
    model: Model,
    /// Operations so far.
    index: usize,
    scarce: bool,
}

thread_local! {
    /// Repair runs for every input of a fuzzer: the model is built once.
    static COMPANION: RefCell<Companion> = RefCell::new(Companion::new());
}

impl Companion {
    fn new() -> Companion {
        let dialect = Dialect::faultline();
        Companion {
            model: Model::new(&dialect, &Setting::nominal(&dialect, FIRST_PID)),
            index: 0,
            scarce: false,
        }
    }

    /// Runs `work` with a companion at the start of a case.
    pub(super) fn with<R>(work: impl FnOnce(&mut Companion) -> R) -> R {
        COMPANION.with_borrow_mut(|companion| {
            companion.model.reset();
            companion.index = 0;
            companion.scarce = false;
            work(companion)
        })
    }

    pub(super) fn model(&self) -> &Model {
        &self.model
    }

    /// The processes that can act.
    pub(super) fn ready(&self) -> impl Iterator<Item = Process> + Clone + '_ {
        Process::all().filter(|process| self.model.state_of(*process) == ProcessState::Ready)
    }

    /// A name that no process had yet.
    pub(super) fn free_name(&self) -> Option<Process> {
        Process::all().find(|process| self.model.pid_of(*process).is_none())
    }

    /// Repairs `operation` and performs it; `last` if nothing follows it. `None`: no process can act.
    pub(super) fn admit(&mut self, operation: Operation, last: bool) -> Option<Operation> {
        let mut operation = self.repaired(operation)?;
        if !last
            && self.ends_everything(&operation)
            && let Some(child) = self.free_name()
        {
            operation.call = Call::Fork { child };
        }
        self.model
            .perform(self.index, &operation, &Witness::ideal());
        self.index += 1;
        if let Call::Frames { free } = operation.call {
            self.scarce = free < SCARCE;
        }
        Some(operation)
    }

    fn repaired(&self, operation: Operation) -> Option<Operation> {
        if operation.call.is_done_to_all() && self.model.applies(&operation) {
            return Some(operation);
        }
        // Only the parent of a crowd can disperse it.
        let is_of_crowd = matches!(operation.call, Call::Crowd { .. } | Call::Disperse { .. });
        let founder = self.model.founder().filter(|_| is_of_crowd);
        let wanted = founder.unwrap_or(operation.process);
        let process = self
            .ready()
            .find(|process| *process >= wanted)
            .or_else(|| self.ready().next())?;
        let call = self.repaired_call(process, operation.call);
        let repaired = Operation { process, call };
        if self.model.applies(&repaired) {
            return Some(repaired);
        }
        // Another process already sleeps on that pipe, the console is full, or the model cannot predict the result: yield.
        let call = Call::Yield {
            ticks: NonZeroU8::MIN,
        };
        Some(Operation { process, call })
    }

    fn repaired_call(&self, process: Process, call: Call) -> Call {
        if call.kind().names_a_child() && self.free_name().is_none() {
            return Call::Getpid;
        }
        let call = self.with_repaired_arguments(process, call);
        // Only one crowd can stand, so the second one disperses the first. One that is not there is made.
        let founder = self.model.founder();
        if matches!(call, Call::Crowd { .. }) && founder == Some(process) {
            let address = Address::new(Region::Data, 0, 0);
            return Call::Disperse { address };
        }
        if matches!(call, Call::Disperse { .. }) && founder.is_none() {
            let members = NonZeroU8::MIN;
            return Call::Crowd { members };
        }
        if let Call::Sbrk {
            amount,
            flavour: Flavour::Eager,
        } = call
            && !self.scarce
            && self.model.grows_beyond(process, amount, EAGER_PAGES)
        {
            let flavour = Flavour::Lazy;
            return Call::Sbrk { amount, flavour };
        }
        let mut fetches = call.reaches().filter(|reach| reach.access == Access::Fetch);
        match fetches.next() {
            Some(reach) => self.repaired_fetch(process, call, reach.address),
            None => call,
        }
    }

    /// A jump into the agent's own code goes to the return instructions after it. A jump to unknown
    /// instructions goes to the data, where nothing may be executed.
    fn repaired_fetch(&self, process: Process, call: Call, address: Address) -> Call {
        let in_code = address.region() == Region::Text
            && address.page() == 0
            && usize::from(address.offset()) < AGENT_CODE;
        if in_code {
            let offset = address.offset() | AGENT_CODE as u16;
            call.with_address(Address::new(Region::Text, 0, offset))
        } else if self.model.applies(&Operation::new(process, call)) {
            call
        } else {
            call.with_address(Address::new(Region::Data, 0, address.offset()))
        }
    }

    /// Whether no process could act after `operation`.
    fn ends_everything(&self, operation: &Operation) -> bool {
        let mut ready = self.ready();
        let alone = ready.next().is_some() && ready.next().is_none();
        if !alone || self.model.surely_completes(operation) {
            return false;
        }
        let mut trial = self.model.clone();
        trial.perform(self.index, operation, &Witness::ideal());
        Process::all().all(|process| trial.state_of(process) != ProcessState::Ready)
    }
}

/// The identifier of process `a` where no kernel was booted: after the supervisor's.
const FIRST_PID: u64 = 2;

/// The case that any `bytes` stand for, repaired so that every operation applies: [`Case::decode`],
/// then [`repair`].
pub fn repaired_case(bytes: &[u8]) -> Case {
    let mut case = Case::decode(bytes);
    repair(&mut case);
    case
}

/// Changes operations that do not apply, so that every operation applies. A runnable case is not changed.
pub fn repair(case: &mut Case) {
    let operations = &mut case.operations;
    operations.truncate(Case::MAX_OPERATIONS);
    let count = operations.len();
    Companion::with(|companion| {
        for at in 0..count {
            match companion.admit(operations[at], at + 1 == count) {
                Some(operation) => operations[at] = operation,
                None => return operations.truncate(at),
            }
        }
    });
}

/// How many operations of a case do not apply when their turn comes, on a perfect kernel.
pub fn count_inapplicable(case: &Case) -> usize {
    Companion::with(|companion| {
        let mut count = 0;
        for (index, operation) in case.operations.iter().enumerate() {
            if companion.model.applies(operation) {
                companion.model.perform(index, operation, &Witness::ideal());
            } else {
                count += 1;
            }
        }
        count
    })
}
