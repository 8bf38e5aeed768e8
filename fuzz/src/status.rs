//! Tells how far a campaign has come: to a file while it runs, and at the end.

use faultline::fuzzing::Progress;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use std::{env, fs};

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

    /// Called at the end; if no script watches, the summary goes to the terminal.
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
        // A reader sees the old text or the new text, never half of one.
        let draft = file.with_extension("draft");
        let written = fs::write(&draft, text).and_then(|()| fs::rename(&draft, file));
        if let Err(error) = written {
            eprintln!("cannot write the status to {}: {error}", file.display());
        }
    }
}
