//! Variations: what a machine does otherwise when it is asked to, and what it does as always.

use super::fences::{execute, loader, page, store};
use super::translation::{entry, map};
use crate::support::assembler::assemble;
use crate::support::rig::{self, CODE, boot, config, run_to_end};
use emulator::{Machine, Privilege, Variations};

const V: u64 = 1 << 0;
const R: u64 = 1 << 1;
const W: u64 = 1 << 2;
const X: u64 = 1 << 3;
const A: u64 = 1 << 6;
const D: u64 = 1 << 7;

const ADDRESS: u64 = 0x1_2345_6000;
const LOAD_FAULT: u64 = 13;
const STORE_FAULT: u64 = 15;

/// Executes one instruction in S-mode at [`CODE`]; the cause of the exception if it traps.
fn try_in_supervisor(machine: &mut Machine, text: &str) -> Result<(), u64> {
    machine.write_physical(CODE, &assemble(0, text)).unwrap();
    machine.set_pc(0, CODE);
    machine.set_privilege(0, Privilege::Supervisor);
    rig::set_x(machine, "a1", ADDRESS);
    rig::step(machine);
    if machine.pc(0) == CODE + 4 {
        return Ok(());
    }
    Err(rig::csr(machine, "mcause"))
}

fn load(machine: &mut Machine) -> Result<(), u64> {
    try_in_supervisor(machine, "ld a0, 0(a1)")
}

fn store_there(machine: &mut Machine) -> Result<(), u64> {
    try_in_supervisor(machine, "sd a0, 0(a1)")
}

/// A machine that varies so, with a page mapped with these flags, and the address of its entry.
fn mapped(variations: Variations, flags: u64) -> (Machine, u64) {
    let mut machine = loader();
    map(&mut machine, CODE, CODE, V | R | X | A);
    map(&mut machine, ADDRESS, page(0), flags);
    let slot = entry(&mut machine, ADDRESS, 0);
    machine.vary(variations);
    (machine, slot)
}

fn keeping(keeps_permissions: bool, keeps_absences: bool) -> Variations {
    Variations {
        keeps_permissions,
        keeps_absences,
        ..Variations::default()
    }
}

/// II:4.2.1: rights that were added to an entry may be missing until a fence.
#[test]
fn added_rights_may_wait_for_a_fence() {
    for form in ["sfence.vma", "sfence.vma a1, zero", "sfence.vma zero, a5"] {
        for keeps in [false, true] {
            let (mut machine, slot) = mapped(keeping(keeps, false), V | R);
            rig::set_x(&mut machine, "a5", 0);
            assert_eq!(load(&mut machine), Ok(()));
            store(&mut machine, slot, page(0) >> 2 | V | R | W);
            let at_once = if keeps { Err(STORE_FAULT) } else { Ok(()) };
            assert_eq!(store_there(&mut machine), at_once, "{form}");
            execute(&mut machine, form);
            assert_eq!(store_there(&mut machine), Ok(()), "{form}");
        }
    }
}

/// The same, if nobody has used the entry with success: a refused access alone may leave it in the TLB.
#[test]
fn a_refused_access_may_keep_the_entry() {
    let (mut machine, slot) = mapped(keeping(true, false), V | R);
    assert_eq!(store_there(&mut machine), Err(STORE_FAULT));
    store(&mut machine, slot, page(0) >> 2 | V | R | W);
    assert_eq!(store_there(&mut machine), Err(STORE_FAULT));
    execute(&mut machine, "sfence.vma");
    assert_eq!(store_there(&mut machine), Ok(()));
}

/// A fence of another page or another address space leaves the entry where it is.
#[test]
fn a_fence_of_something_else_keeps_the_entry() {
    let (mut machine, slot) = mapped(keeping(true, true), V | R);
    assert_eq!(load(&mut machine), Ok(()));
    store(&mut machine, slot, page(0) >> 2 | V | R | W);
    rig::set_x(&mut machine, "a4", ADDRESS + 0x1000);
    rig::set_x(&mut machine, "a5", 7);
    for form in ["sfence.vma a4, zero", "sfence.vma zero, a5"] {
        execute(&mut machine, form);
        assert_eq!(store_there(&mut machine), Err(STORE_FAULT), "{form}");
    }
}

