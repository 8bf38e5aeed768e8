//! Operations that race: what harts do to pages, tables and one another at the same time.

use super::files;
use super::memory::grow;
use crate::case::{
    Address, Amount, Call, OpenFlags, OpenMode, Order, Process, Region, Schedule, Target,
};
use crate::generation::{Scene, operations};

/// About how many instructions a fork takes.
const LONGEST_FORK: u32 = 6000;
/// About how many instructions a call takes until its process sleeps.
const SOON_ASLEEP: u32 = 600;

/// All processes do anything at the same time.
pub(crate) fn of_anything(scene: &mut Scene<'_>) {
    let racers = racers(scene);
    begin(racers.len(), scene);
    for process in racers {
        let call = match scene.below(4) {
            0 => operations::fork(scene),
            1 => operations::access(scene),
            _ => scene.operation(),
        };
        scene.other_does(process, call);
    }
}

/// Processes that share pages stop sharing them, or share them with others, at once.
pub(crate) fn for_shared_pages(scene: &mut Scene<'_>) {
    let address = scene.address();
    let pages = 1 + scene.below(3) as i16;
    let parent = scene.process;
    scene.does(grow(Amount::pages(pages)));
    let store = operations::store_at(address, scene);
    scene.does(store);
    let children = children(scene);
    let racers: Vec<Process> = std::iter::once(parent).chain(children).collect();
    let mut names = scene.free_names();
    names.retain(|name| !racers.contains(name));
    begin(racers.len(), scene);
    let mut names = names.into_iter();
    for process in racers {
        let call = match (scene.below(8), names.next()) {
            (0 | 1, Some(child)) => Call::Fork { child },
            (2, _) => operations::exit(scene),
            (3, _) => grow(Amount::pages(-pages)),
            (4, _) => operations::touch_at(address, scene),
            _ => operations::store_at(address, scene),
        };
        scene.other_does(process, call);
    }
    if scene.one_in(2) {
        let access = operations::access_at(address, scene);
        scene.does(access);
    }
}

/// Processes that hold the same pages share them with new children at once, or release them: the
/// change points lie anywhere in a fork, so that each count of sharers is as likely to be between
/// its load and its store.
pub(crate) fn of_sharers(scene: &mut Scene<'_>) {
    let pages = 1 + scene.below(4) as i16;
    let names = scene.free_names();
    let &[other, first_child, second_child, ..] = names.as_slice() else {
        return of_anything(scene);
    };
    scene.does(grow(Amount::pages(pages)));
    let touched = Address::new(Region::Break, -pages, 0);
    let touch = operations::touch_at(touched, scene);
    scene.does(touch);
    scene.does(Call::Fork { child: other });
    let order = scene.order(2);
    let switch = 1 + scene.below(LONGEST_FORK);
    let schedule = Schedule::new(Schedule::HARTS, order, scene.one_in(8), &[switch]);
    scene.does(Call::Together { schedule });
    for (process, child) in [(scene.process, first_child), (other, second_child)] {
        let call = match scene.below(5) {
            0 if process == other => Call::Exit { status: 0 },
            1 => grow(Amount::pages(-pages)),
            _ => Call::Fork { child },
        };
        scene.other_does(process, call);
    }
    let access = operations::access_at(touched, scene);
    scene.other_does(other, access);
}

/// A child ends while its parent waits for it, and perhaps a third process forks one that takes
/// its place.
pub(crate) fn of_births_and_deaths(scene: &mut Scene<'_>) {
    let names = scene.free_names();
    let &[child, other, newborn, ..] = names.as_slice() else {
        return of_anything(scene);
    };
    let parent = scene.process;
    for child in [child, other] {
        scene.does(Call::Fork { child });
    }
    let third = scene.below(4);
    begin(if third == 3 { 2 } else { 3 }, scene);
    let exit = operations::exit(scene);
    let wait = operations::wait(scene);
    let mut racing = vec![(child, exit), (parent, wait)];
    match third {
        0 | 1 => racing.push((other, Call::Fork { child: newborn })),
        2 => racing.push((other, operations::exit(scene))),
        _ => {}
    }
    let turn = scene.below(racing.len() as u32) as usize;
    racing.rotate_left(turn);
    for (process, call) in racing {
        scene.other_does(process, call);
    }
    if scene.one_in(2) {
        scene.does(Call::Wait { status: None });
    }
}

