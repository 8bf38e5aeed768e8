//! A program of many pages, which it knows: text, data, and data that begins as zero. `lazytests`
//! runs it; the first argument says what to try, the second is the file that it runs from.
#![no_std]
#![no_main]

use core::ffi::CStr;
use core::sync::atomic::{AtomicU8, Ordering};

use user::abi::SystemCall;
use user::abi::open::{CREATE, READ_ONLY, READ_WRITE, TRUNCATE, WRITE_ONLY};
use user::testing::Verdict;
use user::testing::child::passes;
use user::testing::files::{create, read_fully};
use user::testing::memory::{PAGE, buffer, call, fetch, holds, load, store};
use user::testing::scarcity::Hoarder;
use user::testing::usage::{Account, program_pages_end, usage};
use user::{Arguments, ensure, ensure_equal, need, println, system};

user::program!(main);

/// Pages of each kind.
const PAGES: usize = 8;
const SIZE: usize = PAGES * PAGE as usize;

#[repr(align(4096))]
struct Pages<T>([T; SIZE]);

/// Lies in the segment of the text, so it cannot be stored to.
static TABLE: Pages<u8> = Pages(table());
/// Lies in the file too, and can be stored to.
static DATA: Pages<AtomicU8> = Pages([const { AtomicU8::new(DATUM) }; SIZE]);
/// Lies in no file.
static ZEROS: Pages<AtomicU8> = Pages([const { AtomicU8::new(0) }; SIZE]);
/// Lies with the text, and can be executed: as many times `ret`, as the compressed instruction.
static RETURNS: Pages<u8> = Pages(returns());
/// A path that the program itself does not read before it passes it to a system call.
static PATH: Pages<AtomicU8> = Pages(path());

const DATUM: u8 = 0xda;

/// What the table has at a place.
const fn entry(place: usize) -> u8 {
    (place % 251) as u8 ^ (place / PAGE as usize) as u8
}

const fn table() -> [u8; SIZE] {
    let mut bytes = [0; SIZE];
    let mut place = 0;
    while place < SIZE {
        bytes[place] = entry(place);
        place += 1;
    }
    bytes
}

const fn returns() -> [u8; SIZE] {
    let mut bytes = [0x82; SIZE];
    let mut place = 1;
    while place < SIZE {
        bytes[place] = 0x80;
        place += 2;
    }
    bytes
}

const fn path() -> [AtomicU8; SIZE] {
    let mut bytes = [const { AtomicU8::new(b'/') }; SIZE];
    // A path of slashes alone is the root.
    bytes[PAGE as usize + 40] = AtomicU8::new(0);
    bytes
}

fn main(arguments: Arguments) -> i32 {
    let (Some(scene), Some(file)) = (arguments.get(1), arguments.get(2)) else {
        println!("usage: paged SCENE FILE");
        return 1;
    };
    let verdict = match scene.to_bytes() {
        b"counts" => pages_come_when_touched(),
        b"unlinked" => unlinked(file),
        b"overwritten" => overwritten(file, WRITE_ONLY),
        b"truncated" => overwritten(file, WRITE_ONLY | TRUNCATE),
        b"waits" => waits(),
        b"reads" => reads_itself(file),
        b"writes" => writes_itself(file),
        b"forks" => forks(),
        b"arguments" => pointers_into_the_program(),
        b"keeps" => keeps_itself(file),
        _ => Ok(()),
    };
    match verdict {
        Ok(()) => 0,
        Err(failure) => {
            println!("  paged: {failure}");
            1
        }
    }
}

fn address<T>(pages: &Pages<T>) -> u64 {
    (&raw const pages.0).expose_provenance() as u64
}

/// Claims that all pages hold what they should, no matter which process reads them first.
fn all_is_right() -> Verdict {
    let table = address(&TABLE);
    for place in 0..SIZE {
        ensure_equal!(load(table + place as u64), entry(place));
    }
    ensure!(holds(address(&DATA), SIZE as u64, DATUM));
    ensure!(holds(address(&ZEROS), SIZE as u64, 0));
    ensure!(holds(address(&PATH), PAGE, b'/'));
    Ok(())
}

