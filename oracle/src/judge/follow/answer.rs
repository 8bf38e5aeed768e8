//! Wrong answers: what a kernel may have done when it gave one.

use super::{Clause, Finding, Judge, Planned, Seen, World};
use crate::case::{Call, Family, Kind, Operation};
use crate::judge::Mismatch;
use crate::model::{FAILED, Model, PageState, ProcessState, Witness};

impl Judge {
    /// The worlds after a step with a wrong answer, the likeliest first. Empty if the state is unknown.
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
        let kind = operation.call.kind();
        // How many children there are is not known then.
        let is_of_crowd = matches!(kind, Kind::Crowd | Kind::Disperse);
        if finding.process != Some(process.letter()) || is_of_crowd {
            return Vec::new();
        }
        let likely = World::Likely;
        let killed = || {
            let mut model = before.clone();
            model.kill_instead(planned.index, operation, witness);
            likely(model)
        };
        let Some(value) = witness.returned(process) else {
            // An access by the program itself has changed nothing if the kernel kills the program.
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
        let in_part = || model_of_part(before, &planned, witness, value).map(likely);
        match (finding.clause, finding.mismatch()) {
            (Clause::ReturnedValue, Some(Mismatch::Refused)) => vec![undone(), done()],
            // A process that nobody knows may be killed now: xv6 marks a free slot, and its next process dies.
            (Clause::ReturnedValue, Some(Mismatch::Granted))
                if operation.call.kind() == Kind::Kill =>
            {
                vec![done(), World::Unknown]
            }
            (Clause::ReturnedValue, Some(Mismatch::Granted))
                if has_certain_effect(&operation.call) =>
            {
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
            (Clause::ReturnedValue, _) if has_certain_effect(&operation.call) => vec![done()],
            (Clause::ReturnedValue, _) => {
                self.after_another_answer(before, seen, value, [done(), undone()])
            }
            (Clause::Blocks, _) if operation.call.kind() == Kind::Pause => vec![undone()],
            (Clause::Blocks, _) if value == 0 || value == FAILED => {
                vec![undone(), World::Unknown]
            }
            (Clause::Blocks, _) => match in_part() {
                Some(in_part) => vec![in_part, World::Unknown],
                None => Vec::new(),
            },
            (Clause::ProgramStarts, _) if value == FAILED => vec![undone(), World::Unknown],
            _ => Vec::new(),
        }
    }

    /// The worlds after a wrong answer that means success, as the right answer does.
    fn after_another_answer(
        &self,
        before: &Model,
        seen: Seen<'_>,
        value: u64,
        [done, undone]: [World; 2],
    ) -> Vec<World> {
        let planned = seen.planned;
        match planned.operation.call {
            // The harness sees whether there is a child. It does not see the child's identifier.
            Call::Fork { child } => {
                let mut otherwise = self.model.clone();
                otherwise.answer_otherwise(planned.operation.process, value);
                otherwise.identify(child, value);
                vec![done, World::Likely(otherwise)]
            }
            Call::Read { .. } | Call::Write { .. } => {
                let in_part =
                    model_of_part(before, &planned, seen.witness, value).map(World::Likely);
                // A read may have stored where the program must not, for example over the program's code. If it
                // returned too little or too much, an earlier write may have written too little, and may have left
                // the offset where it must not be.
                let call = &planned.operation.call;
                let forbidden = planned.met.is_some_and(PageState::refuses_stores);
                let may_store = forbidden && call.kind() == Kind::Read;
                let is_open = may_store || is_count_of_read(call, value);
                let elsewhere = is_open.then_some(World::Unknown);
                let likely = in_part.into_iter().chain([done, undone]);
                likely.chain(elsewhere).collect()
            }
            _ => vec![done, undone],
        }
    }
}

/// The model of a kernel that has read or written only a part, as its answer `value` says.
fn model_of_part(
    before: &Model,
    planned: &Planned,
    witness: &Witness,
    value: u64,
) -> Option<Model> {
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
    // In the model even this part cannot be moved.
    if model.state_of(operation.process) != ProcessState::Ready {
        return None;
    }
    model.answer_otherwise(operation.process, value);
    Some(model)
}

/// Whether a `read` can return that number of bytes.
fn is_count_of_read(call: &Call, value: u64) -> bool {
    match *call {
        Call::Read { length, .. } => u64::try_from(length).is_ok_and(|length| value <= length),
        _ => false,
    }
}

/// Whether only the answer of a call can be wrong: what it has done is certain.
fn has_certain_effect(call: &Call) -> bool {
    matches!(
        call.kind(),
        Kind::Getpid | Kind::Unknown | Kind::Uptime | Kind::Pause | Kind::Kill | Kind::Close
    )
}
