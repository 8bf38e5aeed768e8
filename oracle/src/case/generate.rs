//! Generating cases that mean something: a generator that knows the state of the model.

use super::choices::Choices;
use super::repair::Companion;
use super::{
    Address, Amount, Base, Call, Case, Flavour, OpenMode, Operation, Place, Process, Region,
    StoredValue, Stride, Target, Text, Width,
};
use arbitrary::{Arbitrary, Result, Unstructured};
use std::num::NonZeroU8;

/// The most operations that a generated case has.
const GENERATED_OPERATIONS: u32 = 64;

impl<'a> Arbitrary<'a> for Case {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Case> {
        let count = 1 + bytes.below(GENERATED_OPERATIONS);
        Ok(generate(bytes, count))
    }

    /// The binary form, which is how a fuzz engine hands its input to a typed target.
    fn arbitrary_take_rest(bytes: Unstructured<'a>) -> Result<Case> {
        Ok(Case::from_bytes(bytes.take_rest()))
    }

    fn size_hint(_depth: usize) -> (usize, Option<usize>) {
        (0, None)
    }
}

impl Case {
    /// A case of about `count` operations, at most [`Case::MAX_OPERATIONS`], made from `seed`.
    pub fn generate(seed: u64, count: u32) -> Case {
        generate(&mut super::choices::Seeded(seed), count)
    }
}

fn generate(choices: &mut impl Choices, count: u32) -> Case {
    let count = (count as usize).min(Case::MAX_OPERATIONS);
    Companion::with(|companion| {
        let mut case = Case::default();
        while case.operations.len() < count {
            let process = someone(companion, choices);
            for call in idiom(companion, process, choices) {
                let last = case.operations.len() + 1 == count;
                match companion.admit(Operation::new(process, call), last) {
                    Some(operation) => case.operations.push(operation),
                    None => return case,
                }
                if last {
                    return case;
                }
            }
        }
        case
    })
}

/// A process that can act.
pub(super) fn someone(companion: &Companion, choices: &mut impl Choices) -> Process {
    let count = companion.ready().count() as u32;
    let at = if count == 0 { 0 } else { choices.below(count) };
    companion.ready().nth(at as usize).unwrap_or(Process::FIRST)
}

/// A few operations of one process that belong together.
pub(super) fn idiom(
    companion: &Companion,
    process: Process,
    choices: &mut impl Choices,
) -> Vec<Call> {
    let grow = |amount| Call::Sbrk {
        amount,
        flavour: Flavour::Lazy,
    };
    match choices.below(27) {
        // Grow, and touch around the new end.
        0..=2 => {
            let amount = small_amount(choices);
            vec![grow(amount), access(near_break(choices), choices)]
        }
        // Grow by much, and touch inside the hole.
        3 => {
            let middle = Address::new(Region::Middle, 0, offset(choices));
            vec![grow(large_amount(choices)), access(middle, choices)]
        }
        // Store, and look again.
        4 | 5 => {
            let address = address(choices);
            let width = choices.pick(&Width::ALL);
            let value = value(choices);
            let store = Call::Store {
                width,
                address,
                value,
            };
            vec![store, Call::Load { width, address }]
        }
        // Store, shrink past it, grow again, look: it must be gone.
        6 => {
            let pages = 1 + choices.below(3) as i16;
            let address = Address::new(Region::Break, -1, offset(choices));
            let width = Width::One;
            vec![
                grow(Amount::pages(pages)),
                Call::Store {
                    width,
                    address,
                    value: value(choices),
                },
                grow(Amount::pages(-pages)),
                grow(Amount::pages(pages)),
                Call::Load { width, address },
            ]
        }
        // A pipe, and something through it.
        7 | 8 => {
            let length = length(choices);
            let (read, write) = (0, 1);
            vec![
                Call::Pipe {
                    address: good_address(choices),
                },
                Call::Write {
                    fd: write,
                    address: address(choices),
                    length,
                },
                Call::Read {
                    fd: read,
                    address: address(choices),
                    length,
                },
            ]
        }
        // A child.
        9 => match companion.free_name() {
            Some(child) => vec![Call::Fork { child }],
            None => vec![wait(choices)],
        },
        11 => vec![wait(choices)],
        // Few frames, a touch that needs some, and plenty again: a process that dies for want of
        // them takes what follows in its name with it.
        12 => {
            let scarce = Call::Frames {
                free: choices.below(6) as u16,
            };
            let plenty = Call::Frames {
                free: Call::ALL_FRAMES,
            };
            let needy = match choices.below(4) {
                0 => call(companion, process, choices),
                _ => touch(near_break(choices), choices),
            };
            vec![scarce, needy, plenty]
        }
        13 if choices.one_in(3) => vec![Call::Frames {
            free: choices.below(12) as u16,
        }],
        14 => vec![kill(companion, process, choices)],
        15 => vec![grow(large_amount(choices))],
        // A path, often at the end of a page, and what is done with it.
        16 => {
            let address = address(choices);
            vec![string(address, choices), path_call(address, choices)]
        }
        // A file, and what it holds.
        17 => {
            let address = good_address(choices);
            let fd = choices.below(3) as i8;
            vec![
                string(address, choices),
                Call::Open {
                    address,
                    mode: OpenMode::Read,
                },
                Call::Fstat {
                    fd,
                    address: self::address(choices),
                },
                Call::Read {
                    fd,
                    address: self::address(choices),
                    length: length(choices),
                },
            ]
        }
        18 => program(choices),
        _ => vec![call(companion, process, choices)],
    }
}

