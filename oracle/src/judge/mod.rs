//! The judge: compares what was seen with what the model expects, clause by clause.
//!
//! The rules form an envelope of allowed behaviour, in the manner of SibylFS (SOSP 2015): memory is
//! eager and frames never run out, but a lazy kernel may differ if there is evidence. Each rule is a
//! [`Clause`] with a name. After a legal difference the model follows the kernel. If it cannot,
//! because the contents of memory or pipes are unknown, the comparison stops, and the meter counts that.
//! After a wrong answer the model follows as well: `follow` has the rules.

mod bucket;
mod clause;
mod compare;
mod crowd;
mod disk;
mod feature;
mod finding;
mod finish;
mod follow;
mod frames;
mod handed_out;
mod held;
mod mappings;
mod meter;
mod mismatch;
mod needs;
mod observation;
mod plan;
mod power_cut;
mod race;
mod reached;
mod record;
mod severity;
mod situation;
mod step;
mod verdict;
mod words;

use crate::case::{Operation, Process};
use crate::dialect::Dialect;
use crate::layout::Permissions;
use crate::model::{Model, Outcome, PageSet, PageState, ProcessState, Reply, Witness};
use crate::setting::Setting;
use finding::Signature;
use follow::Following;
use frames::Budget;
use reached::Last;
use record::Performed;

pub use bucket::{Bucket, bucket};
pub use clause::{Clause, Effect};
pub use finding::{Aftermath, Finding};
pub use meter::BiteMeter;
pub use mismatch::{Mismatch, Spoiled};
pub use observation::{
    CutMoment, DiskContent, End, Event, Failure, FrameKind, Miscount, Nap, Observation, PageFlags,
    PageMapping, Passage, Reboot, RefusedStore, Turn, TurnEnd, UserTrap,
};
pub use race::Race;
pub use reached::{NeverRun, OnPage, Pair, Reached};
pub use severity::Severity;
pub use situation::{Extent, Fate, Situation};
pub use step::{Action, Step};
pub use verdict::Verdict;
pub use words::{describe, describe_race, describe_racer, describe_reboot, describe_turn};

/// Judges one case after another.
#[derive(Clone, Debug)]
pub struct Judge {
    model: Model,
    meter: BiteMeter,
    reached: Reached,
    /// What each process has done last.
    last: Last,
    features: Vec<u16>,
    /// Index that the next operation gets.
    next: usize,
    /// The current operation: planned, not yet observed. In a race: the first of them.
    planned: Option<Planned>,
    /// The current operations, if they race.
    race: Vec<Planned>,
    /// Operations performed so far, by index: a process that lives on is a finding about the
    /// operation at which it had to die.
    done: Vec<Planned>,
    /// How the model performed them, as long as nothing was wrong.
    record: Vec<Performed>,
    following: Following,
    /// Situations that are avoided.
    avoided: Vec<Situation>,
    scratch: Scratch,
}

#[derive(Clone, Copy, Debug)]
struct Planned {
    index: usize,
    operation: Operation,
    /// The state of the page that it touches, before it does.
    page: Option<PageState>,
    /// The state of the page on which it goes wrong, if it does: see [`Situation`].
    met: Option<PageState>,
    extent: Extent,
    budget: Budget,
}

impl Finding {
    /// Attributes it to an operation before the one at which it shows.
    fn attribute(&mut self, planned: &Planned, situation: Situation) {
        let signature = &mut self.signature;
        signature.kind = Some(planned.operation.call.kind());
        signature.page = planned.page;
        signature.situation = Some(situation);
        signature.is_attributed = true;
    }
}

/// Scratch space, which keeps its allocations from step to step.
#[derive(Clone, Debug, Default)]
struct Scratch {
    pages: PageSet,
    frames: Vec<(u64, bool)>,
}

impl Judge {
    /// A judge of a kernel that has `dialect`, for cases that start in `setting`.
    pub fn new(dialect: &Dialect, setting: &Setting) -> Judge {
        Judge {
            model: Model::new(dialect, setting),
            meter: BiteMeter::default(),
            reached: Reached::default(),
            last: Last::default(),
            features: Vec::new(),
            next: 0,
            planned: None,
            race: Vec::new(),
            done: Vec::new(),
            record: Vec::new(),
            following: Following::default(),
            avoided: Vec::new(),
            scratch: Scratch::default(),
        }
    }

