//! What happens when there is no more of something: processes, descriptors, open files, inodes,
//! blocks, memory. The call fails, nothing is lost, and all works again afterwards.

use core::ffi::CStr;

use user::abi::file_system::{BLOCK_SIZE, MAX_FILE_BLOCKS};
use user::abi::limits::{INODES, OPEN_FILES, OPEN_FILES_PER_PROCESS, PROCESSES};
use user::abi::open::{CREATE, READ_ONLY, READ_WRITE};
use user::testing::child::{self, spawn, status_of};
use user::testing::files::{Name, contains, count_entries, create, exists, read_fully};
use user::testing::memory::{PAGE, buffer, eager, heap_end, store};
use user::testing::{Failure, Group, Verdict};
use user::{ensure, ensure_equal, need, rules, system};

pub const GROUP: Group = Group {
    name: "resources",
    quick: rules![
        processes,
        descriptors,
        descriptors_for_half_a_pipe,
        open_files,
        open_files_for_half_a_pipe,
        memory_among_ten,
        inodes_in_memory,
    ],
    slow: rules![
        memory_for_exec,
        blocks,
        blocks_for_half_a_write,
        inodes_on_disk,
    ],
};

fn processes() -> Verdict {
    for _ in 0..2 {
        let (read_end, write_end) = need!(system::pipe());
        let mut made = 0;
        loop {
            match system::fork() {
                Some(0) => {
                    // Until the parent has made as many as it can.
                    system::close(write_end);
                    system::read(read_end, &mut [0]);
                    system::exit(3);
                }
                Some(_) => made += 1,
                None => break,
            }
            ensure!(made < PROCESSES);
        }
        // All processes except the first one, the shell, the tests, and this one.
        ensure!(made >= PROCESSES - 8);
        ensure!(system::fork().is_none());
        system::close(write_end);
        for _ in 0..made {
            ensure_equal!(need!(system::wait()).1, 3);
        }
        ensure!(system::wait().is_none());
        system::close(read_end);
    }
    Ok(())
}

/// Takes descriptors until there are `left`.
fn take_descriptors(left: usize) -> Result<i32, Failure> {
    let mut last = need!(system::dup(0));
    while let Some(descriptor) = system::dup(0) {
        last = descriptor;
    }
    ensure_equal!(last, OPEN_FILES_PER_PROCESS - 1);
    for number in 0..left as i32 {
        ensure_equal!(system::close(last - number), 0);
    }
    Ok(last - left as i32)
}

fn descriptors() -> Verdict {
    take_descriptors(0)?;
    create_fails(c"file")?;
    ensure_equal!(system::open(c"/init", READ_ONLY), -1);
    ensure!(system::pipe().is_none());
    // Files are given back although there was no descriptor for them.
    for _ in 0..2 * OPEN_FILES {
        ensure_equal!(system::open(c"/init", READ_ONLY), -1);
    }
    ensure_equal!(system::close(7), 0);
    ensure_equal!(system::open(c"/init", READ_ONLY), 7);
    Ok(())
}

/// The name may be there afterwards, but no descriptor.
fn create_fails(path: &CStr) -> Verdict {
    ensure_equal!(system::open(path, CREATE | READ_WRITE), -1);
    Ok(())
}

fn descriptors_for_half_a_pipe() -> Verdict {
    take_descriptors(1)?;
    for _ in 0..OPEN_FILES {
        ensure!(system::pipe().is_none());
    }
    ensure_equal!(
        system::open(c"/init", READ_ONLY),
        OPEN_FILES_PER_PROCESS - 1
    );
    Ok(())
}

/// Children that open files: enough of them for all open files and all inodes.
const HOLDERS: usize = 12;

