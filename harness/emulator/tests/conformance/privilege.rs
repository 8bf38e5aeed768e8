//! What each mode may do, and the switches by which a mode forbids the next one things.

use crate::support::rig;
use crate::support::table::check;
use emulator::Privilege;

/// A mode by its letter.
pub(crate) fn mode(letter: &str) -> Privilege {
    match letter {
        "U" => Privilege::User,
        "S" => Privilege::Supervisor,
        _ => Privilege::Machine,
    }
}

/// II:3.1.6.5: TVM traps `satp` and `sfence.vma` in S-mode, TW traps `wfi`, TSR traps `sret`.
#[test]
fn virtualisation_switches() {
    check(
        "
        mode=S mstatus=0x100000 | csrr a0, satp      => mtrap=2,0x18002573
        mode=S mstatus=0x100000 | csrw satp, zero    => mtrap=2,0x18001073
        mode=S mstatus=0x100000 | sfence.vma         => mtrap=2,0x12000073
        mode=M mstatus=0x100000 | sfence.vma         =>
        mode=M mstatus=0x100000 satp=0 | csrr a0, satp => a0=0
        mode=S mstatus=0        | sfence.vma         =>
        mode=S mstatus=0        | sfence.vma a0, a1  =>
        mode=U mstatus=0        | sfence.vma         => mtrap=2,0x12000073
        mode=S mstatus=0x400000 | sret               => mtrap=2,0x10200073
        mode=M mstatus=0x400020 sepc=code+64 | sret  => mode=U pc=code+64 mstatus=0xa00400022
        mode=S mstatus=0x200000 | wfi                => mtrap=2,0x10500073
        mode=U mstatus=0x200000 | wfi                => mtrap=2,0x10500073
        mode=M mstatus=0x200000 mie=2 mip=2 | wfi    =>
        mode=S mstatus=0 mie=2 mip=2 mideleg=2 | wfi =>
        ",
    );
}

/// II:3.1.6.3: with MPRV, M-mode loads and stores with the rights of the mode in MPP; fetches do not.
#[test]
fn mprv_lends_the_rights_of_another_mode() {
    // One page table: DATA is mapped for the supervisor only, at its own address.
    let mut machine = rig::bench(&rig::config(), "lw a0, 0(a1)");
    super::translation::map(
        &mut machine,
        rig::DATA,
        rig::DATA,
        super::translation::READ_WRITE,
    );
    rig::set_x(&mut machine, "a1", rig::DATA);
    rig::set_csr(&mut machine, "satp", super::translation::SATP);
    for (mpp, mprv, cause) in [(3, 1, None), (1, 1, None), (0, 1, Some(13)), (0, 0, None)] {
        machine.set_pc(0, rig::CODE);
        machine.set_privilege(0, Privilege::Machine);
        rig::set_csr(&mut machine, "mcause", 0);
        rig::set_csr(&mut machine, "mstatus", mpp << 11 | mprv << 17);
        rig::step(&mut machine);
        match cause {
            None => assert_eq!(machine.pc(0), rig::CODE + 4, "MPP={mpp} MPRV={mprv}"),
            Some(cause) => assert_eq!(rig::csr(&machine, "mcause"), cause, "MPP={mpp} MPRV={mprv}"),
        }
    }
    // An address that only translation knows.
    super::translation::map(
        &mut machine,
        0x4000,
        rig::DATA,
        super::translation::READ_WRITE,
    );
    rig::write(&mut machine, rig::DATA, 0x77);
    rig::set_x(&mut machine, "a1", 0x4000);
    rig::set_csr(&mut machine, "mstatus", 1 << 11 | 1 << 17);
    machine.set_privilege(0, Privilege::Machine);
    machine.set_pc(0, rig::CODE);
    rig::step(&mut machine);
    assert_eq!(
        (machine.pc(0), rig::x(&machine, "a0")),
        (rig::CODE + 4, 0x77)
    );
}

/// II:3.3.3: with S-mode implemented, `wfi` in U-mode is illegal unless it ends in bounded time.
#[test]
fn a_user_may_not_wait() {
    check("mode=U | wfi => mtrap=2,0x10500073");
    let mut machine = rig::bench(&rig::config(), "wfi");
    machine.set_privilege(0, Privilege::Supervisor);
    assert_eq!(machine.run(100), emulator::Exit::Idle, "the supervisor may");
}
