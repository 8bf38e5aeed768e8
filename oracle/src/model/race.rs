//! Races: which operations may race, and what they do in some order.
//!
//! Operations that race are judged by linearizability (Herlihy, Wing, TOPLAS 1990): the result of the
//! harts must be what the operations do one after another in some order. This is sound for
//! operations that each take effect at one moment, as far as the others can tell. So only such
//! operations may race, and only with others from which their order cannot be told in another way.

use super::{Answer, FAILED, Model, Outcome, ProcessState, Reply, Witness};
use crate::case::{Address, Amount, Call, Family, Flavour, Operation, Process, Target};
use crate::model::EAGER_PAGES;

/// Open files that a race may need: two for each of three pipes. A kernel takes them one by one, and
/// two calls that both fail would have left each other room.
const FILES_NEEDED: usize = 6;

impl Model {
    /// Whether `operation`, which applies now, may race with `others`, which may race themselves.
    pub(crate) fn may_race(&self, others: &[Operation], operation: &Operation) -> bool {
        let process = operation.process;
        others.iter().all(|other| other.process != process)
            && self.applies(operation)
            && self.may_race_at_all(operation)
            && others.iter().all(|other| {
                self.pair_may_race(other, operation) && self.files_may_race(other, operation)
            })
            && self.kills_may_race(others, operation)
    }

    /// Whether an operation may race, whatever the others do. A new operation needs its line here.
    fn may_race_at_all(&self, operation: &Operation) -> bool {
        // The members of a crowd would run on the same harts.
        if self.crowd.is_some() {
            return false;
        }
        let process = operation.process;
        match operation.call {
            Call::Load { .. }
            | Call::Store { .. }
            | Call::Fetch { .. }
            | Call::TouchRead { .. }
            | Call::TouchWrite { .. }
            | Call::String { .. }
            | Call::Point { .. }
            | Call::Fork { .. }
            | Call::Exit { .. }
            | Call::Getpid
            | Call::Unknown { .. }
            | Call::Uptime
            | Call::Close { .. }
            | Call::Dup { .. }
            | Call::Fstat { .. }
            | Call::Chdir { .. }
            | Call::Exec { .. } => true,
            Call::Read { fd, .. } => !self.leads_to_console(process, fd),
            Call::Sbrk { amount, flavour } => self.growth_may_race(process, amount, flavour),
            Call::Wait { status } => self.status_may_race(operation, status),
            // A sleeper that is killed may have had what it waited for, or not.
            Call::Kill { target } => match target {
                Target::Process(target) => self.state_of(target) != ProcessState::Blocked,
                Target::Pid(_) => true,
            },
            Call::Pipe { .. } => self.has_room_for(FILES_NEEDED),
            Call::Open { .. } => {
                self.has_room_for(FILES_NEEDED)
                    && (!self.changes_files(operation) || self.change_may_race(operation))
            }
            Call::Write { fd, .. } => {
                !self.leads_to_console(process, fd)
                    && (!self.changes_files(operation) || self.change_may_race(operation))
            }
            Call::Link { .. } | Call::Unlink { .. } | Call::Mkdir { .. } | Call::Mknod { .. } => {
                self.change_may_race(operation)
            }
            Call::Yield { .. }
            | Call::Pause { .. }
            | Call::Crowd { .. }
            | Call::Disperse { .. }
            | Call::HighHalf { .. }
            | Call::Stack { .. }
            | Call::Type { .. }
            | Call::Machine { .. }
            | Call::Frames { .. }
            | Call::FailFrame { .. }
            | Call::Blocks { .. }
            | Call::PowerCut { .. }
            | Call::Together { .. } => false,
        }
    }

    /// A large eager growth that fails half way takes frames for a while, which others may need.
    fn growth_may_race(&self, process: Process, amount: Amount, flavour: Flavour) -> bool {
        let is_large = self.grows_beyond(process, amount, EAGER_PAGES);
        !(is_large && self.world.dialect.sbrk.is_eager(flavour))
    }

    /// It would not be known which of several children's statuses was partly stored.
    fn status_may_race(&self, operation: &Operation, status: Option<Address>) -> bool {
        let address = status.map(|address| self.resolve(operation.process, address));
        address.is_none_or(|address| address == 0) || self.may_touch_all(operation)
    }

