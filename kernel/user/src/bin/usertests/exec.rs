//! Exec: arguments up to their limits, and files that are not programs.

use core::ffi::CStr;
use core::ptr::null;

use user::abi::SystemCall;
use user::abi::limits::{ARGUMENTS, CONSOLE};
use user::abi::open::{CREATE, READ_ONLY, WRITE_ONLY};
use user::testing::child::{KILLED, status_of};
use user::testing::files::{contains, create, read_fully};
use user::testing::memory::{PAGE, buffer, call, fill, grow, heap_end};
use user::testing::{Failure, Group, Verdict};
use user::{ensure, ensure_equal, need, raw, rules, system};

pub const GROUP: Group = Group {
    name: "exec",
    quick: rules![
        programs_get_arguments,
        programs_keep_files_and_directory,
        arguments_up_to_their_number,
        arguments_up_to_their_size,
        arguments_across_pages,
        bad_arguments,
        what_is_no_program,
        programs_cut_short,
        programs_with_bad_headers,
        programs_without_code,
    ],
    slow: rules![bad_arguments_without_end],
};

/// What a child exits with if `exec` came back.
const REFUSED: i32 = 77;

/// Runs a program whose output goes to the file `out`: its exit status, or [`REFUSED`].
fn run(path: &CStr, arguments: &[*const u8]) -> Result<i32, Failure> {
    status_of(|| {
        system::close(1);
        if system::open(c"out", CREATE | WRITE_ONLY | user::abi::open::TRUNCATE) != Some(1) {
            return 78;
        }
        // SAFETY: reads strings that end, from a list that ends.
        unsafe { raw::exec(path.as_ptr(), arguments.as_ptr()) };
        REFUSED
    })
}

fn word(text: &CStr) -> *const u8 {
    text.as_ptr().cast()
}

fn programs_get_arguments() -> Verdict {
    let arguments = [word(c"echo"), word(c"OK"), word(c""), word(c"a b"), null()];
    ensure_equal!(run(c"/echo", &arguments)?, 0);
    contains(c"out", b"OK  a b\n")?;
    ensure_equal!(run(c"/echo", &[word(c"echo"), null()])?, 0);
    contains(c"out", b"\n")?;
    // Not even a name.
    ensure_equal!(run(c"/echo", &[null()])?, 0);
    contains(c"out", b"\n")
}

fn programs_keep_files_and_directory() -> Verdict {
    ensure_equal!(system::mkdir(c"inner"), 0);
    ensure_equal!(system::link(c"/echo", c"inner/echo"), 0);
    ensure_equal!(system::chdir(c"inner"), 0);
    ensure_equal!(
        run(c"echo", &[word(c"any name"), word(c"here"), null()])?,
        0
    );
    ensure_equal!(system::chdir(c".."), 0);
    contains(c"inner/out", b"here\n")
}

fn arguments_up_to_their_number() -> Verdict {
    let mut arguments = [word(c"x"); ARGUMENTS + 1];
    arguments[ARGUMENTS] = null();
    ensure_equal!(run(c"/echo", &arguments)?, REFUSED);
    arguments[ARGUMENTS - 1] = null();
    ensure_equal!(run(c"/echo", &arguments[..ARGUMENTS])?, 0);
    let mut expected = [b' '; 2 * (ARGUMENTS - 2)];
    expected.iter_mut().step_by(2).for_each(|byte| *byte = b'x');
    expected[2 * (ARGUMENTS - 2) - 1] = b'\n';
    contains(c"out", &expected)
}

/// All arguments have to fit into the first page of the stack.
fn arguments_up_to_their_size() -> Verdict {
    let text = buffer(6000);
    text.fill(b'y');
    text[5999] = 0;
    let run_with = |length: usize, count: usize| {
        // The strings are one: the rest of a text from some place on.
        let place = text[text.len() - length - 1..].as_ptr();
        let mut arguments = [null(); ARGUMENTS];
        arguments[0] = word(c"echo");
        arguments[1..=count].fill(place);
        run(c"/echo", &arguments)
    };
    ensure_equal!(run_with(900, 1)?, 0);
    let file = need!(system::open(c"out", READ_ONLY));
    ensure_equal!(need!(system::fstat(file)).size, 901);
    system::close(file);
    ensure_equal!(run_with(5000, 1)?, REFUSED);
    ensure_equal!(run_with(PAGE as usize, 1)?, REFUSED);
    ensure_equal!(run_with(PAGE as usize - 1, 1)?, REFUSED);
    ensure_equal!(run_with(1400, 3)?, REFUSED);
    ensure_equal!(run_with(400, ARGUMENTS - 2)?, REFUSED);
    Ok(())
}

