//! Open, read, write, truncate, close, dup, fstat.

use user::abi::file_system::{BLOCK_SIZE, Kind, MAX_FILE_BLOCKS};
use user::abi::limits::{CONSOLE, DEVICES, OPEN_FILES_PER_PROCESS, OPERATION_BLOCKS};
use user::abi::open::{CREATE, READ_ONLY, READ_WRITE, TRUNCATE, WRITE_ONLY};
use user::testing::child::{self, spawn};
use user::testing::files::{Name, contains, create, exists, read_fully};
use user::testing::memory::buffer;
use user::testing::{Group, Verdict};
use user::{ensure, ensure_equal, need, rules, system};

pub const GROUP: Group = Group {
    name: "files",
    quick: rules![
        open_finds_what_is_there,
        small_writes_read_back,
        largest_file,
        odd_sizes_read_back,
        writes_larger_than_the_log,
        many_files,
        modes_are_kept,
        reading_at_the_end,
        truncate_is_seen_by_all,
        truncate_leaves_no_gap,
        truncate_beside_a_writer,
        bad_descriptors,
        lowest_descriptor_first,
        dup_shares_the_offset,
        fork_shares_the_offset,
        opens_have_their_own_offset,
        devices,
        fstat_tells,
        four_writers,
    ],
    slow: rules![many_writers, bad_writes_take_no_block],
};

fn open_finds_what_is_there() -> Verdict {
    let file = need!(system::open(c"/init", READ_ONLY));
    ensure_equal!(system::close(file), 0);
    ensure_equal!(system::open(c"missing", READ_ONLY), -1);
    ensure_equal!(system::open(c"missing", WRITE_ONLY | TRUNCATE), -1);
    ensure_equal!(system::open(c"missing/file", CREATE), -1);
    ensure_equal!(system::unlink(c"missing"), -1);
    Ok(())
}

fn small_writes_read_back() -> Verdict {
    const PIECES: usize = 100;
    let file = need!(system::open(c"small", CREATE | READ_WRITE));
    for _ in 0..PIECES {
        ensure_equal!(system::write(file, b"aaaaaaaaaa"), 10);
        ensure_equal!(system::write(file, b"bbbbbbbbbb"), 10);
    }
    system::close(file);
    let file = need!(system::open(c"small", READ_ONLY));
    let bytes = buffer(PIECES * 20 + 1);
    ensure_equal!(read_fully(file, bytes), PIECES * 20);
    for (at, &byte) in bytes[..PIECES * 20].iter().enumerate() {
        ensure_equal!(byte, if at / 10 % 2 == 0 { b'a' } else { b'b' });
    }
    Ok(())
}

/// All blocks that an inode can have, and not one byte more.
fn largest_file() -> Verdict {
    let block = buffer(BLOCK_SIZE);
    let file = need!(system::open(c"large", CREATE | READ_WRITE));
    for number in 0..MAX_FILE_BLOCKS {
        block[..8].copy_from_slice(&number.to_le_bytes());
        ensure_equal!(system::write(file, block), BLOCK_SIZE);
    }
    ensure_equal!(system::write(file, b"x"), -1);
    system::close(file);
    let file = need!(system::open(c"large", READ_ONLY));
    for number in 0..MAX_FILE_BLOCKS {
        ensure_equal!(system::read(file, block), BLOCK_SIZE);
        ensure!(block[..8] == number.to_le_bytes());
    }
    ensure_equal!(system::read(file, block), 0);
    ensure_equal!(
        need!(system::fstat(file)).size,
        MAX_FILE_BLOCKS * BLOCK_SIZE
    );
    Ok(())
}

/// Pieces that cover blocks in part, read in halves.
fn odd_sizes_read_back() -> Verdict {
    const PIECES: usize = 20;
    const SIZE: usize = 600;
    let bytes = buffer(SIZE);
    let file = need!(system::open(c"odd", CREATE | READ_WRITE));
    for piece in 0..PIECES {
        bytes.fill(piece as u8);
        ensure_equal!(system::write(file, bytes), SIZE);
    }
    system::close(file);
    let file = need!(system::open(c"odd", READ_ONLY));
    for half in 0..2 * PIECES {
        ensure_equal!(system::read(file, &mut bytes[..SIZE / 2]), SIZE / 2);
        ensure!(bytes[..SIZE / 2].iter().all(|&byte| byte == half as u8 / 2));
    }
    ensure_equal!(system::read(file, bytes), 0);
    Ok(())
}

