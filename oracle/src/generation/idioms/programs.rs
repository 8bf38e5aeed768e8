//! New programs: odd files, arguments up to every limit, pages that are loaded at the first touch.

use crate::case::{
    Address, Amount, Call, Flavour, OpenFlags, OpenMode, Region, StoredValue, Stride, Text, Width,
};
use crate::generation::{Scene, addresses, operations};
use std::num::NonZeroU8;

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
        let process = if forks && scene.one_in(2) {
            child
        } else {
            scene.process
        };
        scene.other_does(process, call);
    }
}

/// A new program, and a system call that stores to an untouched page of its file.
pub(crate) fn call_into_an_unloaded_page(scene: &mut Scene<'_>) {
    if scene.one_in(4) {
        let specimen = specimen(scene);
        start_agent(specimen, scene);
    } else {
        start(scene);
    }
    let page = if scene.one_in(4) {
        0
    } else {
        1 + scene.below(4) as i16
    };
    let region = scene.pick(&[Region::Data, Region::Data, Region::Data, Region::Text]);
    let address = Address::new(region, page, scene.offset());
    let call = match scene.below(5) {
        0 => Call::Pipe { address },
        1 => {
            let child = scene.child();
            scene.does(Call::Fork { child });
            scene.other_does(child, Call::Exit { status: 3 });
            Call::Wait {
                status: Some(address),
            }
        }
        2 => Call::Read {
            fd: scene.descriptor(),
            address,
            length: scene.length(),
        },
        _ => Call::Fstat {
            fd: scene.descriptor(),
            address,
        },
    };
    scene.does(call);
    let access = operations::access_at(address, scene);
    scene.does(access);
}

/// A child starts a new program, while the parent continues with the old one.
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

/// A program with one odd thing in its file; then accesses to where it matters.
pub(crate) fn odd_program(scene: &mut Scene<'_>) {
    if scene.one_in(2) {
        // Another process is then left if this one is killed at its first instruction.
        let child = scene.child();
        scene.does(Call::Fork { child });
        scene.process = child;
    }
    let specimen = specimen(scene);
    start_agent(specimen, scene);
    if scene.one_in(4) {
        let child = scene.child();
        scene.does(Call::Fork { child });
    }
    for _ in 0..1 + scene.below(3) {
        let address = addresses::around_the_image(scene);
        let call = match scene.below(8) {
            0 => Call::Fetch { address },
            1 => Call::Pipe { address },
            2 => Call::Write {
                fd: scene.descriptor(),
                address,
                length: scene.length(),
            },
            3 => operations::touch_at(address, scene),
            _ => operations::access_at(address, scene),
        };
        scene.does(call);
    }
}

/// A program for which frames run out at one step or another.
pub(crate) fn start_without_frames(scene: &mut Scene<'_>) {
    let child = scene.child();
    scene.does(Call::Fork { child });
    let program = if scene.one_in(2) {
        Text::from_code(scene.below(2) as u8)
    } else {
        specimen(scene)
    };
    let (path, array) = place(program, scene);
    let scarce = if scene.one_in(2) {
        Call::Frames {
            free: scene.below(12) as u16,
        }
    } else {
        operations::fail_frame(scene)
    };
    scene.does(scarce);
    scene.does(Call::Exec {
        address: path,
        arguments: array,
    });
    let address = addresses::around_the_image(scene);
    let access = operations::access_at(address, scene);
    scene.does(access);
    scene.does(Call::Frames {
        free: Call::ALL_FRAMES,
    });
}

/// As many arguments as there can be, or one more or less: an array of numbers, which are addresses
/// of the agent's code, and of strings in it.
pub(crate) fn most_arguments(scene: &mut Scene<'_>) {
    scene.does(Call::Sbrk {
        amount: Amount::pages(1),
        flavour: Flavour::Lazy,
    });
    let program = Text::from_code(scene.below(2) as u8);
    let (path, _) = place(program, scene);
    let count = MOST_ARGUMENTS - 1 + scene.below(3) as u8;
    // Sometimes the null after them is beyond the end of memory.
    let offset = if scene.one_in(4) {
        PAGE - 8 * u16::from(count)
    } else {
        8 * scene.below(64) as u16
    };
    let array = Address::new(Region::Break, -1, offset);
    scene.does(Call::TouchWrite {
        address: array,
        count: NonZeroU8::MIN.saturating_add(count - 1),
        stride: Stride::power(3),
    });
    scene.does(Call::Exec {
        address: path,
        arguments: array,
    });
}

/// Arguments that fill the stack's page to the last bytes, or exceed it: the program's code and
/// data have no zero for a page and a half.
pub(crate) fn long_arguments(scene: &mut Scene<'_>) {
    let program = Text::from_code(scene.below(2) as u8);
    let (path, _) = place(program, scene);
    scene.does(Call::Sbrk {
        amount: Amount::pages(1),
        flavour: Flavour::Lazy,
    });
    let array = Address::new(Region::Break, -1, 8 * scene.below(8) as u16);
    let near = |limit: u16, scene: &mut Scene<'_>| limit - 40 + scene.below(80) as u16;
    let mut targets = vec![match scene.below(3) {
        // About as long as a page minus the array after it, or as a whole page.
        0 => Address::new(Region::Text, 1, near(0xe91, scene)),
        1 => Address::new(Region::Text, 1, near(0xe81, scene)),
        // Shorter, so that there is room for another.
        _ => Address::new(Region::Data, 0, scene.below(0xe80) as u16),
    }];
    if scene.one_in(2) {
        targets.push(Address::new(Region::Data, 0, near(0xd20, scene)));
    }
    let slots = (0..).map(|at| Address::new(array.region(), array.page(), array.offset() + 8 * at));
    for (address, target) in slots.zip(targets) {
        scene.does(Call::Point { address, target });
    }
    scene.does(Call::Exec {
        address: path,
        arguments: array,
    });
}

