//! Small races: a table of a few operations each that meet in the kernel. A campaign sweeps their schedules.

use crate::case::{Call, Case, Operation, Order, Process, Schedule, VERSION_LINE, Variation};

/// Each is what is done before, the operations that race, and what is done after. The race has as many harts as racers.
const RACES: &[[&str; 3]] = &[
    // A parent ends its children while they end themselves, and a new process takes a slot.
    [
        "a: b = fork; a: c = fork",
        "b: exit 3; a: wait; c: d = fork",
        "c: getpid; a: wait",
    ],
    [
        "a: b = fork; a: c = fork",
        "b: exit 3; c: exit 4; a: wait",
        "a: wait",
    ],
    [
        "a: b = fork",
        "b: exit 3; a: wait",
        "a: c = fork; c: getpid",
    ],
    // A kill of a process that has ended, while it is reaped and its slot is taken.
    [
        "a: b = fork; b: c = fork; a: d = fork; c: exit 3",
        "a: kill c; b: wait; d: e = fork",
        "e: getpid; e: getpid; d: wait",
    ],
    // A kill of a process that falls asleep, in a pipe and in `wait`, or that touches memory.
    [
        "a: sbrk +1p; a: pipe heap[0]; a: b = fork",
        "b: read 0 heap[0] 1; a: kill b",
        "a: wait",
    ],
    [
        "a: b = fork; b: c = fork",
        "b: wait; a: kill b",
        "a: wait; c: getpid",
    ],
    [
        "a: sbrk +4p; a: b = fork",
        "b: touch-write heap[0] 4; a: kill b",
        "a: wait",
    ],
    // A reader and a writer of a pipe that is empty, and one of a pipe whose last writer goes.
    [
        "a: sbrk +1p; a: pipe heap[0]; a: b = fork",
        "b: read 0 heap[0]+0x20 1; a: write 1 heap[0]+0x40 1",
        "a: getpid; b: getpid",
    ],
    [
        "a: sbrk +1p; a: pipe heap[0]; a: b = fork; b: close 1",
        "b: read 0 heap[0]+0x20 1; a: close 1",
        "b: getpid",
    ],
    // Two close the two ends of a pipe, or the same end.
    [
        "a: sbrk +1p; a: pipe heap[0]; a: b = fork; a: close 0; b: close 1",
        "a: close 1; b: close 0",
        "a: pipe heap[0]",
    ],
    [
        "a: sbrk +1p; a: pipe heap[0]; a: b = fork",
        "a: close 1; b: close 1",
        "a: read 0 heap[0]+0x20 1",
    ],
    // Two stores to one shared page; the third holder looks.
    [
        "a: sbrk +1p; a: store8 heap[0] 1; a: b = fork; a: c = fork",
        "a: store8 heap[0] 2; b: store8 heap[0] 3",
        "c: load8 heap[0]; a: load8 heap[0]; b: load8 heap[0]",
    ],
    // A page that is shared once more while another holder stores to it, or gives it back.
    [
        "a: sbrk +1p; a: store8 heap[0] 1; a: b = fork",
        "a: c = fork; b: store8 heap[0] 2",
        "c: load8 heap[0]; a: load8 heap[0]; b: load8 heap[0]",
    ],
    [
        "a: sbrk +2p; a: touch-write heap[0] 2; a: b = fork",
        "a: c = fork; b: sbrk -2p",
        "c: load8 heap[0]; a: store8 heap[1] 2; c: load8 heap[1]",
    ],
    // Two release the same pages; the last holder stores.
    [
        "a: sbrk +2p; a: touch-write heap[0] 2; a: b = fork; a: c = fork",
        "a: sbrk -2p; b: sbrk -2p",
        "c: store8 heap[0] 2; c: load8 heap[1]",
    ],
    [
        "a: sbrk +1p; a: store8 heap[0] 1; a: b = fork; a: c = fork",
        "b: exit 0; c: exit 0",
        "a: store8 heap[0] 2; a: wait; a: wait",
    ],
    // Two share the same pages with new children.
    [
        "a: sbrk +1p; a: store8 heap[0] 1; a: b = fork",
        "a: c = fork; b: d = fork",
        "c: load8 heap[0]; d: store8 heap[0] 2; a: load8 heap[0]",
    ],
    // Two ask for frames: for heap that nobody has touched, and for the last one.
    [
        "a: sbrk +4p; a: b = fork",
        "a: touch-write heap[0] 2; b: touch-write heap[0] 2",
        "a: load8 heap[0]; b: load8 heap[0]",
    ],
    [
        "a: sbrk +1p; a: store8 heap[0] 1; a: b = fork; frames 1",
        "a: store8 heap[0] 2; b: store8 heap[0] 3",
        "frames all; a: load8 heap[0]; b: load8 heap[0]",
    ],
    // Frames come and go on two harts at once.
    [
        "a: sbrk +4p; a: touch-write heap[0] 4; a: b = fork; b: sbrk +4p",
        "a: sbrk -4p; b: touch-write heap[4] 4",
        "b: load8 heap[4]",
    ],
    // A child is reaped while another process needs frames for its own.
    [
        "a: b = fork; a: c = fork; b: exit 0",
        "a: wait; c: d = fork",
        "d: getpid; a: getpid",
    ],
    // Two programs start, from one file.
    [
        "a: sbrk +1p; a: string heap[0]+0x400 \"init\"; a: b = fork",
        "a: exec heap[0]+0x400 heap[0]+0x900; b: exec heap[0]+0x400 heap[0]+0x900",
        "a: getpid; b: getpid",
    ],
    [
        "a: sbrk +1p; a: string heap[0]+0x400 \"init\"; a: b = fork",
        "a: open heap[0]+0x400; b: open heap[0]+0x400",
        "a: close 0; b: close 0",
    ],
    // Two pipes at once.
    [
        "a: sbrk +1p; a: b = fork",
        "a: pipe heap[0]; b: pipe heap[0]",
        "a: write 1 heap[0] 1; b: write 1 heap[0] 1",
    ],
];