/// II:4.2.1: that there was no valid entry may be remembered until a fence.
#[test]
fn absence_may_be_remembered() {
    for keeps in [false, true] {
        let (mut machine, slot) = mapped(keeping(false, keeps), 0);
        assert_eq!(load(&mut machine), Err(LOAD_FAULT));
        store(&mut machine, slot, page(0) >> 2 | V | R);
        let at_once = if keeps { Err(LOAD_FAULT) } else { Ok(()) };
        assert_eq!(load(&mut machine), at_once);
        execute(&mut machine, "sfence.vma a1, zero");
        assert_eq!(load(&mut machine), Ok(()));
    }
}

/// Before D is set, the entry in memory is looked at again: a right that was taken away is gone.
#[test]
fn setting_a_bit_looks_at_the_entry_again() {
    let (mut machine, slot) = mapped(keeping(true, true), V | R | W);
    assert_eq!(load(&mut machine), Ok(()));
    store(&mut machine, slot, page(0) >> 2 | V | R | A);
    assert_eq!(store_there(&mut machine), Err(STORE_FAULT));
}

/// Svade: an access that would have to set A or D faults, and sets nothing.
#[test]
fn accessed_and_dirty_may_fault() {
    let leaving = Variations {
        leaves_bits: true,
        ..Variations::default()
    };
    for (flags, loads, stores) in [
        (V | R | W, Err(LOAD_FAULT), Err(STORE_FAULT)),
        (V | R | W | D, Err(LOAD_FAULT), Err(STORE_FAULT)),
        (V | R | W | A, Ok(()), Err(STORE_FAULT)),
        (V | R | W | A | D, Ok(()), Ok(())),
    ] {
        let (mut machine, slot) = mapped(leaving, flags);
        let before = rig::read(&machine, slot);
        assert_eq!(load(&mut machine), loads, "{flags:#x}");
        assert_eq!(store_there(&mut machine), stores, "{flags:#x}");
        assert_eq!(rig::read(&machine, slot), before, "{flags:#x}");
        // As soon as the bits are set, the access goes through.
        store(&mut machine, slot, page(0) >> 2 | V | R | W | A | D);
        assert_eq!(store_there(&mut machine), Ok(()), "{flags:#x}");
    }
}

/// Calls a function, overwrites its first instruction, and calls it again, with and without `fence.i`.
fn patched_and_called(fence: &str, varied: bool) -> u64 {
    let text = format!(
        "
        la s2, function
        jal ra, function
        li t0, 0x00200513       # addi a0, zero, 2
        sw t0, 0(s2)
        {fence}
        jal ra, function
        {FINISH}
        .align 4096
        function:
        addi a0, zero, 1
        ret
        ",
        FINISH = rig::FINISH
    );
    let mut machine = boot(&config(), &text);
    machine.vary(Variations {
        keeps_code: varied,
        ..Variations::default()
    });
    assert_eq!(run_to_end(&mut machine, 10_000), 0);
    rig::x(&machine, "a0")
}

/// I:Zifencei: old instructions may be executed until `fence.i`.
#[test]
fn old_code_may_run_until_fence_i() {
    assert_eq!(patched_and_called("nop", false), 2);
    assert_eq!(patched_and_called("fence.i", false), 2);
    assert_eq!(patched_and_called("nop", true), 1);
    assert_eq!(patched_and_called("fence.i", true), 2);
}

/// Loads see what was stored, whatever is executed.
#[test]
fn old_code_is_not_what_loads_see() {
    assert_eq!(
        patched_and_called("lw s3, 0(s2)\n fence.i\n bne s3, t0, 0", true),
        2
    );
}

/// Each hart executes its own `fence.i`.
#[test]
fn a_fence_i_is_for_its_own_hart() {
    let text = "addi a0, zero, 1\n ret";
    let mut config = config();
    config.harts = 2;
    let mut machine = rig::bench(&config, text);
    machine.vary(Variations {
        keeps_code: true,
        ..Variations::default()
    });
    let call = |machine: &mut Machine, hart: usize| {
        machine.set_pc(hart, CODE);
        machine.run_hart(hart, 1);
        machine.x(hart, 10)
    };
    assert_eq!([call(&mut machine, 0), call(&mut machine, 1)], [1, 1]);
    machine
        .write_physical(CODE, &assemble(0, "addi a0, zero, 2"))
        .unwrap();
    assert_eq!([call(&mut machine, 0), call(&mut machine, 1)], [1, 1]);
    execute(&mut machine, "fence.i");
    assert_eq!([call(&mut machine, 0), call(&mut machine, 1)], [2, 1]);
    // What the other hart sees is older still after another change.
    machine
        .write_physical(CODE, &assemble(0, "addi a0, zero, 3"))
        .unwrap();
    assert_eq!([call(&mut machine, 0), call(&mut machine, 1)], [2, 1]);
}

