//! The clock: a timer interrupt every tenth of a second on each hart; hart 0 counts them.

use core::sync::atomic::{AtomicU32, Ordering};

use crate::arch::{csr, hart, interrupt};
use crate::scheduling::Thread;
use crate::scheduling::sleep::{Channel, sleep_unless_killed, wake};
use crate::sync::SpinLock;

/// Clock cycles between two ticks: the board's clock runs at 10 MHz.
const INTERVAL: u64 = 1_000_000;

/// Ticks since boot.
static TICKS: AtomicU32 = AtomicU32::new(0);

/// How many processes pause, or are about to. If none does, which is the usual case, a tick takes
/// no lock. The order of the accesses matters: a process that pauses is counted before it looks at
/// the clock, and a tick is counted before it looks for such processes; so one sees the other.
static PAUSING: AtomicU32 = AtomicU32::new(0);

/// Held by a process from its look at the clock until it sleeps; and held to wake those that sleep.
static PAUSE: SpinLock<()> = SpinLock::new(&"pause", ());

/// Asks for this hart's next timer interrupt.
pub fn arm() {
    let deadline = csr::time::read().wrapping_add(INTERVAL);
    interrupt::set_timer(deadline);
}

/// The timer has interrupted this hart.
pub fn tick() {
    if hart::id() == 0 {
        TICKS.fetch_add(1, Ordering::SeqCst);
        if PAUSING.load(Ordering::SeqCst) != 0 {
            let _pause = PAUSE.lock();
            wake(Channel::of(&PAUSE));
        }
    }
    arm();
}

/// Ticks since boot; wraps.
pub fn ticks() -> u32 {
    TICKS.load(Ordering::SeqCst)
}

/// Sleeps for that many ticks.
///
/// # Errors
/// The process was killed before the time had passed.
pub fn pause(thread: &Thread, count: u32) -> Option<()> {
    PAUSING.fetch_add(1, Ordering::SeqCst);
    let mut pause = PAUSE.lock();
    let start = ticks();
    while ticks().wrapping_sub(start) < count && !thread.is_killed() {
        pause = sleep_unless_killed(Channel::of(&PAUSE), pause);
    }
    let passed = ticks().wrapping_sub(start) >= count;
    drop(pause);
    PAUSING.fetch_sub(1, Ordering::SeqCst);
    passed.then_some(())
}
