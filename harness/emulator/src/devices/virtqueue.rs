//! The split virtqueue: rings in guest memory through which a driver hands over buffers.
//!
//! Virtual I/O Device specification 1.2, section 2.7. Nothing that the driver wrote is
//! trusted: indices are checked, chains end after at most as many descriptors as the queue has,
//! and a queue that breaks the rules is an error, [`Broken`], that stops the device until a reset.

use super::GuestMemory;

/// Largest queue, as QEMU's.
pub(super) const QUEUE_LIMIT: u32 = 1024;

const DESCRIPTOR_BYTES: u64 = 16;
const USED_ELEMENT_BYTES: u64 = 8;
const HAS_NEXT: u16 = 1;
const DEVICE_WRITES: u16 = 2;
const INDIRECT: u16 = 4;
const NO_INTERRUPT: u16 = 1;

/// The driver broke the rules of the queue; the device must not touch it until it is reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Broken;

/// Where the three parts of a queue are, and how far the device has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Queue {
    /// Entries, 0..=[`QUEUE_LIMIT`].
    pub(super) size: u32,
    /// May the device use it?
    pub(super) ready: bool,
    /// Physical address of the descriptor table.
    pub(super) descriptors: u64,
    /// Physical address of the ring the driver fills ("available").
    pub(super) driver_ring: u64,
    /// Physical address of the ring the device fills ("used").
    pub(super) device_ring: u64,
    next_available: u16,
    next_used: u16,
}

/// A stretch of guest memory, as the driver names it: not checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    address: u64,
    bytes: u32,
}

/// One request's buffers. Kept and refilled, so that requests allocate nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Chain {
    /// The descriptor that names the request.
    pub(super) head: u16,
    /// What the device reads, in order.
    pub(super) readable: Buffers,
    /// What the device writes, in order.
    pub(super) writable: Buffers,
}

/// A sequence of segments that is read or written like one stretch, from front to back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Buffers {
    segments: Vec<Segment>,
    /// The first segment that is not used up, and how much of it is.
    current: usize,
    consumed: u32,
}

impl Queue {
    /// How many requests were completed since the driver set the queue up, modulo 2^16.
    pub(super) fn completed(&self) -> u16 {
        self.next_used
    }

    /// A queue that is put to use starts at index zero.
    pub(super) fn rewind(&mut self) {
        self.next_available = 0;
        self.next_used = 0;
    }

    /// The next request the driver made available, into `chain`; false if there is none.
    pub(super) fn pop(
        &mut self,
        memory: &dyn GuestMemory,
        chain: &mut Chain,
    ) -> Result<bool, Broken> {
        let waiting = self.waiting(memory)?;
        if waiting == 0 {
            return Ok(false);
        }
        let slot = u64::from(u32::from(self.next_available) % self.size);
        let head = read_u16(memory, self.driver_ring, 4 + 2 * slot)?;
        chain.collect(self, memory, head)?;
        self.next_available = self.next_available.wrapping_add(1);
        Ok(true)
    }

    /// How many requests wait.
    pub(super) fn waiting(&self, memory: &dyn GuestMemory) -> Result<u32, Broken> {
        if !self.ready || self.size == 0 {
            return Ok(0);
        }
        let index = read_u16(memory, self.driver_ring, 2)?;
        let waiting = u32::from(index.wrapping_sub(self.next_available));
        if waiting > self.size {
            Err(Broken)
        } else {
            Ok(waiting)
        }
    }

    /// Gives a request back, saying how many bytes were written into it.
    pub(super) fn push(
        &mut self,
        memory: &mut dyn GuestMemory,
        head: u16,
        written: u32,
    ) -> Result<(), Broken> {
        if self.size == 0 {
            return Err(Broken);
        }
        let slot = u64::from(u32::from(self.next_used) % self.size);
        let mut element = [0; USED_ELEMENT_BYTES as usize];
        element[..4].copy_from_slice(&u32::from(head).to_le_bytes());
        element[4..].copy_from_slice(&written.to_le_bytes());
        write(
            memory,
            self.device_ring,
            4 + USED_ELEMENT_BYTES * slot,
            &element,
        )?;
        self.next_used = self.next_used.wrapping_add(1);
        write(memory, self.device_ring, 2, &self.next_used.to_le_bytes())
    }

    /// Does the driver want an interrupt for what was given back?
    pub(super) fn wants_interrupt(&self, memory: &dyn GuestMemory) -> Result<bool, Broken> {
        let flags = read_u16(memory, self.driver_ring, 0)?;
        Ok(flags & NO_INTERRUPT == 0)
    }
}

impl Chain {
    /// Descriptors in the chain.
    pub(super) fn len(&self) -> usize {
        self.readable.segments.len() + self.writable.segments.len()
    }

