//! Paths in memory, and the system calls that take them.

use crate::case::generate::{Scene, addresses, operations};
use crate::case::{Address, Call};

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
