//! Amounts for `sbrk`: small ones, enormous ones, and exact distances to a place; and its flavours.

use super::{Argument, form, low_half, position, sign_extend};
use crate::case::binary::Record;
use crate::case::parse::{Line, Parsed};
use crate::case::text_error::Complaint;
use crate::layout::{Layout, PAGE_SIZE, page_ceiling};
use std::fmt;

/// Where an amount starts counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Base {
    /// Nothing: the amount is pages and bytes.
    Nothing,
    /// 2 to the power of this, 0 to 63. 2^63 is the smallest 64-bit integer, as it wraps.
    Power(u8),
    /// Minus 2 to the power of this, 0 to 63.
    MinusPower(u8),
    /// What brings the program break to this place.
    Distance(Place),
}

/// A place whose distance from the program break makes an interesting amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// Address 0.
    Zero,
    /// The start of the heap.
    Heap,
    /// The next page boundary at or above the break.
    PageEnd,
    /// The trapframe: the largest break there can be.
    Trapframe,
    /// The end of virtual addresses.
    MaxVa,
}

impl Place {
    /// All places, in the order of their binary codes.
    pub const ALL: [Place; 5] = [
        Place::Zero,
        Place::Heap,
        Place::PageEnd,
        Place::Trapframe,
        Place::MaxVa,
    ];

    /// The word for the place in text.
    pub fn word(self) -> &'static str {
        match self {
            Place::Zero => "zero",
            Place::Heap => "heap",
            Place::PageEnd => "page",
            Place::Trapframe => "trapframe",
            Place::MaxVa => "maxva",
        }
    }
}

/// The amount by which `sbrk` is asked to move the program break: a base, and pages and bytes more.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Amount {
    base: Base,
    pages: i16,
    bytes: i16,
}

impl Amount {
    /// `base` and `pages` pages and `bytes` bytes more. Exponents are taken modulo 64.
    pub fn new(base: Base, pages: i16, bytes: i16) -> Amount {
        let base = match base {
            Base::Power(exponent) => Base::Power(exponent % 64),
            Base::MinusPower(exponent) => Base::MinusPower(exponent % 64),
            other => other,
        };
        Amount { base, pages, bytes }
    }

    /// So many pages.
    pub fn pages(pages: i16) -> Amount {
        Amount::new(Base::Nothing, pages, 0)
    }

    /// So many bytes.
    pub fn bytes(bytes: i16) -> Amount {
        Amount::new(Base::Nothing, 0, bytes)
    }

    /// What the amount starts from.
    pub fn base(self) -> Base {
        self.base
    }

    /// Whole pages beyond the base.
    pub fn extra_pages(self) -> i16 {
        self.pages
    }

    /// Bytes beyond the base and the pages.
    pub fn extra_bytes(self) -> i16 {
        self.bytes
    }

