//! How processes end: `exit`, `wait` and `kill`.

use super::tree::{TREE, find};
use super::{Key, Process, Task};
use crate::address::UserAddress;
use crate::file_system;
use crate::scheduling::sleep::{Channel, sleep_unless_killed, wake, wake_slot};
use crate::scheduling::{Slot, State, scheduler};

/// The exit status of a process that was killed.
pub const KILLED: i32 = -1;

/// Ends the process. Its memory and files are given back at once, its slot when its parent waits
/// for it.
///
/// # Panics
/// If it is the first process.
pub fn exit(mut key: Key, status: i32) -> ! {
    let process = key.process();
    let thread = key.thread();
    assert!(process.slot() != Slot::INIT, "init exiting");
    {
        let (resources, _) = key.open();
        // The kernel runs on its own page table, so the process's can go. Memory goes first: anyone
        // who sees a pipe closed by this end finds the frames free.
        resources.space = None;
        process.account.outline.clear();
        resources.files.close_all();
        file_system::transaction(|| resources.directory = None);
    }
    let mut tree = TREE.lock();
    let orphans_ended = tree.bury(process.slot(), status);
    if orphans_ended {
        wake(channel_of(Slot::INIT));
    }
    wake(channel_of(tree.parent(process.slot())));
    // A parent that sees the zombie needs the lock to reap it, which this thread holds until the
    // scheduler is off its stack.
    let mut shared = thread.shared.lock();
    shared.state = State::Zombie;
    drop(tree);
    let _shared = scheduler::switch_away(thread, shared);
    unreachable!("a process that ended was run");
}

/// What a process sleeps on until one of its children ends.
fn channel_of(parent: Slot) -> Channel {
    Channel::of(Process::at(parent))
}

/// Waits for a child to end. Returns its pid, and stores its exit status at `status` unless that is
/// null.
///
/// # Errors
/// There are no children, the caller was killed, or `status` cannot be written; then the caller can
/// wait for the child again.
pub fn wait(task: &mut Task<'_>, status: UserAddress) -> Option<i32> {
    let parent = task.process;
    if status.0 != 0 {
        // Under the lock of the tree no page can be loaded.
        task.space.load_all(status, size_of::<i32>()).ok()?;
    }
    let mut tree = TREE.lock();
    loop {
        if let Some((child, child_status)) = tree.ended_child(parent.slot()) {
            if status.0 != 0 {
                let bytes = child_status.to_le_bytes();
                task.space.copy_out(status, &bytes).ok()?;
            }
            let mut shared = child.thread().shared.lock();
            shared.state = State::Unused;
            drop(shared);
            let pid = Process::at(child).pid();
            tree.disown(parent.slot(), child);
            tree.release(child);
            return Some(pid);
        }
        if !tree.has_children(parent.slot()) || task.thread.is_killed() {
            return None;
        }
        tree = sleep_unless_killed(channel_of(parent.slot()), tree);
    }
}

/// Makes the process with that pid end before it is next in user mode.
///
/// # Errors
/// There is no such process, or it is the first one, without which the system cannot go on.
pub fn kill(pid: i32) -> Option<()> {
    let tree = TREE.lock();
    let victim = find(pid).filter(|victim| victim.slot() != Slot::INIT)?;
    victim.thread().kill();
    wake_slot(victim.slot(), None);
    drop(tree);
    Some(())
}
