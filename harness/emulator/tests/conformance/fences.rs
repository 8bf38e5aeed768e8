//! Changes of what the machine has cached: code that is rewritten, pages that are mapped elsewhere, and
//! the fences that make them visible.

use super::translation::{SATP, entry, fence, map};
use crate::support::assembler::assemble;
use crate::support::rig::{self, CODE, boot, boot_with_disk, config, run_to_end};
use emulator::{Config, Machine, Privilege};

const V: u64 = 1 << 0;
const R: u64 = 1 << 1;
const W: u64 = 1 << 2;
const X: u64 = 1 << 3;

/// A loop calls a function, patches one of its instructions, fences, and calls it again.
#[test]
fn rewritten_code_runs_after_fence_i() {
    let text = format!(
        "
        li s0, 0                # sum
        li s1, 100              # rounds
        la s2, patched
        li s3, 0x00150513       # addi a0, a0, 1
        again:
        li a0, 0
        jal ra, function
        add s0, s0, a0
        li t0, 0x00100000       # the immediate grows by one
        add s3, s3, t0
        sw s3, 0(s2)
        fence.i
        addi s1, s1, -1
        bnez s1, again
        {FINISH}
        function:
        nop
        patched:
        addi a0, a0, 1
        ret
        ",
        FINISH = rig::FINISH
    );
    let mut machine = boot(&config(), &text);
    assert_eq!(run_to_end(&mut machine, 10_000), 0);
    assert_eq!(rig::x(&machine, "s0"), (1..=100).sum::<u64>());
}

/// The instruction right after `fence.i`, on the same page, is fetched anew.
#[test]
fn fence_i_takes_effect_at_the_next_instruction() {
    let text = "la t0, target\n lw t1, 0(t0)\n xori t1, t1, 0\n sw a1, 0(t0)\n fence.i\n target: addi a0, zero, 1\n nop";
    let mut machine = rig::bench(&config(), text);
    let replacement = u32::from_le_bytes(assemble(0, "addi a0, zero, 2").try_into().unwrap());
    rig::set_x(&mut machine, "a1", replacement.into());
    for _ in 0..7 {
        rig::step(&mut machine);
    }
    assert_eq!(rig::x(&machine, "a0"), 2);
}

/// Code written where none has run, byte by byte, and jumped to after a fence; many times over the
/// same place.
#[test]
fn freshly_written_code_runs() {
    let mut machine = rig::bench(&config(), "sw a1, 0(a2)\n fence.i\n jalr ra, a2, 0");
    for number in 0..200_u32 {
        let at = rig::RAM + 0x9000 + u64::from(number % 3) * 2;
        let word = u32::from_le_bytes(
            assemble(0, &format!("addi a0, zero, {number}"))
                .try_into()
                .unwrap(),
        );
        rig::set_x(&mut machine, "a1", word.into());
        rig::set_x(&mut machine, "a2", at);
        machine.set_pc(0, CODE);
        for _ in 0..4 {
            rig::step(&mut machine);
        }
        assert_eq!(
            (rig::x(&machine, "a0"), machine.pc(0)),
            (number.into(), at + 4)
        );
    }
}

/// Memory written from outside, as a debugger or the harness does, is executed as it now is.
#[test]
fn code_written_from_outside_runs() {
    let mut machine = rig::bench(&config(), "addi a0, a0, 1\n j -4");
    rig::set_x(&mut machine, "a0", 0);
    assert_eq!(machine.run(1000), emulator::Exit::Budget);
    assert_eq!(rig::x(&machine, "a0"), 500);
    machine
        .write_physical(CODE, &assemble(0, "addi a0, a0, 2"))
        .unwrap();
    assert_eq!(machine.run(1000), emulator::Exit::Budget);
    assert_eq!(rig::x(&machine, "a0"), 1500);
}

