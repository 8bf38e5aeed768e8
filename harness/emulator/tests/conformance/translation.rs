//! Sv39: which mode may do what with which page, accessed and dirty bits, superpages, faults.

use crate::support::rig::{self, CODE, DATA, MTVEC, TABLES};
use emulator::{Machine, Privilege};

const V: u64 = 1 << 0;
const R: u64 = 1 << 1;
const W: u64 = 1 << 2;
const X: u64 = 1 << 3;
const U: u64 = 1 << 4;
const A: u64 = 1 << 6;
const D: u64 = 1 << 7;

/// A supervisor's data page.
pub(crate) const READ_WRITE: u64 = V | R | W;
/// The root of the tests' page tables.
pub(crate) const SATP: u64 = 8 << 60 | TABLES >> 12;

const SUM: u64 = 1 << 18;
const MXR: u64 = 1 << 19;

/// A page that no test maps at its own address, holding `c.nop`s.
const PAGE: u64 = rig::RAM + 0x8000;
/// Where tests map it.
const VIRTUAL: u64 = 0x12_3456_7000;

fn index(address: u64, level: u32) -> u64 {
    address >> (12 + 9 * level) & 0x1ff
}

/// Address of the entry of `level` for `address`, making the tables above it. Tables are placed by
/// their position in the address space, so that the tests need no allocator.
pub(crate) fn entry(machine: &mut Machine, address: u64, level: u32) -> u64 {
    let mut table = TABLES;
    for above in (level + 1..3).rev() {
        let slot = table + 8 * index(address, above);
        let mut entry = rig::read(machine, slot);
        if entry & V == 0 {
            let next = next_free(machine);
            entry = next >> 2 | V;
            rig::write(machine, slot, entry);
        }
        table = entry >> 10 << 12;
    }
    table + 8 * index(address, level)
}

/// The next free page after the root; the root's last entry, which no test uses, counts them.
fn next_free(machine: &mut Machine) -> u64 {
    let counter = TABLES + 8 * 511;
    let used = rig::read(machine, counter) >> 10;
    rig::write(machine, counter, (used + 1) << 10);
    TABLES + 0x1000 * (used + 1)
}

/// Maps one page of 4 KiB.
pub(crate) fn map(machine: &mut Machine, address: u64, physical: u64, flags: u64) {
    let slot = entry(machine, address, 0);
    rig::write(machine, slot, physical >> 2 | flags);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    Fetch,
    Load,
    Store,
    Amo,
}

impl Access {
    const ALL: [Access; 4] = [Access::Fetch, Access::Load, Access::Store, Access::Amo];

    fn page_fault(self) -> u64 {
        match self {
            Access::Fetch => 12,
            Access::Load => 13,
            Access::Store | Access::Amo => 15,
        }
    }

    fn instruction(self) -> &'static str {
        match self {
            Access::Fetch => "jalr zero, a1, 0",
            Access::Load => "lw a0, 0(a1)",
            Access::Store => "sw a0, 0(a1)",
            Access::Amo => "amoadd.w a0, a0, (a1)",
        }
    }
}

/// A machine with Sv39 on, whose code page is mapped for one mode at its own address.
fn translated(access: Access, privilege: Privilege) -> Machine {
    let mut machine = rig::bench(&rig::config(), access.instruction());
    let user = if privilege == Privilege::User { U } else { 0 };
    map(&mut machine, CODE, CODE, V | R | X | A | user);
    machine
        .write_physical(PAGE, &[0x01, 0x00, 0x01, 0x00])
        .unwrap();
    rig::set_csr(&mut machine, "satp", SATP);
    rig::set_x(&mut machine, "a1", VIRTUAL);
    machine
}

