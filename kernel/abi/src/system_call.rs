//! System-call numbers, as xv6-riscv of 2025 numbers them.
//!
//! Convention: number in `a7`, arguments in `a0`..`a5`, `ecall`; the answer is in `a0`, all other
//! registers keep their values. An `int` argument is the low 32 bits of its register; a pointer or
//! an amount of memory is all 64. Failure is -1: there is no errno.

macro_rules! system_calls {
    ($($(#[$doc:meta])* $name:ident = $number:literal,)*) => {
        /// What a user program can ask of the kernel.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(u64)]
        pub enum SystemCall {
            $($(#[$doc])* $name = $number,)*
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

system_calls! {
    /// `fork()`: the child's pid, or 0 in the child.
    Fork = 1,
    /// `exit(int status)`: does not return.
    Exit = 2,
    /// `wait(int *status)`: the pid of a child that ended; a null pointer asks for no status.
    Wait = 3,
    /// `pipe(int descriptors[2])`: 0; read end first.
    Pipe = 4,
    /// `read(int descriptor, void *buffer, int length)`: bytes read, 0 at the end.
    Read = 5,
    /// `kill(int pid)`: 0.
    Kill = 6,
    /// `exec(char *path, char **argv)`: does not return when it succeeds.
    Exec = 7,
    /// `fstat(int descriptor, struct stat *)`: 0.
    Fstat = 8,
    /// `chdir(char *path)`: 0.
    Chdir = 9,
    /// `dup(int descriptor)`: the new descriptor.
    Dup = 10,
    /// `getpid()`: the caller's pid.
    Getpid = 11,
    /// `sbrk(long amount, int flavour)`: the program break before the call.
    Sbrk = 12,
    /// `pause(int ticks)`: 0 after that many clock ticks.
    Pause = 13,
    /// `uptime()`: clock ticks since boot.
    Uptime = 14,
    /// `open(char *path, int mode)`: the new descriptor.
    Open = 15,
    /// `write(int descriptor, void *buffer, int length)`: bytes written.
    Write = 16,
    /// `mknod(char *path, short major, short minor)`: 0.
    Mknod = 17,
    /// `unlink(char *path)`: 0.
    Unlink = 18,
    /// `link(char *old, char *new)`: 0.
    Link = 19,
    /// `mkdir(char *path)`: 0.
    Mkdir = 20,
    /// `close(int descriptor)`: 0.
    Close = 21,
}
