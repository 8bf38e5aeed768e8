//! Which of the kernel's own test programs notice seeded bugs.

use super::catalogue::Bug;
use super::results::Results;
use super::workshop::Workshop;
use super::{Plan, Trouble, on_kernels};
use crate::guest::location::GuestFiles;
use crate::test_programs::{Bench, Budgets, LINES, Ran, Verdict};
use std::collections::BTreeMap;
use std::path::Path;

/// How many times as many instructions as on the sound kernel a program may take.
const FACTOR: u64 = 3;
/// The name of the files with results.
const NAME: &str = "programs";
/// The result of a program that was not run.
const NOT_RUN: &str = "-";
/// The result of a program if the kernel did not boot to its shell.
const STOPPED: &str = "stopped";

/// How the test programs ended on one kernel: one after another, until one noticed the bug.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramRow {
    bug: String,
    class: String,
    feature: String,
    said: [String; LINES.len()],
}

impl ProgramRow {
    /// The names of the columns, as tab-separated values.
    pub fn columns() -> String {
        format!("bug\tclass\tfeature\t{}", LINES.join("\t"))
    }

    /// The head of a table of rows for people.
    pub fn head() -> String {
        line("bug", "", LINES.map(program))
    }

    /// Reads a row as [`ProgramRow::tab_separated`] writes it.
    pub fn parse(line: &str) -> Option<Self> {
        let mut cells = line.split('\t').map(str::to_owned);
        let (bug, class, feature) = (cells.next()?, cells.next()?, cells.next()?);
        let said: Vec<String> = cells.collect();
        Some(Self {
            bug,
            class,
            feature,
            said: said.try_into().ok()?,
        })
    }

    /// The row as tab-separated values, without the end of the line.
    pub fn tab_separated(&self) -> String {
        let Self {
            bug,
            class,
            feature,
            said,
        } = self;
        format!("{bug}\t{class}\t{feature}\t{}", said.join("\t"))
    }

    /// The row for people.
    pub fn text(&self) -> String {
        line(
            &self.bug,
            &self.feature,
            self.said.each_ref().map(String::as_str),
        )
    }

    /// The bug's name.
    pub fn bug(&self) -> &str {
        &self.bug
    }

    /// The first program that noticed the bug, and how it ended.
    pub fn noticed(&self) -> Option<String> {
        let mut ended = LINES.iter().zip(&self.said);
        let is_noticed = |said: &str| said != NOT_RUN && said != Verdict::Passed.to_string();
        let (name, said) = ended.find(|(_, said)| is_noticed(said))?;
        Some(format!("{} {said}", program(name)))
    }

    fn new(bug: &Bug, said: [String; LINES.len()]) -> Self {
        Self {
            bug: bug.patch.name.clone(),
            class: bug.class.clone(),
            feature: bug.feature.to_string(),
            said,
        }
    }
}

fn line(bug: &str, feature: &str, said: [&str; LINES.len()]) -> String {
    said.iter()
        .fold(format!("{bug:<40} {feature:>2}"), |line, said| {
            line + &format!(" {said:>10}")
        })
}

/// The name of the program that a line starts.
fn program(line: &'static str) -> &'static str {
    line.split(' ').next().unwrap_or(line)
}

/// Runs the test programs on each kernel, and reports each row in turn.
///
/// # Errors
/// The kernel cannot be copied, or a test program does not pass on the kernel as it is. What goes wrong
/// with one bug is reported as its result.
pub fn try_programs(
    bugs: &[Bug],
    plan: &Plan,
    report: impl FnMut(&Bug, Result<ProgramRow, Trouble>),
) -> Result<(), Trouble> {
    let workshop = Workshop::open(&plan.root, &plan.folder)?;
    let results = Results::named(NAME, plan, &workshop)?;
    let budgets = Budgets::times(FACTOR, &on_the_sound_kernel()?);
    let attempt = |bug: &Bug, guest: &Path| {
        let row = ProgramRow::new(bug, ask(guest, &budgets));
        results.keep(bug, &row.tab_separated())?;
        Ok(row)
    };
    let known = |bug: &Bug| ProgramRow::parse(&results.known(bug)?);
    on_kernels(&workshop, bugs, known, attempt, report);
    Ok(())
}

fn on_the_sound_kernel() -> Result<BTreeMap<String, Ran>, Trouble> {
    let no_shell = |why: &dyn std::fmt::Display| Trouble::NoShell(why.to_string());
    let files = GuestFiles::find(None, None).map_err(|error| no_shell(&error))?;
    let mut bench = Bench::boot(files).map_err(|error| no_shell(&error))?;
    let mut ran = BTreeMap::new();
    for line in LINES {
        let one = bench.run(line, Budgets::default().of(line), |_| ());
        if one.verdict != Verdict::Passed {
            return Err(Trouble::Unsound {
                line: line.to_owned(),
                verdict: one.verdict.to_string(),
            });
        }
        ran.insert(line.to_owned(), one);
    }
    Ok(ran)
}

/// How each program ends, until one notices something.
fn ask(guest: &Path, budgets: &Budgets) -> [String; LINES.len()] {
    let (kernel, image) = (guest.join("kernel.elf"), guest.join("fs.img"));
    let files = GuestFiles::find(Some(&kernel), Some(&image)).ok();
    let Some(mut bench) = files.and_then(|files| Bench::boot(files).ok()) else {
        return LINES.map(|_| STOPPED.to_owned());
    };
    let mut is_noticed = false;
    LINES.map(|line| {
        if is_noticed {
            return NOT_RUN.to_owned();
        }
        let verdict = bench.run(line, budgets.of(line), |_| ()).verdict;
        is_noticed = verdict != Verdict::Passed;
        verdict.to_string()
    })
}

#[cfg(test)]
mod tests {
    use super::ProgramRow;

    #[test]
    fn the_first_to_notice_counts() {
        let row = ProgramRow::parse("1-x\tpages\t2\tpassed\tfailed\t-\t-").unwrap();
        assert_eq!(row.noticed().as_deref(), Some("cowtests failed"));
        assert_eq!(row.tab_separated(), "1-x\tpages\t2\tpassed\tfailed\t-\t-");
        let row = ProgramRow::parse("1-x\tpages\t2\tpassed\tpassed\tpassed\tpassed").unwrap();
        assert_eq!(row.noticed(), None);
        assert_eq!(ProgramRow::parse("1-x\tpages\t2\tpassed"), None);
        assert_eq!(ProgramRow::head().len(), row.text().len());
    }
}
