//! System calls as the kernel takes them: one unsafe function for each row of the table in `abi`.
//! [`crate::system`] has the safe ones.

use core::arch::asm;

/// Makes a system call with any number and any arguments, for tests of how the kernel handles them.
///
/// # Safety
/// The caller is responsible for what the kernel does to this program's memory.
pub unsafe fn call(number: u64, arguments: [u64; 3]) -> i64 {
    let answer;
    // SAFETY: the caller's promise; the kernel preserves all registers but `a0`.
    unsafe {
        asm!("ecall",
            in("a7") number,
            inlateout("a0") arguments[0] => answer,
            in("a1") arguments[1],
            in("a2") arguments[2],
            options(nostack));
    }
    answer
}

/// What an argument register can hold.
trait Argument {
    fn register(self) -> u64;
}

/// An `int` travels sign-extended.
impl Argument for i32 {
    fn register(self) -> u64 {
        self as u64
    }
}

impl Argument for u16 {
    fn register(self) -> u64 {
        self.into()
    }
}

impl Argument for u32 {
    fn register(self) -> u64 {
        self.into()
    }
}

impl Argument for i64 {
    fn register(self) -> u64 {
        self as u64
    }
}

/// The kernel gets the right to read what the pointer may read.
impl<T> Argument for *const T {
    fn register(self) -> u64 {
        self.expose_provenance() as u64
    }
}

/// The kernel gets the right to write what the pointer may write.
impl<T> Argument for *mut T {
    fn register(self) -> u64 {
        self.expose_provenance() as u64
    }
}

/// All argument registers; those that a call does not use are zero.
fn registers<const COUNT: usize>(used: [u64; COUNT]) -> [u64; 3] {
    let mut all = [0; 3];
    for (register, argument) in all.iter_mut().zip(used) {
        *register = argument;
    }
    all
}

macro_rules! functions {
    ($(
        $(#[$answer:meta])*
        $name:ident = $number:literal: $function:ident($($argument:ident: $type:ty),*);
    )*) => {
        $(
            $(#[$answer])*
            /// -1 for failure.
            ///
            /// # Safety
            /// What a pointer points to may be read by the kernel, and written if it is a `*mut`;
            /// the caller is responsible for that, and for the memory that `sbrk` takes away.
            pub unsafe fn $function($($argument: $type),*) -> i64 {
                // SAFETY: the caller's promise.
                unsafe { call($number, registers([$($argument.register()),*])) }
            }
        )*
    };
}

abi::with_system_calls!(functions);
