//! Open files: what file descriptors refer to, shared by all processes that inherited or duplicated them.

use super::pipe::Way;

/// What an open file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// One end of the pipe with that number.
    Pipe { pipe: usize, way: Way },
    /// A file or directory of the disk.
    File(OpenNode),
}

/// A file of the disk, being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OpenNode {
    pub(crate) inode: u32,
    /// Where the next read begins.
    pub(crate) offset: u32,
    /// Whether that is not known, because the disk had no room for all of a write.
    pub(crate) is_lost: bool,
    pub(crate) readable: bool,
    pub(crate) writable: bool,
}

/// An entry of the table of open files.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpenFile {
    pub(crate) target: Target,
    /// How many descriptors refer to it; with none it is free.
    pub(crate) holders: u32,
}
