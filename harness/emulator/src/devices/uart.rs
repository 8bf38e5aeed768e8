//! The serial port: a 16550 whose line is infinitely fast, the guest's console.
//!
//! Transmitter interrupts behave as QEMU's: the interrupt is *raised* when a byte has left or when
//! the driver enables it, and reading IIR or sending the next byte takes it back. The port tells
//! the interrupt controller about each raise, not about a line that stays high, so a driver that
//! never reads IIR (xv6 until 2023) is interrupted once a byte and not for ever.

use std::collections::VecDeque;

/// Bytes that wait for the guest beyond the port's own FIFO; more are refused.
const INPUT_LIMIT: usize = 64 * 1024;
/// Bytes of output kept for the host. Beyond twice this, the oldest are dropped.
const OUTPUT_LIMIT: usize = 256 * 1024;
const FIFO_BYTES: usize = 16;

const DATA: u64 = 0;
const INTERRUPT_ENABLE: u64 = 1;
const INTERRUPT_IDENTIFICATION: u64 = 2;
const FIFO_CONTROL: u64 = 2;
const LINE_CONTROL: u64 = 3;
const MODEM_CONTROL: u64 = 4;
const LINE_STATUS: u64 = 5;
const MODEM_STATUS: u64 = 6;
const SCRATCH: u64 = 7;

const ENABLE_RECEIVE: u8 = 1 << 0;
const ENABLE_TRANSMIT: u8 = 1 << 1;
const ENABLE_ALL: u8 = 0x0f;

const NO_INTERRUPT: u8 = 0x01;
const TRANSMIT_INTERRUPT: u8 = 0x02;
const RECEIVE_INTERRUPT: u8 = 0x04;
const FIFOS_ENABLED: u8 = 0xc0;

const FIFO_ENABLE: u8 = 1 << 0;
const FIFO_CLEAR_RECEIVE: u8 = 1 << 1;

const DIVISOR_LATCH: u8 = 1 << 7;
const LOOPBACK: u8 = 1 << 4;

const DATA_READY: u8 = 1 << 0;
const TRANSMITTER_IDLE: u8 = 0x60;
/// Carrier, data set ready and clear to send: somebody is at the other end.
const MODEM_READY: u8 = 0xb0;

/// The serial port, with what was typed and what was printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uart {
    interrupt_enable: u8,
    line_control: u8,
    modem_control: u8,
    scratch: u8,
    divisor: u16,
    fifo_enabled: bool,
    transmit_pending: bool,
    raised: bool,
    fifo: VecDeque<u8>,
    waiting: VecDeque<u8>,
    output: Vec<u8>,
}

impl Default for Uart {
    fn default() -> Uart {
        Uart::new()
    }
}

impl Uart {
    /// A port at rest: no interrupt enabled, nothing received.
    pub fn new() -> Uart {
        Uart {
            interrupt_enable: 0,
            line_control: 0,
            modem_control: 0x08,
            scratch: 0,
            divisor: 12,
            fifo_enabled: false,
            transmit_pending: false,
            raised: false,
            fifo: VecDeque::new(),
            waiting: VecDeque::new(),
            output: Vec::new(),
        }
    }

    /// Types `bytes`; returns how many found room (64 KiB wait at most).
    pub fn input(&mut self, bytes: &[u8]) -> usize {
        let taken = bytes.len().min(INPUT_LIMIT - self.waiting.len());
        self.waiting.extend(&bytes[..taken]);
        self.fill_fifo();
        self.signal();
        taken
    }

