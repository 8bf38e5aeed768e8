//! What operations are about: widths, values, strides, flavours, targets.

use super::Process;
use std::fmt;

/// How many bytes a load or store moves.
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

/// The second argument of `sbrk`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Flavour {
    /// Allocate at the first touch.
    Lazy,
    /// Allocate at once.
    Eager,
    /// Some other number below 64, which a kernel may take for either (ours: lazy).
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

    /// The flavour that `number` (modulo 64) stands for.
    pub fn from_number(number: u8) -> Flavour {
        match number % 64 {
            2 => Flavour::Lazy,
            1 => Flavour::Eager,
            other => Flavour::Other(other),
        }
    }
}

/// A value that a store can carry: 16 bits, sign extended or repeated.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct StoredValue {
    pub(super) low: u16,
    pub(super) repeated: bool,
}

impl StoredValue {
    /// A small number, sign extended to 64 bits.
    pub fn number(value: i16) -> StoredValue {
        StoredValue {
            low: value as u16,
            repeated: false,
        }
    }

    /// Sixteen bits four times over: shows which part of a wide store went astray.
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

/// The distance between two touches: a power of two of bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stride(u8);

impl Stride {
    /// One touch a page.
    pub const PAGE: Stride = Stride(12);

    /// 2 to the power of `exponent` (modulo 40) bytes.
    pub fn power(exponent: u8) -> Stride {
        Stride(exponent % 40)
    }

    /// The stride of exactly so many bytes: a power of two below 2^40.
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

/// For what a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OpenMode {
    /// Reading.
    Read,
    /// Writing.
    Write,
    /// Both.
    ReadWrite,
}

impl OpenMode {
    /// All modes, in the order of their binary codes.
    pub const ALL: [OpenMode; 3] = [OpenMode::Read, OpenMode::Write, OpenMode::ReadWrite];

    /// The number to pass.
    pub fn number(self) -> u64 {
        u64::from(match self {
            OpenMode::Read => abi::open::READ_ONLY,
            OpenMode::Write => abi::open::WRITE_ONLY,
            OpenMode::ReadWrite => abi::open::READ_WRITE,
        })
    }

    /// The word that stands for the mode in text.
    pub fn word(self) -> &'static str {
        match self {
            OpenMode::Read => "read",
            OpenMode::Write => "write",
            OpenMode::ReadWrite => "read-write",
        }
    }
}

bitflags::bitflags! {
    /// What `open` does besides opening.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct OpenFlags: u8 {
        /// Makes the file if there is none.
        const CREATE = 1;
        /// Throws away what it holds.
        const TRUNCATE = 2;
    }
}

impl OpenFlags {
    /// The number to add to that of an [`OpenMode`].
    pub fn number(self) -> u64 {
        let number = |flag, number: u32| if self.contains(flag) { number } else { 0 };
        let create = number(OpenFlags::CREATE, abi::open::CREATE);
        let truncate = number(OpenFlags::TRUNCATE, abi::open::TRUNCATE);
        u64::from(create | truncate)
    }

    /// The words that stand for the flags in text.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        let words = [
            (OpenFlags::CREATE, "create"),
            (OpenFlags::TRUNCATE, "truncate"),
        ];
        let set = words
            .into_iter()
            .filter(move |(flag, _)| self.contains(*flag));
        set.map(|(_, word)| word)
    }
}

/// Who is to be killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// A process of the case.
    Process(Process),
    /// Whoever has this process identifier.
    Pid(i32),
}