fn writes_larger_than_the_log() -> Verdict {
    let bytes = buffer((OPERATION_BLOCKS + 2) * BLOCK_SIZE);
    bytes.fill(b'w');
    for size in (499..bytes.len()).step_by(471) {
        let file = need!(system::open(c"wide", CREATE | READ_WRITE));
        ensure_equal!(system::write(file, &bytes[..size]), size);
        ensure_equal!(system::write(file, &bytes[..size]), size);
        ensure_equal!(need!(system::fstat(file)).size, 2 * size);
        system::close(file);
        ensure_equal!(system::unlink(c"wide"), 0);
    }
    Ok(())
}

fn many_files() -> Verdict {
    const FILES: usize = 52;
    for number in 0..FILES {
        create(Name::numbered("many", number).path(), &[number as u8])?;
    }
    for number in 0..FILES {
        let name = Name::numbered("many", number);
        contains(name.path(), &[number as u8])?;
        ensure_equal!(system::unlink(name.path()), 0);
        ensure!(!exists(name.path()));
    }
    Ok(())
}

fn modes_are_kept() -> Verdict {
    create(c"modes", b"abcd")?;
    let reader = need!(system::open(c"modes", READ_ONLY));
    let writer = need!(system::open(c"modes", WRITE_ONLY));
    let both = need!(system::open(c"modes", READ_WRITE));
    let mut byte = [0];
    ensure_equal!(system::write(reader, b"x"), -1);
    ensure_equal!(system::read(writer, &mut byte), -1);
    ensure_equal!(system::write(writer, b"W"), 1);
    ensure_equal!(system::read(both, &mut byte), 1);
    ensure_equal!(byte[0], b'W');
    ensure_equal!(system::write(both, b"B"), 1);
    contains(c"modes", b"WBcd")
}

fn reading_at_the_end() -> Verdict {
    create(c"end", b"abc")?;
    let file = need!(system::open(c"end", READ_WRITE));
    let bytes = &mut [0; 8];
    ensure_equal!(system::read(file, bytes), 3);
    ensure_equal!(system::read(file, bytes), 0);
    ensure_equal!(system::read(file, bytes), 0);
    // The offset is at the end, so the bytes are added there.
    ensure_equal!(system::write(file, b"def"), 3);
    ensure_equal!(system::read(file, bytes), 0);
    ensure_equal!(system::read(file, &mut []), 0);
    ensure_equal!(system::write(file, &[]), 0);
    contains(c"end", b"abcdef")
}

fn truncate_is_seen_by_all() -> Verdict {
    create(c"cut", b"abcd")?;
    let bytes = &mut [0; 32];
    let old = need!(system::open(c"cut", READ_ONLY));
    ensure_equal!(system::read(old, bytes), 4);
    let writer = need!(system::open(c"cut", WRITE_ONLY | TRUNCATE));
    let new = need!(system::open(c"cut", READ_ONLY));
    ensure_equal!(system::read(new, bytes), 0);
    ensure_equal!(system::read(old, bytes), 0);
    ensure_equal!(system::write(writer, b"uvwxyz"), 6);
    ensure_equal!(system::read(new, bytes), 6);
    // It has read four bytes of what was there before.
    ensure_equal!(system::read(old, bytes), 2);
    ensure!(bytes[..2] == *b"yz");
    Ok(())
}

/// A write beyond the end of a file that was truncated: xv6 has no files with gaps.
fn truncate_leaves_no_gap() -> Verdict {
    let writer = need!(system::open(c"gap", CREATE | WRITE_ONLY));
    ensure_equal!(system::write(writer, b"abcd"), 4);
    let cutter = need!(system::open(c"gap", WRITE_ONLY | TRUNCATE));
    ensure_equal!(system::write(writer, b"x"), -1);
    ensure_equal!(system::write(cutter, b"new"), 3);
    ensure_equal!(system::write(writer, b"x"), -1);
    ensure_equal!(system::write(cutter, b"er"), 2);
    ensure_equal!(system::write(writer, b"x"), 1);
    contains(c"gap", b"newex")
}

