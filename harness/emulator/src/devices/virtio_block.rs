//! The virtio block device: what a request on the queue does to the disk.
//!
//! Virtual I/O Device specification 1.2, section 5.2. Requests are done by the time the store that
//! announced them retires. One visit does a bounded amount of work; what is left over waits until
//! the driver notifies or acknowledges again, so that no guest can keep the host busy with one store.

use super::virtio_mmio::{CONFIGURATION, Effect, REGISTER_BYTES, Transport};
use super::virtqueue::{Broken, Chain};
use super::{Disk, GuestMemory, SECTOR_BYTES, is_aligned};

pub use super::virtio_mmio::DiskFlavour;

const BLOCK_DEVICE: u32 = 2;

const FEATURE_SIZE_MAX: u64 = 1 << 1;
const FEATURE_SEG_MAX: u64 = 1 << 2;
const FEATURE_BLK_SIZE: u64 = 1 << 6;
const FEATURE_FLUSH: u64 = 1 << 9;
const FEATURES: u64 = FEATURE_SIZE_MAX | FEATURE_SEG_MAX | FEATURE_BLK_SIZE | FEATURE_FLUSH;

/// Largest segment, in bytes, and most data segments a driver should use.
const SIZE_MAX: u32 = 4096;
const SEG_MAX: u32 = 64;
/// Most data one request may move; larger ones fail.
const REQUEST_BYTES: u64 = SIZE_MAX as u64 * SEG_MAX as u64;
/// Once a visit has moved this much, the rest waits.
const VISIT_BYTES: u64 = REQUEST_BYTES;
/// What following one descriptor counts as, in bytes moved.
const DESCRIPTOR_COST: u64 = 64;

const REQUEST_IN: u32 = 0;
const REQUEST_OUT: u32 = 1;
const REQUEST_FLUSH: u32 = 4;
const REQUEST_GET_ID: u32 = 8;

const STATUS_OK: u8 = 0;
const STATUS_IO_ERROR: u8 = 1;
const STATUS_UNSUPPORTED: u8 = 2;

/// The answer to GET_ID, 20 bytes.
const IDENTITY: &[u8; 20] = b"disk0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

/// The disk behind its transport.
#[derive(Clone, Debug, PartialEq)]
pub struct VirtioBlock {
    transport: Transport,
    disk: Disk,
    /// Room for the request at work; empty between visits.
    chain: Chain,
    /// Did the last visit leave requests to be done?
    backlog: bool,
    /// Has the driver ever acknowledged an interrupt? One that does not polls, and knows at once what is done.
    acknowledges: bool,
}

impl VirtioBlock {
    /// A block device after reset.
    pub fn new(flavour: DiskFlavour, disk: Disk) -> VirtioBlock {
        VirtioBlock {
            transport: Transport::new(flavour, BLOCK_DEVICE, FEATURES),
            disk,
            chain: Chain::default(),
            backlog: false,
            acknowledges: false,
        }
    }

    /// The content.
    pub fn disk(&self) -> &Disk {
        &self.disk
    }

    /// The content, to be changed from outside.
    pub fn disk_mut(&mut self) -> &mut Disk {
        &mut self.disk
    }

    /// How many requests were completed since the driver set the queue up, modulo 2^16.
    pub fn completed(&self) -> u16 {
        self.transport.queue.completed()
    }

    /// Whether a driver has begun to set the device up.
    pub fn is_claimed(&self) -> bool {
        self.transport.is_claimed()
    }

    /// The level of the interrupt line.
    pub fn interrupt(&self) -> bool {
        self.transport.interrupt()
    }

    /// Was the line raised, or raised again, since the last call?
    pub fn take_raised(&mut self) -> bool {
        self.transport.take_raised()
    }

    /// Reads registers and configuration; registers answer to 4 bytes only, else zero.
    pub fn read(&mut self, offset: u64, width: u8) -> Option<u64> {
        if offset >= REGISTER_BYTES || !is_aligned(offset, width) {
            return None;
        }
        if offset >= CONFIGURATION {
            return Some(self.read_configuration(offset - CONFIGURATION, width));
        }
        Some(if width == 4 {
            self.transport.read(offset).into()
        } else {
            0
        })
    }

