//! Arguments that a kernel has to handle although no program of xv6 passes them.

use super::{Amount, Argument, Base, low_half};
use crate::case::binary::Record;
use crate::case::parse::{Line, Parsed};
use crate::case::text_error::Complaint;
use std::fmt;

/// What a process puts into the high half of a register that holds an `int`: 32 bits. Bytes 1 to 4.
pub(crate) enum Word {}

impl Argument for Word {
    type Value = u32;

    fn decode(record: &Record) -> u32 {
        u32::from_le_bytes([record[1], record[2], record[3], record[4]])
    }

    fn encode(word: u32, record: &mut Record) {
        record[1..5].copy_from_slice(&word.to_le_bytes());
    }

    fn parse(line: &mut Line<'_>) -> Parsed<u32> {
        let word = line.integer(0..=u32::MAX.into(), "half of a register")?;
        Ok(word as u32)
    }

    fn print(word: u32, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " {word:#x}")
    }

    fn simpler(word: u32) -> Vec<u32> {
        let simpler = [1].into_iter();
        simpler.take_while(|simpler| *simpler < word).collect()
    }
}

/// The number of a system call: a small number, or 2^n plus a small number. Byte 1 has the base, byte 2 its exponent,
/// and bytes 6 and 7 have the small number.
pub(crate) enum CallNumber {}

impl Argument for CallNumber {
    type Value = Amount;

    fn decode(record: &Record) -> Amount {
        let base = match record[1] & 3 {
            1 => Base::Power(record[2]),
            2 => Base::MinusPower(record[2]),
            _ => Base::Nothing,
        };
        Amount::new(base, 0, low_half(record))
    }

    fn encode(number: Amount, record: &mut Record) {
        (record[1], record[2]) = match number.base() {
            Base::Power(exponent) => (1, exponent),
            Base::MinusPower(exponent) => (2, exponent),
            Base::Nothing | Base::Distance(_) => (0, 0),
        };
        record[6..].copy_from_slice(&number.extra_bytes().to_le_bytes());
    }

    fn parse(line: &mut Line<'_>) -> Parsed<Amount> {
        line.blanks()?;
        let start = line.position();
        let number = Amount::parse(line)?;
        if matches!(number.base(), Base::Distance(_)) || number.extra_pages() != 0 {
            let at = start..line.position();
            let message =
                "the number of a system call has at most 15 bits, or is `2^n` plus such a number";
            return Err(Complaint::new(at, message));
        }
        Ok(number)
    }

    fn print(number: Amount, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = number.to_string();
        write!(f, " {}", text.strip_prefix('+').unwrap_or(&text))
    }

    fn simpler(number: Amount) -> Vec<Amount> {
        let (base, more) = (number.base(), number.extra_bytes());
        let least = Amount::bytes(0);
        let round = Amount::new(base, 0, 0);
        let candidates = if base == Base::Nothing {
            vec![least]
        } else if more == 0 {
            vec![least, Amount::bytes(-1)]
        } else {
            vec![least, Amount::bytes(-1), round]
        };
        let simpler = candidates.into_iter();
        simpler.take_while(|simpler| *simpler != number).collect()
    }
}
