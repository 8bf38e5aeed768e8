//! The few instructions that programs of ours are made of, as functions to their encodings.
//!
//! An assembler crate would be larger than these dozen lines, and a program must be the same bytes
//! on every machine that builds it. Registers are numbers, as in [`register`](super::register).

use super::format::{b_type, i_type, opcode, r_type, s_type, system};
use super::register::ZERO;

/// `c.jr ra`, the two bytes of a function return.
pub const COMPRESSED_RETURN: u16 = 0x8082;

/// An environment call.
pub const fn ecall() -> u32 {
    system::ECALL
}

/// `slti x0, x0, code`: a HINT in the space that the specification designates for custom use. It is
/// what the machine takes for a hint call. `code` is of 12 bits with sign.
pub const fn hint(code: i32) -> u32 {
    i_type(opcode::OP_IMM, 2, ZERO as u32, ZERO as u32, code as u32)
}

/// An unsigned load of `1 << width_log2` bytes: `lbu`, `lhu`, `lwu` or `ld`.
pub const fn load(width_log2: u32, rd: usize, base: usize) -> u32 {
    let function = if width_log2 == 3 { 3 } else { 4 + width_log2 };
    i_type(opcode::LOAD, function, rd as u32, base as u32, 0)
}

/// A store of `1 << width_log2` bytes: `sb`, `sh`, `sw` or `sd`.
pub const fn store(width_log2: u32, source: usize, base: usize) -> u32 {
    s_type(width_log2, base as u32, source as u32, 0)
}

/// `add rd, rs1, rs2`.
pub const fn add(rd: usize, rs1: usize, rs2: usize) -> u32 {
    r_type(opcode::OP, 0, 0, rd as u32, rs1 as u32, rs2 as u32)
}

/// `addi rd, rs1, immediate`, which is of 12 bits with sign.
pub const fn add_immediate(rd: usize, rs1: usize, immediate: i32) -> u32 {
    i_type(opcode::OP_IMM, 0, rd as u32, rs1 as u32, immediate as u32)
}

/// `bne rs1, x0, offset`: a branch by `offset` bytes (even, within 4 KiB) when not zero.
pub const fn branch_not_zero(rs1: usize, offset: i32) -> u32 {
    b_type(1, rs1 as u32, ZERO as u32, offset as u32)
}

/// `jalr rd, 0(base)`.
pub const fn jump_and_link(rd: usize, base: usize) -> u32 {
    i_type(opcode::JALR, 0, rd as u32, base as u32, 0)
}

#[cfg(test)]
mod tests {
    use super::{add, add_immediate, branch_not_zero, hint, jump_and_link, load, store};
    use crate::isa::register::{A0, A1, A2, A3, RA};

    /// Words taken from a disassembly by binutils, so that the test does not repeat a mistake of the code.
    #[test]
    fn encodings_agree_with_a_disassembler() {
        assert_eq!(hint(0x4f1), 0x4f10_2013);
        assert_eq!(load(0, A0, A1), 0x0005_c503);
        assert_eq!(load(1, A0, A1), 0x0005_d503);
        assert_eq!(load(2, A0, A1), 0x0005_e503);
        assert_eq!(load(3, A0, A1), 0x0005_b503);
        assert_eq!(store(0, A2, A1), 0x00c5_8023);
        assert_eq!(store(3, A2, A1), 0x00c5_b023);
        assert_eq!(add(A1, A1, A3), 0x00d5_85b3);
        assert_eq!(add_immediate(A2, A2, -1), 0xfff6_0613);
        assert_eq!(branch_not_zero(A2, -16), 0xfe06_18e3);
        assert_eq!(jump_and_link(RA, A1), 0x0005_80e7);
    }
}
