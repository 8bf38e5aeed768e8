//! The progress of a campaign in words: a line while it runs, and a summary when it ends.

use super::Totals;
use crate::triage::Found;
use std::fmt;
use std::time::Duration;

/// How far a campaign has come.
pub struct Progress<'a> {
    /// What was fuzzed.
    pub target: &'a str,
    /// How long.
    pub elapsed: Duration,
    /// What was done.
    pub totals: &'a Totals,
    /// Edges of the kernel that some case took.
    pub edges: usize,
    /// What was found.
    pub findings: &'a [Found],
}

impl Progress<'_> {
    fn per_second(&self) -> u64 {
        let seconds = self.elapsed.as_secs_f64().max(0.001);
        (self.totals.executions as f64 / seconds) as u64
    }

    /// One line, for a campaign that runs.
    pub fn line(&self) -> String {
        format!(
            "{} s  {} executions ({} a second)  {} kernel edges  {} answers compared  {} findings",
            self.elapsed.as_secs(),
            Grouped(self.totals.executions),
            Grouped(self.per_second()),
            Grouped(self.edges as u64),
            Grouped(self.totals.meter.compared),
            self.findings.len(),
        )
    }

    /// The summary, in words for a newcomer.
    pub fn summary(&self) -> String {
        let meter = &self.totals.meter;
        let row = |what: &str, count: u64, meaning: &str| {
            let count = Grouped(count).to_string();
            format!("  {what:<22}{count:>14}   {meaning}\n")
        };
        let mut text = format!(
            "{} ran for {:.2} s\n",
            self.target,
            self.elapsed.as_secs_f64()
        );
        let rate = format!("{} a second", Grouped(self.per_second()));
        text += &row("executions", self.totals.executions, &rate);
        text += &row(
            "kernel edges covered",
            self.edges as u64,
            "jumps in the kernel's code that some case took",
        );
        text += &row(
            "operations run",
            meter.operations,
            "system calls and memory accesses",
        );
        text += &row(
            "answers compared",
            meter.compared,
            "returned and loaded values, statuses and kills, compared with the oracle's",
        );
        text += &row(
            "expected to fault",
            meter.expected_faults,
            "and the kernel refused, as it had to",
        );
        text += &row(
            "expected to kill",
            meter.expected_kills,
            "and the kernel killed the process, as it had to",
        );
        if self.totals.reached > 0 {
            let (reached, triggered) = (self.totals.reached, self.totals.triggered);
            text += &row(
                "seeded bug reached",
                reached,
                "cases that ran the changed code",
            );
            text += &row(
                "seeded bug triggered",
                triggered,
                "cases in which it did harm",
            );
        }
        text += &row(
            "findings",
            self.findings.len() as u64,
            if self.findings.is_empty() {
                "the kernel did what the oracle allows"
            } else {
                "each minimised, as a case file:"
            },
        );
        for found in self.findings {
            text += &format!("    {}\n", found.path.display());
        }
        if !self.findings.is_empty() {
            text += "  see one step by step: cargo run --release -- trace FILE\n";
        }
        text
    }
}

/// A number with a comma every three digits.
struct Grouped(u64);

impl fmt::Display for Grouped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (at, digit) in digits.char_indices() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                write!(f, ",")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Grouped;

    #[test]
    fn digits_come_in_threes() {
        let shown = |number| Grouped(number).to_string();
        assert_eq!(shown(0), "0");
        assert_eq!(shown(999), "999");
        assert_eq!(shown(1000), "1,000");
        assert_eq!(shown(12_345_678), "12,345,678");
    }
}
