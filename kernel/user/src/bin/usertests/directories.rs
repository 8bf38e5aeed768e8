//! Directories and paths: mkdir, chdir, unlink, names of every length.

use core::ffi::CStr;

use user::abi::file_system::Kind;
use user::abi::limits::INODES;
use user::abi::open::{CREATE, READ_ONLY, READ_WRITE, WRITE_ONLY};
use user::testing::child::{self, spawn};
use user::testing::files::{Name, contains, count_entries, create, exists, list};
use user::testing::{Group, Verdict};
use user::{ensure, ensure_equal, need, rules, system};

pub const GROUP: Group = Group {
    name: "directories",
    quick: rules![
        enter_and_leave,
        new_directory_is_empty,
        files_in_directories,
        paths_with_dots_and_slashes,
        dots_above_the_root,
        paths_that_lead_nowhere,
        directories_are_no_files,
        files_are_no_directories,
        full_directories_stay,
        dots_stay,
        names_are_fourteen_bytes,
        empty_names,
        directory_link_counts,
        entries_are_used_again,
        deep_paths_drop_what_they_pass,
        current_directory_can_be_removed,
        exit_in_a_removed_directory,
        killed_in_a_removed_directory,
        open_while_removed,
        open_directory_outlives_its_name,
    ],
    slow: rules![directory_with_indirect_blocks],
};

fn enter_and_leave() -> Verdict {
    ensure_equal!(system::mkdir(c"inner"), 0);
    ensure_equal!(system::mkdir(c"inner"), -1);
    ensure_equal!(system::chdir(c"inner"), 0);
    create(c"here", b"x")?;
    ensure_equal!(system::chdir(c".."), 0);
    ensure!(!exists(c"here"));
    contains(c"inner/here", b"x")?;
    ensure_equal!(system::unlink(c"inner/here"), 0);
    ensure_equal!(system::unlink(c"inner"), 0);
    ensure_equal!(system::chdir(c"inner"), -1);
    Ok(())
}

fn new_directory_is_empty() -> Verdict {
    ensure_equal!(system::mkdir(c"new"), 0);
    ensure_equal!(count_entries(c"new")?, 0);
    let directory = need!(system::open(c"new", READ_ONLY));
    let own = need!(system::fstat(directory)).inode;
    let parent = need!(system::fstat(need!(system::open(c".", READ_ONLY)))).inode;
    let mut dots = [0; 2];
    list(c"new", |entry| match entry.name() {
        b"." => dots[0] = u32::from(entry.inode),
        b".." => dots[1] = u32::from(entry.inode),
        _ => {}
    })?;
    ensure_equal!(dots[0], own);
    ensure_equal!(dots[1], parent);
    Ok(())
}

fn files_in_directories() -> Verdict {
    ensure_equal!(system::mkdir(c"a"), 0);
    ensure_equal!(system::mkdir(c"/scratch/a/b"), 0);
    create(c"a/file", b"upper")?;
    create(c"a/b/file", b"lower")?;
    contains(c"a/b/../file", b"upper")?;
    ensure_equal!(system::link(c"a/b/file", c"a/b/link"), 0);
    ensure_equal!(system::unlink(c"a/b/file"), 0);
    ensure!(!exists(c"a/b/file"));
    contains(c"a/b/link", b"lower")?;
    ensure_equal!(system::link(c"a/b/link", c"a/moved"), 0);
    ensure_equal!(system::unlink(c"a/b/link"), 0);
    contains(c"a/moved", b"lower")
}

fn paths_with_dots_and_slashes() -> Verdict {
    ensure_equal!(system::mkdir(c"a"), 0);
    ensure_equal!(system::mkdir(c"a/b"), 0);
    create(c"a/b/file", b"f")?;
    for path in [
        c"a//b///file",
        c"./a/./b/./file",
        c"a/../a/b/../b/file",
        c"/scratch/a/b/file",
        c"//scratch//a/b/file",
        c"../scratch/a/b/file",
    ] {
        contains(path, b"f")?;
    }
    ensure_equal!(system::mkdir(c"a/c/"), 0);
    ensure_equal!(system::chdir(c"a/c//"), 0);
    ensure_equal!(system::chdir(c"../../a/b/.."), 0);
    contains(c"b/file", b"f")?;
    ensure_equal!(system::chdir(c"../../../scratch"), 0);
    contains(c"a/b/file", b"f")
}

fn dots_above_the_root() -> Verdict {
    ensure_equal!(system::chdir(c"/"), 0);
    ensure!(exists(c"../init") && exists(c"../../../init") && exists(c"/../init"));
    ensure_equal!(system::chdir(c".."), 0);
    ensure!(exists(c"init") && exists(c"scratch"));
    ensure_equal!(system::unlink(c"/"), -1);
    ensure_equal!(system::mkdir(c"/"), -1);
    ensure_equal!(system::open(c"/", CREATE), -1);
    Ok(())
}

