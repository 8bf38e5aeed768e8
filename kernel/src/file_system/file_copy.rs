//! Copies of files in frames, for programs that go on running when their file is written.

use core::sync::atomic::Ordering;

use abi::layout::PAGE_SIZE;

use super::{Failed, Inode};
use crate::address::PhysicalAddress;
use crate::memory::frames::{Frame, OutOfFrames, allocate, allocate_zeroed};

/// A file's bytes. The frames may be shared with other copies of the same file.
pub struct FileCopy {
    /// Holds the addresses of the frames, in the order of the file; zeros follow.
    list: Frame,
}

impl FileCopy {
    fn empty() -> Result<FileCopy, OutOfFrames> {
        let list = allocate_zeroed()?;
        Ok(FileCopy { list })
    }

    fn frames(&self) -> impl Iterator<Item = Frame> {
        let addresses = self.list.words().iter();
        addresses
            .map(|word| word.load(Ordering::Relaxed))
            .take_while(|&address| address != 0)
            .map(|address| Frame::at(PhysicalAddress(address)))
    }

    /// Reads the whole of `file`.
    ///
    /// # Errors
    /// It cannot be read, or there are too few frames; then no frame is kept.
    pub fn read(file: &mut Inode<'_>) -> Result<FileCopy, Failed> {
        let copy = FileCopy::empty().map_err(|_| Failed)?;
        let size = file.size();
        // The largest file has 268 KiB, far less than the list has room for.
        for (offset, word) in (0..size).step_by(PAGE_SIZE as usize).zip(copy.list.words()) {
            let frame = allocate().map_err(|_| Failed)?;
            word.store(frame.address().0, Ordering::Relaxed);
            let length = PAGE_SIZE.min(u64::from(size - offset));
            file.read_frame(offset, frame, length as usize)?;
        }
        Ok(copy)
    }

    /// Another copy that shares the frames.
    ///
    /// # Errors
    /// There is no frame for its list.
    pub fn share(&self) -> Result<FileCopy, OutOfFrames> {
        let other = FileCopy::empty()?;
        for (word, frame) in other.list.words().iter().zip(self.frames()) {
            frame.share();
            word.store(frame.address().0, Ordering::Relaxed);
        }
        Ok(other)
    }

    /// Copies `length` bytes from `offset` on to the beginning of `to`.
    ///
    /// # Errors
    /// The file was shorter.
    pub fn copy_to(&self, to: Frame, offset: u32, length: usize) -> Result<(), Failed> {
        let mut piece = [0; 256];
        let mut done = 0;
        while done < length {
            let place = offset as usize + done;
            let (number, start) = (place / PAGE_SIZE as usize, place % PAGE_SIZE as usize);
            let from = self.frames().nth(number).ok_or(Failed)?;
            let count = piece
                .len()
                .min(length - done)
                .min(PAGE_SIZE as usize - start);
            from.read(start, &mut piece[..count]);
            to.write(done, &piece[..count]);
            done += count;
        }
        Ok(())
    }
}

impl Drop for FileCopy {
    fn drop(&mut self) {
        self.frames().for_each(Frame::release);
        self.list.release();
    }
}
