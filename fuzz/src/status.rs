//! How far a campaign has come, in words: a line while it runs, a summary when it ends.

use faultline::fuzzing::Totals;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use std::{env, fmt, fs};

/// Names the file that `./scripts/fuzz` watches: the status line, then the summary.
const FILE_VARIABLE: &str = "FAULTLINE_STATUS";

/// How often the file is written.
const INTERVAL: Duration = Duration::from_millis(500);

/// Executions between two looks at the clock.
const EXECUTIONS_PER_LOOK: u64 = 64;

/// Tells how a campaign goes.
pub(crate) struct Status {
    file: Option<PathBuf>,
    written: Instant,
}

impl Status {
    /// A status of a campaign that starts now.
    pub(crate) fn new() -> Self {
        Self {
            file: env::var_os(FILE_VARIABLE).map(PathBuf::from),
            written: Instant::now(),
        }
    }

    /// Whether it is time to write the file again; asked after each execution.
    pub(crate) fn is_due(&mut self, executions: u64) -> bool {
        let due = self.file.is_some()
            && executions.is_multiple_of(EXECUTIONS_PER_LOOK)
            && self.written.elapsed() >= INTERVAL;
        if due {
            self.written = Instant::now();
        }
        due
    }

    /// Called at the end; where no script watches, the summary goes to the terminal.
    pub(crate) fn end(&self, progress: &Progress<'_>) {
        match &self.file {
            Some(_) => self.write(progress),
            None => eprintln!("\n{}", progress.summary()),
        }
    }

    /// Writes the file, if one is asked for.
    pub(crate) fn write(&self, progress: &Progress<'_>) {
        let Some(file) = &self.file else { return };
        let text = format!("{}\n{}", progress.line(), progress.summary());
        // Whoever reads it sees the old text or the new one, never half of it.
        let draft = file.with_extension("draft");
        let written = fs::write(&draft, text).and_then(|()| fs::rename(&draft, file));
        if let Err(error) = written {
            eprintln!("cannot write the status to {}: {error}", file.display());
        }
    }
}

/// What there is to tell.
pub(crate) struct Progress<'a> {
    pub(crate) target: &'a str,
    pub(crate) elapsed: Duration,
    pub(crate) totals: &'a Totals,
    pub(crate) edges: usize,
    pub(crate) findings: &'a [PathBuf],
}

impl Progress<'_> {
    fn per_second(&self) -> u64 {
        let seconds = self.elapsed.as_secs_f64().max(0.001);
        (self.totals.executions as f64 / seconds) as u64
    }

    /// One line for a terminal.
    fn line(&self) -> String {
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

    /// What a newcomer understands at the end.
    fn summary(&self) -> String {
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
            "jumps from one piece of kernel code to another that some case took",
        );
        text += &row(
            "operations run",
            meter.operations,
            "system calls and memory accesses",
        );
        text += &row(
            "answers compared",
            meter.compared,
            "values, statuses and fates, with the oracle's",
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
        text += &row(
            "findings",
            self.findings.len() as u64,
            if self.findings.is_empty() {
                "the kernel did what the oracle allows"
            } else {
                "each minimised, as a case file:"
            },
        );
        for path in self.findings {
            text += &format!("    {}\n", path.display());
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
