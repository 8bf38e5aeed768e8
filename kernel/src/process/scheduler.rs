//! The scheduler: each hart runs the runnable processes in turn, and waits when there are none.
//!
//! Which processes are runnable is a word of 64 bits beside the processes' states, so that finding
//! the next one takes a few instructions. A bit is set after its process's state became `Runnable`,
//! under the process's lock; whoever clears it may run the process.

use core::sync::atomic::{AtomicU64, Ordering};

use super::context::{Context, switch_context};
use super::table::Shared;
use super::{Process, Slot, State, stack};
use crate::arch::{hart, interrupt};
use crate::sync::SpinGuard;

static RUNNABLE: AtomicU64 = AtomicU64::new(0);

/// Makes a process runnable whose lock the caller holds.
pub fn make_runnable(process: &'static Process, shared: &mut Shared) {
    shared.state = State::Runnable;
    RUNNABLE.fetch_or(process.slot().bit(), Ordering::Release);
}

/// Makes a new process runnable: it begins in `entry`, on its own kernel stack, holding its lock.
///
/// # Safety
/// The process has never run since its slot was claimed, and `entry` can run it.
pub unsafe fn start(process: &'static Process, entry: extern "C" fn() -> !) {
    let mut shared = process.shared.lock();
    // SAFETY: the lock is held and the process does not run.
    let context = unsafe { &mut *process.context.get() };
    let stack = stack::top_of(process.slot().index());
    *context = Context::new(entry as *const () as u64, stack);
    make_runnable(process, &mut shared);
}

/// Takes the next runnable process after `last`, in turn.
fn take_next(last: Slot) -> Option<Slot> {
    // The bits above that of `last`.
    let later = !(last.bit() | (last.bit() - 1));
    loop {
        let runnable = RUNNABLE.load(Ordering::Acquire);
        let slot = Slot::lowest(runnable & later).or_else(|| Slot::lowest(runnable))?;
        if RUNNABLE.fetch_and(!slot.bit(), Ordering::AcqRel) & slot.bit() != 0 {
            return Some(slot);
        }
    }
}

/// Runs processes on this hart for ever.
pub fn run() -> ! {
    interrupt::disable();
    let hart = hart::this();
    let mut last = Slot::INIT;
    loop {
        let Some(slot) = take_next(last) else {
            // A pending interrupt ends the wait although interrupts are off, so none is missed
            // between the look and the wait; it is taken in between.
            hart::wait_for_interrupt();
            interrupt::enable();
            interrupt::disable();
            continue;
        };
        last = slot;
        let process = slot.process();
        let mut shared = process.shared.lock();
        shared.state = State::Running;
        hart.current.set(Some(process));
        // SAFETY: the process's lock is held, so its context is complete and nobody else uses it;
        // the hart's own context is this thread's.
        unsafe { switch_context(hart.scheduler.get(), process.context.get()) };
        hart.current.set(None);
        // Interrupts stay off in this thread, whatever they were in the process's: one that came
        // between the look and the wait below would be missed.
        hart.set_interrupts_were_on(false);
    }
}

/// Gives up the hart. The caller has set its state to something other than `Running`; it holds its
/// own lock and no other. Returns when the scheduler runs it again.
pub fn switch_away(
    process: &'static Process,
    shared: SpinGuard<'static, Shared>,
) -> SpinGuard<'static, Shared> {
    let hart = hart::this();
    assert!(
        hart.interrupts_off_depth() == 1,
        "a process gives up its hart while it holds a spin lock"
    );
    debug_assert!(shared.state != State::Running);
    let were_on = hart.interrupts_were_on();
    // SAFETY: the process's lock is held, and this is its thread; the scheduler's context was saved
    // when it switched to this process.
    unsafe { switch_context(process.context.get(), hart.scheduler.get()) };
    // Perhaps another hart by now.
    hart::this().set_interrupts_were_on(were_on);
    shared
}

/// Lets the other processes have their turn.
pub fn yield_now(process: &'static Process) {
    let mut shared = process.shared.lock();
    make_runnable(process, &mut shared);
    drop(switch_away(process, shared));
}
