//! System calls whose pointers lead into holes, across the ends of pages, and partly out of bounds.

use core::ffi::CStr;

use user::abi::open::{CREATE, READ_ONLY, READ_WRITE};
use user::abi::stat::Stat;
use user::abi::{MemoryUsage, SystemCall};
use user::testing::child::{passes, status_of};
use user::testing::files::{contains, create, exists};
use user::testing::memory::{PAGE, call, fill, grow, holds, lazy, load, store};
use user::testing::usage::Account;
use user::testing::{Group, Verdict};
use user::{ensure, ensure_equal, need, rules, system};

pub const GROUP: Group = Group {
    name: "system_calls",
    quick: rules![
        read_fills_holes,
        read_of_much_fills_many,
        write_reads_holes_as_zeros,
        write_of_much_reads_many,
        pipe_fills_holes,
        wait_fills_holes,
        fstat_fills_holes,
        memory_fills_holes,
        paths_in_holes_are_empty,
        paths_that_end_in_a_hole,
        exec_reads_holes,
        results_partly_out_of_bounds,
        short_counts_at_the_break,
        within_the_last_page,
        refusals_fill_nothing,
    ],
    slow: rules![],
};

/// The call that `perform` does writes `length` bytes into one hole, and across two.
fn fills(length: u64, perform: impl Fn(u64) -> Verdict) -> Verdict {
    for (before, pages) in [(0, 1), (length / 2, 2)] {
        passes(|| {
            let heap = grow(3);
            let account = Account::open();
            let place = heap + PAGE - before;
            perform(place)?;
            let change = account.change();
            ensure_equal!(change.frames, pages);
            ensure_equal!(change.system_calls, pages);
            ensure_equal!(change.mapped, pages);
            ensure!(!holds(place, length, 0));
            // The rest is zero.
            ensure!(holds(heap, PAGE - before, 0));
            ensure!(holds(place + length, PAGE - length, 0));
            Ok(())
        })?;
    }
    Ok(())
}

fn read_fills_holes() -> Verdict {
    create(c"file", b"0123456789")?;
    fills(10, |place| {
        let file = need!(system::open(c"file", READ_ONLY)) as u64;
        ensure_equal!(call(SystemCall::Read, [file, place, 10]), 10);
        ensure_equal!(load(place + 9), b'9');
        Ok(())
    })?;
    let (read_end, write_end) = need!(system::pipe());
    fills(10, |place| {
        ensure_equal!(system::write(write_end, b"0123456789"), 10);
        ensure_equal!(call(SystemCall::Read, [read_end as u64, place, 99]), 10);
        Ok(())
    })
}

const MANY: u64 = 20;

fn read_of_much_fills_many() -> Verdict {
    let bytes = user::testing::memory::buffer((MANY * PAGE) as usize);
    bytes.fill(b'm');
    create(c"file", bytes)?;
    let file = need!(system::open(c"file", READ_ONLY)) as u64;
    let heap = grow(MANY + 1);
    let account = Account::open();
    let place = heap + 17;
    ensure_equal!(
        call(SystemCall::Read, [file, place, MANY * PAGE]),
        MANY * PAGE
    );
    ensure_equal!(account.frames(), MANY + 1);
    ensure_equal!(account.change().system_calls, MANY + 1);
    ensure!(holds(place, MANY * PAGE, b'm'));
    Ok(())
}

fn write_reads_holes_as_zeros() -> Verdict {
    let heap = grow(2);
    let (read_end, write_end) = need!(system::pipe());
    let place = heap + PAGE - 4;
    ensure_equal!(call(SystemCall::Write, [write_end as u64, place, 8]), 8);
    let bytes = &mut [1; 8];
    ensure_equal!(system::read(read_end, bytes), 8);
    ensure!(*bytes == [0; 8]);
    let file = need!(system::open(c"file", CREATE | READ_WRITE)) as u64;
    ensure_equal!(call(SystemCall::Write, [file, place, 8]), 8);
    contains(c"file", &[0; 8])
}