/// A function is run, then overwritten by the disk, then run again.
#[test]
fn code_read_from_the_disk_runs() {
    let text = format!(
        "
        la s0, page
        jalr ra, s0, 0          # the old function: a0 = 1
        mv s1, a0
        li s2, 0x10001000       # the disk, modern layout
        li t0, 11
        sw t0, 0x70(s2)
        li t0, 8
        sw t0, 0x38(s2)
        la t0, descriptors
        sw t0, 0x80(s2)
        la t0, available
        sw t0, 0x90(s2)
        la t0, used
        sw t0, 0xa0(s2)
        li t0, 1
        sw t0, 0x44(s2)
        li t0, 15
        sw t0, 0x70(s2)
        la t0, descriptors
        la t1, header
        sd t1, 0(t0)
        sd s0, 16(t0)
        la t1, status
        sd t1, 32(t0)
        sw zero, 0x50(s2)       # read sector 0 over the page
        la t1, status
        lb s3, 0(t1)
        fence.i
        jalr ra, s0, 0          # the new one: a0 = 2
        {FINISH}
        .align 4096
        page:
        addi a0, zero, 1
        ret
        .align 4096
        descriptors:
        .dword 0
        .word 16
        .half 1, 1
        .dword 0
        .word 512
        .half 3, 2
        .dword 0
        .word 1
        .half 2, 0
        .align 4096
        available:
        .half 0, 1, 0
        .align 4096
        used:
        .zero 128
        header:
        .word 0, 0
        .dword 0
        status:
        .byte 0xff
        ",
        FINISH = rig::FINISH
    );
    let mut sector = assemble(0, "addi a0, zero, 2\n ret");
    sector.resize(512, 0);
    let mut machine = boot_with_disk(&config(), &text, sector);
    assert_eq!(run_to_end(&mut machine, 1000), 0);
    assert_eq!(
        ["s1", "s3", "a0"].map(|name| rig::x(&machine, name)),
        [1, 0, 2]
    );
}

/// A machine in S-mode whose code page is mapped, ready to load from `a1`.
pub(crate) fn loader() -> Machine {
    let mut machine = rig::bench(&config(), "ld a0, 0(a1)");
    map(&mut machine, CODE, CODE, V | R | X);
    rig::set_csr(&mut machine, "satp", SATP);
    for page in 0..4 {
        rig::write(&mut machine, rig::RAM + 0x8000 + 0x1000 * page, 100 + page);
    }
    machine
}

pub(crate) fn page(number: u64) -> u64 {
    rig::RAM + 0x8000 + 0x1000 * number
}

/// The value at a virtual address, or the cause of the fault.
fn load(machine: &mut Machine, address: u64) -> Result<u64, u64> {
    machine.set_pc(0, CODE);
    machine.set_privilege(0, Privilege::Supervisor);
    rig::set_x(machine, "a1", address);
    rig::step(machine);
    if machine.pc(0) == CODE + 4 {
        Ok(rig::x(machine, "a0"))
    } else {
        Err(rig::csr(machine, "mcause"))
    }
}

/// Stores to memory by an instruction of the guest in M-mode, as a kernel writes its page tables.
pub(crate) fn store(machine: &mut Machine, address: u64, value: u64) {
    const STORE: u64 = rig::RAM + 0x6000;
    machine
        .write_physical(STORE, &assemble(0, "sd a2, 0(a3)"))
        .unwrap();
    machine.set_pc(0, STORE);
    machine.set_privilege(0, Privilege::Machine);
    rig::set_x(machine, "a2", value);
    rig::set_x(machine, "a3", address);
    rig::step(machine);
}

/// Executes one instruction in M-mode.
pub(crate) fn execute(machine: &mut Machine, text: &str) {
    const PLACE: u64 = rig::RAM + 0x7000;
    machine.write_physical(PLACE, &assemble(0, text)).unwrap();
    machine.set_pc(0, PLACE);
    machine.set_privilege(0, Privilege::Machine);
    rig::step(machine);
}

