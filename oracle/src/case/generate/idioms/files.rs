//! Files: opened, read, asked about, shared by descriptors.

use crate::case::generate::{Scene, operations};
use crate::case::{Call, OpenMode};

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
    let (other, again) = match scene.one_in(2) {
        true => {
            scene.does(Call::Dup { fd });
            (scene.process, fd + 1)
        }
        false => {
            let child = scene.child();
            scene.does(Call::Fork { child });
            (child, fd)
        }
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
    let mode = match scene.one_in(4) {
        true => scene.open_mode(),
        false => OpenMode::Read,
    };
    scene.does(Call::Open { address, mode });
    scene.below(3) as i8
}
