//! System calls with buffers on the part of the stack that has not grown yet.

use user::abi::stat::Stat;
use user::abi::{MemoryUsage, SystemCall};
use user::testing::child::passes;
use user::testing::files::create;
use user::testing::memory::{PAGE, buffer, call, holds, load, store};
use user::testing::scarcity::leave_frames;
use user::testing::usage::{Account, settle};
use user::testing::{Group, Verdict};
use user::{ensure, ensure_equal, need, rules, system};

use crate::growth::{bottom, untouched};

pub const GROUP: Group = Group {
    name: "system_calls",
    quick: rules![
        small_results_grow_it,
        a_buffer_of_many_pages,
        write_from_where_nothing_is,
        strings_where_nothing_is,
        buffers_below_the_stack,
        no_frame_for_a_buffer,
    ],
    slow: rules![],
};

/// The call that `perform` does at a place writes `length` bytes there, across the end of a page.
fn grows(length: u64, perform: impl Fn(u64) -> Verdict) -> Verdict {
    passes(|| {
        let account = Account::open();
        let middle = bottom() + 2 * PAGE;
        perform(middle - length / 2)?;
        let change = account.change();
        ensure_equal!(change.frames, 2);
        ensure_equal!(change.system_calls, 2);
        ensure!(!holds(middle - length / 2, length, 0));
        // The rest of both pages is zero.
        ensure!(holds(middle - PAGE, PAGE - length, 0));
        ensure!(holds(middle + length, PAGE - length, 0));
        Ok(())
    })
}

fn small_results_grow_it() -> Verdict {
    create(c"file", b"0123456789")?;
    let file = need!(system::open(c"file", 0)) as u64;
    grows(10, |place| {
        ensure_equal!(call(SystemCall::Read, [file, place, 10]), 10);
        Ok(())
    })?;
    grows(Stat::SIZE as u64, |place| {
        ensure_equal!(call(SystemCall::Fstat, [file, place, 0]), 0);
        Ok(())
    })?;
    grows(8, |place| {
        ensure_equal!(call(SystemCall::Pipe, [place, 0, 0]), 0);
        Ok(())
    })?;
    grows(size_of::<MemoryUsage>() as u64, |place| {
        ensure_equal!(call(SystemCall::Memory, [place, 0, 0]), 0);
        Ok(())
    })?;
    grows(4, |place| {
        let child = need!(system::fork());
        if child == 0 {
            system::exit(0x1234_5678);
        }
        ensure_equal!(call(SystemCall::Wait, [place, 0, 0]), child);
        Ok(())
    })
}

fn a_buffer_of_many_pages() -> Verdict {
    let count = untouched().count();
    let length = count * PAGE as usize - 100;
    let bytes = buffer(length);
    bytes.fill(b'm');
    create(c"file", bytes)?;
    let file = need!(system::open(c"file", 0)) as u64;
    let account = Account::open();
    let place = bottom() + 50;
    ensure_equal!(call(SystemCall::Read, [file, place, length as u64]), length);
    ensure_equal!(account.frames(), count);
    ensure_equal!(account.change().system_calls, count);
    ensure!(holds(place, length as u64, b'm'));
    Ok(())
}

/// What is written is zeros.
fn write_from_where_nothing_is() -> Verdict {
    let (read_end, write_end) = need!(system::pipe());
    let account = Account::open();
    let place = bottom() + PAGE - 5;
    ensure_equal!(call(SystemCall::Write, [write_end as u64, place, 10]), 10);
    ensure_equal!(account.frames(), 2);
    ensure_equal!(account.change().system_calls, 2);
    let bytes = &mut [1; 10];
    ensure_equal!(system::read(read_end, bytes), 10);
    ensure!(*bytes == [0; 10]);
    Ok(())
}

fn strings_where_nothing_is() -> Verdict {
    // An empty path is the current directory.
    ensure_equal!(call(SystemCall::Chdir, [bottom() + 10, 0, 0]), 0);
    // The string ends in the next page, which has not been touched.
    let middle = bottom() + 2 * PAGE;
    store(middle - 1, b'x');
    ensure_equal!(call(SystemCall::Mkdir, [middle - 1, 0, 0]), 0);
    ensure_equal!(system::unlink(c"x"), 0);
    Ok(())
}

fn buffers_below_the_stack() -> Verdict {
    create(c"file", &[b'f'; 100])?;
    let file = need!(system::open(c"file", 0)) as u64;
    for place in [bottom() - PAGE, bottom() - 10, bottom() - 1] {
        ensure_equal!(call(SystemCall::Read, [file, place, 50]), -1);
        ensure_equal!(call(SystemCall::Fstat, [file, place, 0]), -1);
        ensure_equal!(call(SystemCall::Pipe, [place, 0, 0]), -1);
        ensure_equal!(call(SystemCall::Chdir, [place, 0, 0]), -1);
    }
    // It has read nothing.
    ensure_equal!(call(SystemCall::Read, [file, bottom(), 200]), 100);
    ensure_equal!(load(bottom() + 99), b'f');
    Ok(())
}

fn no_frame_for_a_buffer() -> Verdict {
    passes(|| {
        let file = need!(system::open(c"/init", 0)) as u64;
        settle();
        leave_frames(1);
        let place = bottom() + PAGE;
        ensure_equal!(call(SystemCall::Read, [file, place - 5, 10]), -1);
        ensure_equal!(
            call(SystemCall::Fstat, [file, bottom() + 3 * PAGE - 4, 0]),
            -1
        );
        Ok(())
    })
}
