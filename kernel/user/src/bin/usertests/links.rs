//! Names of files: link and unlink, alone and at the same time.

use user::abi::open::{CREATE, READ_ONLY, READ_WRITE};
use user::testing::child::{self, spawn};
use user::testing::files::{Name, contains, create, exists, list};
use user::testing::memory::buffer;
use user::testing::random::Random;
use user::testing::{Failure, Group, Verdict};
use user::{ensure, ensure_equal, need, rules, system};

pub const GROUP: Group = Group {
    name: "links",
    quick: rules![
        links_are_counted,
        links_that_cannot_be,
        unlinked_file_lives_while_open,
        unlinked_file_lives_in_a_child,
        four_create_and_delete,
        create_and_link_at_once,
        link_and_unlink_at_once,
        directories_go_while_their_files_go,
    ],
    slow: rules![],
};

fn count_links(path: &core::ffi::CStr) -> Result<u16, Failure> {
    let file = need!(system::open(path, READ_ONLY));
    let stat = need!(system::fstat(file));
    system::close(file);
    Ok(stat.links)
}

fn links_are_counted() -> Verdict {
    create(c"one", b"hello")?;
    ensure_equal!(system::link(c"one", c"two"), 0);
    ensure_equal!(count_links(c"one")?, 2);
    ensure_equal!(system::unlink(c"one"), 0);
    ensure!(!exists(c"one"));
    contains(c"two", b"hello")?;
    ensure_equal!(count_links(c"two")?, 1);
    // The two names are of one file.
    ensure_equal!(system::link(c"two", c"three"), 0);
    let file = need!(system::open(c"three", READ_WRITE));
    ensure_equal!(system::write(file, b"J"), 1);
    contains(c"two", b"Jello")
}

fn links_that_cannot_be() -> Verdict {
    create(c"file", b"")?;
    create(c"other", b"")?;
    ensure_equal!(system::mkdir(c"directory"), 0);
    ensure_equal!(system::link(c"file", c"file"), -1);
    ensure_equal!(system::link(c"file", c"other"), -1);
    ensure_equal!(system::link(c"file", c"directory"), -1);
    ensure_equal!(system::link(c"missing", c"new"), -1);
    ensure_equal!(system::link(c"file", c"missing/new"), -1);
    ensure_equal!(system::link(c"file", c"other/new"), -1);
    ensure_equal!(system::link(c"file", c""), -1);
    ensure_equal!(system::link(c"file", c"/"), -1);
    ensure_equal!(system::link(c"directory", c"new"), -1);
    ensure_equal!(system::link(c".", c"new"), -1);
    ensure_equal!(count_links(c"file")?, 1);
    Ok(())
}

fn unlinked_file_lives_while_open() -> Verdict {
    create(c"name", b"hello")?;
    let old = need!(system::open(c"name", READ_WRITE));
    ensure_equal!(system::unlink(c"name"), 0);
    ensure_equal!(need!(system::fstat(old)).links, 0);
    create(c"name", b"yyy")?;
    let bytes = &mut [0; 8];
    ensure_equal!(system::read(old, bytes), 5);
    ensure!(bytes[..5] == *b"hello");
    ensure_equal!(system::write(old, b" world"), 6);
    ensure_equal!(need!(system::fstat(old)).size, 11);
    ensure_equal!(system::close(old), 0);
    contains(c"name", b"yyy")
}

/// The last holder of an unlinked file may be a child that was never told.
fn unlinked_file_lives_in_a_child() -> Verdict {
    create(c"orphan", b"kept")?;
    let file = need!(system::open(c"orphan", READ_ONLY));
    let (read_end, write_end) = need!(system::pipe());
    let child = spawn(|| {
        ensure_equal!(system::read(read_end, &mut [0]), 1);
        let bytes = &mut [0; 8];
        ensure_equal!(system::read(file, bytes), 4);
        ensure!(bytes[..4] == *b"kept");
        Ok(())
    })?;
    ensure_equal!(system::unlink(c"orphan"), 0);
    ensure_equal!(system::close(file), 0);
    // Others take its blocks, if they are free.
    create(c"other", &[b'o'; 512])?;
    ensure_equal!(system::write(write_end, b"x"), 1);
    ensure!(system::wait() == Some((child.pid, 0)));
    Ok(())
}