/// II:4.2.1: every form of the fence that covers a page makes its new entry visible.
#[test]
fn every_form_of_sfence_vma_makes_a_new_entry_visible() {
    let address = 0x1_2345_6000;
    for form in [
        "sfence.vma",
        "sfence.vma a4, zero",
        "sfence.vma zero, a5",
        "sfence.vma a4, a5",
    ] {
        let mut machine = loader();
        map(&mut machine, address, page(0), V | R | W);
        let slot = entry(&mut machine, address, 0);
        rig::set_x(&mut machine, "a4", address + 0x123);
        rig::set_x(&mut machine, "a5", 0);
        assert_eq!(load(&mut machine, address), Ok(100), "{form}");
        for number in [1, 2, 3, 0, 2] {
            store(&mut machine, slot, page(number) >> 2 | V | R | W);
            execute(&mut machine, form);
            assert_eq!(load(&mut machine, address), Ok(100 + number), "{form}");
        }
        store(&mut machine, slot, 0);
        execute(&mut machine, form);
        assert_eq!(load(&mut machine, address), Err(13), "{form}: unmapped");
        store(&mut machine, slot, page(3) >> 2 | V | R);
        execute(&mut machine, form);
        assert_eq!(load(&mut machine, address), Ok(103), "{form}: mapped again");
    }
}

/// A change above the leaves: another subtree, a superpage where there was a table, and back.
#[test]
fn changes_of_pointers_are_seen_after_a_fence() {
    let address = 0x1_2345_6000;
    let mut machine = loader();
    map(&mut machine, address, page(0), V | R);
    map(&mut machine, address + (1 << 21), page(1), V | R);
    map(&mut machine, address + (1 << 30), page(2), V | R);
    for level in [1, 2] {
        let here = entry(&mut machine, address, level);
        let there = entry(&mut machine, address + (1 << (12 + 9 * level)), level);
        let (ours, theirs) = (rig::read(&machine, here), rig::read(&machine, there));
        assert_eq!(load(&mut machine, address), Ok(100));
        store(&mut machine, here, theirs);
        execute(&mut machine, "sfence.vma");
        assert_eq!(
            load(&mut machine, address),
            Ok(100 + u64::from(level)),
            "level {level}"
        );
        store(&mut machine, here, rig::RAM >> 2 | V | R);
        execute(&mut machine, "sfence.vma");
        let inside = page(3) - rig::RAM;
        let base = address >> (12 + 9 * level) << (12 + 9 * level);
        assert_eq!(
            load(&mut machine, base + inside),
            Ok(103),
            "level {level}, a superpage"
        );
        store(&mut machine, here, ours);
        execute(&mut machine, "sfence.vma");
        assert_eq!(load(&mut machine, address), Ok(100), "level {level}, back");
    }
}

/// Tables that lie in a page the guest also writes through a translated address.
#[test]
fn entries_written_through_a_mapping_of_the_table_count() {
    let address = 0x1_2345_6000;
    let window = 0x2_0000_0000;
    let mut machine = rig::bench(
        &config(),
        "ld a0, 0(a1)\n sd a2, 0(a3)\n sfence.vma\n ld a0, 0(a1)",
    );
    map(&mut machine, CODE, CODE, V | R | X);
    map(&mut machine, address, page(0), V | R);
    let slot = entry(&mut machine, address, 0);
    map(&mut machine, window, slot & !0xfff, V | R | W);
    for number in 0..2 {
        rig::write(&mut machine, page(number), 100 + number);
    }
    rig::set_csr(&mut machine, "satp", SATP);
    machine.set_privilege(0, Privilege::Supervisor);
    rig::set_x(&mut machine, "a1", address);
    rig::set_x(&mut machine, "a2", page(1) >> 2 | V | R);
    rig::set_x(&mut machine, "a3", window + (slot & 0xfff));
    rig::step(&mut machine);
    assert_eq!(rig::x(&machine, "a0"), 100);
    for _ in 0..3 {
        rig::step(&mut machine);
    }
    assert_eq!((machine.pc(0), rig::x(&machine, "a0")), (CODE + 16, 101));
}

