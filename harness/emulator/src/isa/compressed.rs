//! The C extension: each 16-bit instruction stands for one of 32 bits (unprivileged
//! specification, chapter "C").

use super::format::{b_type, bits, i_type, j_type, opcode, r_type, s_type, sign, system};
use super::register;

const X0: u32 = register::ZERO as u32;
const RA: u32 = register::RA as u32;
const SP: u32 = register::SP as u32;

/// The 32-bit instruction that `half` stands for; `None` if it is illegal or reserved.
pub(crate) fn expand(half: u16) -> Option<u32> {
    let c = u32::from(half);
    let rd = c >> 7 & 31;
    let rs2 = c >> 2 & 31;
    let low_rd = 8 + (c >> 2 & 7);
    let low_rs1 = 8 + (c >> 7 & 7);
    let immediate = sign(bits(c, 12, 1, 5) | bits(c, 2, 5, 0), 6);
    match (c & 3, c >> 13) {
        // c.addi4spn; all zeros is illegal, and so is a zero immediate.
        (0, 0) => {
            let value = bits(c, 11, 2, 4) | bits(c, 7, 4, 6) | bits(c, 6, 1, 2) | bits(c, 5, 1, 3);
            (value != 0).then(|| i_type(opcode::OP_IMM, 0, low_rd, SP, value))
        }
        (0, 2) => Some(i_type(opcode::LOAD, 2, low_rd, low_rs1, word_offset(c))),
        (0, 3) => Some(i_type(opcode::LOAD, 3, low_rd, low_rs1, double_offset(c))),
        (0, 6) => Some(s_type(2, low_rs1, low_rd, word_offset(c))),
        (0, 7) => Some(s_type(3, low_rs1, low_rd, double_offset(c))),
        // c.nop and c.addi.
        (1, 0) => Some(i_type(opcode::OP_IMM, 0, rd, rd, immediate)),
        // c.addiw.
        (1, 1) => (rd != 0).then(|| i_type(opcode::OP_IMM_32, 0, rd, rd, immediate)),
        // c.li.
        (1, 2) => Some(i_type(opcode::OP_IMM, 0, rd, X0, immediate)),
        (1, 3) => {
            if c >> 12 & 1 == 0 && rs2 == 0 {
                return None;
            }
            if rd == SP {
                // c.addi16sp.
                let value = bits(c, 12, 1, 9)
                    | bits(c, 6, 1, 4)
                    | bits(c, 5, 1, 6)
                    | bits(c, 3, 2, 7)
                    | bits(c, 2, 1, 5);
                Some(i_type(opcode::OP_IMM, 0, SP, SP, sign(value, 10)))
            } else {
                // c.lui.
                Some(opcode::LUI | rd << 7 | immediate << 12)
            }
        }
        (1, 4) => arithmetic(c, low_rs1, low_rd, immediate),
        // c.j.
        (1, 5) => {
            let value = bits(c, 12, 1, 11)
                | bits(c, 11, 1, 4)
                | bits(c, 9, 2, 8)
                | bits(c, 8, 1, 10)
                | bits(c, 7, 1, 6)
                | bits(c, 6, 1, 7)
                | bits(c, 3, 3, 1)
                | bits(c, 2, 1, 5);
            Some(j_type(X0, sign(value, 12)))
        }
        // c.beqz, c.bnez.
        (1, funct @ (6 | 7)) => {
            let value = bits(c, 12, 1, 8)
                | bits(c, 10, 2, 3)
                | bits(c, 5, 2, 6)
                | bits(c, 3, 2, 1)
                | bits(c, 2, 1, 5);
            Some(b_type(funct - 6, low_rs1, X0, sign(value, 9)))
        }
        // c.slli.
        (2, 0) => Some(i_type(opcode::OP_IMM, 1, rd, rd, immediate & 63)),
        // c.lwsp.
        (2, 2) => {
            let value = bits(c, 12, 1, 5) | bits(c, 4, 3, 2) | bits(c, 2, 2, 6);
            (rd != 0).then(|| i_type(opcode::LOAD, 2, rd, SP, value))
        }
        // c.ldsp.
        (2, 3) => {
            let value = bits(c, 12, 1, 5) | bits(c, 5, 2, 3) | bits(c, 2, 3, 6);
            (rd != 0).then(|| i_type(opcode::LOAD, 3, rd, SP, value))
        }
        (2, 4) => match (c >> 12 & 1, rd, rs2) {
            (0, 0, 0) => None,
            // c.jr, c.mv.
            (0, _, 0) => Some(i_type(opcode::JALR, 0, X0, rd, 0)),
            (0, _, _) => Some(r_type(opcode::OP, 0, 0, rd, X0, rs2)),
            // c.ebreak, c.jalr, c.add.
            (_, 0, 0) => Some(system::EBREAK),
            (_, _, 0) => Some(i_type(opcode::JALR, 0, RA, rd, 0)),
            (_, _, _) => Some(r_type(opcode::OP, 0, 0, rd, rd, rs2)),
        },
        // c.swsp.
        (2, 6) => Some(s_type(2, SP, rs2, bits(c, 9, 4, 2) | bits(c, 7, 2, 6))),
        // c.sdsp.
        (2, 7) => Some(s_type(3, SP, rs2, bits(c, 10, 3, 3) | bits(c, 7, 3, 6))),
        _ => None,
    }
}

