//! Births, sleeps and deaths.

use crate::case::{Call, Target};
use crate::generation::{Scene, operations};

pub(crate) fn wait(scene: &mut Scene<'_>) {
    let call = operations::wait(scene);
    scene.does(call);
}

pub(crate) fn kill(scene: &mut Scene<'_>) {
    let call = operations::kill(scene);
    scene.does(call);
}

/// A child that ends, by itself or not, and is waited for, before or after.
pub(crate) fn birth_and_death(scene: &mut Scene<'_>) {
    let child = scene.child();
    scene.does(Call::Fork { child });
    let end = match scene.below(4) {
        0 => operations::access(scene),
        1 => operations::fetch(scene),
        _ => operations::exit(scene),
    };
    let wait = operations::wait(scene);
    if scene.one_in(2) {
        scene.does(wait);
        scene.other_does(child, end);
    } else {
        scene.other_does(child, end);
        scene.does(wait);
    }
}

/// A child that leaves an orphan: another process has to wait for it.
pub(crate) fn orphan(scene: &mut Scene<'_>) {
    let names = scene.free_names();
    let &[child, grandchild, ..] = names.as_slice() else {
        return wait(scene);
    };
    scene.does(Call::Fork { child });
    scene.other_does(child, Call::Fork { child: grandchild });
    let mut deaths = [child, grandchild];
    if scene.one_in(3) {
        deaths.reverse();
    }
    for process in deaths {
        let exit = operations::exit(scene);
        scene.other_does(process, exit);
    }
    wait(scene);
}

/// A child and a grandchild that has ended: without a `wait`, the first process inherits it while no
/// child of its own ends.
pub(crate) fn inheritance(scene: &mut Scene<'_>) {
    let names = scene.free_names();
    let &[child, grandchild, ..] = names.as_slice() else {
        return wait(scene);
    };
    scene.does(Call::Fork { child });
    scene.other_does(child, Call::Fork { child: grandchild });
    let exit = operations::exit(scene);
    scene.other_does(grandchild, exit);
    if scene.one_in(3) {
        let end = operations::exit(scene);
        scene.other_does(child, end);
    }
}

/// A parent that sleeps in `wait` is killed, and so is its child: some process must reap the child,
/// but no rule says which.
pub(crate) fn kill_the_family(scene: &mut Scene<'_>) {
    let names = scene.free_names();
    let &[child, grandchild, ..] = names.as_slice() else {
        return kill(scene);
    };
    scene.does(Call::Fork { child });
    scene.other_does(child, Call::Fork { child: grandchild });
    let sleep = operations::wait(scene);
    scene.other_does(child, sleep);
    let mut victims = [child, grandchild];
    if scene.one_in(2) {
        victims.reverse();
    }
    for victim in victims {
        scene.does(Call::Kill {
            target: Target::Process(victim),
        });
    }
    wait(scene);
}

/// A process that is killed in its sleep: in a wait, a read or a pause.
pub(crate) fn kill_a_sleeper(scene: &mut Scene<'_>) {
    let names = scene.free_names();
    let &[child, grandchild, ..] = names.as_slice() else {
        return kill(scene);
    };
    let sleep = match scene.below(3) {
        0 => {
            let address = operations::good_address(scene);
            scene.does(Call::Pipe { address });
            Call::Read {
                fd: 0,
                address,
                length: 1 + scene.below(16) as i16,
            }
        }
        1 => Call::Pause {
            ticks: 1 + scene.below(4) as i8,
        },
        _ => Call::Wait { status: None },
    };
    scene.does(Call::Fork { child });
    if matches!(sleep, Call::Wait { .. }) {
        scene.other_does(child, Call::Fork { child: grandchild });
    }
    scene.other_does(child, sleep);
    scene.does(Call::Kill {
        target: Target::Process(child),
    });
    wait(scene);
}

/// A process kills another one that has something left to do, and does not wait.
pub(crate) fn kill_and_go_on(scene: &mut Scene<'_>) {
    if let Some(other) = scene.other() {
        scene.does(Call::Kill {
            target: Target::Process(other),
        });
        let call = scene.operation();
        scene.does(call);
    } else {
        super::forks::child(scene);
    }
}

/// Several children at once, that end in another order than they were born.
pub(crate) fn many_children(scene: &mut Scene<'_>) {
    let mut children = scene.free_names();
    children.truncate(2 + scene.below(3) as usize);
    for child in &children {
        scene.does(Call::Fork { child: *child });
    }
    while !children.is_empty() {
        let at = scene.below(children.len() as u32) as usize;
        let exit = operations::exit(scene);
        scene.other_does(children.swap_remove(at), exit);
    }
    wait(scene);
}
