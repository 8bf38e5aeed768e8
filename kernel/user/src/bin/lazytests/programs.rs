//! Programs whose pages come from their file when they are touched, even if the file is changed or
//! removed. The program is `paged`; it checks itself.

use core::ffi::CStr;

use user::abi::open::{CREATE, READ_ONLY, TRUNCATE, WRITE_ONLY};
use user::testing::child::{Child, spawn, status_of};
use user::testing::files::{create, read_fully};
use user::testing::memory::buffer;
use user::testing::usage::Account;
use user::testing::{Failure, Group, Verdict};
use user::{ensure, ensure_equal, need, rules, system};

pub const GROUP: Group = Group {
    name: "programs",
    quick: rules![
        only_touched_pages_take_frames,
        a_program_unlinks_itself,
        a_program_overwrites_itself,
        a_program_truncates_itself,
        a_program_reads_itself,
        a_program_writes_itself,
        a_program_forks,
        pointers_into_a_program,
        no_frames_to_keep_a_program,
        others_overwrite_a_program,
        others_truncate_a_program,
        others_replace_a_program,
        several_run_one_file,
        exec_takes_few_frames,
        a_program_being_written,
    ],
    slow: rules![],
};

const PROGRAM: &CStr = c"/paged";
/// A copy of it, to be spoiled.
const COPY: &CStr = c"copy";

/// The exit status if `exec` has failed.
const REFUSED: i32 = 77;

fn program() -> Result<&'static [u8], Failure> {
    let file = need!(system::open(PROGRAM, READ_ONLY));
    let size = need!(system::fstat(file)).size as usize;
    let bytes = buffer(size);
    ensure_equal!(read_fully(file, bytes), size);
    system::close(file);
    Ok(bytes)
}

/// Runs `paged` from a copy: it must exit with 0.
fn run(scene: &CStr) -> Verdict {
    create(COPY, program()?)?;
    let status = status_of(|| {
        system::exec(COPY, &[c"paged", scene, COPY]);
        REFUSED
    });
    ensure_equal!(status?, 0);
    Ok(())
}

fn only_touched_pages_take_frames() -> Verdict {
    run(c"counts")
}

fn a_program_unlinks_itself() -> Verdict {
    run(c"unlinked")
}

fn a_program_overwrites_itself() -> Verdict {
    run(c"overwritten")
}

fn a_program_truncates_itself() -> Verdict {
    run(c"truncated")
}

fn a_program_reads_itself() -> Verdict {
    run(c"reads")
}

fn a_program_writes_itself() -> Verdict {
    run(c"writes")
}

fn a_program_forks() -> Verdict {
    run(c"forks")
}

fn pointers_into_a_program() -> Verdict {
    run(c"arguments")
}

fn no_frames_to_keep_a_program() -> Verdict {
    run(c"keeps")
}

/// A program that has begun, and waits for a byte before it touches its pages.
struct Waiting {
    child: Child,
    go: i32,
}

impl Waiting {
    fn start(path: &CStr) -> Result<Waiting, Failure> {
        let (start, go) = need!(system::pipe());
        let (ready, tell) = need!(system::pipe());
        let child = spawn(|| {
            // The program reads from 0 and writes to 3.
            for (end, place) in [(start, 0), (tell, 3)] {
                let spare = need!(system::dup(end));
                system::close(place);
                ensure_equal!(system::dup(spare), place);
                system::close(spare);
            }
            system::exec(path, &[c"paged", c"waits", path]);
            ensure!(false);
            Ok(())
        })?;
        system::close(start);
        system::close(tell);
        ensure_equal!(system::read(ready, &mut [0]), 1);
        system::close(ready);
        Ok(Waiting { child, go })
    }

    /// Lets it go on: it must exit with 0.
    fn finish(self) -> Verdict {
        ensure_equal!(system::write(self.go, b"x"), 1);
        system::close(self.go);
        ensure!(system::wait() == Some((self.child.pid, 0)));
        Ok(())
    }
}

/// Does something to a copy of the program while it runs.
fn while_it_runs(spoil: impl FnOnce() -> Verdict) -> Verdict {
    create(COPY, program()?)?;
    let waiting = Waiting::start(COPY)?;
    spoil()?;
    waiting.finish()
}

fn overwrite(mode: u32) -> Verdict {
    let size = program()?.len();
    let file = need!(system::open(COPY, mode));
    ensure_equal!(system::write(file, buffer(size)), size);
    ensure_equal!(system::close(file), 0);
    // The file is not a program any more.
    ensure_equal!(
        status_of(|| {
            system::exec(COPY, &[c"paged"]);
            REFUSED
        })?,
        REFUSED
    );
    Ok(())
}

fn others_overwrite_a_program() -> Verdict {
    while_it_runs(|| overwrite(WRITE_ONLY))
}

fn others_truncate_a_program() -> Verdict {
    while_it_runs(|| overwrite(WRITE_ONLY | TRUNCATE))
}

fn others_replace_a_program() -> Verdict {
    while_it_runs(|| {
        ensure_equal!(system::unlink(COPY), 0);
        overwrite(CREATE | WRITE_ONLY)
    })
}

/// Two processes run a copy, which is overwritten and then removed. They end one after the other.
fn several_run_one_file() -> Verdict {
    create(COPY, program()?)?;
    let first = Waiting::start(COPY)?;
    let second = Waiting::start(COPY)?;
    overwrite(WRITE_ONLY | TRUNCATE)?;
    let third = Waiting::start(PROGRAM)?;
    first.finish()?;
    ensure_equal!(system::unlink(COPY), 0);
    second.finish()?;
    third.finish()?;
    // The last of them frees the copy of the file. The suite counts the frames.
    Ok(())
}

/// Tables, a page of stack, and the pages that have run: far fewer than the program has.
fn exec_takes_few_frames() -> Verdict {
    let account = Account::open();
    let waiting = Waiting::start(PROGRAM)?;
    let frames = account.frames();
    ensure!((4..16).contains(&frames));
    waiting.finish()?;
    ensure_equal!(account.frames(), 0);
    Ok(())
}

/// A process that opened the file before it became a program can write it afterwards.
fn a_program_being_written() -> Verdict {
    create(COPY, program()?)?;
    let file = need!(system::open(COPY, WRITE_ONLY));
    let waiting = Waiting::start(COPY)?;
    let size = program()?.len();
    ensure_equal!(system::write(file, buffer(size)), size);
    waiting.finish()
}
