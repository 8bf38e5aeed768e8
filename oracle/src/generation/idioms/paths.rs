//! Paths in memory, and the system calls that take them.

use crate::case::{Address, Call, OpenFlags, OpenMode};
use crate::generation::{Scene, addresses, operations};

/// A path, often at the end of a page, and what is done with it.
pub(crate) fn path_and_use(scene: &mut Scene<'_>) {
    let address = scene.address();
    string_and_use(address, scene);
}

/// A path across the end of a page.
pub(crate) fn path_across_a_page_end(scene: &mut Scene<'_>) {
    let address = addresses::page_end(scene);
    string_and_use(address, scene);
}

fn string_and_use(address: Address, scene: &mut Scene<'_>) {
    let string = operations::string_at(address, scene);
    scene.does(string);
    let call: Call = operations::path_call_at(address, scene);
    scene.does(call);
}

/// A path to a new file in the last bytes of a page, which continues in a hole or a shared page or
/// ends with the memory: made, given a second name, removed.
pub(crate) fn new_path_across_pages(scene: &mut Scene<'_>) {
    let (address, other) = (addresses::page_end(scene), addresses::page_end(scene));
    for address in [address, other] {
        let (text, terminated) = (scene.new_name(), !scene.one_in(3));
        scene.does(Call::String {
            address,
            text,
            terminated,
        });
    }
    let made = match scene.below(3) {
        0 => Call::Mkdir { address },
        _ => Call::Open {
            address,
            mode: OpenMode::ReadWrite,
            flags: OpenFlags::CREATE,
        },
    };
    scene.does(made);
    scene.does(Call::Link {
        address,
        new: other.near(),
    });
    scene.does(Call::Unlink { address });
}
