//! The few RV64 instructions the agent is made of, as functions to their encodings.
//!
//! Encodings: RISC-V unprivileged specification, chapter "RV32/64G Instruction Set Listings".
//! An assembler crate would be larger than these dozen lines, and the agent must be the same
//! bytes on every machine that builds it.

/// An integer register by its number, `x0` to `x31`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Register(pub u32);

/// Always zero.
pub const ZERO: Register = Register(0);
/// Return address.
pub const RA: Register = Register(1);
/// A temporary that no system call uses.
pub const T0: Register = Register(5);
/// First argument and result.
pub const A0: Register = Register(10);
/// Second argument.
pub const A1: Register = Register(11);
/// Third argument.
pub const A2: Register = Register(12);
/// Fourth argument.
pub const A3: Register = Register(13);

const OPCODE_LOAD: u32 = 0x03;
const OPCODE_IMMEDIATE: u32 = 0x13;
const OPCODE_STORE: u32 = 0x23;
const OPCODE_REGISTER: u32 = 0x33;
const OPCODE_BRANCH: u32 = 0x63;
const OPCODE_JALR: u32 = 0x67;

/// `c.jr ra`, the two bytes of a function return.
pub const COMPRESSED_RETURN: u16 = 0x8082;

const fn immediate_type(opcode: u32, function: u32, rd: Register, rs1: Register, imm: i32) -> u32 {
    opcode | (rd.0 << 7) | (function << 12) | (rs1.0 << 15) | (((imm as u32) & 0xfff) << 20)
}

/// An environment call.
pub const fn ecall() -> u32 {
    0x73
}

/// `slti x0, x0, code`: a HINT in the space that the specification designates for custom use.
pub const fn hint(code: i32) -> u32 {
    immediate_type(OPCODE_IMMEDIATE, 2, ZERO, ZERO, code)
}

/// An unsigned load of `1 << width_log2` bytes: `lbu`, `lhu`, `lwu` or `ld`.
pub const fn load(width_log2: u32, rd: Register, base: Register) -> u32 {
    let function = if width_log2 == 3 { 3 } else { 4 + width_log2 };
    immediate_type(OPCODE_LOAD, function, rd, base, 0)
}

/// A store of `1 << width_log2` bytes: `sb`, `sh`, `sw` or `sd`.
pub const fn store(width_log2: u32, source: Register, base: Register) -> u32 {
    OPCODE_STORE | (width_log2 << 12) | (base.0 << 15) | (source.0 << 20)
}

/// `add rd, rs1, rs2`.
pub const fn add(rd: Register, rs1: Register, rs2: Register) -> u32 {
    OPCODE_REGISTER | (rd.0 << 7) | (rs1.0 << 15) | (rs2.0 << 20)
}

/// `addi rd, rs1, imm`.
pub const fn add_immediate(rd: Register, rs1: Register, imm: i32) -> u32 {
    immediate_type(OPCODE_IMMEDIATE, 0, rd, rs1, imm)
}

/// `bne rs1, x0, offset`: a branch by `offset` bytes (even, within 4 KiB) when not zero.
pub const fn branch_not_zero(rs1: Register, offset: i32) -> u32 {
    let imm = offset as u32;
    OPCODE_BRANCH
        | (1 << 12)
        | (rs1.0 << 15)
        | (((imm >> 12) & 1) << 31)
        | (((imm >> 5) & 0x3f) << 25)
        | (((imm >> 1) & 0xf) << 8)
        | (((imm >> 11) & 1) << 7)
}

/// `jalr rd, 0(base)`.
pub const fn jump_and_link(rd: Register, base: Register) -> u32 {
    immediate_type(OPCODE_JALR, 0, rd, base, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words taken from a disassembly by binutils, so that a slip here is not repeated here.
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
