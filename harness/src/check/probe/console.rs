//! What programs read from the console.

use super::prober::{ASKED, Prober, Seen};
use super::{Shown, answer, clear};
use abi::SystemCall;
use abi::limits::CONSOLE;
use oracle::case::Keys;
use oracle::dialect::RefusedByte;
use oracle::layout::PAGE_SIZE;
use oracle::{Action, Process};

/// `open`'s mode to read and write.
const READ_WRITE: u64 = 2;
/// The descriptor of the console, the first file that is opened.
const DESCRIPTOR: u64 = 0;
/// Bytes that a read asks for: more than a line has.
const BYTES: u64 = 16;
/// Why a field has its value if reads from the console do not return lines.
const NO_LINES: &str = "a program that reads from the console does not get a line";

pub(super) fn lines(prober: &mut Prober) -> Shown<bool> {
    let reader = wait_for_line(prober);
    let waits = reader
        .is_some_and(|reader| types(prober, reader, b"a") == Seen::Silent { announced: false });
    if waits && reader.is_some_and(|reader| types(prober, reader, b"b\nc\n") == Seen::Returned(3)) {
        answer(
            true,
            "a program that reads from the console gets a line when it is complete",
        )
    } else {
        answer(false, NO_LINES)
    }
}

pub(super) fn edits(prober: &mut Prober) -> Shown<bool> {
    knows(
        prober,
        b"a\x15ab\x08\n",
        2,
        "control-H and control-U edit the line",
    )
}

pub(super) fn ends(prober: &mut Prober) -> Shown<bool> {
    knows(prober, b"\x04", 0, "a `read` returns 0 after control-D")
}

pub(super) fn refused_byte(prober: &mut Prober) -> Shown<RefusedByte> {
    if !prober.dialect.console.lines || !open(prober) {
        return Shown::Nothing(NO_LINES);
    }
    types(prober, ASKED, b"ab\n");
    let bad = prober.layout.guard.start;
    prober.call(SystemCall::Read, [DESCRIPTOR, bad, BYTES]);
    let good = buffer(prober);
    clear(
        match prober.call(SystemCall::Read, [DESCRIPTOR, good, BYTES]) {
            Seen::Returned(3) => Some((RefusedByte::Kept, "the byte is there for the next `read`")),
            Seen::Returned(2) => Some((
                RefusedByte::Lost,
                "the next `read` begins with the byte after it",
            )),
            Seen::Returned(_) | Seen::Silent { .. } | Seen::Broken => None,
        },
    )
}

/// Whether a read of the typed keys returns `wanted` bytes.
fn knows(prober: &mut Prober, keys: &[u8], wanted: u64, because: &'static str) -> Shown<bool> {
    if !prober.dialect.console.lines {
        return answer(false, NO_LINES);
    }
    let seen = wait_for_line(prober).map(|reader| types(prober, reader, keys));
    match seen {
        Some(Seen::Returned(count)) if count == wanted => answer(true, because),
        Some(Seen::Returned(_) | Seen::Silent { .. }) => answer(false, "the key has no effect"),
        Some(Seen::Broken) | None => clear(None),
    }
}

/// Opens the console as the first thing in a case.
fn open(prober: &mut Prober) -> bool {
    prober.reset();
    let path = prober.store_path("new", 0);
    prober.call(SystemCall::Mknod, [path, CONSOLE.into(), 0]);
    prober.call(SystemCall::Open, [path, READ_WRITE, 0]) == Seen::Returned(DESCRIPTOR)
}

/// The buffer to which a line is read.
fn buffer(prober: &mut Prober) -> u64 {
    let address = prober.layout.data.end - PAGE_SIZE / 2;
    prober.make_private(ASKED, address);
    address
}

/// Makes a process wait for a line, as the first thing in a case. `None` if it does not wait.
fn wait_for_line(prober: &mut Prober) -> Option<Process> {
    if !open(prober) {
        return None;
    }
    let reader = Prober::child();
    prober.fork(reader).value()?;
    let address = prober.layout.data.end - PAGE_SIZE / 2;
    prober.make_private(reader, address);
    let seen = prober.call_of(reader, SystemCall::Read, [DESCRIPTOR, address, BYTES]);
    matches!(seen, Seen::Silent { announced: false }).then_some(reader)
}

/// Types keys. Returns what the reader was seen to do.
fn types(prober: &mut Prober, reader: Process, keys: &[u8]) -> Seen {
    let keys = Keys::new(keys.iter().copied());
    prober.act_of(reader, Action::Type(keys))
}
