//! How processes begin: the first one, and children.

use super::{Task, end, exec, scheduler};
use crate::arch::hart;
use crate::file_system;
use crate::process::tree::TREE;
use crate::trap::user;

/// Makes the first process. It runs `/init`.
pub fn start_first() {
    let Some(process) = TREE.lock().claim() else {
        panic!("no slot for the first process");
    };
    // SAFETY: the slot was just claimed, and `first_entry` is made for it.
    unsafe { scheduler::start(process, first_entry) };
}

/// Makes a child of `task` with a copy of its memory and files; gives the child's pid.
///
/// # Errors
/// `None` if there are too many processes or too few frames; then nothing is kept.
pub fn fork(task: &mut Task<'_>) -> Option<i32> {
    let child = TREE.lock().claim()?;
    let Ok(space) = task.space.fork(child.fixtures()) else {
        TREE.lock().release(child.slot());
        return None;
    };
    {
        // SAFETY: the slot was just claimed, and nothing runs in it before `start`.
        let (resources, trapframe) = unsafe { (child.resources(), child.trapframe()) };
        trapframe.copy_user_state(task.trapframe);
        trapframe.set_argument::<0>(0);
        resources.space = Some(space);
        task.files.duplicate_into(&mut resources.files);
        resources.directory = task.directory.clone();
        child.set_name(&task.process.name());
    }
    let pid = child.pid();
    TREE.lock().adopt(task.process.slot(), child.slot());
    // SAFETY: the child has all that it needs to return to user mode, and has never run.
    unsafe { scheduler::start(child, child_entry) };
    Some(pid)
}

/// A process's first moments: the scheduler switched to it and left its lock to be released.
fn take_over_hart() -> &'static super::Process {
    // Interrupts are off until the lock is released.
    let Some(process) = hart::this().current.get() else {
        panic!("the scheduler ran no process");
    };
    // SAFETY: the scheduler holds the lock on behalf of this thread, and its guard is used again
    // only when this process has taken the lock anew.
    unsafe { process.shared.force_unlock() };
    process
}

extern "C" fn child_entry() -> ! {
    let process = take_over_hart();
    if process.is_killed() {
        // SAFETY: this is the process's thread, and nothing was borrowed before.
        unsafe { end::exit(process, user::KILLED) }
    }
    // SAFETY: this is the process's thread, and nothing was borrowed before.
    match unsafe { process.task() } {
        Some(mut task) => user::enter_user(&mut task),
        None => unreachable!("fork gave the child its memory"),
    }
}

extern "C" fn first_entry() -> ! {
    let process = take_over_hart();
    // Reading the disk takes sleep, so it needs a process.
    file_system::mount();
    // SAFETY: this is the process's thread, and nothing was borrowed before.
    let resources = unsafe { process.resources() };
    resources.directory = Some(file_system::root());
    match exec::program(
        process,
        resources.directory.as_ref(),
        b"/init",
        &mut exec::OnePath,
    ) {
        Ok(loaded) => {
            // SAFETY: as above.
            let trapframe = unsafe { process.trapframe() };
            process.set_name(&loaded.name);
            loaded.enter(trapframe);
            resources.space = Some(loaded.space);
        }
        Err(_) => panic!("cannot exec /init"),
    }
    // SAFETY: as above; `resources` is not used any more.
    match unsafe { process.task() } {
        Some(mut task) => user::enter_user(&mut task),
        None => unreachable!("exec gave it memory"),
    }
}
