//! From a 32-bit instruction to an operation (unprivileged specification, chapter "RV32/64G
//! Instruction Set Listings").

use super::operation::{Code, Operation};
use crate::hart::X_DISCARD;

/// What an instruction becomes in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decoded {
    /// It has no effect but to take its turn.
    Nothing,
    /// An operation inside a block.
    Plain(Operation),
    /// A conditional branch over this many bytes.
    Branch(Operation, i32),
    /// A jump over this many bytes.
    Jump(Operation, i32),
    /// Any other end of a block.
    End(Operation),
}

fn operation(code: Code, rd: u32, rs1: u32, rs2: u32, immediate: i32) -> Operation {
    Operation {
        code,
        rd: if rd == 0 { X_DISCARD } else { rd as u8 },
        rs1: rs1 as u8,
        rs2: rs2 as u8,
        immediate,
    }
}

/// An operation without operands but the instruction itself.
pub(super) fn raw(code: Code, instruction: u32) -> Operation {
    operation(code, 0, 0, 0, instruction as i32)
}

/// Decodes an instruction of 32 bits. `hints` says whether hint calls are known.
pub(super) fn decode(instruction: u32, hints: bool) -> Decoded {
    decode_legal(instruction, hints).unwrap_or(Decoded::End(raw(Code::Illegal, instruction)))
}

fn decode_legal(i: u32, hints: bool) -> Option<Decoded> {
    let rd = i >> 7 & 31;
    let funct3 = i >> 12 & 7;
    let rs1 = i >> 15 & 31;
    let rs2 = i >> 20 & 31;
    let i_immediate = i as i32 >> 20;
    let u_immediate = (i & 0xffff_f000) as i32;
    let op = |code, immediate| operation(code, rd, rs1, rs2, immediate);
    let decoded = match i & 0x7f {
        0x03 => {
            let code = match funct3 {
                0 => Code::Lb,
                1 => Code::Lh,
                2 => Code::Lw,
                3 => Code::Ld,
                4 => Code::Lbu,
                5 => Code::Lhu,
                6 => Code::Lwu,
                _ => return None,
            };
            Decoded::Plain(op(code, i_immediate))
        }
        0x0f => match funct3 {
            // The caches are coherent and the order is the program's: no fence has work to do.
            0 | 1 => Decoded::Nothing,
            _ => return None,
        },
        0x13 => {
            if hints && rd == 0 && rs1 == 0 && funct3 == 2 {
                return Some(Decoded::End(op(Code::Hint, i_immediate)));
            }
            computed(rd, immediate_arithmetic(i, op)?)
        }
        0x17 => computed(rd, op(Code::Auipc, u_immediate)),
        0x1b => computed(rd, immediate_arithmetic_32(i, op)?),
        0x23 => {
            let code = match funct3 {
                0 => Code::Sb,
                1 => Code::Sh,
                2 => Code::Sw,
                3 => Code::Sd,
                _ => return None,
            };
            let immediate = (i & 0xfe00_0000) as i32 >> 20 | rd as i32;
            Decoded::Plain(operation(code, 0, rs1, rs2, immediate))
        }
        0x2f => {
            atomic_is_legal(i).then_some(())?;
            Decoded::Plain(raw(Code::Atomic, i))
        }
        0x33 => computed(rd, op(register_arithmetic(i)?, 0)),
        0x37 => computed(rd, op(Code::Li, u_immediate)),
        0x3b => computed(rd, op(register_arithmetic_32(i)?, 0)),
        0x63 => {
            let code = match funct3 {
                0 => Code::Beq,
                1 => Code::Bne,
                4 => Code::Blt,
                5 => Code::Bge,
                6 => Code::Bltu,
                7 => Code::Bgeu,
                _ => return None,
            };
            let offset = (i & 0x8000_0000) as i32 >> 19
                | ((i & 0x80) << 4 | i >> 20 & 0x7e0 | i >> 7 & 0x1e) as i32;
            Decoded::Branch(operation(code, 0, rs1, rs2, 0), offset)
        }
        0x67 if funct3 == 0 => Decoded::End(op(Code::JumpRegister, i_immediate)),
        0x6f => {
            let offset = (i & 0x8000_0000) as i32 >> 11
                | (i & 0xf_f000 | i >> 9 & 0x800 | i >> 20 & 0x7fe) as i32;
            Decoded::Jump(operation(Code::Jump, rd, 0, 0, 0), offset)
        }
        0x73 => Decoded::End(raw(Code::System, i)),
        _ => return None,
    };
    Some(decoded)
}

