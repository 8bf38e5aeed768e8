//! Finding out which known defects a kernel has, and telling each by a case that shows it.
//!
//! Each defect of the table of dialect fields has a case. A kernel has the defect if the case goes wrong
//! when the kernel is judged as one without defects, and goes right when it is judged as one with this
//! defect. So a defect is told only with the evidence, and the model follows no kernel without it.

use super::probe::{Answer, spelled};
use crate::guest::Guest;
use crate::runner::Runner;
use crate::triage::finding_file::{self, Destination};
use crate::triage::rows::Row;
use crate::triage::{Discovery, Explaining, Found, Name, Report};
use oracle::dialect::Defect;
use oracle::{Dialect, Finding};
use std::io;
use std::path::Path;
use std::sync::Arc;

/// The most executions that go into the proof that a defect needs each operation of its case.
const MINIMISE_EXECUTIONS: u64 = 200;
/// What is known of a field if the case of its defect shows nothing.
const RIGHT: &str = "its case goes right";
/// What is known if the case goes wrong in another way than the defect does.
const UNCLEAR: &str = "the default, because its case goes wrong for another reason";

/// What was found out about the defects of a kernel.
pub struct Defects {
    /// The dialect that the kernel is to be judged by: the model follows its defects.
    pub followed: Dialect,
    /// What was seen of each.
    pub answers: Vec<Answer>,
    seen: Vec<(Defect, Finding)>,
}

/// Finds out which of the `candidates` the kernel has. All else that the dialect of `guest` says holds.
pub fn find(guest: &Arc<Guest>, candidates: Vec<Defect>) -> Defects {
    let mended = guest.dialect.mended();
    let mut defects = Defects {
        followed: mended.clone(),
        answers: Vec::new(),
        seen: Vec::new(),
    };
    if candidates.is_empty() {
        return defects;
    }
    let mut runner = Runner::new(&guest.speaking(mended.clone()));
    for defect in candidates {
        let case = defect.case();
        let finding = runner.run(&case).finding;
        let explains = |dialect: &Dialect| {
            let mut runner = Runner::new(&guest.speaking(dialect.clone()));
            runner.run(&case).finding.is_none()
        };
        let explained = finding.map(|finding| {
            let with = defect.in_each_way(&mended).position(|with| explains(&with));
            (finding, with)
        });
        let because = match explained {
            None => RIGHT,
            Some((_, None)) => UNCLEAR,
            Some((finding, Some(way))) => {
                defect.imitate(way, &mut defects.followed);
                let sentence = defect.sentence;
                defects.seen.push((defect.clone(), finding));
                sentence
            }
        };
        defects.answers.push(Answer {
            field: defect.field,
            value: value(&defects.followed, defect.field),
            because: because.to_owned(),
        });
    }
    defects
}

/// The value of a field, given as `section.name`, as a dialect file spells it.
fn value(dialect: &Dialect, field: &str) -> String {
    let pointer = format!("/{}", field.replace('.', "/"));
    let known = serde_json::to_value(dialect).ok();
    known
        .and_then(|known| known.pointer(&pointer).map(spelled))
        .unwrap_or_default()
}

impl Defects {
    /// Whether the kernel has any.
    pub fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }

    /// A row for each, whose case goes to that folder. The dialect of a case is one without defects, so that
    /// it shows the defect until the kernel is mended.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn rows(self, guest: &Guest, folder: &Path) -> io::Result<Vec<Row>> {
        let mended = guest.speaking(self.followed.mended());
        let to = Destination::new(folder.to_owned(), &mended);
        let mut runner = Runner::new(&mended);
        let seen = self.seen.into_iter();
        seen.map(|(defect, finding)| row(&mut runner, &defect, finding, &to))
            .collect()
    }
}

/// The row of a defect. `runner` judges by the right answers.
fn row(
    runner: &mut Runner,
    defect: &Defect,
    finding: Finding,
    to: &Destination,
) -> io::Result<Row> {
    let discovery = Discovery {
        name: Name::of(&finding, None),
        finding,
        avoided: Vec::new(),
    };
    let case = defect.case();
    let report = Report::make(
        runner,
        &case,
        discovery,
        MINIMISE_EXECUTIONS,
        Explaining::Always,
    );
    let origin = format!("the question about {}", defect.field);
    let name = format!("defect-{}", defect.field.replace(['.', '_'], "-"));
    let found = Found {
        path: finding_file::write_as(&name, &report, to, &origin)?,
        report,
        origin,
        executions: 0,
        seconds: 0.0,
    };
    Ok(Row::of_defect(found, defect))
}
