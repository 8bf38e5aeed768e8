//! How processes begin: the first one, and children.

use super::trapframe::TrapHandler;
use super::tree::TREE;
use super::{Key, Task, end, exec, user_mode};
use crate::file_system;
use crate::memory::kernel_table;
use crate::scheduling::{scheduler, stack};

/// Makes the first process. It runs `/init`; its traps and those of all its descendants go to
/// `handler`.
pub fn start_first(handler: TrapHandler) {
    let Some(mut key) = TREE.lock().claim() else {
        panic!("no slot for the first process");
    };
    let stack = stack::top_of(key.process().slot());
    let (_, trapframe) = key.open();
    trapframe.prepare(kernel_table::satp(), stack, handler);
    // SAFETY: it has never run, and `first_entry` needs no more.
    unsafe { key.start(first_entry) };
}

/// Makes a child of `task` with a copy of its memory and files, and returns the child's pid.
///
/// # Errors
/// `None` if there are too many processes or too few frames; then nothing has changed.
pub fn fork(task: &mut Task<'_>) -> Option<i32> {
    let mut key = TREE.lock().claim()?;
    let child = key.process();
    let Ok(space) = task.space.fork(child.fixtures()) else {
        TREE.lock().release(child.slot());
        return None;
    };
    {
        let (resources, trapframe) = key.open();
        trapframe.inherit(task.trapframe, stack::top_of(child.slot()));
        trapframe.set_argument::<0>(0);
        resources.space = Some(space);
        task.files.duplicate_into(&mut resources.files);
        resources.directory = task.directory.clone();
        child.set_name(&task.process.name());
    }
    let pid = child.pid();
    TREE.lock().adopt(task.process.slot(), child.slot());
    // SAFETY: the child has never run, and has all that it needs to return to user mode.
    unsafe { key.start(child_entry) };
    Some(pid)
}

extern "C" fn child_entry() -> ! {
    // SAFETY: the thread has just begun.
    let mut key = unsafe { Key::of_this_thread(scheduler::begin()) };
    if key.thread().is_killed() {
        end::exit(key, end::KILLED)
    }
    match key.task() {
        Some(task) => user_mode::enter(task),
        None => unreachable!("fork gave the child its memory"),
    }
}

extern "C" fn first_entry() -> ! {
    // SAFETY: the thread has just begun.
    let mut key = unsafe { Key::of_this_thread(scheduler::begin()) };
    let process = key.process();
    // A read of the disk sleeps, so only a process can do it.
    file_system::mount();
    let (resources, trapframe) = key.open();
    resources.directory = Some(file_system::root());
    match exec::program(
        process,
        resources.directory.as_ref(),
        b"/init",
        &mut exec::OnePath,
    ) {
        Ok(loaded) => {
            process.set_name(&loaded.name);
            loaded.enter(trapframe);
            resources.space = Some(loaded.space);
        }
        Err(_) => panic!("cannot exec /init"),
    }
    match key.task() {
        Some(task) => user_mode::enter(task),
        None => unreachable!("exec gave it memory"),
    }
}
