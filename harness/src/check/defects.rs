//! Finds out which known defects a kernel has, and reports each with a case that shows it.
//!
//! Each defect of the table of dialect fields has a case. A kernel has the defect if the case goes wrong
//! when the kernel is judged as one without it, and goes right when the kernel is judged as one with it. So
//! there is evidence for each defect that is reported, and for each that the model follows.

use super::probe::{Answer, spelled};
use crate::guest::Guest;
use crate::runner::{Outcome, Runner};
use crate::triage::explain::run_mended;
use crate::triage::finding_file::{self, Destination};
use crate::triage::rows::Row;
use crate::triage::{Discovery, Explaining, Found, Name, Report};
use oracle::dialect::Defect;
use oracle::{Case, Clause, Dialect, Finding, bucket};
use std::io;
use std::path::Path;

/// The most executions that go into the proof that a defect needs each operation of its case.
const MINIMISE_EXECUTIONS: u64 = 200;
/// How a field is known if nothing goes wrong in the case of its defect.
const RIGHT: &str = "nothing goes wrong in its case";
/// How a field is known if its case goes wrong, but not in the way of the defect.
const UNCLEAR: &str = "the default, because its case goes wrong for another reason";

/// What the case of a defect has shown.
enum Shown {
    /// It goes right.
    Right,
    /// It goes wrong as the defect explains. `way` is the number of the wrong answer.
    Defect {
        way: usize,
        case: Case,
        finding: Finding,
    },
    /// It goes wrong in another way.
    Unclear,
}

/// What was found out about the defects of a kernel.
pub struct Defects {
    /// The dialect by which the kernel is judged from now on: the model follows its defects.
    pub followed: Dialect,
    /// What was seen of each defect.
    pub answers: Vec<Answer>,
    seen: Vec<(Defect, Case, Finding)>,
}

/// Finds out which of the `candidates` the kernel has. The dialect of `guest` must be right in everything else.
///
/// A defect may also show in the case of another one: an exit status that is not stored shows at the end of
/// every case. So unclear cases are run again after the model follows what was found.
pub fn find(guest: &Guest, candidates: Vec<Defect>) -> Defects {
    let mut followed = guest.dialect.mended();
    let mut all: Vec<(Defect, Shown)> = candidates
        .into_iter()
        .map(|defect| (defect, Shown::Unclear))
        .collect();
    let mut has_news = true;
    while has_news {
        has_news = false;
        for (defect, shown) in &mut all {
            if matches!(shown, Shown::Unclear) {
                *shown = look(guest, &followed, defect);
                if let Shown::Defect { way, .. } = *shown {
                    defect.imitate(way, &mut followed);
                    has_news = true;
                }
            }
        }
    }
    Defects::new(followed, all)
}

/// Looks at the case of a defect. A kernel may go wrong in it for another reason: then at the same case with a page that
/// no other process has had, and at both while wrong memory is mended.
fn look(guest: &Guest, without: &Dialect, defect: &Defect) -> Shown {
    let case = defect.case();
    let shown = look_at(guest, without, defect, case.clone(), Memory::AsItIs);
    if !matches!(shown, Shown::Unclear) {
        return shown;
    }
    let on_the_heap = on_the_heap(&case).unwrap_or_else(|| case.clone());
    let others = [
        (on_the_heap.clone(), Memory::AsItIs),
        (case, Memory::Mended),
        (on_the_heap, Memory::Mended),
    ];
    let mut shown = others
        .into_iter()
        .map(|(case, memory)| look_at(guest, without, defect, case, memory));
    // That another case goes right does not say that the defect is not there.
    shown
        .find(|shown| matches!(shown, Shown::Defect { .. }))
        .unwrap_or(Shown::Unclear)
}

/// What is done about wrong memory.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Memory {
    AsItIs,
    Mended,
}

