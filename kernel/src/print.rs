//! The kernel's own messages, straight to the UART.

use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering};

use crate::devices::uart;
use crate::sync::SpinLock;

/// Where messages go.
pub struct Output(());

static PRINT: SpinLock<Output> = SpinLock::new(&"print", Output(()));

/// Set by the first panic: its message must not wait for a lock that will never be released.
static PANICKED: AtomicBool = AtomicBool::new(false);

/// Writes a message that no other hart's message interrupts.
pub fn with_lock(write: impl FnOnce(&mut Output)) {
    if PANICKED.load(Ordering::Relaxed) {
        write(&mut Output(()));
    } else {
        write(&mut PRINT.lock());
    }
}

/// From now on messages are written without a lock.
pub fn panicked() {
    PANICKED.store(true, Ordering::Relaxed);
}

impl Output {
    /// Writes text as it is.
    pub fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// Writes bytes as they are.
    pub fn bytes(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            uart::send(byte);
        }
    }

    /// Writes a number to base 16, without prefix.
    pub fn hexadecimal(&mut self, number: u64) {
        let significant = 64 - number.leading_zeros();
        for digit in (0..significant.div_ceil(4).max(1)).rev() {
            let digit = (number >> (4 * digit)) as usize & 15;
            uart::send(b"0123456789abcdef"[digit]);
        }
    }

    /// Writes a number to base 10.
    pub fn decimal(&mut self, number: i64) {
        if number < 0 {
            uart::send(b'-');
        }
        let mut rest = number.unsigned_abs();
        let mut digits = [0; 20];
        let mut count = 0;
        for slot in digits.iter_mut().rev() {
            *slot = b'0' + (rest % 10) as u8;
            rest /= 10;
            count += 1;
            if rest == 0 {
                break;
            }
        }
        self.bytes(&digits[digits.len() - count..]);
    }
}

impl fmt::Write for Output {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.text(text);
        Ok(())
    }
}
