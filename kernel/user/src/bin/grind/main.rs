//! Random system calls in several processes on one file system, to find bugs that no rule looks
//! for. `grind` goes on for ever, `grind ROUNDS` stops after so many calls of each process, and
//! `grind ROUNDS SEED` makes other calls. It ends with status 1 when something impossible happens.
#![no_std]
#![no_main]

mod files;
mod memory;
mod processes;
mod worker;

use user::testing::child::{all_pass, spawn};
use user::testing::usage::{self, free_frames, settle};
use user::testing::{Failure, Verdict};
use user::{Arguments, ensure, ensure_equal, need, println, system};

user::program!(main);

/// Processes that work against each other.
const WORKERS: u64 = 3;
/// Times that the clock may tick until orphans have ended.
const PATIENCE: u32 = 50;

fn main(arguments: Arguments) -> i32 {
    usage::begin();
    let rounds = arguments.number(1).filter(|&rounds| rounds > 0);
    let seed = arguments.number(2).unwrap_or(0);
    match grind(rounds, seed) {
        Ok(()) => {
            println!("grind: ALL PASSED");
            0
        }
        Err(failure) => {
            println!("FAIL grind {} {seed}: {failure}", rounds.unwrap_or(0));
            1
        }
    }
}

fn grind(rounds: Option<u64>, seed: u64) -> Verdict {
    settle();
    let frames = free_frames();
    files::enter_yard()?;
    for number in 0..WORKERS {
        let _ = spawn(|| worker::work(number, rounds, seed))?;
    }
    all_pass(WORKERS as usize)?;
    files::leave_yard()?;
    frames_are_back(frames)
}

/// Waits for orphans to end; then as many frames must be free as before.
fn frames_are_back(before: u64) -> Verdict {
    for _ in 0..PATIENCE {
        if free_frames() == before {
            return Ok(());
        }
        ensure_equal!(system::pause(1), 0);
    }
    ensure_equal!(free_frames(), before);
    Ok(())
}

/// Makes a pipe, writes `bytes` to it, at most as many as it holds, and returns its read end.
fn pipe_with(bytes: &[u8]) -> Result<i32, Failure> {
    let (read_end, write_end) = need!(system::pipe());
    ensure_equal!(system::write(write_end, bytes), bytes.len());
    ensure!(system::close(write_end).is_some());
    Ok(read_end)
}
