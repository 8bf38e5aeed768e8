//! Faultline: joins a kernel in its machine with the oracle, drives cases through both, judges,
//! minimises and reports.
//!
//! The way through the code: [`guest`] boots a kernel once and keeps the snapshot; an
//! [`driver`] performs one step on it; a [`runner`] takes a whole case through driver and judge;
//! [`replay`], [`minimise`], [`fuzzing`], [`campaign`], [`distil`] and [`mutants`] are loops over
//! runners; [`breeding`] makes new cases from old ones.

pub mod agent;
pub mod breeding;
pub mod campaign;
pub mod case_file;
pub mod check;
pub mod distil;
pub mod driver;
pub mod explain;
pub mod export;
pub mod finding_file;
pub mod fuzzing;
pub mod guest;
pub mod minimise;
pub mod mutants;
pub mod nightly;
pub mod reasons;
pub mod replay;
pub mod runner;
pub mod session;
pub mod slow;
pub mod test_programs;

pub use oracle::case::{cross_over, mutate};
pub use oracle::{Case, Profile};
