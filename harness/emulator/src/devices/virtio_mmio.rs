//! The virtio-mmio transport: the registers between a driver and a device with one queue.
//!
//! Virtual I/O Device specification 1.2, section 4.2.2 (version 2) and 4.2.4 (version 1, legacy:
//! guest page size and page number of one contiguous queue). Offsets below 0x100 are the
//! transport's, the device's own configuration lies above.

use super::virtqueue::{QUEUE_LIMIT, Queue};

/// Which register layout the disk's transport has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum DiskFlavour {
    /// Version 2, of virtio 1.0 and later.
    #[default]
    Modern,
    /// Version 1, of the drafts before virtio 1.0.
    Legacy,
}

impl DiskFlavour {
    /// All flavours.
    pub const ALL: [DiskFlavour; 2] = [DiskFlavour::Modern, DiskFlavour::Legacy];

    /// Its name for people: `modern` or `legacy`.
    pub const fn name(self) -> &'static str {
        match self {
            DiskFlavour::Modern => "modern",
            DiskFlavour::Legacy => "legacy",
        }
    }

    /// The flavour of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|flavour| flavour.name() == name)
    }
}

/// What a register write means to the device behind the transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Nothing.
    None,
    /// The driver made buffers available.
    Notified,
    /// The driver has seen an interrupt.
    Acknowledged,
}

/// Offset at which the device's own configuration starts.
pub(super) const CONFIGURATION: u64 = 0x100;
/// Bytes of register space.
pub(super) const REGISTER_BYTES: u64 = 0x200;

const MAGIC: u32 = u32::from_le_bytes(*b"virt");
const VENDOR: u32 = u32::from_le_bytes(*b"QEMU");

/// The device complies with virtio 1.0; offered by the modern flavour only.
const FEATURE_VERSION_1: u64 = 1 << 32;
const DRIVER_OK: u32 = 4;
const FEATURES_OK: u32 = 8;
const NEEDS_RESET: u32 = 0x40;
const STATUS_MASK: u32 = 0xff;

const USED_BUFFER: u32 = 1;
const CONFIGURATION_CHANGE: u32 = 2;

/// Legacy drivers that do not set an alignment, such as xv6's, mean this one.
const DEFAULT_ALIGNMENT: u32 = 4096;

/// The registers of one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Transport {
    flavour: DiskFlavour,
    device: u32,
    offered: u64,
    accepted: u64,
    offered_select: u32,
    accepted_select: u32,
    status: u32,
    interrupt_status: u32,
    raised: bool,
    broken: bool,
    queue_select: u32,
    guest_page_bytes: u32,
    alignment: u32,
    page_number: u32,
    /// The device's only queue.
    pub(super) queue: Queue,
}

impl Transport {
    /// A transport after reset, for a device with this identity and these features.
    pub(super) fn new(flavour: DiskFlavour, device: u32, features: u64) -> Transport {
        Transport {
            flavour,
            device,
            offered: match flavour {
                DiskFlavour::Modern => features | FEATURE_VERSION_1,
                DiskFlavour::Legacy => features & 0xffff_ffff,
            },
            accepted: 0,
            offered_select: 0,
            accepted_select: 0,
            status: 0,
            interrupt_status: 0,
            raised: false,
            broken: false,
            queue_select: 0,
            guest_page_bytes: 0,
            alignment: DEFAULT_ALIGNMENT,
            page_number: 0,
            queue: Queue::default(),
        }
    }

    /// Reads a register; those of the other flavour, and those for writing only, are zero.
    pub(super) fn read(&self, offset: u64) -> u32 {
        let selected = self.queue_select == 0;
        match offset {
            0x000..=0x00c => self.read_identity(offset, self.device),
            0x010 => half(self.offered, self.offered_select),
            0x034 if selected => QUEUE_LIMIT,
            0x040 if selected && self.is_legacy() => self.page_number,
            0x044 if selected && !self.is_legacy() => self.queue.ready.into(),
            0x060 => self.interrupt_status,
            0x070 => self.status,
            _ => 0,
        }
    }

    /// The identity registers, as read with `device` behind the transport (0: none).
    pub(super) fn read_identity(&self, offset: u64, device: u32) -> u32 {
        match offset {
            0x000 => MAGIC,
            0x004 if self.is_legacy() => 1,
            0x004 => 2,
            0x008 => device,
            0x00c => VENDOR,
            _ => 0,
        }
    }

