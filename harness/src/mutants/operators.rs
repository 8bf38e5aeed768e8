//! What can be done to one instruction.

use emulator::isa::register::{RA, SAVED, SP, ZERO};
use emulator::isa::{Effect, Instruction};
use serde::Serialize;

/// A kind of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operator {
    /// A branch is taken when it was not, and the reverse.
    BranchInverted,
    /// A branch is never taken.
    BranchDropped,
    /// A comparison is signed when it was unsigned, and the reverse.
    SignednessChanged,
    /// A comparison treats equality the other way: "less" becomes "less or equal".
    BoundaryMoved,
    /// A store does not happen.
    StoreDropped,
    /// A constant is one more.
    ImmediateUp,
    /// A constant is one less.
    ImmediateDown,
    /// A translation fence does not happen.
    FenceDropped,
}

impl Operator {
    /// In words, as a report says it.
    pub fn describe(self) -> &'static str {
        match self {
            Self::BranchInverted => "branch inverted",
            Self::BranchDropped => "branch dropped",
            Self::SignednessChanged => "signedness changed",
            Self::BoundaryMoved => "boundary moved by one",
            Self::StoreDropped => "store dropped",
            Self::ImmediateUp => "constant plus one",
            Self::ImmediateDown => "constant minus one",
            Self::FenceDropped => "fence dropped",
        }
    }
}

/// Whether the instruction keeps a caller's register on the stack. The compiler adds such a store:
/// without it some callers would go wrong and most would not, and no line of source says so.
pub(crate) fn saves_register(instruction: Instruction) -> bool {
    let access = instruction.memory_access();
    access.is_some_and(|access| match access.effect {
        Effect::Store(register) => {
            let is_preserved = register == RA || SAVED.contains(&register);
            is_preserved && access.base == SP && access.bytes == 8
        }
        _ => false,
    })
}

/// Whether the instruction is the second half of an address whose first half is `before`: `auipc`
/// and `addi`. It is not a constant of the source, and its low bits are often cut off.
pub(crate) fn ends_address(before: Option<Instruction>, instruction: Instruction) -> bool {
    let (Some(before), Some((source, _))) = (before, instruction.added()) else {
        return false;
    };
    before.added_to_address().is_some()
        && instruction.length() == before.length()
        && source == before.destination()
}

/// Every change of the instruction: what it becomes.
pub(crate) fn changes(instruction: Instruction) -> Vec<(Operator, Instruction)> {
    let mut changes = Vec::new();
    let mut offer = |operator, changed: Option<Instruction>| {
        changes.extend(changed.map(|changed| (operator, changed)));
    };
    let dropped = Some(instruction.dropped());
    if instruction.is_branch() {
        offer(Operator::BranchInverted, instruction.inverted());
        offer(Operator::BranchDropped, dropped);
        offer(Operator::BoundaryMoved, instruction.with_moved_boundary());
    }
    let access = instruction.memory_access();
    if access.is_some_and(|access| matches!(access.effect, Effect::Store(_))) {
        offer(Operator::StoreDropped, dropped);
    }
    if instruction.is_translation_fence() {
        offer(Operator::FenceDropped, dropped);
    }
    // Not what moves the stack pointer, and not a `nop`.
    if instruction.is_branch() || ![SP, ZERO].contains(&instruction.destination()) {
        let other = instruction.with_other_signedness();
        offer(Operator::SignednessChanged, other);
        let to = |change| instruction.with_constant(instruction.constant()? + change);
        offer(Operator::ImmediateUp, to(1));
        offer(Operator::ImmediateDown, to(-1));
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::{Instruction, Operator, changes, ends_address, saves_register};

    fn full(word: u32) -> Instruction {
        Instruction::read(&word.to_le_bytes()).unwrap()
    }

    fn compressed(half: u16) -> Instruction {
        Instruction::read(&half.to_le_bytes()).unwrap()
    }

    /// The changes that are offered, in the order of the operators.
    fn operators(instruction: Instruction) -> Vec<Operator> {
        let mut operators: Vec<_> = changes(instruction)
            .into_iter()
            .map(|(operator, _)| operator)
            .collect();
        operators.sort();
        operators
    }

    #[test]
    fn branches() {
        let ordering = [
            Operator::BranchInverted,
            Operator::BranchDropped,
            Operator::SignednessChanged,
            Operator::BoundaryMoved,
        ];
        assert_eq!(operators(full(0x00b5_6463)), ordering); // bltu a0, a1, +8
        assert_eq!(operators(full(0x00b5_0463)), ordering[..2]); // beq a0, a1, +8
        assert_eq!(operators(compressed(0xc101)), ordering[..2]); // c.beqz a0
    }

    #[test]
    fn what_the_compiler_adds_is_known() {
        assert!(saves_register(full(0x0081_3c23))); // sd s0, 24(sp)
        assert!(saves_register(full(0x0011_3423))); // sd ra, 8(sp)
        assert!(!saves_register(full(0x00b1_3423))); // sd a1, 8(sp)
        assert!(!saves_register(full(0x0085_3423))); // sd s0, 8(a0)
        assert!(saves_register(compressed(0xe822))); // c.sdsp s0, 16(sp)
        assert!(!saves_register(compressed(0xe82a))); // c.sdsp a0, 16(sp)
        let [auipc, addi] = [0x0000_0517, 0x0085_0513].map(full); // a0
        let other = full(0x0085_8513); // addi a0, a1, 8
        assert!(ends_address(Some(auipc), addi));
        assert!(!ends_address(Some(auipc), other));
        assert!(!ends_address(Some(addi), addi));
        assert!(!ends_address(None, addi));
    }

    #[test]
    fn immediates() {
        let both = [Operator::ImmediateUp, Operator::ImmediateDown];
        assert_eq!(operators(full(0x00c5_8513)), both); // addi a0, a1, 12
        assert_eq!(operators(full(0x8005_8513)), both[..1]); // addi a0, a1, -2048
        assert_eq!(operators(full(0xff01_0113)), []); // addi sp, sp, -16
        assert_eq!(operators(full(0x00c5_d513)), both); // srli a0, a1, 12
        assert_eq!(operators(full(0x43f5_d513)), both[1..]); // srai a0, a1, 63
        let and_signedness = [Operator::SignednessChanged, both[0], both[1]];
        assert_eq!(operators(full(0x00c5_a513)), and_signedness); // slti a0, a1, 12
        assert_eq!(operators(compressed(0x0505)), both); // c.addi a0, 1
        assert_eq!(operators(compressed(0x557d)), both); // c.li a0, -1
        assert_eq!(operators(compressed(0x1101)), []); // c.addi sp, -32
        assert_eq!(operators(compressed(0x0001)), []); // c.nop
        assert_eq!(operators(full(0x0000_0013)), []); // nop
    }

    #[test]
    fn stores_and_fences() {
        assert_eq!(operators(full(0x00b5_3023)), [Operator::StoreDropped]); // sd a1, 0(a0)
        assert_eq!(operators(compressed(0xe10c)), [Operator::StoreDropped]); // c.sd a1, 0(a0)
        assert_eq!(operators(full(0x1200_0073)), [Operator::FenceDropped]); // sfence.vma
        assert_eq!(operators(full(0x0000_0073)), []); // ecall
    }
}
