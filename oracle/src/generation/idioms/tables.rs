//! Page tables that come and go: pages on either side of where one last-level table (2 MiB) ends and
//! the next begins, and a heap that reaches the trapframe.

use super::memory::grow;
use crate::case::{Address, Amount, Base, Call, Flavour, Place, Region, Stride};
use crate::generation::{Scene, operations};
use crate::layout::PAGE_SIZE;
use std::num::NonZeroU8;

/// Pages that one last-level table maps.
const TABLE_PAGES: u64 = 512;

/// Touches pages on both sides of a table's end; then a child, a shrink past the end, a buffer that
/// reaches across it, or an exit; and looks.
pub(crate) fn across_tables(scene: &mut Scene<'_>) {
    let boundary = reach_boundary(scene);
    let first = boundary - 1 - scene.below(4) as i16;
    let touch = touch_write(first, 4 + scene.below(8) as u8, scene);
    scene.does(touch);
    let near = heap(boundary - 1 + scene.below(2) as i16, scene);
    match scene.below(5) {
        0 | 1 => {
            let child = scene.child();
            scene.does(Call::Fork { child });
            let access = operations::access_at(near, scene);
            scene.other_does(child, access);
        }
        2 => {
            let address = operations::good_address(scene);
            scene.does(Call::Pipe { address });
            let (from, to) = (scene.last_bytes(), scene.last_bytes());
            let length = 1 + scene.below(256) as i16;
            scene.does(Call::Write {
                fd: 1,
                address: Address::new(Region::Heap, boundary - 1, from),
                length,
            });
            scene.does(Call::Read {
                fd: 0,
                address: Address::new(Region::Heap, boundary - 1, to),
                length,
            });
        }
        _ => shrink_to(boundary, scene),
    }
    let access = operations::access_at(near, scene);
    scene.does(access);
}

/// Gives back every page of a table, and with them the table; grows again to another page that it
/// maps, and to one of the table below.
pub(crate) fn table_given_back(scene: &mut Scene<'_>) {
    let boundary = reach_boundary(scene);
    let page = boundary + scene.below(3) as i16;
    let store = operations::store_at(heap(page, scene), scene);
    scene.does(store);
    shrink_to(boundary, scene);
    let below = boundary - 1 - scene.below(3) as i16;
    for page in [page, page + 1, below] {
        let access = operations::access_at(heap(page, scene), scene);
        scene.does(access);
    }
}

/// Grows to the trapframe or almost, touches the last pages, and goes back; or a child does.
pub(crate) fn up_to_the_trapframe(scene: &mut Scene<'_>) {
    let pages = -(scene.below(3) as i16);
    let top = Amount::new(Base::Distance(Place::Trapframe), pages, 0);
    scene.does(grow(top));
    let last = Address::new(Region::Break, -1 - scene.below(2) as i16, scene.offset());
    let access = operations::access_at(last, scene);
    scene.does(access);
    let parent = scene.process;
    let forks = scene.one_in(3);
    if forks {
        let child = scene.child();
        scene.does(Call::Fork { child });
        let access = operations::access_at(last, scene);
        scene.other_does(child, access);
        scene.process = child;
    }
    match scene.below(4) {
        0 if forks => scene.does(Call::Exit { status: 0 }),
        1 => {}
        _ => scene.does(grow(Amount::new(Base::Distance(Place::Heap), 0, 0))),
    }
    scene.process = parent;
}

/// Grows past the end of the table that maps the start of the heap: the heap's first page beyond.
fn reach_boundary(scene: &mut Scene<'_>) -> i16 {
    let start = scene.layout().heap / PAGE_SIZE;
    let boundary = (TABLE_PAGES - start % TABLE_PAGES) as i16;
    let beyond = 4 + scene.below(8) as i16;
    scene.does(grow(Amount::new(
        Base::Distance(Place::Heap),
        boundary + beyond,
        0,
    )));
    boundary
}

/// Shrinks to the table's end or a page to either side, and mostly grows to where it was.
fn shrink_to(boundary: i16, scene: &mut Scene<'_>) {
    let page = boundary - 1 + scene.below(3) as i16;
    scene.does(grow(Amount::new(Base::Distance(Place::Heap), page, 0)));
    if !scene.one_in(4) {
        let flavour = scene.pick(&[Flavour::Lazy, Flavour::Lazy, Flavour::Eager]);
        scene.does(Call::Sbrk {
            amount: Amount::pages(12),
            flavour,
        });
    }
}

fn heap(page: i16, scene: &mut Scene<'_>) -> Address {
    Address::new(Region::Heap, page, scene.offset())
}

/// Stores to each of `count` pages of the heap.
fn touch_write(page: i16, count: u8, scene: &mut Scene<'_>) -> Call {
    Call::TouchWrite {
        address: heap(page, scene),
        count: NonZeroU8::MIN.saturating_add(count - 1),
        stride: Stride::PAGE,
    }
}
