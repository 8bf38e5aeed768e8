//! What memory needs to know of the program that a process runs: its regions, and how to read those
//! of its pages that come from a file.

use super::frames::Frame;
use super::region::{FilePart, Regions};

/// The program's file cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unreadable;

/// A use of a program's image. All processes that run the program since the same `exec` use one
/// image.
pub trait Image: Clone {
    /// All regions but the heap.
    fn regions(&self) -> &Regions;

    /// The image's place among all images.
    fn place(&self) -> u8;

    /// Reads a part of the program's file into the beginning of `to`. May sleep: not for a caller
    /// that holds any lock.
    ///
    /// # Errors
    /// The file cannot be read.
    fn read(&self, part: FilePart, to: Frame) -> Result<(), Unreadable>;
}