/// A translation that was used stays until a fence covers it, as hardware may keep it: a kernel
/// that forgets the fence goes wrong here, the same way each time.
#[test]
fn a_change_without_a_fence_is_not_seen() {
    let address = 0x1_2345_6000;
    let mut machine = loader();
    map(&mut machine, address, page(0), V | R);
    let slot = entry(&mut machine, address, 0);
    assert_eq!(load(&mut machine, address), Ok(100));
    store(&mut machine, slot, page(1) >> 2 | V | R);
    assert_eq!(load(&mut machine, address), Ok(100), "still the old page");
    execute(&mut machine, "sfence.vma");
    assert_eq!(load(&mut machine, address), Ok(101));
}

/// `satp` for the page table that all tests share, with an address-space identifier.
fn satp(identifier: u64) -> u64 {
    SATP | identifier << 44
}

/// II:4.2.1: the fence of one address space, or of one address, leaves all others as they were.
#[test]
fn a_fence_forgets_only_what_it_covers() {
    let (first, second) = (0x1_2345_6000, 0x1_2345_7000);
    // The fence, what is in a4 and a5, and what the two pages hold afterwards.
    let fences = [
        ("sfence.vma", 0, 0, [102, 103]),
        ("sfence.vma zero, a5", 0, 5, [102, 103]),
        ("sfence.vma zero, a5", 0, 6, [100, 101]),
        ("sfence.vma zero, a5", 0, 0, [100, 101]),
        ("sfence.vma a4, zero", first + 0xfff, 0, [102, 101]),
        ("sfence.vma a4, zero", second, 0, [100, 103]),
        ("sfence.vma a4, zero", second + 0x1000, 0, [100, 101]),
        ("sfence.vma a4, a5", first, 5, [102, 101]),
        ("sfence.vma a4, a5", first, 4, [100, 101]),
    ];
    for (form, address, identifier, wanted) in fences {
        let mut machine = loader();
        rig::set_csr(&mut machine, "satp", satp(5));
        let mut slots = Vec::new();
        for (number, address) in [(0, first), (1, second)] {
            map(&mut machine, address, page(number), V | R);
            slots.push(entry(&mut machine, address, 0));
            assert_eq!(load(&mut machine, address), Ok(100 + number));
        }
        for (number, slot) in slots.into_iter().enumerate() {
            store(&mut machine, slot, page(2 + number as u64) >> 2 | V | R);
        }
        rig::set_x(&mut machine, "a4", address);
        rig::set_x(&mut machine, "a5", identifier);
        execute(&mut machine, form);
        let seen = [first, second].map(|address| load(&mut machine, address).unwrap());
        assert_eq!(seen, wanted, "{form}, {address:#x}, {identifier}");
        execute(&mut machine, "sfence.vma");
        let seen = [first, second].map(|address| load(&mut machine, address).unwrap());
        assert_eq!(seen, [102, 103], "{form}, then a fence of everything");
    }
}

/// II:4.2.1: what is global survives the fence of an address space, and only that.
#[test]
fn global_pages_survive_the_fence_of_an_address_space() {
    const G: u64 = 1 << 5;
    let (global, own) = (0x1_2345_6000, 0x1_2345_7000);
    // Of the page, and of all pages; changes of leaves, and so many that they are not followed.
    for (form, many) in [
        ("sfence.vma a4, a5", false),
        ("sfence.vma zero, a5", false),
        ("sfence.vma zero, a5", true),
    ] {
        let mut machine = loader();
        rig::set_csr(&mut machine, "satp", satp(5));
        map(&mut machine, global, page(0), V | R | G);
        map(&mut machine, own, page(1), V | R);
        let slots = [global, own].map(|address| entry(&mut machine, address, 0));
        assert_eq!(load(&mut machine, global), Ok(100));
        assert_eq!(load(&mut machine, own), Ok(101));
        for _ in 0..if many { 100 } else { 1 } {
            store(&mut machine, slots[0], page(2) >> 2 | V | R | G);
            store(&mut machine, slots[1], page(3) >> 2 | V | R);
        }
        rig::set_x(&mut machine, "a5", 5);
        for address in [global, own] {
            rig::set_x(&mut machine, "a4", address);
            execute(&mut machine, form);
        }
        assert_eq!(load(&mut machine, global), Ok(100), "{form}, {many}");
        assert_eq!(load(&mut machine, own), Ok(103), "{form}, {many}");
        rig::set_x(&mut machine, "a4", global);
        execute(&mut machine, "sfence.vma a4, zero");
        assert_eq!(load(&mut machine, global), Ok(102), "{form}, {many}");
    }
}

