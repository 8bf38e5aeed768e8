//! One instruction, decoded for code that looks at a program from outside.

use super::compressed::expand;
use super::format::{
    amo, b_immediate, funct3, funct5, i_immediate, j_immediate, opcode, rd, rs1, rs2, s_immediate,
    system, u_immediate,
};
use super::register::RA;

/// An instruction as it lies in memory, of two bytes or of four.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// What lies there.
    pub(super) raw: u32,
    /// The instruction of four bytes that this is or stands for. An invalid one gives 0, which is illegal.
    pub(super) word: u32,
    length: usize,
}

/// What an instruction does to memory: at the sum of a register and a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryAccess {
    /// What it does there.
    pub effect: Effect,
    /// Bytes: 1, 2, 4 or 8.
    pub bytes: u64,
    /// The register that the address begins with.
    pub base: usize,
    /// What is added to it.
    pub offset: i64,
}

/// A kind of access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// A load.
    Load,
    /// A store of this register.
    Store(usize),
    /// An atomic swap with this register.
    Swap(usize),
    /// Another atomic operation.
    Atomic,
}

impl Instruction {
    /// The instruction that `bytes` begin with; `None` if it is cut off.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (half, rest) = bytes.split_first_chunk()?;
        let half = u16::from_le_bytes(*half);
        if half & 3 != 3 {
            return Some(Self::compressed(half));
        }
        let high = u16::from_le_bytes(*rest.first_chunk()?);
        Some(Self::full(u32::from(high) << 16 | u32::from(half)))
    }

    /// Every instruction of `code`, with its offset there; the last one may be cut off and is left out.
    pub fn all(code: &[u8]) -> impl Iterator<Item = (usize, Self)> {
        let mut at = 0;
        std::iter::from_fn(move || {
            let here = at;
            let instruction = Self::read(code.get(here..)?)?;
            at += instruction.length;
            Some((here, instruction))
        })
    }

    pub(super) fn compressed(half: u16) -> Self {
        Self {
            raw: u32::from(half),
            word: expand(half).unwrap_or(0),
            length: 2,
        }
    }

    pub(super) fn full(word: u32) -> Self {
        Self {
            raw: word,
            word,
            length: 4,
        }
    }

    /// Its bytes.
    pub fn bytes(&self) -> Vec<u8> {
        self.raw.to_le_bytes()[..self.length].to_vec()
    }

    /// How many bytes it has: 2 or 4.
    pub fn length(self) -> usize {
        self.length
    }

    /// The register that it writes, if it writes any; 0 if it writes none or has no effect on it.
    pub fn destination(self) -> usize {
        match opcode(self.word) {
            opcode::STORE | opcode::BRANCH => 0,
            _ => rd(self.word) as usize,
        }
    }

    /// What it does to memory, if it is a load, a store or an atomic operation on integers.
    pub fn memory_access(self) -> Option<MemoryAccess> {
        let word = self.word;
        let source = rs2(word) as usize;
        let (effect, offset) = match opcode(word) {
            opcode::LOAD => (Effect::Load, i_immediate(word)),
            opcode::STORE => (Effect::Store(source), s_immediate(word)),
            opcode::AMO if funct5(word) == amo::SWAP => (Effect::Swap(source), 0),
            opcode::AMO => (Effect::Atomic, 0),
            _ => return None,
        };
        Some(MemoryAccess {
            effect,
            bytes: 1 << (funct3(word) & 3),
            base: rs1(word) as usize,
            offset: offset.into(),
        })
    }

    /// What it adds to which register, if it is `addi`: the source, then the number. The sum goes to
    /// its [`destination`](Self::destination).
    pub fn added(self) -> Option<(usize, i64)> {
        let is_addition = opcode(self.word) == opcode::OP_IMM && funct3(self.word) == 0;
        is_addition.then(|| (rs1(self.word) as usize, i_immediate(self.word).into()))
    }

    /// What `auipc` adds to its own address; `None` for anything else.
    pub fn added_to_address(self) -> Option<i64> {
        let is_auipc = opcode(self.word) == opcode::AUIPC;
        is_auipc.then(|| u_immediate(self.word).into())
    }

    /// Whether it is a conditional branch.
    pub fn is_branch(self) -> bool {
        opcode(self.word) == opcode::BRANCH
    }

    /// Whether it is a jump that leaves the address after it in `ra`.
    pub fn is_call(self) -> bool {
        matches!(opcode(self.word), opcode::JAL | opcode::JALR) && rd(self.word) as usize == RA
    }

    /// Whether it is a fence of address translation, `sfence.vma`.
    pub fn is_translation_fence(self) -> bool {
        self.word & system::SFENCE_VMA_MASK == system::SFENCE_VMA
    }

    /// Whether control may go elsewhere than to the next instruction: branches, jumps, system
    /// instructions, which may trap or return, and anything that is not an instruction.
    pub fn ends_block(self) -> bool {
        let leaves = matches!(
            opcode(self.word),
            opcode::BRANCH | opcode::JAL | opcode::JALR | opcode::SYSTEM
        );
        leaves || self.word == 0
    }

    /// Where this branch, at `address`, goes if it is taken; `None` for anything else.
    pub fn branch_target(self, address: u64) -> Option<u64> {
        let offset = i64::from(b_immediate(self.word));
        self.is_branch()
            .then(|| address.wrapping_add_signed(offset))
    }

    /// Where the call that begins with this instruction, at `address`, goes: `jal`, or `auipc` with
    /// a `jalr` through the same register as `next`.
    pub fn call_target(self, address: u64, next: Option<Instruction>) -> Option<u64> {
        let offset = if self.length == 4 && opcode(self.word) == opcode::JAL {
            i64::from(j_immediate(self.word))
        } else {
            let high = self.added_to_address()?;
            let jump = next?.word;
            let goes_on = opcode(jump) == opcode::JALR && rs1(jump) == rd(self.word);
            goes_on.then(|| high + i64::from(i_immediate(jump)))?
        };
        Some(address.wrapping_add_signed(offset))
    }
}

