//! System calls with pointers that they must not trust.

use user::abi::SystemCall;
use user::abi::file_system::BLOCK_SIZE;
use user::abi::limits::PATH;
use user::abi::open::{CREATE, READ_ONLY, READ_WRITE, WRITE_ONLY};
use user::testing::child::spawn;
use user::testing::files::{contains, create, exists};
use user::testing::memory::{NOBODY, PAGE, call, fill, grow, heap_end, load, shrink, store, text};
use user::testing::{Group, Verdict};
use user::{ensure, ensure_equal, need, rules, system};

pub const GROUP: Group = Group {
    name: "pointers",
    quick: rules![
        writes_from_bad_addresses,
        reads_to_bad_addresses,
        strings_at_bad_addresses,
        strings_at_every_page,
        strings_over_the_end_of_memory,
        strings_up_to_the_end_of_memory,
        strings_over_the_end_of_a_page,
        paths_up_to_the_limit,
        memory_given_back,
        wild_addresses,
        negative_lengths,
        wait_with_a_bad_pointer,
        pipe_with_a_bad_pointer,
        fstat_with_a_bad_pointer,
        file_write_that_ends_in_bad_memory,
        file_read_that_ends_in_bad_memory,
        pipe_write_that_ends_in_bad_memory,
        pipe_read_that_ends_in_bad_memory,
        text_is_no_buffer,
    ],
    slow: rules![],
};

fn read(descriptor: i32, address: u64, length: u64) -> i64 {
    call(SystemCall::Read, [descriptor as u64, address, length])
}

fn write(descriptor: i32, address: u64, length: u64) -> i64 {
    call(SystemCall::Write, [descriptor as u64, address, length])
}

fn writes_from_bad_addresses() -> Verdict {
    for address in NOBODY {
        let file = need!(system::open(c"file", CREATE | WRITE_ONLY));
        ensure_equal!(write(file, address, 8192), -1);
        ensure_equal!(need!(system::fstat(file)).size, 0);
        system::close(file);
        ensure!(write(1, address, 8192) <= 0);
        let (read_end, write_end) = need!(system::pipe());
        ensure!(write(write_end, address, 8192) <= 0);
        system::close(read_end);
        system::close(write_end);
    }
    Ok(())
}

fn reads_to_bad_addresses() -> Verdict {
    create(c"file", b"something")?;
    for address in NOBODY.into_iter().chain([0]) {
        let file = need!(system::open(c"file", READ_ONLY));
        ensure!(read(file, address, 8192) <= 0);
        system::close(file);
        let (read_end, write_end) = need!(system::pipe());
        ensure_equal!(system::write(write_end, b"x"), 1);
        ensure!(read(read_end, address, 8192) <= 0);
        system::close(read_end);
        system::close(write_end);
    }
    Ok(())
}

/// Every call that takes a path, with a bad one at `address`.
fn refuses_path(address: u64) -> Verdict {
    let good = c"good".as_ptr().addr() as u64;
    for mode in [READ_ONLY, CREATE | WRITE_ONLY] {
        ensure_equal!(call(SystemCall::Open, [address, mode.into(), 0]), -1);
    }
    ensure_equal!(call(SystemCall::Chdir, [address, 0, 0]), -1);
    ensure_equal!(call(SystemCall::Mkdir, [address, 0, 0]), -1);
    ensure_equal!(call(SystemCall::Mknod, [address, 1, 0]), -1);
    ensure_equal!(call(SystemCall::Unlink, [address, 0, 0]), -1);
    ensure_equal!(call(SystemCall::Link, [address, good, 0]), -1);
    ensure_equal!(call(SystemCall::Link, [good, address, 0]), -1);
    let arguments = [c"good".as_ptr(), core::ptr::null()];
    let array = arguments.as_ptr().expose_provenance() as u64;
    ensure_equal!(call(SystemCall::Exec, [address, array, 0]), -1);
    ensure!(exists(c"good"));
    Ok(())
}

fn strings_at_bad_addresses() -> Verdict {
    create(c"good", b"")?;
    for address in NOBODY {
        refuses_path(address)?;
    }
    refuses_path(heap_end())
}

/// A name for a file that is not there: whatever lies at these addresses, the call fails.
fn strings_at_every_page() -> Verdict {
    let missing = c"missing".as_ptr().addr() as u64;
    for address in (0..1100 * 1024).step_by(PAGE as usize) {
        ensure_equal!(call(SystemCall::Link, [missing, address, 0]), -1);
    }
    Ok(())
}

