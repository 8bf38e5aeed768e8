//! Finds where a hart rests that does not sleep when it has no process to run.

use crate::guest::resting::{RestingPlace, Rounds};
use emulator::isa::Privilege;
use emulator::isa::csr::{self, status};
use emulator::{Exit, Machine};
use std::collections::BTreeMap;

/// Instructions in which a hart makes at least three rounds: each a scan of a large process table.
const OBSERVED: u32 = 400_000;

/// The resting place of `hart`, which has no process to run, if it makes rounds of a loop. Of all places that it
/// passes with interrupts on, and with the same registers in each round, it is the one that it passes
/// least often: in inner loops, registers differ.
pub(super) fn find(machine: &mut Machine, hart: usize) -> Option<RestingPlace> {
    let mut places: BTreeMap<u64, (Rounds, Option<u64>)> = BTreeMap::new();
    for _ in 0..OBSERVED {
        if machine.run_hart(hart, 1) != Exit::Budget {
            return None;
        }
        if interrupts_are_on(machine, hart) {
            let (rounds, round) = places.entry(machine.pc(hart)).or_default();
            *round = rounds.pass(machine, hart);
        }
    }
    let places = places
        .into_iter()
        .filter_map(|(pc, (_, round))| Some(RestingPlace { pc, round: round? }));
    // The first of those that are passed equally often.
    places.rev().max_by_key(|place| place.round)
}

/// Whether `hart` is in the kernel and can be interrupted there. xv6 and its ports never hold a spin lock then.
fn interrupts_are_on(machine: &Machine, hart: usize) -> bool {
    let status = machine.csr(hart, csr::SSTATUS).unwrap_or(0);
    machine.privilege(hart) == Privilege::Supervisor && status & status::SIE != 0
}

/// Runs `hart` until it is at `place`, for at most `budget` instructions. Returns whether it is there.
pub(super) fn go_to(machine: &mut Machine, hart: usize, place: RestingPlace, budget: u64) -> bool {
    if !machine.set_breakpoint(place.pc) {
        return false;
    }
    let exit = machine.run_hart(hart, budget);
    machine.clear_breakpoint(place.pc);
    matches!(exit, Exit::Breakpoint { .. })
}
