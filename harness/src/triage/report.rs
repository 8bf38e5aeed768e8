//! A finding that was minimised and explained.

use super::ending::Ending;
use super::explain::{Controls, Explanation, explain};
use super::identity::{Identity, Name};
use super::minimise::{Minimality, Minimised, minimise_on};
use crate::runner::{Runner, Unwatched};
use oracle::{Bucket, Case, Clause, Finding, Situation, bucket};
use std::fmt;

/// A finding with the smallest case that shows it, and what is known about it.
#[derive(Clone, Debug)]
pub struct Report {
    /// What is wrong, as the smallest case shows it.
    pub finding: Finding,
    /// What distinguishes it from others.
    pub identity: Identity,
    /// The smallest case, and how it was found.
    pub minimised: Minimised,
    /// Where in the kernel it went wrong.
    pub explanation: Explanation,
    /// How the operation ended, if it did not come back in time.
    pub ending: Ending,
    /// The situations that the runner must avoid so that the case shows this finding and no other.
    pub avoided: Vec<Situation>,
    /// Those of them that still have to be avoided for the minimal case: otherwise it would show another finding
    /// first.
    pub shown_without: Vec<Situation>,
    /// Guest instructions of one execution.
    pub instructions: u64,
}

/// When a finding is explained. An explanation takes long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Explaining {
    /// At once, even if its case can still become smaller.
    Always,
    /// When its case cannot become smaller.
    WhenSmall,
}

/// What is known about a finding before it is minimised and explained.
pub struct Discovery {
    /// What is wrong.
    pub finding: Finding,
    /// Its name.
    pub name: Name,
    /// The situations that the runner avoided when it was made.
    pub avoided: Vec<Situation>,
}

impl Report {
    /// Minimises the finding that `case` shows, within the given number of executions, and explains it.
    /// `runner` must avoid the same situations as when the finding was made.
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
        Report::describe(runner, discovery, minimised, explaining)
    }

    /// Looks for a smaller case, within the given number of executions. Returns false if it found none but
    /// there may still be one.
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
        *self = Report::describe(runner, discovery, minimised, explaining);
        true
    }

    /// Explains the finding if its case is not known to be minimal: then it was not explained yet. Returns false if it
    /// was.
    pub fn explain(&mut self, runner: &mut Runner) -> bool {
        if self.minimised.minimality == Minimality::Proved {
            return false;
        }
        runner.avoid(&self.avoided);
        let discovery = Discovery {
            finding: self.finding.clone(),
            name: self.identity.name().clone(),
            avoided: std::mem::take(&mut self.avoided),
        };
        let minimised = self.minimised.clone();
        *self = Report::describe(runner, discovery, minimised, Explaining::Always);
        true
    }

    /// Looks for changes of the kernel after which the case is right. `controls` are cases that have to stay right.
    pub fn look_for_repairs(&mut self, runner: &mut Runner, controls: &Controls) {
        runner.avoid(&self.avoided);
        let case = &self.minimised.case;
        self.explanation
            .look_for_repairs(runner, case, &self.finding, controls);
    }

    /// The report of a finding, with the smallest case that was found.
    fn describe(
        runner: &mut Runner,
        discovery: Discovery,
        minimised: Minimised,
        explaining: Explaining,
    ) -> Report {
        let case = &minimised.case;
        let outcome = runner.run_up_to(&discovery.name.bucket, case, &mut Unwatched);
        let shown = outcome.shown(&discovery.name.bucket);
        let finding = shown.cloned().unwrap_or(discovery.finding);
        let is_small = minimised.minimality == Minimality::Proved;
        let ending = Ending::of(runner, &finding);
        let explanation = if is_small || explaining == Explaining::Always {
            explain(runner, case, &finding)
        } else {
            Explanation::default()
        };
        let shown_without = if is_small {
            needed(runner, case, &discovery.name.bucket, &discovery.avoided)
        } else {
            discovery.avoided.clone()
        };
        Report {
            identity: Identity::of(discovery.name, &finding, &explanation, ending),
            finding,
            minimised,
            explanation,
            ending,
            avoided: discovery.avoided,
            shown_without,
            instructions: outcome.instructions,
        }
    }

    /// The smallest case.
    pub fn case(&self) -> &Case {
        &self.minimised.case
    }

    /// What was wrong first: the finding, or what it rests on.
    pub fn root(&self) -> &Finding {
        self.explanation.root.as_ref().unwrap_or(&self.finding)
    }

    /// The rule that was broken first. Bytes that nobody has cleared may show as any wrong bytes, and a refused
    /// `exec` as a program that does not start.
    pub fn clause(&self) -> Clause {
        match self.identity.bug().clause() {
            clause if self.explanation.shows_wrong_argument() => clause,
            _ if self.explanation.cause.is_some() => self.finding.clause,
            clause @ (Clause::FreshPageZero | Clause::PageContent) => clause,
            Clause::ReturnedValue if self.explanation.root.is_none() && self.is_about_a_start() => {
                Clause::ReturnedValue
            }
            _ => self.root().clause,
        }
    }

    /// Whether the finding is about a program that does not start, or one that is not killed.
    fn is_about_a_start(&self) -> bool {
        matches!(
            self.finding.clause,
            Clause::ProgramStarts | Clause::ForbiddenAccessKills
        )
    }

    /// What was wrong first, or how the operation ended.
    pub fn seen(&self) -> String {
        if let Some(root) = &self.explanation.root {
            return root.seen.to_string();
        }
        let seen = &self.finding.seen;
        match self.ending {
            Ending::Late(slow) => format!("the kernel comes back late: {slow}"),
            Ending::Dead => format!("{seen}: it is dead"),
            Ending::CameBack | Ending::Never => seen.to_string(),
        }
    }
}

/// Which of the situations in `avoided` the runner has to avoid so that `case` shows a finding of that bucket first:
/// usually none, otherwise one, otherwise all.
fn needed(
    runner: &mut Runner,
    case: &Case,
    wanted: &Bucket,
    avoided: &[Situation],
) -> Vec<Situation> {
    if avoided.is_empty() {
        return Vec::new();
    }
    let none: &[Situation] = &[];
    let each = avoided.iter().map(std::slice::from_ref);
    let enough = std::iter::once(none).chain(each).find(|some| {
        runner.avoid(some);
        let outcome = runner.run(case);
        outcome
            .first()
            .is_some_and(|shown| bucket(shown) == *wanted)
    });
    runner.avoid(avoided);
    enough.unwrap_or(avoided).to_vec()
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.finding)?;
        writeln!(f, "bucket: {}", self.identity.bucket())?;
        write!(f, "\n{}", self.minimised.case)
    }
}
