//! The values that a field of a dialect may have, each with its meaning.

use crate::layout::Permissions;
use crate::named::named;
use serde::{Deserialize, Deserializer, Serialize};

/// A value that a field may have, as a dialect file spells it, and what it means.
pub type Choice = (&'static str, &'static str);

/// A type that a field of a dialect may have.
pub(super) trait Value {
    /// All values that the field may have. Empty for numbers, which have a range.
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
    /// What the kernel does with a call that goes past a bound.
    pub enum Bound {
        /// The call returns -1, and nothing changes.
        Refused = "refused",
        /// The call succeeds.
        Granted = "granted",
    }

    /// What `sbrk` does if the new break would be below address 0.
    pub enum BelowZero {
        /// The call returns -1, and nothing changes.
        Refused = "refused",
        /// The call returns the old break, and nothing changes.
        Ignored = "ignored",
    }

    /// When the kernel allocates frames for memory that a program asked for.
    pub enum Growth {
        /// When the program touches a page: lazy allocation.
        OnTouch = "on-touch",
        /// In `sbrk`, as in every xv6 before lazy allocation.
        AtOnce = "at-once",
    }

    /// How the kernel treats the bytes between the program break and the end of its page.
    pub enum Tail {
        /// Programs and system calls may use them like the memory below the break.
        Accessible = "accessible",
        /// A program may use them. A system call may compare addresses with the break and refuse them.
        ForPrograms = "for-programs",
        /// A program may load from them if it has touched the page before. It may store to them if no
        /// fork has shared the page since. Any other access may be refused.
        MayFault = "may-fault",
    }

    /// What a fork does with memory.
    pub enum ForkMemory {
        /// Parent and child share a page until one of them stores to it: copy-on-write.
        Shared = "shared",
        /// The fork copies every mapped page at once.
        Copied = "copied",
    }

    /// When the kernel reads a program's pages from its file.
    pub enum Loading {
        /// It reads each page when the program touches it.
        OnDemand = "on-demand",
        /// `exec` reads all of them.
        AtOnce = "at-once",
    }

    /// How `exec` places the segments of a program in memory.
    pub enum SegmentRule {
        /// No two segments share a page, and nothing is mapped between segments. `exec` refuses a
        /// segment that begins below the end of the one before.
        Separate = "separate",
        /// Memory is contiguous from address 0 to the end of the last segment. New pages get the permissions
        /// of the segment for which memory grows. A segment may store its bytes to pages of an earlier one.
        Contiguous = "contiguous",
    }

    /// What the kernel does with the size in a program's `PT_GNU_STACK` header.
    pub enum StackRequest {
        /// The stack can grow to that size, or to the kernel's limit if that is smaller.
        Granted = "granted",
        /// It ignores the header: every stack has the same size.
        Ignored = "ignored",
    }

    /// What a program may do with its pages.
    pub enum SegmentPermissions {
        /// What its file asks for. It may load from its stack and store to it.
        AsAsked = "as-asked",
        /// Everything. It may change its own code and execute its data, as in xv6 until 2022.
        All = "all",
    }

    /// What happens to a byte of a pipe that `read` could not store.
    pub enum RefusedByte {
        /// The next `read` gets it.
        Kept = "kept",
        /// It is lost.
        Lost = "lost",
    }

    /// What a `read` of no bytes does.
    pub enum EmptyRead {
        /// It waits for a byte, like any other read.
        Waits = "waits",
        /// It returns 0 at once.
        Returns = "returns",
    }

    /// When `write` fails on a pipe that no process can read any more.
    pub enum WithoutReader {
        /// At once.
        Fails = "fails",
        /// When the pipe is full and the writer would sleep, as in xv6 until 2020.
        FailsWhenFull = "fails-when-full",
    }

    /// What `wait` stores about a child that ended.
    pub enum ExitStatus {
        /// It stores the argument of the child's `exit`, or -1 if the child was killed.
        Told = "told",
        /// It stores 0 for every child.
        Zero = "zero",
        /// It stores nothing, as in xv6 until September 2019.
        Untold = "untold",
    }

    /// What `read` from a file does with a length below 0.
    pub enum ReadBelowZero {
        /// It reads nothing, and returns -1 or 0.
        Nothing = "nothing",
        /// It treats the length as a very large one.
        Everything = "everything",
    }

    /// What a system call does when only a part of its buffer is bad.
    pub enum BadBuffer {
        /// The call copies the bytes before the bad address.
        DoneInPart = "done-in-part",
        /// The kernel checks the whole buffer first: the call returns -1, and nothing changes.
        Refused = "refused",
    }

    /// What counts as written if the kernel could not fill a block of a transaction.
    pub enum RefusedTransaction {
        /// The blocks before that block.
        CountsBlocks = "counts-blocks",
        /// Nothing. The offset stays, although the file may have grown and bytes may have changed.
        CountsNothing = "counts-nothing",
        /// All bytes, as in xv6 until August 2020: `write` returns the whole length. A `read` that cannot
        /// store all bytes returns the whole length too.
        CountsAll = "counts-all",
    }

    /// The content of a block that `write` could not fill.
    pub enum RefusedBlock {
        /// The bytes that the kernel could read.
        FilledInPart = "filled-in-part",
        /// Either those bytes or its old bytes: the cache and the disk may differ.
        Open = "open",
    }

    /// What is left of a removed directory.
    pub enum RemovedDirectory {
        /// Nothing: no path leads through it.
        Empty = "empty",
        /// `.` and `..`: they still lead to the same directories.
        KeepsDots = "keeps-dots",
    }
}

impl SegmentPermissions {
    /// What a program may do with pages for which its file asks these permissions.
    pub fn granted(self, asked: Permissions) -> Permissions {
        match self {
            SegmentPermissions::AsAsked => asked,
            SegmentPermissions::All => Permissions::all(),
        }
    }
}

/// How many low bits of a number the kernel uses.
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
