//! Questions about pipes: how much they hold and when they refuse; with pipes, how many files can be open.

use super::{ASKED, FAILED, Prober, Seen, UNCLEAR, name};
use abi::SystemCall;
use oracle::Process;
use oracle::dialect::{EmptyRead, RefusedByte, WithoutReader};
use oracle::layout::PAGE_SIZE;

/// The largest pipe that is looked for, in bytes.
const LARGEST_PIPE: u64 = 1 << 16;
/// So far beyond the break nothing is near.
const PAGES_BEYOND: u64 = 600;
/// Why a default stands where the kernel gives no pipe to ask with.
const NO_PIPE: &str = "the default: `pipe` fails";
/// Descriptors of the first pipe of a case.
const READ_END: u64 = 0;
pub(super) const WRITE_END: u64 = 1;

impl Prober {
    pub(super) fn pipes(&mut self) {
        let good = self.layout.data.start;
        if !self.new_pipe() {
            return self.note("pipe.bytes", self.dialect.pipe.bytes, NO_PIPE);
        }
        let (mut holds, mut blocks) = (1, LARGEST_PIPE);
        while blocks - holds > 1 {
            let middle = holds.midpoint(blocks);
            self.new_pipe();
            self.grow_and_touch(LARGEST_PIPE / PAGE_SIZE);
            match self.call(SystemCall::Write, [WRITE_END, self.layout.heap, middle]) {
                Seen::Returned(count) if count == middle => holds = middle,
                _ => blocks = middle,
            }
        }
        self.dialect.pipe.bytes = holds as u32;
        self.note(
            "pipe.bytes",
            holds,
            "this many bytes can be written before a read",
        );

        let seen = self.ask_with_bad(|prober, bad| {
            prober.new_pipe();
            prober.call(SystemCall::Write, [WRITE_END, bad, 8])
        });
        let (value, because) = zero_or_failed(seen, self.dialect.pipe.write_to_bad_first_byte);
        self.dialect.pipe.write_to_bad_first_byte = value;
        self.note("pipe.write_to_bad_first_byte", value, because);

        let seen = self.ask_with_bad(|prober, bad| {
            prober.new_pipe();
            prober.call(SystemCall::Write, [WRITE_END, good, 4]);
            prober.call(SystemCall::Read, [READ_END, bad, 4])
        });
        let (value, because) = zero_or_failed(seen, self.dialect.pipe.read_to_bad_first_byte);
        self.dialect.pipe.read_to_bad_first_byte = value;
        self.note("pipe.read_to_bad_first_byte", value, because);

        let (byte, because) = match self.call(SystemCall::Read, [READ_END, good, 4]).value() {
            Some(4) => (RefusedByte::Kept, "the next read gets the byte"),
            Some(3) => (RefusedByte::Lost, "the next read does not get the byte"),
            _ => (self.dialect.pipe.refused_byte, UNCLEAR),
        };
        self.dialect.pipe.refused_byte = byte;
        self.note("pipe.refused_byte", name(byte), because);

        self.new_pipe();
        let (nothing, because) = match self.call(SystemCall::Read, [READ_END, good, 0]) {
            Seen::Returned(0) => (EmptyRead::Returns, "a read of no bytes returns at once"),
            Seen::Silent { .. } => (EmptyRead::Waits, "a read of no bytes waits for one"),
            _ => (self.dialect.pipe.empty_read_of_nothing, UNCLEAR),
        };
        self.dialect.pipe.empty_read_of_nothing = nothing;
        self.note("pipe.empty_read_of_nothing", name(nothing), because);

        self.new_pipe();
        self.call(SystemCall::Close, [READ_END, 0, 0]);
        let (fails, because) = match self.call(SystemCall::Write, [WRITE_END, good, 4]).value() {
            Some(FAILED) => (
                WithoutReader::Fails,
                "a write to a pipe without a reader returns -1",
            ),
            Some(4) => (
                WithoutReader::FailsWhenFull,
                "a pipe without a reader takes bytes while it has room",
            ),
            _ => (self.dialect.pipe.write_without_reader, UNCLEAR),
        };
        self.dialect.pipe.write_without_reader = fails;
        self.note("pipe.write_without_reader", name(fails), because);
    }

    /// Asks with several forbidden addresses, one after another, until one is refused: a kernel with a
    /// bug may accept some.
    fn ask_with_bad(&mut self, ask: impl Fn(&mut Self, u64) -> Seen) -> Seen {
        let beyond = self.layout.heap + PAGES_BEYOND * PAGE_SIZE;
        let bad = [
            self.layout.guard.start,
            beyond,
            self.layout.kernel,
            u64::MAX - PAGE_SIZE,
        ];
        let mut answers = bad.into_iter().map(|bad| ask(self, bad));
        let untouched = answers.find(|seen| matches!(seen.value(), Some(0 | FAILED)));
        untouched.unwrap_or(Seen::Broken)
    }

    pub(super) fn limits(&mut self) {
        if !self.new_pipe() {
            let limits = self.dialect.limits.clone();
            self.note(
                "limits.files_per_process",
                limits.files_per_process,
                NO_PIPE,
            );
            return self.note("limits.files", limits.files, NO_PIPE);
        }
        let most = u64::from(self.dialect.limits.files_per_process);
        let copies = (2..most).take_while(|_| {
            let copy = self.call(SystemCall::Dup, [READ_END, 0, 0]);
            copy.value().is_some_and(|fd| fd != FAILED)
        });
        let files = 2 + copies.count() as u8;
        self.dialect.limits.files_per_process = files;
        self.note(
            "limits.files_per_process",
            files,
            "a process could open this many, of at most 16",
        );

        self.driver.reset();
        let children = Process::all()
            .skip(1)
            .take_while(|child| self.fork_of(*child).comes_back());
        let everybody: Vec<Process> = std::iter::once(ASKED).chain(children).collect();
        let mut files = 0u16;
        for process in &everybody {
            for _ in 0..self.dialect.limits.files_per_process / 2 {
                let ends = [self.layout.data.start, 0, 0];
                self.make_private(*process, ends[0]);
                if self.call_of(*process, SystemCall::Pipe, ends).value() == Some(0) {
                    files += 2;
                }
            }
        }
        let possible =
            everybody.len() as u16 * u16::from(self.dialect.limits.files_per_process / 2 * 2);
        let because = if files < possible {
            "this many were open when the next pipe was refused"
        } else {
            "no limit was found"
        };
        let limit = if files < possible { files } else { u16::MAX };
        self.dialect.limits.files = limit;
        self.note("limits.files", limit, because);
    }

    /// A pipe, the first thing in a case, so that its ends are descriptors 0 and 1; whether there is
    /// one.
    pub(super) fn new_pipe(&mut self) -> bool {
        self.driver.reset();
        let ends = self.layout.data.start;
        self.make_private(ASKED, ends);
        self.call(SystemCall::Pipe, [ends, 0, 0]).value() == Some(0)
    }
}

fn zero_or_failed(seen: Seen, default: i8) -> (i8, &'static str) {
    match seen.value() {
        Some(0) => (0, "it returns 0"),
        Some(FAILED) => (-1, "it returns -1"),
        _ => (default, UNCLEAR),
    }
}