    /// Writes registers; the configuration is read only.
    pub fn write(
        &mut self,
        offset: u64,
        width: u8,
        value: u64,
        memory: &mut dyn GuestMemory,
    ) -> Option<()> {
        if offset >= REGISTER_BYTES || !is_aligned(offset, width) {
            return None;
        }
        if offset < CONFIGURATION && width == 4 {
            match self.transport.write(offset, value as u32) {
                Effect::Notified => self.work(memory),
                Effect::Acknowledged => {
                    self.acknowledges = true;
                    self.disk.note_known_done();
                    if self.backlog {
                        self.work(memory);
                    }
                }
                Effect::None => {}
            }
        }
        Some(())
    }

    /// Reads a slot of the same flavour with nothing in it: device identity 0.
    pub fn read_empty_slot(&self, offset: u64, width: u8) -> Option<u64> {
        Self::write_empty_slot(offset, width)?;
        Some(if width == 4 {
            self.transport.read_identity(offset, 0).into()
        } else {
            0
        })
    }

    /// Writes a slot with nothing in it: ignored.
    pub fn write_empty_slot(offset: u64, width: u8) -> Option<()> {
        (offset < REGISTER_BYTES && is_aligned(offset, width)).then_some(())
    }

    /// Becomes identical to `base`; the cost follows what either has written to its disk.
    pub fn restore(&mut self, base: &VirtioBlock) {
        let VirtioBlock {
            transport,
            disk,
            chain,
            backlog,
            acknowledges,
        } = base;
        self.transport.clone_from(transport);
        self.disk.restore(disk);
        self.chain.clone_from(chain);
        self.backlog = *backlog;
        self.acknowledges = *acknowledges;
    }

    fn read_configuration(&self, offset: u64, width: u8) -> u64 {
        let mut bytes = [0; (REGISTER_BYTES - CONFIGURATION) as usize];
        bytes[0..8].copy_from_slice(&self.disk.sectors().to_le_bytes());
        bytes[8..12].copy_from_slice(&SIZE_MAX.to_le_bytes());
        bytes[12..16].copy_from_slice(&SEG_MAX.to_le_bytes());
        bytes[20..24].copy_from_slice(&(SECTOR_BYTES as u32).to_le_bytes());
        let start = offset as usize;
        bytes[start..start + usize::from(width)]
            .iter()
            .rev()
            .fold(0, |value, byte| value << 8 | u64::from(*byte))
    }

    /// One visit to the queue.
    fn work(&mut self, memory: &mut dyn GuestMemory) {
        if !self.transport.is_live() {
            return;
        }
        let mut chain = std::mem::take(&mut self.chain);
        let mut completed = false;
        let outcome = self.serve(memory, &mut chain, &mut completed);
        chain.clear();
        self.chain = chain;
        let wants_interrupt = if completed {
            self.transport.queue.wants_interrupt(memory)
        } else {
            Ok(false)
        };
        if wants_interrupt == Ok(true) {
            self.transport.signal_used();
        }
        self.backlog = match (outcome, wants_interrupt) {
            (Ok(left_over), Ok(_)) => left_over,
            (Err(Broken), _) | (_, Err(Broken)) => {
                self.transport.fail();
                false
            }
        };
    }

    /// Serves requests until none waits (false) or the visit is spent (true).
    fn serve(
        &mut self,
        memory: &mut dyn GuestMemory,
        chain: &mut Chain,
        completed: &mut bool,
    ) -> Result<bool, Broken> {
        let mut spent = 0;
        while spent < VISIT_BYTES {
            if !self.transport.queue.pop(memory, chain)? {
                return Ok(false);
            }
            spent += DESCRIPTOR_COST * chain.len() as u64;
            let moved = perform(&mut self.disk, !self.acknowledges, memory, chain)?;
            spent += u64::from(moved.data);
            self.transport
                .queue
                .push(memory, chain.head, moved.into_guest)?;
            *completed = true;
        }
        Ok(self.transport.queue.waiting(memory)? > 0)
    }
}

