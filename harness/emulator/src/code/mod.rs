//! Guest code, decoded: operations, the blocks they form, and the cache of blocks.

mod cache;
mod compressed;
mod decode;
mod operation;
mod translate;

pub(crate) use cache::{BlockId, CodeCache};
pub(crate) use operation::{Code, NO_LINK};
pub(crate) use translate::{Draft, Source};
