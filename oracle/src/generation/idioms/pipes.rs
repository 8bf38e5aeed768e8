//! Pipes, and the buffers that go through them.

use super::memory::grow;
use crate::case::{Address, Amount, Call, Region};
use crate::generation::{Scene, addresses, operations};

/// A pipe, and something through it. Its ends are the first two descriptors if no others are open.
pub(crate) fn through_a_pipe(scene: &mut Scene<'_>) {
    let length = scene.length();
    let address = operations::good_address(scene);
    scene.does(Call::Pipe { address });
    let (read, write) = (0, 1);
    let address = scene.address();
    scene.does(Call::Write {
        fd: write,
        address,
        length,
    });
    let address = scene.address();
    scene.does(Call::Read {
        fd: read,
        address,
        length,
    });
}

/// A buffer that begins in the last bytes of a page, written from and read to; the next page may be
/// a hole, shared, or beyond the break.
pub(crate) fn across_a_page_end(scene: &mut Scene<'_>) {
    let address = operations::good_address(scene);
    scene.does(Call::Pipe { address });
    if scene.one_in(2) {
        let pages = 1 + scene.below(2) as i16;
        scene.does(grow(Amount::pages(pages)));
    }
    let length = 1 + scene.below(256) as i16;
    for fd in [1, 0] {
        let address = addresses::page_end(scene);
        let call = match fd {
            1 => Call::Write {
                fd,
                address,
                length,
            },
            _ => Call::Read {
                fd,
                address,
                length,
            },
        };
        scene.does(call);
    }
    let access = operations::access(scene);
    scene.does(access);
}

/// A reader that sleeps until its child writes, with an untouched buffer.
pub(crate) fn between_processes(scene: &mut Scene<'_>) {
    let address = operations::good_address(scene);
    scene.does(Call::Pipe { address });
    let child = scene.child();
    scene.does(Call::Fork { child });
    let (reader, writer) = if scene.one_in(2) {
        (scene.process, child)
    } else {
        (child, scene.process)
    };
    let length = 1 + scene.below(600) as i16;
    let (from, to) = (scene.address(), scene.address());
    scene.other_does(
        reader,
        Call::Read {
            fd: 0,
            address: to,
            length,
        },
    );
    if scene.one_in(4) {
        let call = scene.operation();
        scene.other_does(writer, call);
    }
    scene.other_does(
        writer,
        Call::Write {
            fd: 1,
            address: from,
            length,
        },
    );
}

/// More than a pipe holds: the writer sleeps, until the other end reads or closes.
pub(crate) fn fill_a_pipe(scene: &mut Scene<'_>) {
    scene.does(grow(Amount::pages(1)));
    let address = operations::good_address(scene);
    scene.does(Call::Pipe { address });
    let child = scene.child();
    scene.does(Call::Fork { child });
    let from = Address::new(Region::Break, -1, 0);
    let length = 513 + scene.below(1024) as i16;
    scene.does(Call::Write {
        fd: 1,
        address: from,
        length,
    });
    let to = scene.address();
    for _ in 0..1 + scene.below(3) {
        let length = scene.length();
        scene.other_does(
            child,
            Call::Read {
                fd: 0,
                address: to,
                length,
            },
        );
    }
    if scene.one_in(2) {
        scene.other_does(child, Call::Close { fd: 0 });
    }
}
