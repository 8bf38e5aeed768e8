//! Out of memory at the nth frame, from then on or only once, for every n and every kind of
//! operation: the call fails or its process dies, nobody else notices, and every frame comes back.

use faultline::guest::location::GuestFiles;
use faultline::runner::Runner;
use oracle::case::Kind;
use oracle::{Case, Dialect, Operation, Process};
use std::collections::BTreeSet;

/// The most frames that are left, or requests that are granted: more than any operation below takes, but for those that ask for
/// a number of pages.
const PLENTY: u8 = 20;

/// What stands before every operation: `b` runs a program whose stack grows and whose pages are
/// still in its file, with a heap that has some pages in common with `d`, a pipe with something in
/// it, an open file, and a child that has ended.
const STAGE: &str = "\
a: string stack[0] \"grow\"
a: b = fork
b: exec stack[0] data[1]
b: sbrk +8p
b: store8 heap[3] 1
b: pipe heap[4]
b: write 1 heap[4]+0x100 64
b: string heap[5] \"init\"
b: open heap[5]
b: point heap[6] heap[5]
b: c = fork
b: d = fork
c: exit 3
";

/// Places that need frames in their own ways: two holes of the heap, a shared page and a hole, a
/// page of the program and one of zeros after it, two pages of the stack.
const PLACES: [&str; 4] = [
    "heap[1]+0xffc",
    "heap[6]+0xffc",
    "data[0]+0xffc",
    "stack[4]+0xffc",
];

/// One or more of most kinds of operations; `@` is the place.
const OPERATIONS: [&str; 38] = [
    "b: sbrk +4p eager",
    "b: sbrk +1000p eager",
    "b: sbrk +1000p",
    "b: sbrk -4p",
    "b: load8 @",
    "b: store8 @ 5",
    "b: fetch text[1]",
    "b: touch @ 2",
    "b: touch-write @ 2",
    "b: e = fork",
    "b: exit 4",
    "b: wait",
    "b: wait @",
    "b: kill d",
    "b: getpid",
    "b: pipe @",
    "b: read 0 @ 8",
    "b: read 0 @ 512",
    "b: read 2 @ 8",
    "b: read 2 @ 3000",
    "b: write 1 @ 8",
    "b: close 2",
    "b: dup 2",
    "b: string @ \"init\"",
    "b: point @ heap[5]",
    "b: open heap[5]",
    "b: open @",
    "b: fstat 2 @",
    "b: chdir @",
    "b: link heap[5] @",
    "b: unlink @",
    "b: mkdir @",
    "b: mknod @ 7",
    "b: exec heap[5] heap[6]",
    "b: exec heap[5] @",
    "b: yield 1",
    "b: uptime",
    "b: pause 1",
];

/// How memory is scarce in a case.
#[derive(Clone, Copy)]
enum Scarce {
    /// So many frames are left.
    Left(u8),
    /// So many requests are granted, and the one after them is not.
    Refused(u8),
}

fn case(operation: &str, place: &str, scarce: Scarce) -> Case {
    let operation = operation.replace('@', place);
    let scarce = match scarce {
        Scarce::Left(frames) => format!("frames {frames}"),
        Scarce::Refused(granted) => format!("frames fail {}", granted + 1),
    };
    let text = format!("faultline 1\n{STAGE}{scarce}\n{operation}\nframes all\na: getpid\n");
    Case::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// The operations that are tried: those above, and the plainest one of each kind that is not there. What
/// the environment does takes no frame.
fn operations() -> Vec<String> {
    let kind = |operation: &str| {
        let case = case(operation, PLACES[0], Scarce::Left(PLENTY));
        case.operations[STAGE.lines().count() + 1].call.kind()
    };
    let named: BTreeSet<Kind> = OPERATIONS.into_iter().map(kind).collect();
    let actor = Process::from_letter('b').unwrap();
    let others = Kind::ALL.into_iter().filter(|kind| !kind.is_done_to_all());
    let others = others.filter(|kind| !named.contains(kind)).map(|kind| {
        let call = kind.plainest();
        let text = Operation::new(actor, call).to_string();
        match call.address() {
            Some(address) => text.replacen(&address.to_string(), "@", 1),
            None => text,
        }
    });
    OPERATIONS
        .map(str::to_owned)
        .into_iter()
        .chain(others)
        .collect()
}

/// Tries every operation with every number of frames or granted requests up to [`PLENTY`]: nothing is
/// wrong with any. Answers which operations were refused a frame.
fn try_all(scarce: fn(u8) -> Scarce) -> BTreeSet<String> {
    let files = GuestFiles::find(None, None).unwrap_or_else(|error| panic!("{error}"));
    let guest =
        faultline::boot(&files, Dialect::faultline()).unwrap_or_else(|error| panic!("{error}"));
    let mut runner = Runner::new(&guest);
    let mut wrong = Vec::new();
    let mut excused = BTreeSet::new();
    for operation in operations() {
        for place in PLACES {
            for frames in 0..=PLENTY {
                let case = case(&operation, place, scarce(frames));
                let outcome = runner.run(&case);
                if outcome.meter.excused > 0 {
                    excused.insert(operation.clone());
                    if frames == PLENTY && !operation.ends_with("eager") {
                        wrong.push(format!("{operation} at {place} takes {frames} frames"));
                    }
                }
                for finding in &outcome.findings {
                    wrong.push(format!("{finding}\n{case}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    excused
}

/// Each way of asking for a frame is refused one.
const WAYS: usize = 18;

#[test]
fn nothing_is_lost_when_frames_run_out() {
    let excused = try_all(Scarce::Left);
    assert!(excused.len() >= WAYS, "only {excused:?}");
}

#[test]
fn nothing_is_lost_when_one_request_is_refused() {
    let excused = try_all(Scarce::Refused);
    assert!(excused.len() >= WAYS, "only {excused:?}");
}