/// What one request moved, in bytes.
struct Moved {
    data: u32,
    /// Of these, written into the guest, with the status byte.
    into_guest: u32,
}

/// Does one request and writes its status; `Broken` if there is no place for the status. `known_done`: the driver knows
/// that all earlier requests are done.
fn perform(
    disk: &mut Disk,
    known_done: bool,
    memory: &mut dyn GuestMemory,
    chain: &mut Chain,
) -> Result<Moved, Broken> {
    let status_address = chain.writable.split_last().ok_or(Broken)?;
    let mut header = [0; 16];
    if !chain.readable.read(memory, &mut header) {
        return Err(Broken);
    }
    let [t0, t1, t2, t3, _, _, _, _, s0, s1, s2, s3, s4, s5, s6, s7] = header;
    let kind = u32::from_le_bytes([t0, t1, t2, t3]);
    let sector = u64::from_le_bytes([s0, s1, s2, s3, s4, s5, s6, s7]);
    let (status, data, into_guest) = match kind {
        REQUEST_IN => {
            let (status, data) = read_sectors(disk, memory, chain, sector);
            (status, data, data)
        }
        REQUEST_OUT => {
            disk.begin_request(known_done);
            let (status, data) = write_sectors(disk, memory, chain, sector);
            (status, data, 0)
        }
        // Everything written is in place already.
        REQUEST_FLUSH => (STATUS_OK, 0, 0),
        REQUEST_GET_ID => {
            let bytes = chain.writable.remaining().min(IDENTITY.len() as u64) as usize;
            let fits = chain.writable.write(memory, &IDENTITY[..bytes]);
            if fits {
                (STATUS_OK, bytes as u32, bytes as u32)
            } else {
                (STATUS_IO_ERROR, 0, 0)
            }
        }
        _ => (STATUS_UNSUPPORTED, 0, 0),
    };
    if !memory.write(status_address, &[status]) {
        return Err(Broken);
    }
    Ok(Moved {
        data,
        into_guest: into_guest + 1,
    })
}

/// The sectors a transfer covers; `None` if it is ragged, too long or goes beyond the disk.
fn extent(disk: &Disk, sector: u64, bytes: u64) -> Option<std::ops::Range<u64>> {
    if bytes > REQUEST_BYTES || !bytes.is_multiple_of(SECTOR_BYTES as u64) {
        return None;
    }
    let end = sector.checked_add(bytes / SECTOR_BYTES as u64)?;
    (end <= disk.sectors()).then_some(sector..end)
}

fn read_sectors(
    disk: &mut Disk,
    memory: &mut dyn GuestMemory,
    chain: &mut Chain,
    sector: u64,
) -> (u8, u32) {
    let mut moved = 0;
    let Some(sectors) = extent(disk, sector, chain.writable.remaining()) else {
        return (STATUS_IO_ERROR, moved);
    };
    for sector in sectors {
        let Some(content) = disk.read(sector) else {
            return (STATUS_IO_ERROR, moved);
        };
        if !chain.writable.write(memory, content) {
            return (STATUS_IO_ERROR, moved);
        }
        moved += SECTOR_BYTES as u32;
    }
    (STATUS_OK, moved)
}

fn write_sectors(
    disk: &mut Disk,
    memory: &mut dyn GuestMemory,
    chain: &mut Chain,
    sector: u64,
) -> (u8, u32) {
    let mut moved = 0;
    let Some(sectors) = extent(disk, sector, chain.readable.remaining()) else {
        return (STATUS_IO_ERROR, moved);
    };
    let mut content = [0; SECTOR_BYTES];
    for sector in sectors {
        if !chain.readable.read(memory, &mut content) {
            return (STATUS_IO_ERROR, moved);
        }
        if disk.write(sector, &content).is_none() {
            return (STATUS_IO_ERROR, moved);
        }
        moved += SECTOR_BYTES as u32;
    }
    (STATUS_OK, moved)
}
