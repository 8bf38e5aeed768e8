//! Program images: the regions of a running program and the file that they come from, shared by all
//! processes that run it since the same `exec`.

use crate::file_system::program_file::{PROGRAM_FILES, ProgramFile};
use crate::memory::Frame;
use crate::memory::image::{self, Unreadable};
use crate::memory::region::{FilePart, Regions};
use crate::sync::pool::{Counted, Pool};

/// What `exec` made from the headers of a program file.
pub struct ProgramImage {
    /// All regions but the heap.
    regions: Regions,
    file: ProgramFile,
}

/// A use of an image.
pub type Image = Counted<ProgramImage, PROGRAM_FILES>;

static IMAGES: Pool<ProgramImage, PROGRAM_FILES> = Pool::new(&"images");

impl ProgramImage {
    /// An image of `file`, whose headers describe `regions`.
    pub fn share(file: ProgramFile, regions: Regions) -> Image {
        IMAGES.add(ProgramImage { regions, file })
    }
}

impl image::Image for Image {
    #[inline]
    fn regions(&self) -> &Regions {
        &self.regions
    }

    #[inline]
    fn place(&self) -> u8 {
        Counted::place(self)
    }

    fn read(&self, part: FilePart, to: Frame) -> Result<(), Unreadable> {
        let read = self.file.read(part.offset, to, part.length);
        read.map_err(|_| Unreadable)
    }
}

/// The regions of the image in `place`, if there is one.
pub fn regions_at(place: u8) -> Option<Regions> {
    IMAGES.look(place, |image| image.regions.clone())
}