/// A fence of any address in a superpage covers all of it.
#[test]
fn superpages_are_fenced_as_a_whole() {
    let address = 0x1_2340_0000;
    let mut machine = loader();
    map(&mut machine, address, page(0), V | R);
    let slot = entry(&mut machine, address, 1);
    store(&mut machine, slot, rig::RAM >> 2 | V | R);
    execute(&mut machine, "sfence.vma");
    let inside = address + (page(1) - rig::RAM);
    assert_eq!(load(&mut machine, inside), Ok(101));
    store(&mut machine, slot, 0);
    assert_eq!(load(&mut machine, inside), Ok(101), "not fenced yet");
    rig::set_x(&mut machine, "a4", address);
    execute(&mut machine, "sfence.vma a4, zero");
    assert_eq!(load(&mut machine, inside), Err(13));
}

/// Two page tables with one identifier are one address space to the hart: what it holds of one, it
/// uses for the other, and what it enters for the other is there when the first comes back, until a
/// fence covers the identifier.
#[test]
fn one_identifier_is_one_address_space() {
    let (first, second) = (0x1_2345_6000, 0x1_2345_7000);
    let mut machine = loader();
    map(&mut machine, first, page(0), V | R);
    map(&mut machine, second, page(1), V | R);
    // The other table has the same code, and its own two pages.
    let other = rig::TABLES + 0x8_0000;
    for slot in 0..512 {
        let entry = rig::read(&machine, rig::TABLES + 8 * slot);
        rig::write(&mut machine, other + 8 * slot, entry);
    }
    let tables = [other + 0x1000, other + 0x2000];
    let index = |level: u64| 8 * (first >> (12 + 9 * level) & 511);
    rig::write(&mut machine, other + index(2), tables[0] >> 2 | V);
    rig::write(&mut machine, tables[0] + index(1), tables[1] >> 2 | V);
    for number in 0..2 {
        let slot = tables[1] + index(0) + 8 * number;
        rig::write(&mut machine, slot, page(2 + number) >> 2 | V | R);
    }
    let roots = [rig::TABLES, other];
    let switch = |machine: &mut Machine, which: usize| {
        let satp = 8 << 60 | 7 << 44 | roots[which] >> 12;
        rig::set_x(machine, "a2", satp);
        execute(machine, "csrw satp, a2");
    };
    rig::set_x(&mut machine, "a5", 7);
    switch(&mut machine, 0);
    execute(&mut machine, "sfence.vma zero, a5");
    assert_eq!(load(&mut machine, first), Ok(100));
    switch(&mut machine, 1);
    assert_eq!(load(&mut machine, first), Ok(100), "stale");
    assert_eq!(load(&mut machine, second), Ok(103), "new");
    switch(&mut machine, 0);
    assert_eq!(load(&mut machine, second), Ok(103), "mixed in");
    execute(&mut machine, "sfence.vma zero, a5");
    assert_eq!(load(&mut machine, second), Ok(101), "fenced");
    switch(&mut machine, 1);
    execute(&mut machine, "sfence.vma");
    assert_eq!(load(&mut machine, first), Ok(102), "fenced");
    assert_eq!(load(&mut machine, second), Ok(103), "fenced");
    // A fence before the switch does not help: a hart may look ahead as long as `satp` is not written.
    execute(&mut machine, "sfence.vma");
    switch(&mut machine, 0);
    assert_eq!(load(&mut machine, first), Ok(102), "stale");
}

