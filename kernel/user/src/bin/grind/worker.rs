//! A process that does one random thing after the other, and knows what the result must be.

use user::testing::random::Random;
use user::testing::{Failure, Verdict};
use user::{ensure_equal, println, system};

use crate::files::Diary;
use crate::memory::Heap;
use crate::{files, processes};

/// Rounds between two signs of life.
const SIGN_OF_LIFE: u64 = 10_000;

/// What a worker knows.
pub struct Worker {
    pub random: Random,
    pub heap: Heap,
    pub diary: Diary,
    /// Whether it may make children: a child of a child may not.
    pub may_fork: bool,
}

/// Works for the given number of rounds, or for ever.
pub fn work(number: u64, rounds: Option<u64>, seed: u64) -> Verdict {
    let own = system::getpid();
    let mut worker = Worker {
        random: Random::new(seed.wrapping_mul(1000) + number),
        heap: Heap::default(),
        diary: Diary::begin(number)?,
        may_fork: true,
    };
    let mut round = 0;
    while rounds.is_none_or(|rounds| round < rounds) {
        worker.do_something()?;
        ensure_equal!(system::getpid(), own);
        round += 1;
        if number == 0 && round % SIGN_OF_LIFE == 0 {
            println!("grind: {round} rounds");
        }
    }
    worker.heap.check()?;
    worker.diary.end()
}

impl Worker {
    /// One random thing.
    pub fn do_something(&mut self) -> Result<(), Failure> {
        let choices = if self.may_fork { 18 } else { 12 };
        match self.random.below(choices) {
            0..=3 => files::play(&mut self.random),
            4 => self.diary.write(&mut self.random),
            5 => self.diary.check(),
            6 => self.heap.grow(&mut self.random),
            7 => self.heap.shrink(&mut self.random),
            8 => self.heap.check(),
            9 => files::descriptors(),
            10 => files::wild_pointers(&mut self.random),
            11 => processes::pipe(&mut self.random),
            12..=13 => processes::child_that_exits(self),
            14 => processes::child_that_is_killed(self),
            15 => processes::orphans(&mut self.random),
            16 => processes::programs(),
            _ => processes::no_programs(),
        }
    }
}
