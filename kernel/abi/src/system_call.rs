//! System calls, as xv6-riscv of 2025 numbers them.
//!
//! Convention: number in `a7`, arguments in `a0`..`a5`, `ecall`; the answer is in `a0`, all other
//! registers keep their values. An `int` argument is the low 32 bits of its register; a pointer or
//! an amount of memory is all 64. Failure is -1: there is no errno.

/// The table of system calls: expands to `$expand! { row* }`, so code that needs something for each
/// call writes a macro for a row. A row is
///
/// ```text
/// /// What it returns.
/// Name = number: function(argument: type, …);
/// ```
///
/// where the types are those that a user program passes.
#[macro_export]
macro_rules! with_system_calls {
    ($expand:ident) => {
        $expand! {
            /// The child's pid, or 0 in the child.
            Fork = 1: fork();
            /// Does not return.
            Exit = 2: exit(status: i32);
            /// The pid of a child that ended; a null pointer asks for no status.
            Wait = 3: wait(status: *mut i32);
            /// 0; the read end comes first.
            Pipe = 4: pipe(ends: *mut [i32; 2]);
            /// Bytes read, 0 at the end.
            Read = 5: read(descriptor: i32, buffer: *mut u8, length: i32);
            /// 0.
            Kill = 6: kill(pid: i32);
            /// Does not return when it succeeds; the list of arguments ends in a null pointer.
            Exec = 7: exec(
                path: *const ::core::ffi::c_char,
                arguments: *const *const ::core::ffi::c_char
            );
            /// 0.
            Fstat = 8: fstat(descriptor: i32, stat: *mut [u8; $crate::stat::Stat::SIZE]);
            /// 0.
            Chdir = 9: chdir(path: *const ::core::ffi::c_char);
            /// The new descriptor.
            Dup = 10: dup(descriptor: i32);
            /// The caller's pid.
            Getpid = 11: getpid();
            /// The program break before the call.
            Sbrk = 12: sbrk(amount: i64, flavour: u32);
            /// 0 after that many clock ticks.
            Pause = 13: pause(ticks: i32);
            /// Clock ticks since boot.
            Uptime = 14: uptime();
            /// The new descriptor.
            Open = 15: open(path: *const ::core::ffi::c_char, mode: u32);
            /// Bytes written.
            Write = 16: write(descriptor: i32, buffer: *const u8, length: i32);
            /// 0.
            Mknod = 17: mknod(path: *const ::core::ffi::c_char, major: u16, minor: u16);
            /// 0.
            Unlink = 18: unlink(path: *const ::core::ffi::c_char);
            /// 0.
            Link = 19: link(
                old: *const ::core::ffi::c_char,
                new: *const ::core::ffi::c_char
            );
            /// 0.
            Mkdir = 20: mkdir(path: *const ::core::ffi::c_char);
            /// 0.
            Close = 21: close(descriptor: i32);
            /// 0. Not xv6's: the caller's page faults and frames.
            Memory = 22: memory(usage: *mut $crate::MemoryUsage);
        }
    };
}

macro_rules! numbers {
    ($(
        $(#[$answer:meta])*
        $name:ident = $number:literal: $function:ident($($argument:ident: $type:ty),*);
    )*) => {
        /// What a user program can ask of the kernel.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(u64)]
        pub enum SystemCall {
            $(
                #[doc = concat!("`", stringify!($function($($argument: $type),*)), "`")]
                ///
                $(#[$answer])*
                $name = $number,
            )*
        }

        impl SystemCall {
            /// Every system call, in the order of its number.
            pub const ALL: &'static [SystemCall] = &[$(SystemCall::$name,)*];

            /// The call that `number` (the value of `a7`) asks for, if there is one.
            #[inline]
            pub const fn from_number(number: u64) -> Option<SystemCall> {
                match number {
                    $($number => Some(SystemCall::$name),)*
                    _ => None,
                }
            }

            /// The number that goes into `a7`.
            #[inline]
            pub const fn number(self) -> u64 {
                self as u64
            }
        }
    };
}

with_system_calls!(numbers);
