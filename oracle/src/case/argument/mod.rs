//! The types of arguments. Each says once what it looks like in a record and in text, and what is simpler.
//!
//! What a mutation makes of an argument depends on what the model knows, and is in
//! `generation/change.rs`.

mod access;
mod address;
mod amount;
mod cut;
mod file;
mod habit;
mod keys;
mod number;
mod other_address;
mod process;
mod schedule;
mod text;
mod variation;

pub(crate) use access::Count;
pub use access::{StoredValue, Stride, Width};
pub use address::{Address, Region};
pub use amount::{Amount, Base, Flavour, Place};
pub use cut::{Cut, Remains};
pub use file::{DESCRIPTORS, OpenFlags, OpenMode};
pub(crate) use file::{Descriptor, Length, Major};
pub(crate) use habit::{CallNumber, Word};
pub use keys::Keys;
pub(crate) use number::{FrameCount, Members, Nth, Room, Rounds, Ticks};
pub(crate) use other_address::{NearAddress, StatusAddress, TheirAddress};
pub use process::Target;
pub(crate) use process::{Child, Status};
pub use schedule::{Order, Schedule};
pub(crate) use text::Terminated;
pub use text::{FULL_LENGTH_NAME, Text};
pub use variation::Variation;

use super::Process;
use super::binary::Record;
use super::parse::{Line, Parsed};
use std::fmt;

/// A type of arguments of the table of operations.
pub(crate) trait Argument {
    /// What a call holds of this type.
    type Value: Copy;

    /// Whether mutation and minimising take it for a place in memory, and try it first.
    const IS_ADDRESS: bool = false;

    /// Whether it follows the operation's word directly, like the width of `load8`.
    const IS_SUFFIX: bool = false;

    /// Whether it says how many bytes of a buffer are moved.
    const IS_LENGTH: bool = false;

    /// Whether it comes before the operation's word, like the child of `b = fork`.
    const IS_NAMED: bool = false;

    /// What a record says. Every record says something; its exact form is that of [`Self::encode`].
    fn decode(record: &Record) -> Self::Value;

    /// Writes the exact form into the bytes of a record that belong to the type, which are zero.
    fn encode(value: Self::Value, record: &mut Record);

    /// Reads the text.
    fn parse(line: &mut Line<'_>) -> Parsed<Self::Value>;

    /// Writes the text with the blank before it; nothing for a default.
    fn print(value: Self::Value, f: &mut fmt::Formatter<'_>) -> fmt::Result;

    /// Values that are simpler in one respect each, the simplest first.
    fn simpler(value: Self::Value) -> Vec<Self::Value>;

    /// The address that an operation touches first, if it is that.
    fn address(_value: Self::Value) -> Option<Address> {
        None
    }

    /// The same at another address, if it is that which an operation touches first.
    fn with_address(value: Self::Value, _new: Address) -> Self::Value {
        value
    }

    /// The process of the case that it names, if it names one.
    fn process(_value: &mut Self::Value) -> Option<&mut Process> {
        None
    }

    /// The operation's second address, if it is that.
    fn second_address(_value: Self::Value) -> Option<Address> {
        None
    }

    /// Another second address, brought near, if it is that.
    fn with_second_address(value: Self::Value, _new: Address) -> Self::Value {
        value
    }
}

/// What a call holds of a type of arguments: [`Argument::Value`] by its own name.
macro_rules! value_of {
    (CallNumber) => { $crate::case::Amount };
    (Child) => { $crate::case::Process };
    (Count) => { std::num::NonZeroU8 };
    (Descriptor) => { i8 };
    (FrameCount) => { u16 };
    (Room) => { u16 };
    (Length) => { i16 };
    (Major) => { u8 };
    (Members) => { std::num::NonZeroU8 };
    (NearAddress) => { $crate::case::Address };
    (Nth) => { std::num::NonZeroU8 };
    (Rounds) => { std::num::NonZeroU8 };
    (Status) => { i32 };
    (StatusAddress) => { Option<$crate::case::Address> };
    (Terminated) => { bool };
    (TheirAddress) => { $crate::case::Address };
    (Ticks) => { i8 };
    (Word) => { u32 };
    ($itself:ident) => { $crate::case::argument::$itself };
}

pub(crate) use value_of;

/// Bytes 6 and 7 of a record.
fn low_half(record: &Record) -> i16 {
    i16::from_le_bytes([record[6], record[7]])
}

/// Bytes 4 to 7 of a record.
fn number(record: &Record) -> i32 {
    i32::from_le_bytes([record[4], record[5], record[6], record[7]])
}

/// Offset form of a record: the upper half of byte 1. Other forms than 0 are loose.
fn form(record: &Record) -> u8 {
    record[1] >> 4
}

fn sign_extend(value: u16, bits: u32) -> i16 {
    let unused = 16 - bits;
    ((value << unused) as i16) >> unused
}

fn position<T: PartialEq>(all: &[T], value: &T) -> u8 {
    all.iter().position(|other| other == value).unwrap_or(0) as u8
}