/// Does the access from the start of the code page; returns the cause if it trapped. The machine
/// must have trapped to M-mode with the right registers, or not at all.
fn attempt(
    machine: &mut Machine,
    access: Access,
    privilege: Privilege,
    address: u64,
) -> Option<u64> {
    machine.set_pc(0, CODE);
    machine.set_privilege(0, privilege);
    rig::set_x(machine, "a1", address);
    rig::step(machine);
    let mut faulting = CODE;
    if access == Access::Fetch {
        assert_eq!(machine.pc(0), address & !1, "the jump itself succeeds");
        rig::step(machine);
        faulting = address & !1;
    }
    if machine.pc(0) != MTVEC {
        assert_eq!(machine.privilege(0), privilege);
        return None;
    }
    assert_eq!(rig::csr(machine, "mepc"), faulting);
    assert_eq!(
        rig::csr(machine, "mtval"),
        if access == Access::Fetch {
            faulting
        } else {
            address
        }
    );
    Some(rig::csr(machine, "mcause"))
}

/// II:4.3.2, steps 3 to 8, for a leaf at the last level.
fn allowed(flags: u64, access: Access, privilege: Privilege, sum: bool, mxr: bool) -> bool {
    let has = |bit: u64| flags & bit != 0;
    if !has(V) || (has(W) && !has(R)) || !(has(R) || has(X)) {
        return false;
    }
    let user_page = has(U);
    let reachable = match privilege {
        Privilege::User => user_page,
        _ => !user_page || (sum && access != Access::Fetch),
    };
    let permitted = match access {
        Access::Fetch => has(X),
        Access::Load => has(R) || (mxr && has(X)),
        Access::Store | Access::Amo => has(W),
    };
    reachable && permitted
}

/// Every combination of the eight flag bits, both modes, SUM, MXR, and every kind of access:
/// which are allowed, what the fault is, and what becomes of the accessed and dirty bits.
#[test]
fn every_permission_combination() {
    for access in Access::ALL {
        for privilege in [Privilege::User, Privilege::Supervisor] {
            let mut machine = translated(access, privilege);
            let slot = entry(&mut machine, VIRTUAL, 0);
            for status in [0, SUM, MXR, SUM | MXR] {
                rig::set_csr(&mut machine, "mstatus", status);
                for flags in 0..256 {
                    let what = format!(
                        "{access:?} in {privilege:?}, flags {flags:#04x}, mstatus {status:#x}"
                    );
                    rig::write(&mut machine, slot, PAGE >> 2 | flags);
                    fence(&mut machine);
                    let expected = allowed(
                        flags,
                        access,
                        privilege,
                        status & SUM != 0,
                        status & MXR != 0,
                    );
                    let seen = attempt(&mut machine, access, privilege, VIRTUAL);
                    assert_eq!(seen, (!expected).then(|| access.page_fault()), "{what}");
                    let touched = match (expected, access) {
                        (false, _) => 0,
                        (true, Access::Fetch | Access::Load) => A,
                        (true, Access::Store | Access::Amo) => A | D,
                    };
                    assert_eq!(
                        rig::read(&machine, slot),
                        PAGE >> 2 | flags | touched,
                        "{what}: the entry"
                    );
                    rig::set_csr(&mut machine, "mstatus", status);
                }
            }
        }
    }
}

/// Executes `sfence.vma` in M-mode, from a page of its own.
pub(crate) fn fence(machine: &mut Machine) {
    const FENCE: u64 = rig::RAM + 0x5000;
    machine
        .write_physical(FENCE, &0x1200_0073_u32.to_le_bytes())
        .unwrap();
    machine.set_privilege(0, Privilege::Machine);
    machine.set_pc(0, FENCE);
    rig::step(machine);
    assert_eq!(machine.pc(0), FENCE + 4);
}

/// A load that set A must not let a later store pass without setting D.
#[test]
fn the_dirty_bit_is_set_by_the_first_store_after_loads() {
    let mut machine = translated(Access::Load, Privilege::Supervisor);
    map(&mut machine, VIRTUAL, PAGE, READ_WRITE);
    let slot = entry(&mut machine, VIRTUAL, 0);
    assert_eq!(
        attempt(&mut machine, Access::Load, Privilege::Supervisor, VIRTUAL),
        None
    );
    assert_eq!(rig::read(&machine, slot) & (A | D), A);
    machine
        .write_physical(
            CODE,
            &crate::support::assembler::assemble(0, Access::Store.instruction()),
        )
        .unwrap();
    assert_eq!(
        attempt(&mut machine, Access::Store, Privilege::Supervisor, VIRTUAL),
        None
    );
    assert_eq!(rig::read(&machine, slot) & (A | D), A | D);
}