fn write_of_much_reads_many() -> Verdict {
    let heap = grow(MANY + 1);
    let file = need!(system::open(c"file", CREATE | READ_WRITE));
    let account = Account::open();
    let arguments = [file as u64, heap + 17, MANY * PAGE];
    ensure_equal!(call(SystemCall::Write, arguments), MANY * PAGE);
    // At most one frame for each, if holes are not written from one page of zeros.
    ensure!(account.frames() <= MANY as i64 + 1);
    ensure_equal!(need!(system::fstat(file)).size, MANY * PAGE);
    let file = need!(system::open(c"file", READ_ONLY)) as u64;
    fill(heap, (MANY + 1) * PAGE, 1);
    ensure_equal!(
        call(SystemCall::Read, [file, heap, MANY * PAGE]),
        MANY * PAGE
    );
    ensure!(holds(heap, MANY * PAGE, 0));
    Ok(())
}

fn pipe_fills_holes() -> Verdict {
    fills(8, |place| {
        ensure_equal!(call(SystemCall::Pipe, [place, 0, 0]), 0);
        ensure_equal!(system::close(load(place).into()), 0);
        ensure_equal!(system::close(load(place + 4).into()), 0);
        Ok(())
    })
}

fn wait_fills_holes() -> Verdict {
    fills(4, |place| {
        let child = need!(system::fork());
        if child == 0 {
            system::exit(0x0403_0201);
        }
        ensure_equal!(call(SystemCall::Wait, [place, 0, 0]), child);
        ensure_equal!(load(place), 1);
        ensure_equal!(load(place + 3), 4);
        Ok(())
    })
}

fn fstat_fills_holes() -> Verdict {
    create(c"file", b"12345")?;
    let file = need!(system::open(c"file", READ_ONLY)) as u64;
    fills(Stat::SIZE as u64, |place| {
        ensure_equal!(call(SystemCall::Fstat, [file, place, 0]), 0);
        ensure_equal!(load(place + 16), 5);
        Ok(())
    })
}

fn memory_fills_holes() -> Verdict {
    fills(size_of::<MemoryUsage>() as u64, |place| {
        ensure_equal!(call(SystemCall::Memory, [place, 0, 0]), 0);
        Ok(())
    })
}

/// The calls that take one path, with more arguments that suit them.
const PATH_CALLS: [(SystemCall, [u64; 2]); 7] = [
    (SystemCall::Open, [READ_ONLY as u64, 0]),
    (SystemCall::Open, [(CREATE | READ_WRITE) as u64, 0]),
    (SystemCall::Chdir, [0, 0]),
    (SystemCall::Mkdir, [0, 0]),
    (SystemCall::Mknod, [1, 0]),
    (SystemCall::Unlink, [0, 0]),
    (SystemCall::Link, [0, 0]),
];

/// The empty path is the current directory; no file of that name can be made.
fn paths_in_holes_are_empty() -> Verdict {
    let heap = grow(1);
    for (number, (system_call, rest)) in PATH_CALLS.into_iter().enumerate() {
        passes(|| {
            let account = Account::open();
            let answer = call(system_call, [heap + 8, rest[0], rest[1]]);
            let works = matches!(number, 0 | 2);
            ensure_equal!(answer >= 0, works);
            ensure!(account.frames() <= 1);
            Ok(())
        })?;
    }
    ensure_equal!(call(SystemCall::Exec, [heap, heap, 0]), -1);
    Ok(())
}

/// The name is in a page that was touched; its end is the first byte of the next, which was not.
fn paths_that_end_in_a_hole() -> Verdict {
    let name = b"name";
    let with_path = |work: &dyn Fn(u64) -> Verdict| {
        passes(|| {
            let heap = grow(2);
            let path = heap + PAGE - name.len() as u64;
            for (place, &byte) in (path..).zip(name) {
                store(place, byte);
            }
            work(path)
        })
    };
    let expect = |system_call, rest: [u64; 2], answer: i64| {
        with_path(&|path| {
            ensure_equal!(call(system_call, [path, rest[0], rest[1]]), answer);
            Ok(())
        })
    };
    let old = c"old".as_ptr().addr() as u64;
    create(c"old", b"")?;
    with_path(&|path| {
        ensure_equal!(call(SystemCall::Link, [old, path, 0]), 0);
        Ok(())
    })?;
    with_path(&|path| {
        ensure!(call(SystemCall::Open, [path, 0, 0]) > 2);
        Ok(())
    })?;
    let new = c"new".as_ptr().addr() as u64;
    expect(SystemCall::Link, [new, 0], 0)?;
    ensure!(exists(c"new"));
    expect(SystemCall::Unlink, [0, 0], 0)?;
    ensure!(!exists(c"name"));
    expect(SystemCall::Mkdir, [0, 0], 0)?;
    expect(SystemCall::Chdir, [0, 0], 0)?;
    expect(SystemCall::Unlink, [0, 0], 0)?;
    expect(SystemCall::Mknod, [9, 9], 0)?;
    expect(SystemCall::Unlink, [0, 0], 0)
}