    /// Forgets the request, keeping the room.
    pub(super) fn clear(&mut self) {
        self.head = 0;
        self.readable.clear();
        self.writable.clear();
    }

    fn collect(
        &mut self,
        queue: &Queue,
        memory: &dyn GuestMemory,
        head: u16,
    ) -> Result<(), Broken> {
        self.clear();
        self.head = head;
        let mut index = head;
        loop {
            // A chain longer than the table visits a descriptor twice: it is a loop.
            if u32::from(index) >= queue.size || self.len() >= queue.size as usize {
                return Err(Broken);
            }
            let mut raw = [0; DESCRIPTOR_BYTES as usize];
            let at = offset(queue.descriptors, DESCRIPTOR_BYTES * u64::from(index))?;
            if !memory.read(at, &mut raw) {
                return Err(Broken);
            }
            let [
                a0,
                a1,
                a2,
                a3,
                a4,
                a5,
                a6,
                a7,
                b0,
                b1,
                b2,
                b3,
                f0,
                f1,
                n0,
                n1,
            ] = raw;
            let segment = Segment {
                address: u64::from_le_bytes([a0, a1, a2, a3, a4, a5, a6, a7]),
                bytes: u32::from_le_bytes([b0, b1, b2, b3]),
            };
            let flags = u16::from_le_bytes([f0, f1]);
            if flags & INDIRECT != 0 {
                return Err(Broken);
            } else if flags & DEVICE_WRITES != 0 {
                self.writable.segments.push(segment);
            } else if self.writable.segments.is_empty() {
                self.readable.segments.push(segment);
            } else {
                // What the device reads comes first (2.7.4.2).
                return Err(Broken);
            }
            if flags & HAS_NEXT == 0 {
                return Ok(());
            }
            index = u16::from_le_bytes([n0, n1]);
        }
    }
}

impl Buffers {
    /// Bytes from the present position to the end.
    pub(super) fn remaining(&self) -> u64 {
        let all: u64 = self.segments[self.current..]
            .iter()
            .map(|segment| u64::from(segment.bytes))
            .sum();
        all - u64::from(self.consumed)
    }

    /// Fills `out` with what follows; false if there is too little or it is not in RAM.
    pub(super) fn read(&mut self, memory: &dyn GuestMemory, out: &mut [u8]) -> bool {
        let mut done = 0;
        while done < out.len() {
            let Some((address, bytes)) = self.take(out.len() - done) else {
                return false;
            };
            if !memory.read(address, &mut out[done..done + bytes]) {
                return false;
            }
            done += bytes;
        }
        true
    }

    /// Puts `data` into what follows; false if there is too little room or it is not in RAM.
    pub(super) fn write(&mut self, memory: &mut dyn GuestMemory, data: &[u8]) -> bool {
        let mut done = 0;
        while done < data.len() {
            let Some((address, bytes)) = self.take(data.len() - done) else {
                return false;
            };
            if !memory.write(address, &data[done..done + bytes]) {
                return false;
            }
            done += bytes;
        }
        true
    }

    /// Sets the last byte apart and returns its address.
    pub(super) fn split_last(&mut self) -> Option<u64> {
        while self.segments.len() > self.current {
            let last = self.segments.last_mut()?;
            if let Some(bytes) = last.bytes.checked_sub(1) {
                last.bytes = bytes;
                return last.address.checked_add(bytes.into());
            }
            self.segments.pop();
        }
        None
    }

    fn clear(&mut self) {
        self.segments.clear();
        self.current = 0;
        self.consumed = 0;
    }

    /// Moves on by at most `limit` bytes within one segment.
    fn take(&mut self, limit: usize) -> Option<(u64, usize)> {
        loop {
            let segment = self.segments.get(self.current)?;
            let left = segment.bytes - self.consumed;
            if left == 0 {
                self.current += 1;
                self.consumed = 0;
                continue;
            }
            let bytes = limit.min(left as usize);
            let address = segment.address.checked_add(self.consumed.into())?;
            self.consumed += bytes as u32;
            return Some((address, bytes));
        }
    }
}

fn offset(base: u64, bytes: u64) -> Result<u64, Broken> {
    base.checked_add(bytes).ok_or(Broken)
}

fn read_u16(memory: &dyn GuestMemory, base: u64, bytes: u64) -> Result<u16, Broken> {
    let mut raw = [0; 2];
    if memory.read(offset(base, bytes)?, &mut raw) {
        Ok(u16::from_le_bytes(raw))
    } else {
        Err(Broken)
    }
}

fn write(memory: &mut dyn GuestMemory, base: u64, bytes: u64, data: &[u8]) -> Result<(), Broken> {
    if memory.write(offset(base, bytes)?, data) {
        Ok(())
    } else {
        Err(Broken)
    }
}
