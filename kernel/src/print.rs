//! The kernel's own messages, straight to the UART.

use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering};

use crate::devices::uart;
use crate::sync::SpinLock;

/// Where messages go.
pub struct Output(());

static PRINT: SpinLock<Output> = SpinLock::new(&"print", Output(()));

/// Set by the first panic: its message must not wait for a lock that is never released.
static PANICKED: AtomicBool = AtomicBool::new(false);

/// Writes a message as a whole: messages of other harts come before or after it.
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
        uart::send(text.as_bytes());
    }

    /// Writes a name: the bytes before the first zero byte.
    pub fn name(&mut self, name: &[u8]) {
        let end = name.iter().position(|&byte| byte == 0);
        uart::send(&name[..end.unwrap_or(name.len())]);
    }

    /// Writes what `format_args!` made.
    pub fn format(&mut self, arguments: fmt::Arguments<'_>) {
        // Writing to the UART cannot fail.
        let _ = fmt::Write::write_fmt(self, arguments);
    }

    /// Writes a number to base 16, without prefix.
    pub fn hexadecimal(&mut self, number: u64) {
        self.digits(number, 16);
    }

    /// Writes a number to base 10.
    pub fn decimal(&mut self, number: i64) {
        if number < 0 {
            uart::send(b"-");
        }
        self.digits(number.unsigned_abs(), 10);
    }

    /// Writes a number to a base up to 16.
    fn digits(&mut self, mut number: u64, base: u64) {
        // Enough for 64 bits to base 10; to base 16 they are fewer.
        let mut digits = [0; 20];
        let mut first = digits.len();
        loop {
            first -= 1;
            digits[first] = b"0123456789abcdef"[(number % base) as usize & 15];
            number /= base;
            if number == 0 {
                break;
            }
        }
        uart::send(&digits[first..]);
    }
}

impl fmt::Write for Output {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.text(text);
        Ok(())
    }
}
