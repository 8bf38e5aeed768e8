//! A process's descriptors: small numbers for open files.

use abi::limits::OPEN_FILES_PER_PROCESS;

use super::File;

/// A process's open files, by descriptor.
pub struct Descriptors([Option<File>; OPEN_FILES_PER_PROCESS]);

/// There is no such open file.
#[derive(Debug)]
pub struct NotOpen;

impl Descriptors {
    /// No open files.
    pub const NONE: Descriptors = Descriptors([const { None }; OPEN_FILES_PER_PROCESS]);

    /// The file of a descriptor that a user named.
    ///
    /// # Errors
    /// There is none.
    #[inline]
    pub fn get(&self, descriptor: i32) -> Result<&File, NotOpen> {
        usize::try_from(descriptor)
            .ok()
            .and_then(|index| self.0.get(index)?.as_ref())
            .ok_or(NotOpen)
    }

    /// Takes the file out; the descriptor is free then.
    ///
    /// # Errors
    /// There is none.
    pub fn take(&mut self, descriptor: i32) -> Result<File, NotOpen> {
        usize::try_from(descriptor)
            .ok()
            .and_then(|index| self.0.get_mut(index)?.take())
            .ok_or(NotOpen)
    }

    /// Gives `file` the lowest free descriptor, or gives it back if there is none.
    ///
    /// # Errors
    /// All descriptors are in use.
    pub fn add(&mut self, file: File) -> Result<i32, File> {
        match self.0.iter().position(Option::is_none) {
            Some(index) => {
                self.0[index] = Some(file);
                Ok(index as i32)
            }
            None => Err(file),
        }
    }

    /// Copies all descriptors to `child`, which has none; both lead to the same open files.
    pub fn duplicate_into(&self, child: &mut Descriptors) {
        for (to, from) in child.0.iter_mut().zip(&self.0) {
            if let Some(file) = from {
                *to = Some(file.duplicate());
            }
        }
    }

    /// Closes all files.
    pub fn close_all(&mut self) {
        for slot in &mut self.0 {
            if let Some(file) = slot.take() {
                file.close();
            }
        }
    }
}
