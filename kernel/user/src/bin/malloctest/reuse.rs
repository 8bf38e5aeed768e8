//! What is freed is used again: the break moves only if nothing that is free is large enough.

use user::testing::memory::heap_end;
use user::testing::random::Random;
use user::testing::{Group, Verdict};
use user::{ensure, ensure_equal, need, rules};

use crate::piece::Piece;

/// The rules.
pub const GROUP: Group = Group {
    name: "reuse",
    quick: rules![
        one_block_again_and_again,
        the_rest_of_a_block_is_used,
        neighbours_become_one,
        what_lies_between_stays,
        all_comes_back_in_any_order,
    ],
    slow: &[],
};

fn one_block_again_and_again() -> Verdict {
    let start = need!(Piece::new(1000, 0)).start();
    let before = heap_end();
    for round in 0..10_000 {
        let piece = need!(Piece::new(1000, round as u8));
        ensure_equal!(piece.start(), start);
    }
    ensure_equal!(heap_end(), before);
    Ok(())
}

/// Small blocks fit where a large one was, with a loss of only 16 bytes each.
fn the_rest_of_a_block_is_used() -> Verdict {
    let large = need!(Piece::new(3 * 112 - 16, 0));
    let _wall = need!(Piece::new(1, 0));
    let (start, end) = (large.start(), large.end());
    drop(large);
    let pieces = [
        need!(Piece::new(96, 1)),
        need!(Piece::new(81, 2)),
        need!(Piece::new(96, 3)),
    ];
    ensure!(
        pieces
            .iter()
            .all(|piece| start <= piece.start() && piece.end() <= end)
    );
    ensure!(pieces.iter().all(Piece::is_intact));
    Ok(())
}

fn neighbours_become_one() -> Verdict {
    const ORDERS: [[usize; 3]; 6] = [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ];
    for order in ORDERS {
        let [first, second, third] = [1, 2, 3].map(|seed| Piece::new(1008, seed));
        let wall = need!(Piece::new(16, 4));
        let start = need!(first.as_ref()).start();
        let mut pieces = [first, second, third];
        for index in order {
            pieces[index] = None;
        }
        // Exactly what three blocks of 1024 bytes hold.
        let all = need!(Piece::new(3 * 1024 - 16, 5));
        ensure_equal!(all.start(), start);
        ensure!(wall.is_intact());
    }
    Ok(())
}

fn what_lies_between_stays() -> Verdict {
    let first = need!(Piece::new(1000, 1));
    let second = need!(Piece::new(1000, 2));
    let third = need!(Piece::new(1000, 3));
    let _wall = need!(Piece::new(16, 4));
    let start = first.start();
    drop(first);
    drop(third);
    let large = need!(Piece::new(1500, 5));
    ensure!(large.start() != start);
    ensure!(second.is_intact() && large.is_intact());
    Ok(())
}

/// Blocks of all sizes, freed in any order, become one block again.
fn all_comes_back_in_any_order() -> Verdict {
    const PIECES: usize = 48;
    let mut random = Random::new(7);
    let mut pieces = [const { None::<Piece> }; PIECES];
    let start = need!(Piece::new(1, 0)).start();
    for _ in 0..50 {
        for (seed, place) in pieces.iter_mut().enumerate() {
            let size = random.below(1500) as usize;
            *place = Some(need!(Piece::new(size, seed as u8)));
        }
        for left in (0..PIECES).rev() {
            let index = random.below(left as u64 + 1) as usize;
            ensure!(pieces[index].as_ref().is_some_and(Piece::is_intact));
            pieces[index] = None;
            pieces.swap(index, left);
        }
        let before = heap_end();
        let all = need!(Piece::new(before as usize - start, 0));
        ensure_equal!(all.start(), start);
        ensure_equal!(heap_end(), before);
    }
    Ok(())
}
