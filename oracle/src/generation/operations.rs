//! Single operations, one function each, with everything about them chosen.

use super::{Scene, addresses, amounts, weights};
use crate::case::{Address, Call, Stride};
use std::num::NonZeroU8;

/// Makes an operation.
pub(super) type Maker = fn(&mut Scene<'_>) -> Call;

impl Scene<'_> {
    /// An operation as the profile prefers it.
    pub(super) fn operation(&mut self) -> Call {
        self.weighted(weights::OPERATIONS)(self)
    }
}

pub(super) fn sbrk(scene: &mut Scene<'_>) -> Call {
    Call::Sbrk {
        amount: scene.amount(),
        flavour: scene.flavour(),
    }
}

pub(super) fn sbrk_far(scene: &mut Scene<'_>) -> Call {
    Call::Sbrk {
        amount: amounts::large(scene),
        flavour: scene.flavour(),
    }
}

/// A load, a store, or a few touches.
pub(super) fn access(scene: &mut Scene<'_>) -> Call {
    let address = scene.address();
    access_at(address, scene)
}

pub(super) fn access_at(address: Address, scene: &mut Scene<'_>) -> Call {
    match scene.below(5) {
        0 | 1 => Call::Load {
            width: scene.width(),
            address,
        },
        2 | 3 => store_at(address, scene),
        _ => touch_at(address, scene),
    }
}

pub(super) fn store_at(address: Address, scene: &mut Scene<'_>) -> Call {
    Call::Store {
        width: scene.width(),
        address,
        value: scene.value(),
    }
}

pub(super) fn touch(scene: &mut Scene<'_>) -> Call {
    let address = scene.address();
    touch_at(address, scene)
}

pub(super) fn touch_at(address: Address, scene: &mut Scene<'_>) -> Call {
    let (count, stride) = (scene.count(), scene.stride());
    touches(address, count, stride, scene.one_in(2))
}

/// So many touches, each a store if they `write`, else a load.
pub(super) fn touches(address: Address, count: NonZeroU8, stride: Stride, write: bool) -> Call {
    if write {
        return Call::TouchWrite {
            address,
            count,
            stride,
        };
    }
    Call::TouchRead {
        address,
        count,
        stride,
    }
}

pub(super) fn fetch(scene: &mut Scene<'_>) -> Call {
    Call::Fetch {
        address: scene.address(),
    }
}

pub(super) fn fork(scene: &mut Scene<'_>) -> Call {
    Call::Fork {
        child: scene.child(),
    }
}

pub(super) fn exit(scene: &mut Scene<'_>) -> Call {
    Call::Exit {
        status: scene.status(),
    }
}

pub(super) fn wait(scene: &mut Scene<'_>) -> Call {
    let status = if scene.one_in(2) {
        Some(scene.address())
    } else {
        None
    };
    Call::Wait { status }
}

pub(super) fn kill(scene: &mut Scene<'_>) -> Call {
    Call::Kill {
        target: scene.target(),
    }
}

pub(super) fn getpid(_: &mut Scene<'_>) -> Call {
    Call::Getpid
}

pub(super) fn pipe(scene: &mut Scene<'_>) -> Call {
    Call::Pipe {
        address: scene.address(),
    }
}

pub(super) fn read(scene: &mut Scene<'_>) -> Call {
    Call::Read {
        fd: scene.descriptor(),
        address: scene.address(),
        length: scene.length(),
    }
}

pub(super) fn write(scene: &mut Scene<'_>) -> Call {
    Call::Write {
        fd: scene.descriptor(),
        address: scene.address(),
        length: scene.length(),
    }
}

pub(super) fn close(scene: &mut Scene<'_>) -> Call {
    Call::Close {
        fd: scene.descriptor(),
    }
}

pub(super) fn dup(scene: &mut Scene<'_>) -> Call {
    Call::Dup {
        fd: scene.descriptor(),
    }
}

pub(super) fn uptime(_: &mut Scene<'_>) -> Call {
    Call::Uptime
}

pub(super) fn unknown_call(scene: &mut Scene<'_>) -> Call {
    Call::Unknown {
        number: scene.call_number(),
    }
}

pub(super) fn high_half(scene: &mut Scene<'_>) -> Call {
    Call::HighHalf {
        word: scene.high_half(),
    }
}

pub(super) fn stack(scene: &mut Scene<'_>) -> Call {
    Call::Stack {
        address: scene.address(),
    }
}

pub(super) fn type_keys(scene: &mut Scene<'_>) -> Call {
    Call::Type { keys: scene.keys() }
}

pub(super) fn pause(scene: &mut Scene<'_>) -> Call {
    Call::Pause {
        ticks: scene.below(4) as i8 - 1,
    }
}

pub(super) fn give_way(_: &mut Scene<'_>) -> Call {
    Call::Yield {
        ticks: NonZeroU8::MIN,
    }
}

pub(super) fn machine(scene: &mut Scene<'_>) -> Call {
    Call::Machine {
        variation: scene.variation(),
    }
}

pub(super) fn frames(scene: &mut Scene<'_>) -> Call {
    Call::Frames {
        free: scene.below(12) as u16,
    }
}

pub(super) fn fail_frame(scene: &mut Scene<'_>) -> Call {
    Call::FailFrame { nth: scene.nth() }
}

pub(super) fn blocks(scene: &mut Scene<'_>) -> Call {
    Call::Blocks { free: scene.room() }
}

pub(super) fn power_cut(scene: &mut Scene<'_>) -> Call {
    Call::PowerCut { cut: scene.cut() }
}

pub(super) fn together(scene: &mut Scene<'_>) -> Call {
    let racers = 2 + scene.below(2) as usize;
    Call::Together {
        schedule: scene.schedule(racers),
    }
}

pub(super) fn string(scene: &mut Scene<'_>) -> Call {
    let address = scene.address();
    string_at(address, scene)
}

pub(super) fn string_at(address: Address, scene: &mut Scene<'_>) -> Call {
    Call::String {
        address,
        text: scene.text(),
        terminated: !scene.one_in(3),
    }
}

pub(super) fn point(scene: &mut Scene<'_>) -> Call {
    Call::Point {
        address: scene.address(),
        target: scene.address().near(),
    }
}

pub(super) fn fstat(scene: &mut Scene<'_>) -> Call {
    Call::Fstat {
        fd: scene.descriptor(),
        address: scene.address(),
    }
}

/// The operations that take a path.
pub(super) fn path_call(scene: &mut Scene<'_>) -> Call {
    let address = scene.address();
    path_call_at(address, scene)
}

pub(super) fn path_call_at(address: Address, scene: &mut Scene<'_>) -> Call {
    match scene.below(16) {
        0 => Call::Chdir { address },
        1 | 2 => Call::Exec {
            address,
            arguments: scene.address().near(),
        },
        3 => Call::Unlink { address },
        4 => Call::Mkdir { address },
        5 => Call::Mknod {
            address,
            major: scene.major(),
        },
        6 => Call::Link {
            address,
            new: scene.address().near(),
        },
        _ => Call::Open {
            address,
            mode: scene.open_mode(),
            flags: scene.open_flags(),
        },
    }
}

/// Gives a file a second name.
pub(super) fn link(scene: &mut Scene<'_>) -> Call {
    Call::Link {
        address: scene.address(),
        new: scene.address().near(),
    }
}

/// Somewhere that is likely to be memory, for what is to succeed.
pub(super) fn good_address(scene: &mut Scene<'_>) -> Address {
    addresses::memory(scene)
}
