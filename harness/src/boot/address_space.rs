//! The address space of process `a`: what the kernel has made of the agent's file.

use super::BootError;
use super::stage::Stage;
use crate::agent::{DATA_BYTES, DATA_START, TEXT_BYTES, TEXT_START};
use crate::guest::frames::{FRAME_BYTES, RAM_START};
use emulator::isa::page_table;
use oracle::{InitialMemory, Layout, Permissions, Segment};

/// One past the largest Sv39 user address that xv6 uses.
const MAX_VA: u64 = abi::layout::MAX_VIRTUAL;

impl Stage {
    /// The start of the stack that ends at `stack_pointer`: the lowest page below it that the program may
    /// touch. If the program may touch all of them, there is no guard page, and the stack is assumed to
    /// be one page.
    pub(super) fn lowest_of_stack(&self, stack_pointer: u64) -> u64 {
        let top = stack_pointer.saturating_sub(1) & !(FRAME_BYTES - 1);
        let is_open = |page| {
            let mapping = self.machine.translate(self.satp(), page);
            mapping.is_some_and(|mapping| mapping.pte & page_table::USER != 0)
        };
        let data_end = DATA_START + DATA_BYTES;
        let guards = (data_end..top).step_by(FRAME_BYTES as usize);
        let guard = guards.filter(|page| !is_open(*page)).last();
        guard.map_or(top, |guard| guard + FRAME_BYTES)
    }

    /// What process `a` holds: the agent's own bytes, and its stack as the kernel filled it.
    pub(super) fn initial_memory(&self, layout: &Layout) -> Result<InitialMemory, BootError> {
        let mut stack = Vec::new();
        for page in (layout.stack.start..layout.stack.end).step_by(FRAME_BYTES as usize) {
            let mut bytes = [0; FRAME_BYTES as usize];
            let mapping = self.machine.translate(self.satp(), page);
            let read = mapping.map(|found| self.machine.read_physical(found.physical, &mut bytes));
            if !matches!(read, Some(Ok(()))) {
                return Err(BootError::Layout {
                    stack_pointer: layout.stack.end,
                    heap: layout.heap,
                });
            }
            stack.extend_from_slice(&bytes);
        }
        let segment = |address: u64, bytes: &[u8], permissions| Segment {
            address,
            length: bytes.len() as u64,
            bytes: bytes.to_vec(),
            permissions,
        };
        Ok(InitialMemory {
            segments: vec![
                segment(TEXT_START, &self.agent.text, Permissions::READ_EXECUTE),
                segment(DATA_START, &self.agent.data, Permissions::READ_WRITE),
                segment(layout.stack.start, &stack, Permissions::READ_WRITE),
            ],
        })
    }
}

/// xv6's user address space: text, data, one guard page, the stack, the heap; at the top the
/// trapframe below the trampoline.
pub(super) fn layout(stack_pointer: u64, stack_start: u64, heap: u64) -> Result<Layout, BootError> {
    let data_end = DATA_START + DATA_BYTES;
    let plausible = heap.is_multiple_of(FRAME_BYTES)
        && (stack_start + 1..=heap).contains(&stack_pointer)
        && heap < RAM_START
        && stack_start >= data_end + FRAME_BYTES;
    if !plausible {
        return Err(BootError::Layout {
            stack_pointer,
            heap,
        });
    }
    let trampoline = MAX_VA - FRAME_BYTES;
    Ok(Layout {
        text: TEXT_START..TEXT_START + TEXT_BYTES,
        data: DATA_START..data_end,
        guard: stack_start - FRAME_BYTES..stack_start,
        stack: stack_start..heap,
        heap,
        trapframe: trampoline - FRAME_BYTES,
        trampoline,
        max_va: MAX_VA,
        kernel: RAM_START,
    })
}
