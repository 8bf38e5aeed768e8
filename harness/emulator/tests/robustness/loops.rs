//! Small memory loops of every shape, run in one go and one instruction at a time.
//!
//! The machine may execute many iterations of a loop at once. Whatever it recognises and however
//! it does so, the result must be that of the instructions one by one: registers, memory, page
//! tables, counts, edges, and the trap or interrupt that cuts the loop short.

use crate::support::assembler::assemble;
use crate::support::rig::{CODE, MTVEC, RAM, TABLES, bench, config, set_csr};
use emulator::{Clock, Config, Coverage, Exit, Machine, Privilege};
use proptest::prelude::*;

/// Where the guest sees eight pages; which frames they are is the test's choice.
const WINDOW: u64 = 0x4000_0000;
const FRAMES: u64 = RAM + 0x20_0000;
const LEAVES: u64 = TABLES + 0x2000;
/// What is compared of memory: tables, code and frames.
const COMPARED: std::ops::Range<u64> = RAM..RAM + 0x21_0000;

#[derive(Clone, Debug)]
struct Setting {
    text: String,
    registers: [u64; 6],
    /// For each page of the window its frame (8 is the page of the code, 9 that of the leaves) and flags.
    pages: Vec<(u64, u64)>,
    timer: Option<u64>,
    budget: u64,
}

/// One loop: perhaps a load, a store, and additions, in some order, then a branch back.
fn body() -> impl Strategy<Value = String> {
    let widths = prop::sample::select(vec!["b", "h", "w", "d"]);
    let loads = prop::sample::select(vec!["lb", "lbu", "lh", "lhu", "lw", "lwu", "ld"]);
    let branches = prop::sample::select(vec![
        "bne a0, a4",
        "bne a1, a4",
        "bltu a0, a4",
        "bltu a1, a4",
        "bne a2, zero",
        "blt a0, a4",
        "bgeu a4, a0",
        "bne a0, a1",
    ]);
    let copies = prop_oneof![2 => Just(true), 1 => Just(false)];
    (
        widths,
        loads,
        branches,
        copies,
        any::<bool>(),
        -2..3_i64,
        -2..3_i64,
        prop::sample::select(vec![1, 1, 1, 1, -1, 2]),
        any::<u8>(),
    )
        .prop_flat_map(
            |(width, load, branch, copies, natural, to, from, direction, odd)| {
                let bytes = match width {
                    "b" => 1,
                    "h" => 2,
                    "w" => 4,
                    _ => 8,
                };
                // Mostly the load that belongs to the store.
                let load = match (natural, width) {
                    (false, _) => load,
                    (true, "b") => "lbu",
                    (true, "h") => "lh",
                    (true, "w") => "lwu",
                    (true, _) => "ld",
                };
                let step = bytes * direction;
                let source = if odd % 16 == 0 { step * 2 } else { step };
                let mut lines = vec![
                    format!("addi a0, a0, {step}"),
                    format!("addi a2, a2, -{}", if odd % 8 == 1 { bytes } else { 1 }),
                ];
                if copies {
                    lines.push(format!("addi a1, a1, {source}"));
                }
                if odd % 16 == 5 {
                    lines.push("addi a5, a5, 3".to_string());
                }
                // Mostly a register of its own takes what is loaded.
                let through =
                    ["a3", "a3", "a3", "a1", "a0", "a2", "a4", "a3"][usize::from(odd / 32)];
                let access = match copies {
                    true => vec![
                        format!("{load} {through}, {}(a1)", from * bytes),
                        format!("s{width} {through}, {}(a0)", to * bytes),
                    ],
                    false => vec![format!(
                        "s{width} {}, {}(a0)",
                        ["a3", "zero", "a5", "a0"][usize::from(odd / 64)],
                        to * bytes
                    )],
                };
                (
                    Just(lines).prop_shuffle(),
                    prop::collection::vec(0..=4_usize, access.len()),
                    Just(access),
                    Just(branch),
                )
            },
        )
        .prop_map(|(mut lines, mut places, access, branch)| {
            places.sort_unstable();
            for (line, place) in access.into_iter().zip(places).rev() {
                lines.insert(place.min(lines.len()), line);
            }
            format!(
                "again:\n{}\n{branch}, again\nspin: addi s0, s0, 1\nj spin",
                lines.join("\n")
            )
        })
}

