//! The address space of process `a`, into which the kernel loaded the agent's file.

use super::BootError;
use super::stage::{CALL_BUDGET, Stage};
use crate::agent::{DATA_BYTES, DATA_START, TEXT_BYTES, TEXT_START};
use crate::guest::FIRST_HART;
use crate::guest::frames::{FRAME_BYTES, RAM_START};
use emulator::isa::page_table;
use emulator::isa::register::{A1, A2};
use oracle::{InitialMemory, Layout, Permissions, Segment};

/// One past the largest Sv39 user address that xv6 uses.
const MAX_VA: u64 = abi::layout::MAX_VIRTUAL;

impl Stage {
    /// The start of the stack that ends at `stack_pointer`: the lowest page below it that the program may
    /// touch. A kernel may map pages of the stack only when they are touched.
    pub(super) fn start_of_stack(&mut self, stack_pointer: u64) -> u64 {
        let mapped = self.lowest_mapped(stack_pointer);
        let console = self.console.clone();
        self.machine.snapshot();
        let end = DATA_START + DATA_BYTES;
        let mut below = (end / FRAME_BYTES..mapped / FRAME_BYTES).rev();
        let guard = below.find(|page| !self.may_store(page * FRAME_BYTES));
        // The store killed the program. It is the first program, so the kernel may have panicked too.
        self.machine.reset();
        self.console = console;
        // If the program may touch all of them, the kernel has no guard page, which is wrong.
        guard.map_or(mapped, |guard| (guard + 1) * FRAME_BYTES)
    }

    /// Whether the program comes back from a store to `page`.
    fn may_store(&mut self, page: u64) -> bool {
        self.machine.set_x(FIRST_HART, A1, page);
        self.machine.set_x(FIRST_HART, A2, 0);
        self.machine.set_pc(FIRST_HART, self.agent.stubs.store[0]);
        let back = self.run_to_hint("back from a store below its stack", CALL_BUDGET);
        back.is_ok()
    }

    /// The lowest page that is mapped from the start in the stack that ends at `stack_pointer`. If all pages
    /// below the stack are mapped, there is no guard page, and the stack is assumed to be one page.
    fn lowest_mapped(&self, stack_pointer: u64) -> u64 {
        let top = stack_pointer.saturating_sub(1) & !(FRAME_BYTES - 1);
        let is_mapped = |page| {
            let mapping = self.machine.translate(self.satp(), page);
            mapping.is_some_and(|mapping| mapping.pte & page_table::USER != 0)
        };
        let data_end = DATA_START + DATA_BYTES;
        let guards = (data_end..top).step_by(FRAME_BYTES as usize);
        let guard = guards.filter(|page| !is_mapped(*page)).last();
        guard.map_or(top, |guard| guard + FRAME_BYTES)
    }

    /// The memory of process `a`: the agent's own bytes, and its stack as the kernel filled it.
    pub(super) fn initial_memory(&self, layout: &Layout) -> Result<InitialMemory, BootError> {
        let mut stack = Vec::new();
        for page in (layout.stack.start..layout.stack.end).step_by(FRAME_BYTES as usize) {
            let mut bytes = [0; FRAME_BYTES as usize];
            let mapping = self.machine.translate(self.satp(), page);
            let read = mapping.map(|found| self.machine.read_physical(found.physical, &mut bytes));
            // A page that is not mapped yet holds zeros.
            if matches!(read, Some(Err(_))) {
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

/// xv6's user address space: text, data, one guard page, the stack and the heap; and at the top the
/// trapframe and the trampoline.
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
