//! RV64I: register and immediate arithmetic, and what a HINT is.

use crate::support::names;
use crate::support::rig;
use crate::support::table::check;

/// Operands at which arithmetic goes wrong.
pub(crate) const EDGES: [u64; 14] = [
    0,
    1,
    2,
    31,
    32,
    63,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x1_0000_0000,
    0x7fff_ffff_ffff_ffff,
    0x8000_0000_0000_0000,
    0xffff_ffff_8000_0000,
    u64::MAX,
];

/// Executes `name rd, rs1, rs2` for every pair of edge operands, and compares with `expected`;
/// also with the destination the same as either source, and with x0.
pub(crate) fn check_pairs(name: &str, expected: fn(u64, u64) -> u64) {
    let text =
        format!("{name} a0, a1, a2\n {name} a1, a1, a2\n {name} a2, a3, a2\n {name} zero, a3, a3");
    let base = rig::bench(&rig::config(), &text).snapshot();
    let mut machine = emulator::Machine::from_snapshot(&base);
    for first in EDGES {
        for second in EDGES {
            machine.set_pc(0, rig::CODE);
            for (register, value) in [("a1", first), ("a2", second), ("a3", first)] {
                rig::set_x(&mut machine, register, value);
            }
            let expected = expected(first, second);
            for destination in ["a0", "a1", "a2"] {
                rig::step(&mut machine);
                let seen = rig::x(&machine, destination);
                assert_eq!(
                    seen, expected,
                    "{name} {destination}: {first:#x}, {second:#x}: {seen:#x}, not {expected:#x}"
                );
            }
            rig::step(&mut machine);
            assert_eq!(rig::x(&machine, "zero"), 0, "{name}");
        }
    }
}

fn word(value: u64) -> u64 {
    value as i32 as u64
}

#[test]
fn register_arithmetic() {
    check_pairs("add", u64::wrapping_add);
    check_pairs("sub", u64::wrapping_sub);
    check_pairs("sll", |a, b| a << (b & 63));
    check_pairs("srl", |a, b| a >> (b & 63));
    check_pairs("sra", |a, b| ((a as i64) >> (b & 63)) as u64);
    check_pairs("slt", |a, b| u64::from((a as i64) < (b as i64)));
    check_pairs("sltu", |a, b| u64::from(a < b));
    check_pairs("xor", |a, b| a ^ b);
    check_pairs("or", |a, b| a | b);
    check_pairs("and", |a, b| a & b);
}

#[test]
fn word_arithmetic_ignores_the_upper_halves_and_extends_the_sign() {
    check_pairs("addw", |a, b| word(a.wrapping_add(b)));
    check_pairs("subw", |a, b| word(a.wrapping_sub(b)));
    check_pairs("sllw", |a, b| word(a << (b & 31)));
    check_pairs("srlw", |a, b| word(u64::from(a as u32 >> (b & 31))));
    check_pairs("sraw", |a, b| ((a as i32) >> (b & 31)) as u64);
}

/// Executes `name a0, a1, immediate` for edge operands.
fn check_immediates(name: &str, immediates: &[i64], expected: fn(u64, i64) -> u64) {
    for immediate in immediates {
        let base = rig::bench(&rig::config(), &format!("{name} a0, a1, {immediate}")).snapshot();
        let mut machine = emulator::Machine::from_snapshot(&base);
        for first in EDGES {
            machine.set_pc(0, rig::CODE);
            rig::set_x(&mut machine, "a1", first);
            rig::step(&mut machine);
            let (seen, expected) = (rig::x(&machine, "a0"), expected(first, *immediate));
            assert_eq!(
                seen, expected,
                "{name} a0, {first:#x}, {immediate}: {seen:#x}, not {expected:#x}"
            );
        }
    }
}

#[test]
fn immediate_arithmetic() {
    let immediates = [0, 1, -1, 2047, -2048, 0x555, -0x556];
    check_immediates("addi", &immediates, |a, b| a.wrapping_add(b as u64));
    check_immediates("slti", &immediates, |a, b| u64::from((a as i64) < b));
    check_immediates("sltiu", &immediates, |a, b| u64::from(a < b as u64));
    check_immediates("xori", &immediates, |a, b| a ^ b as u64);
    check_immediates("ori", &immediates, |a, b| a | b as u64);
    check_immediates("andi", &immediates, |a, b| a & b as u64);
    check_immediates("addiw", &immediates, |a, b| word(a.wrapping_add(b as u64)));
}

