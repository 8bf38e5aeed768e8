//! What can be done to one instruction.
//!
//! Encodings: RISC-V unprivileged specification, chapters "RV32I", "RV64I" and "C".

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

const NOP: u32 = 0x0000_0013;
const COMPRESSED_NOP: u16 = 0x0001;

const STACK_POINTER: u32 = 2;

/// Whether a function must leave the register as it was: `ra`, `s0` to `s11`.
fn is_preserved(register: u32) -> bool {
    matches!(register, 1 | 8 | 9 | 18..=27)
}

/// Whether the instruction in `bytes` keeps a caller's register on the stack. That is the compiler's
/// doing: without it some callers would go wrong and most would not, and no line of source says so.
pub(super) fn saves_register(bytes: &[u8]) -> bool {
    match *bytes {
        // c.sdsp.
        [low, high] => {
            let half = u32::from(u16::from_le_bytes([low, high]));
            matches!((half & 3, half >> 13), (2, 7)) && is_preserved(half >> 2 & 0x1f)
        }
        // sd with the stack pointer as base.
        [a, b, c, d] => {
            let word = u32::from_le_bytes([a, b, c, d]);
            word & 0x707f == 0x3023
                && word >> 15 & 0x1f == STACK_POINTER
                && is_preserved(word >> 20 & 0x1f)
        }
        _ => false,
    }
}

/// Whether `bytes` is the second half of an address whose first half is `before`: `auipc` and
/// `addi`. It is no constant of the source, and its low bits are often cut off.
pub(super) fn ends_address(before: &[u8], bytes: &[u8]) -> bool {
    let word = |bytes: &[u8]| bytes.try_into().map(u32::from_le_bytes);
    match (word(before), word(bytes)) {
        (Ok(before), Ok(word)) => {
            before & 0x7f == 0x17
                && word & 0x707f == 0x13
                && before >> 7 & 0x1f == word >> 15 & 0x1f
        }
        _ => false,
    }
}

/// Length of the instruction that begins with this half-word, in bytes.
pub(super) fn length(first: u16) -> usize {
    if first & 3 == 3 { 4 } else { 2 }
}

/// Whether control may go elsewhere than to the next instruction.
pub(super) fn ends_block(bytes: &[u8]) -> bool {
    match *bytes {
        [low, high] => {
            let half = u16::from_le_bytes([low, high]);
            let jump_to_register = half & 0xe003 == 0x8002 && half >> 2 & 0x1f == 0;
            matches!((half & 3, half >> 13), (1, 5..=7)) || jump_to_register
        }
        [a, b, c, d] => {
            let word = u32::from_le_bytes([a, b, c, d]);
            // Branches, jumps, and system instructions, which may trap or return.
            matches!(word & 0x7f, 0x63 | 0x67 | 0x6f | 0x73)
        }
        _ => true,
    }
}

/// Where the branch in `bytes`, at `address`, goes if it is taken; `None` for anything else.
pub(super) fn branch_target(address: u64, bytes: &[u8]) -> Option<u64> {
    let offset = match *bytes {
        // Immediate of the CB format.
        [low, high] => {
            let half = u32::from(u16::from_le_bytes([low, high]));
            if !matches!((half & 3, half >> 13), (1, 6 | 7)) {
                return None;
            }
            let bits = (half >> 12 & 1) << 8
                | (half >> 5 & 3) << 6
                | (half >> 2 & 1) << 5
                | (half >> 10 & 3) << 3
                | (half >> 3 & 3) << 1;
            signed(bits, 9)
        }
        // Immediate of the B format.
        [a, b, c, d] => {
            let word = u32::from_le_bytes([a, b, c, d]);
            if word & 0x7f != 0x63 {
                return None;
            }
            let bits = (word >> 31) << 12
                | (word >> 7 & 1) << 11
                | (word >> 25 & 0x3f) << 5
                | (word >> 8 & 0xf) << 1;
            signed(bits, 13)
        }
        _ => return None,
    };
    Some(address.wrapping_add_signed(offset))
}

