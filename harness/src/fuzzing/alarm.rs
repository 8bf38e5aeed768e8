//! Alarms: why a campaign must stop and report, and why it could not begin.

use crate::boot::BootError;
use crate::guest::location::MissingGuest;
use crate::runner::BrokenMachine;
use crate::triage::Report;
use oracle::{BiteMeter, Case};

/// Why a campaign must stop and report.
#[derive(Debug, thiserror::Error)]
pub enum Alarm {
    /// What the kernel did wrong in one case: at least one thing.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Findings(Vec<Report>),
    /// Two runs of one case differ: no result of this session can be trusted.
    #[error(
        "two runs of one case differ: {first} and {second} instructions\n\
         this is a defect of Faultline itself, please report it with this case:\n{case}"
    )]
    NotDeterministic {
        /// Instructions of the first run.
        first: u64,
        /// Instructions of the second run.
        second: u64,
        /// The case.
        case: Case,
    },
    /// The machine has found a mistake of its own: it says nothing about the kernel any more.
    #[error("{broken}\nthis happened when this case ran or was minimised:\n{case}")]
    BrokenMachine {
        /// The mistake.
        broken: BrokenMachine,
        /// The case.
        case: Case,
    },
    /// The oracle compares too little to find anything.
    #[error("after {executions} executions the oracle has compared too little: {meter}")]
    Toothless {
        /// Executions so far.
        executions: u64,
        /// What was compared.
        meter: BiteMeter,
    },
}

/// Why a session could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A file is missing.
    #[error(transparent)]
    Files(#[from] MissingGuest),
    /// The kernel did not boot.
    #[error(transparent)]
    Boot(#[from] BootError),
}
