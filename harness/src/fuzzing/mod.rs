//! The bodies of the fuzz targets, without any fuzz engine.

mod progress;
mod session;

pub use progress::Progress;
pub(crate) use session::MINIMISE_EXECUTIONS;
pub use session::{
    Alarm, EDGE_COUNTERS, Execution, FEATURE_COUNTERS, Known, OpenError, Session, Totals,
};
