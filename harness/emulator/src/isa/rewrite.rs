//! One instruction changed into another one of the same length.

use super::Instruction;
use super::format::{bits, funct3, funct7, i_immediate, opcode, rd, rs1, rs2, sign};

const NOP: u32 = 0x0000_0013;
const COMPRESSED_NOP: u16 = 0x0001;

/// How an instruction holds a constant that can be changed.
#[derive(Clone, Copy)]
enum Constant {
    /// Twelve bits with sign: `addi`, `slti`, `sltiu`, `xori`, `ori`, `andi`.
    Immediate,
    /// Six bits: `slli`, `srli`, `srai`.
    Shift,
    /// Six bits with sign: `c.addi`, `c.addiw`, `c.li`, `c.andi`.
    Compressed,
}

impl Instruction {
    /// An instruction as long that does nothing.
    pub fn dropped(self) -> Self {
        if self.length() == 2 {
            Self::compressed(COMPRESSED_NOP)
        } else {
            Self::full(NOP)
        }
    }

    /// The branch that is taken when this one is not; `None` if this is not a branch.
    pub fn inverted(self) -> Option<Self> {
        // The lowest bit of the function.
        let place = if self.length() == 2 { 13 } else { 12 };
        self.is_branch().then(|| self.with(self.raw ^ 1 << place))
    }

    /// The branch or comparison that takes its operands for numbers without sign if this one takes
    /// them for numbers with sign, and the reverse; `None` if this is not such an instruction.
    pub fn with_other_signedness(self) -> Option<Self> {
        let function = funct3(self.raw);
        let bit = match opcode(self.raw) {
            opcode::BRANCH if function >= 4 => 2,
            opcode::OP_IMM if matches!(function, 2 | 3) => 1,
            opcode::OP if matches!(function, 2 | 3) && funct7(self.raw) == 0 => 1,
            _ => return None,
        };
        Some(self.with(self.raw ^ bit << 12))
    }

    /// The branch that treats equality the other way: "less" becomes "less or equal". `None` if this
    /// is no branch that compares in such a way.
    pub fn with_moved_boundary(self) -> Option<Self> {
        let is_ordering = self.length() == 4 && self.is_branch() && funct3(self.raw) >= 4;
        // a < b becomes b >= a, and so on.
        let swapped = self.raw & !(0x3ff << 15) | rs2(self.raw) << 15 | rs1(self.raw) << 20;
        is_ordering.then(|| self.with(swapped ^ 1 << 12))
    }

    /// The constant that it computes with, by which it shifts, or that it loads into a register.
    pub fn constant(self) -> Option<i32> {
        Some(match self.kind_of_constant()? {
            Constant::Immediate => i_immediate(self.raw),
            Constant::Shift => i_immediate(self.raw) & 63,
            Constant::Compressed => {
                sign(bits(self.raw, 12, 1, 5) | bits(self.raw, 2, 5, 0), 6) as i32
            }
        })
    }

    /// The same with another constant; `None` if it has none, or if `value` has no room.
    pub fn with_constant(self, value: i32) -> Option<Self> {
        let kind = self.kind_of_constant()?;
        let range = match kind {
            Constant::Immediate => -0x800..0x800,
            Constant::Shift => 0..64,
            Constant::Compressed => -0x20..0x20,
        };
        let constant = value as u32;
        let raw = match kind {
            Constant::Immediate => self.raw & !(0xfff << 20) | bits(constant, 0, 12, 20),
            Constant::Shift => self.raw & !(63 << 20) | bits(constant, 0, 6, 20),
            Constant::Compressed => {
                self.raw & !(1 << 12 | 31 << 2) | bits(constant, 5, 1, 12) | bits(constant, 0, 5, 2)
            }
        };
        range.contains(&value).then(|| self.with(raw))
    }

    /// The instruction that only copies the first operand, if this one computes its result from that; `None` otherwise, and
    /// if it does so already.
    pub fn passing_on(self) -> Option<Self> {
        if self.length() == 2 {
            let computes = match (self.raw & 3, self.raw >> 13) {
                // c.addi, c.addiw; shifts and other arithmetic; c.slli.
                (1, 0 | 1 | 4) | (2, 0) => true,
                // c.add, but not c.mv, c.jalr and c.ebreak.
                (2, 4) => bits(self.raw, 12, 1, 0) == 1 && bits(self.raw, 2, 5, 0) != 0,
                _ => false,
            };
            let is_nop = self.raw == u32::from(COMPRESSED_NOP);
            return (computes && !is_nop).then(|| self.dropped());
        }
        let computes = matches!(
            opcode(self.raw),
            opcode::OP | opcode::OP_IMM | opcode::OP_32 | opcode::OP_IMM_32
        );
        let copy = NOP | rd(self.raw) << 7 | rs1(self.raw) << 15;
        (computes && rs1(self.raw) != 0 && copy != self.raw).then(|| self.with(copy))
    }

