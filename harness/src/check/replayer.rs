//! Running single cases on a kernel outside of a campaign, to see what they show there.

use crate::counters::{EDGE_COUNTERS, FEATURE_COUNTERS};
use crate::fuzzing::{Alarm, Before, Session};
use crate::guest::Guest;
use crate::triage::Report;
use oracle::Case;
use std::sync::Arc;

/// The most executions that are spent on explaining what a case shows. Its case is small already.
const EXECUTIONS: u64 = 200;

/// Reports what cases show as a campaign does, each as if no other case had been run.
pub(super) struct Replayer {
    session: Session,
    edges: Vec<u8>,
    features: Vec<u8>,
}

impl Replayer {
    pub(super) fn new(guest: &Arc<Guest>) -> Self {
        Self {
            session: Session::new(Arc::clone(guest)).as_found().steering(),
            edges: vec![0; EDGE_COUNTERS],
            features: vec![0; FEATURE_COUNTERS],
        }
    }

    /// What `case` shows, in order and not explained yet. Empty if nothing is wrong.
    ///
    /// # Errors
    /// An alarm about Faultline itself.
    pub(super) fn show(&mut self, case: &Case) -> Result<Vec<Report>, Alarm> {
        self.session.resume(&Before::default());
        let shown = self
            .session
            .execute(case, &mut self.edges, &mut self.features);
        match shown {
            Ok(_) => Ok(Vec::new()),
            Err(Alarm::Findings(reports)) => Ok(reports),
            Err(alarm) => Err(alarm),
        }
    }

    /// Explains what a case shows.
    ///
    /// # Errors
    /// An alarm about Faultline itself.
    pub(super) fn explain(&mut self, report: &mut Report) -> Result<(), Alarm> {
        self.session.shrink(report, EXECUTIONS).map(|_| ())
    }
}
