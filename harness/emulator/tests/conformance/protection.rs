//! Physical memory protection: the registers, and what S-mode may then touch. The machine's regions
//! have a grain of one page.

use crate::support::rig::{self, CODE, DATA};
use emulator::{Machine, Privilege};

const READ: u64 = 1;
const WRITE: u64 = 2;
const EXECUTE: u64 = 4;
const TOP_OF_RANGE: u64 = 1 << 3;
const POWER_OF_TWO: u64 = 3 << 3;
const LOCK: u64 = 1 << 7;

/// The cause of the trap that one instruction, working on the data page, ends in.
fn cause(machine: &mut Machine, text: &str, privilege: Privilege) -> Option<u64> {
    machine
        .write_physical(CODE, &crate::support::assembler::assemble(0, text))
        .unwrap();
    machine.set_pc(0, CODE);
    machine.set_privilege(0, privilege);
    rig::set_x(machine, "a1", DATA);
    rig::step(machine);
    (machine.pc(0) == rig::MTVEC).then(|| rig::csr(machine, "mcause"))
}

/// A machine with the data page as region 0 and everything as region 1.
fn protected(rights: u64) -> Machine {
    let mut machine = rig::bench(&rig::config(), "nop");
    rig::set_csr(&mut machine, "pmpaddr0", DATA >> 2 | 0x1ff);
    rig::set_csr(&mut machine, "pmpaddr1", u64::MAX);
    let all = POWER_OF_TWO | READ | WRITE | EXECUTE;
    rig::set_csr(&mut machine, "pmpcfg0", all << 8 | POWER_OF_TWO | rights);
    machine
}

/// II:3.7.1: the first region that matches decides, for S and U mode.
#[test]
fn regions_decide_what_lesser_modes_touch() {
    for privilege in [Privilege::Supervisor, Privilege::User] {
        for rights in [
            0,
            READ,
            READ | WRITE,
            EXECUTE,
            READ | EXECUTE,
            READ | WRITE | EXECUTE,
        ] {
            let mut machine = protected(rights);
            let what = format!("{privilege:?} with rights {rights}");
            let expect = |right: u64, fault: u64| (rights & right == 0).then_some(fault);
            assert_eq!(
                cause(&mut machine, "lb a0, 8(a1)", privilege),
                expect(READ, 5),
                "{what}"
            );
            assert_eq!(
                cause(&mut machine, "sb a0, 8(a1)", privilege),
                expect(WRITE, 7),
                "{what}"
            );
            machine.write_physical(DATA, &[1, 0]).unwrap();
            assert_eq!(
                cause(&mut machine, "jalr zero, a1, 0", privilege),
                None,
                "{what}"
            );
            rig::step(&mut machine);
            assert_eq!(
                (machine.pc(0) == rig::MTVEC).then(|| rig::csr(&machine, "mcause")),
                expect(EXECUTE, 1),
                "{what}"
            );
        }
    }
}

/// M-mode is bound only by locked regions, and nothing but a reset unlocks them.
#[test]
fn locked_regions_bind_machine_mode() {
    let mut machine = protected(READ);
    assert_eq!(
        cause(&mut machine, "sb a0, 0(a1)", Privilege::Machine),
        None
    );
    let mut machine = protected(READ | LOCK);
    assert_eq!(
        cause(&mut machine, "sb a0, 0(a1)", Privilege::Machine),
        Some(7)
    );
    assert_eq!(
        cause(&mut machine, "lb a0, 0(a1)", Privilege::Machine),
        None
    );
    let (config, address) = (
        rig::csr(&machine, "pmpcfg0"),
        rig::csr(&machine, "pmpaddr0"),
    );
    rig::set_csr(&mut machine, "pmpcfg0", 0);
    rig::set_csr(&mut machine, "pmpaddr0", 0);
    assert_eq!(
        (
            rig::csr(&machine, "pmpcfg0") & 0xff,
            rig::csr(&machine, "pmpaddr0")
        ),
        (config & 0xff, address)
    );
}

/// The setting of every xv6: one region from zero to the top.
#[test]
fn the_top_of_range_covers_everything() {
    let mut machine = rig::bench(&rig::config(), "nop");
    rig::set_csr(&mut machine, "pmpcfg0", 0);
    rig::set_csr(&mut machine, "pmpaddr0", 0x3f_ffff_ffff_ffff);
    rig::set_csr(
        &mut machine,
        "pmpcfg0",
        TOP_OF_RANGE | READ | WRITE | EXECUTE,
    );
    assert_eq!(
        cause(&mut machine, "sb a0, 0(a1)", Privilege::Supervisor),
        None
    );
    rig::set_csr(&mut machine, "pmpaddr0", CODE >> 2);
    assert_eq!(
        cause(&mut machine, "nop", Privilege::Supervisor),
        Some(1),
        "the code is above the top"
    );
}

/// A page table in protected memory cannot be walked: an access fault of the original kind.
#[test]
fn the_walk_is_protected_too() {
    let mut machine = rig::bench(&rig::config(), "nop");
    super::translation::map(&mut machine, CODE, CODE, 0xf);
    super::translation::map(&mut machine, 0x5000, DATA, 0xf);
    rig::set_csr(&mut machine, "satp", super::translation::SATP);
    rig::set_x(&mut machine, "a2", 0x5000);
    assert_eq!(
        cause(&mut machine, "lb a0, 0(a2)", Privilege::Supervisor),
        None
    );
    rig::set_csr(&mut machine, "pmpcfg0", 0);
    rig::set_csr(&mut machine, "pmpaddr0", rig::TABLES >> 2 | 0x1ffff);
    rig::set_csr(&mut machine, "pmpaddr1", u64::MAX);
    rig::set_csr(
        &mut machine,
        "pmpcfg0",
        (POWER_OF_TWO | READ | WRITE | EXECUTE) << 8 | POWER_OF_TWO,
    );
    super::translation::fence(&mut machine);
    assert_eq!(
        cause(&mut machine, "lb a0, 0(a2)", Privilege::Supervisor),
        Some(1),
        "its code cannot be translated"
    );
}

/// II:3.7.1: what the registers keep. `W` without `R` is reserved; the grain hides low address bits.
#[test]
fn registers_are_legalised() {
    let mut machine = rig::bench(&rig::config(), "nop");
    rig::set_csr(&mut machine, "pmpcfg0", 0);
    rig::set_csr(&mut machine, "pmpaddr3", u64::MAX);
    assert_eq!(
        rig::csr(&machine, "pmpaddr3") >> 54,
        0,
        "56-bit addresses, in words"
    );
    for config in 0..256_u64 {
        rig::set_csr(&mut machine, "pmpcfg2", config);
        let kept = rig::csr(&machine, "pmpcfg2");
        assert_ne!(kept & (READ | WRITE), WRITE, "{config:#x}");
        assert_eq!(kept & 0x60, 0, "{config:#x}");
        if config & LOCK == 0 && config & (READ | WRITE) != WRITE && config & 0x18 != 0x10 {
            assert_eq!(kept, config & !0x60);
        }
        if kept & LOCK != 0 {
            break;
        }
    }
    let mut machine = rig::bench(&rig::config(), ".word 0x3a102573");
    assert_eq!(machine.csr(0, 0x3a1), None, "on RV64 there is no pmpcfg1");
    rig::step(&mut machine);
    assert_eq!(rig::csr(&machine, "mcause"), 2);
}