/// Races on one hart: the timer interrupts the first system call, and another process acts.
const INTERRUPTED: &[[&str; 3]] = &[
    [
        "a: sbrk +1p; a: store8 heap[0] 1; a: b = fork",
        "a: c = fork; b: store8 heap[0] 2",
        "c: load8 heap[0]; a: load8 heap[0]",
    ],
    [
        "a: sbrk +2p; a: touch-write heap[0] 2; a: b = fork",
        "a: sbrk -2p; b: store8 heap[0] 2",
        "a: sbrk +2p; a: load8 heap[0]; b: load8 heap[0]",
    ],
    [
        "a: b = fork; a: c = fork",
        "b: exit 3; a: wait; c: d = fork",
        "c: getpid; a: wait",
    ],
];

/// The small races, each in every order of its racers. The first order of each comes before the second one of any. If a
/// kernel is `asked` to be right on a machine that shows stores late, each order of all of them follows once more there.
pub fn small_races(asked: &[Variation]) -> Vec<Case> {
    let many = RACES.iter().map(|race| (race, Schedule::HARTS));
    let one = INTERRUPTED.iter().map(|race| (race, 1));
    let races: Vec<_> = many.chain(one).collect();
    let most = Order::all().count();
    let orders = |racers: usize| Order::all().filter(move |order| order.ranks().len() == racers);
    let late = Variation::DelaysStores;
    let mut cases = Vec::new();
    for nth in 0..most {
        let first = cases.len();
        for (race, harts) in &races {
            let racers = lines(race[1]).count();
            if let Some(order) = orders(racers).nth(nth) {
                cases.push(case(race, Schedule::new(*harts, order, false, &[])));
            }
        }
        if asked.contains(&late) {
            let again: Vec<Case> = cases[first..].to_vec();
            cases.extend(again.into_iter().map(|case| on_a_machine(late, case)));
        }
    }
    cases
}

/// The case on a machine that varies.
fn on_a_machine(variation: Variation, mut case: Case) -> Case {
    let machine = Operation::new(Process::FIRST, Call::Machine { variation });
    case.operations.insert(0, machine);
    case
}

fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.split(';').map(str::trim)
}

fn case([before, race, after]: &[&'static str; 3], schedule: Schedule) -> Case {
    let mut text = format!("{VERSION_LINE}\n");
    let mut add = |line: &str| {
        text += line;
        text.push('\n');
    };
    lines(before).for_each(&mut add);
    add(&format!("together {schedule}"));
    lines(race).for_each(&mut add);
    lines(after).for_each(&mut add);
    Case::parse(&text).unwrap_or_else(|error| panic!("a small race is not a case: {error}\n{text}"))
}
