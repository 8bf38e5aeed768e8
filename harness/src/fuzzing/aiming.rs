//! Aiming: schedules of a race with change points where the racers meet.

use crate::driver::Driver;
use crate::runner::{Runner, Watch};
use oracle::{Call, Case};
use std::ops::Range;

/// Schedules for the first race of `case`, each in a copy of the case. They switch to another racer between a
/// load of the kernel's own data and the store that depends on it, if that racer stores to the same data
/// without a common lock. There are none if the case has no race, or its racers do not conflict.
pub(super) fn aim(runner: &mut Runner, case: &Case) -> Vec<Case> {
    let mut operations = case.operations.iter().enumerate();
    let race = operations.find_map(|(at, operation)| {
        if let Call::Together { schedule } = operation.call {
            return Some((at, schedule));
        }
        None
    });
    let Some((at, schedule)) = race else {
        return Vec::new();
    };
    let with_schedule = |schedule| {
        let mut case = case.clone();
        case.operations[at].call = Call::Together { schedule };
        case
    };
    let mut meeting = Meeting {
        at,
        points: Vec::new(),
    };
    runner.avoid(&[]);
    let undisturbed = with_schedule(schedule.with_switches(&[]));
    runner.run_watched(&undisturbed, &mut meeting);
    let points = meeting.points.into_iter();
    points
        .map(|point| with_schedule(schedule.with_switches(&[point])))
        .collect()
}

/// Notes where the racers of one race meet.
struct Meeting {
    /// The number of the race's `together` in the case.
    at: usize,
    points: Vec<u32>,
}

impl Watch for Meeting {
    fn before(&mut self, operations: Range<usize>, driver: &mut Driver) {
        if operations.start == self.at {
            driver.watch_next_race();
        }
    }

    fn after(&mut self, operations: Range<usize>, driver: &mut Driver) {
        if operations.start == self.at {
            self.points = driver.take_change_points();
        }
    }
}
