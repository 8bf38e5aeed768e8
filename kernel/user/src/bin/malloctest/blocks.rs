//! What a block is: as large and as aligned as asked, and its user's alone.

use user::heap;
use user::testing::random::Random;
use user::testing::{Group, Verdict, child};
use user::{ensure, ensure_equal, need, rules};

use crate::piece::Piece;

/// The rules.
pub const GROUP: Group = Group {
    name: "blocks",
    quick: rules![
        every_block_is_aligned,
        blocks_do_not_overlap,
        nothing_is_a_block_too,
        contents_stay,
        a_child_has_a_heap_of_its_own,
        freeing_twice_is_noticed,
    ],
    slow: &[],
};

fn every_block_is_aligned() -> Verdict {
    for size in (0..300).chain([511, 512, 513, 4095, 4096, 4097, 100_001]) {
        let piece = need!(Piece::new(size, 0));
        ensure_equal!(piece.start() % 16, 0);
        let next = need!(Piece::new(1, 0));
        ensure_equal!(next.start() % 16, 0);
    }
    Ok(())
}

fn blocks_do_not_overlap() -> Verdict {
    const COUNT: usize = 40;
    let mut pieces = [const { None }; COUNT];
    for (index, place) in pieces.iter_mut().enumerate() {
        *place = Some(need!(Piece::new(index * index, index as u8)));
    }
    for (index, piece) in pieces.iter().flatten().enumerate() {
        ensure!(piece.is_intact());
        for other in pieces.iter().flatten().skip(index + 1) {
            ensure!(piece.end() <= other.start() || other.end() <= piece.start());
        }
    }
    Ok(())
}

/// Zero bytes have an address of their own too, and can be freed.
fn nothing_is_a_block_too() -> Verdict {
    let (one, other) = (need!(Piece::new(0, 0)), need!(Piece::new(0, 0)));
    ensure!(one.start() != other.start());
    let around = need!(Piece::new(10, 1));
    drop(one);
    drop(other);
    ensure!(around.is_intact());
    Ok(())
}

/// Pieces of random sizes come and go in random order; each keeps its pattern as long as it lives.
fn contents_stay() -> Verdict {
    const PIECES: usize = 48;
    let mut random = Random::new(3);
    let mut pieces = [const { None::<Piece> }; PIECES];
    for step in 0..6000 {
        let place = &mut pieces[random.below(PIECES as u64) as usize];
        if let Some(piece) = place {
            ensure!(piece.is_intact());
        }
        let size = match random.below(20) {
            0 => random.below(20_000),
            1..5 => random.below(2_000),
            _ => random.below(100),
        };
        // The old piece is freed at once, or when the new one replaces it.
        if random.below(2) == 0 {
            *place = None;
        }
        *place = Some(need!(Piece::new(size as usize, step as u8)));
    }
    ensure!(pieces.iter().flatten().all(Piece::is_intact));
    Ok(())
}

fn a_child_has_a_heap_of_its_own() -> Verdict {
    let mut first = Some(need!(Piece::new(3000, 1)));
    let second = need!(Piece::new(3000, 2));
    child::passes(|| {
        ensure!(first.take().is_some_and(|piece| piece.is_intact()));
        let third = need!(Piece::new(2000, 3));
        let fourth = need!(Piece::new(20_000, 4));
        ensure!(second.is_intact() && third.is_intact() && fourth.is_intact());
        Ok(())
    })?;
    ensure!(first.is_some_and(|piece| piece.is_intact()));
    ensure!(second.is_intact());
    Ok(())
}

/// If a program frees memory that is free already, it panics.
fn freeing_twice_is_noticed() -> Verdict {
    let status = child::status_of(|| {
        let Some(block) = heap::malloc(100) else {
            return 0;
        };
        // SAFETY: the first time it is the caller's; the second time breaks the promise on purpose.
        unsafe {
            heap::free(block);
            heap::free(block);
        }
        0
    })?;
    ensure_equal!(status, 1);
    Ok(())
}
