//! Files: opened, read, asked about, shared by descriptors; made, written, truncated, linked,
//! removed.

use super::memory::grow;
use super::programs::start_agent;
use crate::case::{Address, Amount, Call, OpenFlags, OpenMode, Process, Region, Target, Text};
use crate::generation::{Scene, addresses, operations};

/// A file, and what it holds.
pub(crate) fn open_and_read(scene: &mut Scene<'_>) {
    let fd = open(scene);
    let address = scene.address();
    scene.does(Call::Fstat { fd, address });
    let (address, length) = (scene.address(), scene.length());
    scene.does(Call::Read {
        fd,
        address,
        length,
    });
}

/// A file that two descriptors, or two processes, read from together: they share one offset.
pub(crate) fn shared_offset(scene: &mut Scene<'_>) {
    let fd = open(scene);
    let (other, again) = if scene.one_in(2) {
        scene.does(Call::Dup { fd });
        (scene.process, fd + 1)
    } else {
        let child = scene.child();
        scene.does(Call::Fork { child });
        (child, fd)
    };
    for (process, fd) in [(scene.process, fd), (other, again), (scene.process, fd)] {
        let (address, length) = (scene.address(), scene.length());
        scene.other_does(
            process,
            Call::Read {
                fd,
                address,
                length,
            },
        );
    }
}

/// A file opened twice, one of them closed: the lowest descriptor is used again.
pub(crate) fn reopen(scene: &mut Scene<'_>) {
    let fd = open(scene);
    scene.does(Call::Close { fd });
    open(scene);
    let (address, length) = (scene.address(), scene.length());
    scene.does(Call::Read {
        fd,
        address,
        length,
    });
}

/// Opens a file for reading. Gives the descriptor that it probably gets.
fn open(scene: &mut Scene<'_>) -> i8 {
    let address = operations::good_address(scene);
    let string = operations::string_at(address, scene);
    scene.does(string);
    let mode = if scene.one_in(4) {
        scene.open_mode()
    } else {
        OpenMode::Read
    };
    let fd = scene.next_descriptor();
    scene.does(Call::Open {
        address,
        mode,
        flags: OpenFlags::empty(),
    });
    fd
}

/// A new file, written from one buffer and read back to another: lazy, shared, across a page's end.
pub(crate) fn write_and_read_back(scene: &mut Scene<'_>) {
    let path = path_to_new(scene);
    let fd = make(path, OpenMode::ReadWrite, OpenFlags::CREATE, scene);
    if scene.one_in(3) {
        let pages = 1 + scene.below(3) as i16;
        scene.does(grow(Amount::pages(pages)));
    }
    for _ in 0..1 + scene.below(3) {
        write(fd, scene);
    }
    let again = make(path, OpenMode::Read, OpenFlags::empty(), scene);
    let reader = again.max(fd + 1);
    for _ in 0..1 + scene.below(2) {
        read(scene.process, reader, scene);
    }
    stat(reader, scene);
}

/// What is written over what was there: from a buffer that may end too early, by two descriptors
/// with offsets of their own.
pub(crate) fn write_over(scene: &mut Scene<'_>) {
    let path = path_to_new(scene);
    let fd = make(path, OpenMode::Write, OpenFlags::CREATE, scene);
    write(fd, scene);
    make(path, OpenMode::ReadWrite, OpenFlags::empty(), scene);
    write(fd + 1, scene);
    read(scene.process, fd + 1, scene);
    write(fd, scene);
    stat(fd, scene);
}

/// The name of a file that is open, or was never there, is removed; a new file may get its inode.
pub(crate) fn unlink_while_open(scene: &mut Scene<'_>) {
    let path = path_to_new(scene);
    let fd = make(path, OpenMode::ReadWrite, OpenFlags::CREATE, scene);
    if scene.one_in(2) {
        write(fd, scene);
    }
    scene.does(Call::Unlink { address: path });
    match scene.below(3) {
        0 => write(fd, scene),
        1 => scene.does(Call::Close { fd }),
        _ => {}
    }
    let other = path_to_new(scene);
    make(other, OpenMode::Write, OpenFlags::CREATE, scene);
    stat(fd, scene);
    stat(fd + 1, scene);
}

/// A file with two names, one of them taken away again; or a link that cannot be made.
pub(crate) fn link_and_unlink(scene: &mut Scene<'_>) {
    let old = if scene.one_in(2) {
        path_to(scene.text(), scene)
    } else {
        path_to_new(scene)
    };
    let new = path_to_new(scene);
    let link = Call::Link {
        address: old,
        new: new.near(),
    };
    if scene.one_in(2) {
        make(old, OpenMode::Write, OpenFlags::CREATE, scene);
    }
    scene.does(link);
    if scene.one_in(3) {
        scene.does(link);
    }
    let address = scene.pick(&[old, new]);
    scene.does(Call::Unlink { address });
    let fd = make(new, OpenMode::Read, OpenFlags::empty(), scene);
    stat(fd, scene);
}