fn paths_that_lead_nowhere() -> Verdict {
    create(c"file", b"")?;
    for path in [
        c"missing/x",
        c"file/x",
        c"file/..",
        c"missing/..",
        c"file/x/y",
    ] {
        ensure_equal!(system::open(path, READ_ONLY), -1);
        ensure_equal!(system::open(path, CREATE | READ_WRITE), -1);
        ensure_equal!(system::mkdir(path), -1);
        ensure_equal!(system::mknod(path, 1, 0), -1);
        ensure_equal!(system::chdir(path), -1);
        ensure_equal!(system::unlink(path), -1);
        ensure_equal!(system::link(path, c"new"), -1);
        ensure_equal!(system::link(c"file", path), -1);
    }
    Ok(())
}

fn directories_are_no_files() -> Verdict {
    ensure_equal!(system::mkdir(c"directory"), 0);
    for path in [c"directory", c".", c"..", c"/"] {
        ensure_equal!(system::open(path, WRITE_ONLY), -1);
        ensure_equal!(system::open(path, READ_WRITE), -1);
        ensure_equal!(system::open(path, CREATE), -1);
        let directory = need!(system::open(path, READ_ONLY));
        ensure_equal!(system::write(directory, b"x"), -1);
        system::close(directory);
    }
    Ok(())
}

fn files_are_no_directories() -> Verdict {
    create(c"file", b"content")?;
    ensure_equal!(system::chdir(c"file"), -1);
    ensure_equal!(system::mkdir(c"file"), -1);
    ensure_equal!(system::mkdir(c"file/inner"), -1);
    ensure_equal!(system::mknod(c"file", 1, 1), -1);
    contains(c"file", b"content")
}

fn full_directories_stay() -> Verdict {
    ensure_equal!(system::mkdir(c"a"), 0);
    ensure_equal!(system::mkdir(c"a/b"), 0);
    create(c"a/b/file", b"")?;
    ensure_equal!(system::unlink(c"a"), -1);
    ensure_equal!(system::unlink(c"a/b"), -1);
    ensure_equal!(system::unlink(c"a/b/file"), 0);
    ensure_equal!(system::unlink(c"a"), -1);
    ensure_equal!(system::unlink(c"a/b"), 0);
    ensure_equal!(system::unlink(c"a"), 0);
    Ok(())
}

fn dots_stay() -> Verdict {
    ensure_equal!(system::mkdir(c"dots"), 0);
    for path in [c"dots/.", c"dots/..", c".", c"..", c"/.", c"/.."] {
        ensure_equal!(system::unlink(path), -1);
        ensure_equal!(system::mkdir(path), -1);
    }
    ensure_equal!(system::unlink(c"dots"), 0);
    Ok(())
}

/// Longer names are cut, when they are made and when they are looked up.
fn names_are_fourteen_bytes() -> Verdict {
    ensure_equal!(system::mkdir(c"12345678901234"), 0);
    ensure_equal!(system::mkdir(c"12345678901234/123456789012345"), 0);
    create(c"123456789012345/123456789012345/123456789012345", b"deep")?;
    contains(c"12345678901234/12345678901234/12345678901234", b"deep")?;
    ensure_equal!(system::mkdir(c"12345678901234/12345678901234"), -1);
    ensure_equal!(system::mkdir(c"123456789012345/12345678901234"), -1);
    // One byte fewer is another name.
    ensure!(!exists(c"1234567890123"));
    create(c"1234567890123", b"short")?;
    contains(c"1234567890123", b"short")
}

fn empty_names() -> Verdict {
    create(c"file", b"")?;
    ensure_equal!(system::mkdir(c""), -1);
    ensure_equal!(system::unlink(c""), -1);
    ensure_equal!(system::open(c"", CREATE | READ_WRITE), -1);
    ensure_equal!(system::link(c"file", c""), -1);
    // A whole path that is empty means the current directory.
    let here = need!(system::open(c"", READ_ONLY));
    ensure!(need!(system::fstat(here)).kind == Kind::Directory);
    ensure_equal!(system::chdir(c""), 0);
    ensure!(exists(c"file"));
    Ok(())
}

fn count_links(path: &CStr) -> Option<u16> {
    let directory = system::open(path, READ_ONLY)?;
    let stat = system::fstat(directory);
    system::close(directory);
    stat.map(|stat| stat.links)
}

/// A directory counts its name and the ".." of each directory in it.
fn directory_link_counts() -> Verdict {
    ensure_equal!(system::mkdir(c"a"), 0);
    ensure_equal!(count_links(c"a"), 1);
    ensure_equal!(system::mkdir(c"a/b"), 0);
    ensure_equal!(system::mkdir(c"a/c"), 0);
    create(c"a/file", b"")?;
    ensure_equal!(count_links(c"a"), 3);
    ensure_equal!(system::unlink(c"a/b"), 0);
    ensure_equal!(count_links(c"a"), 2);
    // What fails changes nothing.
    ensure_equal!(system::mkdir(c"a/file"), -1);
    ensure_equal!(system::link(c"a/c", c"a/d"), -1);
    ensure_equal!(count_links(c"a"), 2);
    ensure_equal!(count_links(c"a/c"), 1);
    Ok(())
}