    /// Whether those that would be killed in the race do only operations that leave no effect.
    fn kills_may_race(&self, others: &[Operation], operation: &Operation) -> bool {
        let group = || others.iter().chain([operation]);
        group().all(|victim| {
            let mut killers = group().filter(|other| {
                let target = Target::Process(victim.process);
                other.process != victim.process && other.call == Call::Kill { target }
            });
            let is_killed = killers.next().is_some();
            !is_killed
                || leaves_nothing(&victim.call)
                || (self.falls_asleep(victim)
                    && group().all(|other| {
                        let target = Target::Process(victim.process);
                        other.process == victim.process
                            || other.call == Call::Kill { target }
                            || self.surely_completes(other) && leaves_nothing(&other.call)
                    }))
        })
    }

    /// Whether two operations may race: of two that move bytes it would not be known which bytes went where, unless
    /// both go to files, or there is one byte to read and one to write.
    fn pair_may_race(&self, one: &Operation, other: &Operation) -> bool {
        let both = |is: &dyn Fn(&Operation) -> bool| is(one) && is(other);
        if both(&|operation| operation.call.kind().moves_bytes()) {
            return both(&|operation| self.changes_files(operation))
                || is_one_byte_each_way(&one.call, &other.call);
        }
        if let (Call::Fork { child: one }, Call::Fork { child: other }) = (one.call, other.call) {
            return one != other;
        }
        true
    }

    /// Whether an operation only makes its process sleep.
    fn falls_asleep(&self, operation: &Operation) -> bool {
        let sleeps = |process| {
            let mut trial = self.clone();
            trial.perform(0, operation, &Witness::ideal());
            trial.state_of(process) == ProcessState::Blocked
        };
        operation.call.kind().family() == Family::CopyOut && sleeps(operation.process)
    }

    /// Performs operations one after another that raced: those of `operations` in the order that
    /// `order` gives by index. A process that was killed before its turn does nothing.
    /// [`Model::replies`] has what must become of each process in the end.
    pub(crate) fn perform_in_order(
        &mut self,
        operations: &[(usize, Operation)],
        order: &[usize],
        witness: &Witness,
    ) {
        let mut replies = Vec::new();
        for at in order {
            let (index, operation) = &operations[*at];
            if self.applies(operation) {
                let ambiguous = self.may_fail_for_two_reasons(*index, operation, witness);
                self.perform(*index, operation, witness);
                self.unknown |= ambiguous;
                self.replies
                    .iter()
                    .for_each(|reply| merge(*reply, &mut replies));
            }
        }
        self.replies = replies;
    }
}

impl Model {
    /// Whether an operation has failed, had to fail, and a frame was refused to a process in the race. If
    /// the frame was refused to the operation itself, it has done less.
    fn may_fail_for_two_reasons(
        &self,
        index: usize,
        operation: &Operation,
        witness: &Witness,
    ) -> bool {
        let process = operation.process;
        if !witness.out_of_frames || witness.returned(process) != Some(FAILED) {
            return false;
        }
        let mut plenty = *witness;
        plenty.out_of_frames = false;
        let fails = Outcome::Returns(Answer::Exactly(FAILED));
        let mut trial = self.clone();
        let mut replies = trial.perform(index, operation, &plenty).iter();
        replies.any(|reply| reply.process == process && reply.outcome == fails)
    }
}

/// Whether one operation reads a byte and the other one writes one: neither can be done in part.
fn is_one_byte_each_way(one: &Call, other: &Call) -> bool {
    let reads = |call: &Call| matches!(call, Call::Read { length: 1, .. });
    let writes = |call: &Call| matches!(call, Call::Write { length: 1, .. });
    (reads(one) && writes(other)) || (writes(one) && reads(other))
}

/// Whether nothing shows, after the process is dead, if it did that.
fn leaves_nothing(call: &Call) -> bool {
    match call.kind().family() {
        Family::Access | Family::Break | Family::Question => true,
        Family::CopyOut
        | Family::CopyIn
        | Family::Path
        | Family::Descriptor
        | Family::Process
        | Family::Time
        | Family::Habit
        | Family::Environment => false,
    }
}

/// What happens to a process in the end: what the later operation says. But if a process came back and
/// was killed then, its return may have been seen.
fn merge(reply: Reply, replies: &mut Vec<Reply>) {
    let process: Process = reply.process;
    let Some(earlier) = replies
        .iter_mut()
        .find(|earlier| earlier.process == process)
    else {
        return replies.push(reply);
    };
    earlier.outcome = match (earlier.outcome, reply.outcome) {
        (Outcome::Returns(answer), Outcome::Dies(_)) => Outcome::PerhapsReturns(answer),
        (_, later) => later,
    };
    earlier.excused |= reply.excused;
}