/// Strings without an end in the last bytes of memory.
fn strings_over_the_end_of_memory() -> Verdict {
    create(c"good", b"")?;
    let end = grow(2) + 2 * PAGE;
    for length in [1, 2, 60] {
        fill(end - length, length, b'x');
        refuses_path(end - length)?;
    }
    Ok(())
}

fn put(address: u64, text: &[u8]) {
    for (place, &byte) in (address..).zip(text) {
        store(place, byte);
    }
}

fn strings_up_to_the_end_of_memory() -> Verdict {
    let end = grow(1) + PAGE;
    put(end - 5, b"last\0");
    let file = call(SystemCall::Open, [end - 5, (CREATE | READ_WRITE).into(), 0]);
    ensure!(file >= 0);
    ensure!(exists(c"last"));
    ensure_equal!(call(SystemCall::Unlink, [end - 5, 0, 0]), 0);
    // The empty name, in the very last byte.
    ensure_equal!(call(SystemCall::Chdir, [end - 1, 0, 0]), 0);
    Ok(())
}

fn strings_over_the_end_of_a_page() -> Verdict {
    let middle = grow(2) + PAGE;
    for before in 0..6 {
        put(middle - before, b"acros\0");
        ensure_equal!(call(SystemCall::Mkdir, [middle - before, 0, 0]), 0);
        ensure_equal!(system::unlink(c"acros"), 0);
    }
    Ok(())
}

/// A path has 127 bytes at most: with its end it must fit into the kernel's buffer.
fn paths_up_to_the_limit() -> Verdict {
    create(c"good", b"")?;
    let place = grow(1);
    let limit = PATH as u64;
    // As many slashes as it takes, then a name.
    fill(place, limit + 1, b'/');
    store(place, b'.');
    put(place + limit - 5, b"good\0");
    ensure!(call(SystemCall::Open, [place, READ_ONLY.into(), 0]) >= 0);
    // One byte more.
    put(place + limit - 5, b"/good\0");
    refuses_path(place)?;
    // All of one name.
    fill(place, limit, b'x');
    store(place + limit, 0);
    refuses_path(place)?;
    store(place + limit - 1, 0);
    ensure_equal!(call(SystemCall::Mkdir, [place, 0, 0]), 0);
    ensure!(exists(c"xxxxxxxxxxxxxx"));
    Ok(())
}

fn memory_given_back() -> Verdict {
    let place = grow(2);
    store(place + PAGE, 1);
    shrink(2);
    create(c"full", b"0123456789")?;
    let file = need!(system::open(c"file", CREATE | WRITE_ONLY));
    ensure_equal!(write(file, place + PAGE, 1024), -1);
    ensure_equal!(need!(system::fstat(file)).size, 0);
    let file = need!(system::open(c"full", READ_ONLY));
    ensure_equal!(read(file, place + PAGE, 10), -1);
    Ok(())
}

/// Addresses whose low half is a good address, and others that overflow when a length is added.
fn wild_addresses() -> Verdict {
    create(c"good", b"")?;
    let here = text();
    for address in [
        0xeaeb_0b5b_0000_2f5e,
        here | 1 << 32,
        here | 1 << 63,
        u64::MAX - 7,
        u64::MAX - PAGE + 1,
    ] {
        refuses_path(address)?;
        ensure_equal!(call(SystemCall::Pipe, [address, 0, 0]), -1);
        ensure_equal!(call(SystemCall::Fstat, [0, address, 0]), -1);
        let path = c"/init".as_ptr().addr() as u64;
        ensure_equal!(call(SystemCall::Exec, [path, address, 0]), -1);
    }
    Ok(())
}

fn negative_lengths() -> Verdict {
    create(c"file", b"0123456789")?;
    let place = grow(1);
    let minus_one = u64::MAX;
    let file = need!(system::open(c"file", READ_WRITE));
    // Much more than there is room for.
    ensure!(read(file, place + PAGE - 1, minus_one) <= 0);
    ensure_equal!(write(file, place, minus_one), -1);
    let (read_end, write_end) = need!(system::pipe());
    ensure!(write(write_end, place, minus_one) <= 0);
    ensure_equal!(system::write(write_end, b"x"), 1);
    ensure!(read(read_end, place, minus_one) <= 0);
    contains(c"file", b"0123456789")
}

