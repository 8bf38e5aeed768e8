//! Writes and reads files from several processes at a time, to load the disk and its log. The
//! argument is the number of processes, 5 if there is none.
#![no_std]
#![no_main]

use user::abi::open::{CREATE, READ_ONLY, READ_WRITE};
use user::testing::Verdict;
use user::testing::child::{all_pass, spawn};
use user::testing::files::Name;
use user::testing::memory::buffer;
use user::{Arguments, ensure, ensure_equal, need, println, system};

user::program!(main);

/// Pieces that each file is written in, and bytes of each.
const PIECES: usize = 40;
const PIECE: usize = 512;

fn main(arguments: Arguments) -> i32 {
    let processes = arguments.number(1).unwrap_or(5).clamp(1, 20);
    match stress(processes) {
        Ok(()) => {
            println!("stressfs: ALL PASSED");
            0
        }
        Err(failure) => {
            println!("FAIL stressfs: {failure}");
            1
        }
    }
}

fn stress(processes: usize) -> Verdict {
    for number in 0..processes {
        let _ = spawn(|| write_and_read(number))?;
    }
    all_pass(processes)
}

/// Writes a file from its start to its end, then reads it, then removes it.
fn write_and_read(number: usize) -> Verdict {
    let name = Name::numbered("stressfs", number);
    let piece = buffer(PIECE);
    let file = need!(system::open(name.path(), CREATE | READ_WRITE));
    for place in 0..PIECES {
        piece.fill((number + place) as u8);
        ensure_equal!(system::write(file, piece), PIECE);
    }
    system::close(file);
    let file = need!(system::open(name.path(), READ_ONLY));
    for place in 0..PIECES {
        ensure_equal!(system::read(file, piece), PIECE);
        ensure!(piece.iter().all(|&byte| byte == (number + place) as u8));
    }
    ensure_equal!(system::read(file, piece), 0);
    system::close(file);
    ensure_equal!(system::unlink(name.path()), 0);
    Ok(())
}