/// II:4.4.1: bits 63:39 must equal bit 38.
#[test]
fn addresses_must_be_canonical() {
    for access in Access::ALL {
        let mut machine = translated(access, Privilege::Supervisor);
        map(&mut machine, VIRTUAL, PAGE, V | R | W | X);
        for address in [
            VIRTUAL | 1 << 39,
            VIRTUAL | 1 << 63,
            VIRTUAL | 0xffff_ff80 << 32,
            VIRTUAL | 1 << 38,
            1 << 38,
        ] {
            let seen = attempt(&mut machine, access, Privilege::Supervisor, address);
            assert_eq!(seen, Some(access.page_fault()), "{access:?} {address:#x}");
        }
        let high = 0xffff_ffc0_0000_0000 | VIRTUAL;
        map(&mut machine, high, PAGE, V | R | W | X);
        assert_eq!(
            attempt(&mut machine, access, Privilege::Supervisor, high),
            None,
            "{access:?} {high:#x}"
        );
    }
}

/// II:4.4.1: a leaf above the last level maps 2 MiB or 1 GiB, and must be aligned to that.
#[test]
fn superpages() {
    for access in Access::ALL {
        for level in [1, 2] {
            let mut machine = translated(access, Privilege::Supervisor);
            let bytes = 1_u64 << (12 + 9 * level);
            // A gigapage covers RAM from its start; a megapage the 2 MiB there.
            let address = 0x30_0000_0000;
            let slot = entry(&mut machine, address, level);
            rig::write(&mut machine, slot, rig::RAM >> 2 | V | R | W | X);
            fence(&mut machine);
            let offset = PAGE - rig::RAM;
            assert_eq!(
                attempt(
                    &mut machine,
                    access,
                    Privilege::Supervisor,
                    address + offset
                ),
                None,
                "{access:?} {level}"
            );
            let beyond = attempt(&mut machine, access, Privilege::Supervisor, address + bytes);
            assert_eq!(
                beyond,
                Some(access.page_fault()),
                "{access:?} {level}: the page behind it"
            );

            for misaligned in [0x1000, bytes / 2] {
                rig::write(
                    &mut machine,
                    slot,
                    (rig::RAM + misaligned) >> 2 | V | R | W | X | A | D,
                );
                fence(&mut machine);
                let seen = attempt(
                    &mut machine,
                    access,
                    Privilege::Supervisor,
                    address + offset,
                );
                assert_eq!(
                    seen,
                    Some(access.page_fault()),
                    "{access:?} {level}: misaligned by {misaligned:#x}"
                );
            }
        }
    }
}

/// II:4.3.1, 4.4.1: a pointer at the last level, a pointer with A, D or U, reserved bits.
#[test]
fn malformed_entries_fault() {
    for access in Access::ALL {
        let mut machine = translated(access, Privilege::Supervisor);
        map(&mut machine, VIRTUAL, PAGE, V | R | W | X | A | D);
        assert_eq!(
            attempt(&mut machine, access, Privilege::Supervisor, VIRTUAL),
            None
        );
        for level in 0..3 {
            let slot = entry(&mut machine, VIRTUAL, level);
            let good = rig::read(&machine, slot);
            let mut malformed = vec![
                good & !V,
                good | 1 << 54,
                good | 1 << 60,
                good | 1 << 61,
                good | 1 << 62,
                good | 1 << 63,
            ];
            if level == 0 {
                malformed.push(PAGE >> 2 | V);
                malformed.push(PAGE >> 2 | V | A | D);
            } else {
                malformed.extend([good | A, good | D, good | U, good | W]);
            }
            for entry in malformed {
                rig::write(&mut machine, slot, entry);
                fence(&mut machine);
                let seen = attempt(&mut machine, access, Privilege::Supervisor, VIRTUAL);
                assert_eq!(
                    seen,
                    Some(access.page_fault()),
                    "{access:?}: level {level}, entry {entry:#x}"
                );
            }
            rig::write(&mut machine, slot, good | 3 << 8);
            fence(&mut machine);
            let seen = attempt(&mut machine, access, Privilege::Supervisor, VIRTUAL);
            assert_eq!(
                seen, None,
                "{access:?}: level {level}, the bits reserved for software mean nothing"
            );
            rig::write(&mut machine, slot, good);
        }
    }
}