    /// Takes what the guest printed since the last call; at least the latest 256 KiB.
    pub fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output)
    }

    /// Output of the guest that was not taken yet.
    pub fn output(&self) -> &[u8] {
        &self.output
    }

    /// The level of the interrupt line.
    pub fn interrupt(&self) -> bool {
        self.identification() != NO_INTERRUPT
    }

    /// Was the line raised, or raised again, since the last call?
    pub fn take_raised(&mut self) -> bool {
        std::mem::take(&mut self.raised)
    }

    /// Reads one register, whatever the width; `None` outside the eight registers.
    pub fn read(&mut self, offset: u64, width: u8) -> Option<u64> {
        if !super::is_aligned(offset, width) {
            return None;
        }
        let value = match offset {
            DATA if self.latch_open() => self.divisor as u8,
            INTERRUPT_ENABLE if self.latch_open() => (self.divisor >> 8) as u8,
            DATA => self.receive(),
            INTERRUPT_ENABLE => self.interrupt_enable,
            INTERRUPT_IDENTIFICATION => self.identify(),
            LINE_CONTROL => self.line_control,
            MODEM_CONTROL => self.modem_control,
            LINE_STATUS => TRANSMITTER_IDLE | if self.fifo.is_empty() { 0 } else { DATA_READY },
            // In loopback the outputs are wired to the inputs (DTR-DSR, RTS-CTS, OUT1-RI, OUT2-DCD).
            MODEM_STATUS if self.modem_control & LOOPBACK != 0 => {
                let lines = self.modem_control;
                (lines & 0x0c) << 4 | (lines & 0x02) << 3 | (lines & 0x01) << 5
            }
            MODEM_STATUS => MODEM_READY,
            SCRATCH => self.scratch,
            _ => return None,
        };
        Some(value.into())
    }

    /// Writes one register with the low byte of `value`; `None` outside the eight registers.
    pub fn write(&mut self, offset: u64, width: u8, value: u64) -> Option<()> {
        if !super::is_aligned(offset, width) {
            return None;
        }
        let value = value as u8;
        match offset {
            DATA if self.latch_open() => self.divisor = self.divisor & 0xff00 | u16::from(value),
            INTERRUPT_ENABLE if self.latch_open() => {
                self.divisor = self.divisor & 0x00ff | u16::from(value) << 8;
            }
            DATA => self.transmit(value),
            INTERRUPT_ENABLE => self.enable(value & ENABLE_ALL),
            FIFO_CONTROL => self.control_fifo(value),
            LINE_CONTROL => self.line_control = value,
            MODEM_CONTROL => self.modem_control = value & 0x1f,
            // The status registers are read only.
            LINE_STATUS | MODEM_STATUS => {}
            SCRATCH => self.scratch = value,
            _ => return None,
        }
        Some(())
    }

    /// Becomes identical to `base`, reusing buffers.
    pub fn restore(&mut self, base: &Uart) {
        let Uart {
            interrupt_enable,
            line_control,
            modem_control,
            scratch,
            divisor,
            fifo_enabled,
            transmit_pending,
            raised,
            fifo,
            waiting,
            output,
        } = base;
        self.interrupt_enable = *interrupt_enable;
        self.line_control = *line_control;
        self.modem_control = *modem_control;
        self.scratch = *scratch;
        self.divisor = *divisor;
        self.fifo_enabled = *fifo_enabled;
        self.transmit_pending = *transmit_pending;
        self.raised = *raised;
        self.fifo.clone_from(fifo);
        self.waiting.clone_from(waiting);
        self.output.clone_from(output);
    }

    fn latch_open(&self) -> bool {
        self.line_control & DIVISOR_LATCH != 0
    }

    fn transmit(&mut self, byte: u8) {
        if self.modem_control & LOOPBACK != 0 {
            if self.fifo.len() < self.fifo_capacity() {
                self.fifo.push_back(byte);
            }
        } else {
            if self.output.len() >= 2 * OUTPUT_LIMIT {
                self.output.drain(..OUTPUT_LIMIT);
            }
            self.output.push(byte);
        }
        self.transmit_pending = true;
        self.signal();
    }

    fn receive(&mut self) -> u8 {
        let byte = self.fifo.pop_front().unwrap_or(0);
        self.fill_fifo();
        self.signal();
        byte
    }

    /// Enabling the transmitter interrupt while the transmitter is idle raises it at once.
    fn enable(&mut self, value: u8) {
        if value & !self.interrupt_enable & ENABLE_TRANSMIT != 0 {
            self.transmit_pending = true;
        }
        let changed = value != self.interrupt_enable;
        self.interrupt_enable = value;
        if changed {
            self.signal();
        }
    }

    fn control_fifo(&mut self, value: u8) {
        let enable = value & FIFO_ENABLE != 0;
        // Switching the FIFOs on or off empties them (16550 data sheet, "FIFO Control Register").
        if enable != self.fifo_enabled || value & FIFO_CLEAR_RECEIVE != 0 {
            self.fifo.clear();
        }
        self.fifo_enabled = enable;
        self.fill_fifo();
        self.signal();
    }

    fn identification(&self) -> u8 {
        if self.interrupt_enable & ENABLE_RECEIVE != 0 && !self.fifo.is_empty() {
            RECEIVE_INTERRUPT
        } else if self.interrupt_enable & ENABLE_TRANSMIT != 0 && self.transmit_pending {
            TRANSMIT_INTERRUPT
        } else {
            NO_INTERRUPT
        }
    }

    /// A read of IIR takes back the transmitter interrupt if that is what it reports.
    fn identify(&mut self) -> u8 {
        let identification = self.identification();
        if identification == TRANSMIT_INTERRUPT {
            self.transmit_pending = false;
        }
        identification | if self.fifo_enabled { FIFOS_ENABLED } else { 0 }
    }

    fn fifo_capacity(&self) -> usize {
        if self.fifo_enabled { FIFO_BYTES } else { 1 }
    }

    fn fill_fifo(&mut self) {
        while self.fifo.len() < self.fifo_capacity() {
            let Some(byte) = self.waiting.pop_front() else {
                break;
            };
            self.fifo.push_back(byte);
        }
    }

    fn signal(&mut self) {
        self.raised |= self.interrupt();
    }
}

