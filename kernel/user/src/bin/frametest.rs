//! Runs system calls and faults while frames are scarce, and says `PASS` or `FAIL` for each: it may
//! fail, but it must not lose a frame. The last line is the verdict.
#![no_std]
#![no_main]

use core::ptr::{with_exposed_provenance_mut, write_volatile};

use user::abi::layout::{PAGE_SIZE, TRAPFRAME};
use user::abi::{SystemCall, open, sbrk};
use user::{Arguments, println, system};

user::program!(main);

const PAGE: i64 = PAGE_SIZE as i64;
/// Frames that are left for the tests.
const ROOM: i64 = 80;
/// Every deed is done with 0 to this many frames left, less one.
const SCARCITY: i64 = 16;

/// Something to do while frames are scarce; it may use the page at the address it gets, which is a
/// hole.
type Deed = (&'static str, fn(u64));

const DEEDS: [Deed; 11] = [
    ("fork", fork),
    ("exec", exec),
    ("pipe into a hole", pipe),
    ("read into a hole", read),
    ("write from a hole", write),
    ("wait into a hole", wait),
    ("open", open_and_close),
    ("eager growth", grow_eagerly),
    ("a touch", touch),
    ("a touch far away, taken back", touch_and_shrink),
    ("a touch of the last page", touch_last),
];

fn main(arguments: Arguments) -> i32 {
    if arguments.get(1).is_some() {
        // Run by `exec` below: the deed is done.
        return 0;
    }
    let Some(hog) = Hog::start() else {
        println!("frametest: FAIL to take most frames");
        return 1;
    };
    let mut failures = 0;
    for (name, deed) in DEEDS {
        let before = count_free();
        let lost = (0..SCARCITY).find(|&left| {
            run(left, deed);
            count_free() != before
        });
        match lost {
            None => println!("frametest: PASS {name}"),
            Some(left) => {
                failures += 1;
                println!(
                    "frametest: FAIL {name} with {left} frames left: {before} free before, {} after",
                    count_free()
                );
            }
        }
    }
    hog.end();
    match failures {
        0 => println!("frametest: ALL PASSED"),
        count => println!("frametest: {count} FAILED"),
    }
    failures
}

/// A process that holds nearly all frames.
struct Hog {
    pid: i32,
}

impl Hog {
    fn start() -> Option<Hog> {
        let (read_end, write_end) = system::pipe()?;
        match system::fork()? {
            0 => {
                take_all();
                system::sbrk(-ROOM * PAGE, sbrk::LAZY);
                system::write(write_end, b"x");
                // Until it is killed.
                while system::pause(1000).is_some() {}
                system::exit(0)
            }
            pid => {
                let ready = system::read(read_end, &mut [0]);
                system::close(read_end);
                system::close(write_end);
                (ready == Some(1)).then_some(Hog { pid })
            }
        }
    }

    fn end(self) {
        system::kill(self.pid);
        system::wait();
    }
}

/// Takes all frames that are free, as heap.
fn take_all() {
    for step in (0..15).rev() {
        while system::sbrk(PAGE << step, sbrk::EAGER).is_some() {}
    }
}

/// How many frames this process can have.
fn count_free() -> i64 {
    let mut count = 0;
    while system::sbrk(PAGE, sbrk::EAGER).is_some() {
        count += 1;
    }
    system::sbrk(-count * PAGE, sbrk::LAZY);
    count
}

/// Does `deed` in a child while `left` frames are free; comes back when the child and all of its
/// children, some of them orphans, are gone.
fn run(left: i64, deed: fn(u64)) {
    let Some((read_end, write_end)) = system::pipe() else {
        println!("frametest: no pipe");
        return;
    };
    match system::fork() {
        Some(0) => {
            take_all();
            system::sbrk(-left * PAGE, sbrk::LAZY);
            let hole = system::sbrk(PAGE, sbrk::LAZY).unwrap_or(0);
            deed(hole);
            system::exit(0);
        }
        Some(_) => {
            // All of them hold the write end until they end.
            system::close(write_end);
            system::read(read_end, &mut [0]);
            system::close(read_end);
            system::wait();
        }
        None => println!("frametest: no frame for a child"),
    }
}

/// A system call that may use a hole.
fn raw(call: SystemCall, arguments: [u64; 3]) -> i64 {
    // SAFETY: the calls here name a heap page that is used for nothing else.
    unsafe { user::raw::call(call.number(), arguments) }
}

fn fork(_: u64) {
    match system::fork() {
        Some(0) => system::exit(0),
        Some(_) => _ = system::wait(),
        None => {}
    }
}

fn exec(_: u64) {
    system::exec(c"frametest", &[c"frametest", c"done"]);
}

fn pipe(hole: u64) {
    raw(SystemCall::Pipe, [hole, 0, 0]);
}

fn read(hole: u64) {
    if let Some((read_end, write_end)) = system::pipe() {
        system::write(write_end, b"abc");
        raw(SystemCall::Read, [read_end as u64, hole, 3]);
    }
}

fn write(hole: u64) {
    if let Some((_, write_end)) = system::pipe() {
        raw(SystemCall::Write, [write_end as u64, hole, 3]);
    }
}

fn wait(hole: u64) {
    if system::fork() == Some(0) {
        system::exit(0);
    }
    raw(SystemCall::Wait, [hole, 0, 0]);
}

fn open_and_close(_: u64) {
    if let Some(descriptor) = system::open(c"frametest", open::READ_ONLY) {
        system::close(descriptor);
    }
}

fn grow_eagerly(_: u64) {
    let before = system::sbrk(0, sbrk::LAZY);
    // The second one cannot be had: the first took half of what there may be.
    let first = system::sbrk(SCARCITY / 2 * PAGE, sbrk::EAGER);
    let second = system::sbrk(SCARCITY * PAGE, sbrk::EAGER);
    let after = system::sbrk(0, sbrk::LAZY);
    if second.is_some() || (first.is_none() && before != after) {
        println!("frametest: an eager growth failed in part");
    }
}

fn touch(hole: u64) {
    // SAFETY: a heap page that is used for nothing else.
    unsafe { write_volatile(with_exposed_provenance_mut(hole as usize), 1u8) }
}

/// A page that needs table pages of its own, which are given back with it or at the end.
fn touch_and_shrink(hole: u64) {
    const FAR: i64 = 600;
    system::sbrk(FAR * PAGE, sbrk::LAZY);
    touch(hole + FAR as u64 * PAGE_SIZE);
    system::sbrk(-FAR * PAGE, sbrk::LAZY);
}

/// The page whose table pages it shares with the trapframe.
fn touch_last(hole: u64) {
    let room = (TRAPFRAME - hole - PAGE_SIZE) as i64;
    system::sbrk(room, sbrk::LAZY);
    if system::fork() != Some(0) {
        touch(TRAPFRAME - PAGE_SIZE);
        system::sbrk(-room, sbrk::LAZY);
    }
    touch(hole);
}
