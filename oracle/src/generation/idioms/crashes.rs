//! Power cuts in the middle of what changes files.

use super::files::{make, path_to, path_to_new, spelled};
use super::memory::grow;
use crate::case::{Address, Amount, Call, Cut, OpenFlags, OpenMode, Region};
use crate::generation::Scene;

/// A few changes of files; the power is cut in one of the later ones, and now and then once more in the boot.
pub(crate) fn cut_short(scene: &mut Scene<'_>) {
    scene.does(grow(Amount::pages(2)));
    let path = path_to_new(scene);
    let fd = make(path, OpenMode::ReadWrite, OpenFlags::CREATE, scene);
    for _ in 0..scene.below(3) {
        change(path, fd, scene);
    }
    let cut = scene.cut();
    scene.does(Call::PowerCut { cut });
    if scene.one_in(4) {
        let cut = Cut::after(1 + scene.below(4) as u8);
        scene.does(Call::PowerCut { cut });
    }
    for _ in 0..1 + scene.below(3) {
        change(path, fd, scene);
    }
}

/// Changes the file at `path`, which is open as `fd`, or another one.
fn change(path: Address, fd: i8, scene: &mut Scene<'_>) {
    let call = match scene.below(8) {
        0 => Call::Link {
            address: path,
            new: path_to_new(scene).near(),
        },
        1 => Call::Unlink { address: path },
        2 => Call::Mkdir {
            address: path_to(spelled("dir"), scene),
        },
        3 => Call::Open {
            address: path,
            mode: OpenMode::Write,
            flags: OpenFlags::TRUNCATE,
        },
        4 => Call::Close { fd },
        5 => Call::Open {
            address: path_to_new(scene),
            mode: OpenMode::Write,
            flags: OpenFlags::CREATE,
        },
        _ => Call::Write {
            fd,
            address: Address::new(Region::Heap, 0, 0),
            length: scene.pick(&[1, 100, 1024, 3000, 6000]),
        },
    };
    scene.does(call);
}