/// II:4.3.2: a page table that is not in memory is an access fault of the original kind; so is a
/// page that is not.
#[test]
fn physical_addresses_outside_memory_are_access_faults() {
    for access in Access::ALL {
        let fault = match access {
            Access::Fetch => 1,
            Access::Load => 5,
            Access::Store | Access::Amo => 7,
        };
        for level in 0..3 {
            let mut machine = translated(access, Privilege::Supervisor);
            map(&mut machine, VIRTUAL, PAGE, V | R | W | X | A | D);
            let slot = entry(&mut machine, VIRTUAL, level);
            let flags = if level == 0 { V | R | W | X | A | D } else { V };
            for nowhere in [
                0x2400_0000_u64,
                0x8_0000_0000,
                0xff_ffff_ffff_f000 & 0xff_ffff_c000_0000,
            ] {
                rig::write(&mut machine, slot, nowhere >> 2 | flags);
                fence(&mut machine);
                let seen = attempt(&mut machine, access, Privilege::Supervisor, VIRTUAL);
                assert_eq!(
                    seen,
                    Some(fault),
                    "{access:?}: level {level} leads to {nowhere:#x}"
                );
            }
        }
    }
}

/// A misaligned access that straddles two pages needs both, and faults with the address of the part
/// that is missing; a store that faults has written nothing.
#[test]
fn straddling_accesses() {
    for (text, cause) in [
        ("ld a0, 0(a1)", 13),
        ("sd a0, 0(a1)", 15),
        ("lw a0, 2(a1)", 13),
        ("sh a0, 3(a1)", 15),
    ] {
        let mut machine = rig::bench(&rig::config(), text);
        map(&mut machine, CODE, CODE, V | R | X);
        map(&mut machine, VIRTUAL, PAGE, READ_WRITE);
        // The neighbour is elsewhere in physical memory.
        map(&mut machine, VIRTUAL + 0x1000, PAGE + 0x4000, READ_WRITE);
        rig::set_csr(&mut machine, "satp", SATP);
        rig::write(&mut machine, PAGE + 0xff8, 0x1111_1111_1111_1111);
        rig::write(&mut machine, PAGE + 0x4000, 0x2222_2222_2222_2222);
        rig::set_x(&mut machine, "a0", 0x8877_6655_4433_2211);
        let address = VIRTUAL + 0xffc;
        assert_eq!(
            attempt(&mut machine, Access::Load, Privilege::Supervisor, address),
            None,
            "{text}"
        );
        if text.starts_with("ld") {
            assert_eq!(rig::x(&machine, "a0"), 0x2222_2222_1111_1111);
        }
        if text.starts_with("sd") {
            assert_eq!(rig::read(&machine, PAGE + 0xff8), 0x4433_2211_1111_1111);
            assert_eq!(rig::read(&machine, PAGE + 0x4000), 0x2222_2222_8877_6655);
        }
        if text.starts_with("sh") {
            assert_eq!(
                rig::read(&machine, PAGE + 0xff8),
                0x1111_1111_1111_1111 & !(0xff << 56) | 0x11 << 56
            );
            assert_eq!(
                rig::read(&machine, PAGE + 0x4000),
                0x2222_2222_2222_2222 & !0xff | 0x22
            );
        }

        let slot = entry(&mut machine, VIRTUAL + 0x1000, 0);
        rig::write(&mut machine, slot, 0);
        rig::write(&mut machine, PAGE + 0xff8, 0x3333_3333_3333_3333);
        fence(&mut machine);
        machine.set_pc(0, CODE);
        machine.set_privilege(0, Privilege::Supervisor);
        rig::step(&mut machine);
        assert_eq!(machine.pc(0), MTVEC, "{text}");
        assert_eq!(rig::csr(&machine, "mcause"), cause, "{text}");
        assert_eq!(
            rig::csr(&machine, "mtval"),
            VIRTUAL + 0x1000,
            "{text}: the missing page's first byte"
        );
        assert_eq!(
            rig::read(&machine, PAGE + 0xff8),
            0x3333_3333_3333_3333,
            "{text}: nothing was written"
        );
    }
}