/// Path, array and strings of an `exec`, each with its end in a hole.
fn exec_reads_holes() -> Verdict {
    let put = |place: u64, bytes: &[u8]| {
        for (place, &byte) in (place..).zip(bytes) {
            store(place, byte);
        }
    };
    let status = status_of(|| {
        let heap = grow(6);
        let path = heap + PAGE - 5;
        put(path, b"/echo");
        let word = heap + 3 * PAGE - 4;
        put(word, b"hole");
        // The null pointer at its end is all in the hole.
        let array = heap + 5 * PAGE - 16;
        put(array, &path.to_le_bytes());
        put(array + 8, &word.to_le_bytes());
        system::close(1);
        system::open(c"out", CREATE | READ_WRITE);
        call(SystemCall::Exec, [path, array, 0]);
        77
    });
    ensure_equal!(status?, 0);
    contains(c"out", b"hole\n")
}

/// The first part of what a call writes has room in a hole, the rest has none.
fn results_partly_out_of_bounds() -> Verdict {
    create(c"file", b"0123456789")?;
    let end = grow(1) + PAGE;
    let file = need!(system::open(c"file", READ_ONLY)) as u64;
    ensure_equal!(call(SystemCall::Read, [file, end - 5, 10]), -1);
    ensure_equal!(call(SystemCall::Fstat, [file, end - 20, 0]), -1);
    ensure_equal!(call(SystemCall::Pipe, [end - 4, 0, 0]), -1);
    ensure_equal!(call(SystemCall::Memory, [end - 8, 0, 0]), -1);
    let child = need!(system::fork());
    if child == 0 {
        system::exit(5);
    }
    ensure_equal!(call(SystemCall::Wait, [end - 2, 0, 0]), -1);
    ensure!(system::wait() == Some((child, 5)));
    // The file was not read.
    ensure_equal!(call(SystemCall::Read, [file, end - 10, 10]), 10);
    Ok(())
}

/// A pipe moves as many bytes as it can, and loses none.
fn short_counts_at_the_break() -> Verdict {
    let heap = grow(1);
    let (read_end, write_end) = need!(system::pipe());
    let read = |place, length| call(SystemCall::Read, [read_end as u64, place, length]);
    let last = heap + PAGE - 6;
    store(last, 9);
    ensure_equal!(call(SystemCall::Write, [write_end as u64, last, 10]), 6);
    ensure_equal!(read(heap + PAGE, 3), -1);
    ensure_equal!(read(heap + PAGE - 2, 6), 2);
    ensure_equal!(load(heap + PAGE - 2), 9);
    ensure_equal!(read(heap, 100), 4);
    Ok(())
}

/// A system call may use the whole page that the break is in.
fn within_the_last_page() -> Verdict {
    let start = need!(lazy(1));
    let file = need!(system::open(c"/init", READ_ONLY)) as u64;
    ensure_equal!(call(SystemCall::Read, [file, start, PAGE]), PAGE);
    let file = need!(system::open(c"/init", READ_ONLY)) as u64;
    ensure_equal!(call(SystemCall::Read, [file, start, PAGE + 1]), -1);
    ensure_equal!(call(SystemCall::Fstat, [file, start + PAGE - 24, 0]), 0);
    Ok(())
}

fn refusals_fill_nothing() -> Verdict {
    let heap = grow(4);
    let path: &CStr = c"missing";
    let missing = path.as_ptr().addr() as u64;
    let account = Account::open();
    ensure_equal!(call(SystemCall::Read, [99, heap, 100]), -1);
    ensure_equal!(call(SystemCall::Write, [99, heap, 100]), -1);
    ensure_equal!(call(SystemCall::Fstat, [99, heap, 0]), -1);
    ensure_equal!(call(SystemCall::Wait, [heap, 0, 0]), -1);
    ensure_equal!(call(SystemCall::Exec, [missing, heap, 0]), -1);
    ensure!(account.frames() <= 1);
    Ok(())
}
