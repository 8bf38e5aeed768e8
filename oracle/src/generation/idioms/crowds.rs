//! Crowds: what a process shares with many, and a full table of processes.

use super::forks;
use crate::case::Call;
use crate::generation::{Scene, operations};
use std::num::NonZeroU8;

/// A crowd costs as much as hundreds of other operations. So these idioms make it only once in so many times, and a
/// single child otherwise.
const SELDOM: u32 = 4;

/// More than xv6's table of processes has room for.
const FULL: NonZeroU8 = NonZeroU8::new(64).unwrap();

/// A process makes a crowd, stores to memory that it shares with it, and tells it to go. In between, a child of another
/// name may share the memory as well.
pub(crate) fn share_with_many(scene: &mut Scene<'_>) {
    if !scene.one_in(SELDOM) {
        return forks::child(scene);
    }
    let address = operations::good_address(scene);
    let store = operations::store_at(address, scene);
    scene.does(store);
    let child = scene.child();
    if scene.one_in(2) {
        scene.does(Call::Fork { child });
    }
    let members = scene.members();
    scene.does(Call::Crowd { members });
    let store = operations::store_at(address, scene);
    match scene.below(3) {
        0 => scene.other_does(child, store),
        _ => scene.does(store),
    }
    let access = operations::access_at(address, scene);
    scene.does(access);
    scene.does(Call::Disperse { address });
}

/// The table of processes is full, or nearly: what needs a place in it finds none.
pub(crate) fn fill_the_table(scene: &mut Scene<'_>) {
    if !scene.one_in(SELDOM) {
        return forks::child(scene);
    }
    let child = scene.child();
    scene.does(Call::Fork { child });
    scene.does(Call::Crowd { members: FULL });
    let another = scene.child();
    scene.does(Call::Fork { child: another });
    for _ in 0..1 + scene.below(3) {
        let call = scene.operation();
        scene.other_does(child, call);
    }
    let exit = operations::exit(scene);
    scene.other_does(child, exit);
    scene.does(Call::Wait { status: None });
    scene.does(Call::Fork { child: another });
    let address = operations::good_address(scene);
    scene.does(Call::Disperse { address });
}
