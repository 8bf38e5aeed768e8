//! A finding that was looked into: made small, and explained.

use super::ending::Ending;
use super::explain::{Explanation, explain};
use super::identity::{Identity, Name};
use super::minimise::{Minimality, Minimised, minimise_on};
use crate::runner::Runner;
use oracle::{Case, Finding, Situation};
use std::fmt;

/// A finding with the smallest case that shows it, and what is known of it.
#[derive(Clone, Debug)]
pub struct Report {
    /// What is wrong, as the smallest case shows it.
    pub finding: Finding,
    /// What tells it from others.
    pub identity: Identity,
    /// The smallest case, and how it was found.
    pub minimised: Minimised,
    /// Where in the kernel it went wrong.
    pub explanation: Explanation,
    /// What became of an operation that does not come back.
    pub ending: Ending,
    /// The situations that the case has to be steered around to show this finding and no other.
    pub avoided: Vec<Situation>,
    /// Guest instructions of one execution.
    pub instructions: u64,
}

/// When a finding is explained: to look closely takes long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Explaining {
    /// At once.
    Always,
    /// When its case is not to become smaller any more.
    WhenSmall,
}

/// What is known of a finding before it is looked into.
pub struct Discovery {
    /// What is wrong.
    pub finding: Finding,
    /// What it is called.
    pub name: Name,
    /// What `runner` was steered around when it was made.
    pub avoided: Vec<Situation>,
}

impl Report {
    /// Makes the finding that `case` shows small, within so many executions, and looks into it.
    /// `runner` is to be steered around the same as when the finding was made.
    pub fn make(
        runner: &mut Runner,
        case: &Case,
        discovery: Discovery,
        executions: u64,
        explaining: Explaining,
    ) -> Report {
        let Discovery { finding, name, .. } = &discovery;
        let (wanted, step) = (&name.bucket, finding.step);
        let minimised = minimise_on(runner, case, wanted, step, executions, |_, _| {});
        Report::describe(runner, discovery, minimised, explaining, None)
    }

    /// Looks for a smaller case, within so many executions. False: there is none yet, nor is it known
    /// that there is none.
    pub fn shrink(&mut self, runner: &mut Runner, executions: u64, explaining: Explaining) -> bool {
        runner.avoid(&self.avoided);
        let before = &self.minimised;
        let (bucket, step) = (self.identity.bucket(), self.finding.step);
        let mut minimised = minimise_on(runner, &before.case, bucket, step, executions, |_, _| {});
        minimised.operations_before = before.operations_before;
        minimised.executions += before.executions;
        if minimised.case == before.case && minimised.minimality == Minimality::BudgetSpent {
            self.minimised = minimised;
            return false;
        }
        let discovery = Discovery {
            finding: self.finding.clone(),
            name: self.identity.name().clone(),
            avoided: std::mem::take(&mut self.avoided),
        };
        *self = Report::describe(runner, discovery, minimised, explaining, Some(self.ending));
        true
    }

    /// The report of a finding with the case that was found for it. `ending`: what became of its
    /// operation in a longer case.
    fn describe(
        runner: &mut Runner,
        discovery: Discovery,
        minimised: Minimised,
        explaining: Explaining,
        ending: Option<Ending>,
    ) -> Report {
        let case = &minimised.case;
        let outcome = runner.run(case);
        let finding = outcome.finding.unwrap_or(discovery.finding);
        let is_small = minimised.minimality == Minimality::Proved;
        let ending = Ending::of(runner, case, &finding, is_small, ending);
        let explanation = if is_small || explaining == Explaining::Always {
            explain(runner, case, &finding)
        } else {
            Explanation::default()
        };
        let place = explanation.place();
        Report {
            identity: Identity::of(discovery.name, &finding, ending, place.as_deref()),
            finding,
            minimised,
            explanation,
            ending,
            avoided: discovery.avoided,
            instructions: outcome.instructions,
        }
    }

    /// The smallest case.
    pub fn case(&self) -> &Case {
        &self.minimised.case
    }

    /// What happened, with what became of the operation.
    pub fn seen(&self) -> String {
        let seen = &self.finding.seen;
        match self.ending {
            Ending::Late(slow) => format!("{seen}; {slow}"),
            Ending::Dead => format!("{seen}: it is dead"),
            Ending::NotAsked | Ending::Never => seen.to_string(),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.finding)?;
        writeln!(f, "bucket: {}", self.identity.bucket())?;
        write!(f, "\n{}", self.minimised.case)
    }
}