    /// The number to pass, for a process whose program break is `program_break`. Wraps at 2^64.
    pub fn resolve(self, layout: &Layout, program_break: u64) -> i64 {
        let to = |place: u64| place.wrapping_sub(program_break) as i64;
        let base = match self.base {
            Base::Nothing => 0,
            Base::Power(exponent) => (1u64 << exponent) as i64,
            Base::MinusPower(exponent) => (1u64 << exponent).wrapping_neg() as i64,
            Base::Distance(Place::Zero) => to(0),
            Base::Distance(Place::Heap) => to(layout.heap),
            Base::Distance(Place::PageEnd) => to(page_ceiling(program_break)),
            Base::Distance(Place::Trapframe) => to(layout.trapframe),
            Base::Distance(Place::MaxVa) => to(layout.max_va),
        };
        base.wrapping_add(i64::from(self.pages) * PAGE_SIZE as i64)
            .wrapping_add(i64::from(self.bytes))
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.base {
            Base::Nothing => {}
            Base::Power(exponent) => write!(f, "+2^{exponent}")?,
            Base::MinusPower(exponent) => write!(f, "-2^{exponent}")?,
            Base::Distance(place) => write!(f, "to {}", place.word())?,
        }
        if self.pages != 0 {
            write!(f, "{:+}p", self.pages)?;
        }
        if self.bytes != 0 || (self.pages == 0 && self.base == Base::Nothing) {
            write!(f, "{:+}", self.bytes)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Byte 1 has the base in its lower half, and a form in the upper; byte 2 an exponent. Bytes 4 and 5
/// are pages, 6 and 7 bytes; in the loose forms there are few of them.
impl Argument for Amount {
    type Value = Amount;

    fn decode(record: &Record) -> Amount {
        let base = match record[1] & 0xf {
            1 => Base::Power(record[2]),
            2 => Base::MinusPower(record[2]),
            code @ 3..=7 => Base::Distance(Place::ALL[usize::from(code) - 3]),
            _ => Base::Nothing,
        };
        let pages = i16::from_le_bytes([record[4], record[5]]);
        let bytes = low_half(record);
        let few = sign_extend(u16::from(record[4]), 4);
        match form(record) {
            1..=9 => Amount::new(base, few, 0),
            10 | 11 => Amount::new(base, few, sign_extend(u16::from(record[6]), 8)),
            12 | 13 => Amount::new(base, 0, bytes),
            _ => Amount::new(base, pages, bytes),
        }
    }

    fn encode(amount: Amount, record: &mut Record) {
        (record[1], record[2]) = match amount.base {
            Base::Nothing => (0, 0),
            Base::Power(exponent) => (1, exponent),
            Base::MinusPower(exponent) => (2, exponent),
            Base::Distance(place) => (3 + position(&Place::ALL, &place), 0),
        };
        record[4..6].copy_from_slice(&amount.pages.to_le_bytes());
        record[6..].copy_from_slice(&amount.bytes.to_le_bytes());
    }

    fn parse(line: &mut Line<'_>) -> Parsed<Amount> {
        line.blanks()?;
        let start = line.position();
        let mut sum = Sum::default();
        if line.keyword("to")? {
            sum.base = Some(Base::Distance(parse_place(line)?));
        }
        let mut any = sum.base.is_some();
        while sum.add_term(start, any, line)? {
            any = true;
        }
        if !any {
            let example = "an amount, such as `+3p`, `-1`, `2^31-1` or `to trapframe+1`";
            return Err(line.found(example));
        }
        sum.amount().ok_or_else(|| {
            let at = start..line.position();
            Complaint::new(at, "an amount of pages or bytes is at most 128 MiB")
                .help("write a larger one as `2^n` and the difference, such as `2^31-1p`")
        })
    }

    fn print(amount: Amount, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " {amount}")
    }

    /// Less: no base, fewer pages, no bytes.
    fn simpler(amount: Amount) -> Vec<Amount> {
        let (base, pages, bytes) = (amount.base, amount.pages, amount.bytes);
        let mut simpler = Vec::new();
        if base != Base::Nothing {
            simpler.push(Amount::pages(if matches!(base, Base::MinusPower(_)) {
                -1
            } else {
                1
            }));
            if (pages, bytes) != (0, 0) {
                simpler.push(Amount::new(base, 0, 0));
            }
        }
        for fewer in [0, pages.signum(), pages / 2, pages - pages.signum()] {
            if fewer.unsigned_abs() < pages.unsigned_abs() {
                simpler.push(Amount::new(base, fewer, bytes));
            }
        }
        for fewer in [0, bytes.signum(), bytes / 2] {
            if fewer.unsigned_abs() < bytes.unsigned_abs() {
                simpler.push(Amount::new(base, pages, fewer));
            }
        }
        simpler
    }
}

/// An amount that is being read.
#[derive(Default)]
struct Sum {
    base: Option<Base>,
    pages: i128,
    bytes: i128,
}

impl Sum {
    /// Reads and adds the next term, if there is one: the first of a sum may have no sign. The sum
    /// began at `start`.
    fn add_term(&mut self, start: usize, any: bool, line: &mut Line<'_>) -> Parsed<bool> {
        line.blanks()?;
        let sign = line.sign()?;
        if sign.is_none() && (any || !line.continues_with(|c| c.is_ascii_digit())) {
            return Ok(false);
        }
        let is_negative = sign == Some('-');
        if line.power_follows()? {
            let exponent = line.integer(0..=63, "an exponent")? as u8;
            let base = if is_negative {
                Base::MinusPower(exponent)
            } else {
                Base::Power(exponent)
            };
            if self.base.replace(base).is_some() {
                let at = start..line.position();
                let message = "an amount has one `2^n` or `to …`, not two";
                return Err(Complaint::new(at, message));
            }
            return Ok(true);
        }
        let (number, unit) = self.number(line)?;
        *unit += if is_negative { -number } else { number };
        Ok(true)
    }

    /// Reads a number, and says what it is a number of.
    fn number(&mut self, line: &mut Line<'_>) -> Parsed<(i128, &mut i128)> {
        let (digits, at) = line.run(|c| c.is_ascii_alphanumeric())?;
        let (number, unit) = match digits.strip_suffix('p') {
            Some(number) => (number, &mut self.pages),
            None => (digits, &mut self.bytes),
        };
        let parsed = match number.strip_prefix("0x") {
            Some(number) => u64::from_str_radix(number, 16),
            None => number.parse(),
        };
        let Ok(number) = parsed else {
            let what = format!("expected bytes (`24`), pages (`3p`) or `2^n`, found `{digits}`");
            return Err(Complaint::new(at, what));
        };
        Ok((number.into(), unit))
    }

    /// The amount, if 16 bits hold its pages: bytes that 16 bits do not hold become pages.
    fn amount(self) -> Option<Amount> {
        let Sum { base, pages, bytes } = self;
        let base = base.unwrap_or(Base::Nothing);
        let (pages, bytes) = match i16::try_from(bytes) {
            Ok(_) => (pages, bytes),
            Err(_) => (pages + bytes.div_euclid(4096), bytes.rem_euclid(4096)),
        };
        Some(Amount::new(
            base,
            pages.try_into().ok()?,
            bytes.try_into().ok()?,
        ))
    }
}

fn parse_place(line: &mut Line<'_>) -> Parsed<Place> {
    let (name, at) = line.name()?;
    let found = Place::ALL.into_iter().find(|place| place.word() == name);
    found.ok_or_else(|| {
        let words: Vec<_> = Place::ALL.iter().map(|place| place.word()).collect();
        Complaint::new(at, format!("there is no place `{name}`"))
            .help(format!("there are {}", words.join(", ")))
    })
}

/// The second argument of `sbrk`; `lazy` is the default, and is not written. Byte 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Flavour {
    /// Allocate at the first touch.
    Lazy,
    /// Allocate at once.
    Eager,
    /// Some other number below 64, which a kernel may take for either of them (ours: lazy).
    Other(u8),
}

impl Flavour {
    /// The number to pass.
    pub fn number(self) -> u64 {
        match self {
            Flavour::Lazy => u64::from(abi::sbrk::LAZY),
            Flavour::Eager => u64::from(abi::sbrk::EAGER),
            Flavour::Other(number) => u64::from(number),
        }
    }

