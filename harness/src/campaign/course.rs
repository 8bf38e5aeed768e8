//! The course of a campaign: what is known, what is to be done next, and what is learned from it.

use super::aimed::Aimed;
use super::budget::{EndedBy, Spent};
use super::coverage::{Coverage, Point};
use super::opening::Opening;
use super::pool::Pool;
use super::shrinking::{Pending, Queue};
use super::sweep::{Next, Sweep};
use super::task::{Candidate, Done, SPREAD, Source, Task, What};
use super::{Broken, Minimising, NAME, Plan};
use crate::fuzzing::{Alarm, Known, Progress, Totals};
use crate::guest::Guest;
use crate::triage::finding_file::Destination;
use crate::triage::{Found, Report};
use oracle::{Profile, Reached};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Tasks in a round. What a round finds out helps from the next one on, so it is short; at its end threads
/// wait for the slowest, so it is not too short.
const ROUND: u64 = 32;

/// What a campaign knows between two rounds.
pub(super) struct Course<'a> {
    plan: &'a Plan,
    to: Destination,
    targets: &'a [Profile],
    pub(super) seed: u64,
    pub(super) coverage: Coverage,
    pub(super) pool: Pool,
    pub(super) known: Known,
    /// Executions spent on the search for causes.
    pub(super) searched: u64,
    pub(super) totals: Totals,
    /// Which operations were run.
    pub(super) reached: Reached,
    /// The work done, as [`Runner::work`](crate::runner::Runner::work) counts it.
    pub(super) work: u64,
    pub(super) findings: Vec<Found>,
    /// Those of the findings that are to become smaller.
    queue: Queue,
    aimed: Aimed,
    opening: Opening,
    sweep: Sweep,
    /// Seeds given out, and cases made after them.
    next: usize,
    /// Whether a seed comes next, and not a pair of the battery.
    is_turn_of_seeds: bool,
    started: Instant,
}

impl<'a> Course<'a> {
    /// A campaign that begins now; earlier campaigns did so many executions with its corpus.
    pub(super) fn new(guest: &Guest, plan: &'a Plan, executions_before: u64) -> Self {
        let continues = executions_before > 0;
        let asked = &guest.setting.variations;
        Self {
            plan,
            to: Destination::new(plan.findings.clone(), guest),
            targets: match plan.targets.as_slice() {
                [] => &Profile::ALL,
                some => some,
            },
            // A campaign that continues with a corpus must not repeat what the last one tried.
            seed: plan.seed ^ executions_before.wrapping_mul(SPREAD),
            coverage: Coverage::new(),
            pool: Pool::new(plan.corpus.clone()),
            known: Known::default(),
            searched: 0,
            totals: Totals::default(),
            reached: Reached::default(),
            work: 0,
            findings: Vec::new(),
            queue: Queue::default(),
            aimed: Aimed::default(),
            opening: Opening::new(continues, asked),
            sweep: Sweep::new(continues, asked),
            next: 0,
            is_turn_of_seeds: false,
            started: Instant::now(),
        }
    }

    /// How long the campaign has been running.
    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// How many cases the battery has.
    pub(super) fn battery(&self) -> usize {
        self.opening.size
    }

    /// How many of them have not been run yet.
    pub(super) fn battery_left(&self) -> usize {
        self.opening.left()
    }

    /// Seeds that have not been run yet.
    pub(super) fn seeds_left(&self) -> usize {
        self.plan.seeds.len().saturating_sub(self.next)
    }

    fn spent(&self) -> Spent {
        Spent {
            work: self.work,
            executions: self.totals.executions,
            elapsed: self.elapsed(),
        }
    }

    /// Whether there is time, and nobody has interrupted the campaign.
    pub(super) fn may_go_on(&self) -> bool {
        !self.is_interrupted() && !self.plan.budget.is_late(self.elapsed())
    }

    fn is_interrupted(&self) -> bool {
        self.plan.stop.load(Ordering::Relaxed)
    }

    /// What ends the campaign now, if anything does.
    pub(super) fn ended_by(&self) -> Option<EndedBy> {
        if self.is_interrupted() {
            return Some(EndedBy::Interrupt);
        }
        if self.plan.until_finding && !self.findings.is_empty() {
            return Some(EndedBy::Finding);
        }
        self.plan.budget.ended_by(&self.spent())
    }

    /// Whether it continues earlier campaigns and still runs what they have kept. That comes before anything new.
    fn catches_up(&self) -> bool {
        self.opening.size == 0 && self.seeds_left() > 0
    }