/// The quarter of shifts, c.andi and register arithmetic.
fn arithmetic(c: u32, rd: u32, rs2: u32, immediate: u32) -> Option<u32> {
    match c >> 10 & 3 {
        0 => Some(i_type(opcode::OP_IMM, 5, rd, rd, immediate & 63)),
        1 => Some(i_type(opcode::OP_IMM, 5, rd, rd, immediate & 63 | 0x400)),
        2 => Some(i_type(opcode::OP_IMM, 7, rd, rd, immediate)),
        _ => {
            let (opcode, funct3, funct7) = match (c >> 12 & 1, c >> 5 & 3) {
                (0, 0) => (opcode::OP, 0, 0x20),
                (0, 1) => (opcode::OP, 4, 0),
                (0, 2) => (opcode::OP, 6, 0),
                (0, _) => (opcode::OP, 7, 0),
                (_, 0) => (opcode::OP_32, 0, 0x20),
                (_, 1) => (opcode::OP_32, 0, 0),
                _ => return None,
            };
            Some(r_type(opcode, funct3, funct7, rd, rd, rs2))
        }
    }
}

fn word_offset(c: u32) -> u32 {
    bits(c, 10, 3, 3) | bits(c, 6, 1, 2) | bits(c, 5, 1, 6)
}

fn double_offset(c: u32) -> u32 {
    bits(c, 10, 3, 3) | bits(c, 5, 2, 6)
}

#[cfg(test)]
mod tests {
    use super::expand;

    #[test]
    fn instructions_expand_as_the_assembler_says() {
        // Pairs from GNU as: the compressed form and the same instruction without compression.
        let pairs: [(u16, u32); 29] = [
            (0x0808, 0x0101_0513), // addi a0, sp, 16
            (0x4108, 0x0005_2503), // lw a0, 0(a0)
            (0x7d7c, 0x0f85_3783), // ld a5, 248(a0)
            (0xdd7c, 0x06f5_2e23), // sw a5, 124(a0)
            (0xe11c, 0x00f5_3023), // sd a5, 0(a0)
            (0x0001, 0x0000_0013), // nop
            (0x1141, 0xff01_0113), // addi sp, sp, -16
            (0x357d, 0xfff5_051b), // addiw a0, a0, -1
            (0x557d, 0xfff0_0513), // li a0, -1
            (0x7139, 0xfc01_0113), // addi sp, sp, -64
            (0x757d, 0xffff_f537), // lui a0, 0xfffff
            (0x917d, 0x03f5_5513), // srli a0, a0, 63
            (0x8505, 0x4015_5513), // srai a0, a0, 1
            (0x8979, 0x01e5_7513), // andi a0, a0, 30
            (0x8d0d, 0x40b5_0533), // sub a0, a0, a1
            (0x9d2d, 0x00b5_053b), // addw a0, a0, a1
            (0xb7f5, 0xfedf_f06f), // j -20
            (0xd17d, 0xfe05_03e3), // beqz a0, -26
            (0xe119, 0x0005_1363), // bnez a0, 6
            (0x157e, 0x03f5_1513), // slli a0, a0, 63
            (0x4542, 0x0101_2503), // lw a0, 16(sp)
            (0x70e2, 0x0381_3083), // ld ra, 56(sp)
            (0x8082, 0x0000_8067), // ret
            (0x852e, 0x00b0_0533), // mv a0, a1
            (0x9502, 0x0005_00e7), // jalr a0
            (0x952e, 0x00b5_0533), // add a0, a0, a1
            (0x9002, 0x0010_0073), // ebreak
            (0xc82a, 0x00a1_2823), // sw a0, 16(sp)
            (0xfc06, 0x0211_3c23), // sd ra, 56(sp)
        ];
        for (half, word) in pairs {
            assert_eq!(
                expand(half).map(|word| format!("{word:#010x}")),
                Some(format!("{word:#010x}")),
                "{half:#06x}"
            );
        }
    }

    #[test]
    fn reserved_encodings_are_illegal() {
        for half in [
            0x0000, // all zeros
            0x0004, // c.addi4spn without immediate
            0x2000, // c.fld, without the D extension
            0xa000, // c.fsd
            0x2001, // c.addiw to x0
            0x6081, // c.lui without immediate
            0x9c41, // c.subw's reserved neighbours
            0x9c61, //
            0x4002, // c.lwsp to x0
            0x6002, // c.ldsp to x0
            0x8002, // c.jr to x0
            0x8000, // reserved quadrant 0
        ] {
            assert_eq!(expand(half), None, "{half:#06x}");
        }
    }
}
