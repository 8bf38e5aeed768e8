//! Schedules: on how many harts operations race, which goes first, and when the running one gives way.
//!
//! A schedule is that of probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi,
//! Nagarakatte, ASPLOS 2010): each process that races has a priority, the one of highest priority
//! runs alone, and at a few change points the running one gets the lowest. A bug that needs `d`
//! ordered events in a race of `k` instructions by `n` processes is met with a probability of at
//! least 1 / (n * k^(d-1)), by `d - 1` change points.

use super::{Argument, number};
use crate::case::binary::Record;
use crate::case::parse::{Line, Parsed};
use crate::case::text_error::Complaint;
use std::fmt;
use std::ops::RangeInclusive;

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

/// The order of priority: a permutation of two or of three.
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
    /// Ascending, with zeros, which mean none, at the end. There are at most [`Schedule::FAR_SWITCHES`] if one is far.
    switches: [u32; Schedule::SWITCHES],
}

impl Schedule {
    /// The most harts that a schedule asks for.
    pub const HARTS: u8 = 3;
    /// The most change points: bugs of more than four ordered events are rare.
    pub const SWITCHES: usize = 3;

    /// The last change point that there can be.
    pub const LATEST: u32 = (1 << 24) - 1;

    /// From the next on, a change point is far.
    pub const LAST_NEAR: u32 = u16::MAX as u32;

    /// The most change points if one of them is far.
    pub const FAR_SWITCHES: usize = 2;

