//! Reporting: a new finding is minimised, explained and reported.

use super::alarm::Alarm;
use super::session::Session;
use super::steering::{Traced, without_skipped};
use crate::triage::{Discovery, Explaining, Report};
use oracle::{Case, Finding};

impl Session {
    /// Reports those findings of a case that are not known, in order.
    pub(super) fn look_into(&mut self, case: &Case, findings: Vec<Finding>) -> Vec<Report> {
        let findings = findings.into_iter();
        findings
            .filter_map(|finding| self.look_into_one(case, finding))
            .collect()
    }

    fn look_into_one(&mut self, case: &Case, finding: Finding) -> Option<Report> {
        let executions = self.executions();
        let (runner, known) = (&mut self.runner, &self.known);
        let traced = match &mut self.steering {
            Some(steering) => steering.trace(runner, known, executions, case, finding)?,
            None => Traced::new(case.clone(), finding, None),
        };
        let is_new = self.known.add(&traced.finding, &traced.name);
        is_new.then(|| self.report(traced))
    }

    fn report(&mut self, traced: Traced) -> Report {
        let explaining = self.explaining();
        let Traced {
            mut case,
            finding,
            name,
        } = traced;
        let mut avoided = Vec::new();
        if let Some(steering) = &self.steering {
            case = without_skipped(&mut self.runner, case, &finding);
            avoided = steering.avoided().to_vec();
        }
        let discovery = Discovery {
            finding,
            name,
            avoided,
        };
        let executions = self.minimise_executions;
        Report::make(&mut self.runner, &case, discovery, executions, explaining)
    }

    /// Looks for a smaller case of a finding, with at most `executions` executions. Returns false if it has found
    /// none yet and the search is not over.
    ///
    /// # Errors
    /// An alarm about Faultline itself; the report is then worth nothing.
    pub fn shrink(&mut self, report: &mut Report, executions: u64) -> Result<bool, Alarm> {
        let explaining = self.explaining();
        let has_news = report.shrink(&mut self.runner, executions, explaining);
        self.check_machine(report.case())?;
        Ok(has_news)
    }

    /// A session that steers finds much. Each case is minimised a little at a time and explained at the end.
    fn explaining(&self) -> Explaining {
        match self.steering {
            Some(_) => Explaining::WhenSmall,
            None => Explaining::Always,
        }
    }
}