/// An operation whose only effect is on `rd`.
fn computed(rd: u32, operation: Operation) -> Decoded {
    if rd == 0 {
        Decoded::Nothing
    } else {
        Decoded::Plain(operation)
    }
}

fn immediate_arithmetic(i: u32, op: impl Fn(Code, i32) -> Operation) -> Option<Operation> {
    let value = i as i32 >> 20;
    let shift = value & 63;
    let is_zero_source = i >> 15 & 31 == 0;
    Some(match (i >> 12 & 7, i >> 26) {
        (0, _) if is_zero_source => op(Code::Li, value),
        (0, _) => op(Code::Addi, value),
        (1, 0) => op(Code::Slli, shift),
        (2, _) => op(Code::Slti, value),
        (3, _) => op(Code::Sltiu, value),
        (4, _) => op(Code::Xori, value),
        (5, 0) => op(Code::Srli, shift),
        (5, 0x10) => op(Code::Srai, shift),
        (6, _) => op(Code::Ori, value),
        (7, _) => op(Code::Andi, value),
        _ => return None,
    })
}

fn immediate_arithmetic_32(i: u32, op: impl Fn(Code, i32) -> Operation) -> Option<Operation> {
    let value = i as i32 >> 20;
    let shift = value & 31;
    Some(match (i >> 12 & 7, i >> 25) {
        (0, _) => op(Code::Addiw, value),
        (1, 0) => op(Code::Slliw, shift),
        (5, 0) => op(Code::Srliw, shift),
        (5, 0x20) => op(Code::Sraiw, shift),
        _ => return None,
    })
}

fn register_arithmetic(i: u32) -> Option<Code> {
    Some(match (i >> 12 & 7, i >> 25) {
        (0, 0) => Code::Add,
        (0, 0x20) => Code::Sub,
        (1, 0) => Code::Sll,
        (2, 0) => Code::Slt,
        (3, 0) => Code::Sltu,
        (4, 0) => Code::Xor,
        (5, 0) => Code::Srl,
        (5, 0x20) => Code::Sra,
        (6, 0) => Code::Or,
        (7, 0) => Code::And,
        (0, 1) => Code::Mul,
        (1, 1) => Code::Mulh,
        (2, 1) => Code::Mulhsu,
        (3, 1) => Code::Mulhu,
        (4, 1) => Code::Div,
        (5, 1) => Code::Divu,
        (6, 1) => Code::Rem,
        (7, 1) => Code::Remu,
        _ => return None,
    })
}

fn register_arithmetic_32(i: u32) -> Option<Code> {
    Some(match (i >> 12 & 7, i >> 25) {
        (0, 0) => Code::Addw,
        (0, 0x20) => Code::Subw,
        (1, 0) => Code::Sllw,
        (5, 0) => Code::Srlw,
        (5, 0x20) => Code::Sraw,
        (0, 1) => Code::Mulw,
        (4, 1) => Code::Divw,
        (5, 1) => Code::Divuw,
        (6, 1) => Code::Remw,
        (7, 1) => Code::Remuw,
        _ => return None,
    })
}

/// Is this AMO-opcode instruction one of the A extension, on a word or a doubleword?
fn atomic_is_legal(i: u32) -> bool {
    let is_width = matches!(i >> 12 & 7, 2 | 3);
    let is_load_reserved = i >> 27 == 2;
    let is_known = matches!(i >> 27, 0..=4 | 8 | 12 | 16 | 20 | 24 | 28);
    is_width && is_known && !(is_load_reserved && i >> 20 & 31 != 0)
}
