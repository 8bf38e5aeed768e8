//! The kernel's own page table: RAM and devices mapped to themselves, and the trampoline.
//!
//! Built once at boot and never changed, so no hart ever needs a fence for it. Text may not be
//! written, data may not be executed, and the page below each kernel stack is missing. RAM beyond
//! the kernel is mapped by megapages.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use abi::layout::{PAGE_SIZE, RAM_END, RAM_START, TRAMPOLINE};
use abi::limits::PROCESSES;

use super::fixed_tables::Table;
use super::frames::WORDS;
use super::page_table::Entry;
use super::region::Permissions;
use crate::address::{PAGE_SHIFT, PhysicalAddress};
use crate::arch::{csr, fence};
use crate::image;
use crate::mmio;
use crate::sync::SpinLock;

/// Bytes that an entry of the middle level covers.
const MEGAPAGE: u64 = PAGE_SIZE << 9;
/// Table pages: the root; for devices two; for RAM one, and three for the megapages that hold the
/// kernel's image; for the trampoline two.
const TABLES: usize = 9;

static POOL: [Table; TABLES] = [const { Table::new() }; TABLES];
/// How many of the pool are in use; the first is the root.
static USED: SpinLock<usize> = SpinLock::new(&"kernel table", 1);

/// Builds the table, without the pages of `guards`. Once, at boot, by one hart.
pub fn initialise(guards: impl Iterator<Item = PhysicalAddress>) {
    let read_write = Permissions::READ_WRITE;
    let executable = Permissions::READ.and(Permissions::EXECUTE);
    for device in [mmio::UART, mmio::VIRTIO_DISK, mmio::PLIC] {
        map(device.base(), device.base(), device.size(), read_write);
    }

    let text_end = image::text_end().0;
    let rodata_end = image::rodata_end().0;
    map(RAM_START, RAM_START, text_end - RAM_START, executable);
    map(text_end, text_end, rodata_end - text_end, Permissions::READ);
    let kernel_end = image::kernel_end().0;
    map(rodata_end, rodata_end, kernel_end - rodata_end, read_write);
    map(kernel_end, kernel_end, RAM_END - kernel_end, read_write);
    for guard in guards {
        leaf_slot(guard.0).store(0, Ordering::Relaxed);
    }
    map(TRAMPOLINE, image::trampoline().0, PAGE_SIZE, executable);
}

/// Whether harts have an address-space identifier for each process.
static HAS_IDENTIFIERS: AtomicBool = AtomicBool::new(true);

/// The address-space identifier of the processes in slot `index`: their own, or zero, as the kernel's, if harts have
/// too few. Then the trampoline executes a fence at each switch.
pub fn identifier(index: usize) -> u16 {
    if HAS_IDENTIFIERS.load(Ordering::Relaxed) {
        index as u16 + 1
    } else {
        0
    }
}

/// Turns translation on, on this hart.
pub fn activate() {
    let largest = satp() | ((PROCESSES as u64) << csr::SATP_ASID_SHIFT);
    // SAFETY: the table maps the kernel's memory to itself, so nothing moves. The identifier does
    // not matter yet: no translation is remembered.
    let kept = unsafe {
        csr::satp::write(largest);
        let kept = csr::satp::read();
        csr::satp::write(satp());
        kept
    };
    fence::all_translations();
    if kept != largest {
        HAS_IDENTIFIERS.store(false, Ordering::Relaxed);
    }
}

/// What `satp` holds in the kernel.
pub fn satp() -> u64 {
    csr::SATP_SV39 | (POOL[0].address().0 >> PAGE_SHIFT)
}

/// Maps `size` bytes from `virtual_start` on to `physical_start` on, by megapages where they fit.
fn map(virtual_start: u64, physical_start: u64, size: u64, permissions: Permissions) {
    let mut done = 0;
    while done < size {
        let address = virtual_start + done;
        let target = PhysicalAddress(physical_start + done);
        let entry = Entry::kernel(target, permissions).bits();
        let fits = size - done >= MEGAPAGE
            && address.is_multiple_of(MEGAPAGE)
            && target.0.is_multiple_of(MEGAPAGE);
        let middle = &next_table(&POOL[0], address, 2).0[index(address, 1)];
        if fits && middle.load(Ordering::Relaxed) == 0 {
            middle.store(entry, Ordering::Relaxed);
            done += MEGAPAGE;
        } else {
            leaf_slot(address).store(entry, Ordering::Relaxed);
            done += PAGE_SIZE;
        }
    }
}

fn leaf_slot(address: u64) -> &'static AtomicU64 {
    let middle = next_table(&POOL[0], address, 2);
    &next_table(middle, address, 1).0[index(address, 0)]
}

fn index(address: u64, level: u32) -> usize {
    (address >> (PAGE_SHIFT + 9 * level)) as usize % WORDS
}

/// The table that `table`, of `level`, names for `address`; taken from the pool if it is missing.
fn next_table(table: &'static Table, address: u64, level: u32) -> &'static Table {
    let slot = &table.0[index(address, level)];
    let entry = slot.load(Ordering::Relaxed);
    if entry != 0 {
        let distance = Entry::address(entry).0.wrapping_sub(POOL[0].address().0);
        let named = POOL.get((distance / PAGE_SIZE) as usize);
        return named.unwrap_or_else(|| panic!("a megapage lies where a table is wanted"));
    }
    let mut used = USED.lock();
    let new = &POOL[*used];
    *used += 1;
    slot.store(Entry::table(new.address()).bits(), Ordering::Relaxed);
    new
}