#[cfg(test)]
mod tests {
    use super::{OUTPUT_LIMIT, Uart};

    fn put(uart: &mut Uart, offset: u64, value: u64) {
        assert_eq!(uart.write(offset, 1, value), Some(()));
    }

    fn get(uart: &mut Uart, offset: u64) -> u64 {
        uart.read(offset, 1).unwrap()
    }

    /// As xv6 does: baud rate, eight bits, FIFOs on and cleared, both interrupts.
    fn set_up() -> Uart {
        let mut uart = Uart::new();
        for (offset, value) in [(1, 0), (3, 0x80), (0, 3), (1, 0), (3, 3), (2, 7), (1, 3)] {
            put(&mut uart, offset, value);
        }
        uart
    }

    #[test]
    fn bytes_go_out_in_order_and_are_taken_once() {
        let mut uart = set_up();
        for byte in b"hello" {
            assert_eq!(get(&mut uart, 5) & 0x20, 0x20, "always ready to send");
            put(&mut uart, 0, u64::from(*byte));
        }
        assert_eq!(uart.take_output(), b"hello");
        assert_eq!(uart.take_output(), b"");
    }

    #[test]
    fn the_divisor_latch_hides_data_and_enables() {
        let mut uart = set_up();
        put(&mut uart, 3, 0x83);
        put(&mut uart, 0, 0x34);
        put(&mut uart, 1, 0x12);
        assert_eq!((get(&mut uart, 0), get(&mut uart, 1)), (0x34, 0x12));
        put(&mut uart, 3, 3);
        assert_eq!(get(&mut uart, 1), 3);
        assert_eq!(uart.take_output(), b"");
    }