    /// From now on leaves out every operation that would lead to one of these situations, to see what a known
    /// finding would otherwise hide.
    pub fn avoid(&mut self, situations: &[Situation]) {
        self.avoided.clear();
        self.avoided.extend_from_slice(situations);
    }

    /// Goes back to the start of a case. Keeps allocations.
    pub fn reset(&mut self) {
        self.model.reset();
        self.meter = BiteMeter::default();
        self.reached = Reached::default();
        self.last = Last::default();
        self.features.clear();
        self.next = 0;
        self.planned = None;
        self.race.clear();
        self.done.clear();
        self.record.clear();
        self.following.clear();
    }

    /// What the driver has to do for `operation`, the next one of the case. `None` if it does not
    /// apply: its process is dead or asleep, the outcome would depend on the order in which others
    /// run, the comparison has stopped, or the operation must be avoided.
    pub fn plan(&mut self, operation: &Operation) -> Option<Step> {
        let index = self.next;
        self.next += 1;
        self.planned = None;
        self.race.clear();
        if self.model.is_unknown() || self.is_in_doubt() || !self.model.applies(operation) {
            self.meter.skipped += 1;
            return None;
        }
        if self.is_avoided(operation) {
            self.meter.skipped += 1;
            return None;
        }
        let pages = self.pages_at(operation);
        let kind = operation.call.kind();
        self.reached
            .note(operation.process, kind, pages, &mut self.last);
        let budget = Budget::of(&self.model, operation, &mut self.scratch.pages);
        self.planned = Some(self.begin(index, operation, budget));
        Some(plan::step_for(&self.model, operation))
    }

    /// The states of the pages at the addresses of an operation.
    fn pages_at(&self, operation: &Operation) -> [Option<PageState>; 2] {
        let call = &operation.call;
        let state = |address| self.model.page_state(operation.process, address);
        [call.address(), call.second_address()].map(|address| address.map(state))
    }

    /// Records that `operation` is about to be performed.
    fn begin(&mut self, index: usize, operation: &Operation, budget: Budget) -> Planned {
        self.meter.operations += 1;
        let page = operation.call.address();
        let page = page.map(|address| self.model.page_state(operation.process, address));
        let (met, extent) = Situation::met(&self.model, operation);
        let planned = Planned {
            index,
            operation: *operation,
            page,
            met,
            extent,
            budget,
        };
        self.done.push(planned);
        planned
    }

    /// What the planned step does on a perfect kernel, in words.
    pub fn expectation(&self) -> String {
        let Some(planned) = &self.planned else {
            return "nothing".to_owned();
        };
        let mut model = self.model.clone();
        model.perform(planned.index, &planned.operation, &Witness::ideal());
        let mut words = words::replies(&model, &planned.operation, planned.page);
        if self.model.may_fill_disk(&planned.operation) {
            words += ", or -1 if the disk is full";
        }
        words
    }

    /// What must happen to each process in the planned step. If several things are allowed, this is the one
    /// closest to what was seen.
    pub fn replies(&self, observation: &Observation) -> Vec<Reply> {
        let Some(planned) = &self.planned else {
            return Vec::new();
        };
        let witness = match observation.failure {
            Some(_) => Witness::ideal(),
            None => self.witness(planned, observation),
        };
        let mut model = self.model.clone();
        let replies = model.perform(planned.index, &planned.operation, &witness);
        replies.to_vec()
    }

    /// The state of a process.
    pub fn state_of(&self, process: Process) -> ProcessState {
        self.model.state_of(process)
    }

    /// The status with which a process ended.
    pub fn status_of(&self, process: Process) -> i32 {
        self.model.status_of(process)
    }

    /// The process identifier of a process that was born.
    pub fn pid_of(&self, process: Process) -> Option<u64> {
        self.model.pid_of(process)
    }

    /// Where the program break of a process is, in the leading world.
    pub fn break_of(&self, process: Process) -> u64 {
        self.model.program_break(process)
    }

    /// Pages below the program breaks of all processes that nobody has touched.
    pub fn untouched_pages(&self) -> u64 {
        self.model.untouched_pages()
    }

    /// Whether some ready process has a child that has ended, and is not itself a child of the supervisor. When it
    /// is told to exit, the supervisor inherits that child although none of its own children ends.
    pub fn leaves_zombies(&self) -> bool {
        Process::all().any(|process| {
            self.model.state_of(process) == ProcessState::Ready
                && self.model.parent_of(process).is_some()
                && self.model.has_zombies(process)
        })
    }

