//! The formats of 32-bit instructions: opcodes, and the fields between them (unprivileged
//! specification, "Base Instruction Formats" and "RV32/64G Instruction Set Listings").

/// Opcodes, the low seven bits (unprivileged specification, table "RISC-V base opcode map").
pub(crate) mod opcode {
    pub(crate) const LOAD: u32 = 0x03;
    pub(crate) const MISC_MEM: u32 = 0x0f;
    pub(crate) const OP_IMM: u32 = 0x13;
    pub(crate) const AUIPC: u32 = 0x17;
    pub(crate) const OP_IMM_32: u32 = 0x1b;
    pub(crate) const STORE: u32 = 0x23;
    pub(crate) const AMO: u32 = 0x2f;
    pub(crate) const OP: u32 = 0x33;
    pub(crate) const LUI: u32 = 0x37;
    pub(crate) const OP_32: u32 = 0x3b;
    pub(crate) const BRANCH: u32 = 0x63;
    pub(crate) const JALR: u32 = 0x67;
    pub(crate) const JAL: u32 = 0x6f;
    pub(crate) const SYSTEM: u32 = 0x73;
}

/// Functions of the AMO opcode: the top five bits.
pub(crate) mod amo {
    pub(crate) const ADD: u32 = 0;
    pub(crate) const SWAP: u32 = 1;
    pub(crate) const LOAD_RESERVED: u32 = 2;
    pub(crate) const STORE_CONDITIONAL: u32 = 3;
    pub(crate) const XOR: u32 = 4;
    pub(crate) const OR: u32 = 8;
    pub(crate) const AND: u32 = 12;
    pub(crate) const MIN: u32 = 16;
    pub(crate) const MAX: u32 = 20;
    pub(crate) const MIN_UNSIGNED: u32 = 24;
    pub(crate) const MAX_UNSIGNED: u32 = 28;

    pub(crate) const ALL: [u32; 11] = [
        ADD,
        SWAP,
        LOAD_RESERVED,
        STORE_CONDITIONAL,
        XOR,
        OR,
        AND,
        MIN,
        MAX,
        MIN_UNSIGNED,
        MAX_UNSIGNED,
    ];
}

/// SYSTEM instructions without operands.
pub(crate) mod system {
    pub(crate) const ECALL: u32 = 0x0000_0073;
    pub(crate) const EBREAK: u32 = 0x0010_0073;
    pub(crate) const SRET: u32 = 0x1020_0073;
    pub(crate) const MRET: u32 = 0x3020_0073;
    pub(crate) const WFI: u32 = 0x1050_0073;
    pub(crate) const SFENCE_VMA: u32 = 0x1200_0073;
    /// All but the register fields of `sfence.vma`.
    pub(crate) const SFENCE_VMA_MASK: u32 = 0xfe00_7fff;
}

pub(crate) fn opcode(word: u32) -> u32 {
    word & 0x7f
}

pub(crate) fn rd(word: u32) -> u32 {
    word >> 7 & 31
}

pub(crate) fn rs1(word: u32) -> u32 {
    word >> 15 & 31
}

pub(crate) fn rs2(word: u32) -> u32 {
    word >> 20 & 31
}

pub(crate) fn funct3(word: u32) -> u32 {
    word >> 12 & 7
}

pub(crate) fn funct7(word: u32) -> u32 {
    word >> 25
}

/// The function of an instruction of the AMO opcode.
pub(crate) fn funct5(word: u32) -> u32 {
    word >> 27
}

pub(crate) fn i_immediate(word: u32) -> i32 {
    word as i32 >> 20
}

pub(crate) fn s_immediate(word: u32) -> i32 {
    (word & 0xfe00_0000) as i32 >> 20 | rd(word) as i32
}

pub(crate) fn b_immediate(word: u32) -> i32 {
    (word & 0x8000_0000) as i32 >> 19
        | ((word & 0x80) << 4 | word >> 20 & 0x7e0 | word >> 7 & 0x1e) as i32
}

pub(crate) fn u_immediate(word: u32) -> i32 {
    (word & 0xffff_f000) as i32
}

pub(crate) fn j_immediate(word: u32) -> i32 {
    (word & 0x8000_0000) as i32 >> 11
        | (word & 0xf_f000 | word >> 9 & 0x800 | word >> 20 & 0x7fe) as i32
}

/// `count` bits of `value` from bit `from`, moved to bit `to`.
pub(crate) const fn bits(value: u32, from: u32, count: u32, to: u32) -> u32 {
    (value >> from & ((1 << count) - 1)) << to
}

/// Sign-extends a value of `width` bits.
pub(crate) const fn sign(value: u32, width: u32) -> u32 {
    ((value << (32 - width)) as i32 >> (32 - width)) as u32
}

pub(crate) const fn r_type(
    opcode: u32,
    funct3: u32,
    funct7: u32,
    rd: u32,
    rs1: u32,
    rs2: u32,
) -> u32 {
    opcode | rd << 7 | funct3 << 12 | rs1 << 15 | rs2 << 20 | funct7 << 25
}

pub(crate) const fn i_type(opcode: u32, funct3: u32, rd: u32, rs1: u32, immediate: u32) -> u32 {
    opcode | rd << 7 | funct3 << 12 | rs1 << 15 | immediate << 20
}

pub(crate) const fn s_type(funct3: u32, rs1: u32, rs2: u32, offset: u32) -> u32 {
    opcode::STORE
        | bits(offset, 0, 5, 7)
        | funct3 << 12
        | rs1 << 15
        | rs2 << 20
        | bits(offset, 5, 7, 25)
}

pub(crate) const fn b_type(funct3: u32, rs1: u32, rs2: u32, offset: u32) -> u32 {
    opcode::BRANCH
        | bits(offset, 11, 1, 7)
        | bits(offset, 1, 4, 8)
        | funct3 << 12
        | rs1 << 15
        | rs2 << 20
        | bits(offset, 5, 6, 25)
        | bits(offset, 12, 1, 31)
}

pub(crate) const fn j_type(rd: u32, offset: u32) -> u32 {
    opcode::JAL
        | rd << 7
        | bits(offset, 12, 8, 12)
        | bits(offset, 11, 1, 20)
        | bits(offset, 1, 10, 21)
        | bits(offset, 20, 1, 31)
}