    /// The flavour that `number` (modulo 64) means.
    pub fn from_number(number: u8) -> Flavour {
        match number % 64 {
            2 => Flavour::Lazy,
            1 => Flavour::Eager,
            other => Flavour::Other(other),
        }
    }
}

/// Upper bits of byte 3 of a flavour that has no name.
const OTHER_FLAVOUR: u8 = 0xc0;

impl Argument for Flavour {
    type Value = Flavour;

    fn decode(record: &Record) -> Flavour {
        match record[3] {
            odd if odd >= OTHER_FLAVOUR => Flavour::from_number(odd & !OTHER_FLAVOUR),
            eager if eager & 7 == 1 => Flavour::Eager,
            _ => Flavour::Lazy,
        }
    }

    fn encode(flavour: Flavour, record: &mut Record) {
        record[3] = match flavour {
            Flavour::Lazy => 0,
            Flavour::Eager => 1,
            Flavour::Other(number) => OTHER_FLAVOUR | number,
        };
    }

    fn parse(line: &mut Line<'_>) -> Parsed<Flavour> {
        if line.is_at_end()? || line.keyword("lazy")? {
            Ok(Flavour::Lazy)
        } else if line.keyword("eager")? {
            Ok(Flavour::Eager)
        } else if line.keyword("flavour")? {
            let number = line.integer(0..=63, "a flavour")?;
            Ok(Flavour::from_number(number as u8))
        } else {
            Err(line.found("`lazy`, `eager`, `flavour` and a number, or the end of the line"))
        }
    }

    fn print(flavour: Flavour, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match flavour {
            Flavour::Lazy => Ok(()),
            Flavour::Eager => f.write_str(" eager"),
            Flavour::Other(number) => write!(f, " flavour {number}"),
        }
    }

    fn simpler(_flavour: Flavour) -> Vec<Flavour> {
        vec![Flavour::Lazy]
    }
}