    /// What user memory must hold.
    pub fn memory_of(&self, process: Process) -> MemoryView<'_> {
        MemoryView {
            model: &self.model,
            process,
        }
    }

    /// Whether the case has changed files.
    pub fn files_changed(&self) -> bool {
        self.model.files.is_changed()
    }

    /// Whether the end of the case needs to know if the names on the disk are right, because it is not known what the
    /// disk must hold.
    pub fn compares_names(&self) -> bool {
        self.model.is_unknown()
    }

    /// What was compared in this case.
    pub fn meter(&self) -> BiteMeter {
        self.meter
    }

    /// What was run in this case.
    pub fn reached(&self) -> &Reached {
        &self.reached
    }

    /// State features of this case: for each step a number below 8192, made of the kind of
    /// operation, the state of the page that it met, and the outcome.
    pub fn features(&self) -> &[u16] {
        &self.features
    }

    /// A finding about the current operation, or about the end if there is none.
    fn finding(
        &self,
        clause: Clause,
        process: Process,
        expected: impl Into<Box<str>>,
        seen: impl Into<Box<str>>,
    ) -> Finding {
        let planned = self.planned_of(process);
        let mut finding = self.finding_at(planned, clause, process, expected, seen);
        if let Some(slept) = self.woken_in(process) {
            finding.attribute(&slept, self.woken(&slept));
        }
        finding
    }

    /// The operation in which `process` slept, if another process has just woken it.
    fn woken_in(&self, process: Process) -> Option<Planned> {
        let in_hand = self.planned.filter(|_| self.race.is_empty())?;
        let returns = |reply: &&Reply| {
            reply.process == process && matches!(reply.outcome, Outcome::Returns(_))
        };
        let is_woken = in_hand.operation.process != process
            && self.model.replies().iter().any(|reply| returns(&reply));
        self.last_of(process).filter(|_| is_woken)
    }

    /// The current operation to which a finding about `process` belongs.
    fn planned_of(&self, process: Process) -> Option<Planned> {
        let mut racing = self.race.iter();
        let own = racing.find(|planned| planned.operation.process == process);
        own.copied().or(self.planned)
    }

    fn finding_at(
        &self,
        at: Option<Planned>,
        clause: Clause,
        process: Process,
        expected: impl Into<Box<str>>,
        seen: impl Into<Box<str>>,
    ) -> Finding {
        Finding {
            verdict: clause.verdict(),
            clause,
            step: at.map(|at| at.index),
            operation: at.map(|at| at.operation.to_string().into()),
            process: Some(process.letter()),
            expected: expected.into(),
            seen: seen.into(),
            subject: None,
            aftermath: Aftermath::Ends,
            signature: Box::new(Signature {
                kind: at.map(|at| at.operation.call.kind()),
                page: at.and_then(|at| at.page),
                situation: at.map(|at| self.situation(&at)),
                words: None,
                functions: None,
                mismatch: None,
                is_attributed: false,
                spoiled: None,
                wrong_byte: None,
            }),
        }
    }

    /// The last operation that `process` was given. If the process sleeps, it sleeps in this operation.
    fn last_of(&self, process: Process) -> Option<Planned> {
        let mut done = self.done.iter().rev();
        let own = done.find(|done| {
            done.operation.process == process && !done.operation.call.is_done_to_all()
        });
        own.copied()
    }

    /// The operation with that index, if it was performed.
    fn operation_at(&self, index: usize) -> Option<Planned> {
        let key = |done: &Planned| done.index;
        let at = self.done.binary_search_by_key(&index, key).ok()?;
        Some(self.done[at])
    }
}

/// What a process's memory must hold, page by page.
#[derive(Clone, Copy, Debug)]
pub struct MemoryView<'a> {
    model: &'a Model,
    process: Process,
}

impl MemoryView<'_> {
    /// What the program may do at `address`; `None` where there is no memory.
    pub fn permissions(&self, address: u64) -> Option<Permissions> {
        let space = self.model.space(self.process);
        space.permissions(address, &self.model.world)
    }

    /// Fills `bytes` with what lies at `address`.
    pub fn read(&self, address: u64, bytes: &mut [u8]) {
        let space = self.model.space(self.process);
        space.peek(address, bytes);
    }
}
