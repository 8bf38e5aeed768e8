//! New programs: their arguments, and their pages that are loaded at the first touch.

use crate::case::generate::{Scene, addresses, operations};
use crate::case::{Address, Call, Region, StoredValue, Text, Width};

/// A new program with an argument or two: first the array, so that its end may be a hole.
pub(crate) fn start_with_arguments(scene: &mut Scene<'_>) {
    let (path, argument) = (operations::good_address(scene), scene.address());
    let array = scene.address();
    let slot = |at: u16| Address::new(array.region(), array.page(), array.offset() + 8 * at);
    let string = operations::string_at(path, scene);
    scene.does(string);
    for at in 0..scene.below(3) as u16 {
        let target = match scene.below(3) {
            0 => path,
            _ => argument,
        };
        scene.does(Call::Point {
            address: slot(at),
            target: target.near(),
        });
    }
    if scene.one_in(2) {
        let string = operations::string_at(argument, scene);
        scene.does(string);
    }
    scene.does(Call::Exec {
        address: path,
        arguments: array.near(),
    });
}

/// A new program, and accesses to the pages of its file, by itself or by a child that shares them.
pub(crate) fn start_and_look(scene: &mut Scene<'_>) {
    start(scene);
    let child = scene.child();
    let forks = scene.one_in(3);
    if forks {
        scene.does(Call::Fork { child });
    }
    for _ in 0..1 + scene.below(3) {
        let address = addresses::image(scene);
        let call = match scene.below(6) {
            0 => Call::Fetch { address },
            1 => Call::Fstat {
                fd: scene.descriptor(),
                address,
            },
            _ => operations::access_at(address, scene),
        };
        let process = match forks && scene.one_in(2) {
            true => child,
            false => scene.process,
        };
        scene.other_does(process, call);
    }
}

/// A new program of a child, while the parent goes on with the old one.
pub(crate) fn child_starts(scene: &mut Scene<'_>) {
    let child = scene.child();
    let parent = scene.process;
    scene.does(Call::Fork { child });
    scene.process = child;
    start(scene);
    let address = addresses::image(scene);
    let access = operations::access_at(address, scene);
    scene.does(access);
    scene.process = parent;
    let access = operations::access_at(address, scene);
    scene.does(access);
}

/// Starts one of the agents.
fn start(scene: &mut Scene<'_>) {
    let program = Text::from_code(scene.below(2) as u8);
    start_agent(program, scene);
}

/// Starts `program` with no arguments: its path and the empty array lie in the data.
pub(super) fn start_agent(program: Text, scene: &mut Scene<'_>) {
    let path = Address::new(Region::Data, 0, 0x100);
    let arguments = Address::new(Region::Data, 0, 0x200);
    scene.does(Call::String {
        address: path,
        text: program,
        terminated: true,
    });
    scene.does(Call::Store {
        width: Width::Eight,
        address: arguments,
        value: StoredValue::number(0),
    });
    scene.does(Call::Exec {
        address: path,
        arguments,
    });
}
