//! How much is loaded or stored, and what, and how often.

use super::number::fewer;
use super::{Argument, low_half};
use crate::case::binary::{EXACT, Record};
use crate::case::parse::{Line, Parsed, at_least_one};
use crate::case::text_error::Complaint;
use std::fmt;
use std::num::NonZeroU8;

/// How many bytes a load or store moves. It follows the word directly: `load8`. Lower bits of byte 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Width {
    /// One byte.
    One,
    /// Two bytes.
    Two,
    /// Four bytes.
    Four,
    /// Eight bytes.
    Eight,
}

impl Width {
    /// All widths, narrowest first.
    pub const ALL: [Width; 4] = [Width::One, Width::Two, Width::Four, Width::Eight];

    /// 1, 2, 4 or 8.
    pub fn bytes(self) -> u64 {
        1 << self as u32
    }

    /// The part of `value` that this many bytes hold.
    pub fn truncate(self, value: u64) -> u64 {
        match self {
            Width::Eight => value,
            _ => value & ((1 << (self.bytes() * 8)) - 1),
        }
    }
}

impl Argument for Width {
    type Value = Width;

    const IS_SUFFIX: bool = true;

    fn decode(record: &Record) -> Width {
        Width::ALL[usize::from(record[5] & 3)]
    }

    fn encode(width: Width, record: &mut Record) {
        record[5] |= width as u8;
    }

    fn parse(line: &mut Line<'_>) -> Parsed<Width> {
        let digits = line.suffix()?;
        let mut widths = Width::ALL.into_iter();
        let width = widths.find(|width| width.bytes().to_string() == digits);
        let width = width.ok_or_else(|| {
            let word = line.operation();
            let message = format!("`{word}` moves 1, 2, 4 or 8 bytes, found `{word}{digits}`");
            let complaint = Complaint::new(line.at(), message);
            complaint.help(format!("write `{word}8` for eight bytes"))
        })?;
        line.moves(width);
        Ok(width)
    }

    fn print(width: Width, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", width.bytes())
    }

    fn simpler(width: Width) -> Vec<Width> {
        let narrower = Width::ALL.into_iter();
        narrower.take_while(|other| *other != width).collect()
    }
}

/// A value that a store can carry: 16 bits, sign extended or repeated. Bytes 6 and 7; bit 2 of byte 5
/// if they are repeated.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct StoredValue {
    low: u16,
    repeated: bool,
}

impl StoredValue {
    /// A small number, sign extended to 64 bits.
    pub fn number(value: i16) -> StoredValue {
        StoredValue {
            low: value as u16,
            repeated: false,
        }
    }

    /// Sixteen bits four times over: shows which part of a wide store went wrong.
    pub fn repeated(low: u16) -> StoredValue {
        // All zeros and all ones are numbers as well, and a value has one form only.
        StoredValue {
            low,
            repeated: low != 0 && low != u16::MAX,
        }
    }

    /// The value with exactly these 64 bits, if there is one.
    pub fn from_bits(bits: u64) -> Option<StoredValue> {
        [Self::number(bits as i16), Self::repeated(bits as u16)]
            .into_iter()
            .find(|value| value.bits() == bits)
    }

    /// All 64 bits.
    pub fn bits(self) -> u64 {
        if self.repeated {
            u64::from(self.low) * 0x0001_0001_0001_0001
        } else {
            i64::from(self.low as i16) as u64
        }
    }
}

impl fmt::Display for StoredValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.repeated {
            write!(f, "{:#x}", self.bits())
        } else {
            write!(f, "{}", self.low as i16)
        }
    }
}

impl fmt::Debug for StoredValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Argument for StoredValue {
    type Value = StoredValue;

    fn decode(record: &Record) -> StoredValue {
        match record[5] & REPEATED {
            0 => StoredValue::number(low_half(record)),
            _ => StoredValue::repeated(low_half(record) as u16),
        }
    }

    fn encode(value: StoredValue, record: &mut Record) {
        if value.repeated {
            record[5] |= REPEATED;
        }
        record[6..].copy_from_slice(&value.low.to_le_bytes());
    }

