//! Aiming: schedules of a race whose change points are where the racers meet.

use crate::driver::Driver;
use crate::runner::{Runner, Watch};
use oracle::{Call, Case};
use std::ops::Range;

/// The cases that part, in the first race of `case`, a read of the kernel's own data from the store
/// that makes something of it, where another racer stores there under no common lock. None if it has
/// no race, or its racers keep out of each other's way.
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
    let under = |schedule| {
        let mut case = case.clone();
        case.operations[at].call = Call::Together { schedule };
        case
    };
    let mut meeting = Meeting {
        at,
        points: Vec::new(),
    };
    runner.avoid(&[]);
    let undisturbed = under(schedule.with_switches(&[]));
    runner.run_watched(&undisturbed, &mut meeting);
    let points = meeting.points.into_iter();
    points
        .map(|point| under(schedule.with_switches(&[point])))
        .collect()
}

/// Notes where the racers of one race meet.
struct Meeting {
    /// Which `together` it is.
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