/// A process is killed while it goes to sleep, or while it acts.
pub(crate) fn of_kill_and_sleep(scene: &mut Scene<'_>) {
    let names = scene.free_names();
    let &[victim, grandchild, ..] = names.as_slice() else {
        return of_anything(scene);
    };
    let killer = scene.process;
    let act = match scene.below(6) {
        0 => {
            scene.does(Call::Fork { child: victim });
            scene.other_does(victim, Call::Fork { child: grandchild });
            Call::Wait { status: None }
        }
        1..=3 => {
            let address = operations::good_address(scene);
            scene.does(Call::Pipe { address });
            scene.does(Call::Fork { child: victim });
            Call::Read {
                fd: 0,
                address,
                length: 1 + scene.below(8) as i16,
            }
        }
        _ => {
            scene.does(Call::Fork { child: victim });
            operations::access(scene)
        }
    };
    let kill = Call::Kill {
        target: Target::Process(victim),
    };
    let mut racing = [(victim, act), (killer, kill)];
    if scene.one_in(4) {
        racing.reverse();
    }
    // A process that is about to sleep is stopped there: what it does between the decision and the sleep
    // is short, and soon comes.
    let switch = if scene.one_in(4) {
        scene.change_point()
    } else {
        1 + scene.below(SOON_ASLEEP)
    };
    let pre_empts = scene.one_in(8);
    let schedule = Schedule::new(Schedule::HARTS, Order::from_code(0), pre_empts, &[switch]);
    scene.does(Call::Together { schedule });
    for (process, call) in racing {
        scene.other_does(process, call);
    }
    if scene.one_in(2) {
        scene.does(Call::Wait { status: None });
    }
}

/// Program breaks move and pages come and go, in processes that share pages and in others.
pub(crate) fn of_breaks(scene: &mut Scene<'_>) {
    let pages = 1 + scene.below(8) as i16;
    scene.does(grow(Amount::pages(pages)));
    let touched = Address::new(Region::Break, -pages, 0);
    let touch = operations::touch_at(touched, scene);
    scene.does(touch);
    let racers = racers(scene);
    for &process in &racers[1..] {
        if scene.one_in(2) {
            scene.other_does(process, grow(Amount::pages(pages)));
            let touch = operations::touch_at(touched, scene);
            scene.other_does(process, touch);
        }
    }
    begin(racers.len(), scene);
    for process in racers {
        let call = match scene.below(3) {
            0 => operations::touch_at(touched, scene),
            1 => grow(Amount::pages(-pages)),
            _ => operations::sbrk(scene),
        };
        scene.other_does(process, call);
    }
}

/// Every process needs a frame, and there are fewer frames than processes.
pub(crate) fn for_the_last_frames(scene: &mut Scene<'_>) {
    let pages = 1 + scene.below(4) as i16;
    scene.does(grow(Amount::pages(pages)));
    let racers = racers(scene);
    let free = scene.below(12) as u16;
    scene.does(Call::Frames { free });
    let mut names = scene.free_names();
    names.retain(|name| !racers.contains(name));
    let mut names = names.into_iter();
    begin(racers.len(), scene);
    for process in racers {
        let address = Address::new(Region::Break, -pages, scene.offset());
        let call = match (scene.below(4), names.next()) {
            (0, Some(child)) => Call::Fork { child },
            (1, _) => operations::pipe(scene),
            _ => operations::touch_at(address, scene),
        };
        scene.other_does(process, call);
    }
    scene.does(Call::Frames {
        free: Call::ALL_FRAMES,
    });
}

