//! Faultline: joins a kernel in its machine with the oracle, drives cases through both, judges,
//! minimises and reports.
//!
//! The way through the code: [`boot`](mod@boot) brings a kernel to the start of a case, once; a
//! [`guest`] is the kernel there, with the snapshot; a [`driver`] performs one step on it; a
//! [`runner`] takes a whole case through driver and judge; [`replay`], [`fuzzing`], [`campaign`],
//! [`distil`] and [`mutants`] are loops over runners; [`case_maker`] makes new cases from old ones;
//! [`triage`] is what happens to a finding.

pub mod agent;
pub mod boot;
pub mod campaign;
pub mod case_file;
pub mod case_maker;
pub mod check;
pub mod console;
pub mod counters;
pub mod distil;
pub mod driver;
pub mod export;
pub mod fuzzing;
pub mod guest;
pub mod mutants;
pub mod nightly;
pub mod replay;
pub mod runner;
pub mod seeded_bugs;
pub mod test_programs;
pub mod triage;

pub use boot::{boot, boot_with_identifiers};
pub use oracle::generation::{cross_over, generate, mutate, repaired_case};
pub use oracle::{Case, Profile};
