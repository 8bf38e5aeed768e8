//! Few frames or none, and every way to need one.

use crate::case::{Address, Amount, Base, Call, Flavour, Place, Region};
use crate::generation::{Scene, addresses, operations};
use std::num::NonZeroU8;

/// Few frames, an operation that needs some, and all frames again. (If the process is killed for want
/// of a frame, its later operations do not run.)
pub(crate) fn needy(scene: &mut Scene<'_>) {
    leave_few(6, scene);
    let call = match scene.below(4) {
        0 => scene.operation(),
        _ => {
            let address = addresses::near_break(scene);
            operations::touch_at(address, scene)
        }
    };
    scene.does(call);
    leave(Call::ALL_FRAMES, scene);
}

/// From now on few frames.
pub(crate) fn scarce(scene: &mut Scene<'_>) {
    leave_few(12, scene);
}

/// The same system call again and again, with one frame more each time: it comes one step further.
pub(crate) fn one_frame_more(scene: &mut Scene<'_>) {
    let most = 1 + scene.below(5) as u16;
    let address = operations::good_address(scene);
    let call = match scene.below(5) {
        0 => Call::Pipe { address },
        1 => operations::path_call_at(address, scene),
        2 | 3 => operations::read(scene),
        _ => Call::Fork {
            child: scene.child(),
        },
    };
    let string = operations::string_at(address, scene);
    scene.does(string);
    for free in 0..=most {
        leave(free, scene);
        scene.does(call);
    }
    leave(Call::ALL_FRAMES, scene);
}

/// A fork, a new program or a pipe with frames for a part of it.
pub(crate) fn half_of_a_large_call(scene: &mut Scene<'_>) {
    let prepare = operations::store_at(scene.address(), scene);
    scene.does(prepare);
    let path = operations::good_address(scene);
    let call = match scene.below(4) {
        0 => {
            let string = operations::string_at(path, scene);
            scene.does(string);
            Call::Exec {
                address: path,
                arguments: scene.address().near(),
            }
        }
        1 => operations::pipe(scene),
        _ => Call::Fork {
            child: scene.child(),
        },
    };
    leave_few(16, scene);
    scene.does(call);
    leave(Call::ALL_FRAMES, scene);
}

/// One request for a frame fails, in an operation that needs several.
pub(crate) fn refuse_one(scene: &mut Scene<'_>) {
    let failure = operations::fail_frame(scene);
    scene.does(failure);
    let call = large_call(scene);
    scene.does(call);
    leave(Call::ALL_FRAMES, scene);
}

/// The same call again and again, and each time one request later fails.
pub(crate) fn refuse_each(scene: &mut Scene<'_>) {
    let call = large_call(scene);
    let most = 1 + scene.below(5) as u8;
    for nth in (1..=most).filter_map(NonZeroU8::new) {
        scene.does(Call::FailFrame { nth });
        scene.does(call);
    }
    leave(Call::ALL_FRAMES, scene);
}

/// Something that needs several frames.
fn large_call(scene: &mut Scene<'_>) -> Call {
    match scene.below(6) {
        0 => operations::pipe(scene),
        1 => operations::touch(scene),
        2 => Call::Sbrk {
            amount: Amount::pages(1 + scene.below(8) as i16),
            flavour: Flavour::Eager,
        },
        3 => operations::path_call(scene),
        _ => Call::Fork {
            child: scene.child(),
        },
    }
}

/// A growth with frames for about its pages, and perhaps none for the table that maps them.
pub(crate) fn frames_for_pages_only(scene: &mut Scene<'_>) {
    // The last page that a table maps, and the first of the next.
    let gap = scene.pick(&[0, 505, 510, 1018]);
    scene.does(Call::Sbrk {
        amount: Amount::pages(gap),
        flavour: Flavour::Lazy,
    });
    let pages = 1 + scene.below(8) as u16;
    leave(pages + scene.below(3) as u16, scene);
    scene.does(Call::Sbrk {
        amount: Amount::pages(pages as i16),
        flavour: Flavour::Eager,
    });
    leave(Call::ALL_FRAMES, scene);
    let address = addresses::near_break(scene);
    let access = operations::access_at(address, scene);
    scene.does(access);
}