/// Children open files, by number of child and file, until there is no more. Then `more` is done;
/// it gets the descriptor of one more open file, which no child has.
fn with_files_held(
    open: impl Fn(usize, usize) -> Option<i32>,
    more: impl FnOnce(i32) -> Verdict,
) -> Verdict {
    let (ready, tell) = need!(system::pipe());
    let (hold, release) = need!(system::pipe());
    let (start, go) = need!(system::pipe());
    for holder in 0..HOLDERS {
        let _ = spawn(|| {
            for descriptor in [ready, release, go] {
                system::close(descriptor);
            }
            ensure_equal!(system::read(start, &mut [0]), 1);
            let mut file = 0;
            while open(holder, file).is_some() {
                file += 1;
            }
            ensure_equal!(system::write(tell, b"x"), 1);
            ensure_equal!(system::read(hold, &mut [0]), 0);
            Ok(())
        })?;
    }
    let own = need!(system::open(c"/init", READ_ONLY));
    for _ in 0..HOLDERS {
        ensure_equal!(system::write(go, b"x"), 1);
        ensure_equal!(system::read(ready, &mut [0]), 1);
    }
    let verdict = more(own);
    system::close(release);
    child::all_pass(HOLDERS)?;
    verdict
}

fn open_files() -> Verdict {
    create(c"file", b"f")?;
    with_files_held(
        |_, _| system::open(c"file", READ_ONLY),
        |_| {
            ensure_equal!(system::open(c"file", READ_ONLY), -1);
            ensure!(system::pipe().is_none());
            // A second descriptor for the same open file is available.
            let twin = need!(system::dup(0));
            ensure_equal!(system::close(twin), 0);
            Ok(())
        },
    )?;
    contains(c"file", b"f")
}

/// One open file is left, which is too few for a pipe; it must not be lost.
fn open_files_for_half_a_pipe() -> Verdict {
    with_files_held(
        |_, _| system::open(c"/echo", READ_ONLY),
        |own| {
            ensure_equal!(system::close(own), 0);
            for _ in 0..5 {
                ensure!(system::pipe().is_none());
            }
            ensure_equal!(system::open(c"/init", READ_ONLY), own);
            Ok(())
        },
    )
}

/// More different files than the kernel can hold in memory: it must not come to a stop. (The C
/// kernel panics.)
fn inodes_in_memory() -> Verdict {
    with_files_held(
        |holder, file| {
            let name = Name::numbered("i", holder * OPEN_FILES_PER_PROCESS + file);
            system::open(name.path(), CREATE | READ_WRITE)
        },
        |_| {
            // A file that got no descriptor still has its name.
            ensure!(count_entries(c".")? < INODES + HOLDERS);
            create_fails(c"one_more")?;
            ensure_equal!(system::open(c"/echo", READ_ONLY), -1);
            ensure_equal!(system::mkdir(c"directory"), -1);
            ensure_equal!(system::chdir(c"/echo"), -1);
            Ok(())
        },
    )?;
    ensure!(!exists(c"one_more"));
    create(c"one_more", b"1")
}

/// Ten processes each want most of memory; a process that fails gives back what it took.
fn memory_among_ten() -> Verdict {
    const SIZE: u64 = 100 << 20;
    const COUNT: usize = 10;
    let (read_end, write_end) = need!(system::pipe());
    let mut pids = [0; COUNT];
    let mut refused = 0;
    for pid in &mut pids {
        *pid = spawn(|| {
            let had = eager((SIZE - heap_end()) as i64).is_some();
            ensure_equal!(system::write(write_end, &[u8::from(had)]), 1);
            child::sleep_until_killed()
        })?
        .pid;
        let answer = &mut [0];
        ensure_equal!(system::read(read_end, answer), 1);
        refused += usize::from(answer[0] == 0);
    }
    ensure!(refused > 0);
    let page = eager(PAGE as i64);
    for pid in pids {
        ensure_equal!(system::kill(pid), 0);
    }
    for _ in pids {
        ensure!(system::wait().is_some());
    }
    store(need!(page), 1);
    ensure_equal!(
        status_of(|| i32::from(eager(10 * SIZE as i64).is_some()))?,
        0
    );
    Ok(())
}

