//! Schedules of races: made, and changed in one respect.

use super::Scene;
use crate::case::{Order, Schedule};

/// Change points are mostly below two to the power of this: a race is rarely longer.
const LONGEST: u32 = 14;

impl Scene<'_> {
    /// A schedule for this many operations, 2 or 3.
    pub(super) fn schedule(&mut self, racers: usize) -> Schedule {
        let harts = match self.below(8) {
            0 => 1,
            1 => 2,
            _ => Schedule::HARTS,
        };
        // Most bugs need few events in a certain order. One change point finds as much as many do, and misses less.
        let count = self.pick(&[0, 1, 1, 1, 1, 2, 2, 3]);
        let switches: Vec<u32> = (0..count).map(|_| self.change_point()).collect();
        let order = self.order(racers);
        let pre_empts = self.one_in(4);
        Schedule::new(harts, order, pre_empts, &switches)
    }

    /// The same schedule with one change: often just one change point, moved by a little.
    pub(super) fn change_schedule(&mut self, old: Schedule) -> Schedule {
        let racers = old.order().ranks().len();
        let mut switches = old.switches().to_vec();
        match (self.below(12), switches.len()) {
            (0, _) => return self.schedule(racers),
            (1, _) => {
                let (harts, order) = (1 + self.below(3) as u8, old.order());
                return Schedule::new(harts, order, old.pre_empts(), &switches);
            }
            (2, _) => {
                let order = self.order(racers);
                return Schedule::new(old.harts(), order, old.pre_empts(), &switches);
            }
            (3, _) => {
                let pre_empts = !old.pre_empts();
                return Schedule::new(old.harts(), old.order(), pre_empts, &switches);
            }
            (4, _) | (_, 0) => switches.push(self.change_point()),
            (5, count) => {
                switches.remove(self.below(count as u32) as usize);
            }
            (6, count) => switches[self.below(count as u32) as usize] = self.change_point(),
            (_, count) => {
                let at = self.below(count as u32) as usize;
                let by = 1 << self.below(10);
                let by = 1 + self.below(by);
                let moved = &mut switches[at];
                *moved = if self.one_in(2) {
                    moved.saturating_add(by)
                } else {
                    moved.saturating_sub(by).max(1)
                };
            }
        }
        old.with_switches(&switches)
    }

    pub(super) fn order(&mut self, racers: usize) -> Order {
        let orders: Vec<Order> = Order::all()
            .filter(|order| order.ranks().len() == racers)
            .collect();
        self.pick(&orders)
    }

    /// Every power of two is equally likely: what happens near the start of a race is short, and matters.
    pub(super) fn change_point(&mut self) -> u32 {
        let size = 1 << self.below(LONGEST + 1);
        size + self.below(size)
    }
}