/// An instruction whose halves lie in two pages; the second one's absence is a fault at its address.
#[test]
fn straddling_instructions() {
    let mut machine = rig::bench(&rig::config(), "nop");
    map(&mut machine, VIRTUAL, PAGE, V | X);
    map(&mut machine, VIRTUAL + 0x1000, PAGE + 0x4000, V | X);
    rig::set_csr(&mut machine, "satp", SATP);
    // addi a0, zero, 0x123
    machine
        .write_physical(PAGE + 0xffe, &0x0513_u16.to_le_bytes())
        .unwrap();
    machine
        .write_physical(PAGE + 0x4000, &0x1230_u16.to_le_bytes())
        .unwrap();
    let run = |machine: &mut Machine| {
        machine.set_pc(0, VIRTUAL + 0xffe);
        machine.set_privilege(0, Privilege::Supervisor);
        rig::set_x(machine, "a0", 0);
        rig::step(machine);
    };
    run(&mut machine);
    assert_eq!(
        (machine.pc(0), rig::x(&machine, "a0")),
        (VIRTUAL + 0x1002, 0x123)
    );

    // The second half changes.
    machine
        .write_physical(PAGE + 0x4000, &0x4560_u16.to_le_bytes())
        .unwrap();
    run(&mut machine);
    assert_eq!(
        (machine.pc(0), rig::x(&machine, "a0")),
        (VIRTUAL + 0x1002, 0x456)
    );

    // The second half is remapped.
    machine
        .write_physical(PAGE + 0x5000, &0x7890_u16.to_le_bytes())
        .unwrap();
    map(&mut machine, VIRTUAL + 0x1000, PAGE + 0x5000, V | X);
    fence(&mut machine);
    run(&mut machine);
    assert_eq!(
        (machine.pc(0), rig::x(&machine, "a0")),
        (VIRTUAL + 0x1002, 0x789)
    );

    map(&mut machine, VIRTUAL + 0x1000, 0, 0);
    fence(&mut machine);
    run(&mut machine);
    let seen = ["mcause", "mepc", "mtval"].map(|name| rig::csr(&machine, name));
    assert_eq!(
        (machine.pc(0), seen),
        (MTVEC, [12, VIRTUAL + 0xffe, VIRTUAL + 0x1000])
    );
}

/// A delegated page fault, as every kernel has it.
#[test]
fn page_faults_are_delegated() {
    for access in Access::ALL {
        let mut machine = translated(access, Privilege::User);
        rig::set_csr(&mut machine, "medeleg", 0xb1ff);
        machine.set_pc(0, CODE);
        machine.set_privilege(0, Privilege::User);
        rig::step(&mut machine);
        if access == Access::Fetch {
            rig::step(&mut machine);
        }
        let seen = ["scause", "stval"].map(|name| rig::csr(&machine, name));
        assert_eq!(seen, [access.page_fault(), VIRTUAL], "{access:?}");
        assert_eq!(
            (machine.pc(0), machine.privilege(0)),
            (rig::STVEC, Privilege::Supervisor)
        );
    }
}

