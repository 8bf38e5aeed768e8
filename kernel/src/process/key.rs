//! The key to what a process owns, and what it opens.

use core::marker::PhantomData;

use super::table::Resources;
use super::trapframe::{self, Trapframe};
use super::{AddressSpace, Process};
use crate::file::Descriptors;
use crate::file_system::InodeReference;
use crate::scheduling::{Thread, scheduler};

/// The key to what a process owns: its resources and its registers. There is one for each process.
/// The process's own thread has it; before the process first runs, its maker has it.
///
/// It cannot be copied, and what it opens is borrowed from it. So the compiler ensures that nothing
/// of a process is touched in two places at once, and that nothing is touched after its end, which
/// takes the key.
pub struct Key {
    process: &'static Process,
    thread: &'static Thread,
    /// It stays with the thread that has it.
    not_send: PhantomData<*const ()>,
}

/// A process at work on its own behalf, in a trap or a system call: all that the kernel does for it
/// goes through this. It is made of the key by the trap, and passed down.
pub struct Task<'a> {
    /// Its slot in the table.
    pub process: &'static Process,
    /// The thread that runs it.
    pub thread: &'static Thread,
    /// Its registers in user mode.
    pub trapframe: &'a mut Trapframe,
    /// Its memory.
    pub space: &'a mut AddressSpace,
    /// Its open files.
    pub files: &'a mut Descriptors,
    /// Its current directory.
    pub directory: &'a mut Option<InodeReference>,
}

impl Key {
    /// The key of a new process.
    ///
    /// # Safety
    /// The process's slot was free until now. (The key of the last process in the slot went with
    /// that process's end.)
    pub(super) unsafe fn of_new(process: &'static Process) -> Key {
        Key {
            process,
            thread: process.thread(),
            not_send: PhantomData,
        }
    }

    /// The key of the process that `thread` runs.
    ///
    /// # Safety
    /// The caller is that thread, with an empty stack: it has just begun, or was in user mode. So
    /// the key that its process had before is gone: it went to [`Key::start`], or was on the stack.
    #[inline]
    pub unsafe fn of_this_thread(thread: &'static Thread) -> Key {
        Key {
            process: Process::at(thread.slot()),
            thread,
            not_send: PhantomData,
        }
    }

    /// The process.
    #[inline]
    pub fn process(&self) -> &'static Process {
        self.process
    }

    /// The thread that runs it.
    #[inline]
    pub fn thread(&self) -> &'static Thread {
        self.thread
    }

    /// What the process owns, and its registers.
    #[inline]
    pub fn open(&mut self) -> (&mut Resources, &mut Trapframe) {
        let resources = self.process.resources.get();
        let trapframe = trapframe::pointer_to(self.thread.slot());
        // SAFETY: this is the only key to them, and it is borrowed for as long as they are.
        unsafe { (&mut *resources, &mut *trapframe) }
    }

    /// The process at work. `None` if it has no memory: it has not begun, or has ended.
    #[inline]
    pub fn task(&mut self) -> Option<Task<'_>> {
        let (process, thread) = (self.process, self.thread);
        let (resources, trapframe) = self.open();
        Some(Task {
            process,
            thread,
            trapframe,
            space: resources.space.as_mut()?,
            files: &mut resources.files,
            directory: &mut resources.directory,
        })
    }

    /// Makes the process runnable: its own thread begins in `entry`, and takes the key over.
    ///
    /// # Safety
    /// The process has never run, and has all that `entry` needs.
    pub(super) unsafe fn start(self, entry: extern "C" fn() -> !) {
        // SAFETY: the caller's promise.
        unsafe { scheduler::start(self.thread, entry) }
    }
}