    /// What to do in the next round.
    pub(super) fn next_round(&mut self) -> Vec<Task> {
        let mut tasks = Vec::new();
        let part = self.plan.budget.part(&self.spent());
        while (tasks.len() as u64) < ROUND
            && let Some(pending) = self.queue.due(&self.findings, self.work, part)
        {
            tasks.push(Task::Shrink(pending));
        }
        if let Some(case) = self.aimed.due(self.totals.executions) {
            tasks.push(Task::Examine(case));
        }
        let before = tasks.len();
        let room = ROUND.saturating_sub(tasks.len() as u64);
        let runs = self.plan.budget.executions_left(&self.spent(), room) as usize;
        let swept = self.sweep.due(self.work, runs).into_iter();
        tasks.extend(swept.map(|next| match next {
            Next::Watch(race) => Task::Watch(race),
            Next::Run(case) => Task::Run(case, Source::Sweep),
        }));
        while tasks.len() < before + runs {
            tasks.push(self.next_run());
        }
        tasks
    }

    /// The battery first, and the seeds and its pairs by turns, each once; then cases that are still to be made. Cases
    /// with a race that was examined go before all.
    fn next_run(&mut self) -> Task {
        if !self.catches_up()
            && let Some(case) = self.aimed.take()
        {
            return Task::Run(case, Source::Target(Profile::Schedules));
        }
        if let Some(part) = self.opening.take_first() {
            return Task::Open(part);
        }
        self.is_turn_of_seeds = !self.is_turn_of_seeds;
        let has_seeds = self.next < self.plan.seeds.len();
        if !(has_seeds && self.is_turn_of_seeds)
            && let Some(part) = self.opening.take_later()
        {
            return Task::Open(part);
        }
        let number = self.next;
        self.next += 1;
        match self.plan.seeds.get(number) {
            Some(seed) => Task::Run(seed.clone(), Source::Seed),
            None => Task::Make(self.targets[number % self.targets.len()]),
        }
    }

    /// Takes over the results of the tasks of a round, in their order.
    pub(super) fn take_over(&mut self, results: Vec<Option<Done>>) -> Result<(), Broken> {
        for done in results.into_iter().flatten() {
            self.totals += done.totals;
            self.searched += done.searched;
            self.work += done.work;
            self.reached |= &done.reached;
            self.sweep.spend(done.swept);
            if let Some((part, at)) = done.cut {
                self.opening.give_back(part, at);
            }
            match done.what {
                What::Shrunk {
                    pending,
                    report,
                    has_news,
                } => self.shrunk(pending, *report, has_news, done.work)?,
                What::Examined(cases) => self.aimed.give(cases),
                What::Watched(cases) => self.sweep.give(cases),
                What::Ran {
                    candidate,
                    new,
                    replaces,
                } => self.learn(candidate, new, replaces)?,
                What::Raised(Alarm::Findings(reports), source) => {
                    for report in reports {
                        self.keep(report, source)?;
                    }
                }
                What::Raised(alarm, _) => return Err(Broken::Alarm(alarm)),
            }
            if self.plan.until_finding && !self.findings.is_empty() {
                break;
            }
        }
        Ok(())
    }

    /// Takes a case into the pool if it covers something new, or as much as its longer parent.
    fn learn(
        &mut self,
        candidate: Candidate,
        mut new: Vec<Point>,
        replaces: bool,
    ) -> Result<(), Broken> {
        let Candidate {
            case,
            parent,
            source,
        } = candidate;
        self.coverage.add(&mut new);
        if source == Source::Seed || (!new.is_empty() && parent.is_some()) {
            self.aimed.add(&case);
        }
        let done = match parent {
            _ if !new.is_empty() => self.pool.add(case, new),
            Some(parent) if replaces => self.pool.replace(&parent, case),
            _ => Ok(()),
        };
        let folder = self.plan.corpus.as_deref().unwrap_or(Path::new(""));
        done.map_err(|error| Broken::write(folder, error))
    }

    /// Keeps a finding, unless an earlier case of the round has shown the same.
    fn keep(&mut self, report: Report, source: Source) -> Result<(), Broken> {
        if !self.known.add(&report.finding, report.identity.name()) {
            return Ok(());
        }
        let to = &self.to;
        let origin = format!("{NAME}, {source}");
        let executions = self.totals.executions;
        let found = Found::keep(report, to, origin, executions, self.elapsed())
            .map_err(|error| Broken::write(&to.folder, error))?;
        if self.plan.minimising == Minimising::Sharing {
            self.queue.add(self.findings.len());
        }
        self.findings.push(found);
        Ok(())
    }

    /// Takes over a finding that was made smaller, if it was.
    fn shrunk(
        &mut self,
        pending: Pending,
        report: Report,
        has_news: bool,
        work: u64,
    ) -> Result<(), Broken> {
        self.queue.give_back(pending, &report, has_news, work);
        let found = &mut self.findings[pending.number];
        if !has_news {
            found.report = report;
            return Ok(());
        }
        let to = &self.to;
        let kept = found.replace(report, to);
        kept.map_err(|error| Broken::write(&to.folder, error))
    }

    /// How far the campaign is, with so much done.
    pub(super) fn progress<'b>(&'b self, totals: &'b Totals) -> Progress<'b> {
        Progress {
            target: NAME,
            elapsed: self.elapsed(),
            totals,
            edges: self.coverage.edges(),
            findings: &self.findings,
        }
    }
}
