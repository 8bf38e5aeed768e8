//! Sleeping until something happens, and waking those who sleep.
//!
//! A thread sleeps on a *channel*, the address of what it waits for. It holds the lock of its
//! condition when it decides to sleep, and that lock is released only once it is on record as
//! sleeping: anyone who changes the condition under the same lock, and then wakes the channel,
//! finds it. So no wake-up is lost.

use core::sync::atomic::{AtomicU64, Ordering};

use super::{Slot, State, Thread, scheduler};
use crate::sync::SpinGuard;

/// The slots that sleep or are about to. So `wake` need not walk the table.
static SLEEPERS: AtomicU64 = AtomicU64::new(0);

/// What a thread can wait for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Channel(usize);

impl Channel {
    /// The channel of something at a fixed place.
    #[inline]
    pub fn of<T>(thing: &T) -> Channel {
        Channel(core::ptr::from_ref(thing).addr())
    }
}

/// Sleeps on `channel`, and releases the lock of `guard` while it sleeps. It may wake without a
/// reason: the caller must look at its condition again.
///
/// # Panics
/// If no thread runs on this hart.
pub fn sleep<'a, T>(channel: Channel, guard: SpinGuard<'a, T>) -> SpinGuard<'a, T> {
    sleep_if(channel, guard, |_| true)
}

/// The same for a wait that a kill should end: a thread that was killed does not sleep. The caller
/// looks at [`Thread::is_killed`] as well as at its condition.
///
/// # Panics
/// If no thread runs on this hart.
pub fn sleep_unless_killed<'a, T>(channel: Channel, guard: SpinGuard<'a, T>) -> SpinGuard<'a, T> {
    // Asked under the thread's lock, which `kill` takes after it has set the flag: either this
    // sees the flag, or the kill sees the sleeper.
    sleep_if(channel, guard, |thread| !thread.is_killed())
}

fn sleep_if<'a, T>(
    channel: Channel,
    guard: SpinGuard<'a, T>,
    condition: impl FnOnce(&Thread) -> bool,
) -> SpinGuard<'a, T> {
    // Interrupts are off because of the guard.
    let Some(thread) = scheduler::current() else {
        panic!("there is no thread to sleep");
    };
    let mut shared = thread.shared.lock();
    if !condition(thread) {
        return guard;
    }
    shared.channel = channel.0;
    shared.state = State::Sleeping;
    SLEEPERS.fetch_or(thread.slot().bit(), Ordering::Release);
    let condition = guard.unlock();
    drop(scheduler::switch_away(thread, shared));
    condition.lock()
}

/// Wakes all that sleep on `channel`.
#[inline]
pub fn wake(channel: Channel) {
    let sleepers = SLEEPERS.load(Ordering::Acquire);
    if sleepers != 0 {
        wake_among(sleepers, channel);
    }
}

#[inline(never)]
fn wake_among(mut sleepers: u64, channel: Channel) {
    while let Some(slot) = Slot::lowest(sleepers) {
        sleepers &= !slot.bit();
        wake_slot(slot, Some(channel));
    }
}

/// Wakes the thread of `slot` if it sleeps: on `channel`, or on anything if that is `None`.
pub fn wake_slot(slot: Slot, channel: Option<Channel>) {
    let thread = slot.thread();
    let mut shared = thread.shared.lock();
    let wanted = channel.is_none_or(|channel| channel.0 == shared.channel);
    if shared.state == State::Sleeping && wanted {
        SLEEPERS.fetch_and(!slot.bit(), Ordering::Relaxed);
        scheduler::make_runnable(thread, &mut shared);
    }
}
