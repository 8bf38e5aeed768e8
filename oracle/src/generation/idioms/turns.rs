//! Several processes that act in turn, and are pre-empted.

use crate::case::Call;
use crate::generation::{Scene, operations};
use std::num::NonZeroU8;

/// Rounds of the scheduler pass.
pub(crate) fn rounds(scene: &mut Scene<'_>) {
    let ticks = NonZeroU8::MIN.saturating_add(scene.below(3) as u8);
    scene.does(Call::Yield { ticks });
}

/// Two processes access the same address in turn.
pub(crate) fn in_turn(scene: &mut Scene<'_>) {
    let Some(other) = scene.other() else {
        return super::forks::child(scene);
    };
    let address = scene.address();
    for process in [scene.process, other, scene.process, other] {
        let access = operations::access_at(address, scene);
        scene.other_does(process, access);
        if scene.one_in(4) {
            rounds(scene);
        }
    }
}

/// Each of several processes does something, with rounds of the scheduler in between.
pub(crate) fn everybody(scene: &mut Scene<'_>) {
    let all: Vec<_> = scene.companion.ready().collect();
    if all.len() < 2 {
        return super::forks::child(scene);
    }
    for process in all {
        let call = scene.operation();
        scene.other_does(process, call);
    }
    rounds(scene);
}

/// One process sleeps for a time, the others continue.
pub(crate) fn sleep_meanwhile(scene: &mut Scene<'_>) {
    let Some(other) = scene.other() else {
        return super::forks::child(scene);
    };
    let ticks = 1 + scene.below(3) as i8;
    scene.does(Call::Pause { ticks });
    for _ in 0..2 {
        let call = scene.operation();
        scene.other_does(other, call);
    }
    scene.other_does(other, Call::Uptime);
}