/// A new program with an argument or two: first the array, so that its end may be a hole.
fn program(choices: &mut impl Choices) -> Vec<Call> {
    let (path, argument) = (good_address(choices), address(choices));
    let array = address(choices);
    let slot = |at: u16| Address::new(array.region(), array.page(), array.offset() + 8 * at);
    let mut calls = vec![string(path, choices)];
    for at in 0..choices.below(3) as u16 {
        let target = match choices.below(3) {
            0 => path,
            _ => argument,
        };
        calls.push(Call::Point {
            address: slot(at),
            target: target.near(),
        });
    }
    if choices.one_in(2) {
        calls.push(string(argument, choices));
    }
    calls.push(Call::Exec {
        address: path,
        arguments: array.near(),
    });
    calls
}

/// A string: mostly one that leads somewhere.
fn string(address: Address, choices: &mut impl Choices) -> Call {
    let code = match choices.below(3) {
        0 => choices.below(2),
        _ => choices.below(u32::from(Text::COUNT)),
    };
    Call::String {
        address,
        text: Text::from_code(code as u8),
        terminated: !choices.one_in(3),
    }
}

/// What takes a path.
fn path_call(address: Address, choices: &mut impl Choices) -> Call {
    match choices.below(8) {
        0 => Call::Chdir { address },
        1 => Call::Exec {
            address,
            arguments: self::address(choices).near(),
        },
        _ => Call::Open {
            address,
            mode: open_mode(choices),
        },
    }
}

pub(super) fn open_mode(choices: &mut impl Choices) -> OpenMode {
    match choices.below(4) {
        0 => choices.pick(&OpenMode::ALL),
        _ => OpenMode::Read,
    }
}

/// Any operation.
pub(super) fn call(companion: &Companion, process: Process, choices: &mut impl Choices) -> Call {
    let fd = choices.below(4) as i8;
    match choices.below(44) {
        0..=6 => Call::Sbrk {
            amount: amount(choices),
            flavour: flavour(choices),
        },
        7..=17 => access(address(choices), choices),
        18..=21 => touch(address(choices), choices),
        22 => Call::Fetch {
            address: address(choices),
        },
        23 | 24 => Call::Fork {
            child: companion.free_name().unwrap_or(process),
        },
        25 => Call::Exit {
            status: choices.below(256) as i32 - 128,
        },
        26 | 27 => wait(choices),
        28 => kill(companion, process, choices),
        29 => Call::Getpid,
        30 => Call::Pipe {
            address: address(choices),
        },
        31 | 32 => Call::Read {
            fd,
            address: address(choices),
            length: length(choices),
        },
        33 | 34 => Call::Write {
            fd,
            address: address(choices),
            length: length(choices),
        },
        35 => Call::Close { fd },
        36 => Call::Dup { fd },
        37 => match choices.below(3) {
            0 => Call::Uptime,
            1 => Call::Pause {
                ticks: choices.below(4) as i8 - 1,
            },
            _ => Call::Yield {
                ticks: NonZeroU8::MIN,
            },
        },
        38 => Call::Frames {
            free: choices.below(12) as u16,
        },
        39 => string(address(choices), choices),
        40 => Call::Fstat {
            fd,
            address: address(choices),
        },
        41 => Call::Point {
            address: address(choices),
            target: address(choices).near(),
        },
        42 => path_call(address(choices), choices),
        _ => Call::Sbrk {
            amount: large_amount(choices),
            flavour: flavour(choices),
        },
    }
}

fn wait(choices: &mut impl Choices) -> Call {
    let status = match choices.one_in(2) {
        true => Some(address(choices)),
        false => None,
    };
    Call::Wait { status }
}

fn kill(companion: &Companion, process: Process, choices: &mut impl Choices) -> Call {
    let others = || Process::all().filter(|other| companion.model().pid_of(*other).is_some());
    let count = others().count() as u32;
    let target = match choices.below(8) {
        0 => Target::Pid(-(choices.below(3) as i32) - 1),
        _ => Target::Process(
            others()
                .nth(choices.below(count) as usize)
                .unwrap_or(process),
        ),
    };
    Call::Kill { target }
}