/// A process uses pages on one hart and gives them back on another.
pub(crate) fn move_to_another_hart(scene: &mut Scene<'_>) {
    let address = Address::new(Region::Break, -1, scene.offset());
    scene.does(grow(Amount::pages(1)));
    let store = operations::store_at(address, scene);
    let load = operations::access_at(address, scene);
    let racers = racers(scene);
    scene.does(store);
    for round in 0..2 {
        begin(racers.len(), scene);
        for &process in &racers {
            let call = match (process == scene.process, round) {
                (true, 1) => grow(Amount::pages(-1)),
                _ => load,
            };
            scene.other_does(process, call);
        }
        super::turns::rounds(scene);
    }
    if scene.one_in(2) {
        scene.does(grow(Amount::pages(1)));
    }
    scene.does(load);
}

/// Names and files change at once, mostly the same ones.
pub(crate) fn of_files(scene: &mut Scene<'_>) {
    let names = scene.pick(&[
        ["new", "new", "new"],
        ["new", "other", "new"],
        ["dir/new", "dir", "dir/dir"],
    ]);
    let first = files::path_to(files::spelled(names[0]), scene);
    if names.contains(&"dir") {
        let address = files::path_to(files::spelled("dir"), scene);
        scene.does(Call::Mkdir { address });
    }
    let flags = OpenFlags::CREATE;
    // A file that all of them have open.
    let fd = if scene.one_in(2) {
        files::make(first, OpenMode::ReadWrite, flags, scene)
    } else {
        let other = files::path_to(files::spelled("other"), scene);
        files::make(other, OpenMode::ReadWrite, flags, scene)
    };
    let racers = racers(scene);
    let paths: Vec<Address> = (racers.iter().zip(names))
        .map(|(process, name)| {
            let address = Address::new(Region::Stack, 0, 0xb00);
            let string = Call::String {
                address,
                text: files::spelled(name),
                terminated: true,
            };
            scene.other_does(*process, string);
            address
        })
        .collect();
    begin(racers.len(), scene);
    for (process, address) in racers.iter().copied().zip(paths) {
        let call = change_of_file(fd, [address, first], scene);
        scene.other_does(process, call);
    }
    scene.does(Call::Unlink { address: first });
}

/// Changes the file at a path, gives another file this name, or changes the file that is open.
fn change_of_file(fd: i8, [address, other]: [Address; 2], scene: &mut Scene<'_>) -> Call {
    let flags = scene.pick(&[
        OpenFlags::CREATE,
        OpenFlags::CREATE,
        OpenFlags::CREATE | OpenFlags::TRUNCATE,
    ]);
    match scene.below(8) {
        0..=2 => Call::Open {
            address,
            mode: OpenMode::Write,
            flags,
        },
        3 => Call::Mkdir { address },
        4 => Call::Mknod { address, major: 1 },
        5 => Call::Link {
            address: other,
            new: address.near(),
        },
        6 => Call::Unlink { address },
        _ => Call::Write {
            fd,
            address: Address::new(Region::Stack, 0, 0),
            length: 1 + scene.below(2000) as i16,
        },
    }
}

fn begin(racers: usize, scene: &mut Scene<'_>) {
    let schedule = scene.schedule(racers.clamp(2, 3));
    scene.does(Call::Together { schedule });
}

/// Two or three processes that can act, the actor first: children are made where there are none.
fn racers(scene: &mut Scene<'_>) -> Vec<Process> {
    let mut racers = vec![scene.process];
    let others = scene.companion.ready();
    racers.extend(others.filter(|other| *other != scene.process));
    if racers.len() == 1 {
        racers.extend(children(scene));
    }
    racers.truncate(2 + scene.below(2) as usize);
    racers
}

/// One or two new children of the actor, as names allow.
fn children(scene: &mut Scene<'_>) -> Vec<Process> {
    let mut names = scene.free_names();
    names.truncate(1 + scene.below(2) as usize);
    for &child in &names {
        scene.does(Call::Fork { child });
    }
    names
}