/// How many frames and faults the first touch of a page takes, and the next ones.
fn pages_come_when_touched() -> Verdict {
    let all = program_pages_end().div_ceil(PAGE);
    // Only the code that runs now, the stack, and a little more are mapped.
    ensure!(all > 5 * PAGES as u64);
    ensure!(usage().mapped_pages < all - 5 * PAGES as u64 + 2);
    let account = Account::of_now();
    for (number, page) in (0..SIZE as u64).step_by(PAGE as usize).enumerate() {
        ensure_equal!(load(address(&TABLE) + page + 5), entry(page as usize + 5));
        load(address(&TABLE) + page + 4095);
        ensure_equal!(account.frames(), number + 1);
        ensure_equal!(account.change().loads, number + 1);
    }
    ensure_equal!(account.change().mapped, PAGES);
    let account = Account::of_now();
    for (number, page) in (0..SIZE as u64).step_by(PAGE as usize).enumerate() {
        fetch(address(&RETURNS) + page + 6);
        fetch(address(&RETURNS) + page + 4094);
        ensure_equal!(account.frames(), number + 1);
        ensure_equal!(account.change().fetches, number + 1);
    }
    ensure_equal!(account.change().loads, 0);
    let account = Account::of_now();
    for (number, page) in (0..SIZE as u64).step_by(PAGE as usize).enumerate() {
        let place = address(&DATA) + page;
        // Stored to at once, or after a load: either takes one frame.
        if number % 2 == 0 {
            ensure_equal!(load(place), DATUM);
        }
        store(place, 1);
        ensure_equal!(load(place), 1);
        ensure_equal!(load(place + 1), DATUM);
        ensure_equal!(account.frames(), number + 1);
    }
    let account = Account::of_now();
    for page in (0..SIZE as u64).step_by(PAGE as usize) {
        store(address(&ZEROS) + page, 1);
    }
    ensure_equal!(account.frames(), PAGES);
    ensure_equal!(account.change().stores, PAGES);
    ensure!(holds(address(&ZEROS) + 1, PAGE - 1, 0));
    Ok(())
}

/// The file loses its name, and another file takes free blocks.
fn unlinked(file: &CStr) -> Verdict {
    ensure_equal!(system::unlink(file), 0);
    create(file, &buffer(100_000)[..])?;
    all_is_right()
}

/// Opens its own file in `mode`, which may truncate it, and overwrites it with zeros.
fn overwritten(file: &CStr, mode: u32) -> Verdict {
    let own = need!(system::open(file, mode));
    let zeros = buffer(SIZE);
    for _ in 0..6 {
        ensure_equal!(system::write(own, zeros), SIZE);
    }
    all_is_right()
}

/// Another process does something to the file, and then writes to the standard input.
fn waits() -> Verdict {
    ensure_equal!(system::write(3, b"x"), 1);
    ensure_equal!(system::read(0, &mut [0]), 1);
    all_is_right()
}

/// Reads its own file into untouched pages of data. Each page must first be loaded from the file that
/// is being read.
fn reads_itself(file: &CStr) -> Verdict {
    let own = need!(system::open(file, READ_ONLY));
    let place = address(&DATA) + PAGE - 100;
    let arguments = [own as u64, place, 2 * PAGE];
    ensure_equal!(call(SystemCall::Read, arguments), 2 * PAGE);
    ensure!(holds(address(&DATA), PAGE - 100, DATUM));
    ensure!(holds(place + 2 * PAGE, PAGE, DATUM));
    let bytes = buffer(2 * PAGE as usize);
    let again = need!(system::open(file, READ_ONLY));
    ensure_equal!(read_fully(again, bytes), bytes.len());
    for (place, &byte) in (place..).zip(bytes.iter()) {
        ensure_equal!(load(place), byte);
    }
    let status = need!(system::fstat(own));
    let stat = address(&DATA) + 5 * PAGE;
    ensure_equal!(call(SystemCall::Fstat, [own as u64, stat, 0]), 0);
    ensure_equal!(load(stat + 10), status.links);
    Ok(())
}

