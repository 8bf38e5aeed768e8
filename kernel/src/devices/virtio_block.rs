//! The disk: a virtio block device behind virtio-mmio, in its modern form.
//!
//! Virtual I/O Device (VIRTIO) Version 1.2: 2.7 split virtqueues, 3.1 initialisation, 4.2 MMIO,
//! 5.2 block device. One request is under way at a time; the others wait for the lock.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering};

use abi::file_system::BLOCK_SIZE;

use crate::arch::fence;
use crate::mmio::{Register, VIRTIO_DISK};
use crate::scheduling::SleepLock;
use crate::scheduling::sleep::{Channel, sleep, wake};
use crate::sync::SpinLock;

const MAGIC: Register<u32> = VIRTIO_DISK.register(0x000);
const VERSION: Register<u32> = VIRTIO_DISK.register(0x004);
const DEVICE: Register<u32> = VIRTIO_DISK.register(0x008);
const DEVICE_FEATURES: Register<u32> = VIRTIO_DISK.register(0x010);
const DEVICE_FEATURES_SELECT: Register<u32> = VIRTIO_DISK.register(0x014);
const DRIVER_FEATURES: Register<u32> = VIRTIO_DISK.register(0x020);
const DRIVER_FEATURES_SELECT: Register<u32> = VIRTIO_DISK.register(0x024);
const QUEUE_SELECT: Register<u32> = VIRTIO_DISK.register(0x030);
const QUEUE_SIZE_MAX: Register<u32> = VIRTIO_DISK.register(0x034);
const QUEUE_SIZE: Register<u32> = VIRTIO_DISK.register(0x038);
const QUEUE_READY: Register<u32> = VIRTIO_DISK.register(0x044);
const QUEUE_NOTIFY: Register<u32> = VIRTIO_DISK.register(0x050);
const INTERRUPT_STATUS: Register<u32> = VIRTIO_DISK.register(0x060);
const INTERRUPT_ACKNOWLEDGE: Register<u32> = VIRTIO_DISK.register(0x064);
const STATUS: Register<u32> = VIRTIO_DISK.register(0x070);
/// The capacity in sectors, in two registers: the lower half first.
const CAPACITY: Register<u32> = VIRTIO_DISK.register(0x100);
const CAPACITY_HIGH: Register<u32> = VIRTIO_DISK.register(0x104);
const QUEUE_DESCRIPTORS: usize = 0x080;
const QUEUE_DRIVER: usize = 0x090;
const QUEUE_DEVICE: usize = 0x0a0;

const MAGIC_VALUE: u32 = 0x7472_6976;
const BLOCK_DEVICE: u32 = 2;
const STATUS_ACKNOWLEDGE: u32 = 1;
const STATUS_DRIVER: u32 = 2;
const STATUS_DRIVER_OK: u32 = 4;
const STATUS_FEATURES_OK: u32 = 8;
/// Feature bit 32, the lowest of the second word: the device keeps to version 1 or later.
const FEATURE_VERSION_1: u32 = 1;

/// Entries of the queue. A request takes the first three.
const QUEUE_ENTRIES: usize = 8;
const SECTORS_PER_BLOCK: u64 = BLOCK_SIZE as u64 / 512;

const DESCRIPTOR_NEXT: u16 = 1;
/// The device writes this part of memory.
const DESCRIPTOR_WRITE: u16 = 2;

const REQUEST_READ: u32 = 0;
const REQUEST_WRITE: u32 = 1;
const REQUEST_SUCCEEDED: u8 = 0;

#[repr(C)]
struct Descriptor {
    address: AtomicU64,
    length: AtomicU32,
    flags: AtomicU16,
    next: AtomicU16,
}

/// The memory that driver and device share. All of it is atomic, because the device may access it.
#[repr(C, align(4096))]
struct Shared {
    descriptors: [Descriptor; QUEUE_ENTRIES],
    available: Available,
    used: Used,
    header: Header,
    status: AtomicU8,
}