/// The child is not reaped before its status has been stored.
fn wait_with_a_bad_pointer() -> Verdict {
    for address in NOBODY.into_iter().chain([text(), heap_end()]) {
        let child = spawn(|| Ok(()))?;
        ensure_equal!(call(SystemCall::Wait, [address, 0, 0]), -1);
        ensure!(system::wait() == Some((child.pid, 0)));
    }
    ensure!(system::wait().is_none());
    Ok(())
}

/// The process has no descriptor left, and the system no open file.
fn pipe_with_a_bad_pointer() -> Verdict {
    let free = need!(system::dup(0));
    system::close(free);
    for address in NOBODY.into_iter().chain([text(), heap_end()]) {
        for _ in 0..12 {
            ensure_equal!(call(SystemCall::Pipe, [address, 0, 0]), -1);
        }
    }
    // Room for the first number only.
    let end = grow(1) + PAGE;
    ensure_equal!(call(SystemCall::Pipe, [end - 4, 0, 0]), -1);
    ensure!(need!(system::pipe()).0 == free);
    Ok(())
}

fn fstat_with_a_bad_pointer() -> Verdict {
    let file = need!(system::open(c"/init", READ_ONLY)) as u64;
    for address in NOBODY.into_iter().chain([text(), heap_end()]) {
        ensure_equal!(call(SystemCall::Fstat, [file, address, 0]), -1);
    }
    let end = grow(1) + PAGE;
    ensure_equal!(call(SystemCall::Fstat, [file, end - 23, 0]), -1);
    ensure_equal!(call(SystemCall::Fstat, [file, end - 24, 0]), 0);
    Ok(())
}

/// The whole blocks before the bad memory are written, and the call fails.
fn file_write_that_ends_in_bad_memory() -> Verdict {
    const GOOD: u64 = BLOCK_SIZE as u64 + 500;
    let end = grow(1) + PAGE;
    fill(end - GOOD, GOOD, b'g');
    let file = need!(system::open(c"file", CREATE | READ_WRITE));
    ensure_equal!(write(file, end - GOOD, 3000), -1);
    ensure_equal!(need!(system::fstat(file)).size, BLOCK_SIZE);
    // The offset is where the file ends.
    ensure_equal!(system::write(file, b"after"), 5);
    ensure_equal!(need!(system::fstat(file)).size, BLOCK_SIZE + 5);
    Ok(())
}

/// Fails, and the offset stays.
fn file_read_that_ends_in_bad_memory() -> Verdict {
    create(c"file", &[b'f'; 1000])?;
    let end = grow(1) + PAGE;
    let file = need!(system::open(c"file", READ_ONLY));
    ensure_equal!(read(file, end - 500, 1000), -1);
    ensure_equal!(read(file, end - 1000, 1000), 1000);
    ensure_equal!(load(end - 1), b'f');
    Ok(())
}

/// Bytes before the bad memory are written, and the call returns their number.
fn pipe_write_that_ends_in_bad_memory() -> Verdict {
    let end = grow(1) + PAGE;
    fill(end - 6, 6, b'p');
    let (read_end, write_end) = need!(system::pipe());
    ensure_equal!(write(write_end, end - 6, 10), 6);
    let bytes = &mut [0; 10];
    ensure_equal!(system::read(read_end, bytes), 6);
    ensure!(bytes[..6] == *b"pppppp");
    Ok(())
}

/// Bytes for which there is room are read, and the call returns their number.
fn pipe_read_that_ends_in_bad_memory() -> Verdict {
    let end = grow(1) + PAGE;
    let (read_end, write_end) = need!(system::pipe());
    ensure_equal!(system::write(write_end, b"123456789"), 9);
    ensure_equal!(read(read_end, end - 4, 9), 4);
    ensure_equal!(load(end - 1), b'4');
    Ok(())
}

fn text_is_no_buffer() -> Verdict {
    create(c"file", b"code")?;
    let before = load(text());
    let file = need!(system::open(c"file", READ_ONLY));
    ensure_equal!(read(file, text(), 4), -1);
    ensure_equal!(load(text()), before);
    // But its bytes can be written elsewhere.
    let file = need!(system::open(c"copy", CREATE | WRITE_ONLY));
    ensure_equal!(write(file, text(), 4), 4);
    Ok(())
}
