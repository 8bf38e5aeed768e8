//! The scheduler: each hart runs the runnable threads in turn, and waits when there are none.
//!
//! Which threads are runnable is a word of 64 bits next to the threads' states, so that finding the
//! next one takes a few instructions. A bit is set after its thread's state became `Runnable`,
//! under the thread's lock; a hart that clears it may run the thread.

use core::cell::{Cell, UnsafeCell};
use core::sync::atomic::{AtomicU64, Ordering};

use abi::limits::HARTS;

use super::context::{Context, switch_context};
use super::thread::Shared;
use super::{Slot, State, Thread, stack};
use crate::arch::{hart, interrupt};
use crate::sync::SpinGuard;

static RUNNABLE: AtomicU64 = AtomicU64::new(0);

/// What the scheduler keeps for a hart. Only that hart touches it, with interrupts off. (Aligned so
/// that indexing is a shift.)
#[repr(align(128))]
struct Running {
    /// The thread that runs here; its process is in user mode or in the kernel.
    thread: Cell<Option<&'static Thread>>,
    /// Where the scheduler continues when that thread gives up the hart.
    scheduler: UnsafeCell<Context>,
}

// SAFETY: `running` hands a hart's state to that hart alone, so no two harts share one.
unsafe impl Sync for Running {}

static RUNNING: [Running; HARTS] = [const {
    Running {
        thread: Cell::new(None),
        scheduler: UnsafeCell::new(Context::ZERO),
    }
}; HARTS];

/// This hart's state. With interrupts on, the caller may find itself on another hart any time: only
/// code with interrupts off may keep the reference.
#[inline(always)]
fn running() -> &'static Running {
    // Boot parks harts beyond the table, so the mask changes nothing; it saves a bounds check.
    &RUNNING[hart::id() & (HARTS - 1)]
}

/// The thread that runs on this hart, if it is not the scheduler's own. Only for code with
/// interrupts off.
#[inline]
pub fn current() -> Option<&'static Thread> {
    running().thread.get()
}

/// Makes a thread runnable whose lock the caller holds.
pub(super) fn make_runnable(thread: &'static Thread, shared: &mut Shared) {
    shared.state = State::Runnable;
    RUNNABLE.fetch_or(thread.slot().bit(), Ordering::Release);
}

/// Makes the thread of a new process runnable: it begins in `entry`, on its own kernel stack,
/// holding its lock. The first thing that `entry` does is [`begin`].
///
/// # Safety
/// The thread has never run since its slot was claimed, and `entry` can run it.
pub unsafe fn start(thread: &'static Thread, entry: extern "C" fn() -> !) {
    let mut shared = thread.shared.lock();
    // SAFETY: the lock is held and the thread does not run.
    let context = unsafe { &mut *thread.context.get() };
    let stack = stack::top_of(thread.slot());
    *context = Context::new(entry as *const () as u64, stack);
    make_runnable(thread, &mut shared);
}

/// A thread's first moments: the scheduler switched to it, and left the release of its lock to it.
/// Returns the thread.
///
/// # Safety
/// The thread has just begun, in the entry that [`start`] was given, and this is called once.
pub unsafe fn begin() -> &'static Thread {
    // Interrupts are off until the lock is released.
    let Some(thread) = current() else {
        panic!("the scheduler ran no thread");
    };
    // SAFETY: the scheduler holds the lock on behalf of this thread, and its guard is used again
    // only when this thread has taken the lock again.
    unsafe { thread.shared.force_unlock() };
    thread
}

/// Takes the next runnable thread after `last`, in turn.
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

/// Runs threads on this hart for ever.
pub fn run() -> ! {
    interrupt::disable();
    let hart = hart::this();
    let running = running();
    let mut last = Slot::INIT;
    loop {
        let Some(slot) = take_next(last) else {
            // A pending interrupt ends the wait although interrupts are off, so no interrupt is
            // missed between the look and the wait. It is taken when they are on for a moment.
            hart::wait_for_interrupt();
            interrupt::enable();
            interrupt::disable();
            continue;
        };
        last = slot;
        let thread = slot.thread();
        let mut shared = thread.shared.lock();
        shared.state = State::Running;
        running.thread.set(Some(thread));
        // SAFETY: the thread's lock is held, so its context is complete and nobody else uses it;
        // the hart's own context is this one's.
        unsafe { switch_context(running.scheduler.get(), thread.context.get()) };
        running.thread.set(None);
        // Interrupts stay off here, even if they were on in the thread: one that came between the
        // look and the wait below would be missed.
        hart.set_interrupts_were_on(false);
    }
}

/// Gives up the hart. The caller has set its state to something other than `Running`; it holds its
/// own lock and no other. Returns when the scheduler runs it again.
pub fn switch_away(
    thread: &'static Thread,
    shared: SpinGuard<'static, Shared>,
) -> SpinGuard<'static, Shared> {
    let hart = hart::this();
    assert!(
        hart.interrupts_off_depth() == 1,
        "a process gives up its hart while it holds a spin lock"
    );
    debug_assert!(shared.state != State::Running);
    let were_on = hart.interrupts_were_on();
    // SAFETY: the thread's lock is held, and it runs here; the scheduler's context was saved when
    // it switched to this thread.
    unsafe { switch_context(thread.context.get(), running().scheduler.get()) };
    // Perhaps another hart by now.
    hart::this().set_interrupts_were_on(were_on);
    shared
}

/// Lets the other threads have their turn.
pub fn yield_now(thread: &'static Thread) {
    let mut shared = thread.shared.lock();
    make_runnable(thread, &mut shared);
    drop(switch_away(thread, shared));
}
