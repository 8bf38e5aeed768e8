//! The disk at its limits: no block is free, or no inode, or almost none.

use super::files::{make, path_to, path_to_new, spelled};
use super::memory::grow;
use crate::case::{Address, Amount, Call, OpenFlags, OpenMode, Operation, Region};
use crate::generation::{Scene, operations};

/// Pages of the heap from which a write can fill dozens of blocks.
const BUFFER_PAGES: i16 = 8;

/// Names and bytes for which there may be no block, and the same again once something is gone.
pub(crate) fn few_blocks(scene: &mut Scene<'_>) {
    leave_blocks(scene);
    scene.does(grow(Amount::pages(BUFFER_PAGES)));
    let path = path_to_new(scene);
    let fd = make(path, OpenMode::ReadWrite, OpenFlags::CREATE, scene);
    for _ in 0..1 + scene.below(3) {
        write_much(fd, scene);
    }
    for _ in 0..1 + scene.below(2) {
        name(scene);
    }
    let address = operations::good_address(scene);
    scene.does(Call::Fstat { fd, address });
    if scene.one_in(2) {
        scene.does(Call::Close { fd });
        scene.does(Call::Unlink { address: path });
        name(scene);
        write_much(fd, scene);
    }
}

/// More new files than there are inodes: one directory in another, with other names in each. Once a name is gone, its
/// inode is free again.
pub(crate) fn few_inodes(scene: &mut Scene<'_>) {
    let directory = path_to(spelled("dir"), scene);
    let others = ["new", "other", "fourteen-bytez"].map(|text| path_to(spelled(text), scene));
    let depth = scene.pick(&[1, 2, 5]);
    for _ in 0..depth {
        for address in others {
            scene.does(Call::Mknod { address, major: 1 });
        }
        scene.does(Call::Mkdir { address: directory });
        scene.does(Call::Chdir { address: directory });
    }
    name(scene);
    if scene.one_in(2) {
        let address = scene.pick(&others);
        scene.does(Call::Unlink { address });
        name(scene);
    }
}

/// Makes the disk nearly full, if the case has used no path yet: afterwards that has no effect.
fn leave_blocks(scene: &mut Scene<'_>) {
    let call = Call::Blocks { free: scene.room() };
    let operation = Operation::new(scene.process, call);
    if scene.companion.model().applies(&operation) {
        scene.does(call);
    }
}

/// Adds a name to a directory, or tries to.
fn name(scene: &mut Scene<'_>) {
    let old = path_to(spelled("init"), scene);
    let address = path_to_new(scene);
    let call = match scene.below(4) {
        0 => Call::Mkdir { address },
        1 => Call::Mknod { address, major: 1 },
        2 => Call::Link {
            address: old,
            new: address.near(),
        },
        _ => Call::Open {
            address,
            mode: OpenMode::Write,
            flags: OpenFlags::CREATE,
        },
    };
    scene.does(call);
}

fn write_much(fd: i8, scene: &mut Scene<'_>) {
    let length = scene.pick(&[1024, 3072, 5000, 13_000, 32_767]);
    scene.does(Call::Write {
        fd,
        address: Address::new(Region::Heap, 0, 0),
        length,
    });
}
