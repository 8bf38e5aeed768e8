//! The outline of an address space, for others to see: its process keeps it up to date, any hart may
//! read it at any time. It may be a few moments old.

use core::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use super::program_image::{self, Image};
use super::region::{Region, Regions};
use crate::address::Page;

/// No place of an image.
const NO_IMAGE: u8 = u8::MAX;

/// What others may know of an address space.
pub struct Outline {
    mapped_pages: AtomicU64,
    program_break: AtomicU64,
    /// The place of its image among all images; [`NO_IMAGE`] if there is no address space.
    image: AtomicU8,
}

/// What an outline said at some moment.
pub struct View {
    /// Pages that were mapped, shared ones included.
    pub mapped_pages: u64,
    /// The program's regions.
    pub program: Regions,
    /// The heap.
    pub heap: Region,
}

impl Outline {
    /// There is no address space.
    pub const fn new() -> Outline {
        Outline {
            mapped_pages: AtomicU64::new(0),
            program_break: AtomicU64::new(0),
            image: AtomicU8::new(NO_IMAGE),
        }
    }

    /// The program break has moved.
    #[inline]
    pub(super) fn set_break(&self, program_break: u64) {
        self.program_break.store(program_break, Ordering::Relaxed);
    }

    /// This is the address space now.
    #[inline]
    pub(super) fn set(&self, image: &Image, mapped_pages: u64, program_break: u64) {
        self.mapped_pages.store(mapped_pages, Ordering::Relaxed);
        self.image.store(image.place(), Ordering::Relaxed);
        self.set_break(program_break);
    }

    /// There is none any more.
    pub fn clear(&self) {
        self.image.store(NO_IMAGE, Ordering::Relaxed);
    }

    /// What it says just now; `None` if there is no address space.
    pub fn view(&self) -> Option<View> {
        let program = program_image::regions_at(self.image.load(Ordering::Relaxed))?;
        let heap_start = program.end();
        let heap_end = Page::at_or_after(self.program_break.load(Ordering::Relaxed));
        Some(View {
            mapped_pages: self.mapped_pages.load(Ordering::Relaxed),
            program,
            heap: Region::heap(heap_start..heap_end.max(heap_start)),
        })
    }
}
