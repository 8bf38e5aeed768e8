//! All change points of a race that make a difference, and pairs of them: what a sweep tries.
//!
//! Two change points between which the running hart does nothing that another hart can notice are the same schedule. So
//! there is one before each access that conflicts with an access of another hart that no common lock excludes, and one
//! after each release of a lock. Of a loop the first passes and the last one are enough.

use super::conflicts::{Access, Meetings};
use std::collections::HashMap;

/// The most change points of each rank.
const MOST_OF_A_RANK: [usize; 3] = [24, 32, 8];
/// The most pairs.
const MOST_PAIRS: usize = 64;
/// The most of each racer's points that pairs are made of.
const MOST_OF_A_PAIR: usize = 8;
/// The most accesses to one place that are compared.
const MOST_ACCESSES: usize = 200;
/// Passes of a loop that count, from the first on, besides the last one.
const PASSES: usize = 4;

/// Change points, in instructions since the race began; the most promising first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ChangePoints {
    /// Those that are tried alone.
    pub(crate) single: Vec<u32>,
    /// Those that are tried together: the second is right if the first is taken.
    pub(crate) double: Vec<[u32; 2]>,
}

/// A change point of one hart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Point {
    /// What it is next to: an unlocked access to the kernel's own data is the most promising, an access to other memory
    /// the least.
    rank: u8,
    at: u64,
    /// Instructions of its hart before it.
    own: u64,
    hart: usize,
}

impl Point {
    /// Instructions of the other harts before it.
    fn of_others(&self) -> u64 {
        self.at.saturating_sub(self.own)
    }
}

const IN_DATA: u8 = 0;
const AFTER_A_RELEASE: u8 = 1;
const ELSEWHERE: u8 = 2;

impl Meetings {
    /// The change points of this race, on so many harts.
    pub(super) fn all_change_points(&self, harts: usize) -> ChangePoints {
        let mut points = self.after_releases();
        if harts > 1 {
            points.extend(self.before_conflicts());
        }
        points.sort_unstable_by_key(|point| (point.at, point.rank));
        points.dedup_by_key(|point| point.at);
        points.sort_unstable();
        let mut of_rank = [0; MOST_OF_A_RANK.len()];
        points.retain(|point| {
            let rank = usize::from(point.rank);
            of_rank[rank] += 1;
            of_rank[rank] <= MOST_OF_A_RANK[rank]
        });
        let first = points.iter().min_by_key(|point| point.of_others());
        let double = first.map_or(Vec::new(), |first| pairs(&points, first.hart, harts));
        let single = points.iter();
        let single = single.filter_map(|point| u32::try_from(point.at).ok());
        ChangePoints {
            single: single.collect(),
            double,
        }
    }

    /// After each release of a lock.
    fn after_releases(&self) -> Vec<Point> {
        let mut passes: HashMap<(u64, usize), Vec<Point>> = HashMap::new();
        for (lock, access) in &self.released {
            let place = passes.entry((*lock, access.hart)).or_default();
            place.push(point(AFTER_A_RELEASE, access, 1));
        }
        passes.into_values().flat_map(few).collect()
    }

    /// Before each access that another hart's access may overtake, where at least one of the two is a store.
    fn before_conflicts(&self) -> Vec<Point> {
        let mut passes: HashMap<(u64, usize, u8), Vec<Point>> = HashMap::new();
        for (address, accesses) in &self.accesses {
            let accesses = &accesses[..accesses.len().min(MOST_ACCESSES)];
            let is_on_one_hart = accesses.iter().all(|one| one.hart == accesses[0].hart);
            if is_on_one_hart || self.swapped.contains(address) {
                continue;
            }
            let rank = if self.is_data(*address) {
                IN_DATA
            } else {
                ELSEWHERE
            };
            for access in accesses {
                let conflicts = |other: &&Access| {
                    let is_store = access.is_store || other.is_store;
                    is_store && other.hart != access.hart && self.is_unlocked(access, other)
                };
                if accesses.iter().any(|other| conflicts(&other)) {
                    let place = passes.entry((access.pc, access.hart, rank)).or_default();
                    place.push(point(rank, access, 0));
                }
            }
        }
        passes.into_values().flat_map(few).collect()
    }
}

/// The change point at an access, so many instructions later.
fn point(rank: u8, access: &Access, later: u64) -> Point {
    Point {
        rank,
        at: access.at + later,
        own: access.own + later,
        hart: access.hart,
    }
}

/// The first passes of a loop and the last one.
fn few(mut passes: Vec<Point>) -> Vec<Point> {
    passes.sort_unstable();
    if passes.len() > PASSES + 1 {
        passes.drain(PASSES..passes.len() - 1);
    }
    passes
}

/// Pairs of a point of the hart that runs first and a point of another one, which runs from the first point on. On one
/// hart they are pairs of points that follow one another.
fn pairs(points: &[Point], first: usize, harts: usize) -> Vec<[u32; 2]> {
    let mut pairs = Vec::new();
    if harts == 1 {
        let mut all: Vec<u64> = points.iter().map(|point| point.at).collect();
        all.sort_unstable();
        pairs.extend(all.windows(2).map(|pair| (pair[0], pair[1])));
    } else {
        let of_first = points.iter().filter(|point| point.hart == first);
        for one in of_first.take(MOST_OF_A_PAIR) {
            let others = points.iter().filter(|point| point.hart != first);
            for other in others.take(MOST_OF_A_PAIR) {
                // What other harts did before the first point, they need not do after it.
                let done = one.of_others();
                if other.own > done {
                    pairs.push((one.at, one.at + other.own - done));
                }
            }
        }
    }
    let pairs = pairs.into_iter().take(MOST_PAIRS);
    let narrow = |(one, other)| Some([u32::try_from(one).ok()?, u32::try_from(other).ok()?]);
    pairs.filter_map(narrow).collect()
}

#[cfg(test)]
mod tests {
    use super::{IN_DATA, Point, few, pairs};

    fn at(at: u64, own: u64, hart: usize) -> Point {
        Point {
            rank: IN_DATA,
            at,
            own,
            hart,
        }
    }

    #[test]
    fn of_a_loop_the_first_passes_and_the_last_are_enough() {
        let passes = (1..=10).map(|pass| at(pass * 100, pass * 100, 0));
        let passes = passes.collect();
        let few: Vec<u64> = few(passes).iter().map(|point| point.at).collect();
        assert_eq!(few, [100, 200, 300, 400, 1000]);
    }

    #[test]
    fn the_second_hart_comes_to_its_point_after_the_first_gives_way() {
        // The first hart ran for 500 instructions, and then the second one.
        let points = [at(120, 120, 1), at(540, 40, 2)];
        assert_eq!(pairs(&points, 1, 2), [[120, 160]]);
    }

    #[test]
    fn on_one_hart_two_points_follow_one_another() {
        let points = [at(120, 120, 0), at(40, 40, 0), at(90, 90, 0)];
        assert_eq!(pairs(&points, 0, 1), [[40, 90], [90, 120]]);
    }
}