/// The array lies across two pages, and a string does.
fn arguments_across_pages() -> Verdict {
    let pages = buffer(3 * PAGE as usize);
    let page = PAGE as usize;
    pages[2 * page - 3..2 * page + 3].copy_from_slice(b"split\0");
    let string = pages[2 * page - 3..].as_ptr();
    let arguments = [word(c"echo"), string, null()];
    for (number, argument) in arguments.iter().enumerate() {
        let address = argument.expose_provenance() as u64;
        let start = page - 8 + 8 * number;
        pages[start..start + 8].copy_from_slice(&address.to_le_bytes());
    }
    let array = pages[page - 8..].as_ptr().expose_provenance() as u64;
    let status = status_of(|| {
        system::close(1);
        system::open(c"out", CREATE | WRITE_ONLY);
        let path = c"/echo".as_ptr().addr() as u64;
        call(SystemCall::Exec, [path, array, 0]);
        REFUSED
    })?;
    ensure_equal!(status, 0);
    contains(c"out", b"split\n")
}

/// Tries `exec` of a good program with arguments that it must refuse.
fn refuses_arguments(array: u64) -> Verdict {
    let path = c"/echo".as_ptr().addr() as u64;
    ensure_equal!(call(SystemCall::Exec, [path, array, 0]), -1);
    Ok(())
}

fn bad_arguments() -> Verdict {
    refuses_arguments(heap_end())?;
    refuses_arguments(u64::MAX - 7)?;
    let end = grow(1) + PAGE;
    let good = c"echo".as_ptr().addr() as u64;
    let put = |place: u64, value: u64| {
        for (at, byte) in (place..).zip(value.to_le_bytes()) {
            user::testing::memory::store(at, byte);
        }
    };
    // No null pointer before the end of memory.
    put(end - 16, good);
    put(end - 8, good);
    refuses_arguments(end - 16)?;
    // Half of a pointer.
    refuses_arguments(end - 4)?;
    // A string without an end, the second one of two.
    fill(end - 100, 100, b'x');
    put(end - 200, good);
    put(end - 192, end - 100);
    put(end - 184, 0);
    refuses_arguments(end - 200)?;
    put(end - 192, 0xffff_ffff);
    refuses_arguments(end - 200)
}

/// An `exec` that fails must lose nothing.
fn bad_arguments_without_end() -> Verdict {
    let arguments = [word(c"echo").addr() as u64, 0xffff_ffff, 0];
    let array = arguments.as_ptr().expose_provenance() as u64;
    for _ in 0..20_000 {
        refuses_arguments(array)?;
    }
    Ok(())
}

fn refuses(path: &CStr) -> Verdict {
    ensure_equal!(run(path, &[word(c"x"), null()])?, REFUSED);
    Ok(())
}

fn what_is_no_program() -> Verdict {
    create(c"text", b"#!/bin/sh\necho no\n")?;
    create(c"empty", b"")?;
    ensure_equal!(system::mkdir(c"directory"), 0);
    ensure_equal!(system::mknod(c"device", CONSOLE, 0), 0);
    for path in [
        c"missing",
        c"text",
        c"empty",
        c"directory",
        c"device",
        c"/",
        c"text/x",
    ] {
        refuses(path)?;
    }
    Ok(())
}

/// A copy of a program to spoil, and how many bytes it has.
fn program() -> Result<&'static mut [u8], Failure> {
    let file = need!(system::open(c"/echo", READ_ONLY));
    let size = need!(system::fstat(file)).size as usize;
    let bytes = buffer(size);
    ensure_equal!(read_fully(file, bytes), size);
    system::close(file);
    Ok(bytes)
}

fn programs_cut_short() -> Verdict {
    let bytes = program()?;
    create(c"whole", bytes)?;
    ensure_equal!(run(c"whole", &[word(c"x"), word(c"runs"), null()])?, 0);
    contains(c"out", b"runs\n")?;
    // Within the file's header, within the program headers, within the first segment.
    for length in [1, 3, 4, 63, 64, 100, 200, 300] {
        create(c"part", &bytes[..length])?;
        refuses(c"part")?;
    }
    Ok(())
}