#[cfg(test)]
mod tests {
    use super::{Effect, Instruction, MemoryAccess};
    use crate::isa::register::{A0, A1, A2, FP, SP};

    fn full(word: u32) -> Instruction {
        Instruction::read(&word.to_le_bytes()).unwrap()
    }

    fn compressed(half: u16) -> Instruction {
        Instruction::read(&half.to_le_bytes()).unwrap()
    }

    #[test]
    fn instructions_that_touch_memory_are_known() {
        let access = |effect, bytes, base, offset| {
            Some(MemoryAccess {
                effect,
                bytes,
                base,
                offset,
            })
        };
        let lw = full(0xfec4_2783); // lw a5, -20(s0)
        assert_eq!(lw.memory_access(), access(Effect::Load, 4, FP, -20));
        let sw = full(0x00f5_2423); // sw a5, 8(a0)
        assert_eq!(sw.memory_access(), access(Effect::Store(15), 4, A0, 8));
        let swap = full(0x0cf4_a7af); // amoswap.w.aq a5, a5, (s1)
        assert_eq!(swap.memory_access(), access(Effect::Swap(15), 4, 9, 0));
        let add = full(0x00b6_252f); // amoadd.w a0, a1, (a2)
        assert_eq!(add.memory_access(), access(Effect::Atomic, 4, A2, 0));
        let lbu = full(0x0005_c503); // lbu a0, 0(a1)
        assert_eq!(lbu.memory_access(), access(Effect::Load, 1, A1, 0));
        let lw = compressed(0x415c); // c.lw a5, 4(a0)
        assert_eq!(lw.memory_access(), access(Effect::Load, 4, A0, 4));
        let sd = compressed(0xe90c); // c.sd a1, 16(a0)
        assert_eq!(sd.memory_access(), access(Effect::Store(A1), 8, A0, 16));
        let sdsp = compressed(0xe82a); // c.sdsp a0, 16(sp)
        assert_eq!(sdsp.memory_access(), access(Effect::Store(A0), 8, SP, 16));
        assert_eq!(compressed(0x0505).memory_access(), None); // c.addi a0, 1
        assert_eq!(full(0x0015_0513).memory_access(), None); // addi a0, a0, 1
    }

    #[test]
    fn additions() {
        assert_eq!(full(0xf001_0113).added(), Some((SP, -256))); // addi sp, sp, -256
        assert_eq!(compressed(0x7111).added(), Some((SP, -256))); // c.addi16sp sp, -256
        assert_eq!(compressed(0x7175).added(), Some((SP, -144))); // c.addi16sp sp, -144
        assert_eq!(full(0xff01_0513).destination(), A0); // addi a0, sp, -16
        assert_eq!(full(0x00c5_d513).added(), None); // srli a0, a1, 12
        assert_eq!(full(0x0000_1097).added_to_address(), Some(0x1000)); // auipc ra, 1
        assert_eq!(full(0x00f5_2423).destination(), 0); // sw a5, 8(a0)
    }

    #[test]
    fn targets() {
        let bltu = full(0x00b5_6463); // bltu a0, a1, +8
        assert_eq!(bltu.branch_target(0x1000), Some(0x1008));
        let back = full(0xfeb5_0ee3); // beq a0, a1, -4
        assert_eq!(back.branch_target(0x1000), Some(0xffc));
        let compressed = compressed(0xdd75); // c.beqz a0, -4
        assert_eq!(compressed.branch_target(0x1000), Some(0xffc));
        let jal = full(0xff5f_f0ef); // jal ra, -12
        assert_eq!(jal.branch_target(0x1000), None);
        assert_eq!(jal.call_target(0x1000, None), Some(0xff4));
        let auipc = full(0x0000_1097); // auipc ra, 1
        let jalr = full(0xff80_80e7); // jalr ra, -8(ra)
        assert_eq!(auipc.call_target(0x1000, Some(jalr)), Some(0x1ff8));
        assert_eq!(auipc.call_target(0x1000, Some(jal)), None);
        assert_eq!(auipc.call_target(0x1000, None), None);
    }

    #[test]
    fn ends_of_blocks() {
        assert!(compressed(0x8082).ends_block()); // ret
        assert!(compressed(0xc101).ends_block()); // c.beqz
        assert!(compressed(0x9002).ends_block()); // c.ebreak
        assert!(compressed(0x0000).ends_block()); // illegal
        assert!(full(0x00b5_6463).ends_block()); // bltu
        assert!(!compressed(0x852e).ends_block()); // c.mv a0, a1
        assert!(!full(0x00c5_8513).ends_block()); // addi
    }

    #[test]
    fn code_is_read_to_its_last_whole_instruction() {
        let code = [0x82, 0x80, 0x13, 0x05, 0x15, 0x00, 0x13]; // ret; addi a0, a0, 1; cut off
        let lengths: Vec<_> = Instruction::all(&code)
            .map(|(at, instruction)| (at, instruction.length()))
            .collect();
        assert_eq!(lengths, [(0, 2), (2, 4)]);
        assert_eq!(full(0x0015_0513).bytes(), [0x13, 0x05, 0x15, 0x00]);
        assert_eq!(Instruction::read(&[0x13, 0x05, 0x15]), None);
    }
}