/// Runs a case with a dialect that does not have the defect. If it goes wrong, runs it with the same dialect with the
/// defect. What goes wrong with both is not about the defect.
fn look_at(guest: &Guest, without: &Dialect, defect: &Defect, case: Case, memory: Memory) -> Shown {
    let run = |dialect: &Dialect| {
        let mut runner = Runner::new(&guest.speaking(dialect.clone()));
        match memory {
            Memory::AsItIs => runner.run(&case),
            Memory::Mended => run_mended(&mut runner, &case),
        }
    };
    let wrong = run(without);
    if wrong.findings.is_empty() {
        return Shown::Right;
    }
    let has = |outcome: &Outcome, one: &Finding| outcome.shown(&bucket(one)).is_some();
    let ways = defect.in_each_way(without).enumerate();
    let explained = ways.filter_map(|(way, with)| {
        let left = run(&with);
        let mut explained = wrong.findings.iter();
        let explained = explained.find(|one| !has(&left, one))?;
        let mut rest = left.findings.iter();
        let is_memory_right =
            memory == Memory::AsItIs && !rest.any(|one| is_about_memory(one.clause));
        if !may_show(explained.clause, is_memory_right) {
            return None;
        }
        // After a wrong answer, counts at the end of the case are no evidence. So they may be wrong in both.
        let mut before_the_end = left.findings.iter().filter(|one| one.step.is_some());
        let is_new = before_the_end.any(|one| !has(&wrong, one));
        (!is_new).then(|| (left.findings.len(), way, explained.clone()))
    });
    match explained.min_by_key(|(left, way, _)| (*left, *way)) {
        Some((_, way, finding)) => Shown::Defect { way, case, finding },
        None => Shown::Unclear,
    }
}

/// Whether the case of a defect may break that rule: the defects of the table are wrong answers. A kernel that grows the
/// heap where it had to shrink it shows that in its page tables, before it answers. What memory holds is no evidence if
/// something else is wrong with it.
fn may_show(clause: Clause, is_memory_right: bool) -> bool {
    let is_in_memory = matches!(clause, Clause::ExitStatus | Clause::LoadedValue);
    let is_answer = matches!(
        clause,
        Clause::ReturnedValue | Clause::Blocks | Clause::ComesBack | Clause::DiskContent
    );
    let is_growth = matches!(clause, Clause::GrowthTakesNothing | Clause::MappedInside);
    is_answer || is_growth || (is_in_memory && is_memory_right)
}

/// Whether a rule is about what memory holds, or who has it.
fn is_about_memory(clause: Clause) -> bool {
    matches!(
        clause,
        Clause::PageContent | Clause::FreshPageZero | Clause::MappedNotFree | Clause::WritableAlone
    )
}

/// A case in which the first page of the heap takes the place of the program's data.
fn on_the_heap(case: &Case) -> Option<Case> {
    let text = case.to_string().replace("data[0]", "heap[0]");
    let mut other = Case::parse(&text).ok()?;
    let grow = Case::parse("faultline 1\na: sbrk +1p\n").ok()?;
    other.operations.splice(0..0, grow.operations);
    Some(other)
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
    fn new(followed: Dialect, all: Vec<(Defect, Shown)>) -> Defects {
        let (mut answers, mut seen) = (Vec::new(), Vec::new());
        for (defect, shown) in all {
            let because = match shown {
                Shown::Right => RIGHT,
                Shown::Defect { .. } => defect.sentence,
                Shown::Unclear => UNCLEAR,
            };
            answers.push(Answer {
                field: defect.field,
                value: value(&followed, defect.field),
                because: because.to_owned(),
            });
            if let Shown::Defect { case, finding, .. } = shown {
                seen.push((defect, case, finding));
            }
        }
        Defects {
            followed,
            answers,
            seen,
        }
    }

    /// Whether the kernel has no known defect.
    pub fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }

    /// A row for each defect. Its case is written to `folder`.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn rows(self, guest: &Guest, folder: &Path) -> io::Result<Vec<Row>> {
        let Defects { followed, seen, .. } = self;
        // With the right answers everywhere, no other defect can help to make a case smaller.
        let mut runner = Runner::new(&guest.speaking(followed.mended()));
        let rows = seen.into_iter().map(|(defect, case, finding)| {
            // The dialect in the file does not allow this defect. So the file shows it until the kernel is fixed.
            let guest = guest.speaking(defect.mended_in(&followed));
            let to = Destination::new(folder.to_owned(), &guest);
            row(&mut runner, &defect, &case, finding, &to)
        });
        rows.collect()
    }
}

fn row(
    runner: &mut Runner,
    defect: &Defect,
    case: &Case,
    finding: Finding,
    to: &Destination,
) -> io::Result<Row> {
    let discovery = Discovery {
        name: Name::of(&finding, None),
        finding,
        avoided: Vec::new(),
    };
    let report = Report::make(
        runner,
        case,
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
