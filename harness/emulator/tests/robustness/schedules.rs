//! Several harts: interleaving by quantum or by an explicit schedule, and what survives any of them.

use crate::support::rig::{self, boot, config};
use emulator::{Config, Exit, Machine};

/// Each hart adds one to a counter 1000 times, in one of several ways, and then waits.
fn counting(body: &str) -> String {
    format!(
        "
        la s0, counter
        la s1, lock
        li s2, 1000
        again:
        {body}
        addi s2, s2, -1
        bnez s2, again
        la t0, finished
        li t1, 1
        amoadd.d zero, t1, (t0)
        rest: wfi
        j rest
        .align 8
        counter: .dword 0
        lock: .dword 0
        finished: .dword 0
        "
    )
}

const BODIES: [(&str, &str); 4] = [
    ("amoadd", "li t0, 1\n amoadd.d zero, t0, (s0)"),
    (
        "lr and sc",
        "retry: lr.d t0, (s0)\n addi t0, t0, 1\n sc.d t1, t0, (s0)\n bnez t1, retry",
    ),
    (
        "lr.w and sc.w",
        "retry: lr.w t0, (s0)\n addi t0, t0, 1\n sc.w t1, t0, (s0)\n bnez t1, retry",
    ),
    (
        "a lock",
        "take: li t0, 1\n amoswap.w.aq t0, t0, (s1)\n bnez t0, take\n ld t0, 0(s0)\n addi t0, t0, 1\n sd t0, 0(s0)\n amoswap.w.rl zero, zero, (s1)",
    ),
];

fn counter(machine: &Machine, text: &str) -> [u64; 2] {
    let program = crate::support::assembler::Program::new(rig::RAM, text, &rig::SYMBOLS);
    ["counter", "finished"].map(|label| rig::read(machine, program.label(label)))
}

#[test]
fn atomic_counting_loses_nothing_under_any_quantum() {
    for (name, body) in BODIES {
        for harts in [2, 5, 8] {
            for quantum in [1, 2, 3, 10, 101, 4096] {
                let text = counting(body);
                let mut machine = boot(
                    &Config {
                        harts,
                        quantum,
                        ..config()
                    },
                    &text,
                );
                assert_eq!(
                    machine.run(10_000_000),
                    Exit::Idle,
                    "{name}, {harts} harts, quantum {quantum}"
                );
                let harts = harts as u64;
                assert_eq!(
                    counter(&machine, &text),
                    [1000 * harts, harts],
                    "{name}, quantum {quantum}"
                );
            }
        }
    }
}

#[test]
fn an_explicit_schedule_is_obeyed_and_repeats() {
    let text = counting(BODIES[1].1);
    let run = |seed: u64| {
        let mut machine = boot(
            &Config {
                harts: 3,
                ..config()
            },
            &text,
        );
        let mut state = seed;
        for _ in 0..5000 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let hart = (state >> 33) as usize % 3;
            let before: Vec<_> = (0..3)
                .map(|hart| (machine.pc(hart), machine.x(hart, 18)))
                .collect();
            machine.run_hart(hart, 1 + (state >> 40) % 9);
            for other in (0..3).filter(|other| *other != hart) {
                assert_eq!(
                    (machine.pc(other), machine.x(other, 18)),
                    before[other],
                    "hart {other} stood still"
                );
            }
        }
        let progress: Vec<u64> = (0..3).map(|hart| machine.x(hart, 18)).collect();
        (progress, counter(&machine, &text), machine.retired())
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2), "another schedule is another run");
    let (progress, [count, _], _) = run(3);
    let done: u64 = progress.iter().map(|left| 1000 - left).sum();
    assert!(
        (done..=done + 3).contains(&count),
        "{count} counted, {done} rounds done"
    );
}

/// Without atomics, some quantum loses increments: the interleaving is real.
#[test]
fn a_race_is_a_race() {
    let text = counting("ld t0, 0(s0)\n addi t0, t0, 1\n sd t0, 0(s0)");
    let counts: Vec<u64> = [1, 2, 3, 5, 7, 11]
        .into_iter()
        .map(|quantum| {
            let mut machine = boot(
                &Config {
                    harts: 2,
                    quantum,
                    ..config()
                },
                &text,
            );
            assert_eq!(machine.run(1_000_000), Exit::Idle);
            counter(&machine, &text)[0]
        })
        .collect();
    assert!(counts.iter().any(|count| *count < 2000), "{counts:?}");
}

/// Harts wake each other by software interrupts.
#[test]
fn software_interrupts_cross_harts() {
    let text = "
        csrr s0, mhartid
        li s1, 0x2000000
        la s3, rounds
        li t0, 8
        csrw mie, t0
        bnez s0, follow
        lead:
        li t0, 1
        sw t0, 4(s1)            # wake hart 1
        sleep:
        wfi
        csrr t0, mip
        andi t0, t0, 8
        beqz t0, sleep
        sw zero, 0(s1)
        ld t0, 0(s3)
        addi t0, t0, 1
        sd t0, 0(s3)
        li t1, 100
        bne t0, t1, lead
        li t5, 0x100000
        li t6, 0x5555
        sw t6, 0(t5)
        j 0
        follow:
        wfi
        csrr t0, mip
        andi t0, t0, 8
        beqz t0, follow
        sw zero, 4(s1)
        li t0, 1
        sw t0, 0(s1)
        j follow
        .align 8
        rounds: .dword 0
    ";
    for quantum in [1, 3, 1000] {
        let mut machine = boot(
            &Config {
                harts: 2,
                quantum,
                ..config()
            },
            text,
        );
        assert_eq!(
            rig::run_to_end(&mut machine, 1_000_000),
            0,
            "quantum {quantum}"
        );
    }
}