/// A file that loses what it holds while others read and write it.
pub(crate) fn truncate(scene: &mut Scene<'_>) {
    let path = path_to_new(scene);
    let fd = make(path, OpenMode::ReadWrite, OpenFlags::CREATE, scene);
    write(fd, scene);
    let flags = scene.pick(&[OpenFlags::TRUNCATE, OpenFlags::CREATE | OpenFlags::TRUNCATE]);
    let mode = scene.open_mode();
    make(path, mode, flags, scene);
    if scene.one_in(2) {
        write(fd, scene)
    } else {
        write(fd + 1, scene)
    }
    read(scene.process, fd, scene);
    stat(fd, scene);
}

/// Directories: made, entered, filled, read, removed.
pub(crate) fn directories(scene: &mut Scene<'_>) {
    let directory = path_to(spelled("dir"), scene);
    let inside = scene.pick(&["dir/new", "dir/dir", "dir/..", "new", "../new"]);
    let inside = path_to(spelled(inside), scene);
    scene.does(Call::Mkdir { address: directory });
    if scene.one_in(3) {
        scene.does(Call::Chdir { address: directory });
    }
    match scene.below(3) {
        0 => scene.does(Call::Mkdir { address: inside }),
        _ => {
            make(inside, OpenMode::Write, OpenFlags::CREATE, scene);
        }
    }
    if scene.one_in(2) {
        scene.does(Call::Unlink { address: directory });
    }
    if scene.one_in(2) {
        scene.does(Call::Unlink { address: inside });
        scene.does(Call::Unlink { address: directory });
    }
    let text = scene.pick(&[".", "dir", "", "/"]);
    let listed = path_to(spelled(text), scene);
    let fd = make(listed, OpenMode::Read, OpenFlags::empty(), scene);
    read(scene.process, fd, scene);
    stat(fd, scene);
}

/// A directory that is removed while a child is in it. No path of the child leads through it then.
pub(crate) fn removed_directory(scene: &mut Scene<'_>) {
    let directory = path_to(spelled("dir"), scene);
    let inside = if scene.one_in(2) {
        directory
    } else {
        path_to_new(scene)
    };
    let child = scene.child();
    scene.does(Call::Mkdir { address: directory });
    scene.does(Call::Fork { child });
    scene.other_does(child, Call::Chdir { address: directory });
    scene.does(Call::Unlink { address: directory });
    let inside = match scene.below(3) {
        0 => Call::Mkdir { address: inside },
        1 => Call::Open {
            address: inside,
            mode: OpenMode::Write,
            flags: OpenFlags::CREATE,
        },
        _ => Call::Link {
            address: inside,
            new: directory.near(),
        },
    };
    scene.other_does(child, inside);
    let path = path_to_new(scene);
    let fd = make(path, OpenMode::Read, OpenFlags::CREATE, scene);
    stat(fd, scene);
}

/// A device file, and what can be done with it.
pub(crate) fn device(scene: &mut Scene<'_>) {
    let address = path_to_new(scene);
    let major = scene.major();
    scene.does(Call::Mknod { address, major });
    let flags = scene.open_flags();
    let fd = make(address, OpenMode::ReadWrite, flags, scene);
    if scene.one_in(2) {
        read(scene.process, fd, scene)
    } else {
        write(fd, scene)
    }
    stat(fd, scene);
    scene.does(Call::Unlink { address });
}

/// The console: a line is typed before a program reads it, or while it waits. Another process writes there
/// meanwhile, or kills it.
pub(crate) fn console(scene: &mut Scene<'_>) {
    let address = path_to_new(scene);
    scene.does(Call::Mknod { address, major: 1 });
    let fd = make(address, OpenMode::ReadWrite, OpenFlags::empty(), scene);
    let me = scene.process;
    let reader = if scene.one_in(3) { me } else { scene.child() };
    if reader != me {
        scene.does(Call::Fork { child: reader });
    }
    // A new program has pages that it has not touched.
    let starts = scene.one_in(3);
    if starts {
        scene.process = reader;
        let program = scene.pick(&["init", "grow"]);
        start_agent(spelled(program), scene);
        scene.process = me;
    }
    let early = scene.one_in(2);
    if early {
        let keys = scene.keys();
        scene.does(Call::Type { keys });
    }
    for _ in 0..1 + scene.below(2) {
        let address = if starts {
            addresses::image(scene)
        } else {
            buffer(scene)
        };
        let length = scene.length();
        let read = Call::Read {
            fd,
            address,
            length,
        };
        scene.other_does(reader, read);
        if reader != me && scene.one_in(4) {
            write(fd, scene);
        }
        if reader != me && scene.one_in(8) {
            let target = Target::Process(reader);
            scene.does(Call::Kill { target });
        }
        let keys = scene.keys();
        scene.does(Call::Type { keys });
    }
}

