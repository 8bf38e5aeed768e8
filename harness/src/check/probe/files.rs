//! Questions about files: how writes end early, and what is left of a removed directory.

use super::{ASKED, FAILED, Prober, Seen, UNCLEAR, name};
use abi::SystemCall;
use abi::file_system::{BLOCK_SIZE, Kind, MAX_FILE_SIZE};
use abi::open::{CREATE, READ_ONLY, READ_WRITE, TRUNCATE};
use oracle::case::Text;
use oracle::dialect::{BadBuffer, Bound, RefusedBlock, RefusedTransaction, RemovedDirectory};
use oracle::layout::PAGE_SIZE;
use oracle::{Action, Process, Width};

/// Blocks of the largest transaction that is looked for; and pages that hold as many bytes.
const LARGEST_TRANSACTION: u64 = 30;
const PAGES: u64 = LARGEST_TRANSACTION * BLOCK_SIZE as u64 / PAGE_SIZE + 1;
/// More bytes than any file of these questions holds; the largest that fits a length.
const EVERYTHING: u64 = i16::MAX as u64;

impl Prober {
    pub(super) fn files(&mut self) {
        self.device();
        self.transactions();
        self.refused_transaction();
        self.refused_block();
        self.removed_directory();
        self.truncation();
        self.larger_files();
    }

    /// The first member of what `fstat` tells of the root directory.
    fn device(&mut self) {
        self.driver.reset();
        let path = self.store("/", 0);
        let buffer = self.layout.data.start;
        self.make_private(ASKED, buffer);
        let told = self
            .open(path, READ_ONLY)
            .and_then(|fd| self.call(SystemCall::Fstat, [fd, buffer, 0]).value());
        let device = self.act(Action::Load {
            address: buffer,
            width: Width::Four,
        });
        let (device, because) = match device.value().filter(|_| told == Some(0)) {
            Some(device) => (device as u32, "`fstat` returns this number for the disk"),
            None => (self.dialect.files.device, UNCLEAR),
        };
        self.dialect.files.device = device;
        self.note("files.device", device, because);
    }

    /// A file of one byte gets blocks that end in the middle of the disk's, unless a transaction
    /// ends there: as many bytes count then as could be read.
    fn transactions(&mut self) {
        let whole = (1..=LARGEST_TRANSACTION).find(|blocks| {
            let readable = blocks * BLOCK_SIZE as u64;
            self.write_too_much(1, 0, readable) == Some(1 + readable)
        });
        let much = LARGEST_TRANSACTION * BLOCK_SIZE as u64;
        let is_refused = whole.is_none() && self.write_too_much(1, 0, much) == Some(1);
        let (buffer, because) = if is_refused {
            (
                BadBuffer::Refused,
                "a write from a buffer that ends in bad memory writes nothing",
            )
        } else {
            (
                BadBuffer::DoneInPart,
                "a write from a buffer that ends in bad memory writes the bytes before it",
            )
        };
        self.dialect.files.bad_buffer = buffer;
        self.note("files.bad_buffer", name(buffer), because);
        let field = "files.transaction_bytes";
        match whole {
            Some(blocks) => {
                let bytes = blocks as u32 * BLOCK_SIZE as u32;
                self.dialect.files.transaction_bytes = bytes;
                let because = "a write that fails after this many bytes has written them all";
                self.note(field, bytes, because);
            }
            None if buffer == BadBuffer::Refused => {
                let because = "the default: its transactions cannot be seen";
                self.note(field, self.dialect.files.transaction_bytes, because);
            }
            None => self.note(field, self.dialect.files.transaction_bytes, UNCLEAR),
        }
    }

    /// Two blocks of a transaction of three can be filled, the next cannot; where does the next byte
    /// go?
    fn refused_transaction(&mut self) {
        let blocks = 2 * BLOCK_SIZE as u64;
        let size = self.write_and_go_on(1, 0, blocks, 1);
        let (counts, because) = match size.filter(|_| !self.looks_first()) {
            Some(size) if size > blocks => (
                RefusedTransaction::CountsBlocks,
                "a write that fails after two blocks moves the offset past them",
            ),
            Some(_) => (
                RefusedTransaction::CountsNothing,
                "a write that fails after two blocks leaves the offset where it was",
            ),
            None => (self.dialect.files.refused_transaction, UNCLEAR),
        };
        self.dialect.files.refused_transaction = counts;
        self.note("files.refused_transaction", name(counts), because);
    }

    fn looks_first(&self) -> bool {
        self.dialect.files.bad_buffer == BadBuffer::Refused
    }

    fn truncation(&mut self) {
        self.driver.reset();
        let path = self.store("new", 0);
        let code = self.layout.text.start;
        let made = self.open(path, READ_WRITE | CREATE);
        let written = made.map(|fd| self.call(SystemCall::Write, [fd, code, 1]));
        let emptied = self.open(path, READ_WRITE | TRUNCATE);
        let held = self
            .open(path, READ_ONLY)
            .map(|fd| self.call(SystemCall::Read, [fd, self.layout.data.start, 1]));
        let done = written.and_then(Seen::value) == Some(1) && emptied.is_some();
        let (truncates, because) = match held.and_then(Seen::value).filter(|_| done) {
            Some(0) => (true, "`open` with the flag to truncate empties a file"),
            Some(1) => (
                false,
                "`open` with the flag to truncate leaves a file as it is",
            ),
            _ => (self.dialect.files.truncates, UNCLEAR),
        };
        self.dialect.files.truncates = truncates;
        self.note("files.truncates", truncates, because);
    }

