//! What is tried with one instruction: what a mutant does to it, and a little more.

use crate::mutants::{self, Operator};
use emulator::isa::Instruction;
use emulator::isa::page_table::{EXECUTE, READ, USER, WRITE};
use emulator::isa::register::{SP, ZERO};
use oracle::{Clause, Finding};

/// One instruction changed.
pub(super) struct Change {
    /// What is done to it, as the end of a sentence that begins with "nothing is wrong any more".
    pub(super) words: &'static str,
    pub(super) instruction: Instruction,
}

/// All changes of an instruction. If permissions are wrong, each of them is changed in constants, too.
pub(super) fn changes(instruction: Instruction, are_permissions: bool) -> Vec<Change> {
    let mutants = mutants::changes(instruction).into_iter();
    let mut changes: Vec<Change> = mutants
        .map(|(operator, instruction)| Change {
            words: words(operator),
            instruction,
        })
        .collect();
    let mut offer = |words, changed: Option<Instruction>| {
        changes.extend(changed.map(|instruction| Change { words, instruction }));
    };
    if instruction.is_call() {
        offer("without the call", Some(instruction.dropped()));
    }
    if instruction.destination() == SP {
        return changes;
    }
    offer("if the number is left as it was", instruction.passing_on());
    let constant = instruction.constant().filter(|_| are_permissions);
    if let Some(constant) =
        constant.filter(|constant| instruction.destination() != ZERO && *constant > 1)
    {
        for bit in [READ, WRITE, EXECUTE, USER] {
            let other = instruction.with_constant(constant ^ bit as i32);
            offer("with another permission bit in the constant", other);
        }
    }
    changes
}

/// Whether a finding may come from wrong permission bits.
pub(super) fn may_be_permissions(finding: &Finding) -> bool {
    matches!(
        finding.clause,
        Clause::PermissionBits
            | Clause::ForbiddenAccessKills
            | Clause::InnocentLive
            | Clause::WritableAlone
            | Clause::KernelHidden
    )
}

fn words(operator: Operator) -> &'static str {
    match operator {
        Operator::BranchInverted => "if the branch goes the other way",
        Operator::BranchDropped => "if the branch is never taken",
        Operator::SignednessChanged => "if numbers are compared with the other signedness",
        Operator::BoundaryMoved => "if equal numbers are treated the other way",
        Operator::StoreDropped => "without the store",
        Operator::ImmediateUp => "if the constant is one more",
        Operator::ImmediateDown => "if the constant is one less",
        Operator::FenceDropped => "without the fence",
    }
}

#[cfg(test)]
mod tests {
    use super::changes;
    use emulator::isa::Instruction;

    fn words(word: u32, are_permissions: bool) -> Vec<&'static str> {
        let instruction = Instruction::read(&word.to_le_bytes()).unwrap();
        let changes = changes(instruction, are_permissions).into_iter();
        changes.map(|change| change.words).collect()
    }

    #[test]
    fn a_constant_is_changed_and_left_out() {
        let wanted = [
            "if the constant is one more",
            "if the constant is one less",
            "if the number is left as it was",
        ];
        assert_eq!(words(0x0ff5_f513, false), wanted); // andi a0, a1, 255
    }

    #[test]
    fn permission_bits_are_changed_only_if_they_may_be_wrong() {
        let li = 0x01e0_0713; // li a4, 30
        let both = ["if the constant is one more", "if the constant is one less"];
        assert_eq!(words(li, false), both);
        assert_eq!(words(li, true).len(), both.len() + 4);
    }

    #[test]
    fn a_call_is_left_out_and_a_jump_is_not() {
        assert_eq!(words(0x0000_10ef, false), ["without the call"]); // jal ra, 0x1000
        assert!(words(0x0000_106f, false).is_empty()); // j 0x1000
    }
}
