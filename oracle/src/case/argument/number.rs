//! Plain numbers: rounds, ticks, members of a crowd, frames.

use super::{Argument, low_half};
use crate::case::Call;
use crate::case::binary::Record;
use crate::case::parse::{Line, Parsed, at_least_one};
use std::fmt;
use std::num::NonZeroU8;

/// Rounds of the scheduler, 1 to 255; 1 is the default, and is not written. Byte 6.
pub(crate) enum Rounds {}

impl Argument for Rounds {
    type Value = NonZeroU8;

    fn decode(record: &Record) -> NonZeroU8 {
        NonZeroU8::new(record[6]).unwrap_or(NonZeroU8::MIN)
    }

    fn encode(rounds: NonZeroU8, record: &mut Record) {
        record[6] = rounds.get();
    }

    fn parse(line: &mut Line<'_>) -> Parsed<NonZeroU8> {
        if line.is_at_end()? {
            return Ok(NonZeroU8::MIN);
        }
        line.integer(1..=255, "a number of rounds")
            .map(at_least_one)
    }

    fn print(rounds: NonZeroU8, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " {rounds}")
    }

    fn simpler(_rounds: NonZeroU8) -> Vec<NonZeroU8> {
        vec![NonZeroU8::MIN]
    }
}

/// Ticks of the timer, -128 to 127. Byte 6.
pub(crate) enum Ticks {}

impl Argument for Ticks {
    type Value = i8;

    fn decode(record: &Record) -> i8 {
        record[6] as i8
    }

    fn encode(ticks: i8, record: &mut Record) {
        record[6] = ticks as u8;
    }

    fn parse(line: &mut Line<'_>) -> Parsed<i8> {
        let ticks = line.integer(-128..=127, "a number of ticks")?;
        Ok(ticks as i8)
    }

    fn print(ticks: i8, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " {ticks}")
    }

    fn simpler(ticks: i8) -> Vec<i8> {
        let simpler = [0, 1].into_iter();
        simpler.take_while(|simpler| *simpler != ticks).collect()
    }
}

/// Members of a crowd, 1 to 255. Byte 6, modulo 16 unless byte 7 is 0.
pub(crate) enum Members {}

impl Argument for Members {
    type Value = NonZeroU8;

    fn decode(record: &Record) -> NonZeroU8 {
        Nth::decode(record)
    }

    fn encode(members: NonZeroU8, record: &mut Record) {
        record[6] = members.get();
    }

    fn parse(line: &mut Line<'_>) -> Parsed<NonZeroU8> {
        line.integer(1..=255, "how many children").map(at_least_one)
    }

    fn print(members: NonZeroU8, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " {members}")
    }

    /// Fewer.
    fn simpler(members: NonZeroU8) -> Vec<NonZeroU8> {
        fewer(members)
    }
}

/// Smaller numbers than this one, the smallest first.
pub(super) fn fewer(number: NonZeroU8) -> Vec<NonZeroU8> {
    let fewer = [1, number.get() / 2, number.get() - 1].into_iter();
    let fewer = fewer.filter(|fewer| *fewer < number.get());
    fewer.filter_map(NonZeroU8::new).collect()
}

/// Frames that are left free, below 65535; [`Call::ALL_FRAMES`] is all of them. Bytes 6 and 7 if
/// byte 1 is 0; else few, by the lower half of byte 6.
pub(crate) enum FrameCount {}

impl Argument for FrameCount {
    type Value = u16;

    fn decode(record: &Record) -> u16 {
        match record[1] {
            0 => low_half(record) as u16,
            _ => u16::from(record[6] % 16),
        }
    }

    fn encode(free: u16, record: &mut Record) {
        record[6..].copy_from_slice(&free.to_le_bytes());
    }

    fn parse(line: &mut Line<'_>) -> Parsed<u16> {
        if line.keyword("all")? {
            return Ok(Call::ALL_FRAMES);
        }
        let range = 0..=i64::from(Call::ALL_FRAMES) - 1;
        let free = line.integer(range, "a number of frames, `all`, or `fail`")?;
        Ok(free as u16)
    }

    fn print(free: u16, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match free {
            Call::ALL_FRAMES => f.write_str(" all"),
            _ => write!(f, " {free}"),
        }
    }

    fn simpler(free: u16) -> Vec<u16> {
        less_pressure(free)
    }
}

/// Less pressure is simpler: more of what is left free, up to a number that a person can still count.
fn less_pressure(free: u16) -> Vec<u16> {
    const MOST: u16 = 64;
    let candidates = [free.saturating_mul(2), free.saturating_add(1)];
    let more = candidates.into_iter();
    more.filter(|more| *more > free && *more <= MOST).collect()
}

/// Blocks of the disk that are left free, below 1024. Bytes 6 and 7; few, by the lower half of byte 6, if
/// they are more.
pub(crate) enum Room {}

impl Room {
    const MOST: u16 = 1023;
}

impl Argument for Room {
    type Value = u16;

    fn decode(record: &Record) -> u16 {
        match low_half(record) as u16 {
            exact @ 0..=Room::MOST => exact,
            other => other % 16,
        }
    }

    fn encode(free: u16, record: &mut Record) {
        record[6..].copy_from_slice(&free.to_le_bytes());
    }

    fn parse(line: &mut Line<'_>) -> Parsed<u16> {
        let free = line.integer(0..=i64::from(Room::MOST), "how many are left free")?;
        Ok(free as u16)
    }

    fn print(free: u16, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " {free}")
    }

    fn simpler(free: u16) -> Vec<u16> {
        less_pressure(free)
    }
}

/// Which request for frames fails, counted from now on: 1 (the next) to 255. Byte 6, modulo 16
/// unless byte 7 is 0.
pub(crate) enum Nth {}

impl Argument for Nth {
    type Value = NonZeroU8;

    fn decode(record: &Record) -> NonZeroU8 {
        let nth = match record[7] {
            0 => record[6],
            _ => record[6] % 16,
        };
        NonZeroU8::new(nth).unwrap_or(NonZeroU8::MIN)
    }

    fn encode(nth: NonZeroU8, record: &mut Record) {
        record[6] = nth.get();
    }

    fn parse(line: &mut Line<'_>) -> Parsed<NonZeroU8> {
        line.integer(1..=255, "which request fails")
            .map(at_least_one)
    }

    fn print(nth: NonZeroU8, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " {nth}")
    }

    /// An earlier request.
    fn simpler(nth: NonZeroU8) -> Vec<NonZeroU8> {
        fewer(nth)
    }
}