    fn kind_of_constant(self) -> Option<Constant> {
        if self.length() == 4 {
            let is_shift = matches!(funct3(self.raw), 1 | 5);
            return match opcode(self.raw) {
                opcode::OP_IMM if is_shift => Some(Constant::Shift),
                opcode::OP_IMM => Some(Constant::Immediate),
                _ => None,
            };
        }
        match (self.raw & 3, self.raw >> 13) {
            (1, 0..=2) => Some(Constant::Compressed),
            // Of this quarter only c.andi: the others are shifts and register arithmetic.
            (1, 4) if self.raw >> 10 & 3 == 2 => Some(Constant::Compressed),
            _ => None,
        }
    }

    /// Another instruction as long.
    fn with(self, raw: u32) -> Self {
        if self.length() == 2 {
            Self::compressed(raw as u16)
        } else {
            Self::full(raw)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Instruction;

    fn full(word: u32) -> Instruction {
        Instruction::read(&word.to_le_bytes()).unwrap()
    }

    fn compressed(half: u16) -> Instruction {
        Instruction::read(&half.to_le_bytes()).unwrap()
    }

    fn up(instruction: Instruction) -> Option<Instruction> {
        instruction.with_constant(instruction.constant()? + 1)
    }

    fn down(instruction: Instruction) -> Option<Instruction> {
        instruction.with_constant(instruction.constant()? - 1)
    }

    #[test]
    fn branches() {
        let bltu = full(0x00b5_6463); // bltu a0, a1, +8
        assert_eq!(bltu.inverted(), Some(full(0x00b5_7463))); // bgeu a0, a1
        assert_eq!(bltu.dropped(), full(0x13));
        assert_eq!(bltu.with_other_signedness(), Some(full(0x00b5_4463))); // blt a0, a1
        assert_eq!(bltu.with_moved_boundary(), Some(full(0x00a5_f463))); // bgeu a1, a0
        let beq = full(0x00b5_0463);
        assert_eq!(beq.inverted(), Some(full(0x00b5_1463)));
        assert_eq!(beq.with_moved_boundary(), None);
        let beqz = compressed(0xc101); // c.beqz a0
        assert_eq!(beqz.inverted(), Some(compressed(0xe101)));
        assert_eq!(beqz.dropped(), compressed(1));
        assert_eq!(full(0x00c5_8513).inverted(), None); // addi
    }

    #[test]
    fn constants() {
        let addi = full(0x00c5_8513); // addi a0, a1, 12
        assert_eq!(addi.constant(), Some(12));
        assert_eq!(up(addi), Some(full(0x00d5_8513)));
        assert_eq!(down(addi), Some(full(0x00b5_8513)));
        let minus_one = full(0xfff5_8513); // addi a0, a1, -1
        assert_eq!(up(minus_one), Some(full(0x0005_8513)));
        let smallest = full(0x8005_8513); // addi a0, a1, -2048
        assert_eq!(down(smallest), None);
        let srli = full(0x00c5_d513); // srli a0, a1, 12
        assert_eq!(up(srli), Some(full(0x00d5_d513)));
        let srai = full(0x43f5_d513); // srai a0, a1, 63
        assert_eq!(up(srai), None);
        assert_eq!(down(srai), Some(full(0x43e5_d513)));
    }

    #[test]
    fn results_that_are_computed_can_be_passed_on() {
        let andi = full(0x0ff5_f513); // andi a0, a1, 255
        assert_eq!(andi.passing_on(), Some(full(0x0005_8513))); // mv a0, a1
        assert_eq!(full(0x0005_8513).passing_on(), None);
        assert_eq!(full(0x0100_0513).passing_on(), None); // li a0, 16
        assert_eq!(full(0x00b5_3023).passing_on(), None); // sd a1, 0(a0)
        let nop = compressed(1);
        for computes in [0x0505, 0x8905, 0x8d0d, 0x0532, 0x952e] {
            // c.addi a0, 1; c.andi a0, 1; c.sub a0, a1; c.slli a0, 12; c.add a0, a1
            assert_eq!(compressed(computes).passing_on(), Some(nop), "{computes:x}");
        }
        for other in [0x557d, 0x852e, 0x8082, 0x0001, 0x9502] {
            // c.li a0, -1; c.mv a0, a1; ret; c.nop; c.jalr a0
            assert_eq!(compressed(other).passing_on(), None, "{other:x}");
        }
    }

    #[test]
    fn compressed_constants() {
        assert_eq!(up(compressed(0x0505)), Some(compressed(0x0509))); // c.addi a0, 1 to 2
        assert_eq!(up(compressed(0x557d)), Some(compressed(0x4501))); // c.li a0, -1 to 0
        assert_eq!(down(compressed(0x157d)), Some(compressed(0x1579))); // c.addi a0, -1 to -2
        assert_eq!(up(compressed(0x8082)), None); // ret
    }
}
