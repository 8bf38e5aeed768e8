//! How processes end: `exit`, `wait` and `kill`.

use super::sleep::{Channel, sleep_unless_killed, wake, wake_slot};
use super::tree::{TREE, find};
use super::{Process, Slot, State, Task, scheduler};
use crate::address::UserAddress;
use crate::file_system;

/// Ends the process that runs here. Its memory and files are given back at once; its slot when its
/// parent waits for it.
///
/// # Panics
/// If it is the first process.
///
/// # Safety
/// The caller is the process's own thread and holds no reference to its resources.
pub unsafe fn exit(process: &'static Process, status: i32) -> ! {
    assert!(process.slot() != Slot::INIT, "init exiting");
    {
        // SAFETY: the caller's promise.
        let resources = unsafe { process.resources() };
        // The kernel runs on its own page table, so the process's can go. Memory goes first: who
        // sees a pipe closed by this end finds its frames free.
        resources.space = None;
        process.outline.clear();
        resources.files.close_all();
        file_system::transaction(|| resources.directory = None);
    }
    let mut tree = TREE.lock();
    let orphans_ended = tree.bury(process.slot(), status);
    if orphans_ended {
        wake(Channel::of(Slot::INIT.process()));
    }
    wake(Channel::of(tree.parent(process.slot()).process()));
    // A parent that sees the zombie needs the lock to reap it, which this thread holds until the
    // scheduler is off its stack.
    let mut shared = process.shared.lock();
    shared.state = State::Zombie;
    drop(tree);
    let _shared = scheduler::switch_away(process, shared);
    unreachable!("a process that ended was run");
}

/// Waits for a child to end; gives its pid, and its status at `status` unless that is null.
///
/// # Errors
/// There are no children, the caller was killed, or `status` cannot be written: then the child
/// stays to be waited for.
pub fn wait(task: &mut Task<'_>, status: UserAddress) -> Option<i32> {
    let parent = task.process;
    if status.0 != 0 {
        // Under the lock of the tree nothing can be loaded.
        task.space.load_all(status, size_of::<i32>()).ok()?;
    }
    let mut tree = TREE.lock();
    loop {
        if let Some((child, child_status)) = tree.ended_child(parent.slot()) {
            if status.0 != 0 {
                let bytes = child_status.to_le_bytes();
                task.space.copy_out(status, &bytes).ok()?;
            }
            let mut shared = child.process().shared.lock();
            shared.state = State::Unused;
            drop(shared);
            let pid = child.process().pid();
            tree.disown(parent.slot(), child);
            tree.release(child);
            return Some(pid);
        }
        if !tree.has_children(parent.slot()) || parent.is_killed() {
            return None;
        }
        tree = sleep_unless_killed(Channel::of(parent), tree);
    }
}

/// Makes the process with that pid end before it is next in user mode.
///
/// # Errors
/// There is no such process, or it is the first one, whose end would be the system's.
pub fn kill(pid: i32) -> Option<()> {
    let tree = TREE.lock();
    let victim = find(pid).filter(|victim| victim.slot() != Slot::INIT)?;
    victim.kill();
    wake_slot(victim.slot(), None);
    drop(tree);
    Some(())
}
