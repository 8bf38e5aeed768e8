//! How much to fuzz, as options of several commands.

use faultline::campaign::Budget;
use std::time::Duration;

/// The work of one processor core in about a minute, on a kernel in C.
pub(crate) const A_MINUTES_WORK: u64 = 8_000;

/// The unit of work on the command line, in guest instructions.
const UNIT: u64 = 1_000_000;

/// How much to fuzz.
#[derive(clap::Args)]
pub(crate) struct Limits {
    /// How much to do, in millions of guest instructions; the same work finds the same on every machine
    /// [default: 8000, which takes one core about a minute; no limit if --seconds is given]
    #[arg(long, value_name = "N")]
    work: Option<u64>,
    /// Stop after so long, even if there is work left
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,
}

impl Limits {
    /// The budget that the options ask for, with a limit on the number of cases if there is one.
    pub(crate) fn budget(&self, executions: Option<u64>) -> Budget {
        let is_limited = self.seconds.is_some() || executions.is_some();
        let work = match self.work {
            None if !is_limited => Some(A_MINUTES_WORK),
            work => work,
        };
        Budget {
            work: work.map(instructions),
            executions,
            duration: self.seconds.map(Duration::from_secs),
        }
    }
}

/// Work of the command line in guest instructions.
pub(crate) fn instructions(millions: u64) -> u64 {
    millions.saturating_mul(UNIT)
}

/// Work in the unit of the command line, rounded down: a campaign with that limit does as much and no more.
pub(crate) fn millions(work: u64) -> u64 {
    work / UNIT
}