/// A growth for which there are too few frames, from a break inside a page that is in use.
pub(crate) fn refused_growth_within_a_page(scene: &mut Scene<'_>) {
    let bytes = 1 + scene.below(4095) as i16;
    scene.does(Call::Sbrk {
        amount: Amount::new(Base::Distance(Place::PageEnd), 0, bytes),
        flavour: Flavour::Lazy,
    });
    let last = Address::new(Region::Break, 0, 0);
    let store = operations::store_at(last, scene);
    scene.does(store);
    leave_few(6, scene);
    let pages = 6 + scene.below(8) as i16;
    scene.does(Call::Sbrk {
        amount: Amount::pages(pages),
        flavour: Flavour::Eager,
    });
    leave(Call::ALL_FRAMES, scene);
}

/// Takes descriptors until none is left, and then calls that need one or two.
pub(crate) fn use_up_descriptors(scene: &mut Scene<'_>) {
    let address = operations::good_address(scene);
    let left = scene.below(4);
    scene.does(Call::Pipe { address });
    for _ in 0..14 - left {
        scene.does(Call::Dup { fd: 0 });
    }
    for _ in 0..2 {
        let call = match scene.below(3) {
            0 => operations::path_call_at(address, scene),
            1 => Call::Dup { fd: 1 },
            _ => Call::Pipe { address },
        };
        scene.does(call);
    }
}

/// Forks that find no frame, and one that does: each failure gives its slot back.
pub(crate) fn forks_without_frames(scene: &mut Scene<'_>) {
    let child = scene.child();
    for _ in 0..2 + scene.below(4) {
        let nth = scene.nth();
        scene.does(Call::FailFrame { nth });
        scene.does(Call::Fork { child });
    }
    leave(Call::ALL_FRAMES, scene);
    scene.does(Call::Fork { child });
}

/// The last holder of a page stores to it, in a program or in a system call, when no frame is left.
pub(crate) fn last_holder_without_frames(scene: &mut Scene<'_>) {
    let address = operations::good_address(scene);
    let store = operations::store_at(address, scene);
    let child = scene.child();
    scene.does(store);
    scene.does(Call::Fork { child });
    let gone = match scene.below(3) {
        0 => operations::store_at(address, scene),
        1 => operations::exit(scene),
        _ => Call::Exit { status: 0 },
    };
    scene.other_does(child, gone);
    leave(0, scene);
    let call = match scene.below(3) {
        0 => Call::Fstat {
            fd: scene.descriptor(),
            address,
        },
        _ => operations::store_at(address, scene),
    };
    scene.does(call);
    leave(Call::ALL_FRAMES, scene);
}

/// Processes that compete for the last frames; each that dies leaves some to the others.
pub(crate) fn compete(scene: &mut Scene<'_>) {
    let child = scene.child();
    scene.does(Call::Fork { child });
    leave_few(4, scene);
    for _ in 0..2 {
        for process in [scene.process, child] {
            let address = addresses::near_break(scene);
            let touch = operations::touch_at(address, scene);
            scene.other_does(process, touch);
        }
    }
    let wait = operations::wait(scene);
    scene.does(wait);
    leave(Call::ALL_FRAMES, scene);
}

/// A copy on write, or a system call's buffer, for which there is no frame.
pub(crate) fn copy_without_a_frame(scene: &mut Scene<'_>) {
    let address = operations::good_address(scene);
    let store = operations::store_at(address, scene);
    let (parent, child) = (scene.process, scene.child());
    scene.does(store);
    scene.does(Call::Fork { child });
    leave_few(2, scene);
    let call = match scene.below(3) {
        0 => Call::Fstat {
            fd: scene.descriptor(),
            address,
        },
        _ => operations::store_at(address, scene),
    };
    scene.other_does(child, call);
    leave(Call::ALL_FRAMES, scene);
    let look = operations::access_at(address, scene);
    scene.other_does(parent, look);
}

/// The environment leaves this many frames free.
fn leave(free: u16, scene: &mut Scene<'_>) {
    scene.does(Call::Frames { free });
}

/// The environment leaves fewer frames free than `below`.
fn leave_few(below: u32, scene: &mut Scene<'_>) {
    let free = scene.below(below) as u16;
    leave(free, scene);
}
