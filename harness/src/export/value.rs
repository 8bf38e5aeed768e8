//! Values of a program: numbers, and values that depend on where its memory lies.
//!
//! To distinguish them, two oracles are asked. They differ only in where the program lies and in
//! process identifiers: a value that differs in the same way is an address or an identifier.

use oracle::layout::{PAGE_SIZE, RETURN, page_floor};
use oracle::{Layout, Permissions, Process, Setting};
use std::sync::Arc;

/// The distance of the second oracle's program from the first's: not a sum of a case's numbers.
const DISTANCE: u64 = 0x0713_5000;
/// How far its process identifiers lie from the first's.
const PIDS: u64 = 0x0037_1300;
/// An address within this many bytes of the trapframe is counted from it.
const NEAR_THE_TOP: u64 = 1024 * PAGE_SIZE;

/// Bytes of a file that show whether it is a program, and how many more another file has.
const HEADER: usize = 64;

/// A value that a line of a program names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// A number.
    Number(i64),
    /// An address: so many bytes from the start of a region.
    Place(Base, i64),
    /// A number minus the address of the heap.
    ToHeap(i64),
    /// The identifier of a process.
    Pid(Process),
}

/// What addresses count from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Base {
    Text,
    Data,
    Guard,
    Stack,
    Heap,
    Trapframe,
}

/// A setting like `setting` whose program lies elsewhere, with other things on its stack and in
/// files: what the exported program has of these is its own as well.
pub(super) fn moved(setting: &Setting) -> Setting {
    let mut setting = setting.clone();
    setting.first_pid += PIDS;
    setting.files = setting.files.with_other_bytes(|bytes| {
        bytes.iter_mut().skip(HEADER).for_each(|byte| *byte ^= 0x5a);
        bytes.extend([0x5a; HEADER]);
    });
    let program = Arc::make_mut(&mut setting.booted);
    program.entry += DISTANCE;
    let layout = &mut program.layout;
    for range in [
        &mut layout.text,
        &mut layout.data,
        &mut layout.guard,
        &mut layout.stack,
    ] {
        *range = range.start + DISTANCE..range.end + DISTANCE;
    }
    layout.heap += DISTANCE;
    for segment in &mut program.memory.segments {
        segment.address += DISTANCE;
        if segment.permissions.contains(Permissions::EXECUTE) {
            change_code(&mut segment.bytes);
        } else if segment.address == layout.stack.start {
            segment.bytes.iter_mut().for_each(|byte| *byte ^= 0x5a);
        }
    }
    setting
}

/// Changes code, but not what a case may jump to: returns, and zeros, which kill.
fn change_code(bytes: &mut [u8]) {
    let known = |half: &[u8; 2]| [RETURN, 0].contains(&u16::from_le_bytes(*half));
    let (halves, _) = bytes.as_chunks_mut();
    for half in halves.iter_mut().filter(|half| !known(half)) {
        let changed = half.map(|byte| byte ^ 0x5a);
        if !known(&changed) {
            *half = changed;
        }
    }
}

/// What the second oracle's program sees where the first's sees `pid`.
pub(super) fn moved_pid(pid: u64) -> u64 {
    pid + PIDS
}

/// The value that the first oracle gives as `here` and the second as `there`; `None` if it
/// depends on where the program lies in a way that no value of a program expresses.
pub(super) fn value(
    here: u64,
    there: u64,
    layout: &Layout,
    pid: impl Fn(u64) -> Option<Process>,
) -> Option<Value> {
    match there.wrapping_sub(here) {
        0 => Some(constant(here)),
        DISTANCE => Some(place(here, layout)),
        PIDS => pid(here).map(Value::Pid),
        gone if gone == DISTANCE.wrapping_neg() => {
            Some(Value::ToHeap(here.wrapping_add(layout.heap) as i64))
        }
        _ => None,
    }
}

/// A number. Near the end of the address space it is counted from the trapframe.
pub(super) fn constant(number: u64) -> Value {
    let offset = number.wrapping_sub(abi::layout::TRAPFRAME) as i64;
    if offset.unsigned_abs() <= NEAR_THE_TOP {
        Value::Place(Base::Trapframe, offset)
    } else {
        Value::Number(number as i64)
    }
}

/// An address in the memory of the first oracle's program.
pub(super) fn place(address: u64, layout: &Layout) -> Value {
    let regions = [
        (Base::Text, &layout.text),
        (Base::Data, &layout.data),
        (Base::Guard, &layout.guard),
        (Base::Stack, &layout.stack),
    ];
    let found = regions.iter().find(|(_, range)| range.contains(&address));
    let (base, start) = found.map_or((Base::Heap, layout.heap), |(base, range)| {
        (*base, page_floor(range.start))
    });
    Value::Place(base, address.wrapping_sub(start) as i64)
}