/// Four processes make names in one directory, and remove every other one on the way.
fn four_create_and_delete() -> Verdict {
    const NAMES: usize = 20;
    const PREFIXES: [&str; 4] = ["p", "q", "r", "s"];
    for prefix in PREFIXES {
        let _ = spawn(|| {
            for number in 0..NAMES {
                create(Name::numbered(prefix, number).path(), b"")?;
                if number > 0 && number % 2 == 0 {
                    let earlier = Name::numbered(prefix, number / 2);
                    ensure_equal!(system::unlink(earlier.path()), 0);
                }
            }
            Ok(())
        })?;
    }
    child::all_pass(PREFIXES.len())?;
    for prefix in PREFIXES {
        for number in 0..NAMES {
            let stays = number == 0 || number >= NAMES / 2;
            ensure_equal!(exists(Name::numbered(prefix, number).path()), stays);
        }
    }
    Ok(())
}

/// Parent and child give a file the same name at the same time, each by a link or by creating it:
/// there must be one such name.
fn create_and_link_at_once() -> Verdict {
    const NAMES: usize = 40;
    create(Name::numbered("c", 0).path(), b"")?;
    let first = Name::numbered("c", 0);
    let make = |number: usize, by_link: bool| {
        let name = Name::numbered("c", number);
        if by_link {
            // Fails if the other process was first.
            let _ = system::link(first.path(), name.path());
        } else {
            let file = need!(system::open(name.path(), CREATE | READ_WRITE));
            system::close(file);
        }
        Ok(())
    };
    for number in 1..NAMES {
        let child = spawn(|| make(number, number % 5 == 1))?;
        make(number, number % 3 == 1)?;
        ensure!(system::wait() == Some((child.pid, 0)));
    }
    let found = buffer(NAMES);
    list(c".", |entry| {
        if let [b'c', b'0', tens, ones] = *entry.name() {
            let number = usize::from(tens - b'0') * 10 + usize::from(ones - b'0');
            found[number] += 1;
        }
    })?;
    ensure!(found.iter().all(|&times| times == 1));
    // Now one opens what the other removes.
    for number in 0..NAMES {
        let name = Name::numbered("c", number);
        let child = spawn(|| {
            for _ in 0..6 {
                match number % 3 {
                    0 => _ = exists(name.path()),
                    _ => _ = system::unlink(name.path()),
                }
            }
            Ok(())
        })?;
        for _ in 0..6 {
            match number % 3 {
                1 => _ = exists(name.path()),
                _ => _ = system::unlink(name.path()),
            }
        }
        ensure!(system::wait() == Some((child.pid, 0)));
        ensure!(!exists(name.path()));
    }
    Ok(())
}

/// Two processes make, link and remove one name, to find a deadlock.
fn link_and_unlink_at_once() -> Verdict {
    create(c"source", b"s")?;
    let play = |seed| {
        let mut random = Random::new(seed);
        for _ in 0..100 {
            // Each may fail: it depends on what the other one did.
            match random.below(3) {
                0 => {
                    if let Some(file) = system::open(c"x", CREATE | READ_WRITE) {
                        system::close(file);
                    }
                }
                1 => _ = system::link(c"source", c"x"),
                _ => _ = system::unlink(c"x"),
            }
        }
        Ok(())
    };
    let child = spawn(|| play(97))?;
    play(1)?;
    ensure!(system::wait() == Some((child.pid, 0)));
    contains(c"source", b"s")?;
    let links = count_links(c"source")?;
    ensure!(links == 1 || links == 2 && exists(c"x"));
    Ok(())
}

/// Some processes remove a directory, if it is empty, while others remove what is in it: each holds
/// an inode that another one wants.
fn directories_go_while_their_files_go() -> Verdict {
    const PAIRS: usize = 3;
    // All of these may fail: it depends on what the others have just done.
    for _ in 0..PAIRS {
        let _ = spawn(|| {
            for _ in 0..200 {
                let _ = system::mkdir(c"d");
                let _ = system::unlink(c"d");
            }
            Ok(())
        })?;
        let _ = spawn(|| {
            for _ in 0..200 {
                let _ = system::mkdir(c"d/d");
                let _ = system::unlink(c"d/d");
                let _ = system::link(c"/init", c"d/d/file");
                let _ = system::unlink(c"d/d/file");
            }
            Ok(())
        })?;
    }
    child::all_pass(2 * PAIRS)?;
    // All of it can be removed, no matter which process was the last.
    for path in [c"d/d/file", c"d/d", c"d"] {
        let _ = system::unlink(path);
        ensure!(!exists(path));
    }
    Ok(())
}