/// Writes pages of data that nothing has touched: to a pipe, to another file, to its own file.
fn writes_itself(file: &CStr) -> Verdict {
    let data = address(&DATA);
    let (read_end, write_end) = need!(system::pipe());
    ensure_equal!(call(SystemCall::Write, [write_end as u64, data, 300]), 300);
    let bytes = buffer(2 * PAGE as usize);
    ensure_equal!(system::read(read_end, &mut bytes[..300]), 300);
    ensure!(bytes[..300].iter().all(|&byte| byte == DATUM));

    let other = need!(system::open(c"other", CREATE | READ_WRITE));
    let arguments = [other as u64, data + 2 * PAGE, 2 * PAGE];
    ensure_equal!(call(SystemCall::Write, arguments), 2 * PAGE);

    let own = need!(system::open(file, WRITE_ONLY));
    let table = address(&TABLE);
    let arguments = [own as u64, table + PAGE - 7, 2 * PAGE];
    ensure_equal!(call(SystemCall::Write, arguments), 2 * PAGE);
    let arguments = [own as u64, data + 5 * PAGE, 2 * PAGE];
    ensure_equal!(call(SystemCall::Write, arguments), 2 * PAGE);
    all_is_right()?;

    for (path, start) in [(c"other", DATUM), (file, entry(PAGE as usize - 7))] {
        let written = need!(system::open(path, READ_ONLY));
        ensure_equal!(read_fully(written, bytes), bytes.len());
        ensure_equal!(bytes[0], start);
    }
    Ok(())
}

/// Parent and child each touch pages that neither has touched yet.
fn forks() -> Verdict {
    passes(|| {
        all_is_right()?;
        for place in (0..SIZE).step_by(100) {
            DATA.0[place].store(1, Ordering::Relaxed);
            ZEROS.0[place].store(1, Ordering::Relaxed);
        }
        Ok(())
    })?;
    // The next child shares some loaded pages.
    ensure_equal!(load(address(&DATA) + PAGE), DATUM);
    ensure_equal!(load(address(&TABLE) + PAGE), entry(PAGE as usize));
    passes(all_is_right)?;
    all_is_right()
}

/// Strings and results in pages that nothing has touched.
fn pointers_into_the_program() -> Verdict {
    let before = usage().system_call_faults;
    // Both pages are read: the string ends in the second one.
    let path = address(&PATH) + PAGE - 20;
    ensure_equal!(call(SystemCall::Chdir, [path, 0, 0]), 0);
    ensure_equal!(usage().system_call_faults, before + 2);
    ensure_equal!(call(SystemCall::Pipe, [address(&DATA) + PAGE - 4, 0, 0]), 0);
    ensure_equal!(usage().system_call_faults, before + 4);
    let child = need!(system::fork());
    if child == 0 {
        system::exit(0x7777_7777);
    }
    let status = address(&DATA) + 3 * PAGE - 2;
    ensure_equal!(call(SystemCall::Wait, [status, 0, 0]), child);
    ensure!(holds(status, 4, 0x77));
    ensure_equal!(load(status - 1), DATUM);
    ensure_equal!(load(status + 4), DATUM);
    // The text cannot hold results, loaded or not.
    ensure_equal!(call(SystemCall::Pipe, [address(&TABLE) + PAGE, 0, 0]), -1);
    ensure_equal!(load(address(&TABLE) + PAGE), entry(PAGE as usize));
    Ok(())
}

/// No frame is free for a copy of the file: it cannot be written, and all pages stay right.
fn keeps_itself(file: &CStr) -> Verdict {
    let own = need!(system::open(file, WRITE_ONLY));
    let few = Hoarder::leaving(8)?;
    ensure_equal!(system::write(own, b"something else"), -1);
    ensure_equal!(system::open(file, WRITE_ONLY | TRUNCATE), -1);
    drop(few);
    let again = need!(system::open(file, READ_ONLY));
    let bytes = &mut [0; 4];
    ensure_equal!(system::read(again, bytes), 4);
    ensure!(*bytes == *b"\x7fELF");
    ensure_equal!(system::write(own, b"something else"), 14);
    all_is_right()
}
