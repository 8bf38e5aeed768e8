//! What a row says about a finding.

use crate::triage::Found;
use crate::triage::ending::Ending;
use crate::triage::explain::Cause;
use oracle::Clause;
use std::borrow::Cow;

/// The function that a finding points to.
pub(super) fn function(found: &Found) -> Option<String> {
    found.report.explanation.named().map(str::to_owned)
}

/// The end of a sentence that names functions.
pub(super) fn near(functions: &[&str]) -> String {
    match functions {
        [] => String::new(),
        [only] => format!(", near {only}"),
        [others @ .., last] => format!(", near {} or {last}", others.join(", ")),
    }
}

/// The kind of operation that a finding is about.
pub(super) fn word(found: &Found) -> Option<&'static str> {
    let situation = found.report.identity.situation();
    situation.map(|situation| situation.kind.word())
}

/// What is wrong, for a person who does not know the names of the rules.
pub(super) fn wrong(found: &Found) -> Cow<'static, str> {
    let report = &found.report;
    if let Some(call) = report.explanation.left_by {
        return format!("{call} leaves wrong bytes in memory").into();
    }
    match report.explanation.cause {
        Some(Cause::OldTranslation) => {
            return "a hart uses an old translation, because `sfence.vma` is missing".into();
        }
        Some(Cause::FailedCall(call)) => return format!("a failed {call} has an effect").into(),
        Some(Cause::HighHalf) => {
            return "a system call looks at the high half of a register that holds an `int`".into();
        }
        Some(Cause::KilledSleeper) => {
            return "a process that is killed while it sleeps does not end".into();
        }
        Some(Cause::RefusedFrame(call)) => {
            return format!("{call} succeeds although it was refused a frame").into();
        }
        None => {}
    }
    if report.explanation.root.is_some() {
        return report.clause().broken().into();
    }
    let wrong = match report.ending {
        Ending::Late(_) => "the kernel walks untouched memory page by page",
        Ending::Dead => Clause::InnocentLive.broken(),
        Ending::CameBack | Ending::Never if report.identity.bug().gets_through() => {
            "a system call reads or writes memory that the program may not access"
        }
        Ending::CameBack | Ending::Never => report.clause().broken(),
    };
    wrong.into()
}

/// The same if several system calls go wrong in the code that they share.
pub(super) fn of_calls(found: &Found) -> Cow<'static, str> {
    match found.report.explanation.left_by {
        Some(_) => "system calls leave wrong bytes in memory".into(),
        None => found.report.clause().broken().into(),
    }
}
