//! The clock: a timer interrupt every tenth of a second on each hart; hart 0 counts them.

use crate::arch::{csr, hart, interrupt};
use crate::process::Process;
use crate::process::sleep::{Channel, sleep_unless_killed, wake};
use crate::sync::SpinLock;

/// Clock cycles between two ticks: the board's clock runs at 10 MHz.
const INTERVAL: u64 = 1_000_000;

static TICKS: SpinLock<u32> = SpinLock::new(&"ticks", 0);

/// Asks for this hart's next timer interrupt.
pub fn arm() {
    let deadline = csr::time::read().wrapping_add(INTERVAL);
    interrupt::set_timer(deadline);
}

/// The timer has interrupted this hart.
pub fn tick() {
    if hart::id() == 0 {
        let mut ticks = TICKS.lock();
        *ticks = ticks.wrapping_add(1);
        wake(Channel::of(&TICKS));
    }
    arm();
}

/// Ticks since boot; wraps.
pub fn ticks() -> u32 {
    *TICKS.lock()
}

/// Sleeps for that many ticks.
///
/// # Errors
/// The process was killed meanwhile.
pub fn pause(process: &Process, count: u32) -> Option<()> {
    let mut ticks = TICKS.lock();
    let start = *ticks;
    while ticks.wrapping_sub(start) < count {
        if process.is_killed() {
            return None;
        }
        ticks = sleep_unless_killed(Channel::of(&TICKS), ticks);
    }
    Some(())
}