    /// A schedule on `harts` harts (brought into 1 to 3), with change points at `switches`
    /// instructions since the race began (in any order). 0 is no change point. Of more than
    /// [`Schedule::SWITCHES`], or of more than [`Schedule::FAR_SWITCHES`] if one of those is far, the last are left
    /// out; none comes after [`Schedule::LATEST`]. `pre_empts`: at each of them the timer interrupts as well; on one hart
    /// it always does.
    pub fn new(harts: u8, order: Order, pre_empts: bool, switches: &[u32]) -> Schedule {
        let there = switches.iter().filter(|at| **at != 0);
        let mut sorted: Vec<u32> = there.map(|at| (*at).min(Self::LATEST)).collect();
        sorted.sort_unstable();
        sorted.dedup();
        sorted.truncate(Self::SWITCHES);
        if sorted.last().is_some_and(|at| *at > Self::LAST_NEAR) {
            sorted.truncate(Self::FAR_SWITCHES);
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

    /// The order of priority, and how many operations race.
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

/// Bit of byte 1: change points interrupt.
const PRE_EMPTS: u8 = 0x20;
/// Low bits of byte 1: a change point is far.
const FAR: u8 = 3;

/// Byte 1: harts or [`FAR`] in the lowest two bits, order in the next three, then [`PRE_EMPTS`], and in
/// the upper two by how much change points are shifted. Bytes 2 to 7: change points of two bytes. If one is far, the
/// upper two bits have the harts, and there are two of three bytes; or they are 0, byte 2 has the harts, and the only
/// change point is in bytes 4 to 7.
impl Argument for Schedule {
    type Value = Schedule;

    fn decode(record: &Record) -> Schedule {
        let order = Order::from_code(record[1] >> 2);
        let pre_empts = record[1] & PRE_EMPTS != 0;
        let upper = record[1] >> 6;
        if record[1] & FAR == FAR {
            let far = |at| u32::from_le_bytes([record[at], record[at + 1], record[at + 2], 0]);
            return match upper {
                0 => {
                    let only = number(record) as u32;
                    Schedule::new(1 + record[2] % 3, order, pre_empts, &[only])
                }
                harts => Schedule::new(harts, order, pre_empts, &[far(2), far(5)]),
            };
        }
        // Races are short: most of random change points are small.
        let shift = 2 * upper;
        let near = |at| u32::from(u16::from_le_bytes([record[at], record[at + 1]]) >> shift);
        let switches = [2, 4, 6].map(near);
        Schedule::new(1 + record[1] % 4, order, pre_empts, &switches)
    }

    fn encode(schedule: Schedule, record: &mut Record) {
        let flag = if schedule.pre_empts { PRE_EMPTS } else { 0 };
        let harts = schedule.harts - 1;
        let common = schedule.order.code() << 2 | flag;
        match *schedule.switches() {
            [far] if far > Schedule::LAST_NEAR => {
                (record[1], record[2]) = (common | FAR, harts);
                record[4..].copy_from_slice(&far.to_le_bytes());
            }
            [first, second] if second > Schedule::LAST_NEAR => {
                record[1] = common | FAR | schedule.harts << 6;
                for (at, point) in [(2, first), (5, second)] {
                    record[at..at + 3].copy_from_slice(&point.to_le_bytes()[..3]);
                }
            }
            _ => {
                record[1] = common | harts;
                for (place, at) in record[2..].chunks_exact_mut(2).zip(schedule.switches()) {
                    place.copy_from_slice(&(*at as u16).to_le_bytes());
                }
            }
        }
    }

    fn parse(line: &mut Line<'_>) -> Parsed<Schedule> {
        let most = i64::from(Schedule::HARTS);
        let harts = line.integer(1..=most, "a number of harts")? as u8;
        if !line.keyword("harts")? && !line.keyword("hart")? {
            line.blanks()?;
            return Err(line.found("`harts`"));
        }
        line.expect_symbol(',', "`, order` and which operation goes first")?;
        if !line.keyword("order")? {
            line.blanks()?;
            return Err(line.found("`order`"));
        }
        let order = order(line)?;
        let mut switches = Vec::new();
        let mut pre_empts = false;
        while line.symbol(',')? {
            if switches.is_empty() && !pre_empts && line.keyword("switch")? {
                switches = change_points(line)?;
            } else if !pre_empts && line.keyword("pre-empt")? {
                pre_empts = true;
            } else {
                line.blanks()?;
                return Err(line.found("`switch` and instructions, or `pre-empt`"));
            }
        }
        Ok(Schedule::new(harts, order, pre_empts, &switches))
    }

    fn print(schedule: Schedule, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " {schedule}")
    }

    /// Fewer change points, rounder and earlier ones; no pre-emption; fewer harts; in sequence; fewer
    /// that race.
    fn simpler(schedule: Schedule) -> Vec<Schedule> {
        let (harts, order) = (schedule.harts(), schedule.order());
        let (pre_empts, switches) = (schedule.pre_empts(), schedule.switches());
        let mut simpler = Vec::new();
        for left_out in 0..switches.len() {
            let mut fewer = switches.to_vec();
            fewer.remove(left_out);
            simpler.push(schedule.with_switches(&fewer));
        }
        if let [first, others @ ..] = switches {
            // A process that gives way at once is the same as a process that goes last.
            let others: Vec<u32> = others.iter().map(|at| at - first).collect();
            let length = order.ranks().len();
            let orders = Order::all().filter(|order| order.ranks().len() == length);
            simpler.extend(orders.map(|order| Schedule::new(harts, order, pre_empts, &others)));
        }
        if pre_empts && harts > 1 {
            simpler.push(Schedule::new(harts, order, false, switches));
        }
        let fewer_harts = (1..harts).map(|harts| Schedule::new(harts, order, pre_empts, switches));
        simpler.extend(fewer_harts);
        let orders = (0..order.code()).map(Order::from_code);
        simpler.extend(orders.map(|order| Schedule::new(harts, order, pre_empts, switches)));
        for at in 0..switches.len() {
            let old = switches[at];
            for rounder in rounder(old) {
                let mut other = switches.to_vec();
                other[at] = rounder;
                simpler.push(schedule.with_switches(&other));
            }
        }
        simpler
    }
}

/// Numbers with fewer digits before their final zeros, and smaller ones with as many: 2869 becomes
/// 2000 or 3000 before 2900.
fn rounder(number: u32) -> impl Iterator<Item = u32> {
    let digits = |mut number: u32| {
        while number > 0 && number.is_multiple_of(10) {
            number /= 10;
        }
        number.checked_ilog10()
    };
    let around = [100_000, 10_000, 1000, 100, 10]
        .into_iter()
        .flat_map(move |unit| {
            let below = number - number % unit;
            [Some(below), below.checked_add(unit)]
        });
    let smaller = [number / 2, number - 1].map(Some);
    let rank = move |number: u32| (digits(number), number);
    let candidates = around.chain(smaller).flatten();
    candidates.filter(move |other| *other > 0 && rank(*other) < rank(number))
}

fn order(line: &mut Line<'_>) -> Parsed<Order> {
    line.blanks()?;
    let start = line.position();
    let ranks = numbers(line, 1..=3, "a place among the operations that follow")?;
    let ranks: Vec<u8> = ranks.into_iter().map(|rank| rank as u8).collect();
    Order::of(&ranks).ok_or_else(|| {
        let at = start..line.position();
        Complaint::new(at, "an order has 1 and 2, or 1, 2 and 3, each once")
            .help("`order 2 1`: the second of the next two operations goes first")
    })
}

fn change_points(line: &mut Line<'_>) -> Parsed<Vec<u32>> {
    line.blanks()?;
    let start = line.position();
    let points = numbers(
        line,
        1..=Schedule::LATEST.into(),
        "a number of instructions",
    )?;
    let at = start..line.position();
    let ascending = points.windows(2).all(|pair| pair[0] < pair[1]);
    if points.len() > Schedule::SWITCHES || !ascending {
        let most = Schedule::SWITCHES;
        let message = format!("there are at most {most} change points, in ascending order");
        return Err(Complaint::new(at, message)
            .help("each is a number of instructions since the race began, of all harts together"));
    }
    if points.len() > Schedule::FAR_SWITCHES
        && points
            .iter()
            .any(|point| *point > Schedule::LAST_NEAR.into())
    {
        let message = format!(
            "if a change point is after {}, there are at most {}",
            Schedule::LAST_NEAR,
            Schedule::FAR_SWITCHES
        );
        return Err(Complaint::new(at, message).help("leave one of them out"));
    }
    Ok(points.into_iter().map(|point| point as u32).collect())
}

/// One number or more, up to something else.
fn numbers(line: &mut Line<'_>, range: RangeInclusive<i64>, expected: &str) -> Parsed<Vec<i64>> {
    let mut numbers = Vec::new();
    loop {
        numbers.push(line.integer(range.clone(), expected)?);
        line.blanks()?;
        if !line.continues_with(|c| c.is_ascii_digit()) {
            return Ok(numbers);
        }
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
        assert_eq!(far.switches(), [120, 70_000]);
        let latest = Schedule::new(3, order, false, &[u32::MAX]);
        assert_eq!(latest.switches(), [Schedule::LATEST]);
        let one = Schedule::new(0, order, false, &[]);
        assert!(one.pre_empts());
        assert_eq!(one.to_string(), "1 hart, order 2 1");
    }
}
