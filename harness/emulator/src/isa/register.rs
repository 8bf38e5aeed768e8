//! Integer registers by number, under their names in the calling convention (RISC-V ELF psABI).

/// Their names, by number.
pub const NAMES: [&str; 32] = [
    "zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4",
    "a5", "a6", "a7", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4",
    "t5", "t6",
];

/// Always zero.
pub const ZERO: usize = 0;
/// Return address.
pub const RA: usize = 1;
/// Stack pointer.
pub const SP: usize = 2;
/// A temporary.
pub const T0: usize = 5;
/// `s0`, where the compiler keeps a frame pointer if it keeps one.
pub const FP: usize = 8;
/// First argument and result.
pub const A0: usize = 10;
/// Second argument.
pub const A1: usize = 11;
/// Third argument.
pub const A2: usize = 12;
/// Fourth argument.
pub const A3: usize = 13;
/// Eighth argument; xv6 and Linux take the number of a system call here.
pub const A7: usize = 17;

/// Registers that a function leaves as it found them, `s0` to `s11`.
pub const SAVED: [usize; 12] = [8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27];
