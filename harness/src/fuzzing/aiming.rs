//! Aiming: schedules of a race with change points where the racers meet.

use crate::driver::Driver;
use crate::runner::{Runner, Watch};
use oracle::{Call, Case, Schedule};
use std::ops::Range;

/// Schedules for the first race of `case`, each in a copy of the case. They switch to another racer between a
/// load of the kernel's own data and the store that depends on it, if that racer stores to the same data
/// without a common lock. There are none if the case has no race, or its racers do not conflict.
pub(super) fn aim(runner: &mut Runner, case: &Case) -> Vec<Case> {
    let points = watched(runner, case, Driver::take_change_points);
    let points = points.unwrap_or_default().into_iter();
    points.map(|point| with_switches(case, &[point])).collect()
}

/// All schedules of one change point for the first race of `case` that make a difference, and then those of two that
/// are likely to. Each is in a copy of the case.
pub(super) fn sweep(runner: &mut Runner, case: &Case) -> Vec<Case> {
    let points = watched(runner, case, Driver::take_all_change_points);
    let points = points.unwrap_or_default();
    let single = points.single.iter().map(|point| vec![*point]);
    let double = points.double.iter().map(|points| points.to_vec());
    let all = single.chain(double);
    all.map(|points| with_switches(case, &points)).collect()
}

/// Runs a case with its first race undisturbed and observed, and returns what `take` finds out about it. `None`: the
/// case has no race.
fn watched<T>(runner: &mut Runner, case: &Case, take: fn(&mut Driver) -> T) -> Option<T> {
    let (at, _) = first_race(case)?;
    let mut meeting = Meeting {
        at,
        take,
        points: None,
    };
    runner.avoid(&[]);
    runner.run_watched(&with_switches(case, &[]), &mut meeting);
    meeting.points
}

/// The place of the first race of a case, and its schedule.
fn first_race(case: &Case) -> Option<(usize, Schedule)> {
    let mut operations = case.operations.iter().enumerate();
    operations.find_map(|(at, operation)| match operation.call {
        Call::Together { schedule } => Some((at, schedule)),
        _ => None,
    })
}

/// The case with these change points in its first race.
fn with_switches(case: &Case, switches: &[u32]) -> Case {
    let mut case = case.clone();
    if let Some((at, schedule)) = first_race(&case) {
        let schedule = schedule.with_switches(switches);
        case.operations[at].call = Call::Together { schedule };
    }
    case
}

/// Notes where the racers of one race meet.
struct Meeting<T> {
    /// The number of the race's `together` in the case.
    at: usize,
    take: fn(&mut Driver) -> T,
    points: Option<T>,
}

impl<T> Watch for Meeting<T> {
    fn before(&mut self, operations: Range<usize>, driver: &mut Driver) {
        if operations.start == self.at {
            driver.watch_next_race();
        }
    }

    fn after(&mut self, operations: Range<usize>, driver: &mut Driver) {
        if operations.start == self.at {
            self.points = Some((self.take)(driver));
        }
    }
}
