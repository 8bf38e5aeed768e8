//! `lazy STRIDE COUNT [read|write]` grows its heap and touches COUNT places, STRIDE bytes apart;
//! then it says how many page faults that took, and how many it should take: one for each page.
#![no_std]
#![no_main]

use core::ptr::{
    read_volatile, with_exposed_provenance, with_exposed_provenance_mut, write_volatile,
};

use user::abi::layout::PAGE_SIZE;
use user::abi::{MemoryUsage, sbrk};
use user::{Arguments, eprintln, println, system};

user::program!(main);

fn main(arguments: Arguments) -> i32 {
    let touch = match arguments.get(3).map(|word| word.to_bytes()) {
        None | Some(b"write") => Some(write as fn(u64)),
        Some(b"read") => Some(read as fn(u64)),
        Some(_) => None,
    };
    let (Some(stride), Some(count), Some(touch), ..=4) = (
        arguments.number(1),
        arguments.number(2),
        touch,
        arguments.count(),
    ) else {
        eprintln!("Usage: lazy STRIDE COUNT [read|write]");
        return 1;
    };
    let Some(expected) = pages(stride, count) else {
        eprintln!("lazy: so much memory has no address");
        return 1;
    };
    let Some(start) = grow(stride, count) else {
        eprintln!("lazy: the heap cannot grow so far");
        return 1;
    };
    let Some(faults) = count_faults(|| (0..count).for_each(|place| touch(start + place * stride)))
    else {
        eprintln!("lazy: this kernel does not count page faults");
        return 1;
    };
    println!("{count} places, {stride} bytes apart; page faults: {faults}, expected: {expected}");
    i32::from(faults != expected)
}

/// How many pages have one of the places, if the first is at the beginning of a page.
fn pages(stride: u64, count: u64) -> Option<u64> {
    let Some(last) = count.checked_sub(1) else {
        return Some(0);
    };
    if stride >= PAGE_SIZE {
        return Some(count);
    }
    Some(last.checked_mul(stride)? / PAGE_SIZE + 1)
}

/// Grows the heap so that all places fit, the first one at the start of a page, and returns that
/// address. Allocates nothing.
fn grow(stride: u64, count: u64) -> Option<u64> {
    let end = system::sbrk(0, sbrk::LAZY)?;
    let start = end.checked_next_multiple_of(PAGE_SIZE)?;
    let size = stride.checked_mul(count)?.checked_add(start - end)?;
    // Places that are zero bytes apart still are a byte.
    system::sbrk(i64::try_from(size.checked_add(1)?).ok()?, sbrk::LAZY)?;
    Some(start)
}

/// The page faults of loads and stores while `deed` is done.
fn count_faults(deed: impl Fn()) -> Option<u64> {
    let faults = |usage: MemoryUsage| usage.load_faults + usage.store_faults;
    let before = system::memory()?;
    deed();
    Some(faults(system::memory()?) - faults(before))
}

fn read(address: u64) {
    // SAFETY: a place in the grown heap, where there is no Rust object.
    unsafe { read_volatile(with_exposed_provenance::<u8>(address as usize)) };
}

fn write(address: u64) {
    // SAFETY: as in `read`.
    unsafe { write_volatile(with_exposed_provenance_mut::<u8>(address as usize), 1) };
}
