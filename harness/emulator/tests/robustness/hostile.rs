//! Guests that mean harm: random bytes as code, as page tables, as files. The machine answers with
//! a trap, an exit or an error; never with a panic; and the same way twice.

use crate::support::elf::executable;
use crate::support::rig::{CODE, RAM, RAM_BYTES, TABLES, bench, config, set_csr};
use emulator::{BuildError, Clock, Config, Coverage, DiskFlavour, Machine, Privilege};
use proptest::prelude::*;

/// Runs a machine for a while, whatever happens, and returns a digest of the result.
fn survive(machine: &mut Machine, harts: usize) -> Vec<u64> {
    let mut digest = Vec::new();
    for budget in [1, 10, 100, 1000, 5000] {
        let exit = machine.run(budget);
        digest.push(format!("{exit:?}").bytes().fold(0, |hash: u64, byte| {
            hash.wrapping_mul(31).wrapping_add(byte.into())
        }));
    }
    for hart in 0..harts {
        digest.push(machine.pc(hart));
        digest.extend((0..32).map(|register| machine.x(hart, register)));
        digest.extend(
            [0x300, 0x341, 0x342, 0x343, 0x180]
                .map(|number| machine.csr(hart, number).unwrap_or(0)),
        );
    }
    digest.push(machine.retired());
    digest
}

/// Instructions that do something more often than random bits: a random word with a real opcode.
fn instruction() -> impl Strategy<Value = u32> {
    let opcode = prop::sample::select(vec![
        0x03_u32, 0x0f, 0x13, 0x17, 0x1b, 0x23, 0x2f, 0x33, 0x37, 0x3b, 0x63, 0x67, 0x6f, 0x73,
    ]);
    let system = prop::sample::select(vec![
        0x0000_0073_u32,
        0x0010_0073,
        0x1020_0073,
        0x3020_0073,
        0x1050_0073,
        0x1200_0073,
        0x0000_100f,
        0x0000_006f,
        0xa001_a001,
    ]);
    prop_oneof![
        6 => (any::<u32>(), opcode).prop_map(|(word, opcode)| word & !0x7f | opcode),
        3 => any::<u32>(),
        1 => system,
    ]
}

/// Registers that point at something: RAM, the code, each device.
fn pointer() -> impl Strategy<Value = u64> {
    let base = prop::sample::select(vec![
        RAM,
        CODE,
        TABLES,
        RAM + RAM_BYTES - 8,
        0x200_0000,
        0x200_4000,
        0xc00_0000,
        0xc00_2000,
        0xc20_0000,
        0x1000_0000,
        0x1000_1000,
        0x1000_1070,
        0x10_0000,
        0,
        u64::MAX - 7,
    ]);
    prop_oneof![
        (base, 0..256_u64).prop_map(|(base, offset)| base.wrapping_add(offset)),
        any::<u64>()
    ]
}

