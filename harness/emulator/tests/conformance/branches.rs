//! Branches and jumps: conditions, targets and links.

use super::integer::EDGES;
use crate::support::rig;
use crate::support::table::check;

fn check_branch(name: &str, taken: fn(u64, u64) -> bool) {
    let base = rig::bench(&rig::config(), &format!("{name} a1, a2, 64")).snapshot();
    let mut machine = emulator::Machine::from_snapshot(&base);
    for first in EDGES {
        for second in EDGES {
            machine.set_pc(0, rig::CODE);
            rig::set_x(&mut machine, "a1", first);
            rig::set_x(&mut machine, "a2", second);
            rig::step(&mut machine);
            let expected = rig::CODE + if taken(first, second) { 64 } else { 4 };
            assert_eq!(machine.pc(0), expected, "{name} {first:#x}, {second:#x}");
        }
    }
}

#[test]
fn conditions() {
    check_branch("beq", |a, b| a == b);
    check_branch("bne", |a, b| a != b);
    check_branch("blt", |a, b| (a as i64) < (b as i64));
    check_branch("bge", |a, b| (a as i64) >= (b as i64));
    check_branch("bltu", |a, b| a < b);
    check_branch("bgeu", |a, b| a >= b);
}

#[test]
fn targets() {
    check(
        "
        a1=1 a2=1     | beq a1, a2, 4094     => pc=code+4094
        a1=1 a2=1     | beq a1, a2, -4096    => pc=code-4096
        a1=1 a2=1     | beq a1, a2, 2        => pc=code+2
        a1=1 a2=2     | bne a1, a2, -2       => pc=code-2
                      | jal ra, 0xffffe      => pc=code+0xffffe ra=next
                      | jal ra, -0x100000    => pc=code-0x100000 ra=next
                      | jal t0, 2            => pc=code+2 t0=next
        a1=code       | jalr ra, a1, 2047    => pc=code+2046 ra=next   # the lowest bit is cleared
        a1=code       | jalr ra, a1, -2048   => pc=code-2048 ra=next
        a1=code+0x101 | jalr ra, a1, 0       => pc=code+0x100 ra=next
        ra=code+0x100 | jalr ra, ra, 0       => pc=code+0x100 ra=next  # the old value is the target
        a1=-8         | jalr ra, a1, 0       => pc=-8 ra=next
        ",
    );
}