/// Address spaces change with `satp`; with equal and with different ASIDs, to and fro.
#[test]
fn address_spaces_do_not_leak() {
    for asids in [[0, 0], [1, 2]] {
        for strict_tlb in [false, true] {
            let mut machine = rig::bench(
                &Config {
                    strict_tlb,
                    ..config()
                },
                "ld a0, 0(a1)",
            );
            map(&mut machine, CODE, CODE, V | R | X);
            let address = 0x4000;
            map(&mut machine, address, page(0), V | R);
            // The second space shares all but the first gigabyte's tables.
            let second = rig::TABLES + 0x8_0000;
            for slot in 0..512 {
                let entry = rig::read(&machine, rig::TABLES + 8 * slot);
                rig::write(&mut machine, second + 8 * slot, entry);
            }
            let tables = [second + 0x1000, second + 0x2000];
            rig::write(&mut machine, second, tables[0] >> 2 | V);
            rig::write(&mut machine, tables[0], tables[1] >> 2 | V);
            rig::write(&mut machine, tables[1] + 8 * 4, page(1) >> 2 | V | R);
            for number in 0..2 {
                rig::write(&mut machine, page(number), 100 + number);
            }
            for round in 0..20_usize {
                let which = round * 7 % 5 % 2;
                let root = [rig::TABLES, second][which];
                rig::set_x(
                    &mut machine,
                    "a2",
                    8 << 60 | asids[which] << 44 | root >> 12,
                );
                execute(&mut machine, "csrw satp, a2");
                if asids[0] == asids[1] {
                    execute(&mut machine, "sfence.vma");
                }
                assert_eq!(
                    load(&mut machine, address),
                    Ok(100 + which as u64),
                    "{asids:?} {strict_tlb} round {round}"
                );
            }
        }
    }
}

/// One frame at two addresses: what is written through one is read and executed through the other.
#[test]
fn two_mappings_of_one_page() {
    let (first, second) = (0x1_0000_0000, 0x2_0000_0000);
    let text = "sd a2, 0(a3)\n ld a0, 0(a1)\n sw a4, 8(a3)\n fence.i\n jalr ra, a1, 8";
    let mut machine = rig::bench(&config(), text);
    map(&mut machine, CODE, CODE, V | R | X);
    map(&mut machine, first, page(0), V | R | X);
    map(&mut machine, second, page(0), V | R | W);
    rig::set_csr(&mut machine, "satp", SATP);
    for round in 0..5 {
        let instruction = u32::from_le_bytes(
            assemble(0, &format!("addi a5, zero, {round}"))
                .try_into()
                .unwrap(),
        );
        machine.set_pc(0, CODE);
        machine.set_privilege(0, Privilege::Supervisor);
        for (name, value) in [
            ("a1", first),
            ("a2", 7 * round),
            ("a3", second),
            ("a4", instruction.into()),
        ] {
            rig::set_x(&mut machine, name, value);
        }
        for _ in 0..6 {
            rig::step(&mut machine);
        }
        assert_eq!(
            (
                machine.pc(0),
                rig::x(&machine, "a0"),
                rig::x(&machine, "a5")
            ),
            (first + 12, 7 * round, round)
        );
    }
}

