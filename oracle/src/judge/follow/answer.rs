//! Wrong answers: what a kernel may have done that has given one.

use super::{Clause, Finding, Judge, Planned, Seen, World};
use crate::case::{Call, Family, Kind, Operation};
use crate::judge::Mismatch;
use crate::model::{FAILED, Model, PageState, ProcessState, Witness};

impl Judge {
    /// The worlds after a step with a wrong answer, the likeliest first. None: nobody can tell.
    pub(super) fn worlds_after(
        &self,
        finding: &Finding,
        before: &Model,
        seen: Seen<'_>,
    ) -> Vec<World> {
        let Seen {
            planned, witness, ..
        } = seen;
        let operation = &planned.operation;
        let process = operation.process;
        if finding.process != Some(process.letter()) {
            return Vec::new();
        }
        let likely = World::Likely;
        let killed = || {
            let mut model = before.clone();
            model.kill_instead(planned.index, operation, witness);
            likely(model)
        };
        let Some(value) = witness.returned(process) else {
            // A program's own access has done nothing yet when it is killed.
            let is_access = operation.call.kind().family() == Family::Access;
            let is_killed = finding.clause == Clause::InnocentLive && witness.killed(process);
            return Vec::from_iter((is_access && is_killed).then(killed));
        };
        let done = || {
            let mut model = self.model.clone();
            model.answer_otherwise(process, value);
            likely(model)
        };
        let undone = || {
            let mut model = before.clone();
            model.leave_undone(planned.index, operation, value);
            likely(model)
        };
        let as_told = || told(before, &planned, witness, value).map(likely);
        match (finding.clause, finding.mismatch()) {
            (Clause::ReturnedValue, Some(Mismatch::Refused)) => vec![undone(), done()],
            (Clause::ReturnedValue, Some(Mismatch::Granted)) if leaves_nothing(&operation.call) => {
                vec![done()]
            }
            (Clause::ReturnedValue, Some(Mismatch::Granted)) => {
                let mut granted = before.clone();
                granted.leave_undone(planned.index, operation, value);
                let moves = granted.move_break_otherwise(process, &operation.call);
                let granted = moves.then(|| likely(granted));
                [done()]
                    .into_iter()
                    .chain(granted)
                    .chain([World::Unknown])
                    .collect()
            }
            (Clause::ReturnedValue, _) if operation.call == Call::Getpid => {
                let mut otherwise = self.model.clone();
                otherwise.answer_otherwise(process, value);
                otherwise.identify(process, value);
                vec![done(), likely(otherwise)]
            }
            (Clause::ReturnedValue, _) if leaves_nothing(&operation.call) => vec![done()],
            (Clause::ReturnedValue, _) => {
                self.after_another_answer(before, seen, value, [done(), undone()])
            }
            (Clause::Blocks, _) if operation.call.kind() == Kind::Pause => vec![undone()],
            (Clause::Blocks, _) if value == 0 || value == FAILED => {
                vec![undone(), World::Unknown]
            }
            (Clause::Blocks, _) => match as_told() {
                Some(told) => vec![told, World::Unknown],
                None => Vec::new(),
            },
            (Clause::ProgramStarts, _) if value == FAILED => vec![undone(), World::Unknown],
            _ => Vec::new(),
        }
    }

    /// The worlds after an answer that is wrong although both it and the right one tell of success.
    fn after_another_answer(
        &self,
        before: &Model,
        seen: Seen<'_>,
        value: u64,
        [done, undone]: [World; 2],
    ) -> Vec<World> {
        let planned = seen.planned;
        match planned.operation.call {
            // Whether there is a child is seen. Its identifier is not.
            Call::Fork { child } => {
                let mut otherwise = self.model.clone();
                otherwise.answer_otherwise(planned.operation.process, value);
                otherwise.identify(child, value);
                vec![done, World::Likely(otherwise)]
            }
            Call::Read { .. } | Call::Write { .. } => {
                let told = told(before, &planned, seen.witness, value).map(World::Likely);
                // It may have stored where the program may not, for example over the program's code. If it has
                // read too little, an earlier write may have left too little.
                let is_read = planned.operation.call.kind() == Kind::Read;
                let forbidden = planned.met.is_some_and(PageState::refuses_stores);
                let is_open = is_read && (forbidden || told.is_some());
                let elsewhere = is_open.then_some(World::Unknown);
                let likely = told.into_iter().chain([done, undone]);
                likely.chain(elsewhere).collect()
            }
            _ => vec![done, undone],
        }
    }
}

/// The model of a kernel that has moved as many bytes as it says.
fn told(before: &Model, planned: &Planned, witness: &Witness, value: u64) -> Option<Model> {
    let moved = i16::try_from(value).ok().filter(|moved| *moved > 0)?;
    let call = match planned.operation.call {
        Call::Read {
            fd,
            address,
            length,
        } if moved < length => Call::Read {
            fd,
            address,
            length: moved,
        },
        Call::Write {
            fd,
            address,
            length,
        } if moved < length => Call::Write {
            fd,
            address,
            length: moved,
        },
        _ => return None,
    };
    let operation = Operation {
        call,
        ..planned.operation
    };
    let mut model = before.clone();
    model.perform(planned.index, &operation, witness);
    // It says that it has moved bytes which the model has not.
    if model.state_of(operation.process) != ProcessState::Ready {
        return None;
    }
    model.answer_otherwise(operation.process, value);
    Some(model)
}

/// Whether nothing is left to be known of a call but its answer.
fn leaves_nothing(call: &Call) -> bool {
    matches!(
        call.kind(),
        Kind::Getpid | Kind::Uptime | Kind::Pause | Kind::Kill | Kind::Close
    )
}
