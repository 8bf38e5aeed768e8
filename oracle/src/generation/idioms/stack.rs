//! Stacks that grow on demand, and the guard pages below them.

use super::memory::grow;
use super::programs::start_agent;
use crate::case::{Address, Amount, Call, Region, Stride, Text};
use crate::generation::{Scene, addresses, operations};
use std::num::NonZeroU8;

/// Touches the stack page by page downwards, as nested calls would.
pub(crate) fn grow_downwards(scene: &mut Scene<'_>) {
    let pages = have_a_growing_stack(scene);
    let top = pages - 1;
    let depth = 1 + scene.below(pages as u32) as i16;
    let offset = scene.offset();
    for page in (top - depth..=top).rev().take(5) {
        let access = operations::access_at(Address::new(Region::Stack, page, offset), scene);
        scene.does(access);
    }
}

/// Jumps far down at once, as one large frame would; then looks in between.
pub(crate) fn jump_downwards(scene: &mut Scene<'_>) {
    let pages = have_a_growing_stack(scene);
    for _ in 0..2 {
        let page = scene.below(pages as u32) as i16;
        let address = Address::new(Region::Stack, page, scene.offset());
        let access = operations::access_at(address, scene);
        scene.does(access);
    }
}

/// The whole stack at once, and a page more: the guard page.
pub(crate) fn down_to_the_guard(scene: &mut Scene<'_>) {
    let pages = have_a_growing_stack(scene);
    let start = scene.below(4) as i16 - 1;
    let count = NonZeroU8::MIN.saturating_add(scene.below(pages as u32) as u8);
    let first = Address::new(Region::Stack, start, scene.offset());
    let touch = operations::touches(first, count, Stride::PAGE, !scene.one_in(3));
    scene.does(touch);
    let guard = addresses::guard(scene);
    let access = operations::access_at(guard, scene);
    scene.does(access);
}

/// A system call whose buffer or path is a hole in the stack, or reaches from one page into the next.
pub(crate) fn call_into_a_hole(scene: &mut Scene<'_>) {
    let pages = have_a_growing_stack(scene);
    let page = scene.below(pages as u32 + 1) as i16 - 1;
    let offset = if scene.one_in(2) {
        scene.last_bytes()
    } else {
        scene.offset()
    };
    let address = Address::new(Region::Stack, page, offset);
    let call = match scene.below(6) {
        0 => Call::Pipe { address },
        1 => Call::Wait {
            status: Some(address),
        },
        2 => Call::Read {
            fd: scene.descriptor(),
            address,
            length: scene.length(),
        },
        3 => Call::Write {
            fd: scene.descriptor(),
            address,
            length: scene.length(),
        },
        4 => operations::path_call_at(address, scene),
        _ => Call::Fstat {
            fd: scene.descriptor(),
            address,
        },
    };
    scene.does(call);
    let access = operations::access_at(address, scene);
    scene.does(access);
}

/// A child of a process whose stack has grown: it shares what is there, and grows by itself.
pub(crate) fn child_with_a_stack(scene: &mut Scene<'_>) {
    let pages = have_a_growing_stack(scene);
    let page = scene.below(pages as u32) as i16;
    let address = Address::new(Region::Stack, page, scene.offset());
    let store = operations::store_at(address, scene);
    scene.does(store);
    let child = scene.child();
    scene.does(Call::Fork { child });
    for process in [child, scene.process] {
        let near = Address::new(
            Region::Stack,
            page - scene.below(2) as i16,
            address.offset(),
        );
        let access = operations::access_at(near, scene);
        scene.other_does(process, access);
    }
}

/// A stack, and after it another of the same or another size: nothing of the first is left.
pub(crate) fn one_stack_after_another(scene: &mut Scene<'_>) {
    let pages = have_a_growing_stack(scene);
    let low = Address::new(Region::Stack, 0, scene.offset());
    let count = NonZeroU8::MIN.saturating_add(pages as u8 - 1);
    scene.does(Call::TouchWrite {
        address: low,
        count,
        stride: Stride::PAGE,
    });
    let pages = start_growing(scene);
    let inside = scene.below(pages as u32) as i16;
    for page in [inside, -1] {
        let address = Address::new(Region::Stack, page, low.offset());
        let access = operations::access_at(address, scene);
        scene.does(access);
    }
}

/// Moves the stack pointer into the heap, as a user-level thread does, or to its end, or beyond it. Uses memory on both
/// sides of it, and moves the break past it.
pub(crate) fn elsewhere(scene: &mut Scene<'_>) {
    let pages = 2 + scene.below(4) as i16;
    scene.does(grow(Amount::pages(pages)));
    let page = scene.below(pages as u32 + 2) as i16;
    let address = Address::new(Region::Heap, page, scene.offset());
    scene.does(Call::Stack { address });
    for _ in 0..2 {
        let page = scene.below(pages as u32 + 1) as i16;
        let address = Address::new(Region::Heap, page, scene.offset());
        let call = match scene.below(4) {
            0 => Call::Pipe { address },
            1 => operations::string_at(address, scene),
            _ => operations::access_at(address, scene),
        };
        scene.does(call);
    }
    if scene.one_in(3) {
        let fewer = -1 - scene.below(3) as i16;
        scene.does(grow(Amount::pages(fewer)));
    }
}

/// A stack that is to grow while there are few frames.
pub(crate) fn grow_without_frames(scene: &mut Scene<'_>) {
    let pages = have_a_growing_stack(scene);
    let child = scene.child();
    scene.does(Call::Fork { child });
    scene.process = child;
    let free = scene.below(4) as u16;
    scene.does(Call::Frames { free });
    let page = scene.below(pages as u32) as i16;
    let address = Address::new(Region::Stack, page, scene.last_bytes());
    let call = match scene.below(4) {
        0 => Call::Pipe { address },
        1 => operations::path_call_at(address, scene),
        2 => operations::touch_at(address, scene),
        _ => operations::access_at(address, scene),
    };
    scene.does(call);
    scene.does(Call::Frames {
        free: Call::ALL_FRAMES,
    });
}

/// Programs whose stack grows, and to how many pages.
const GROWING: [(&str, i16); 5] = [
    ("grow", 10),
    ("eleven", 10),
    ("endless", 10),
    ("six", 6),
    ("two", 2),
];

/// Makes the actor run a program whose stack grows, if it does not yet. Returns to how many pages.
fn have_a_growing_stack(scene: &mut Scene<'_>) -> i16 {
    match scene.stack_pages() as i16 {
        1 => start_growing(scene),
        pages => pages,
    }
}

/// Starts a program whose stack grows. Returns to how many pages.
fn start_growing(scene: &mut Scene<'_>) -> i16 {
    let (name, pages) = scene.pick(&GROWING);
    if let Some(program) = Text::spelled(name) {
        start_agent(program, scene);
    }
    pages
}