/// Values for the CSRs that steer the machine.
fn steering() -> impl Strategy<Value = Vec<(u16, u64)>> {
    let number = prop::sample::select(vec![
        0x300_u16, 0x302, 0x303, 0x304, 0x305, 0x306, 0x30a, 0x340, 0x341, 0x342, 0x343, 0x344,
        0x3a0, 0x3a2, 0x3b0, 0x3b1, 0x3b2, 0x105, 0x106, 0x141, 0x142, 0x143, 0x144, 0x14d, 0x180,
        0xb00, 0xb02,
    ]);
    let value = prop_oneof![
        any::<u64>(),
        pointer(),
        (0..64_u32).prop_map(|bit| 1 << bit),
        Just(8 << 60 | TABLES >> 12)
    ];
    prop::collection::vec((number, value), 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_code_cannot_harm(
        code in prop::collection::vec(instruction(), 1..400),
        tables in prop::collection::vec(any::<u64>(), 0..64),
        registers in prop::collection::vec(pointer(), 32),
        csrs in steering(),
        mode in 0..3_usize,
        harts in 1..4_usize,
        strict_tlb in any::<bool>(),
        legacy in any::<bool>(),
        held in any::<bool>(),
        hints in any::<bool>(),
    ) {
        let config = Config {
            harts,
            strict_tlb,
            hints,
            quantum: 64,
            disk: if legacy { DiskFlavour::Legacy } else { DiskFlavour::Modern },
            clock: if held { Clock::Held } else { Clock::Running { instructions_per_tick: 10 } },
            coverage: Coverage::All,
            ..config()
        };
        let mut machine = bench(&config, "nop");
        let bytes: Vec<u8> = code.iter().flat_map(|word| word.to_le_bytes()).collect();
        machine.write_physical(CODE, &bytes).unwrap();
        for (index, entry) in tables.iter().enumerate() {
            // Entries that are plausible often enough: valid, pointing into RAM.
            let entry = if index % 2 == 0 { RAM >> 2 | entry & 0xf_fcff } else { *entry };
            machine.write_u64(TABLES + 8 * index as u64, entry).unwrap();
        }
        for (number, value) in &csrs {
            machine.set_csr(0, *number, *value);
        }
        for (register, value) in registers.iter().enumerate().skip(1) {
            machine.set_x(0, register, *value);
        }
        machine.set_privilege(0, [Privilege::User, Privilege::Supervisor, Privilege::Machine][mode]);
        let base = machine.snapshot();
        let first = survive(&mut machine, harts);
        let mut seen = 0;
        machine.mappings(8 << 60 | TABLES >> 12, &mut |_| seen += 1);
        machine.reset();
        prop_assert_eq!(&first, &survive(&mut machine, harts), "after a reset");
        prop_assert_eq!(&first, &survive(&mut Machine::from_snapshot(&base), harts), "on a new machine");
    }

    #[test]
    fn random_bytes_are_no_kernel(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(Machine::new(&config(), &bytes, Vec::new()).is_err());
    }

    /// A good file with some bytes changed is taken or refused.
    #[test]
    fn damaged_kernels_are_taken_or_refused(
        changes in prop::collection::vec((0..240_usize, any::<u8>()), 1..8),
        cut in prop::option::of(0..240_usize),
    ) {
        let mut file = executable(RAM, &[(RAM, &[0x13; 64]), (RAM + 0x1000, &[0x01, 0xa0])]);
        for (at, value) in changes {
            let at = at % file.len();
            file[at] = value;
        }
        if let Some(cut) = cut {
            file.truncate(cut);
        }
        if let Ok(mut machine) = Machine::new(&config(), &file, vec![0; 512]) {
            survive(&mut machine, 1);
        }
    }
}

/// Header fields at their extremes.
#[test]
fn impossible_kernels_are_refused() {
    let good = executable(RAM, &[(RAM, &[0x13; 64])]);
    assert!(Machine::new(&config(), &good, Vec::new()).is_ok());
    let header = 64;
    let changes: [(&str, usize, &[u8]); 12] = [
        ("a 32-bit file", 4, &[1]),
        ("a big-endian file", 5, &[2]),
        ("another processor", 18, &[0x3e, 0]),
        (
            "a segment in the last bytes of the address space",
            header + 24,
            &[0xff; 8],
        ),
        (
            "a segment of enormous size in memory",
            header + 40,
            &[0xff; 8],
        ),
        (
            "a segment of enormous size in the file",
            header + 32,
            &[0xff; 8],
        ),
        (
            "a segment that starts behind the file",
            header + 8,
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
        ),
        ("a segment below RAM", header + 24, &[0; 8]),
        (
            "a segment across the end of RAM",
            header + 24,
            &(RAM + RAM_BYTES - 32).to_le_bytes(),
        ),
        (
            "program headers behind the file",
            32,
            &[0xff, 0xff, 0xff, 0, 0, 0, 0, 0],
        ),
        (
            "more in the file than in memory",
            header + 40,
            &[1, 0, 0, 0, 0, 0, 0, 0],
        ),
        ("no magic number", 0, &[0]),
    ];
    for (what, at, bytes) in changes {
        let mut file = good.clone();
        file[at..at + bytes.len()].copy_from_slice(bytes);
        let refused = Machine::new(&config(), &file, Vec::new()).err();
        assert!(
            refused.is_some_and(|error| !error.to_string().is_empty()),
            "{what}"
        );
    }
    assert!(Machine::new(&config(), &[], Vec::new()).is_err());
}

#[test]
fn impossible_configurations_are_refused() {
    let file = executable(RAM, &[(RAM, &[0x13; 64])]);
    for (what, config) in [
        (
            "no hart",
            Config {
                harts: 0,
                ..config()
            },
        ),
        (
            "nine harts",
            Config {
                harts: 9,
                ..config()
            },
        ),
        (
            "no memory",
            Config {
                ram_bytes: 0,
                ..config()
            },
        ),
        (
            "half a page",
            Config {
                ram_bytes: (1 << 20) + 2048,
                ..config()
            },
        ),
        (
            "too much memory",
            Config {
                ram_bytes: 1 << 50,
                ..config()
            },
        ),
        (
            "no quantum",
            Config {
                quantum: 0,
                ..config()
            },
        ),
    ] {
        assert_eq!(
            Machine::new(&config, &file, Vec::new()).err(),
            Some(BuildError::Config),
            "{what}"
        );
    }
}

/// A page table all of whose entries lead back to itself, with one page somewhere: the walk from
/// outside ends.
#[test]
fn circular_page_tables_are_walked_once() {
    let mut machine = bench(&config(), "ld a0, 0(a1)");
    for entry in 0..512 {
        machine
            .write_u64(TABLES + 8 * entry, TABLES >> 2 | 1)
            .unwrap();
    }
    machine
        .write_u64(TABLES + 8 * 511, RAM >> 2 | 0xcf)
        .unwrap();
    let satp = 8 << 60 | TABLES >> 12;
    let mut seen = 0_u64;
    machine.mappings(satp, &mut |_| seen += 1);
    assert!(seen > 0);
    assert_eq!(
        machine.translate(satp, 0),
        None,
        "a pointer at the last level is no page"
    );
    set_csr(&mut machine, "satp", satp);
    machine.set_privilege(0, Privilege::Supervisor);
    survive(&mut machine, 1);
}

/// Addresses outside RAM, from outside: errors.
#[test]
fn accesses_from_outside_are_checked() {
    let mut machine = bench(&config(), "nop");
    for (address, bytes) in [
        (0, 1),
        (RAM - 1, 1),
        (RAM - 1, 2),
        (RAM + RAM_BYTES, 1),
        (RAM + RAM_BYTES - 1, 2),
        (u64::MAX, 8),
        (u64::MAX - 3, 4),
    ] {
        assert!(
            machine.read_physical(address, &mut vec![0; bytes]).is_err(),
            "{address:#x}+{bytes}"
        );
        assert!(
            machine.write_physical(address, &vec![0; bytes]).is_err(),
            "{address:#x}+{bytes}"
        );
    }
    for address in [0, RAM - 7, RAM + RAM_BYTES - 7, u64::MAX] {
        assert_eq!(machine.read_u64(address), None);
        assert_eq!(machine.write_u64(address, 1), None);
    }
    assert!(
        machine
            .read_physical(RAM + RAM_BYTES - 8, &mut [0; 8])
            .is_ok()
    );
    for number in 0..=4096_u16 {
        machine.csr(0, number);
    }
}
