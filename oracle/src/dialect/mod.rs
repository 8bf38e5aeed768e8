//! Dialects: how kernels may legitimately differ.
//!
//! A dialect is a small TOML file; every field below is one question that real kernels answer
//! differently although none of them is wrong. No field exists to hide a bug.

use crate::case::Flavour;
use crate::layout::Permissions;
use abi::limits::ROOT_DEVICE;
use serde::{Deserialize, Serialize};

/// How one kernel behaves where kernels may differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dialect {
    /// What to call the kernel in reports.
    pub name: String,
    /// The program break.
    pub sbrk: Sbrk,
    /// The heap.
    pub heap: Heap,
    /// What happens on a forbidden access.
    pub faults: Faults,
    /// What a fork costs.
    pub fork: Fork,
    /// How programs are started.
    pub exec: Exec,
    /// Pipes.
    pub pipe: Pipe,
    /// Files and directories.
    pub files: FileRules,
    /// Sizes of tables.
    pub limits: Limits,
}

/// How `sbrk` takes its arguments and where it refuses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sbrk {
    /// How many low bits of the amount count, sign extended: 64, or 32 as in C's `int`.
    pub amount_bits: Bits,
    /// A break below the start of the heap: refused with -1, or granted, so that a program can give
    /// its own image back. (Granted ones are not driven: the agent would lose its own code.)
    pub below_heap: Bound,
    /// A break below address 0: refused with -1, or ignored (nothing changes, the old break is
    /// returned).
    pub below_zero: BelowZero,
    /// Whether memory that is asked for without a flavour is allocated when it is touched, or at
    /// once, as in every xv6 before lazy allocation.
    pub growth: Growth,
    /// Whether flavour 1 allocates at once; if not, the second argument is ignored.
    pub eager_flavour: bool,
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

/// What happens at a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bound {
    /// -1, and nothing changes.
    Refused,
    /// It is done.
    Granted,
}

/// What a break below address 0 does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BelowZero {
    /// -1, and nothing changes.
    Refused,
    /// The old break, and nothing changes.
    Ignored,
}

/// When memory that was asked for gets its frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Growth {
    /// When it is touched.
    OnTouch,
    /// By `sbrk`.
    AtOnce,
}

/// What the heap's pages are like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heap {
    /// Whether heap pages may be executed.
    pub executable: bool,
    /// The bytes between the break and the end of its page.
    pub tail: Tail,
}

/// What lies between the program break and the end of its page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tail {
    /// Memory like that below the break.
    Accessible,
    /// The same for a program; a system call may compare addresses with the break and refuse it.
    ForPrograms,
    /// Memory if the page was touched, and for a store not shared since; otherwise a touch may be
    /// refused.
    MayFault,
}

/// What happens on a forbidden access.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Faults {
    /// Whether the kernel says on the console whom it kills, in xv6's words.
    pub announced: bool,
}

/// What a fork costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fork {
    /// Whether memory is shared until somebody stores to it, or copied at once.
    pub memory: ForkMemory,
    /// Frames that a process takes beside its memory and the page tables below the root that map
    /// it: root table, tables for the top of the address space, trapframe, kernel stack; a guard
    /// page that holds a frame.
    pub overhead_frames: u64,
}

/// What a fork does with memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForkMemory {
    /// Copy-on-write.
    Shared,
    /// Every mapped page is copied.
    Copied,
}

/// How programs are started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exec {
    /// Whether a program's pages are read when they are touched, or at once.
    pub loading: Loading,
    /// What a program gets that asks for a larger stack than others have.
    pub stack: StackRequest,
    /// Pages of the stack of a program that asks for none: 1 in most, 1 to 16.
    pub stack_pages: u64,
    /// What a program may do with the pages of its segments and with its stack.
    pub permissions: SegmentPermissions,
    /// How the segments of a program lie in its memory.
    pub segments: SegmentRule,
    /// How many low bits of an offset in a program file count: 64, or 32 as in C's `int`.
    pub offset_bits: Bits,
    /// Pages directly below the trapframe that the kernel has for every program to look into, as a lab
    /// asks for: 0 to 8. (What they hold is not driven.)
    #[serde(default)]
    pub shared_pages: u64,
}

/// When a program's pages are read from its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loading {
    /// Each when it is touched.
    OnDemand,
    /// All by `exec`.
    AtOnce,
}

