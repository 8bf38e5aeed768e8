//! Guest code, decoded: operations, the blocks they form, and the cache of blocks.

mod cache;
mod decode;
mod loops;
mod operation;
mod pairs;
mod translate;

pub(crate) use cache::{BlockId, CodeCache, Parts};
pub(crate) use loops::{Loop, Stored, While};
pub(crate) use operation::{Code, NO_LINK, Operation};
pub(crate) use pairs::with_pairs;
pub(crate) use translate::{Draft, Source};