/// Bare mode, and M-mode under any `satp`, use physical addresses.
#[test]
fn no_translation_in_bare_mode_and_in_machine_mode() {
    for (satp, privilege) in [
        (0, Privilege::Supervisor),
        (0, Privilege::User),
        (SATP, Privilege::Machine),
    ] {
        let mut machine = rig::bench(&rig::config(), "ld a0, 0(a1)");
        rig::set_csr(&mut machine, "satp", satp);
        rig::write(&mut machine, DATA, 0xabc);
        rig::set_x(&mut machine, "a1", DATA);
        machine.set_privilege(0, privilege);
        rig::step(&mut machine);
        assert_eq!(
            (machine.pc(0), rig::x(&machine, "a0")),
            (CODE + 4, 0xabc),
            "{satp:#x} {privilege:?}"
        );
    }
}

/// An entry that is not valid still says something, and each page of a superpage has one.
#[test]
fn pages_without_an_entry_are_found() {
    let mut machine = translated(Access::Load, Privilege::Supervisor);
    let number = |address: u64| address / 4096;
    let first = number(VIRTUAL);
    map(&mut machine, VIRTUAL, PAGE, READ_WRITE | U);
    let on_disk = entry(&mut machine, VIRTUAL + 0x1000, 0);
    rig::write(&mut machine, on_disk, 0x1230);
    let mega = entry(&mut machine, 0x30_0000_0000, 1);
    rig::write(&mut machine, mega, rig::RAM >> 2 | V | R | X);

    let missing = |pages| machine.first_without_entry(SATP, pages);
    assert_eq!(missing(first..first + 2), None);
    assert_eq!(missing(first..first + 9), Some(first + 2));
    assert_eq!(missing(first + 3..first + 4), Some(first + 3));
    assert_eq!(missing(first..first), None);
    let large = number(0x30_0000_0000);
    assert_eq!(missing(large..large + 512), None);
    assert_eq!(missing(large + 500..large + 600), Some(large + 512));
    // Not an address, and no page table.
    let outside = number(1 << 39);
    assert_eq!(missing(outside..outside + 1), Some(outside));
    assert_eq!(
        machine.first_without_entry(0, first..first + 1),
        Some(first)
    );
}

/// The walk from outside agrees with the walk inside, and disturbs nothing.
#[test]
fn pages_are_seen_from_outside() {
    let mut machine = translated(Access::Load, Privilege::Supervisor);
    map(&mut machine, VIRTUAL, PAGE, READ_WRITE | U);
    let mega = entry(&mut machine, 0x30_0000_0000, 1);
    rig::write(&mut machine, mega, rig::RAM >> 2 | V | R | X);
    let before = machine.retired();

    let mapping = machine
        .translate(SATP, VIRTUAL + 0x123)
        .expect("it is mapped");
    assert_eq!((mapping.physical, mapping.level), (PAGE + 0x123, 0));
    assert_eq!(mapping.pte, PAGE >> 2 | READ_WRITE | U);
    let mapping = machine
        .translate(SATP, 0x30_0012_3456)
        .expect("it is mapped");
    assert_eq!((mapping.physical, mapping.level), (rig::RAM + 0x12_3456, 1));
    for nothing in [0, VIRTUAL + 0x1000, VIRTUAL | 1 << 39, u64::MAX] {
        assert_eq!(machine.translate(SATP, nothing), None, "{nothing:#x}");
    }
    let mut seen = Vec::new();
    machine.mappings(SATP, &mut |mapping| {
        seen.push((mapping.virtual_address, mapping.level, mapping.pte))
    });
    assert_eq!(
        seen,
        [
            (CODE, 0, CODE >> 2 | V | R | X | A),
            (VIRTUAL, 0, PAGE >> 2 | READ_WRITE | U),
            (0x30_0000_0000, 1, rig::RAM >> 2 | V | R | X),
        ]
    );
    let mut tables = Vec::new();
    machine.page_table_pages(SATP, &mut |page| tables.push(page));
    tables.sort_unstable();
    assert_eq!(
        tables,
        (0..6)
            .map(|page| TABLES + 0x1000 * page)
            .collect::<Vec<_>>()
    );
    assert_eq!(machine.retired(), before);
}