    fn larger_files(&mut self) {
        self.driver.reset();
        let path = self.store("new", 0);
        let code = self.layout.text.start;
        let made = self.open(path, READ_WRITE | CREATE);
        let beyond = made.and_then(|fd| {
            for _ in 0..MAX_FILE_SIZE as u64 / PAGE_SIZE {
                let written = self.call(SystemCall::Write, [fd, code, PAGE_SIZE]);
                written.value().filter(|bytes| *bytes == PAGE_SIZE)?;
            }
            self.call(SystemCall::Write, [fd, code, 1]).value()
        });
        let (larger, because) = match beyond {
            Some(FAILED) => (Bound::Refused, "a file of 268 blocks cannot grow"),
            Some(_) => (Bound::Granted, "a file of 268 blocks can grow"),
            None => (self.dialect.files.larger_files, UNCLEAR),
        };
        self.dialect.files.larger_files = larger;
        self.note("files.larger_files", name(larger), because);
    }

    fn open(&mut self, path: u64, mode: u32) -> Option<u64> {
        let fd = self.call(SystemCall::Open, [path, mode.into(), 0]);
        fd.value().filter(|fd| *fd != FAILED)
    }

    fn refused_block(&mut self) {
        const SIZE: usize = 16;
        let size = self.write_too_much(SIZE as u64, SIZE as u64, 8);
        let mut nodes = self.driver.disk_content().nodes.into_iter();
        // The old contents are code, which does not begin with a zero.
        let written = nodes.find(|node| node.kind == Kind::File && node.bytes.len() == SIZE);
        let first = written.and_then(|node| node.bytes.first().copied());
        let (block, because) = match (size == Some(SIZE as u64), first) {
            (true, Some(0)) => (
                RefusedBlock::FilledInPart,
                "the bytes before a bad one are on the disk",
            ),
            (true, Some(_)) => (
                RefusedBlock::Open,
                "the bytes before a bad one are not on the disk",
            ),
            _ => (self.dialect.files.refused_block, UNCLEAR),
        };
        self.dialect.files.refused_block = block;
        self.note("files.refused_block", name(block), because);
    }

    fn removed_directory(&mut self) {
        self.driver.reset();
        let child = Process::all().nth(1).unwrap_or(ASKED);
        let directory = self.store("dir", 0);
        let itself = self.store(".", PAGE_SIZE / 2);
        self.call(SystemCall::Mkdir, [directory, 0, 0]);
        self.fork_of(child);
        let entered = self.call(SystemCall::Chdir, [directory, 0, 0]);
        let removed = self.call_of(child, SystemCall::Unlink, [directory, 0, 0]);
        let found = self.call(SystemCall::Open, [itself, READ_ONLY.into(), 0]);
        let done = entered.value() == Some(0) && removed.value() == Some(0);
        let (left, because) = match found.value().filter(|_| done) {
            Some(FAILED) => (
                RemovedDirectory::Empty,
                "`.` leads nowhere in a removed directory",
            ),
            Some(_) => (
                RemovedDirectory::KeepsDots,
                "`.` still leads to a removed directory",
            ),
            None => (self.dialect.files.removed_directory, UNCLEAR),
        };
        self.dialect.files.removed_directory = left;
        self.note("files.removed_directory", name(left), because);
    }

    /// Writes `size` bytes of the agent's code to a new file, and then, from `offset` bytes before
    /// its end on, more than the `readable` zeros that lie below the end of the heap. Gives the size
    /// that the file has then.
    fn write_too_much(&mut self, size: u64, offset: u64, readable: u64) -> Option<u64> {
        self.write_and_go_on(size, offset, readable, 0)
    }

    /// The same, with `more` bytes written by the same descriptor after that.
    fn write_and_go_on(&mut self, size: u64, offset: u64, readable: u64, more: u64) -> Option<u64> {
        self.driver.reset();
        let path = self.store("new", 0);
        self.grow_and_touch(PAGES);
        let fd = self.open(path, READ_WRITE | CREATE)?;
        let code = self.layout.text.start;
        self.call(SystemCall::Write, [fd, code, size]);
        let fd = match offset {
            0 => fd,
            _ => self.open(path, READ_WRITE | CREATE)?,
        };
        let end = self.layout.heap + PAGES * PAGE_SIZE;
        let failed = self.call(SystemCall::Write, [fd, end - readable, readable + 8]);
        self.call(SystemCall::Write, [fd, code, more]);
        let fd = self.open(path, READ_ONLY)?;
        let buffer = self.layout.heap;
        let held = self.call(SystemCall::Read, [fd, buffer, EVERYTHING]);
        held.value().filter(|_| failed.value() == Some(FAILED))
    }

    /// Stores a path at this offset in the agent's last page of data; returns its address.
    fn store(&mut self, word: &str, offset: u64) -> u64 {
        let address = self.layout.data.end - PAGE_SIZE + offset;
        self.act(Action::StoreString {
            address,
            text: Text::spelled(word).unwrap_or(Text::from_code(0)),
            terminated: true,
        });
        address
    }
}
