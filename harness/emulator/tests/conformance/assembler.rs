//! The tests' own assembler: what `li` becomes. The tests of target `differential` compare the rest with
//! GNU's assembler.

use crate::support::assembler::assemble;

#[test]
fn constants_are_loaded_by_addi_lui_and_shifts() {
    // Interpreted here, so that the machine under test has no part in it.
    for value in [
        0,
        1,
        -1,
        2047,
        2048,
        -2048,
        -2049,
        0x7fff_ffff,
        -0x8000_0000,
        0x8000_0000,
        0xffff_ffff,
        0x7fff_f800,
        0x1234_5678_9abc_def0,
        i64::MAX,
        i64::MIN,
        0x8000_0000_0000_0fff_u64 as i64,
        0x3f_ffff_ffff_ffff,
    ] {
        let code = assemble(0, &format!("li a0, {value}"));
        let mut register = 0_i64;
        for word in code.chunks(4) {
            let word = u32::from_le_bytes(word.try_into().expect("whole words"));
            let immediate = i64::from(word as i32 >> 20);
            let from = if word >> 15 & 31 == 0 { 0 } else { register };
            register = match (word & 0x7f, word >> 12 & 7) {
                (0x13, 0) => from.wrapping_add(immediate),
                (0x1b, 0) => i64::from(from.wrapping_add(immediate) as i32),
                (0x13, 1) => from << (word >> 20 & 63),
                (0x37, _) => i64::from((word & 0xffff_f000) as i32),
                other => panic!("{other:x?}"),
            };
        }
        assert_eq!(register, value, "li {value:#x}");
    }
}
