//! Schedules: on how many harts operations race, who goes first, and when the running one gives way.
//!
//! A schedule is that of probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi,
//! Nagarakatte, ASPLOS 2010): each process that races has a priority, the one of highest priority
//! runs alone, and at a few change points the running one gets the lowest. A bug that needs `d`
//! ordered events in a race of `k` instructions by `n` processes is met with a probability of at
//! least 1 / (n * k^(d-1)), by `d - 1` change points.

use std::fmt;

/// Orders in which two or three may be asked to run.
const ORDERS: [&[u8]; 8] = [
    &[1, 2],
    &[2, 1],
    &[1, 2, 3],
    &[1, 3, 2],
    &[2, 1, 3],
    &[2, 3, 1],
    &[3, 1, 2],
    &[3, 2, 1],
];

/// Who goes before whom: a permutation of two or of three.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Order(u8);

impl Order {
    /// All orders, in the order of their binary codes: those in sequence come before others of
    /// their length.
    pub fn all() -> impl DoubleEndedIterator<Item = Order> {
        (0..ORDERS.len() as u8).map(Order)
    }

    /// The order with that binary code (modulo their number).
    pub fn from_code(code: u8) -> Order {
        Order(code % ORDERS.len() as u8)
    }

    /// The binary code.
    pub fn code(self) -> u8 {
        self.0
    }

    /// The order that is spelled so, counting from 1.
    pub fn of(ranks: &[u8]) -> Option<Order> {
        Order::all().find(|order| order.ranks() == ranks)
    }

    /// Which of the operations that follow goes first, second, third; from 1.
    pub fn ranks(self) -> &'static [u8] {
        ORDERS[usize::from(self.0)]
    }
}

impl fmt::Debug for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.ranks())
    }
}

/// How operations race.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Schedule {
    harts: u8,
    order: Order,
    pre_empts: bool,
    /// Ascending; zeros, which stand for none, at the end. One that is far is alone.
    switches: [u32; Schedule::SWITCHES],
}

impl Schedule {
    /// The most harts that a schedule asks for.
    pub const HARTS: u8 = 3;
    /// The most change points: bugs of more than four ordered events are rare.
    pub const SWITCHES: usize = 3;

    /// The last change point that there can be.
    pub const LATEST: u32 = 1 << 24;

    /// From the next on, a change point is far, and is the only one.
    pub const LAST_NEAR: u32 = u16::MAX as u32;

    /// A schedule on so many harts (brought into 1 to 3), with change points at `switches`
    /// instructions since the race began (in any order; 0 is none, and more than
    /// [`Schedule::SWITCHES`] are too many: the last are left out; beside one that is far there is
    /// no other; none comes after [`Schedule::LATEST`]). `pre_empts`: at each of them the
    /// timer interrupts as well; on one hart it always does.
    pub fn new(harts: u8, order: Order, pre_empts: bool, switches: &[u32]) -> Schedule {
        let there = switches.iter().filter(|at| **at != 0);
        let mut sorted: Vec<u32> = there.map(|at| (*at).min(Self::LATEST)).collect();
        sorted.sort_unstable();
        sorted.dedup();
        if let Some(far) = sorted.iter().copied().find(|at| *at > Self::LAST_NEAR) {
            sorted = vec![far];
        }
        sorted.resize(Self::SWITCHES, 0);
        let harts = harts.clamp(1, Self::HARTS);
        Schedule {
            harts,
            order,
            pre_empts: pre_empts || harts == 1,
            switches: [sorted[0], sorted[1], sorted[2]],
        }
    }

    /// On how many harts, 1 to 3.
    pub fn harts(self) -> u8 {
        self.harts
    }

    /// Who goes first; and how many race.
    pub fn order(self) -> Order {
        self.order
    }

    /// Whether the timer interrupts the hart that gives way.
    pub fn pre_empts(self) -> bool {
        self.pre_empts
    }

    /// The change points: instructions, of all harts together, since the race began; ascending.
    pub fn switches(&self) -> &[u32] {
        let count = self.switches.iter().take_while(|at| **at != 0).count();
        &self.switches[..count]
    }

    /// The same with other change points.
    pub fn with_switches(self, switches: &[u32]) -> Schedule {
        Schedule::new(self.harts, self.order, self.pre_empts, switches)
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.harts == 1 { "" } else { "s" };
        write!(f, "{} hart{plural}, order", self.harts)?;
        for rank in self.order.ranks() {
            write!(f, " {rank}")?;
        }
        if !self.switches().is_empty() {
            write!(f, ", switch")?;
            for at in self.switches() {
                write!(f, " {at}")?;
            }
        }
        if self.pre_empts && self.harts > 1 {
            write!(f, ", pre-empt")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Order, Schedule};

    #[test]
    fn codes_and_spellings_agree() {
        for order in Order::all() {
            assert_eq!(Order::from_code(order.code()), order);
            assert_eq!(Order::of(order.ranks()), Some(order));
            let mut ranks = order.ranks().to_vec();
            ranks.sort_unstable();
            assert!(ranks == [1, 2] || ranks == [1, 2, 3]);
        }
        assert_eq!(Order::of(&[2, 2]), None);
    }

    #[test]
    fn a_schedule_has_one_form() {
        let order = Order::from_code(1);
        let schedule = Schedule::new(9, order, false, &[400, 0, 120, 120]);
        assert_eq!(schedule.switches(), [120, 400]);
        assert_eq!(schedule.to_string(), "3 harts, order 2 1, switch 120 400");
        assert_eq!(schedule, Schedule::new(3, order, false, &[120, 400]));
        let far = Schedule::new(3, order, false, &[120, 70_000, 80_000]);
        assert_eq!(far.switches(), [70_000]);
        let latest = Schedule::new(3, order, false, &[u32::MAX]);
        assert_eq!(latest.switches(), [Schedule::LATEST]);
        let one = Schedule::new(0, order, false, &[]);
        assert!(one.pre_empts());
        assert_eq!(one.to_string(), "1 hart, order 2 1");
    }
}
