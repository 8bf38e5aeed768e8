//! How files and directories behave, for example: which writes end early, and what is left of a removed directory.

use super::prober::{ASKED, FAILED, Prober, Seen};
use super::{Shown, UNCLEAR, answer, clear};
use abi::SystemCall;
use abi::file_system::{BLOCK_SIZE, Kind, MAX_FILE_SIZE};
use abi::limits::{CONSOLE, DEVICES};
use abi::open::{CREATE, READ_ONLY, READ_WRITE, TRUNCATE};
use oracle::dialect::{BadBuffer, Bound, RefusedBlock, RemovedDirectory};
use oracle::layout::PAGE_SIZE;
use oracle::{Action, Width};

/// Bytes of a block of the disk.
const BLOCK: u64 = BLOCK_SIZE as u64;
/// Blocks of the largest transaction that a question looks for.
const LARGEST_TRANSACTION: u64 = 30;
/// Pages that hold the bytes of the largest transaction.
const PAGES: u64 = LARGEST_TRANSACTION * BLOCK / PAGE_SIZE + 1;
/// More bytes than any file of these questions holds.
const EVERYTHING: u64 = i16::MAX as u64;

/// Why a field has the default if no transaction can be seen.
const UNSEEN: &str =
    "the default, because the kernel refuses a bad buffer before a transaction begins";

pub(super) fn bad_buffer(prober: &mut Prober) -> Shown<BadBuffer> {
    let much = LARGEST_TRANSACTION * BLOCK;
    if whole_blocks(prober).is_none() && write_too_much(prober, 1, 0, much) == Some(1) {
        let because = "a write from a buffer that ends in bad memory writes nothing";
        answer(BadBuffer::Refused, because)
    } else {
        let because =
            "a write from a buffer that ends in bad memory writes the bytes before the bad ones";
        answer(BadBuffer::DoneInPart, because)
    }
}

pub(super) fn transaction_bytes(prober: &mut Prober) -> Shown<u32> {
    match whole_blocks(prober) {
        Some(blocks) => answer(
            blocks as u32 * BLOCK_SIZE as u32,
            "a write that fails after this many bytes has written all of them",
        ),
        None if checks_first(prober) => Shown::Nothing(UNSEEN),
        None => Shown::Nothing(UNCLEAR),
    }
}

/// The smallest number of readable blocks of which a failing write keeps all.
///
/// The file already has one byte, so each readable block ends in the middle of a block of the disk. That
/// block does not count as written, unless a transaction ends there.
fn whole_blocks(prober: &mut Prober) -> Option<u64> {
    (1..=LARGEST_TRANSACTION).find(|blocks| {
        let readable = blocks * BLOCK;
        write_too_much(prober, 1, 0, readable) == Some(1 + readable)
    })
}

/// Whether the kernel checks a whole buffer before it copies a byte.
fn checks_first(prober: &Prober) -> bool {
    prober.dialect.files.bad_buffer == BadBuffer::Refused
}

pub(super) fn refused_block(prober: &mut Prober) -> Shown<RefusedBlock> {
    const SIZE: usize = 16;
    let size = write_too_much(prober, SIZE as u64, SIZE as u64, 8);
    let mut nodes = prober.driver.disk_content().nodes.into_iter();
    // The old bytes are code. They do not begin with a zero.
    let written = nodes.find(|node| node.kind == Kind::File && node.bytes.len() == SIZE);
    let first = written.and_then(|node| node.bytes.first().copied());
    clear(match first.filter(|_| size == Some(SIZE as u64)) {
        Some(0) => Some((
            RefusedBlock::FilledInPart,
            "the bytes before the bad address are on the disk",
        )),
        Some(_) => Some((
            RefusedBlock::Open,
            "the bytes before the bad address are not on the disk",
        )),
        None => None,
    })
}

pub(super) fn removed_directory(prober: &mut Prober) -> Shown<RemovedDirectory> {
    prober.reset();
    let child = Prober::child();
    let directory = prober.store_path("dir", 0);
    let itself = prober.store_path(".", PAGE_SIZE / 2);
    prober.call(SystemCall::Mkdir, [directory, 0, 0]);
    prober.fork(child);
    let entered = prober.call(SystemCall::Chdir, [directory, 0, 0]);
    let removed = prober.call_of(child, SystemCall::Unlink, [directory, 0, 0]);
    let found = prober.call(SystemCall::Open, [itself, READ_ONLY.into(), 0]);
    let done = entered.value() == Some(0) && removed.value() == Some(0);
    clear(match found.value().filter(|_| done) {
        Some(FAILED) => Some((
            RemovedDirectory::Empty,
            "`.` leads nowhere in a removed directory",
        )),
        Some(_) => Some((
            RemovedDirectory::KeepsDots,
            "`.` still leads to a removed directory",
        )),
        None => None,
    })
}