/// How the segments of a program lie in its memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SegmentRule {
    /// Each has pages of its own, with nothing between them; one that begins below the end of the
    /// one before is refused.
    Separate,
    /// Memory begins at address 0 and is continued up to the end of each segment, with that one's
    /// permissions; a segment's bytes may go to pages of an earlier one.
    Contiguous,
}

/// What becomes of the size in a program's `PT_GNU_STACK` header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StackRequest {
    /// The stack grows up to that size, at most to [`abi::limits::GROWING_STACK_PAGES`].
    Granted,
    /// Nothing: every stack is of one size.
    Ignored,
}

/// What a program may do with its pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SegmentPermissions {
    /// What its file asks for; its stack can be loaded from and stored to.
    AsAsked,
    /// Everything: it may change its own code, and execute its data. So xv6 until 2022.
    All,
}

/// How pipes deal with addresses that cannot be touched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pipe {
    /// Bytes that a pipe holds.
    pub bytes: u32,
    /// What `write` returns if not even the first byte can be read: 0 or -1. (With later ones it
    /// returns how many were written.)
    pub write_to_bad_first_byte: i8,
    /// What `read` returns if not even the first byte can be stored: 0 or -1.
    pub read_to_bad_first_byte: i8,
    /// What becomes of the byte that `read` could not store.
    pub refused_byte: RefusedByte,
    /// What a `read` of no bytes does when the pipe is empty and has writers.
    pub empty_read_of_nothing: EmptyRead,
    /// When a `write` fails because nobody can read any more.
    #[serde(default)]
    pub write_without_reader: WithoutReader,
}

/// What becomes of a byte that could not be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefusedByte {
    /// The next read gets it.
    Kept,
    /// It is gone.
    Lost,
}

/// What a `read` of no bytes does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EmptyRead {
    /// It waits for a byte, as any other read.
    Waits,
    /// It returns 0 at once.
    Returns,
}

/// When a `write` to a pipe fails that nobody can read any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WithoutReader {
    /// At once.
    #[default]
    Fails,
    /// When the pipe is full and the writer would have to sleep. So xv6 until 2020.
    FailsWhenFull,
}

/// How files and directories change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileRules {
    /// What becomes of a read, a write or a pipe whose buffer is bad in part.
    pub bad_buffer: BadBuffer,
    /// The most bytes that `write` writes in one transaction. Each is written or refused on its own:
    /// as a whole if the file would get too large, and from the first block on that cannot be filled
    /// from user memory.
    pub transaction_bytes: u32,
    /// What counts as written of a transaction with such a block.
    pub refused_transaction: RefusedTransaction,
    /// In such a block, the bytes before the one that may not be read. They do not count as
    /// written, and only those that take the place of others can ever be seen.
    pub refused_block: RefusedBlock,
    /// What is left of a directory that was removed while it is somebody's current one.
    pub removed_directory: RemovedDirectory,
    /// Whether `open` knows the flag that empties a file.
    pub truncates: bool,
    /// A byte behind xv6's largest file, of 268 blocks. (Granted ones are not driven.)
    pub larger_files: Bound,
    /// The number that the kernel gives to its disk, as `fstat` tells it.
    #[serde(default = "root_device")]
    pub device: u32,
}

fn root_device() -> u32 {
    ROOT_DEVICE
}

/// What becomes of a system call whose buffer is bad in part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BadBuffer {
    /// It is done up to there.
    DoneInPart,
    /// The kernel looks at the whole buffer first: -1, and nothing changes.
    Refused,
}

/// What counts as written of a transaction that met a block which it could not fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefusedTransaction {
    /// The blocks before that one.
    CountsBlocks,
    /// Nothing: the offset stays, although the file may have grown and bytes may have changed.
    CountsNothing,
}

/// What becomes of a block that a write could not fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefusedBlock {
    /// It holds what could be read.
    FilledInPart,
    /// It may hold that, or what it held before: in a cache the one, on the disk the other.
    Open,
}

/// What is left of a removed directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RemovedDirectory {
    /// No path leads through it.
    Empty,
    /// `.` and `..` lead where they led.
    KeepsDots,
}

/// Sizes of the kernel's tables.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// File descriptors that a process has, at most 16.
    pub files_per_process: u8,
    /// Open files in the whole system; each end of a pipe is one.
    pub files: u16,
    /// Segments of a program, those without bytes included.
    pub segments: u16,
}

