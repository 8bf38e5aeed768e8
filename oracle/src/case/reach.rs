//! Which memory an operation touches: the words of the last column of the table of operations.

use super::operations::for_each_operation;
use super::{Address, Call, Stride};
use crate::layout::Permissions;
use abi::limits::PATH;
use abi::stat::Stat;
use std::num::NonZeroU8;

/// A way to touch memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// A load.
    Load,
    /// A store.
    Store,
    /// The fetch of an instruction.
    Fetch,
}

impl Access {
    /// What must be permitted.
    pub fn needs(self) -> Permissions {
        match self {
            Access::Load => Permissions::READ,
            Access::Store => Permissions::WRITE,
            Access::Fetch => Permissions::EXECUTE,
        }
    }
}

/// How many bytes are touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bytes {
    /// This many bytes.
    Exactly(u64),
    /// A buffer of this many bytes, if the number is not negative.
    Buffer(i16),
    /// As many as a read from `fd` moves, at most `length`.
    ReadFrom {
        /// The file descriptor.
        fd: i8,
        /// Bytes at most, if not a negative number.
        length: i16,
    },
    /// A path up to the zero that ends it, at most [`Reach::PATH_BYTES`].
    Path,
    /// The same, of a file that the operation may make, or may give that name.
    NewPath,
}

/// Memory that an operation touches, if it comes that far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// Where it begins.
    pub address: Address,
    /// How many bytes it touches.
    pub bytes: Bytes,
    /// The kind of access.
    pub access: Access,
    /// How often, at least once.
    pub count: NonZeroU8,
    /// How far apart, if more than once.
    pub stride: Stride,
}

impl Reach {
    /// The most bytes of a path that are looked at.
    pub const PATH_BYTES: u64 = PATH as u64;

    /// Bytes of the status that `wait` stores.
    pub const STATUS_BYTES: u64 = 4;

    /// Bytes of the two descriptors that `pipe` stores.
    pub const ENDS_BYTES: u64 = 8;

    /// Bytes of what `fstat` stores.
    pub const STAT_BYTES: u64 = Stat::SIZE as u64;

    /// Bytes of an address.
    pub const POINTER_BYTES: u64 = 8;

    fn new(address: Address, access: Access, bytes: Bytes) -> Reach {
        Reach {
            address,
            bytes,
            access,
            count: NonZeroU8::MIN,
            stride: Stride::PAGE,
        }
    }

    fn every(self, stride: Stride, count: NonZeroU8) -> Reach {
        Reach {
            count,
            stride,
            ..self
        }
    }
}

fn loads(address: Address, bytes: u64) -> Reach {
    Reach::new(address, Access::Load, Bytes::Exactly(bytes))
}

fn stores(address: Address, bytes: u64) -> Reach {
    Reach::new(address, Access::Store, Bytes::Exactly(bytes))
}

fn stores_if(address: Option<Address>, bytes: u64) -> Option<Reach> {
    address.map(|address| stores(address, bytes))
}

/// The shortest instruction has two bytes.
fn fetches(address: Address) -> Reach {
    Reach::new(address, Access::Fetch, Bytes::Exactly(2))
}

fn stores_read(address: Address, fd: i8, length: i16) -> Reach {
    Reach::new(address, Access::Store, Bytes::ReadFrom { fd, length })
}

fn loads_written(address: Address, length: i16) -> Reach {
    Reach::new(address, Access::Load, Bytes::Buffer(length))
}

fn path(address: Address) -> Reach {
    Reach::new(address, Access::Load, Bytes::Path)
}

fn new_path(address: Address) -> Reach {
    Reach::new(address, Access::Load, Bytes::NewPath)
}

/// The most stretches of memory that a row of the table names.
const MOST: usize = 2;

/// A row's column as a list of fixed length.
fn list<const COUNT: usize>(given: [Option<Reach>; COUNT]) -> [Option<Reach>; MOST] {
    const { assert!(COUNT <= MOST) }
    let mut list = [None; MOST];
    list[..COUNT].copy_from_slice(&given);
    list
}

macro_rules! define_reaches {
    ($($name:ident $word:literal [$($code:tt)*] $family:ident $cost:ident $work:literal $says:ident
       ($($argument:ident: $type:ident),*) {$($reach:expr),*};)*) => {
        impl Call {
            /// The memory that the operation touches; what lies at its address comes first. What an
            /// `exec` loads of its arguments is not predicted.
            #[allow(unused_variables, reason = "not every argument is about memory")]
            pub fn reaches(&self) -> impl Iterator<Item = Reach> + use<> {
                let list = match *self {
                    $(Call::$name { $($argument),* } => list([$(Option::<Reach>::from($reach)),*]),)*
                };
                list.into_iter().flatten()
            }
        }
    };
}

for_each_operation!(define_reaches);
