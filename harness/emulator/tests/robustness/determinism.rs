//! Two runs from the same state are equal, and a run in pieces equals a run in one piece.

use super::busy::{assert_identical, assert_same_future, machine};
use emulator::Exit;

#[test]
fn two_runs_are_identical() {
    for (harts, quantum) in [(1, 4096), (2, 1), (3, 17), (8, 1000)] {
        let [mut one, mut other] = [machine(harts, quantum), machine(harts, quantum)];
        for _ in 0..5 {
            assert_eq!(one.run(50_000), other.run(50_000));
            assert_identical(
                &one,
                &other,
                harts,
                &format!("{harts} harts, quantum {quantum}"),
            );
            assert_eq!(one.edges(), other.edges());
        }
        assert_eq!(one.console_output(), other.console_output());
    }
}

/// Wherever the budget ends, the rest is the same: in the middle of a block, of a quantum, at an
/// interrupt, at a rewritten instruction.
#[test]
fn a_run_in_pieces_equals_a_run_in_one_piece() {
    for (harts, quantum) in [(1, 4096), (2, 64), (3, 7)] {
        for pieces in [
            &[1_u64][..],
            &[2, 3],
            &[7, 1, 1000],
            &[63, 64, 65],
            &[4096, 1],
        ] {
            let total = 30_000;
            let mut whole = machine(harts, quantum);
            assert_eq!(whole.run(total), Exit::Budget);
            let mut cut = machine(harts, quantum);
            let mut left = total;
            for piece in pieces.iter().cycle() {
                let budget = left.min(*piece);
                assert_eq!(cut.run(budget), Exit::Budget);
                left -= budget;
                if left == 0 {
                    break;
                }
            }
            assert!(
                whole.edges() == cut.edges(),
                "{harts} harts, pieces {pieces:?}: edges"
            );
            assert_same_future(
                &mut whole,
                &mut cut,
                harts,
                &format!("{harts} harts, pieces {pieces:?}"),
            );
        }
    }
}

/// The budget counts instructions exactly.
#[test]
fn the_budget_is_exact() {
    use crate::support::rig;
    let mut machine = rig::boot(
        &rig::config(),
        "again: addi a0, a0, 1\n addi a1, a1, 1\n addi a2, a2, 1\n j again",
    );
    let mut total = 0;
    for budget in [0, 1, 2, 3, 5, 1000, 999, 12_345] {
        assert_eq!(machine.run(budget), Exit::Budget);
        total += budget;
        assert_eq!(machine.retired(), total);
        let seen = [10, 11, 12]
            .map(|register| machine.x(0, register))
            .iter()
            .sum::<u64>();
        // The hart's number was in a0, and is zero; every fourth instruction is the jump.
        assert_eq!(seen, total - total / 4);
    }
}

/// Bulk work on memory counts as the instructions that it stands for: a byte loop interrupted
/// anywhere has done exactly its share.
#[test]
fn byte_loops_can_be_cut_anywhere() {
    use crate::support::rig;
    let fill = "
        la a1, ram_end
        li a2, 5000
        add a2, a1, a2
        li a3, 0x77
        fill:
        sb a3, 0(a1)
        addi a1, a1, 1
        bne a1, a2, fill
        la a1, ram_end
        li a4, 20000
        add a4, a1, a4
        copy:
        lbu a5, 0(a1)
        sb a5, 0(a4)
        addi a1, a1, 1
        addi a4, a4, 1
        bne a1, a2, copy
        j 0
        .align 4096
        ram_end:
    ";
    let mut stepped = rig::boot(&rig::config(), fill);
    for round in 0..600_u64 {
        let budget = 1 + round * 13 % 97;
        let mut fast = rig::boot(&rig::config(), fill);
        let target = stepped.retired() + budget;
        for _ in 0..budget {
            stepped.run(1);
        }
        fast.run(target);
        for register in 0..32 {
            assert_eq!(
                fast.x(0, register),
                stepped.x(0, register),
                "x{register} after {target}"
            );
        }
        assert_eq!(fast.pc(0), stepped.pc(0));
        let [mut one, mut other] = [vec![0; 0x8000], vec![0; 0x8000]];
        fast.read_physical(rig::RAM, &mut one).unwrap();
        stepped.read_physical(rig::RAM, &mut other).unwrap();
        assert!(one == other, "memory after {target} instructions");
        if stepped.pc(0) > rig::RAM + 0x60 {
            break;
        }
    }
}