fn truncate_beside_a_writer() -> Verdict {
    create(c"busy", b"")?;
    let writer = spawn(|| {
        for _ in 0..100 {
            let file = need!(system::open(c"busy", WRITE_ONLY));
            ensure_equal!(system::write(file, b"1234567890"), 10);
            system::close(file);
            let file = need!(system::open(c"busy", READ_ONLY));
            let length = need!(system::read(file, &mut [0; 32]));
            ensure!(matches!(length, 0 | 3 | 10));
            system::close(file);
        }
        Ok(())
    })?;
    for _ in 0..150 {
        let file = need!(system::open(c"busy", CREATE | WRITE_ONLY | TRUNCATE));
        ensure_equal!(system::write(file, b"xxx"), 3);
        system::close(file);
    }
    ensure!(system::wait() == Some((writer.pid, 0)));
    Ok(())
}

fn bad_descriptors() -> Verdict {
    let closed = need!(system::open(c"/init", READ_ONLY));
    system::close(closed);
    let beyond = OPEN_FILES_PER_PROCESS as i32;
    for descriptor in [closed, -1, beyond, beyond + 1, i32::MAX, i32::MIN] {
        ensure_equal!(system::read(descriptor, &mut [0]), -1);
        ensure_equal!(system::write(descriptor, b"x"), -1);
        ensure_equal!(system::close(descriptor), -1);
        ensure_equal!(system::dup(descriptor), -1);
        ensure!(system::fstat(descriptor).is_none());
    }
    Ok(())
}

fn lowest_descriptor_first() -> Verdict {
    let first = need!(system::open(c"/init", READ_ONLY));
    let second = need!(system::dup(first));
    let third = need!(system::dup(first));
    ensure!(first < second && second < third);
    system::close(first);
    system::close(second);
    let ends = need!(system::pipe());
    ensure!(ends == (first, second));
    system::close(third);
    ensure_equal!(system::open(c"/init", READ_ONLY), third);
    Ok(())
}

fn dup_shares_the_offset() -> Verdict {
    create(c"shared", b"abcdef")?;
    let file = need!(system::open(c"shared", READ_WRITE));
    let twin = need!(system::dup(file));
    let bytes = &mut [0; 2];
    ensure_equal!(system::read(file, bytes), 2);
    ensure_equal!(system::read(twin, bytes), 2);
    ensure!(*bytes == *b"cd");
    ensure_equal!(system::write(file, b"E"), 1);
    system::close(file);
    // The other descriptor keeps the file open.
    ensure_equal!(system::write(twin, b"F"), 1);
    contains(c"shared", b"abcdEF")
}

/// Two processes with one open file: nothing that one writes is overwritten by the other.
fn fork_shares_the_offset() -> Verdict {
    const WRITES: usize = 500;
    const SIZE: usize = 10;
    let file = need!(system::open(c"shared", CREATE | READ_WRITE));
    let write_all = |byte: u8| {
        for _ in 0..WRITES {
            ensure_equal!(system::write(file, &[byte; SIZE]), SIZE);
        }
        Ok(())
    };
    let child = spawn(|| write_all(b'c'))?;
    write_all(b'p')?;
    ensure!(system::wait() == Some((child.pid, 0)));
    let bytes = buffer(2 * WRITES * SIZE + 1);
    let reader = need!(system::open(c"shared", READ_ONLY));
    let length = need!(read_fully(reader, bytes));
    ensure_equal!(length, 2 * WRITES * SIZE);
    let of = |wanted| bytes.iter().filter(|&&byte| byte == wanted).count();
    ensure_equal!(of(b'c'), WRITES * SIZE);
    ensure_equal!(of(b'p'), WRITES * SIZE);
    // No write was cut in two.
    let whole = |piece: &[u8]| piece.iter().all(|&byte| byte == piece[0]);
    ensure!(bytes[..length].chunks(SIZE).all(whole));
    Ok(())
}

fn opens_have_their_own_offset() -> Verdict {
    create(c"own", b"abcd")?;
    let first = need!(system::open(c"own", READ_ONLY));
    let second = need!(system::open(c"own", READ_ONLY));
    let bytes = &mut [0; 2];
    ensure_equal!(system::read(first, bytes), 2);
    ensure_equal!(system::read(second, bytes), 2);
    ensure!(*bytes == *b"ab");
    Ok(())
}

