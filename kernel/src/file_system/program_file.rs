//! Files that programs run from. For the program the file stays what it was when the program began.
//!
//! A page of a program is read from its file when it is first touched. The file may be changed or
//! removed before that. So a [`ProgramFile`]
//! - refers to the file's inode, which therefore outlives its last name;
//! - takes a copy of the file before it is written or truncated, and reads from that afterwards.
//!   Everything that changes a file calls [`preserve`] first, with the inode locked: nobody can
//!   read the file between the call and the change, and no program can begin to run from it.

use abi::limits::PROCESSES;

use super::file_copy::FileCopy;
use super::{Failed, Inode, InodeReference, transaction};
use crate::memory::Frame;
use crate::sync::SpinLock;
use crate::sync::pool::{Counted, Pool};

/// Program files that can be in use: that of each process, and one that it makes in `exec`.
pub const PROGRAM_FILES: usize = 2 * PROCESSES;

/// A file that a program runs from.
pub struct ProgramFile(Counted<Source, PROGRAM_FILES>);

static SOURCES: Pool<Source, PROGRAM_FILES> = Pool::new(&"program files");

/// Where the file's bytes are.
struct Source {
    file: Option<InodeReference>,
    /// What the file held, if it was written since. Set while the inode is locked, and only once.
    copy: SpinLock<Option<FileCopy>>,
}

impl Drop for Source {
    fn drop(&mut self) {
        let file = self.file.take();
        // If it has lost its last name, it is freed here.
        transaction(|| drop(file));
    }
}

impl ProgramFile {
    /// `file`, which the caller has locked since it looked into it.
    pub fn new(file: InodeReference) -> ProgramFile {
        ProgramFile(SOURCES.add(Source {
            file: Some(file),
            copy: SpinLock::new(&"file copy", None),
        }))
    }

    /// Reads `length` bytes from `offset` on into the beginning of `to`. May sleep: not for a
    /// caller that holds a spin lock, an inode or a buffer.
    ///
    /// # Errors
    /// The disk cannot read it.
    pub fn read(&self, offset: u32, to: Frame, length: usize) -> Result<(), Failed> {
        // While the inode is locked, nobody changes the file or makes a copy.
        let reference = self.0.file.as_ref().ok_or(Failed)?;
        let mut file = reference.lock()?;
        if let Some(copy) = &*self.0.copy.lock() {
            return copy.copy_to(to, offset, length);
        }
        file.read_frame(offset, to, length)
    }
}

impl Source {
    /// Whether the program needs what `file` holds.
    fn depends_on(&self, file: &Inode<'_>) -> bool {
        let reference = self.file.as_ref();
        reference.is_some_and(|reference| reference.number() == file.number())
            && self.copy.lock().is_none()
    }
}

/// Makes all programs that run from `file` independent of it. The file is about to change.
///
/// # Errors
/// The file cannot be read, or there are too few frames. Then it must not change.
pub(super) fn preserve(file: &mut Inode<'_>) -> Result<(), Failed> {
    let mut needed = false;
    SOURCES.each(|source| needed |= source.depends_on(file));
    if !needed {
        return Ok(());
    }
    let copy = FileCopy::read(file)?;
    let mut result = Ok(());
    SOURCES.each(|source| {
        if source.depends_on(file) {
            match copy.share() {
                Ok(shared) => *source.copy.lock() = Some(shared),
                Err(_) => result = Err(Failed),
            }
        }
    });
    result
}
