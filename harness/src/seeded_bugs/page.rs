//! The page of rows: the rows of each bug, and what they come to.

use super::{Told, ToldRow};
use std::fmt::Write;

/// What the rows of all bugs come to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sum {
    /// Bugs of which a check told at least one row.
    pub found: usize,
    /// Bugs of which it told none.
    pub missed: usize,
    /// All rows.
    pub rows: usize,
    /// The most rows of one bug.
    pub most: usize,
    /// Rows of bugs whose patches change a function.
    pub of_functions: usize,
    /// Those of them that name such a function.
    pub named: usize,
    /// Rows by a rule that the patch does not name.
    pub misleading: usize,
}

impl Sum {
    /// The sum over these bugs.
    pub fn of(all: &[Told]) -> Self {
        let mut sum = Self::default();
        for told in all {
            let rows = told.rows.len();
            sum.found += usize::from(rows > 0);
            sum.missed += usize::from(rows == 0);
            sum.rows += rows;
            sum.most = sum.most.max(rows);
            if !told.functions.is_empty() {
                sum.of_functions += rows;
                sum.named += told
                    .rows
                    .iter()
                    .filter(|row| told.names_function(row))
                    .count();
            }
            sum.misleading += told.rows.iter().filter(|row| row.is_misleading).count();
        }
        sum
    }

    /// Rows for each bug that was found.
    pub fn mean(&self) -> f64 {
        self.rows as f64 / self.found.max(1) as f64
    }

    /// The rows that name the right function, of a hundred.
    pub fn percent_named(&self) -> f64 {
        100.0 * self.named as f64 / self.of_functions.max(1) as f64
    }

    /// The sum in one line.
    pub fn line(&self) -> String {
        format!(
            "{} bugs found, {} not; {} rows, {:.2} for each bug, at most {}; {} of {} rows ({:.0} %) name a \
             function that the patch changes; {} misleading",
            self.found,
            self.missed,
            self.rows,
            self.mean(),
            self.most,
            self.named,
            self.of_functions,
            self.percent_named(),
            self.misleading,
        )
    }
}

/// The rows of a bug for people.
pub fn lines(told: &Told) -> String {
    let rows = told.rows.len();
    let changed = told.functions.join(", ");
    let mut text = format!("{:<40} {rows:>2}  {changed}\n", told.bug);
    for row in &told.rows {
        let _ = writeln!(
            text,
            "    {} [{}; {}; {} cases]{}",
            row.sentence,
            row.rule,
            row.operation,
            row.cases,
            remarks(told, row)
        );
    }
    text
}

/// What is wrong with a row.
fn remarks(told: &Told, row: &ToldRow) -> &'static str {
    let is_elsewhere = !told.functions.is_empty() && !told.names_function(row);
    match (row.is_misleading, is_elsewhere) {
        (true, true) => " MISLEADING, ANOTHER FUNCTION",
        (true, false) => " MISLEADING",
        (false, true) => " another function",
        (false, false) => "",
    }
}

/// The same for all bugs, in Markdown, with the sum above it.
pub fn page(all: &[Told]) -> String {
    let mut text = format!("{}.\n\n", Sum::of(all).line());
    text += "| bug | the patch changes | rows | their first sentences |\n|---|---|---|---|\n";
    for told in all {
        let sentences = told.rows.iter().map(|row| {
            let remarks = remarks(told, row).trim_start().to_lowercase();
            match remarks.as_str() {
                "" => row.sentence.clone(),
                _ => format!("{} ({remarks})", row.sentence),
            }
        });
        let sentences: Vec<String> = sentences.collect();
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} |",
            told.bug,
            told.functions.join(", "),
            told.rows.len(),
            sentences.join("; ")
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Sum, page};
    use crate::seeded_bugs::{Told, ToldRow};

    fn row(function: &str, is_misleading: bool) -> ToldRow {
        ToldRow {
            sentence: format!("wrong result: it is wrong, in {function}"),
            rule: "returned-value".to_owned(),
            function: Some(function.to_owned()),
            operation: "a: getpid".to_owned(),
            cases: 1,
            is_misleading,
        }
    }

    fn told(bug: &str, functions: &[&str], rows: Vec<ToldRow>) -> Told {
        let functions = functions.iter().map(|name| (*name).to_owned()).collect();
        let bug = bug.to_owned();
        Told {
            bug,
            functions,
            rows,
        }
    }

    #[test]
    fn rows_are_summed_over_bugs() {
        let all = [
            told(
                "1-a",
                &["share"],
                vec![row("frames::share", false), row("Frame::drop", true)],
            ),
            told("2-b", &[], vec![row("Frame::drop", false)]),
            told("3-c", &["fork"], Vec::new()),
        ];
        let sum = Sum::of(&all);
        assert_eq!((sum.found, sum.missed, sum.rows, sum.most), (2, 1, 3, 2));
        assert_eq!((sum.named, sum.of_functions, sum.misleading), (1, 2, 1));
        assert!(page(&all).contains("in Frame::drop (misleading, another function)"));
        for told in &all {
            assert_eq!(Told::parse(&told.to_line()).as_ref(), Some(told));
        }
    }
}