/// An argument that ends at the end of a page, just beyond it, or in the next page.
pub(crate) fn argument_at_a_page_end(scene: &mut Scene<'_>) {
    scene.does(Call::Sbrk {
        amount: Amount::pages(2),
        flavour: Flavour::Lazy,
    });
    let program = Text::from_code(scene.below(2) as u8);
    let (path, array) = place(program, scene);
    let argument = match scene.below(3) {
        // The last bytes of memory.
        0 => Address::new(Region::Break, -1, 0xff0 + scene.below(16) as u16),
        _ => Address::new(Region::Break, -2, scene.last_bytes()),
    };
    let string = operations::string_at(argument, scene);
    scene.does(string);
    scene.does(Call::Point {
        address: array,
        target: argument,
    });
    scene.does(Call::Exec {
        address: path,
        arguments: array,
    });
}

/// The most arguments that a program can be given.
const MOST_ARGUMENTS: u8 = abi::limits::ARGUMENTS as u8 - 1;
const PAGE: u16 = abi::layout::PAGE_SIZE as u16;

/// A program with gaps between its segments, and a look into one, from one side or the other.
pub(crate) fn look_into_a_gap(scene: &mut Scene<'_>) {
    let name = scene.pick(&["gap", "islands"]);
    let Some(program) = Text::spelled(name) else {
        return;
    };
    start_agent(program, scene);
    let child = scene.child();
    scene.does(Call::Fork { child });
    for process in [child, scene.process] {
        let (region, page) = scene.pick(&[
            (Region::Text, 2),
            (Region::Text, 1),
            (Region::Data, -1),
            (Region::Data, 3),
            (Region::Guard, -2),
        ]);
        let address = Address::new(region, page, scene.offset());
        let call = match scene.below(6) {
            0 => Call::Fetch { address },
            1 => Call::Fstat {
                fd: scene.descriptor(),
                address,
            },
            2 => operations::path_call_at(address, scene),
            _ => operations::access_at(address, scene),
        };
        scene.other_does(process, call);
    }
}

/// A program whose file the case itself has changed, from some field of its header on.
pub(crate) fn forge(scene: &mut Scene<'_>) {
    let child = scene.child();
    scene.does(Call::Fork { child });
    let fd = scene.next_descriptor();
    scene.process = child;
    let program = specimen(scene);
    let (path, array) = place(program, scene);
    scene.does(Call::Open {
        address: path,
        mode: OpenMode::ReadWrite,
        flags: OpenFlags::empty(),
    });
    // After the bytes that are not changed: up to the entry point, the place and the number of the program
    // headers, and what the first of them say.
    let field = scene.pick(&[0, 24, 32, 56, 64, 68, 72, 80, 96, 104, 128, 152, 160]);
    scene.does(Call::Read {
        fd,
        address: Address::new(Region::Stack, 0, 0x400),
        length: field,
    });
    // Only zeros, or other bytes too.
    let offset = scene.pick(&[0x210, 0x210, 0x100, 0x400]);
    let length = scene.pick(&[1, 2, 4, 8]);
    scene.does(Call::Write {
        fd,
        address: Address::new(Region::Stack, 0, offset),
        length,
    });
    scene.does(Call::Exec {
        address: path,
        arguments: array,
    });
    let address = addresses::around_the_image(scene);
    let access = operations::access_at(address, scene);
    scene.does(access);
}

/// Any specimen, often one that is killed at its first instruction.
fn specimen(scene: &mut Scene<'_>) -> Text {
    if scene.one_in(5) {
        let name = scene.pick(&["none", "astray", "into-data", "into-zeros"]);
        if let Some(mortal) = Text::spelled(name) {
            return mortal;
        }
    }
    let count = u32::from(Text::COUNT - Text::FIRST_SPECIMEN);
    Text::from_code(Text::FIRST_SPECIMEN + scene.below(count) as u8)
}

/// Starts one of the agents.
fn start(scene: &mut Scene<'_>) {
    let program = Text::from_code(scene.below(2) as u8);
    start_agent(program, scene);
}

/// Starts `program` with no arguments.
pub(super) fn start_agent(program: Text, scene: &mut Scene<'_>) {
    let (path, arguments) = place(program, scene);
    scene.does(Call::Exec {
        address: path,
        arguments,
    });
}

/// Puts the path of `program` and an empty array of arguments into the stack, which every program
/// may store to: where they are.
fn place(program: Text, scene: &mut Scene<'_>) -> (Address, Address) {
    let path = Address::new(Region::Stack, 0, 0x100);
    let arguments = Address::new(Region::Stack, 0, 0x200);
    scene.does(Call::String {
        address: path,
        text: program,
        terminated: true,
    });
    for slot in [0, 8] {
        scene.does(Call::Store {
            width: Width::Eight,
            address: Address::new(Region::Stack, 0, arguments.offset() + slot),
            value: StoredValue::number(0),
        });
    }
    (path, arguments)
}