    fn parse(line: &mut Line<'_>) -> Parsed<StoredValue> {
        let (number, at) = line.signed("a value")?;
        let width = line.width();
        let fits = (-(1 << 63)..1 << 64).contains(&number);
        let bits = number as u64;
        let exact = StoredValue::from_bits(bits);
        // A narrow store does not care what a value says beyond its width.
        let narrow = || {
            let candidates = [
                StoredValue::number(bits as i16),
                StoredValue::repeated(bits as u16),
            ];
            let mut candidates = candidates.into_iter();
            candidates.find(|value| width.truncate(value.bits()) == width.truncate(bits))
        };
        let fitting = exact.or_else(|| (width.truncate(bits) == bits).then(narrow).flatten());
        fitting.filter(|_| fits).ok_or_else(|| {
            let message = "a stored value is -32768 to 32767, or 16 bits repeated";
            let repeated = StoredValue::repeated(bits as u16);
            Complaint::new(at, message).help(format!("write {:#x}", repeated.bits()))
        })
    }

    fn print(value: StoredValue, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " {value}")
    }

    fn simpler(value: StoredValue) -> Vec<StoredValue> {
        let simpler = [StoredValue::number(0), StoredValue::number(1)].into_iter();
        simpler.take_while(|simpler| *simpler != value).collect()
    }
}

/// Bit of byte 5: a value is repeated.
const REPEATED: u8 = 4;

/// The distance between two touches: a power of two of bytes, below 2^40; a page is the default.
/// Its exponent is in byte 5 with [`EXACT`]; else the lower three bits mostly mean a page.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stride(u8);

impl Stride {
    /// One touch a page.
    pub const PAGE: Stride = Stride(12);

    /// 2 to the power of `exponent` (modulo 40) bytes.
    pub fn power(exponent: u8) -> Stride {
        Stride(exponent % 40)
    }

    /// The stride of exactly this many bytes: a power of two below 2^40.
    pub fn from_bytes(bytes: u64) -> Option<Stride> {
        (bytes.is_power_of_two() && bytes.trailing_zeros() < 40)
            .then(|| Stride(bytes.trailing_zeros() as u8))
    }

    /// The exponent of two.
    pub fn exponent(self) -> u8 {
        self.0
    }

    /// In bytes.
    pub fn bytes(self) -> u64 {
        1 << self.0
    }
}

impl fmt::Debug for Stride {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.bytes())
    }
}

impl Argument for Stride {
    type Value = Stride;

    fn decode(record: &Record) -> Stride {
        match (record[5] & EXACT, record[5] & 7) {
            (EXACT, _) => Stride::power(record[5] & !EXACT),
            (_, 6) => Stride::power(9),
            (_, 7) => Stride::power(21),
            _ => Stride::PAGE,
        }
    }

    fn encode(stride: Stride, record: &mut Record) {
        record[5] = EXACT | stride.exponent();
    }

    fn parse(line: &mut Line<'_>) -> Parsed<Stride> {
        if !line.keyword("stride")? {
            return Ok(Stride::PAGE);
        }
        let (bytes, at) = line.signed("a number of bytes")?;
        let stride = u64::try_from(bytes).ok().and_then(Stride::from_bytes);
        stride.ok_or_else(|| {
            let complaint = Complaint::new(at, "a stride is a power of two below 2^40");
            complaint.help("0x1000 goes from page to page")
        })
    }

    fn print(stride: Stride, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match stride {
            Stride::PAGE => Ok(()),
            other => write!(f, " stride {:#x}", other.bytes()),
        }
    }

    fn simpler(_stride: Stride) -> Vec<Stride> {
        vec![Stride::PAGE]
    }
}

/// How many touches, 1 to 255. Byte 6, modulo 16 if byte 7 is odd.
pub(crate) enum Count {}

impl Argument for Count {
    type Value = NonZeroU8;

    fn decode(record: &Record) -> NonZeroU8 {
        let count = match record[7] & 1 {
            0 => record[6],
            _ => record[6] % 16,
        };
        NonZeroU8::new(count).unwrap_or(NonZeroU8::MIN)
    }

    fn encode(count: NonZeroU8, record: &mut Record) {
        record[6] = count.get();
    }

    fn parse(line: &mut Line<'_>) -> Parsed<NonZeroU8> {
        line.integer(1..=255, "a number of touches")
            .map(at_least_one)
    }

    fn print(count: NonZeroU8, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " {count}")
    }

    fn simpler(count: NonZeroU8) -> Vec<NonZeroU8> {
        fewer(count)
    }
}
