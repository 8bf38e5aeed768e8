//! The kernel's own messages, straight to the UART.

use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering};

use crate::devices::uart;
use crate::sync::SpinLock;

/// Where messages go. Collects bytes, so that the UART is asked for room once for many.
pub struct Output {
    pending: [u8; uart::BATCH],
    count: usize,
}

static PRINT: SpinLock<Output> = SpinLock::new(&"print", Output::new());

/// Set by the first panic: its message must not wait for a lock that will never be released.
static PANICKED: AtomicBool = AtomicBool::new(false);

/// Writes a message that no other hart's message interrupts.
pub fn with_lock(write: impl FnOnce(&mut Output)) {
    let mut own = Output::new();
    let mut shared;
    let output = if PANICKED.load(Ordering::Relaxed) {
        &mut own
    } else {
        shared = PRINT.lock();
        &mut *shared
    };
    write(output);
    output.flush();
}

/// From now on messages are written without a lock.
pub fn panicked() {
    PANICKED.store(true, Ordering::Relaxed);
}

impl Output {
    const fn new() -> Output {
        Output {
            pending: [0; uart::BATCH],
            count: 0,
        }
    }

    fn flush(&mut self) {
        uart::send(&self.pending[..self.count]);
        self.count = 0;
    }

    fn byte(&mut self, byte: u8) {
        self.pending[self.count] = byte;
        self.count += 1;
        if self.count == uart::BATCH {
            self.flush();
        }
    }

    /// Writes text as it is.
    pub fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// Writes bytes as they are.
    pub fn bytes(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.byte(byte);
        }
    }

    /// Writes a number to base 16, without prefix.
    pub fn hexadecimal(&mut self, number: u64) {
        let significant = 64 - number.leading_zeros();
        for digit in (0..significant.div_ceil(4).max(1)).rev() {
            let digit = (number >> (4 * digit)) as usize & 15;
            self.byte(b"0123456789abcdef"[digit]);
        }
    }

    /// Writes a number to base 10.
    pub fn decimal(&mut self, number: i64) {
        if number < 0 {
            self.byte(b'-');
        }
        let mut rest = number.unsigned_abs();
        let mut digits = [0; 20];
        let mut first = digits.len();
        loop {
            first -= 1;
            digits[first] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        self.bytes(&digits[first..]);
    }
}

impl fmt::Write for Output {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.text(text);
        Ok(())
    }
}