#[test]
fn immediate_shifts() {
    let all: Vec<i64> = (0..64).collect();
    check_immediates("slli", &all, |a, b| a << b);
    check_immediates("srli", &all, |a, b| a >> b);
    check_immediates("srai", &all, |a, b| ((a as i64) >> b) as u64);
    check_immediates("slliw", &all[..32], |a, b| word(a << b));
    check_immediates("srliw", &all[..32], |a, b| word(u64::from(a as u32 >> b)));
    check_immediates("sraiw", &all[..32], |a, b| ((a as i32) >> b) as u64);
}

#[test]
fn upper_immediates() {
    check(
        "
                     | lui a0, 0            => a0=0
                     | lui a0, 1            => a0=0x1000
                     | lui a0, 0x7ffff      => a0=0x7ffff000
                     | lui a0, 0x80000      => a0=0xffffffff80000000     # sign-extended
                     | lui a0, 0xfffff      => a0=-4096
                     | auipc a0, 0          => a0=code
                     | auipc a0, 1          => a0=code+0x1000
                     | auipc a0, 0x7ffff    => a0=0x100000000
                     | auipc a0, 0x80000    => a0=0x1000
                     | auipc a0, 0xfffff    => a0=code-0x1000
        ",
    );
}

/// Every register can be written and read, and none is another.
#[test]
fn every_register_is_itself() {
    for number in 1..32 {
        let name = names::REGISTERS[number];
        let text =
            format!("addi {name}, {name}, 1\n addi a0, {name}, 1\n add {name}, {name}, {name}");
        let mut machine = rig::bench(&rig::config(), &text);
        for other in 1..32 {
            machine.set_x(0, other, 1000 * other as u64);
        }
        rig::step(&mut machine);
        for other in 1..32 {
            let expected = 1000 * other as u64 + u64::from(other == number);
            assert_eq!(machine.x(0, other), expected, "addi {name}: x{other}");
        }
        rig::step(&mut machine);
        assert_eq!(rig::x(&machine, "a0"), 1000 * number as u64 + 2);
        let before = machine.x(0, number);
        rig::step(&mut machine);
        assert_eq!(machine.x(0, number), 2 * before);
    }
}

/// I:2.9: writes to x0 are dropped, whatever instruction makes them.
#[test]
fn x0_is_zero_for_every_instruction_that_could_write_it() {
    check(
        "
        a1=5 a2=7    | add zero, a1, a2     =>
        a1=5         | addi zero, a1, 1     =>
        a1=5         | xori zero, a1, 1     =>
        a1=5         | addiw zero, a1, 1    =>
        a1=5 a2=7    | mul zero, a1, a2     =>
        a1=5 a2=0    | div zero, a1, a2     =>
                     | lui zero, 5          =>
                     | auipc zero, 5        =>
                     | jal zero, code+8     => pc=code+8
        a1=code+12   | jalr zero, a1, 0     => pc=code+12
        a1=data      | ld zero, 0(a1)       =>
        a1=data d[0]=1 a2=4 | amoadd.d zero, a2, (a1) => d[0]=5
        a1=0         | csrrw zero, mscratch, a1 => mscratch=0
        a1=5         | add a0, zero, a1     => a0=5
        a1=5         | sub a0, zero, a1     => a0=-5
        ",
    );
}

/// I:2.9 and I:"HINT instructions": encodings that change nothing but `pc`.
#[test]
fn hints_change_nothing() {
    check(
        "
        | lui zero, 1           =>
        | auipc zero, 1         =>
        | addi zero, zero, 5    =>
        | addi zero, a0, 0      =>
        | slti zero, zero, 7    =>
        | slti zero, zero, -1   =>
        | sltiu zero, a0, 7     =>
        | ori zero, a0, 1       =>
        | slli zero, zero, 31   =>
        | srai zero, zero, 7    =>
        | add zero, zero, sp    =>
        | sltu zero, a0, a1     =>
        | sraw zero, a0, a1     =>
        | fence                 =>
        | fence.tso             =>
        | .word 0x0000000f      =>    # fence with empty sets
        | .word 0x8aa5800f      =>    # fence with reserved mode and registers
        | pause                 =>
        | c.nop                 =>
        | c.nop 5               =>
        | .half 0x0501          =>    # c.addi a0, 0
        | .half 0x4015          =>    # c.li zero, 5
        | .half 0x6005          =>    # c.lui zero, 1
        | .half 0x8006          =>    # c.mv zero, ra
        | .half 0x9006          =>    # c.add zero, ra
        | .half 0x0016          =>    # c.slli zero, 5
        | .half 0x0502          =>    # c.slli a0, 0
        | .half 0x8101          =>    # c.srli a0, 0
        | .half 0x8501          =>    # c.srai a0, 0
        mode=U | slti zero, zero, 7 =>
        ",
    );
}
