//! Finds out which variations of the machine a kernel was written for. Nobody meets each of them, so a kernel is asked
//! only those for which its author can be seen to have provided, and those that cost no code of their own.

use crate::guest::hardware::Seen;
use emulator::Machine;
use object::{Object, ObjectSection, SectionKind};
use oracle::Variation;

/// The instruction `fence.i`.
const FENCE_I: [u8; 4] = 0x0000_100f_u32.to_le_bytes();
/// Bytes between two places where an instruction can begin.
const INSTRUCTION_STEP: usize = 2;
/// How often a machine has to set A or D until a kernel counts as one that leaves it to the machine.
const MANY: u64 = 16;

/// The variations that cases ask of the kernel in the file `elf`, which `machine` has booted.
pub(super) fn asked(elf: &[u8], machine: &Machine) -> Seen<Vec<Variation>> {
    let fences = has_fence_i(elf);
    let sets_bits = machine.bits_set() < MANY;
    let provided = |variation: &Variation| match variation {
        // `sfence.vma` is needed on each machine, and locks that order memory.
        Variation::KeepsPermissions | Variation::KeepsAbsences | Variation::DelaysStores => true,
        Variation::KeepsCode => fences,
        Variation::LeavesBits => sets_bits,
    };
    let all = Variation::ALL.into_iter().filter(provided).collect();
    let does = |does: bool| if does { "" } else { "no " };
    let because = format!(
        "it executes `sfence.vma`, has {}`fence.i`, and {} A and D itself",
        does(fences),
        if sets_bits { "sets" } else { "does not set" }
    );
    Seen::new(all, because)
}

/// Whether the kernel's code has a `fence.i`.
fn has_fence_i(elf: &[u8]) -> bool {
    let Ok(file) = object::File::parse(elf) else {
        return false;
    };
    let text = file
        .sections()
        .filter(|section| section.kind() == SectionKind::Text);
    let mut contents = text.filter_map(|section| section.data().ok());
    contents.any(|code| {
        let mut places = code.windows(FENCE_I.len()).step_by(INSTRUCTION_STEP);
        places.any(|word| word == FENCE_I)
    })
}
