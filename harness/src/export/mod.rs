//! Exporting: a case becomes a user program, which shows the same finding on the same kernel without a
//! fuzzer.
//!
//! The case runs once on the booted kernel ([`record`]), so that what the oracle expects of each
//! operation is known; a second oracle, whose program lies elsewhere, distinguishes numbers from
//! addresses ([`value`]). The resulting [`script`] is printed in C or in Rust ([`print`]), with the
//! parts of a library that it needs.

mod language;
mod print;
mod record;
mod script;
mod value;

pub use language::Language;

use crate::runner::Runner;
use crate::triage::explain::explain;
use crate::triage::finding_file;
use oracle::{Case, Finding};

/// A program that shows a finding.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Exported {
    /// Its text.
    pub program: String,
    /// What it shows: what was wrong when the case ran.
    pub finding: Option<Finding>,
    /// How the program differs from the case.
    pub notes: Vec<String>,
    /// Why no program can see what was wrong, if none can. Then the program only performs the case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden: Option<&'static str>,
}

/// Why a case cannot become a program.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum Refusal {
    /// An operation cannot be written down.
    #[error("a program cannot do operation {index} ({operation}): {reason}")]
    Operation {
        /// Its index in the case.
        index: usize,
        /// It, as text.
        operation: String,
        /// Why a program cannot do it.
        reason: &'static str,
    },
    /// The conductor's pipes take descriptors.
    #[error("the case has {0} processes, but a program can conduct at most 5")]
    Processes(usize),
    /// The case needs all descriptors.
    #[error("the case opens up to {0} descriptors, but the program has only {1} besides its pipes")]
    Descriptors(usize, usize),
}

/// Runs `case` and writes a program that does the same and says what differs.
///
/// # Errors
/// The case does something that a program cannot.
pub fn export(runner: &mut Runner, case: &Case, language: Language) -> Result<Exported, Refusal> {
    let (script, finding) = record::record(runner, case)?;
    let wrong = match &finding {
        Some(finding) => {
            let explanation = explain(runner, case, finding);
            finding_file::wrong(finding, &explanation)
        }
        None => "Nothing was wrong when this case ran.\n".to_owned(),
    };
    Ok(Exported {
        program: print::program(&script, case, &wrong, language),
        finding,
        notes: script.notes,
        hidden: script.hidden,
    })
}