    #[test]
    fn the_transmitter_interrupt_is_raised_once_a_byte() {
        let mut uart = set_up();
        assert!(uart.take_raised(), "enabling it while idle raises it");
        assert!(!uart.take_raised());
        put(&mut uart, 0, b'x'.into());
        assert!(uart.take_raised());
        assert!(
            uart.interrupt() && !uart.take_raised(),
            "a high line does not ask again"
        );
        assert_eq!(get(&mut uart, 2), 0xc2);
        assert!(!uart.interrupt());
        assert_eq!(get(&mut uart, 2), 0xc1);
        put(&mut uart, 0, b'y'.into());
        assert!(uart.take_raised() && uart.interrupt());
    }

    #[test]
    fn received_bytes_interrupt_until_they_are_read() {
        let mut uart = set_up();
        let _ = (get(&mut uart, 2), uart.take_raised());
        assert_eq!(uart.input(b"ab"), 2);
        assert!(uart.take_raised());
        assert_eq!(get(&mut uart, 2), 0xc4);
        assert!(
            uart.interrupt(),
            "reading IIR does not acknowledge a received byte"
        );
        assert_eq!(get(&mut uart, 5) & 1, 1);
        assert_eq!(get(&mut uart, 0), u64::from(b'a'));
        assert!(uart.take_raised(), "there is more");
        assert_eq!(get(&mut uart, 0), u64::from(b'b'));
        assert!(!uart.interrupt() && !uart.take_raised());
        assert_eq!((get(&mut uart, 5) & 1, get(&mut uart, 0)), (0, 0));
    }

    #[test]
    fn input_beyond_the_fifo_waits_and_survives_a_clear() {
        let mut uart = set_up();
        let typed: Vec<u8> = (0..40).collect();
        assert_eq!(uart.input(&typed), 40);
        put(&mut uart, 2, 7);
        let seen: Vec<u64> =
            std::iter::from_fn(|| (get(&mut uart, 5) & 1 != 0).then(|| get(&mut uart, 0)))
                .collect();
        assert_eq!(
            seen,
            (16..40).collect::<Vec<u64>>(),
            "only the FIFO's 16 bytes are lost"
        );
    }

    #[test]
    fn both_buffers_are_bounded() {
        let mut uart = set_up();
        assert_eq!(uart.input(&vec![b'i'; 100_000]), 65_536);
        assert_eq!(uart.input(b"more"), 4, "the FIFO had taken 16 of them");
        assert_eq!(uart.input(&[0; 32]), 12);
        for index in 0..3 * OUTPUT_LIMIT {
            put(&mut uart, 0, (index % 251) as u64);
        }
        let output = uart.take_output();
        assert!((OUTPUT_LIMIT..=2 * OUTPUT_LIMIT).contains(&output.len()));
        assert_eq!(
            *output.last().unwrap(),
            ((3 * OUTPUT_LIMIT - 1) % 251) as u8,
            "the latest are kept"
        );
    }

    #[test]
    fn loopback_returns_what_is_sent() {
        let mut uart = set_up();
        put(&mut uart, 4, 0x1f);
        put(&mut uart, 0, 0x5a);
        assert_eq!(get(&mut uart, 0), 0x5a);
        assert_eq!(get(&mut uart, 6), 0xf0);
        assert_eq!(uart.take_output(), b"");
    }

    #[test]
    fn restore_is_a_clone() {
        let base = set_up();
        let mut uart = base.clone();
        uart.input(b"typed");
        put(&mut uart, 0, 1);
        put(&mut uart, 7, 9);
        assert_ne!(uart, base);
        uart.restore(&base);
        assert_eq!(uart, base);
    }

    #[test]
    fn outside_the_registers_nothing_answers() {
        let mut uart = Uart::new();
        for (offset, width) in [(8, 1), (1, 2), (5, 4), (u64::MAX, 1), (0, 3), (0, 0)] {
            assert_eq!(uart.read(offset, width), None);
            assert_eq!(uart.write(offset, width, 0), None);
        }
        assert_eq!(
            uart.read(4, 4),
            Some(8),
            "a wide access is one of its first register"
        );
    }
}