/// A dialect file that is none.
#[derive(Debug, thiserror::Error)]
pub enum DialectError {
    /// The TOML is malformed, or a field is missing, unknown or of the wrong kind.
    #[error("this is not a dialect: {0}")]
    Malformed(#[from] toml::de::Error),
    /// A number is out of range.
    #[error("dialect {dialect}: {field} must be {range}")]
    OutOfRange {
        /// The dialect's name.
        dialect: String,
        /// Which field.
        field: &'static str,
        /// What it may be.
        range: &'static str,
    },
}

const FAULTLINE: &str = include_str!("faultline.toml");
const XV6_2025: &str = include_str!("xv6-2025.toml");

impl Sbrk {
    /// Whether a growth of that flavour allocates at once.
    pub fn is_eager(&self, flavour: Flavour) -> bool {
        self.growth == Growth::AtOnce || (self.eager_flavour && flavour == Flavour::Eager)
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

impl Dialect {
    /// Our own kernel.
    pub fn faultline() -> Dialect {
        Dialect::built_in(FAULTLINE)
    }

    /// The C kernel xv6-riscv of 2025.
    pub fn xv6_2025() -> Dialect {
        Dialect::built_in(XV6_2025)
    }

    fn built_in(text: &str) -> Dialect {
        Dialect::parse(text).expect("the files in this folder are dialects: a test reads them all")
    }

    /// The text of a dialect file.
    ///
    /// # Errors
    /// Never, for all that is known: every field has a form in TOML.
    pub fn to_text(&self) -> Result<String, toml::ser::Error> {
        toml::to_string(self)
    }

    /// Reads a dialect file.
    ///
    /// # Errors
    /// Says which field is missing, unknown or out of range.
    pub fn parse(text: &str) -> Result<Dialect, DialectError> {
        let dialect: Dialect = toml::from_str(text)?;
        let checks = [
            (
                (1..=1 << 16).contains(&dialect.pipe.bytes),
                "pipe.bytes",
                "1 to 65536",
            ),
            (
                (1..=16).contains(&dialect.exec.stack_pages),
                "exec.stack_pages",
                "1 to 16",
            ),
            (
                (0..=8).contains(&dialect.exec.shared_pages),
                "exec.shared_pages",
                "0 to 8",
            ),
            (
                (2..=16).contains(&dialect.limits.files_per_process),
                "limits.files_per_process",
                "2 to 16",
            ),
            (
                (1..=1 << 20).contains(&dialect.files.transaction_bytes),
                "files.transaction_bytes",
                "1 to 1048576",
            ),
            (
                matches!(dialect.pipe.write_to_bad_first_byte, -1 | 0),
                "pipe.write_to_bad_first_byte",
                "0 or -1",
            ),
            (
                matches!(dialect.pipe.read_to_bad_first_byte, -1 | 0),
                "pipe.read_to_bad_first_byte",
                "0 or -1",
            ),
        ];
        match checks.into_iter().find(|(holds, ..)| !holds) {
            None => Ok(dialect),
            Some((_, field, range)) => Err(DialectError::OutOfRange {
                dialect: dialect.name,
                field,
                range,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Dialect, DialectError, FAULTLINE};

    #[test]
    fn built_in_dialects_are_read() {
        assert_eq!(Dialect::faultline().name, "faultline");
        assert_eq!(Dialect::xv6_2025().name, "xv6-2025");
    }

    #[test]
    fn a_dialect_is_written_as_it_is_read() {
        for dialect in [Dialect::faultline(), Dialect::xv6_2025()] {
            assert_eq!(
                Dialect::parse(&dialect.to_text().unwrap()).unwrap(),
                dialect
            );
        }
    }

    #[test]
    fn unknown_fields_are_refused() {
        let text = FAULTLINE.replace("[heap]", "[heap]\nleaks_are_fine = true");
        let error = Dialect::parse(&text).unwrap_err().to_string();
        assert!(error.contains("leaks_are_fine"), "{error}");
    }

    #[test]
    fn numbers_are_checked() {
        let text = FAULTLINE.replace("files_per_process = 16", "files_per_process = 99");
        assert!(matches!(
            Dialect::parse(&text),
            Err(DialectError::OutOfRange {
                field: "limits.files_per_process",
                ..
            })
        ));
    }
}