    /// Writes a register; those of the other flavour, and those for reading only, ignore it.
    pub(super) fn write(&mut self, offset: u64, value: u32) -> Effect {
        match offset {
            0x014 => self.offered_select = value,
            0x020 => self.accept(value),
            0x024 => self.accepted_select = value,
            0x030 => self.queue_select = value,
            0x050 if value == 0 => return Effect::Notified,
            0x064 => {
                self.interrupt_status &= !value;
                self.raised |= self.interrupt();
                return Effect::Acknowledged;
            }
            0x070 => self.write_status(value),
            0x028 if self.is_legacy() => self.guest_page_bytes = value,
            0x038 | 0x03c | 0x040 | 0x044 | 0x080..=0x0a4 if self.queue_select == 0 => {
                self.write_queue(offset, value);
            }
            _ => {}
        }
        Effect::None
    }

    /// Has a driver begun to set the device up?
    pub(super) fn is_claimed(&self) -> bool {
        self.status != 0
    }

    /// May the device use its queue?
    pub(super) fn is_live(&self) -> bool {
        self.status & DRIVER_OK != 0 && !self.broken
    }

    /// The level of the interrupt line.
    pub(super) fn interrupt(&self) -> bool {
        self.interrupt_status != 0
    }

    /// Was the line raised, or raised again, since the last call?
    pub(super) fn take_raised(&mut self) -> bool {
        std::mem::take(&mut self.raised)
    }

    /// Tells the driver that buffers came back.
    pub(super) fn signal_used(&mut self) {
        self.interrupt_status |= USED_BUFFER;
        self.raised = true;
    }

    /// Stops the device until the driver resets it (specification, section 2.1.2).
    pub(super) fn fail(&mut self) {
        self.broken = true;
        if !self.is_legacy() {
            self.status |= NEEDS_RESET;
            self.interrupt_status |= CONFIGURATION_CHANGE;
            self.raised = true;
        }
    }

    fn is_legacy(&self) -> bool {
        self.flavour == DiskFlavour::Legacy
    }

    fn accept(&mut self, value: u32) {
        // Once both sides have agreed, the features are fixed until a reset (section 3.1.1).
        if self.status & FEATURES_OK == 0 || self.is_legacy() {
            set_half(&mut self.accepted, self.accepted_select, value);
        }
    }

    fn write_status(&mut self, value: u32) {
        let mut value = value & STATUS_MASK;
        if value == 0 {
            *self = Transport {
                raised: self.raised,
                ..Transport::new(self.flavour, self.device, self.offered)
            };
            return;
        }
        if self.accepted & !self.offered != 0 {
            value &= !FEATURES_OK;
        }
        self.status = value | (self.status & NEEDS_RESET);
    }

    fn write_queue(&mut self, offset: u64, value: u32) {
        let legacy = self.is_legacy();
        match offset {
            0x038 if (1..=QUEUE_LIMIT).contains(&value) => self.queue.size = value,
            0x03c if legacy && value.is_power_of_two() => self.alignment = value,
            0x040 if legacy => {
                self.page_number = value;
                self.queue.ready = value != 0;
                self.queue.rewind();
            }
            0x044 if !legacy => {
                let ready = value & 1 != 0;
                if ready && !self.queue.ready {
                    self.queue.rewind();
                }
                self.queue.ready = ready;
            }
            0x080 if !legacy => set_half(&mut self.queue.descriptors, 0, value),
            0x084 if !legacy => set_half(&mut self.queue.descriptors, 1, value),
            0x090 if !legacy => set_half(&mut self.queue.driver_ring, 0, value),
            0x094 if !legacy => set_half(&mut self.queue.driver_ring, 1, value),
            0x0a0 if !legacy => set_half(&mut self.queue.device_ring, 0, value),
            0x0a4 if !legacy => set_half(&mut self.queue.device_ring, 1, value),
            _ => {}
        }
        if legacy {
            self.place_legacy_queue();
        }
    }

    /// A legacy queue is one stretch: table, available ring, and the used ring on the next
    /// multiple of the alignment (section 2.7.2). None of the sums can overflow: the page number
    /// and the page size have 32 bits each.
    fn place_legacy_queue(&mut self) {
        let size = u64::from(self.queue.size);
        let base = u64::from(self.page_number) * u64::from(self.guest_page_bytes);
        self.queue.descriptors = base;
        self.queue.driver_ring = base + 16 * size;
        let end = self.queue.driver_ring + 2 * (3 + size);
        self.queue.device_ring = end.next_multiple_of(self.alignment.into());
    }
}

fn half(value: u64, select: u32) -> u32 {
    match select {
        0 => value as u32,
        1 => (value >> 32) as u32,
        _ => 0,
    }
}

fn set_half(register: &mut u64, select: u32, value: u32) {
    match select {
        0 => *register = *register & 0xffff_ffff_0000_0000 | u64::from(value),
        1 => *register = *register & 0x0000_0000_ffff_ffff | u64::from(value) << 32,
        _ => {}
    }
}