fn setting() -> impl Strategy<Value = Setting> {
    let address = || {
        (
            0..8_u64,
            prop_oneof![0..4096_u64, 4000..4096_u64, Just(0), Just(0xf80)],
            any::<bool>(),
        )
    };
    let flags = prop::sample::select(vec![
        0xd7_u64, 0xd7, 0xd7, 0xd7, 0x17, 0x13, 0x11, 0x00, 0x57,
    ]);
    let page = (
        prop_oneof![6 => 0..8_u64, 1 => Just(8), 1 => Just(9)],
        flags,
    );
    (
        body(),
        (address(), address()),
        (0..3000_u64, any::<u64>(), 0..64_u64),
        prop::collection::vec(page, 8),
        prop::option::weighted(0.3, 20..4000_u64),
        1..12_000_u64,
    )
        .prop_map(
            |(text, (to, from), (count, value, near), pages, timer, budget)| {
                let at = |(page, offset, aligned): (u64, u64, bool)| {
                    WINDOW + 0x1000 * page + if aligned { offset & !7 } else { offset }
                };
                let (to, from) = (at(to), at(from));
                // Often the two overlap, or nearly.
                let from = if near < 32 {
                    to.wrapping_add(near * 8).wrapping_sub(128)
                } else {
                    from
                };
                // a0 to, a1 from, a2 count, a3 value, a4 end, a5 another.
                let end = match near % 4 {
                    0 => from + count,
                    1 => to + (count & !7),
                    _ => to + count,
                };
                Setting {
                    text,
                    registers: [to, from, count, value, end, near],
                    pages,
                    timer,
                    budget,
                }
            },
        )
}

fn prepare(setting: &Setting) -> Machine {
    let config = Config {
        coverage: Coverage::All,
        clock: Clock::Running {
            instructions_per_tick: 1,
        },
        ..config()
    };
    let mut machine = bench(&config, "nop");
    machine
        .write_physical(CODE, &assemble(CODE, &setting.text))
        .expect("in RAM");
    // A handler that never ends and is never stuck.
    machine
        .write_physical(MTVEC, &assemble(0, "spin: addi s1, s1, 1\nj spin"))
        .expect("in RAM");
    let pattern: Vec<u8> = (0..0x8000_u32)
        .map(|at| (at * 13 + at / 239) as u8)
        .collect();
    machine.write_physical(FRAMES, &pattern).expect("in RAM");
    let mut entries = vec![
        (TABLES + 8, (TABLES + 0x1000) >> 2 | 1),
        (TABLES + 16, RAM >> 2 | 0xdf),
        (TABLES + 0x1000, LEAVES >> 2 | 1),
    ];
    for (page, (frame, flags)) in setting.pages.iter().enumerate() {
        let physical = match frame {
            8 => CODE,
            9 => LEAVES,
            frame => FRAMES + 0x1000 * frame,
        };
        entries.push((LEAVES + 8 * page as u64, physical >> 2 | flags));
    }
    for (at, entry) in entries {
        machine.write_u64(at, entry).expect("in RAM");
    }
    for (number, value) in setting.registers.iter().enumerate() {
        machine.set_x(0, 10 + number, *value);
    }
    set_csr(&mut machine, "satp", 8 << 60 | TABLES >> 12);
    if let Some(deadline) = setting.timer {
        set_csr(&mut machine, "menvcfg", 1 << 63);
        set_csr(&mut machine, "stimecmp", deadline);
        set_csr(&mut machine, "mie", 0x20);
    }
    machine.set_privilege(0, Privilege::User);
    machine
}

type Observed = (Vec<u64>, Vec<u8>, Vec<u8>);

fn observe(machine: &Machine) -> Observed {
    let mut memory = vec![0; (COMPARED.end - COMPARED.start) as usize];
    machine
        .read_physical(COMPARED.start, &mut memory)
        .expect("in RAM");
    let mut words: Vec<u64> = (0..32).map(|register| machine.x(0, register)).collect();
    words.extend([machine.pc(0), machine.retired(), machine.steps()]);
    words.extend([0x300, 0x341, 0x342, 0x343].map(|number| machine.csr(0, number).unwrap_or(0)));
    (words, memory, machine.edges()[1..].to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn loops_are_the_sum_of_their_instructions(setting in setting()) {
        let mut whole = prepare(&setting);
        let mut stepped = prepare(&setting);
        prop_assert_eq!(whole.run(setting.budget), Exit::Budget);
        for _ in 0..setting.budget {
            prop_assert_eq!(stepped.run(1), Exit::Budget);
        }
        let (whole, stepped) = (observe(&whole), observe(&stepped));
        prop_assert_eq!(&whole.0, &stepped.0, "registers and counts of\n{}", setting.text);
        let memory = whole.1.iter().zip(&stepped.1).position(|(whole, stepped)| whole != stepped);
        prop_assert_eq!(memory, None, "memory of\n{}", setting.text);
        prop_assert!(whole.2 == stepped.2, "edges of\n{}", setting.text);
    }
}