/// Where the call that begins with the instruction in `bytes`, at `address`, goes: `jal`, or
/// `auipc` with a `jalr` as `next`.
pub(super) fn call_target(address: u64, bytes: &[u8], next: &[u8]) -> Option<u64> {
    let word = u32::from_le_bytes(bytes.try_into().ok()?);
    match word & 0x7f {
        0x6f => {
            let bits = (word >> 31) << 20
                | (word >> 12 & 0xff) << 12
                | (word >> 20 & 1) << 11
                | (word >> 21 & 0x3ff) << 1;
            Some(address.wrapping_add_signed(signed(bits, 21)))
        }
        0x17 => {
            let jump = u32::from_le_bytes(next.try_into().ok()?);
            let through_same = jump & 0x7f == 0x67 && jump >> 15 & 0x1f == word >> 7 & 0x1f;
            let high = i64::from((word & 0xffff_f000) as i32);
            through_same.then(|| address.wrapping_add_signed(high + signed(jump >> 20, 12)))
        }
        _ => None,
    }
}

/// The number in the low `bits` bits, the top one of which is its sign.
fn signed(value: u32, bits: u32) -> i64 {
    i64::from((value << (32 - bits)) as i32 >> (32 - bits))
}

/// Every change of the instruction in `bytes` (2 or 4 of them): what it becomes.
pub(super) fn changes(bytes: &[u8]) -> Vec<(Operator, Vec<u8>)> {
    match *bytes {
        [low, high] => compressed(u16::from_le_bytes([low, high]))
            .into_iter()
            .map(|(operator, half)| (operator, half.to_le_bytes().to_vec()))
            .collect(),
        [a, b, c, d] => full(u32::from_le_bytes([a, b, c, d]))
            .into_iter()
            .map(|(operator, word)| (operator, word.to_le_bytes().to_vec()))
            .collect(),
        _ => Vec::new(),
    }
}

fn full(word: u32) -> Vec<(Operator, u32)> {
    let function = word >> 12 & 7;
    match word & 0x7f {
        // Branches: bit 0 of the function inverts, bit 1 tells signed from unsigned.
        0x63 => {
            let mut changes = vec![
                (Operator::BranchInverted, word ^ 1 << 12),
                (Operator::BranchDropped, NOP),
            ];
            if function >= 4 {
                changes.push((Operator::SignednessChanged, word ^ 2 << 12));
                // a < b becomes b >= a, and so on.
                changes.push((Operator::BoundaryMoved, swap_sources(word) ^ 1 << 12));
            }
            changes
        }
        0x23 => vec![(Operator::StoreDropped, NOP)],
        // addi, slti, sltiu, xori, ori, andi; not what moves the stack pointer.
        0x13 if !matches!(function, 1 | 5) && word >> 7 & 0x1f != STACK_POINTER => {
            let mut changes = immediate(word, 12);
            if matches!(function, 2 | 3) {
                changes.push((Operator::SignednessChanged, word ^ 1 << 12));
            }
            changes
        }
        // Shifts by a constant: six bits.
        0x13 if matches!(function, 1 | 5) => immediate(word, 6),
        // slt, sltu.
        0x33 if word >> 25 == 0 && matches!(function, 2 | 3) => {
            vec![(Operator::SignednessChanged, word ^ 1 << 12)]
        }
        0x73 if word >> 25 == 0b000_1001 && function == 0 => vec![(Operator::FenceDropped, NOP)],
        _ => Vec::new(),
    }
}

fn swap_sources(word: u32) -> u32 {
    let (first, second) = (word >> 15 & 0x1f, word >> 20 & 0x1f);
    word & !(0x3ff << 15) | second << 15 | first << 20
}

/// The constant in the top bits, `bits` of them from bit 20 on, one up and one down; those that
/// would wrap are left out.
fn immediate(word: u32, bits: u32) -> Vec<(Operator, u32)> {
    let field = (1_u32 << bits) - 1;
    let value = word >> 20 & field;
    // The largest and the smallest number: those with a sign have it in the top bit.
    let (largest, smallest) = match bits {
        12 => (field >> 1, (field >> 1) + 1),
        _ => (field, 0),
    };
    let with = |value: u32| word & !(field << 20) | (value & field) << 20;
    let mut changes = Vec::new();
    if value != largest {
        changes.push((Operator::ImmediateUp, with(value.wrapping_add(1))));
    }
    if value != smallest {
        changes.push((Operator::ImmediateDown, with(value.wrapping_sub(1))));
    }
    changes
}