fn access(address: Address, choices: &mut impl Choices) -> Call {
    let width = choices.pick(&Width::ALL);
    match choices.below(5) {
        0 | 1 => Call::Load { width, address },
        2 | 3 => Call::Store {
            width,
            address,
            value: value(choices),
        },
        _ => touch(address, choices),
    }
}

fn touch(address: Address, choices: &mut impl Choices) -> Call {
    let count = NonZeroU8::new(1 + choices.below(8) as u8).unwrap_or(NonZeroU8::MIN);
    let stride = match choices.below(6) {
        0 => Stride::power(choices.below(40) as u8),
        _ => Stride::PAGE,
    };
    Call::Touch {
        address,
        count,
        stride,
        write: choices.one_in(2),
    }
}

pub(super) fn value(choices: &mut impl Choices) -> StoredValue {
    match choices.below(4) {
        0 => StoredValue::number(choices.below(256) as i16),
        1 => StoredValue::number(-1),
        _ => StoredValue::repeated(choices.below(1 << 16) as u16),
    }
}

/// Offsets that matter: the start of a page, its end, what straddles its end, anything.
fn offset(choices: &mut impl Choices) -> u16 {
    match choices.below(6) {
        0 | 1 => 0,
        2 => 0xff8,
        3 => 0xfff - choices.below(8) as u16,
        4 => choices.below(64) as u16,
        _ => choices.below(4096) as u16,
    }
}

fn near_break(choices: &mut impl Choices) -> Address {
    let page = choices.below(4) as i16 - 2;
    Address::new(Region::Break, page, offset(choices))
}

/// An address that is likely to be memory.
fn good_address(choices: &mut impl Choices) -> Address {
    let region = choices.pick(&[Region::Data, Region::Stack, Region::Heap, Region::Break]);
    let page = if region == Region::Break { -1 } else { 0 };
    Address::new(region, page, offset(choices))
}

pub(super) fn address(choices: &mut impl Choices) -> Address {
    match choices.below(8) {
        0..=2 => Address::new(Region::Heap, choices.below(4) as i16, offset(choices)),
        3 | 4 => near_break(choices),
        5 | 6 => good_address(choices),
        _ => {
            let region = choices.pick(&Region::ALL);
            let page = match region {
                Region::Anywhere => choices.below(64) as i16,
                _ => choices.below(4) as i16 - 1,
            };
            Address::new(region, page, offset(choices))
        }
    }
}

fn length(choices: &mut impl Choices) -> i16 {
    match choices.below(6) {
        0..=2 => choices.below(16) as i16,
        3 => 500 + choices.below(24) as i16,
        4 => choices.below(2048) as i16,
        _ => -(choices.below(2) as i16),
    }
}

fn flavour(choices: &mut impl Choices) -> Flavour {
    match choices.below(8) {
        0 => Flavour::Eager,
        1 => Flavour::from_number(choices.below(64) as u8),
        _ => Flavour::Lazy,
    }
}

fn small_amount(choices: &mut impl Choices) -> Amount {
    match choices.below(5) {
        0 => Amount::bytes(1 + choices.below(4096) as i16),
        1 => Amount::new(
            Base::Nothing,
            1 + choices.below(3) as i16,
            choices.below(16) as i16 - 8,
        ),
        _ => Amount::pages(1 + choices.below(4) as i16),
    }
}

fn large_amount(choices: &mut impl Choices) -> Amount {
    let exponent = match choices.below(3) {
        0 => choices.pick(&[31, 32, 63, 21, 30]),
        _ => choices.below(64) as u8,
    };
    let base = match choices.below(4) {
        0 => Base::MinusPower(exponent),
        1 => Base::Distance(choices.pick(&Place::ALL)),
        _ => Base::Power(exponent),
    };
    let pages = if choices.one_in(3) {
        choices.below(3) as i16 - 1
    } else {
        0
    };
    let bytes = if choices.one_in(2) {
        choices.below(3) as i16 - 1
    } else {
        0
    };
    Amount::new(base, pages, bytes)
}

pub(super) fn amount(choices: &mut impl Choices) -> Amount {
    match choices.below(10) {
        0..=3 => small_amount(choices),
        4 | 5 => Amount::pages(-1 - choices.below(3) as i16),
        6 => Amount::bytes(-1 - choices.below(4096) as i16),
        7 => Amount::bytes(0),
        8 => Amount::new(Base::Distance(Place::Heap), choices.below(2) as i16, 0),
        _ => large_amount(choices),
    }
}
