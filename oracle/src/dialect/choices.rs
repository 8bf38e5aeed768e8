//! What a field of a dialect may say: the allowed words, each with its meaning.

use crate::layout::Permissions;
use crate::named::named;
use serde::{Deserialize, Deserializer, Serialize};

/// A word or a number that a field may say, and what it means.
pub type Choice = (&'static str, &'static str);

/// A type that a field of a dialect may have.
pub(super) trait Value {
    /// All that the field may say; empty for numbers, which have a range.
    fn choices() -> Vec<Choice> {
        Vec::new()
    }
}

impl Value for i8 {}
impl Value for u8 {}
impl Value for u16 {}
impl Value for u32 {}
impl Value for u64 {}

impl Value for bool {
    fn choices() -> Vec<Choice> {
        vec![("true", "Yes."), ("false", "No.")]
    }
}

/// Declares enums that a dialect file spells by their names.
macro_rules! choices {
    ($( $(#[$attribute:meta])* pub enum $Choice:ident { $($rows:tt)+ } )+) => { $(
        named! {
            $(#[$attribute])*
            pub enum $Choice { $($rows)+ }
        }

        impl<'de> Deserialize<'de> for $Choice {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let name = String::deserialize(deserializer)?;
                $Choice::named(&name).ok_or_else(|| {
                    let allowed = $Choice::ALL.map($Choice::name).join(", ");
                    serde::de::Error::custom(format!("{name:?} is not one of: {allowed}"))
                })
            }
        }

        impl Value for $Choice {
            fn choices() -> Vec<Choice> {
                $Choice::ALL.map(|choice| (choice.name(), choice.about())).to_vec()
            }
        }
    )+ };
}

choices! {
    /// What happens at a bound.
    pub enum Bound {
        /// The call returns -1, and nothing changes.
        Refused = "refused",
        /// It is done.
        Granted = "granted",
    }

    /// What a break below address 0 does.
    pub enum BelowZero {
        /// The call returns -1, and nothing changes.
        Refused = "refused",
        /// The call returns the old break, and nothing changes.
        Ignored = "ignored",
    }

    /// When memory that a program asked for gets its frames.
    pub enum Growth {
        /// When it is touched: lazy allocation.
        OnTouch = "on-touch",
        /// In `sbrk`, as in every xv6 before lazy allocation.
        AtOnce = "at-once",
    }

    /// What lies between the program break and the end of its page.
    pub enum Tail {
        /// Memory like that below the break.
        Accessible = "accessible",
        /// Memory for a program. A system call may compare addresses with the break and refuse it.
        ForPrograms = "for-programs",
        /// Memory if the page was touched, and for a store only if it is not shared since. Otherwise
        /// a touch may be refused.
        MayFault = "may-fault",
    }

    /// What a fork does with memory.
    pub enum ForkMemory {
        /// Parent and child share it until one of them stores to it: copy-on-write.
        Shared = "shared",
        /// Every mapped page is copied at once.
        Copied = "copied",
    }

    /// When a program's pages are read from its file.
    pub enum Loading {
        /// Each when it is touched.
        OnDemand = "on-demand",
        /// All by `exec`.
        AtOnce = "at-once",
    }

    /// How the segments of a program lie in its memory.
    pub enum SegmentRule {
        /// Each segment has pages of its own, and nothing is mapped between segments. A segment that
        /// begins below the end of the one before is refused.
        Separate = "separate",
        /// Memory begins at address 0 and goes on to the end of each segment, with the permissions of
        /// that segment. A segment's bytes may go to pages of an earlier one.
        Contiguous = "contiguous",
    }

    /// What becomes of the size in a program's `PT_GNU_STACK` header.
    pub enum StackRequest {
        /// The stack grows up to that size, up to the most pages that the kernel grants.
        Granted = "granted",
        /// The header is ignored: every stack has one size.
        Ignored = "ignored",
    }

    /// What a program may do with its pages.
    pub enum SegmentPermissions {
        /// What its file asks for. It may load from its stack and store to it.
        AsAsked = "as-asked",
        /// Everything: it may change its own code and execute its data, as in xv6 until 2022.
        All = "all",
    }

    /// What becomes of a byte that could not be stored.
    pub enum RefusedByte {
        /// The next read gets it.
        Kept = "kept",
        /// It is gone.
        Lost = "lost",
    }

    /// What a `read` of no bytes does.
    pub enum EmptyRead {
        /// It waits for a byte, as any other read does.
        Waits = "waits",
        /// It returns 0 at once.
        Returns = "returns",
    }

    /// When a `write` to a pipe without readers fails.
    pub enum WithoutReader {
        /// At once.
        Fails = "fails",
        /// When the pipe is full and the writer would have to sleep, as in xv6 until 2020.
        FailsWhenFull = "fails-when-full",
    }

    /// What becomes of a system call whose buffer is bad in part.
    pub enum BadBuffer {
        /// The call moves the bytes before the bad address.
        DoneInPart = "done-in-part",
        /// The kernel checks the whole buffer first: the call returns -1, and nothing changes.
        Refused = "refused",
    }

    /// What counts as written of a transaction with a block that could not be filled.
    pub enum RefusedTransaction {
        /// The blocks before that block.
        CountsBlocks = "counts-blocks",
        /// Nothing: the offset stays, although the file may have grown and bytes may have changed.
        CountsNothing = "counts-nothing",
    }

    /// What becomes of a block that a write could not fill.
    pub enum RefusedBlock {
        /// It holds the bytes that could be read.
        FilledInPart = "filled-in-part",
        /// It may hold those bytes or its old ones: the cache and the disk may differ.
        Open = "open",
    }

    /// What is left of a removed directory.
    pub enum RemovedDirectory {
        /// No path leads through it.
        Empty = "empty",
        /// `.` and `..` still lead where they led.
        KeepsDots = "keeps-dots",
    }
}

impl SegmentPermissions {
    /// What a program may do with pages for which it asks so much.
    pub fn granted(self, asked: Permissions) -> Permissions {
        match self {
            SegmentPermissions::AsAsked => asked,
            SegmentPermissions::All => Permissions::all(),
        }
    }
}

/// How many bits of a number count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum Bits {
    /// As many as a C `int` has.
    ThirtyTwo,
    /// As many as a register has.
    SixtyFour,
}

impl Value for Bits {
    fn choices() -> Vec<Choice> {
        vec![
            ("32", "The low 32 bits, sign extended, as in C's `int`."),
            ("64", "All bits."),
        ]
    }
}

impl TryFrom<u8> for Bits {
    type Error = String;

    fn try_from(bits: u8) -> Result<Self, String> {
        match bits {
            32 => Ok(Bits::ThirtyTwo),
            64 => Ok(Bits::SixtyFour),
            other => Err(format!("a number of bits is 32 or 64, not {other}")),
        }
    }
}

impl From<Bits> for u8 {
    fn from(bits: Bits) -> u8 {
        match bits {
            Bits::ThirtyTwo => 32,
            Bits::SixtyFour => 64,
        }
    }
}