const FIRST: u64 = rig::DATA;
const SECOND: u64 = rig::DATA + 64;

/// Two harts, of which the first has stored 1 to [`FIRST`] and to [`SECOND`], as `text` does after its first store.
fn stored(text: &str, delays_stores: bool) -> Machine {
    let mut config = config();
    config.harts = 2;
    let mut machine = rig::bench(&config, &format!("sd a2, 0(a3)\n {text}"));
    machine.vary(Variations {
        delays_stores,
        ..Variations::default()
    });
    for hart in 0..2 {
        machine.set_x(hart, 12, 1);
        machine.set_x(hart, 13, FIRST);
        machine.set_x(hart, 14, SECOND);
    }
    machine.set_pc(0, CODE);
    let steps = assemble(0, text).len() as u64 / 4;
    machine.run_hart(0, 1 + steps);
    machine
}

/// What a hart loads from the two places.
fn seen_by(machine: &mut Machine, hart: usize) -> [u64; 2] {
    const LOADS: u64 = rig::RAM + 0x7000;
    let loads = assemble(0, "ld a0, 0(a3)\n ld a1, 0(a4)");
    machine.write_physical(LOADS, &loads).unwrap();
    machine.set_pc(hart, LOADS);
    machine.run_hart(hart, 2);
    [machine.x(hart, 10), machine.x(hart, 11)]
}

/// I:RVWMO: without a fence, another hart may see a later store before an earlier one; the hart itself sees both.
#[test]
fn stores_may_be_seen_late_and_out_of_order() {
    let mut machine = stored("sd a2, 0(a4)", true);
    assert_eq!(seen_by(&mut machine, 1), [0, 1]);
    assert_eq!(seen_by(&mut machine, 0), [1, 1]);
    // Nothing waits for ever.
    assert_eq!(seen_by(&mut machine, 1), [1, 1]);
    let mut machine = stored("sd a2, 0(a4)", false);
    assert_eq!(seen_by(&mut machine, 1), [1, 1]);
}

/// A fence before the later store, or a later store that is atomic, keeps them in order.
#[test]
fn fences_and_atomic_operations_order_stores() {
    for text in [
        "fence\n sd a2, 0(a4)",
        "fence.tso\n sd a2, 0(a4)",
        "amoadd.d a0, a2, (a4)",
        "lr.d a0, (a4)\n sc.d a0, a2, (a4)",
    ] {
        let mut machine = stored(text, true);
        assert_eq!(seen_by(&mut machine, 1), [1, 1], "{text}");
    }
}

/// What another hart stores meanwhile comes before a store that was not seen yet.
#[test]
fn a_late_store_comes_after_what_was_seen_before_it() {
    let mut machine = stored("sd a2, 0(a4)", true);
    // The other hart stores 5 to the first place.
    machine.set_x(1, 12, 5);
    machine.set_pc(1, CODE);
    machine.run_hart(1, 1);
    assert_eq!(seen_by(&mut machine, 1), [5, 1]);
    assert_eq!(seen_by(&mut machine, 0), [1, 1]);
    assert_eq!(seen_by(&mut machine, 1), [1, 1]);
}

/// A reset goes back to a machine without variations, and nothing of what was kept is left.
#[test]
fn a_reset_ends_variations() {
    let all = Variations {
        keeps_permissions: true,
        keeps_absences: true,
        keeps_code: true,
        leaves_bits: true,
        delays_stores: true,
    };
    let (mut machine, slot) = mapped(Variations::default(), V | R);
    machine.snapshot();
    for _ in 0..2 {
        machine.vary(all);
        assert_eq!(machine.variations(), all);
        assert_eq!(store_there(&mut machine), Err(STORE_FAULT));
        machine.reset();
        assert_eq!(machine.variations(), Variations::default());
        store(&mut machine, slot, page(0) >> 2 | V | R | W);
        assert_eq!(store_there(&mut machine), Ok(()));
        machine.reset();
    }
}