/// What the driver offers.
#[repr(C, align(2))]
struct Available {
    flags: AtomicU16,
    index: AtomicU16,
    ring: [AtomicU16; QUEUE_ENTRIES],
    unused: AtomicU16,
}

/// What the device has done.
#[repr(C, align(4))]
struct Used {
    flags: AtomicU16,
    index: AtomicU16,
    ring: [[AtomicU32; 2]; QUEUE_ENTRIES],
    unused: AtomicU16,
}

#[repr(C)]
struct Header {
    kind: AtomicU32,
    reserved: AtomicU32,
    sector: AtomicU64,
}

static SHARED: Shared = Shared {
    descriptors: [const {
        Descriptor {
            address: AtomicU64::new(0),
            length: AtomicU32::new(0),
            flags: AtomicU16::new(0),
            next: AtomicU16::new(0),
        }
    }; QUEUE_ENTRIES],
    available: Available {
        flags: AtomicU16::new(0),
        index: AtomicU16::new(0),
        ring: [const { AtomicU16::new(0) }; QUEUE_ENTRIES],
        unused: AtomicU16::new(0),
    },
    used: Used {
        flags: AtomicU16::new(0),
        index: AtomicU16::new(0),
        ring: [const { [const { AtomicU32::new(0) }; 2] }; QUEUE_ENTRIES],
        unused: AtomicU16::new(0),
    },
    header: Header {
        kind: AtomicU32::new(0),
        reserved: AtomicU32::new(0),
        sector: AtomicU64::new(0),
    },
    status: AtomicU8::new(0),
};

/// The bytes of a disk block, where the device can reach them: in the kernel's static memory.
#[repr(C, align(8))]
pub struct Block(UnsafeCell<[u8; BLOCK_SIZE]>);

// SAFETY: `bytes` needs `&mut` to change anything; the device writes only during `transfer`, which
// has `&mut` too.
unsafe impl Sync for Block {}

impl Block {
    /// A block of zeros.
    pub const fn zeroed() -> Block {
        Block(UnsafeCell::new([0; BLOCK_SIZE]))
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8; BLOCK_SIZE] {
        // SAFETY: nothing changes them while the reference lives: that takes `&mut self`.
        unsafe { &*self.0.get() }
    }

    /// Its bytes.
    pub fn bytes_mut(&mut self) -> &mut [u8; BLOCK_SIZE] {
        self.0.get_mut()
    }
}

/// Whether a request moves a block from the disk or to it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the disk to memory.
    Read,
    /// From memory to the disk.
    Write,
}

/// The disk reported an error: a block that it does not have, or a failed medium.
#[derive(Debug)]
pub struct DiskError;

/// The driver's end of the queue; its lock is the right to submit a request.
struct Queue;

static QUEUE: SleepLock<Queue> = SleepLock::new(Queue);
/// How many requests the device has reported as done, modulo 2^16.
static COMPLETED: SpinLock<u16> = SpinLock::new(&"disk", 0);

/// Finds the disk and prepares its queue.
///
/// # Panics
/// If there is no such disk: the system cannot run without one.
pub fn initialise() {
    assert!(
        MAGIC.read() == MAGIC_VALUE && VERSION.read() == 2 && DEVICE.read() == BLOCK_DEVICE,
        "no modern virtio disk in the first slot"
    );
    STATUS.write(0);
    let mut status = STATUS_ACKNOWLEDGE;
    STATUS.write(status);
    status |= STATUS_DRIVER;
    STATUS.write(status);

    // No feature is needed except that the device is a modern one.
    DEVICE_FEATURES_SELECT.write(1);
    let modern = DEVICE_FEATURES.read() & FEATURE_VERSION_1;
    DRIVER_FEATURES_SELECT.write(0);
    DRIVER_FEATURES.write(0);
    DRIVER_FEATURES_SELECT.write(1);
    DRIVER_FEATURES.write(modern);
    status |= STATUS_FEATURES_OK;
    STATUS.write(status);
    assert!(
        STATUS.read() & STATUS_FEATURES_OK != 0,
        "the disk refuses a driver without extra features"
    );

    QUEUE_SELECT.write(0);
    assert!(QUEUE_READY.read() == 0, "the disk's queue is in use");
    assert!(
        QUEUE_SIZE_MAX.read() >= QUEUE_ENTRIES as u32,
        "the disk's queue is too short"
    );
    QUEUE_SIZE.write(QUEUE_ENTRIES as u32);
    set_address(QUEUE_DESCRIPTORS, &SHARED.descriptors);
    set_address(QUEUE_DRIVER, &SHARED.available);
    set_address(QUEUE_DEVICE, &SHARED.used);
    QUEUE_READY.write(1);
    STATUS.write(status | STATUS_DRIVER_OK);
}