fn entries_are_used_again() -> Verdict {
    ensure_equal!(system::mkdir(c"d"), 0);
    let size = || {
        let directory = system::open(c"d", READ_ONLY)?;
        let stat = system::fstat(directory);
        system::close(directory);
        stat.map(|stat| stat.size)
    };
    create(c"d/first", b"")?;
    create(c"d/second", b"")?;
    let full = need!(size());
    for _ in 0..20 {
        ensure_equal!(system::unlink(c"d/first"), 0);
        create(c"d/first", b"")?;
    }
    ensure_equal!(size(), full);
    Ok(())
}

/// Paths with more parts than there are in-memory inodes: the kernel must release each inode when it
/// has passed it, whether the call succeeds or fails.
fn deep_paths_drop_what_they_pass() -> Verdict {
    create(c"file", b"")?;
    for _ in 0..=INODES {
        ensure_equal!(system::mkdir(c"deep"), 0);
        ensure_equal!(system::chdir(c"deep"), 0);
        ensure_equal!(system::mkdir(c""), -1);
        ensure_equal!(system::link(c"/scratch/file", c""), -1);
        ensure_equal!(system::open(c"", CREATE), -1);
        create(c"xx", b"")?;
        ensure_equal!(system::unlink(c"xx"), 0);
    }
    for _ in 0..=INODES {
        ensure_equal!(system::chdir(c".."), 0);
        ensure_equal!(system::unlink(c"deep"), 0);
    }
    contains(c"file", b"")
}

fn enter_and_remove() -> Verdict {
    ensure_equal!(system::mkdir(c"gone"), 0);
    ensure_equal!(system::chdir(c"gone"), 0);
    ensure_equal!(system::unlink(c"../gone"), 0);
    Ok(())
}

fn current_directory_can_be_removed() -> Verdict {
    enter_and_remove()?;
    ensure_equal!(system::open(c"x", READ_ONLY), -1);
    ensure_equal!(system::chdir(c"/scratch"), 0);
    ensure!(!exists(c"gone"));
    ensure_equal!(system::mkdir(c"gone"), 0);
    Ok(())
}

fn exit_in_a_removed_directory() -> Verdict {
    for _ in 0..5 {
        child::passes(enter_and_remove)?;
    }
    ensure_equal!(count_entries(c".")?, 0);
    Ok(())
}

fn killed_in_a_removed_directory() -> Verdict {
    let (read_end, write_end) = need!(system::pipe());
    let child = spawn(|| {
        enter_and_remove()?;
        ensure_equal!(system::write(write_end, b"x"), 1);
        child::sleep_until_killed()
    })?;
    ensure_equal!(system::read(read_end, &mut [0]), 1);
    child.kill()?;
    ensure_equal!(count_entries(c".")?, 0);
    Ok(())
}

/// A directory is removed while another process tries to open it for writing.
fn open_while_removed() -> Verdict {
    for _ in 0..20 {
        ensure_equal!(system::mkdir(c"going"), 0);
        let child = spawn(|| {
            ensure_equal!(system::open(c"going", READ_WRITE), -1);
            Ok(())
        })?;
        ensure_equal!(system::unlink(c"going"), 0);
        ensure!(system::wait() == Some((child.pid, 0)));
    }
    Ok(())
}

fn open_directory_outlives_its_name() -> Verdict {
    ensure_equal!(system::mkdir(c"d"), 0);
    let directory = need!(system::open(c"d", READ_ONLY));
    ensure_equal!(system::unlink(c"d"), 0);
    let stat = need!(system::fstat(directory));
    ensure!(stat.kind == Kind::Directory);
    ensure_equal!(stat.links, 0);
    // Its own two entries are still there.
    ensure_equal!(system::read(directory, &mut [0; 64]), 32);
    ensure_equal!(system::close(directory), 0);
    Ok(())
}

/// More names than the twelve direct blocks of a directory hold.
fn directory_with_indirect_blocks() -> Verdict {
    const NAMES: usize = 900;
    create(c"file", b"")?;
    for number in 0..NAMES {
        let name = Name::numbered("x", number);
        ensure_equal!(system::link(c"file", name.path()), 0);
    }
    ensure_equal!(count_entries(c".")?, NAMES + 1);
    ensure_equal!(count_links(c"file"), NAMES + 1);
    ensure_equal!(system::unlink(c"file"), 0);
    for number in 0..NAMES {
        ensure_equal!(system::unlink(Name::numbered("x", number).path()), 0);
    }
    ensure_equal!(count_entries(c".")?, 0);
    Ok(())
}
