//! System calls that write into shared pages: they copy them, as a store does.

use user::abi::stat::Stat;
use user::abi::{MemoryUsage, SystemCall};
use user::testing::child::{passes, spawn};
use user::testing::files::create;
use user::testing::memory::{PAGE, call, fill, grow, holds, load};
use user::testing::usage::Account;
use user::testing::{Group, Verdict};
use user::{ensure, ensure_equal, need, rules, system};

pub const GROUP: Group = Group {
    name: "system_calls",
    quick: rules![
        read_of_a_pipe_copies,
        read_of_a_file_copies,
        read_of_much_copies_each_page,
        pipe_copies,
        wait_copies,
        fstat_copies,
        memory_copies,
        write_copies_nothing,
        paths_copy_nothing,
        a_refused_call_copies_nothing,
    ],
    slow: rules![],
};

/// A child makes a call that stores `length` bytes at the end of the first of two shared pages.
/// That takes a frame for each page that it reaches, and the parent does not see the bytes.
fn copies(length: u64, perform: impl Fn(u64) -> Verdict) -> Verdict {
    let heap = grow(2);
    for (into_second, pages) in [(0, 1), (length / 2, 2)] {
        fill(heap, 2 * PAGE, 0xee);
        let place = heap + PAGE - length + into_second;
        passes(|| {
            let account = Account::open();
            perform(place)?;
            let change = account.change();
            ensure_equal!(change.system_calls, pages);
            ensure_equal!(change.frames, pages);
            ensure!(!holds(place, length, 0xee));
            // The rest of the pages was copied too.
            ensure!(holds(heap, PAGE - length, 0xee));
            ensure!(holds(heap + PAGE + into_second, 100, 0xee));
            Ok(())
        })?;
        ensure!(holds(heap, 2 * PAGE, 0xee));
    }
    Ok(())
}

fn read_of_a_pipe_copies() -> Verdict {
    let (read_end, write_end) = need!(system::pipe());
    copies(8, |place| {
        ensure_equal!(system::write(write_end, b"12345678"), 8);
        ensure_equal!(call(SystemCall::Read, [read_end as u64, place, 8]), 8);
        Ok(())
    })
}

fn read_of_a_file_copies() -> Verdict {
    create(c"file", b"0123456789")?;
    copies(10, |place| {
        let file = need!(system::open(c"file", 0));
        ensure_equal!(call(SystemCall::Read, [file as u64, place, 10]), 10);
        system::close(file);
        Ok(())
    })
}

fn read_of_much_copies_each_page() -> Verdict {
    const PAGES: u64 = 10;
    create(c"file", &[b'm'; PAGE as usize])?;
    let heap = grow(PAGES);
    fill(heap, PAGES * PAGE, 0xee);
    passes(|| {
        let account = Account::open();
        for page in 0..PAGES {
            let file = need!(system::open(c"file", 0));
            let place = heap + page * PAGE;
            ensure_equal!(call(SystemCall::Read, [file as u64, place, PAGE]), PAGE);
            ensure_equal!(account.frames(), page + 1);
            system::close(file);
        }
        ensure!(holds(heap, PAGES * PAGE, b'm'));
        Ok(())
    })?;
    ensure!(holds(heap, PAGES * PAGE, 0xee));
    Ok(())
}

fn pipe_copies() -> Verdict {
    copies(8, |place| {
        ensure_equal!(call(SystemCall::Pipe, [place, 0, 0]), 0);
        Ok(())
    })
}

fn wait_copies() -> Verdict {
    copies(4, |place| {
        let child = need!(system::fork());
        if child == 0 {
            system::exit(0x1234_5678);
        }
        ensure_equal!(call(SystemCall::Wait, [place, 0, 0]), child);
        Ok(())
    })
}

fn fstat_copies() -> Verdict {
    create(c"file", b"")?;
    let file = need!(system::open(c"file", 0));
    copies(Stat::SIZE as u64, |place| {
        ensure_equal!(call(SystemCall::Fstat, [file as u64, place, 0]), 0);
        Ok(())
    })
}

fn memory_copies() -> Verdict {
    copies(size_of::<MemoryUsage>() as u64, |place| {
        ensure_equal!(call(SystemCall::Memory, [place, 0, 0]), 0);
        Ok(())
    })
}

fn write_copies_nothing() -> Verdict {
    let heap = grow(2);
    fill(heap, 2 * PAGE, b'w');
    let (read_end, write_end) = need!(system::pipe());
    passes(|| {
        let account = Account::open();
        let place = heap + PAGE - 4;
        ensure_equal!(call(SystemCall::Write, [write_end as u64, place, 8]), 8);
        ensure_equal!(account.frames(), 0);
        ensure_equal!(account.change().system_calls, 0);
        Ok(())
    })?;
    let bytes = &mut [0; 8];
    ensure_equal!(system::read(read_end, bytes), 8);
    ensure!(*bytes == *b"wwwwwwww");
    Ok(())
}

fn paths_copy_nothing() -> Verdict {
    let heap = grow(2);
    fill(heap, PAGE, b'/');
    fill(heap + PAGE, PAGE, 0);
    passes(|| {
        let account = Account::open();
        let path = heap + PAGE - 1;
        ensure_equal!(call(SystemCall::Chdir, [path, 0, 0]), 0);
        ensure_equal!(call(SystemCall::Mkdir, [path, 0, 0]), -1);
        ensure_equal!(call(SystemCall::Exec, [path, path, 0]), -1);
        ensure_equal!(account.frames(), 0);
        ensure_equal!(load(path), b'/');
        Ok(())
    })
}

/// If nothing can be read, nothing is copied.
fn a_refused_call_copies_nothing() -> Verdict {
    let heap = grow(1);
    fill(heap, PAGE, 0xee);
    let (read_end, write_end) = need!(system::pipe());
    system::close(write_end);
    let nobody = spawn(|| {
        let account = Account::open();
        ensure_equal!(call(SystemCall::Read, [read_end as u64, heap, 8]), 0);
        ensure_equal!(call(SystemCall::Read, [99, heap, 8]), -1);
        ensure_equal!(call(SystemCall::Fstat, [99, heap, 0]), -1);
        ensure_equal!(call(SystemCall::Wait, [heap, 0, 0]), -1);
        ensure_equal!(account.frames(), 0);
        Ok(())
    })?;
    ensure!(system::wait() == Some((nobody.pid, 0)));
    Ok(())
}
