//! Switching between the thread of a process and the scheduler of a hart.

use core::arch::global_asm;

/// The registers that a function must preserve: what a thread needs to go on after a switch.
#[repr(C)]
pub struct Context {
    /// Where it continues.
    return_address: u64,
    /// Its stack.
    stack: u64,
    saved: [u64; 12],
}

impl Context {
    /// A context that must be saved to before it is switched to.
    pub const ZERO: Context = Context::new(0, 0);

    /// The context of a fresh thread, which begins at `entry` with an empty stack.
    pub const fn new(entry: u64, stack: u64) -> Context {
        Context {
            return_address: entry,
            stack,
            saved: [0; 12],
        }
    }
}

unsafe extern "C" {
    /// Saves this thread in `old` and switches to `new`. Returns when something switches to `old`.
    ///
    /// # Safety
    /// Both are valid. `new` was saved by a switch, or made for a fresh thread whose stack is not
    /// in use. No other hart uses `old` or `new`.
    pub unsafe fn switch_context(old: *mut Context, new: *const Context);
}

global_asm!(
    r#"
    .section .text
    .globl switch_context
    .align 2
switch_context:
    sd ra, 0(a0)
    sd sp, 8(a0)
    sd s0, 16(a0)
    sd s1, 24(a0)
    sd s2, 32(a0)
    sd s3, 40(a0)
    sd s4, 48(a0)
    sd s5, 56(a0)
    sd s6, 64(a0)
    sd s7, 72(a0)
    sd s8, 80(a0)
    sd s9, 88(a0)
    sd s10, 96(a0)
    sd s11, 104(a0)
    ld ra, 0(a1)
    ld sp, 8(a1)
    ld s0, 16(a1)
    ld s1, 24(a1)
    ld s2, 32(a1)
    ld s3, 40(a1)
    ld s4, 48(a1)
    ld s5, 56(a1)
    ld s6, 64(a1)
    ld s7, 72(a1)
    ld s8, 80(a1)
    ld s9, 88(a1)
    ld s10, 96(a1)
    ld s11, 104(a1)
    ret
"#
);
