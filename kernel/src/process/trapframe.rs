//! Trapframes: where the trampoline saves a user program's registers, laid out as in the C kernel.

use core::cell::UnsafeCell;

use abi::limits::PROCESSES;

use crate::address::PhysicalAddress;
use crate::scheduling::Slot;

/// What handles traps from user mode.
pub type TrapHandler = extern "C" fn() -> !;

/// The registers of a process in user mode, and what the trampoline needs to enter the kernel.
#[repr(C)]
pub struct Trapframe {
    /// `satp` of the kernel.
    kernel_satp: u64,
    /// Top of the process's kernel stack.
    kernel_stack: u64,
    /// Address of the function that handles traps from user mode.
    kernel_trap: u64,
    /// The user program's program counter.
    pub program_counter: u64,
    /// The hart, for `tp`.
    pub kernel_hart: u64,
    /// `x1` to `x31`.
    registers: [u64; 31],
}

impl Trapframe {
    const ZERO: Trapframe = Trapframe {
        kernel_satp: 0,
        kernel_stack: 0,
        kernel_trap: 0,
        program_counter: 0,
        kernel_hart: 0,
        registers: [0; 31],
    };

    /// Position of `a0` among the registers from `x1` on.
    const A0: usize = 9;
    const STACK_POINTER: usize = 1;

    /// Argument register `a0` to `a5`.
    #[inline(always)]
    pub fn argument<const NUMBER: usize>(&self) -> u64 {
        const { assert!(NUMBER <= 5) }
        self.registers[Self::A0 + NUMBER]
    }

    /// `a7`: the number of a system call.
    #[inline(always)]
    pub fn call_number(&self) -> u64 {
        self.registers[Self::A0 + 7]
    }

    /// Sets argument register `a0` to `a5`; `a0` is also what a system call returns.
    #[inline(always)]
    pub fn set_argument<const NUMBER: usize>(&mut self, value: u64) {
        const { assert!(NUMBER <= 5) }
        self.registers[Self::A0 + NUMBER] = value;
    }

    /// Sets the stack pointer.
    pub fn set_stack_pointer(&mut self, value: u64) {
        self.registers[Self::STACK_POINTER] = value;
    }

    /// Sets how the trampoline enters the kernel. This stays valid as long as the process lives.
    pub fn prepare(&mut self, kernel_satp: u64, kernel_stack: u64, handler: TrapHandler) {
        self.kernel_satp = kernel_satp;
        self.kernel_stack = kernel_stack;
        self.kernel_trap = handler as *const () as u64;
    }

    /// Copies the user program's registers from `parent`, and how the trampoline enters the kernel,
    /// except for the stack.
    pub fn inherit(&mut self, parent: &Trapframe, kernel_stack: u64) {
        self.kernel_satp = parent.kernel_satp;
        self.kernel_stack = kernel_stack;
        self.kernel_trap = parent.kernel_trap;
        self.program_counter = parent.program_counter;
        self.registers = parent.registers;
    }
}

/// A trapframe has a page of its own, because user page tables map it.
#[repr(C, align(4096))]
struct TrapframePage(UnsafeCell<Trapframe>);

// SAFETY: a trapframe belongs to the holder of its process's key, and is used by `Key::open` alone.
unsafe impl Sync for TrapframePage {}

static TRAPFRAMES: [TrapframePage; PROCESSES] =
    [const { TrapframePage(UnsafeCell::new(Trapframe::ZERO)) }; PROCESSES];

/// Where the trapframe of the process slot with that index is.
pub fn address_of(slot: usize) -> PhysicalAddress {
    PhysicalAddress(TRAPFRAMES[slot].0.get().addr() as u64)
}

/// The trapframe of a process slot.
pub(super) fn pointer_to(slot: Slot) -> *mut Trapframe {
    TRAPFRAMES[slot.index()].0.get()
}