/// How many whole blocks the disk has.
pub fn blocks() -> u64 {
    let sectors = u64::from(CAPACITY_HIGH.read()) << 32 | u64::from(CAPACITY.read());
    sectors / SECTORS_PER_BLOCK
}

/// Tells the device where a part of the queue is: 64 bits in two registers.
fn set_address<T>(offset: usize, part: &T) {
    let address = address_of(part);
    VIRTIO_DISK.register(offset).write(address as u32);
    VIRTIO_DISK
        .register(offset + 4)
        .write((address >> 32) as u32);
}

fn address_of<T>(thing: &T) -> u64 {
    core::ptr::from_ref(thing).addr() as u64
}

/// Moves block `number` between the disk and `block`, sleeping until it is done.
///
/// # Errors
/// The disk reports an error.
pub fn transfer(number: u32, block: &mut Block, direction: Direction) -> Result<(), DiskError> {
    let _queue = QUEUE.lock();
    let (kind, data_flag) = match direction {
        Direction::Read => (REQUEST_READ, DESCRIPTOR_WRITE),
        Direction::Write => (REQUEST_WRITE, 0),
    };
    let sector = u64::from(number) * SECTORS_PER_BLOCK;
    let header = &SHARED.header;
    header.kind.store(kind, Ordering::Relaxed);
    header.sector.store(sector, Ordering::Relaxed);
    // Any value but success: the device overwrites it.
    SHARED.status.store(u8::MAX, Ordering::Relaxed);

    let data = block.0.get().addr() as u64;
    describe(
        0,
        address_of(header),
        size_of::<Header>() as u32,
        DESCRIPTOR_NEXT,
    );
    describe(1, data, BLOCK_SIZE as u32, DESCRIPTOR_NEXT | data_flag);
    describe(2, address_of(&SHARED.status), 1, DESCRIPTOR_WRITE);

    let mut completed = COMPLETED.lock();
    let available = &SHARED.available;
    let position = available.index.load(Ordering::Relaxed);
    available.ring[usize::from(position) % QUEUE_ENTRIES].store(0, Ordering::Relaxed);
    fence::devices();
    let target = position.wrapping_add(1);
    available.index.store(target, Ordering::Relaxed);
    fence::devices();
    QUEUE_NOTIFY.write(0);
    while *completed != target {
        completed = sleep(Channel::of(&COMPLETED), completed);
    }
    match SHARED.status.load(Ordering::Relaxed) {
        REQUEST_SUCCEEDED => Ok(()),
        _ => Err(DiskError),
    }
}

fn describe(index: u16, address: u64, length: u32, flags: u16) {
    let descriptor = &SHARED.descriptors[usize::from(index)];
    descriptor.address.store(address, Ordering::Relaxed);
    descriptor.length.store(length, Ordering::Relaxed);
    descriptor.flags.store(flags, Ordering::Relaxed);
    descriptor.next.store(index + 1, Ordering::Relaxed);
}

/// The disk has interrupted: notes which requests are done.
pub fn interrupt() {
    let mut completed = COMPLETED.lock();
    INTERRUPT_ACKNOWLEDGE.write(INTERRUPT_STATUS.read() & 3);
    fence::devices();
    *completed = SHARED.used.index.load(Ordering::Relaxed);
    fence::devices();
    wake(Channel::of(&COMPLETED));
}
