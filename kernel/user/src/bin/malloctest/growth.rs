//! How the heap grows, and what happens when it cannot.

use alloc::vec::Vec;
use core::ptr::NonNull;

use user::heap;
use user::testing::memory::{self, PAGE, heap_end};
use user::testing::{Group, Verdict};
use user::{ensure, ensure_equal, need, rules};

use crate::piece::Piece;

/// The rules.
pub const GROUP: Group = Group {
    name: "growth",
    quick: rules![
        the_break_moves_when_nothing_is_left,
        a_large_block_is_one,
        what_cannot_be_is_refused,
        others_may_move_the_break,
        others_cannot_take_the_heap_away,
    ],
    slow: rules![running_out_is_an_answer],
};

fn the_break_moves_when_nothing_is_left() -> Verdict {
    let before = heap_end();
    let first = need!(Piece::new(1000, 1));
    let after = heap_end();
    ensure!(before < after);
    // Bytes are taken from what is there, then the kernel is asked again.
    let mut pieces = [const { None }; 60];
    let mut moves = 0;
    for place in &mut pieces {
        let before = heap_end();
        *place = Some(need!(Piece::new(1000, 2)));
        moves += u64::from(before != heap_end());
    }
    ensure!((1..=60_000 / PAGE).contains(&moves));
    ensure!(heap_end() - after <= 60 * 1024 + 4 * PAGE);
    ensure!(first.is_intact() && pieces.iter().flatten().all(Piece::is_intact));
    Ok(())
}

fn a_large_block_is_one() -> Verdict {
    let small = need!(Piece::new(10, 1));
    let large = need!(Piece::new(1 << 20, 2));
    ensure!(small.is_intact() && large.is_intact());
    let start = large.start();
    drop(large);
    // Its memory is used for small pieces now, and then for a large one again.
    let before = heap_end();
    let piece = need!(Piece::new(500_000, 3));
    ensure!(piece.is_intact());
    drop(piece);
    ensure_equal!(need!(Piece::new(1 << 20, 4)).start(), start);
    ensure_equal!(heap_end(), before);
    Ok(())
}

/// More than there are addresses, and sums that do not fit into a word.
fn what_cannot_be_is_refused() -> Verdict {
    let before = heap_end();
    for power in 38..64 {
        ensure!(heap::malloc(1 << power).is_none());
    }
    for less in 0..40 {
        ensure!(heap::malloc(usize::MAX - less).is_none());
        ensure!(heap::malloc(isize::MAX as usize - less).is_none());
    }
    ensure_equal!(heap_end(), before);
    ensure!(need!(Piece::new(100, 1)).is_intact());
    Ok(())
}

/// The program itself uses `sbrk` too, by any number of bytes.
fn others_may_move_the_break() -> Verdict {
    let mut pieces = [const { None }; 12];
    for (seed, place) in pieces.iter_mut().enumerate() {
        let own = seed as u64 * 5 + 1;
        let start = need!(memory::lazy(own as i64));
        memory::fill(start, own, 0xee);
        *place = Some(need!(Piece::new(30_000, seed as u8)));
        ensure!(memory::holds(start, own, 0xee));
        memory::fill(start, own, 0x11);
    }
    ensure!(pieces.iter().flatten().all(Piece::is_intact));
    Ok(())
}

/// Memory above the heap can be given back, the heap's cannot.
fn others_cannot_take_the_heap_away() -> Verdict {
    let piece = need!(Piece::new(1000, 1));
    let end = heap_end();
    ensure!(memory::lazy(-1).is_none());
    ensure!(memory::lazy(-(PAGE as i64)).is_none());
    need!(memory::lazy(10_000));
    ensure!(memory::lazy(-10_001).is_none());
    need!(memory::lazy(-10_000));
    ensure_equal!(heap_end(), end);
    ensure!(piece.is_intact());
    Ok(())
}

/// Takes all memory there is; then gives back one block, and all.
fn running_out_is_an_answer() -> Verdict {
    const SIZE: usize = 100_000;
    const MOST: usize = 4000;
    let mut blocks: Vec<NonNull<u8>> = Vec::with_capacity(MOST);
    while let Some(block) = heap::malloc(SIZE) {
        mark(block, SIZE, blocks.len());
        blocks.push(block);
        ensure!(blocks.len() < MOST);
    }
    ensure!(blocks.len() > 1);
    ensure!(heap::malloc(SIZE).is_none());
    for (number, &block) in blocks.iter().enumerate() {
        ensure!(is_marked(block, SIZE, number));
    }
    let middle = blocks.swap_remove(blocks.len() / 2);
    // SAFETY: it is not in use any more.
    unsafe { heap::free(middle) };
    ensure!(need!(heap::malloc(SIZE)) == middle);
    ensure!(heap::malloc(SIZE).is_none());
    blocks.push(middle);
    let all = blocks.len() * SIZE;
    for block in blocks {
        // SAFETY: they are not in use any more.
        unsafe { heap::free(block) };
    }
    let large = need!(heap::malloc(all));
    mark(large, all, 77);
    ensure!(is_marked(large, all, 77));
    Ok(())
}

/// Writes a number to both ends of a block.
fn mark(block: NonNull<u8>, size: usize, number: usize) {
    for at in [0, size - 8] {
        // SAFETY: both are inside the block, which is in no other use.
        unsafe { block.add(at).cast().write_unaligned(number) };
    }
}

fn is_marked(block: NonNull<u8>, size: usize, number: usize) -> bool {
    [0, size - 8].into_iter().all(|at| {
        // SAFETY: `mark` wrote there.
        unsafe { block.add(at).cast::<usize>().read_unaligned() == number }
    })
}