/// Where numbers lie in an ELF file of 64 bits, and in its first program header that is loaded.
mod elf {
    pub const ENTRY: usize = 24;
    pub const HEADERS: usize = 32;
    pub const HEADER_COUNT: usize = 56;
    pub const HEADER_SIZE: usize = 56;
    pub const KIND: usize = 0;
    pub const OFFSET: usize = 8;
    pub const ADDRESS: usize = 16;
    pub const FILE_SIZE: usize = 32;
    pub const MEMORY_SIZE: usize = 40;
    pub const LOADED: u8 = 1;
}

/// Changes the eight bytes at `place` of a program for one try.
fn with(bytes: &mut [u8], place: usize, value: u64) -> Result<i32, Failure> {
    let mut before = [0; 8];
    before.copy_from_slice(&bytes[place..place + 8]);
    bytes[place..place + 8].copy_from_slice(&value.to_le_bytes());
    create(c"changed", bytes)?;
    bytes[place..place + 8].copy_from_slice(&before);
    run(c"changed", &[word(c"x"), null()])
}

fn programs_with_bad_headers() -> Verdict {
    let bytes = program()?;
    let number = |place: usize| {
        let mut word = [0; 8];
        word.copy_from_slice(&bytes[place..place + 8]);
        u64::from_le_bytes(word)
    };
    let headers = number(elf::HEADERS) as usize;
    let mut loaded = (headers..bytes.len()).step_by(elf::HEADER_SIZE);
    let header = need!(loaded.find(|&place| bytes[place + elf::KIND] == elf::LOADED));
    let in_file = number(header + elf::FILE_SIZE);
    let in_memory = number(header + elf::MEMORY_SIZE);
    let address = number(header + elf::ADDRESS);
    ensure!(in_file > 0);

    ensure_equal!(with(bytes, 0, 0x7f45_4c46)?, REFUSED);
    // The headers are beyond the file, or at no place at all.
    ensure_equal!(with(bytes, elf::HEADERS, 1 << 30)?, REFUSED);
    ensure_equal!(with(bytes, elf::HEADERS, u64::MAX)?, REFUSED);
    ensure_equal!(with(bytes, header + elf::ADDRESS, address + 1)?, REFUSED);
    ensure_equal!(
        with(bytes, header + elf::ADDRESS, address.wrapping_sub(4096))?,
        REFUSED
    );
    ensure_equal!(with(bytes, header + elf::ADDRESS, 1 << 38)?, REFUSED);
    ensure_equal!(with(bytes, header + elf::ADDRESS, 1 << 63)?, REFUSED);
    // Less in memory than in the file; more than there are addresses, or than there is memory.
    ensure_equal!(
        with(bytes, header + elf::MEMORY_SIZE, in_file - 1)?,
        REFUSED
    );
    ensure_equal!(with(bytes, header + elf::MEMORY_SIZE, u64::MAX)?, REFUSED);
    ensure_equal!(with(bytes, header + elf::MEMORY_SIZE, 1 << 38)?, REFUSED);
    // More in the file than it has.
    ensure_equal!(with(bytes, header + elf::OFFSET, 1 << 30)?, REFUSED);
    ensure_equal!(with(bytes, header + elf::OFFSET, u64::MAX - 100)?, REFUSED);
    if in_memory > bytes.len() as u64 {
        ensure_equal!(with(bytes, header + elf::FILE_SIZE, in_memory)?, REFUSED);
    }
    Ok(())
}

/// The kernel has no reason to refuse these; the first instruction ends them.
fn programs_without_code() -> Verdict {
    let bytes = program()?;
    for entry in [1 << 20, 1 << 38, 1 << 63, u64::MAX - 1] {
        ensure_equal!(with(bytes, elf::ENTRY, entry)?, KILLED);
    }
    bytes[elf::HEADER_COUNT..elf::HEADER_COUNT + 2].fill(0);
    create(c"headless", bytes)?;
    let status = run(c"headless", &[word(c"x"), null()])?;
    ensure!(status == KILLED || status == REFUSED);
    Ok(())
}
