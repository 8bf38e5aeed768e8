//! The 16550 UART: bytes out, bytes in.

use crate::mmio::{Register, UART};

/// Receive holding (read) and transmit holding (write).
const DATA: Register<u8> = UART.register(0);
const INTERRUPT_ENABLE: Register<u8> = UART.register(1);
/// FIFO control (write) and interrupt identification (read).
const FIFO_CONTROL: Register<u8> = UART.register(2);
const LINE_CONTROL: Register<u8> = UART.register(3);
const LINE_STATUS: Register<u8> = UART.register(5);

const RECEIVE_INTERRUPT: u8 = 1 << 0;
const TRANSMIT_INTERRUPT: u8 = 1 << 1;
const FIFO_ENABLE_AND_CLEAR: u8 = 7;
const EIGHT_BITS: u8 = 3;
const DIVISOR_LATCH: u8 = 1 << 7;
const DATA_READY: u8 = 1 << 0;
const TRANSMIT_EMPTY: u8 = 1 << 5;

/// 38400 baud, eight bits, FIFOs on, an interrupt for each byte that comes in.
pub fn initialise() {
    INTERRUPT_ENABLE.write(0);
    LINE_CONTROL.write(DIVISOR_LATCH);
    // The divisor's two bytes, where data and interrupt enable are otherwise.
    DATA.write(3);
    INTERRUPT_ENABLE.write(0);
    LINE_CONTROL.write(EIGHT_BITS);
    FIFO_CONTROL.write(FIFO_ENABLE_AND_CLEAR);
    INTERRUPT_ENABLE.write(RECEIVE_INTERRUPT);
}

/// Bytes that the UART takes at a time once it has sent all before.
pub const BATCH: usize = 16;

/// Sends at most [`BATCH`] bytes if the UART has nothing left to send; returns whether it had.
///
/// # Panics
/// If there are more.
#[inline]
pub fn try_send(bytes: &[u8]) -> bool {
    assert!(bytes.len() <= BATCH);
    let empty = LINE_STATUS.read() & TRANSMIT_EMPTY != 0;
    if empty {
        for &byte in bytes {
            DATA.write(byte);
        }
    }
    empty
}

/// Sends bytes, and waits for the UART when it is busy.
pub fn send(bytes: &[u8]) {
    for batch in bytes.chunks(BATCH) {
        while !try_send(batch) {
            core::hint::spin_loop();
        }
    }
}

/// Turns the interrupt that says that there is room to send on or off.
pub fn want_transmit_interrupt(wanted: bool) {
    let transmit = if wanted { TRANSMIT_INTERRUPT } else { 0 };
    INTERRUPT_ENABLE.write(RECEIVE_INTERRUPT | transmit);
}

/// Tells the UART that its interrupt was seen: reading its identification clears a transmit one.
pub fn acknowledge() {
    FIFO_CONTROL.read();
}

/// A byte that came in.
pub fn receive() -> Option<u8> {
    let ready = LINE_STATUS.read() & DATA_READY != 0;
    ready.then(|| DATA.read())
}