/// One virtual page, another frame: the code that runs is that of the new frame, in a loop that
/// stays decoded.
#[test]
fn remapped_code_runs() {
    let address = 0x1_0000_0000;
    let mut machine = rig::bench(&config(), "jalr ra, a1, 0");
    for number in 0..2 {
        let text = format!("addi a0, zero, {number}\n jalr zero, ra, 0");
        machine
            .write_physical(page(number), &assemble(0, &text))
            .unwrap();
    }
    map(&mut machine, CODE, CODE, V | R | X);
    rig::set_csr(&mut machine, "satp", SATP);
    for round in 0..6 {
        map(&mut machine, address, page(round % 2), V | X);
        fence(&mut machine);
        machine.set_pc(0, CODE);
        machine.set_privilege(0, Privilege::Supervisor);
        rig::set_x(&mut machine, "a1", address);
        for _ in 0..3 {
            rig::step(&mut machine);
        }
        assert_eq!(
            (machine.pc(0), rig::x(&machine, "a0")),
            (CODE + 4, round % 2),
            "round {round}"
        );
    }
}

/// The same bytes at one physical address mean the same under every virtual address: position
/// dependent instructions use the virtual one.
#[test]
fn position_dependent_code_follows_its_virtual_address() {
    let mut machine = rig::bench(&config(), "jalr ra, a1, 0");
    machine
        .write_physical(
            page(0),
            &assemble(
                0,
                "auipc a0, 0\n jal a2, 8\n nop\n c.j 4\n c.nop\n jalr zero, ra, 0",
            ),
        )
        .unwrap();
    map(&mut machine, CODE, CODE, V | R | X);
    rig::set_csr(&mut machine, "satp", SATP);
    for address in [0x1_0000_0000, 0x2_0000_0000, 0xffff_fff0_0000_0000, 0x3000] {
        map(&mut machine, address, page(0), V | X);
        machine.set_pc(0, CODE);
        machine.set_privilege(0, Privilege::Supervisor);
        rig::set_x(&mut machine, "a1", address);
        for _ in 0..5 {
            rig::step(&mut machine);
        }
        let seen = (
            machine.pc(0),
            rig::x(&machine, "a0"),
            rig::x(&machine, "a2"),
        );
        assert_eq!(seen, (CODE + 4, address, address + 8), "{address:#x}");
    }
}

/// A fence affects only its own hart. Each hart sees a change after its own fence, no matter which hart made it.
#[test]
fn every_hart_fences_for_itself() {
    let address = 0x1_2345_6000;
    let text = "ld a0, 0(a1)\nsd a2, 0(a3)\nsfence.vma\nld a0, 0(a1)";
    let mut machine = rig::bench(
        &Config {
            harts: 2,
            ..config()
        },
        text,
    );
    map(&mut machine, CODE, CODE, V | R | X);
    map(&mut machine, address, page(0), V | R);
    let slot = entry(&mut machine, address, 0);
    map(&mut machine, 0x2_0000_0000, slot & !0xfff, V | R | W);
    for number in 0..2 {
        rig::write(&mut machine, page(number), 100 + number);
    }
    for hart in 0..2 {
        for (number, value) in [
            (0x3b0, u64::MAX),
            (0x3a0, 0x1f),
            (0x180, SATP),
            (0x305, rig::MTVEC),
        ] {
            machine.set_csr(hart, number, value).unwrap();
        }
        machine.set_privilege(hart, Privilege::Supervisor);
        machine.set_pc(hart, CODE);
        for (register, value) in [
            (11, address),
            (12, page(1) >> 2 | V | R),
            (13, 0x2_0000_0000 + (slot & 0xfff)),
        ] {
            machine.set_x(hart, register, value);
        }
    }
    machine.run_hart(1, 1);
    assert_eq!(machine.x(1, 10), 100);
    machine.run_hart(0, 4);
    assert_eq!(
        (machine.pc(0), machine.x(0, 10)),
        (CODE + 16, 101),
        "the hart that changed and fenced"
    );
    machine.set_pc(1, CODE);
    machine.run_hart(1, 1);
    assert_eq!(machine.x(1, 10), 100, "the other one has not fenced");
    machine.set_pc(1, CODE + 8);
    machine.run_hart(1, 2);
    assert_eq!(
        (machine.pc(1), machine.x(1, 10)),
        (CODE + 16, 101),
        "now it has"
    );
}
