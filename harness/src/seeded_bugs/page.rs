//! The page of rows: the rows of each bug, and their sum.

use super::{BugRow, BugRows};
use std::fmt::{self, Write};

/// What the first sentence of a row says about the function that is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Naming {
    /// The first function that it names is one that the patch changes.
    First,
    /// Another one is.
    Later,
    /// It names none.
    None,
    /// It names only others.
    Wrong,
    /// The patch changes no function.
    NoneChanged,
}

impl Naming {
    fn of(bug: &BugRows, row: &BugRow) -> Self {
        if bug.functions.is_empty() {
            Naming::NoneChanged
        } else if row.suspects.is_empty() {
            Naming::None
        } else {
            match bug.place_of_changed(row) {
                Some(0) => Naming::First,
                Some(_) => Naming::Later,
                None => Naming::Wrong,
            }
        }
    }
}

/// How many rows name the right function, if the patch changes one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// Rows that name a function that the patch changes, and name it first.
    pub first: usize,
    /// Rows that name one after another function.
    pub later: usize,
    /// Rows that name no function.
    pub none: usize,
    /// Rows that name only others.
    pub wrong: usize,
}

impl Named {
    fn count(&mut self, naming: Naming) {
        match naming {
            Naming::First => self.first += 1,
            Naming::Later => self.later += 1,
            Naming::None => self.none += 1,
            Naming::Wrong => self.wrong += 1,
            Naming::NoneChanged => {}
        }
    }

    fn all(&self) -> usize {
        self.first + self.later + self.none + self.wrong
    }

    /// That many of all rows, in percent.
    fn percent(&self, rows: usize) -> f64 {
        100.0 * rows as f64 / self.all().max(1) as f64
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let right = self.first + self.later;
        write!(
            f,
            "{right} of {} ({:.0} %) name a function that the patch changes, {} ({:.0} %) name it first; {} name none, {} name others",
            self.all(),
            self.percent(right),
            self.first,
            self.percent(self.first),
            self.none,
            self.wrong
        )
    }
}

/// The rows of all bugs, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sum {
    /// Bugs for which a check reported a row.
    pub found: usize,
    /// Bugs for which it reported none.
    pub missed: usize,
    /// All rows.
    pub rows: usize,
    /// The most rows of one bug.
    pub most: usize,
    /// The functions that the first row of each bug names.
    pub first: Named,
    /// The functions that all rows name.
    pub all: Named,
    /// Rows by a rule that the patch does not name.
    pub misleading: usize,
}

impl Sum {
    /// The sum over these bugs.
    pub fn of(bugs: &[BugRows]) -> Self {
        let mut sum = Self::default();
        for bug in bugs {
            let rows = bug.rows.len();
            sum.found += usize::from(rows > 0);
            sum.missed += usize::from(rows == 0);
            sum.rows += rows;
            sum.most = sum.most.max(rows);
            for (at, row) in bug.rows.iter().enumerate() {
                let naming = Naming::of(bug, row);
                if at == 0 {
                    sum.first.count(naming);
                }
                sum.all.count(naming);
                sum.misleading += usize::from(row.is_misleading);
            }
        }
        sum
    }

    /// Rows for each bug that was found.
    pub fn mean(&self) -> f64 {
        self.rows as f64 / self.found.max(1) as f64
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} bugs found, {} not; {} rows, {:.2} for each bug that was found, at most {}; {} misleading",
            self.found,
            self.missed,
            self.rows,
            self.mean(),
            self.most,
            self.misleading
        )?;
        writeln!(f, "first rows: {}", self.first)?;
        write!(f, "all rows: {}", self.all)
    }
}

/// The rows of a bug for people.
pub fn lines(bug: &BugRows) -> String {
    let rows = bug.rows.len();
    let changed = bug.functions.join(", ");
    let mut text = format!("{:<40} {rows:>2}  {changed}\n", bug.bug);
    for row in &bug.rows {
        let _ = writeln!(
            text,
            "    {} [{}; {}; {} cases]{}",
            row.sentence,
            row.rule,
            row.operation,
            row.cases,
            remarks(bug, row)
        );
    }
    text
}

/// What is wrong with a row.
fn remarks(bug: &BugRows, row: &BugRow) -> &'static str {
    match (row.is_misleading, Naming::of(bug, row)) {
        (true, Naming::Wrong) => " MISLEADING, OTHER FUNCTIONS",
        (true, _) => " MISLEADING",
        (false, Naming::Wrong) => " other functions",
        (false, Naming::None) => " no function",
        (false, Naming::First | Naming::Later | Naming::NoneChanged) => "",
    }
}

/// The rows of all bugs in Markdown, with the sum above them.
pub fn page(all: &[BugRows]) -> String {
    let sum = Sum::of(all).to_string();
    let mut text: String = sum.lines().map(|line| format!("- {line}\n")).collect();
    text.push('\n');
    text += "| bug | the patch changes | rows | their first sentences |\n|---|---|---|---|\n";
    for bug in all {
        let sentences = bug.rows.iter().map(|row| {
            let remarks = remarks(bug, row).trim_start().to_lowercase();
            match remarks.as_str() {
                "" => row.sentence.clone(),
                _ => format!("{} ({remarks})", row.sentence),
            }
        });
        let sentences: Vec<String> = sentences.collect();
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} |",
            bug.bug,
            bug.functions.join(", "),
            bug.rows.len(),
            sentences.join("; ")
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Named, Sum, page};
    use crate::seeded_bugs::{BugRow, BugRows};

    fn row(suspects: &[&str], is_misleading: bool) -> BugRow {
        BugRow {
            sentence: format!("wrong result: it is wrong, near {}", suspects.join(" or ")),
            rule: "returned-value".to_owned(),
            suspects: suspects.iter().map(|name| (*name).to_owned()).collect(),
            operation: "a: getpid".to_owned(),
            cases: 1,
            is_misleading,
        }
    }

    fn bug_rows(bug: &str, functions: &[&str], rows: Vec<BugRow>) -> BugRows {
        let functions = functions.iter().map(|name| (*name).to_owned()).collect();
        let bug = bug.to_owned();
        BugRows {
            bug,
            functions,
            rows,
        }
    }

    #[test]
    fn rows_are_summed_over_bugs() {
        let all = [
            bug_rows(
                "1-a",
                &["share"],
                vec![
                    row(&["fork::fork", "frames::share"], false),
                    row(&["Frame::drop"], true),
                ],
            ),
            bug_rows("2-b", &[], vec![row(&["Frame::drop"], false)]),
            bug_rows("3-c", &["fork"], Vec::new()),
        ];
        let sum = Sum::of(&all);
        assert_eq!((sum.found, sum.missed, sum.rows, sum.most), (2, 1, 3, 2));
        let first = Named {
            later: 1,
            ..Named::default()
        };
        assert_eq!((sum.first, sum.all), (first, Named { wrong: 1, ..first }));
        assert_eq!(sum.misleading, 1);
        let text = page(&all);
        let wanted = "first rows: 1 of 1 (100 %) name a function that the patch changes, 0 (0 %) name it first";
        assert!(text.contains(wanted), "{text}");
        assert!(text.contains("near Frame::drop (misleading, other functions)"));
        for bug in &all {
            assert_eq!(BugRows::parse(&bug.to_line()).as_ref(), Some(bug));
        }
    }
}