/// A file that changes while a child runs from it, before the child has touched all of it.
pub(crate) fn change_a_running_program(scene: &mut Scene<'_>) {
    let path = path_to(spelled("grow"), scene);
    let child = scene.child();
    let arguments = operations::good_address(scene).near();
    scene.does(Call::Fork { child });
    let exec = Call::Exec {
        address: path,
        arguments,
    };
    scene.other_does(child, exec);
    let flags = if scene.one_in(2) {
        OpenFlags::TRUNCATE
    } else {
        OpenFlags::empty()
    };
    let fd = make(path, OpenMode::Write, flags, scene);
    if !scene.one_in(3) {
        // Text and data follow each other: long enough to reach the data in the file.
        let address = Address::new(Region::Text, 0, 8 * scene.below(64) as u16);
        let length = 8000 + scene.below(8000) as i16;
        scene.does(Call::Write {
            fd,
            address,
            length,
        });
    }
    if scene.one_in(3) {
        scene.does(Call::Unlink { address: path });
    }
    for _ in 0..2 {
        let address = addresses::image(scene);
        let touch = operations::access_at(address, scene);
        scene.other_does(child, touch);
    }
}

/// A file that a parent and its child write to in turn, through one offset.
pub(crate) fn written_together(scene: &mut Scene<'_>) {
    let path = path_to_new(scene);
    let fd = make(path, OpenMode::ReadWrite, OpenFlags::CREATE, scene);
    let child = scene.child();
    scene.does(Call::Fork { child });
    for process in [scene.process, child, scene.process] {
        let (address, length) = (buffer(scene), scene.length());
        scene.other_does(
            process,
            Call::Write {
                fd,
                address,
                length,
            },
        );
    }
    if scene.one_in(2) {
        scene.other_does(child, Call::Unlink { address: path });
        scene.other_does(child, Call::Exit { status: 0 });
    }
    make(path, OpenMode::Read, OpenFlags::empty(), scene);
    read(scene.process, fd + 1, scene);
}

pub(super) fn spelled(word: &str) -> Text {
    Text::spelled(word).unwrap_or(Text::from_code(0))
}

/// Stores a path to something new, and returns its address.
pub(super) fn path_to_new(scene: &mut Scene<'_>) -> Address {
    let text = scene.new_name();
    path_to(text, scene)
}

/// Stores a path at a place of its own, mostly; sometimes at the end of a page.
pub(super) fn path_to(text: Text, scene: &mut Scene<'_>) -> Address {
    let address = if scene.one_in(4) {
        addresses::page_end(scene)
    } else {
        Address::new(Region::Stack, 0, 0xc00 + 16 * scene.below(16) as u16)
    };
    scene.does(Call::String {
        address,
        text,
        terminated: true,
    });
    address
}

/// Opens a path. Gives the descriptor that it probably gets.
pub(super) fn make(
    address: Address,
    mode: OpenMode,
    flags: OpenFlags,
    scene: &mut Scene<'_>,
) -> i8 {
    let fd = scene.next_descriptor();
    scene.does(Call::Open {
        address,
        mode,
        flags,
    });
    fd
}

fn write(fd: i8, scene: &mut Scene<'_>) {
    let (address, length) = (buffer(scene), scene.file_length());
    scene.does(Call::Write {
        fd,
        address,
        length,
    });
}

fn read(process: Process, fd: i8, scene: &mut Scene<'_>) {
    let (address, length) = (buffer(scene), scene.file_length());
    scene.other_does(
        process,
        Call::Read {
            fd,
            address,
            length,
        },
    );
}

/// Mostly memory that every program has.
fn buffer(scene: &mut Scene<'_>) -> Address {
    let offset = scene.offset();
    match scene.below(3) {
        0 => scene.address(),
        1 => Address::new(Region::Data, 0, offset),
        _ => Address::new(Region::Stack, 0, offset % 0x800),
    }
}

fn stat(fd: i8, scene: &mut Scene<'_>) {
    let address = operations::good_address(scene);
    scene.does(Call::Fstat { fd, address });
}
