//! Exercises lazy memory and says `PASS` or `FAIL` for each rule; the last line is the verdict.
#![no_std]
#![no_main]

use core::ptr::{
    read_volatile, with_exposed_provenance, with_exposed_provenance_mut, write_volatile,
};

use user::abi::layout::{MAX_VIRTUAL, PAGE_SIZE, RAM_START, TRAMPOLINE, TRAPFRAME};
use user::abi::{SystemCall, sbrk};
use user::{Arguments, println, system};

user::program!(main);

const PAGE: i64 = PAGE_SIZE as i64;
/// The exit status of a process that the kernel killed.
const KILLED: i32 = -1;

/// A rule, and a function that says whether it holds.
type Rule = (&'static str, fn() -> bool);

/// Each runs in a process of its own.
const RULES: [Rule; 29] = [
    ("growth is lazy and reads zero", growth_reads_zero),
    ("a huge hole costs nothing", huge_hole),
    ("the heap reaches the trapframe", last_page),
    ("old break is returned", returns_old_break),
    ("pages given back read zero", regrow_reads_zero),
    ("a partial last page keeps its data", partial_page),
    ("breaks out of bounds are refused", bounds),
    ("eager growth is all or nothing", eager),
    ("the break is out of reach", || dies(|| load(heap_end()))),
    ("the guard page is out of reach", || dies(|| load(guard()))),
    ("the trapframe is out of reach", || dies(|| load(TRAPFRAME))),
    ("the trampoline is out of reach", || {
        dies(|| store(TRAMPOLINE, 1))
    }),
    ("no address beyond the last", || dies(|| load(MAX_VIRTUAL))),
    ("no non-canonical address", || dies(|| load(1 << 63))),
    ("the kernel is out of reach", || dies(|| load(RAM_START))),
    ("text cannot be written", || dies(|| store(text(), 0))),
    ("heap cannot be executed", heap_not_executable),
    ("stack cannot be executed", || dies(|| jump(stack()))),
    ("a child sees the parent's memory", child_sees_memory),
    ("writes do not reach the other side", copy_on_write),
    ("generations of children", generations),
    ("many writers at a time", many_writers),
    ("a busy child is interrupted and killed", busy_child),
    ("system calls fill holes", system_calls_fill_holes),
    ("system calls unshare pages", system_calls_unshare),
    ("bad pointers are refused", bad_pointers),
    ("pipes give short counts", short_counts),
    ("the last frame is survived", exhaustion),
    ("frames come back", frames_come_back),
];

fn main(_: Arguments) -> i32 {
    let mut failures = 0;
    for (rule, holds) in RULES {
        let passed = outcome(|| i32::from(!holds())) == Some(0);
        failures += i32::from(!passed);
        println!("memtest: {} {rule}", if passed { "PASS" } else { "FAIL" });
    }
    match failures {
        0 => println!("memtest: ALL PASSED"),
        count => println!("memtest: {count} FAILED"),
    }
    failures
}

/// Runs `work` in a child; gives the child's exit status.
fn outcome(work: impl FnOnce() -> i32) -> Option<i32> {
    match system::fork()? {
        0 => system::exit(work()),
        child => {
            let (ended, status) = system::wait()?;
            (ended == child).then_some(status)
        }
    }
}

/// Whether a child that does `work` is killed for it.
fn dies(work: impl FnOnce()) -> bool {
    let status = outcome(|| {
        work();
        0
    });
    status == Some(KILLED)
}

fn load(address: u64) {
    read(address);
}

fn read(address: u64) -> u8 {
    // SAFETY: the address is the program's own, or the kernel stops it.
    unsafe { read_volatile(with_exposed_provenance(address as usize)) }
}

fn store(address: u64, value: u8) {
    // SAFETY: the address is in memory that this program uses for nothing else, or the kernel
    // stops it.
    unsafe { write_volatile(with_exposed_provenance_mut(address as usize), value) }
}

fn jump(address: u64) {
    // SAFETY: the kernel stops it before any instruction is executed.
    unsafe { core::arch::asm!("jalr {}", in(reg) address, clobber_abi("C")) }
}

fn lazy(amount: i64) -> Option<u64> {
    system::sbrk(amount, sbrk::LAZY)
}

fn heap_end() -> u64 {
    lazy(0).unwrap_or(0)
}

/// Grows the heap by `pages` and gives its address.
fn grow(pages: i64) -> u64 {
    // The rules begin with the break at the start of a page.
    lazy(pages * PAGE).unwrap_or(0)
}

fn stack() -> u64 {
    let here = 0u8;
    core::ptr::from_ref(&here).expose_provenance() as u64
}

fn guard() -> u64 {
    (stack() & !(PAGE_SIZE - 1)) - PAGE_SIZE
}

fn text() -> u64 {
    main as *const () as u64
}

fn growth_reads_zero() -> bool {
    let heap = grow(3);
    let zero = (0..3 * PAGE_SIZE)
        .step_by(512)
        .all(|at| read(heap + at) == 0);
    store(heap + 3 * PAGE_SIZE - 1, 7);
    zero && read(heap + 3 * PAGE_SIZE - 1) == 7 && read(heap) == 0
}

fn huge_hole() -> bool {
    let half = MAX_VIRTUAL as i64 / 2;
    let Some(heap) = lazy(half) else { return false };
    store(heap + half as u64 - 1, 1);
    let forked = outcome(|| i32::from(read(heap + half as u64 - 1))) == Some(1);
    forked && lazy(-half) == Some(heap + half as u64) && heap_end() == heap
}

fn last_page() -> bool {
    let room = (TRAPFRAME - heap_end()) as i64;
    let last = TRAPFRAME - 1;
    let second_last = TRAPFRAME - PAGE_SIZE - 1;
    if lazy(room).is_none() {
        return false;
    }
    store(last, 1);
    let child = outcome(|| {
        store(last, 2);
        store(second_last, 3);
        i32::from(read(last)) + i32::from(read(second_last))
    });
    let apart = child == Some(5) && read(last) == 1 && read(second_last) == 0;
    lazy(-room);
    lazy(room);
    apart && read(last) == 0 && dies(|| load(TRAPFRAME))
}

fn returns_old_break() -> bool {
    let start = heap_end();
    lazy(1) == Some(start)
        && lazy(100) == Some(start + 1)
        && lazy(-101) == Some(start + 101)
        && lazy(5 << 30) == Some(start)
        && heap_end() == start + (5 << 30)
}

fn regrow_reads_zero() -> bool {
    let heap = grow(2);
    store(heap, 1);
    store(heap + PAGE_SIZE, 2);
    lazy(-2 * PAGE);
    grow(2);
    read(heap) == 0 && read(heap + PAGE_SIZE) == 0
}

fn partial_page() -> bool {
    let heap = grow(2);
    store(heap + 10, 3);
    store(heap + PAGE_SIZE, 4);
    lazy(-2 * PAGE + 100);
    let gone = dies(|| load(heap + PAGE_SIZE));
    lazy(2 * PAGE - 100);
    gone && read(heap + 10) == 3 && read(heap + PAGE_SIZE) == 0
}

fn bounds() -> bool {
    let start = heap_end();
    let room = (TRAPFRAME - start) as i64;
    let refused = [-1, i64::MAX, room + 1, -(start as i64), MAX_VIRTUAL as i64];
    // Steps down below address zero are none, as in the C kernel.
    let ignored = [i64::MIN, -(start as i64) - 1];
    let flavours = [sbrk::LAZY, sbrk::EAGER];
    let answers = |amount, answer| {
        flavours
            .iter()
            .all(|&flavour| system::sbrk(amount, flavour) == answer)
    };
    refused.into_iter().all(|amount| answers(amount, None))
        && ignored
            .into_iter()
            .all(|amount| answers(amount, Some(start)))
        && heap_end() == start
        && lazy(room) == Some(start)
        && lazy(1).is_none()
        && lazy(-room) == Some(TRAPFRAME)
}

fn eager() -> bool {
    let start = heap_end();
    let Some(heap) = system::sbrk(3 * PAGE + 1, sbrk::EAGER) else {
        return false;
    };
    let zero = (0..4).all(|page| read(heap + page * PAGE_SIZE) == 0);
    // More than the machine has.
    let too_much = system::sbrk(1 << 30, sbrk::EAGER).is_none();
    zero && heap == start && too_much && heap_end() == start + 3 * PAGE_SIZE + 1
}

fn heap_not_executable() -> bool {
    let heap = grow(1);
    // `ret`, twice.
    for (at, byte) in [0x82, 0x80, 0x82, 0x80].into_iter().enumerate() {
        store(heap + at as u64, byte);
    }
    dies(|| jump(heap))
}

fn child_sees_memory() -> bool {
    let heap = grow(3);
    store(heap, 5);
    store(heap + 2 * PAGE_SIZE, 6);
    let child = outcome(|| {
        let same = read(heap) == 5 && read(heap + PAGE_SIZE) == 0;
        i32::from(same && read(heap + 2 * PAGE_SIZE) == 6)
    });
    child == Some(1) && read(heap + PAGE_SIZE) == 0
}

fn copy_on_write() -> bool {
    let heap = grow(2);
    store(heap, 1);
    let Some((read_end, write_end)) = system::pipe() else {
        return false;
    };
    match system::fork() {
        Some(0) => {
            store(heap, 2);
            store(heap + PAGE_SIZE, 3);
            // Now the parent writes; then the child looks.
            let mut byte = [0];
            system::close(write_end);
            system::read(read_end, &mut byte);
            system::exit(i32::from(read(heap) == 2 && read(heap + PAGE_SIZE) == 3))
        }
        Some(_) => {
            store(heap, 9);
            system::write(write_end, b"x");
            let child = system::wait().map(|(_, status)| status);
            child == Some(1) && read(heap) == 9 && read(heap + PAGE_SIZE) == 0
        }
        None => false,
    }
}

fn generations() -> bool {
    let heap = grow(1);
    store(heap, 1);
    let status = outcome(|| {
        let grandchild = outcome(|| {
            store(heap, 3);
            i32::from(read(heap))
        });
        let unchanged = read(heap) == 1;
        store(heap, 2);
        i32::from(unchanged) + grandchild.unwrap_or(0) + i32::from(read(heap))
    });
    status == Some(6) && read(heap) == 1
}

/// Children that write the same shared pages at the same time, on as many harts as there are.
fn many_writers() -> bool {
    const WRITERS: u8 = 5;
    const PAGES: u64 = 40;
    let heap = grow(PAGES as i64);
    let fill = |value: u8| {
        for page in 0..PAGES {
            store(heap + page * PAGE_SIZE + u64::from(value), value);
        }
    };
    let holds = |value: u8| {
        (0..PAGES).all(|page| {
            let others = (1..=WRITERS).filter(|&other| other != value);
            let mut bytes = others.map(|other| read(heap + page * PAGE_SIZE + u64::from(other)));
            bytes.all(|byte| byte == 0) && read(heap + page * PAGE_SIZE + u64::from(value)) == value
        })
    };
    fill(0);
    for writer in 1..=WRITERS {
        if system::fork() == Some(0) {
            fill(writer);
            system::exit(i32::from(holds(writer)));
        }
    }
    let mut intact = 0;
    while let Some((_, status)) = system::wait() {
        intact += status;
    }
    intact == i32::from(WRITERS) && holds(0)
}

fn busy_child() -> bool {
    match system::fork() {
        Some(0) => loop {
            core::hint::spin_loop();
        },
        Some(child) => {
            let start = system::uptime();
            // The clock ticks, and this process gets its turn, although the child never rests.
            let woke = system::pause(2).is_some() && system::uptime() >= start + 2;
            system::kill(child);
            woke && system::wait() == Some((child, KILLED))
        }
        None => false,
    }
}

/// A system call with arguments that no safe function would pass.
fn raw(call: SystemCall, first: u64, second: u64, third: u64) -> i64 {
    // SAFETY: the calls here name heap memory that is used for nothing else, or bad addresses.
    unsafe { user::raw::call(call.number(), [first, second, third]) }
}

fn system_calls_fill_holes() -> bool {
    let heap = grow(4);
    let Some((read_end, write_end)) = system::pipe() else {
        return false;
    };
    let write = |address, length| raw(SystemCall::Write, write_end as u64, address, length);
    let read_to = |address, length| raw(SystemCall::Read, read_end as u64, address, length);
    // From a hole, across a page's end; into another hole, across a page's end.
    let zeros = write(heap + PAGE_SIZE - 4, 8) == 8;
    let stored = read_to(heap + 3 * PAGE_SIZE - 4, 8) == 8;
    let status = outcome(|| 77) == Some(77) && {
        let waited = system::fork();
        if waited == Some(0) {
            system::exit(78);
        }
        raw(SystemCall::Wait, heap + 3 * PAGE_SIZE - 2, 0, 0) == waited.map_or(-1, i64::from)
    };
    zeros && stored && status && read(heap + 3 * PAGE_SIZE - 2) == 78
}

fn system_calls_unshare() -> bool {
    let heap = grow(1);
    store(heap, 1);
    let Some((read_end, write_end)) = system::pipe() else {
        return false;
    };
    let child = outcome(|| {
        system::write(write_end, b"\x05");
        raw(SystemCall::Read, read_end as u64, heap, 1);
        i32::from(read(heap))
    });
    child == Some(5) && read(heap) == 1
}

fn bad_pointers() -> bool {
    let Some((_, write_end)) = system::pipe() else {
        return false;
    };
    let bad = [
        heap_end(),
        guard(),
        TRAPFRAME,
        TRAMPOLINE,
        MAX_VIRTUAL,
        RAM_START,
        u64::MAX - 3,
    ];
    bad.into_iter().all(|address| {
        let status = {
            if system::fork() == Some(0) {
                system::exit(0);
            }
            let refused = raw(SystemCall::Wait, address, 0, 0) == -1;
            refused && system::wait().is_some()
        };
        status
            && raw(SystemCall::Pipe, address, 0, 0) == -1
            && raw(SystemCall::Open, address, 0, 0) == -1
            && raw(SystemCall::Exec, address, 0, 0) == -1
            && raw(SystemCall::Write, write_end as u64, address, 1) == 0
    }) && raw(SystemCall::Pipe, text(), 0, 0) == -1
}

fn short_counts() -> bool {
    let heap = grow(1);
    let Some((read_end, write_end)) = system::pipe() else {
        return false;
    };
    let last = heap + PAGE_SIZE - 6;
    store(last, 9);
    let written = raw(SystemCall::Write, write_end as u64, last, 10) == 6;
    let none = raw(SystemCall::Read, read_end as u64, heap + PAGE_SIZE, 3) == -1;
    let some = raw(SystemCall::Read, read_end as u64, heap + PAGE_SIZE - 2, 6) == 2;
    let rest = raw(SystemCall::Read, read_end as u64, heap, 100) == 4;
    written && none && some && rest && read(heap + PAGE_SIZE - 2) == 9
}

/// Touches pages until the kernel kills this process for want of a frame.
fn exhaust() {
    let pages = 40_000;
    let heap = grow(pages);
    for page in 0..pages as u64 {
        store(heap + page * PAGE_SIZE, 1);
    }
}

fn exhaustion() -> bool {
    dies(exhaust) && system::sbrk(64 * PAGE, sbrk::EAGER).is_some()
}

fn frames_come_back() -> bool {
    // As much as RAM in all, but never at a time.
    let pages = 6_000;
    (0..6).all(|_| {
        let child = outcome(|| {
            let heap = grow(pages);
            for page in 0..pages as u64 {
                store(heap + page * PAGE_SIZE, 1);
            }
            1
        });
        child == Some(1)
    })
}