fn devices() -> Verdict {
    const ABSENT: u16 = DEVICES as u16 - 1;
    ensure_equal!(system::mknod(c"absent", ABSENT, 0), 0);
    ensure_equal!(system::mknod(c"absent", ABSENT, 0), -1);
    ensure_equal!(system::mknod(c"beyond", DEVICES as u16, 0), 0);
    ensure_equal!(system::mknod(c"console", CONSOLE, 7), 0);
    let absent = need!(system::open(c"absent", READ_WRITE));
    ensure_equal!(system::read(absent, &mut [0]), -1);
    ensure_equal!(system::write(absent, b"x"), -1);
    ensure_equal!(system::open(c"beyond", READ_ONLY), -1);
    // To create a file where a device is opens the device; there is nothing to truncate.
    let console = need!(system::open(c"console", CREATE | TRUNCATE | WRITE_ONLY));
    ensure_equal!(system::write(console, b""), 0);
    let stat = need!(system::fstat(console));
    ensure!(stat.kind == Kind::Device);
    ensure_equal!(stat.links, 1);
    Ok(())
}

fn fstat_tells() -> Verdict {
    create(c"one", b"12345")?;
    create(c"two", b"")?;
    let one = need!(system::open(c"one", WRITE_ONLY));
    let stat = need!(system::fstat(one));
    ensure!(stat.kind == Kind::File);
    ensure_equal!(stat.device, user::abi::limits::ROOT_DEVICE);
    ensure_equal!(stat.links, 1);
    ensure_equal!(stat.size, 5);
    let two = need!(system::open(c"two", READ_ONLY));
    ensure!(need!(system::fstat(two)).inode != stat.inode);
    ensure_equal!(need!(system::fstat(two)).size, 0);
    let twin = need!(system::dup(one));
    ensure!(system::fstat(twin) == Some(stat));
    let root = need!(system::open(c"/", READ_ONLY));
    ensure!(need!(system::fstat(root)).kind == Kind::Directory);
    let (read_end, _) = need!(system::pipe());
    ensure!(system::fstat(read_end).is_none());
    Ok(())
}

fn four_writers() -> Verdict {
    const WRITERS: usize = 4;
    const PIECES: usize = 12;
    const SIZE: usize = 500;
    let bytes = buffer(PIECES * SIZE + 1);
    for writer in 0..WRITERS {
        let _ = spawn(|| {
            let name = Name::numbered("f", writer);
            let file = need!(system::open(name.path(), CREATE | READ_WRITE));
            for _ in 0..PIECES {
                ensure_equal!(system::write(file, &[b'0' + writer as u8; SIZE]), SIZE);
            }
            Ok(())
        })?;
    }
    child::all_pass(WRITERS)?;
    for writer in 0..WRITERS {
        let file = need!(system::open(Name::numbered("f", writer).path(), READ_ONLY));
        let length = need!(read_fully(file, bytes));
        system::close(file);
        ensure_equal!(length, PIECES * SIZE);
        let mut written = bytes[..length].iter();
        ensure!(written.all(|&byte| byte == b'0' + writer as u8));
    }
    Ok(())
}

/// Large writes at a time, so that each waits for room in the log and for the disk.
fn many_writers() -> Verdict {
    const WRITERS: usize = 4;
    const ROUNDS: usize = 30;
    let bytes = buffer((OPERATION_BLOCKS + 2) * BLOCK_SIZE);
    bytes.fill(b'm');
    for writer in 0..WRITERS {
        let _ = spawn(|| {
            let name = Name::numbered("b", writer);
            for _ in 0..ROUNDS {
                for _ in 0..=writer {
                    let file = need!(system::open(name.path(), CREATE | READ_WRITE));
                    ensure_equal!(system::write(file, bytes), bytes.len());
                    system::close(file);
                }
                ensure_equal!(system::unlink(name.path()), 0);
            }
            Ok(())
        })?;
    }
    child::all_pass(WRITERS)
}

/// More writes from a bad address than the disk has free blocks: none may keep one.
fn bad_writes_take_no_block() -> Verdict {
    use user::abi::SystemCall;
    use user::testing::memory::call;
    const BLOCKS: usize = 2000;
    for _ in 0..BLOCKS {
        let file = need!(system::open(c"junk", CREATE | WRITE_ONLY));
        let answer = call(SystemCall::Write, [file as u64, 0xff_ffff_ffff, 1]);
        ensure_equal!(answer, -1);
        system::close(file);
        ensure_equal!(system::unlink(c"junk"), 0);
    }
    create(c"junk", b"x")?;
    contains(c"junk", b"x")
}
