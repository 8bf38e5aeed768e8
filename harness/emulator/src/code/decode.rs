//! From a 32-bit instruction to an operation (unprivileged specification, chapter "RV32/64G
//! Instruction Set Listings").

use super::codes::Code;
use super::operation::Operation;
use crate::hart::X_DISCARD;
use crate::isa::format::{
    amo, b_immediate, funct3, funct5, funct7, i_immediate, j_immediate, opcode, rd, rs1, rs2,
    s_immediate, u_immediate,
};

/// What an instruction becomes in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decoded {
    /// It has no effect, and is only counted.
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

/// What some machines make of instructions that have no effect on others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    /// Hint calls end a run.
    pub(crate) hints: bool,
    /// A `fence` orders stores.
    pub(crate) fences: bool,
}

/// Decodes an instruction of 32 bits.
pub(super) fn decode(instruction: u32, known: Known) -> Decoded {
    decode_legal(instruction, known).unwrap_or(Decoded::End(raw(Code::Illegal, instruction)))
}

fn decode_legal(i: u32, known: Known) -> Option<Decoded> {
    let (rd, rs1, rs2) = (rd(i), rs1(i), rs2(i));
    let op = |code, immediate| operation(code, rd, rs1, rs2, immediate);
    let decoded = match opcode(i) {
        opcode::LOAD => {
            let code = match funct3(i) {
                0 => Code::Lb,
                1 => Code::Lh,
                2 => Code::Lw,
                3 => Code::Ld,
                4 => Code::Lbu,
                5 => Code::Lhu,
                6 => Code::Lwu,
                _ => return None,
            };
            Decoded::Plain(op(code, i_immediate(i)))
        }
        opcode::MISC_MEM => match funct3(i) {
            // If all harts see stores at once, in program order, a fence has nothing to do.
            0 if !known.fences => Decoded::Nothing,
            0 => Decoded::End(raw(Code::System, i)),
            // `fence.i`.
            1 => Decoded::End(raw(Code::System, i)),
            _ => return None,
        },
        opcode::OP_IMM => {
            if known.hints && rd == 0 && rs1 == 0 && funct3(i) == 2 {
                return Some(Decoded::End(op(Code::Hint, i_immediate(i))));
            }
            computed(rd, immediate_arithmetic(i, op)?)
        }
        opcode::AUIPC => computed(rd, op(Code::Auipc, u_immediate(i))),
        opcode::OP_IMM_32 => computed(rd, immediate_arithmetic_32(i, op)?),
        opcode::STORE => {
            let code = match funct3(i) {
                0 => Code::Sb,
                1 => Code::Sh,
                2 => Code::Sw,
                3 => Code::Sd,
                _ => return None,
            };
            Decoded::Plain(operation(code, 0, rs1, rs2, s_immediate(i)))
        }
        opcode::AMO => {
            atomic_is_legal(i).then_some(())?;
            Decoded::Plain(raw(Code::Atomic, i))
        }
        opcode::OP => computed(rd, op(register_arithmetic(i)?, 0)),
        opcode::LUI => computed(rd, op(Code::Li, u_immediate(i))),
        opcode::OP_32 => computed(rd, op(register_arithmetic_32(i)?, 0)),
        opcode::BRANCH => {
            let code = match funct3(i) {
                0 => Code::Beq,
                1 => Code::Bne,
                4 => Code::Blt,
                5 => Code::Bge,
                6 => Code::Bltu,
                7 => Code::Bgeu,
                _ => return None,
            };
            Decoded::Branch(operation(code, 0, rs1, rs2, 0), b_immediate(i))
        }
        opcode::JALR if funct3(i) == 0 => Decoded::End(op(Code::JumpRegister, i_immediate(i))),
        opcode::JAL => Decoded::Jump(operation(Code::Jump, rd, 0, 0, 0), j_immediate(i)),
        opcode::SYSTEM => Decoded::End(raw(Code::System, i)),
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
    let value = i_immediate(i);
    let shift = value & 63;
    let is_zero_source = rs1(i) == 0;
    Some(match (funct3(i), i >> 26) {
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
    let value = i_immediate(i);
    let shift = value & 31;
    Some(match (funct3(i), funct7(i)) {
        (0, _) => op(Code::Addiw, value),
        (1, 0) => op(Code::Slliw, shift),
        (5, 0) => op(Code::Srliw, shift),
        (5, 0x20) => op(Code::Sraiw, shift),
        _ => return None,
    })
}

fn register_arithmetic(i: u32) -> Option<Code> {
    Some(match (funct3(i), funct7(i)) {
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
    Some(match (funct3(i), funct7(i)) {
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
    let is_width = matches!(funct3(i), 2 | 3);
    let is_load_reserved = funct5(i) == amo::LOAD_RESERVED;
    let is_known = amo::ALL.contains(&funct5(i));
    is_width && is_known && !(is_load_reserved && rs2(i) != 0)
}
