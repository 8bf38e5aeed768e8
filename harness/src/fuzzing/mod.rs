//! Sessions: what every fuzz engine (ours, libFuzzer and AFL++) does with a case.
//!
//! A target under `fuzz/` is glue: it hands cases to [`Session::execute`] and the counters to its
//! engine. The code that runs cases is here, so that `cargo test` on stable replays the same code. The files
//! are named for what a session does. It does not report [`Known`] findings again, raises an [`Alarm`] for
//! others, steers around what is known, aims races, and reports with the help of [`crate::triage`].

mod aiming;
mod alarm;
mod known;
mod progress;
mod reporting;
mod session;
mod steering;
mod totals;

pub use alarm::{Alarm, OpenError};
pub use known::Known;
pub use progress::Progress;
pub(crate) use session::Before;
pub use session::{Execution, Session};
pub use totals::Totals;

/// The most executions that are spent on minimising a finding.
pub(crate) const MINIMISE_EXECUTIONS: u64 = 4000;
