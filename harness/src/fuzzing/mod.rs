//! Sessions: what every fuzz engine does with a case, ours, libFuzzer and AFL++ alike.
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

/// Executions spent on making a finding small, at most.
pub(crate) const MINIMISE_EXECUTIONS: u64 = 4000;