/// Exec with only a few free pages: it works, or it returns.
fn memory_for_exec() -> Verdict {
    for left in 0..15 {
        let status = status_of(|| {
            while eager(PAGE as i64).is_some() {}
            eager(-(left * PAGE as i64));
            system::close(1);
            system::exec(c"/echo", &[c"echo", c"x"]);
            0
        })?;
        // The new program is killed if it needs another frame after it has begun.
        ensure!(status == 0 || status == child::KILLED);
    }
    Ok(())
}

/// Fills the disk with files of the largest size: how many blocks.
fn fill_disk(block: &[u8]) -> Result<usize, Failure> {
    let mut blocks = 0;
    for number in 0..100 {
        let name = Name::numbered("big", number);
        let file = need!(system::open(name.path(), CREATE | READ_WRITE));
        for _ in 0..MAX_FILE_BLOCKS {
            match system::write(file, block) {
                Some(BLOCK_SIZE) => blocks += 1,
                _ => {
                    system::close(file);
                    return Ok(blocks);
                }
            }
        }
        system::close(file);
    }
    Ok(blocks)
}

fn blocks() -> Verdict {
    let block = buffer(BLOCK_SIZE);
    block.fill(b'b');
    let first = fill_disk(block)?;
    ensure!(first > 0);
    ensure_equal!(system::mkdir(c"no_room"), -1);
    // New names fit into the directory as long as its last block has room.
    let mut names = 0;
    while let Some(file) = system::open(Name::numbered("z", names).path(), CREATE | READ_WRITE) {
        ensure_equal!(system::write(file, b"x"), -1);
        system::close(file);
        names += 1;
        ensure!(names < 128);
    }
    ensure!(!exists(Name::numbered("z", names).path()));
    for number in 0..names {
        ensure_equal!(system::unlink(Name::numbered("z", number).path()), 0);
    }
    let mut number = 0;
    while system::unlink(Name::numbered("big", number).path()).is_some() {
        number += 1;
    }
    // All is there again.
    create(c"room", b"room")?;
    ensure_equal!(system::unlink(c"room"), 0);
    ensure_equal!(fill_disk(block)?, first);
    Ok(())
}

/// There is room for three blocks of five: they are written, and the call fails.
fn blocks_for_half_a_write() -> Verdict {
    const ROOM: usize = 3 * BLOCK_SIZE;
    let bytes = buffer(5 * BLOCK_SIZE);
    bytes.fill(b'h');
    create(c"room", &bytes[..ROOM])?;
    fill_disk(&bytes[..BLOCK_SIZE])?;
    ensure_equal!(system::unlink(c"room"), 0);
    let file = need!(system::open(c"half", CREATE | READ_WRITE));
    ensure_equal!(system::write(file, bytes), -1);
    ensure_equal!(need!(system::fstat(file)).size, ROOM);
    ensure_equal!(system::write(file, b"x"), -1);
    let file = need!(system::open(c"half", READ_ONLY));
    ensure_equal!(read_fully(file, bytes), ROOM);
    ensure!(bytes[..ROOM].iter().all(|&byte| byte == b'h'));
    Ok(())
}

fn inodes_on_disk() -> Verdict {
    let make_all = || {
        let mut made = 0;
        while made < 1000 {
            let name = Name::numbered("i", made);
            let Some(file) = system::open(name.path(), CREATE | READ_WRITE) else {
                break;
            };
            system::close(file);
            made += 1;
        }
        made
    };
    let first = make_all();
    ensure!(first > 0 && first < 1000);
    ensure_equal!(system::mkdir(c"directory"), -1);
    ensure_equal!(system::mknod(c"device", 1, 1), -1);
    ensure_equal!(count_entries(c".")?, first);
    for number in 0..first {
        ensure_equal!(system::unlink(Name::numbered("i", number).path()), 0);
    }
    ensure_equal!(make_all(), first);
    Ok(())
}
