//! Program images: the regions of a running program and the file behind them, shared by all
//! processes that run it since the same `exec`.
//!
//! A page of the program is read from the file when it is first touched. So that the file may change
//! or go meanwhile, an image
//! - refers to the file's inode, which therefore outlives its last name;
//! - takes a copy of the file before somebody writes or truncates it, and reads from that afterwards.
//!   Whoever changes a file calls [`preserve`] first, with the inode locked: nobody can read the file
//!   between the call and the change, and no new image of it can begin.

use abi::limits::PROCESSES;

use super::file_copy::FileCopy;
use super::frames::Frame;
use super::pool::{Counted, Pool};
use super::region::{FilePart, Regions};
use crate::file_system::{Failed, Inode, InodeReference, transaction};
use crate::sync::SpinLock;

/// What a program file made of an address space.
pub struct ProgramImage {
    /// All regions but the heap.
    pub regions: Regions,
    file: ProgramFile,
    /// What the file held, if it was written since. Set while the inode is locked, and only once.
    copy: SpinLock<Option<FileCopy>>,
}

/// Images that can exist: that of each process, and one that it makes in `exec`.
const ROOM: usize = 2 * PROCESSES;

/// A use of an image.
pub type Image = Counted<ProgramImage, ROOM>;

static IMAGES: Pool<ProgramImage, ROOM> = Pool::new(&"images");

/// The file of an image. It may have lost its last name when the image goes, and is freed then.
struct ProgramFile(Option<InodeReference>);

impl Drop for ProgramFile {
    fn drop(&mut self) {
        let reference = self.0.take();
        transaction(|| drop(reference));
    }
}

impl ProgramImage {
    /// An image of `file`, whose headers describe `regions`. The caller has locked the file since it
    /// looked there.
    pub fn new(file: InodeReference, regions: Regions) -> Image {
        IMAGES.add(ProgramImage {
            regions,
            file: ProgramFile(Some(file)),
            copy: SpinLock::new(&"file copy", None),
        })
    }

    /// Reads a part of the program into the beginning of `to`. May sleep: not for a caller that holds
    /// a spin lock, an inode or a buffer.
    ///
    /// # Errors
    /// The disk cannot read it.
    pub fn read(&self, part: FilePart, to: Frame) -> Result<(), Failed> {
        // While the inode is locked, nobody changes the file or makes a copy.
        let reference = self.file.0.as_ref().ok_or(Failed)?;
        let mut file = reference.lock()?;
        if let Some(copy) = &*self.copy.lock() {
            return copy.copy_to(to, part.offset, part.length);
        }
        file.read_frame(part.offset, to, part.length)
    }

    /// Whether the image needs what `file` holds.
    fn depends_on(&self, file: &Inode<'_>) -> bool {
        let reference = self.file.0.as_ref();
        reference.is_some_and(|reference| reference.number() == file.number())
            && self.copy.lock().is_none()
    }
}

/// The regions of the image in `place`, if there is one.
pub fn regions_at(place: u8) -> Option<Regions> {
    IMAGES.look(place, |image| image.regions.clone())
}

/// Makes all images of `file` independent of it. The file is about to change.
///
/// # Errors
/// The file cannot be read, or there are too few frames. Then it must not change.
pub fn preserve(file: &mut Inode<'_>) -> Result<(), Failed> {
    let mut needed = false;
    IMAGES.each(|image| needed |= image.depends_on(file));
    if !needed {
        return Ok(());
    }
    let copy = FileCopy::read(file)?;
    let mut result = Ok(());
    IMAGES.each(|image| {
        if image.depends_on(file) {
            match copy.share() {
                Ok(shared) => *image.copy.lock() = Some(shared),
                Err(_) => result = Err(Failed),
            }
        }
    });
    result
}