fn compressed(half: u16) -> Vec<(Operator, u16)> {
    let destination = half >> 7 & 0x1f;
    match (half & 3, half >> 13) {
        // c.beqz, c.bnez.
        (1, 6 | 7) => vec![
            (Operator::BranchInverted, half ^ 1 << 13),
            (Operator::BranchDropped, COMPRESSED_NOP),
        ],
        // c.sw, c.sd; c.swsp, c.sdsp.
        (0 | 2, 6 | 7) => vec![(Operator::StoreDropped, COMPRESSED_NOP)],
        // c.addi, c.addiw, c.li; c.nop is c.addi to x0.
        (1, 0..=2) if destination != 0 && u32::from(destination) != STACK_POINTER => {
            compressed_immediate(half)
        }
        // c.andi.
        (1, 4) if half >> 10 & 3 == 2 => compressed_immediate(half),
        _ => Vec::new(),
    }
}

/// The six-bit signed constant in bits 12 and 6 to 2.
fn compressed_immediate(half: u16) -> Vec<(Operator, u16)> {
    let value = half >> 7 & 0x20 | half >> 2 & 0x1f;
    let with =
        |value: u16| half & !(1 << 12 | 0x1f << 2) | (value & 0x20) << 7 | (value & 0x1f) << 2;
    let mut changes = Vec::new();
    if value != 0x1f {
        changes.push((Operator::ImmediateUp, with(value.wrapping_add(1))));
    }
    if value != 0x20 {
        changes.push((Operator::ImmediateDown, with(value.wrapping_sub(1))));
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::{
        Operator, branch_target, call_target, changes, ends_address, ends_block, saves_register,
    };

    fn to(word: u32, operator: Operator) -> Option<u32> {
        changes(&word.to_le_bytes())
            .into_iter()
            .find(|(found, _)| *found == operator)
            .map(|(_, bytes)| u32::from_le_bytes(bytes.try_into().unwrap()))
    }

    fn to_half(half: u16, operator: Operator) -> Option<u16> {
        changes(&half.to_le_bytes())
            .into_iter()
            .find(|(found, _)| *found == operator)
            .map(|(_, bytes)| u16::from_le_bytes(bytes.try_into().unwrap()))
    }

    #[test]
    fn branches() {
        let bltu = 0x00b5_6463; // bltu a0, a1, +8
        assert_eq!(to(bltu, Operator::BranchInverted), Some(0x00b5_7463)); // bgeu a0, a1
        assert_eq!(to(bltu, Operator::BranchDropped), Some(0x13));
        assert_eq!(to(bltu, Operator::SignednessChanged), Some(0x00b5_4463)); // blt a0, a1
        assert_eq!(to(bltu, Operator::BoundaryMoved), Some(0x00a5_f463)); // bgeu a1, a0
        let beq = 0x00b5_0463;
        assert_eq!(to(beq, Operator::BranchInverted), Some(0x00b5_1463));
        assert_eq!(to(beq, Operator::BoundaryMoved), None);
    }

    #[test]
    fn what_the_compiler_adds_is_known() {
        let saves = |word: u32| saves_register(&word.to_le_bytes());
        assert!(saves(0x0081_3c23)); // sd s0, 24(sp)
        assert!(saves(0x0011_3423)); // sd ra, 8(sp)
        assert!(!saves(0x00b1_3423)); // sd a1, 8(sp)
        assert!(!saves(0x0085_3423)); // sd s0, 8(a0)
        assert!(saves_register(&0xe822_u16.to_le_bytes())); // c.sdsp s0, 16(sp)
        assert!(!saves_register(&0xe82a_u16.to_le_bytes())); // c.sdsp a0, 16(sp)
        let [auipc, addi] = [0x0000_0517_u32, 0x0085_0513].map(u32::to_le_bytes); // a0
        let other = 0x0085_8513_u32.to_le_bytes(); // addi a0, a1, 8
        assert!(ends_address(&auipc, &addi));
        assert!(!ends_address(&auipc, &other));
        assert!(!ends_address(&addi, &addi));
    }

    #[test]
    fn immediates() {
        let addi = 0x00c5_8513; // addi a0, a1, 12
        assert_eq!(to(addi, Operator::ImmediateUp), Some(0x00d5_8513));
        assert_eq!(to(addi, Operator::ImmediateDown), Some(0x00b5_8513));
        let minus_one = 0xfff5_8513; // addi a0, a1, -1
        assert_eq!(to(minus_one, Operator::ImmediateUp), Some(0x0005_8513));
        let smallest = 0x8005_8513; // addi a0, a1, -2048
        assert_eq!(to(smallest, Operator::ImmediateDown), None);
        let frame = 0xff01_0113; // addi sp, sp, -16
        assert!(changes(&u32::to_le_bytes(frame)).is_empty());
        let srli = 0x00c5_d513; // srli a0, a1, 12
        assert_eq!(to(srli, Operator::ImmediateUp), Some(0x00d5_d513));
        let srai = 0x43f5_d513; // srai a0, a1, 63
        assert_eq!(to(srai, Operator::ImmediateUp), None);
        assert_eq!(to(srai, Operator::ImmediateDown), Some(0x43e5_d513));
    }

    #[test]
    fn stores_and_fences() {
        assert_eq!(to(0x00b5_3023, Operator::StoreDropped), Some(0x13)); // sd a1, 0(a0)
        assert_eq!(to(0x1200_0073, Operator::FenceDropped), Some(0x13)); // sfence.vma
        assert_eq!(to(0x0000_0073, Operator::FenceDropped), None); // ecall
    }

    #[test]
    fn compressed_instructions() {
        assert_eq!(to_half(0xc101, Operator::BranchInverted), Some(0xe101)); // c.beqz a0
        assert_eq!(to_half(0xe10c, Operator::StoreDropped), Some(1)); // c.sd a1, 0(a0)
        assert_eq!(to_half(0x0505, Operator::ImmediateUp), Some(0x0509)); // c.addi a0, 1 to 2
        assert_eq!(to_half(0x557d, Operator::ImmediateUp), Some(0x4501)); // c.li a0, -1 to 0
        assert_eq!(to_half(0x157d, Operator::ImmediateDown), Some(0x1579)); // c.addi a0, -1 to -2
        assert!(changes(&0x1101_u16.to_le_bytes()).is_empty()); // c.addi sp, -32
        assert!(changes(&1_u16.to_le_bytes()).is_empty()); // c.nop
    }

    #[test]
    fn targets() {
        let bltu = 0x00b5_6463_u32.to_le_bytes(); // bltu a0, a1, +8
        assert_eq!(branch_target(0x1000, &bltu), Some(0x1008));
        let back = 0xfeb5_0ee3_u32.to_le_bytes(); // beq a0, a1, -4
        assert_eq!(branch_target(0x1000, &back), Some(0xffc));
        let compressed = 0xdd75_u16.to_le_bytes(); // c.beqz a0, -4
        assert_eq!(branch_target(0x1000, &compressed), Some(0xffc));
        let jal = 0xff5f_f0ef_u32.to_le_bytes(); // jal ra, -12
        assert_eq!(call_target(0x1000, &jal, &[]), Some(0xff4));
        let auipc = 0x0000_1097_u32.to_le_bytes(); // auipc ra, 1
        let jalr = 0xff80_80e7_u32.to_le_bytes(); // jalr ra, -8(ra)
        assert_eq!(call_target(0x1000, &auipc, &jalr), Some(0x1ff8));
    }

    #[test]
    fn ends_of_blocks() {
        assert!(ends_block(&0x8082_u16.to_le_bytes())); // ret
        assert!(ends_block(&0xc101_u16.to_le_bytes())); // c.beqz
        assert!(ends_block(&0x00b5_6463_u32.to_le_bytes())); // bltu
        assert!(!ends_block(&0x852e_u16.to_le_bytes())); // c.mv a0, a1
        assert!(!ends_block(&0x00c5_8513_u32.to_le_bytes())); // addi
    }
}
