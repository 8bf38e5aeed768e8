//! The types of arguments about files: descriptors, lengths, how a file is opened, device numbers.

use super::{Argument, form, low_half};
use crate::case::binary::{EXACT, Record};
use crate::case::parse::{Line, Parsed};
use std::fmt;

/// The file descriptors that a case can name: all that a process may have, and some that no process has.
pub const DESCRIPTORS: std::ops::RangeInclusive<i8> = -64..=63;

/// A file descriptor, one of [`DESCRIPTORS`]. Byte 5 with [`EXACT`]; else 0 to 3, by its lower bits.
pub(crate) enum Descriptor {}

impl Argument for Descriptor {
    type Value = i8;

    fn decode(record: &Record) -> i8 {
        match record[5] & EXACT {
            0 => (record[5] & 3) as i8,
            _ => ((record[5] << 1) as i8) >> 1,
        }
    }

    fn encode(fd: i8, record: &mut Record) {
        record[5] = EXACT | fd as u8;
    }

    fn parse(line: &mut Line<'_>) -> Parsed<i8> {
        let range = i64::from(*DESCRIPTORS.start())..=i64::from(*DESCRIPTORS.end());
        let fd = line.integer(range, "a file descriptor")?;
        Ok(fd as i8)
    }

    fn print(fd: i8, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " {fd}")
    }

    fn simpler(_fd: i8) -> Vec<i8> {
        Vec::new()
    }
}

/// The length of a buffer in bytes, -32768 to 32767. Bytes 6 and 7 if the offset form is 0; else
/// mostly a small number, or about what a pipe holds.
pub(crate) enum Length {}

impl Argument for Length {
    type Value = i16;

    const IS_LENGTH: bool = true;

    fn decode(record: &Record) -> i16 {
        let exact = low_half(record);
        if form(record) == 0 {
            return exact;
        }
        let low = i16::from(record[6]);
        match record[7] {
            0..64 => low % 16,
            64..160 => low % 64,
            // Around what a pipe holds.
            160..224 => 496 + low % 32,
            224.. => exact,
        }
    }

    fn encode(length: i16, record: &mut Record) {
        record[6..].copy_from_slice(&length.to_le_bytes());
    }

    fn parse(line: &mut Line<'_>) -> Parsed<i16> {
        let length = line.integer(i16::MIN.into()..=i16::MAX.into(), "a length")?;
        Ok(length as i16)
    }

    fn print(length: i16, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " {length}")
    }

    fn simpler(length: i16) -> Vec<i16> {
        let size = length.unsigned_abs();
        let shorter = [0, 1, 8, length / 2, length - length.signum()].into_iter();
        shorter
            .filter(|shorter| shorter.unsigned_abs() < size)
            .collect()
    }
}

/// For what a file is opened; reading is the default, and is not written. Lower two bits of byte 5, modulo 3.
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

    /// The word for the mode in text.
    pub fn word(self) -> &'static str {
        match self {
            OpenMode::Read => "read",
            OpenMode::Write => "write",
            OpenMode::ReadWrite => "read-write",
        }
    }
}

bitflags::bitflags! {
    /// What `open` does besides opening. Bits 2 and 3 of byte 5.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct OpenFlags: u8 {
        /// Creates the file if it does not exist.
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

    /// The words for the flags in text.
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

impl Argument for OpenMode {
    type Value = OpenMode;

    fn decode(record: &Record) -> OpenMode {
        OpenMode::ALL[usize::from(record[5] & 3) % OpenMode::ALL.len()]
    }

    fn encode(mode: OpenMode, record: &mut Record) {
        record[5] |= mode as u8;
    }

    fn parse(line: &mut Line<'_>) -> Parsed<OpenMode> {
        for mode in OpenMode::ALL {
            if line.keyword(mode.word())? {
                return Ok(mode);
            }
        }
        Ok(OpenMode::Read)
    }

    fn print(mode: OpenMode, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match mode {
            OpenMode::Read => Ok(()),
            OpenMode::Write | OpenMode::ReadWrite => write!(f, " {}", mode.word()),
        }
    }

    fn simpler(_mode: OpenMode) -> Vec<OpenMode> {
        vec![OpenMode::Read]
    }
}

/// Bits of byte 5 below those of the flags.
const FLAGS_SHIFT: u32 = 2;

impl Argument for OpenFlags {
    type Value = OpenFlags;

    fn decode(record: &Record) -> OpenFlags {
        OpenFlags::from_bits_truncate(record[5] >> FLAGS_SHIFT)
    }

    fn encode(flags: OpenFlags, record: &mut Record) {
        record[5] |= flags.bits() << FLAGS_SHIFT;
    }

    fn parse(line: &mut Line<'_>) -> Parsed<OpenFlags> {
        let mut flags = OpenFlags::empty();
        for flag in OpenFlags::all().iter() {
            for word in flag.words() {
                flags.set(flag, line.keyword(word)?);
            }
        }
        if line.is_at_end()? {
            return Ok(flags);
        }
        Err(line.found(
            "`read`, `write`, `read-write`, then `create`, then `truncate`, or the end of the line",
        ))
    }

    fn print(flags: OpenFlags, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        flags.words().try_for_each(|word| write!(f, " {word}"))
    }

    fn simpler(flags: OpenFlags) -> Vec<OpenFlags> {
        let fewer = flags.iter().map(|flag| flags - flag);
        [OpenFlags::empty()].into_iter().chain(fewer).collect()
    }
}

/// A device's major number, 0 to 255. Byte 6.
pub(crate) enum Major {}

impl Argument for Major {
    type Value = u8;

    fn decode(record: &Record) -> u8 {
        record[6]
    }

    fn encode(major: u8, record: &mut Record) {
        record[6] = major;
    }

    fn parse(line: &mut Line<'_>) -> Parsed<u8> {
        let major = line.integer(0..=255, "a major number")?;
        Ok(major as u8)
    }

    fn print(major: u8, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " {major}")
    }

    fn simpler(_major: u8) -> Vec<u8> {
        vec![0]
    }
}
