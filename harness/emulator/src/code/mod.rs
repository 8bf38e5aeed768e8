//! Guest code, decoded: operations, the blocks they form, and the cache of blocks.

mod cache;
mod codes;
mod decode;
mod loops;
mod operation;
mod translate;

pub(crate) use cache::{BlockId, CodeCache, Parts};
pub(crate) use codes::{Code, Single, with_codes};
pub(crate) use decode::Known;
pub(crate) use loops::{Loop, Stored, While};
pub(crate) use operation::{Block, Exit, Mark, NO_LINK, Operation};
pub(crate) use translate::{Draft, Source};
