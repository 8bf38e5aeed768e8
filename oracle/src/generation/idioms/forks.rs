//! Parents and children that share pages until one of them stores.

use super::memory::grow;
use crate::case::{Address, Amount, Call, Process, Region, Width};
use crate::generation::{Scene, operations};

/// A child; where there is no name left for one, a wait.
pub(crate) fn child(scene: &mut Scene<'_>) {
    let call = match scene.companion.free_name() {
        Some(child) => Call::Fork { child },
        None => operations::wait(scene),
    };
    scene.does(call);
}

/// A page is stored to, shared by a fork, stored to by one of the two, and looked at by both.
pub(crate) fn share_and_store(scene: &mut Scene<'_>) {
    let address = scene.address();
    let (parent, child) = (scene.process, scene.child());
    let width = scene.width();
    store(parent, address, scene);
    scene.does(Call::Fork { child });
    let (first, second) = if scene.one_in(2) {
        (parent, child)
    } else {
        (child, parent)
    };
    store(first, address, scene);
    scene.other_does(second, Call::Load { width, address });
    if scene.one_in(2) {
        store(second, address, scene);
    }
    scene.other_does(first, Call::Load { width, address });
}

/// One of two that share a page goes away; the other one stores to it as its only holder, and has a
/// child again.
pub(crate) fn last_holder(scene: &mut Scene<'_>) {
    let address = scene.address();
    let (parent, child) = (scene.process, scene.child());
    store(parent, address, scene);
    scene.does(Call::Fork { child });
    let status = scene.status();
    scene.other_does(child, Call::Exit { status });
    store(parent, address, scene);
    if scene.one_in(2) {
        scene.does(Call::Wait { status: None });
    }
    self::child(scene);
}

/// A shared page is the buffer of a system call that stores to it.
pub(crate) fn shared_buffer(scene: &mut Scene<'_>) {
    let address = operations::good_address(scene);
    let (parent, child) = (scene.process, scene.child());
    // The pipe's own buffer is the first store to the page.
    scene.does(Call::Pipe { address });
    scene.does(Call::Fork { child });
    let (writer, other) = if scene.one_in(2) {
        (parent, child)
    } else {
        (child, parent)
    };
    let length = 1 + scene.below(16) as i16;
    let calls = match scene.below(4) {
        0 => vec![Call::Pipe { address }],
        1 => vec![Call::Fstat { fd: 0, address }],
        _ => vec![
            Call::Write {
                fd: 1,
                address,
                length,
            },
            Call::Read {
                fd: 0,
                address,
                length,
            },
        ],
    };
    for call in calls {
        scene.other_does(writer, call);
    }
    let width = Width::Four;
    for process in [other, writer] {
        scene.other_does(process, Call::Load { width, address });
    }
}

/// A break moves under pages that are shared.
pub(crate) fn shrink_shared(scene: &mut Scene<'_>) {
    let pages = 1 + scene.below(3) as i16;
    scene.does(grow(Amount::pages(pages)));
    let address = Address::new(Region::Break, -1, scene.offset());
    let (parent, child) = (scene.process, scene.child());
    store(parent, address, scene);
    scene.does(Call::Fork { child });
    let (mover, other) = if scene.one_in(2) {
        (parent, child)
    } else {
        (child, parent)
    };
    scene.other_does(mover, grow(Amount::pages(-pages)));
    if scene.one_in(2) {
        scene.other_does(mover, grow(Amount::pages(pages)));
        let width = Width::One;
        scene.other_does(mover, Call::Load { width, address });
    }
    let access = operations::access_at(address, scene);
    scene.other_does(other, access);
}

/// Children of children, that hold a page together; one in the middle stores to it or goes away.
pub(crate) fn three_generations(scene: &mut Scene<'_>) {
    let address = scene.address();
    let width = scene.width();
    store(scene.process, address, scene);
    let names = scene.free_names();
    let &[child, grandchild, ..] = names.as_slice() else {
        return;
    };
    scene.does(Call::Fork { child });
    scene.other_does(child, Call::Fork { child: grandchild });
    match scene.below(3) {
        0 => {
            let status = scene.status();
            scene.other_does(child, Call::Exit { status });
        }
        _ => store(child, address, scene),
    }
    store(grandchild, address, scene);
    for process in [scene.process, child] {
        scene.other_does(process, Call::Load { width, address });
    }
}

fn store(process: Process, address: Address, scene: &mut Scene<'_>) {
    let call = match scene.below(8) {
        0 => operations::touch_at(address, scene),
        _ => operations::store_at(address, scene),
    };
    scene.other_does(process, call);
}