pub(super) fn truncates(prober: &mut Prober) -> Shown<bool> {
    prober.reset();
    let path = prober.store_path("new", 0);
    let code = prober.layout.text.start;
    let made = open(prober, path, READ_WRITE | CREATE);
    let written = made.map(|fd| prober.call(SystemCall::Write, [fd, code, 1]));
    let emptied = open(prober, path, READ_WRITE | TRUNCATE);
    let buffer = prober.layout.data.start;
    let held =
        open(prober, path, READ_ONLY).map(|fd| prober.call(SystemCall::Read, [fd, buffer, 1]));
    let done = written.and_then(Seen::value) == Some(1) && emptied.is_some();
    clear(match held.and_then(Seen::value).filter(|_| done) {
        Some(0) => Some((true, "opening a file with `O_TRUNC` empties it")),
        Some(1) => Some((false, "opening a file with `O_TRUNC` does not change it")),
        _ => None,
    })
}

pub(super) fn larger_files(prober: &mut Prober) -> Shown<Bound> {
    prober.reset();
    let path = prober.store_path("new", 0);
    let code = prober.layout.text.start;
    let made = open(prober, path, READ_WRITE | CREATE);
    let beyond = made.and_then(|fd| {
        for _ in 0..MAX_FILE_SIZE as u64 / PAGE_SIZE {
            let written = prober.call(SystemCall::Write, [fd, code, PAGE_SIZE]);
            written.value().filter(|bytes| *bytes == PAGE_SIZE)?;
        }
        prober.call(SystemCall::Write, [fd, code, 1]).value()
    });
    clear(match beyond {
        Some(FAILED) => Some((Bound::Refused, "a file of 268 blocks cannot grow")),
        Some(_) => Some((Bound::Granted, "a file of 268 blocks can grow")),
        None => None,
    })
}

/// The first field of what `fstat` stores for the root directory.
pub(super) fn device(prober: &mut Prober) -> Shown<u32> {
    prober.reset();
    let path = prober.store_path("/", 0);
    let buffer = prober.layout.data.start;
    prober.make_private(ASKED, buffer);
    let returned = open(prober, path, READ_ONLY)
        .and_then(|fd| prober.call(SystemCall::Fstat, [fd, buffer, 0]).value());
    let device = prober.act(Action::Load {
        address: buffer,
        width: Width::Four,
    });
    match device.value().filter(|_| returned == Some(0)) {
        Some(device) => answer(device as u32, "`fstat` returns this number for the disk"),
        None => Shown::Nothing(UNCLEAR),
    }
}

/// A device without a driver can be opened, but not read.
pub(super) fn other_devices(prober: &mut Prober) -> Shown<bool> {
    let mut numbers = (0..DEVICES as u64).filter(|number| *number != u64::from(CONSOLE));
    if numbers.any(|number| has_driver(prober, number)) {
        answer(
            true,
            "a device with a number other than the console's can be read",
        )
    } else {
        answer(false, "only the console can be read")
    }
}

fn has_driver(prober: &mut Prober, number: u64) -> bool {
    prober.reset();
    let path = prober.store_path("new", 0);
    let buffer = prober.layout.data.start;
    prober.make_private(ASKED, buffer);
    prober.call(SystemCall::Mknod, [path, number, 0]);
    let Some(fd) = open(prober, path, READ_WRITE) else {
        return false;
    };
    // The driver may wait for something.
    prober.call(SystemCall::Read, [fd, buffer, 1]) != Seen::Returned(FAILED)
}

fn open(prober: &mut Prober, path: u64, mode: u32) -> Option<u64> {
    let fd = prober.call(SystemCall::Open, [path, mode.into(), 0]);
    fd.value().filter(|fd| *fd != FAILED)
}

/// Writes `size` bytes of the agent's code to a new file. Then makes a second `write`, which begins `offset`
/// bytes before the end of the file (0 or `size`). Its buffer has `readable` zeros below the break and 8 bytes
/// beyond it. Returns the size of the file; `None` if the second `write` does not fail.
fn write_too_much(prober: &mut Prober, size: u64, offset: u64, readable: u64) -> Option<u64> {
    prober.reset();
    let path = prober.store_path("new", 0);
    prober.grow_and_touch(PAGES);
    let fd = open(prober, path, READ_WRITE | CREATE)?;
    let code = prober.layout.text.start;
    prober.call(SystemCall::Write, [fd, code, size]);
    let fd = match offset {
        0 => fd,
        _ => open(prober, path, READ_WRITE | CREATE)?,
    };
    let end = prober.layout.heap + PAGES * PAGE_SIZE;
    let failed = prober.call(SystemCall::Write, [fd, end - readable, readable + 8]);
    let fd = open(prober, path, READ_ONLY)?;
    let buffer = prober.layout.heap;
    let held = prober.call(SystemCall::Read, [fd, buffer, EVERYTHING]);
    held.value().filter(|_| failed.value() == Some(FAILED))
}
