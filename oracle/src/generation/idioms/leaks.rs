//! Slow leaks: what a failing call leaves behind in the kernel's tables shows when a table is full, or when the
//! last name of a file is gone.

use super::files::{make, path_to, path_to_new, spelled};
use crate::case::{Address, Call, OpenFlags, OpenMode, Region};
use crate::generation::{Scene, operations};

/// More than xv6 has open files (100), inodes in use (50) and processes (64).
const MORE_THAN_A_TABLE_HOLDS: usize = 101;

/// The same failing call again and again, and then calls that need room in the tables.
pub(crate) fn fail_until_full(scene: &mut Scene<'_>) {
    // Where no program may store.
    let text = Address::new(Region::Text, 0, scene.offset());
    let call = match scene.below(3) {
        0 => {
            let address = path_to(spelled("init"), scene);
            failing_on_a_file(address, scene)
        }
        _ => Call::Pipe { address: text },
    };
    // Mostly a few times: the whole table takes a while.
    let times = scene.pick(&[2, 3, 4, MORE_THAN_A_TABLE_HOLDS]);
    for _ in 0..times {
        scene.does(call);
    }
    let address = operations::good_address(scene);
    scene.does(Call::Pipe { address });
    let path = path_to(spelled("init"), scene);
    make(path, OpenMode::Read, OpenFlags::empty(), scene);
}

/// A call that fails on a new file, which then loses its name: if the call has kept the inode, it is not free.
pub(crate) fn fail_on_a_new_file(scene: &mut Scene<'_>) {
    let path = path_to_new(scene);
    let fd = make(path, OpenMode::ReadWrite, OpenFlags::CREATE, scene);
    scene.does(Call::Close { fd });
    for _ in 0..1 + scene.below(2) {
        let call = failing_on_a_file(path, scene);
        scene.does(call);
    }
    scene.does(Call::Unlink { address: path });
}

/// A call that needs something other than a file at the path that is stored at `address`.
fn failing_on_a_file(address: Address, scene: &mut Scene<'_>) -> Call {
    match scene.below(5) {
        0 | 1 => Call::Chdir { address },
        2 => Call::Mkdir { address },
        3 => Call::Link {
            address,
            new: address.near(),
        },
        _ => Call::Exec {
            address,
            arguments: scene.address().near(),
        },
    }
}
