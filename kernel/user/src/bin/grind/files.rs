//! Files and directories: some that all workers fight about, and one that each has for itself.

use core::ffi::CStr;

use user::abi::SystemCall;
use user::abi::open::{CREATE, READ_ONLY, READ_WRITE, TRUNCATE, WRITE_ONLY};
use user::testing::files::{Name, read_fully};
use user::testing::memory::{self, NOBODY, PAGE, buffer};
use user::testing::random::Random;
use user::testing::scratch;
use user::testing::{Failure, Verdict};
use user::{ensure, ensure_equal, need, system};

/// The directory that all workers use.
const YARD: &CStr = c"/grind.d";

/// Names that all workers use, for files and directories and links alike.
const NAMES: [&CStr; 12] = [
    c"a",
    c"b",
    c"c",
    c"a/a",
    c"a/b",
    c"b/a",
    c"b/c",
    c"../grind.d/c",
    c"./b/../a",
    c"a/b/c",
    c"c/./a",
    c"/grind.d/b/a",
];

/// What is written to them.
static CONTENT: [u8; 3000] = [b'g'; 3000];

/// Makes the place and enters it.
pub fn enter_yard() -> Verdict {
    if system::chdir(YARD).is_some() {
        scratch::clear()?;
    } else {
        ensure!(system::mkdir(YARD).is_some());
        ensure!(system::chdir(YARD).is_some());
    }
    Ok(())
}

/// Removes the place; everybody else has left it.
pub fn leave_yard() -> Verdict {
    scratch::clear()?;
    ensure!(system::chdir(c"/").is_some());
    ensure!(system::unlink(YARD).is_some());
    Ok(())
}

fn any(random: &mut Random) -> &'static CStr {
    NAMES[random.below(NAMES.len() as u64) as usize]
}

/// Something with a name that another worker may make or remove at the same moment: anything may
/// fail.
pub fn play(random: &mut Random) -> Verdict {
    let name = any(random);
    match random.below(9) {
        0 | 1 => {
            let mode = [
                CREATE | READ_WRITE,
                CREATE | TRUNCATE | WRITE_ONLY,
                READ_WRITE,
            ];
            if let Some(file) = system::open(name, mode[random.below(3) as usize]) {
                let bytes = &CONTENT[..random.below(CONTENT.len() as u64) as usize];
                let written = system::write(file, bytes);
                ensure!(written.is_none_or(|length| length == bytes.len()));
                ensure!(system::close(file).is_some());
            }
        }
        2 => {
            if let Some(file) = system::open(name, READ_ONLY) {
                let length = need!(system::read(file, &mut [0; 200]));
                ensure!(length <= 200);
                ensure!(need!(system::fstat(file)).links < 100);
                ensure!(system::close(file).is_some());
            }
        }
        3 | 4 => _ = system::unlink(name),
        5 => _ = system::link(name, any(random)),
        6 => _ = system::mkdir(name),
        7 => {
            // Another worker may have removed the directory, so `..` may not lead back.
            if system::chdir(name).is_some() {
                let _ = system::mkdir(c"a");
                let _ = system::unlink(c"a");
                ensure!(system::chdir(YARD).is_some());
            }
        }
        _ => _ = system::mknod(name, 99, 0),
    }
    Ok(())
}

/// A file that its worker alone writes, so that it knows what is in it.
pub struct Diary {
    name: Name,
    bytes: &'static mut [u8],
    check: &'static mut [u8],
    length: usize,
}

impl Diary {
    /// Bytes that it can grow to.
    const LIMIT: usize = 40_000;

    /// Makes the file of this worker.
    pub fn begin(number: u64) -> Result<Diary, Failure> {
        let name = Name::numbered("diary", number as usize);
        let file = need!(system::open(name.path(), CREATE | TRUNCATE | READ_WRITE));
        ensure!(system::close(file).is_some());
        Ok(Diary {
            name,
            bytes: buffer(Diary::LIMIT),
            check: buffer(Diary::LIMIT + 1),
            length: 0,
        })
    }

    /// Overwrites some of it, or adds to it, or replaces it.
    pub fn write(&mut self, random: &mut Random) -> Verdict {
        let anew = random.below(8) == 0;
        let mode = if anew {
            WRITE_ONLY | TRUNCATE
        } else {
            READ_WRITE
        };
        let file = need!(system::open(self.name.path(), mode));
        if anew {
            self.length = 0;
        }
        // There is no call that moves the offset, so read up to the place.
        let start = random.below(self.length as u64 + 1) as usize;
        if start > 0 {
            ensure_equal!(read_fully(file, &mut self.check[..start]), start);
        }
        let end = (start + random.below(6000) as usize).min(Diary::LIMIT);
        let value = random.number() as u8;
        for (number, byte) in self.bytes[start..end].iter_mut().enumerate() {
            *byte = value.wrapping_add((number % 7) as u8);
        }
        ensure_equal!(system::write(file, &self.bytes[start..end]), end - start);
        self.length = self.length.max(end);
        ensure!(system::close(file).is_some());
        Ok(())
    }

    /// Reads all of it.
    pub fn check(&mut self) -> Verdict {
        let file = need!(system::open(self.name.path(), READ_ONLY));
        ensure_equal!(need!(system::fstat(file)).size, self.length);
        ensure_equal!(read_fully(file, self.check), self.length);
        ensure!(self.check[..self.length] == self.bytes[..self.length]);
        ensure!(system::close(file).is_some());
        Ok(())
    }

    /// Reads it for the last time, and removes it.
    pub fn end(&mut self) -> Verdict {
        self.check()?;
        ensure!(system::unlink(self.name.path()).is_some());
        Ok(())
    }
}

/// Takes all descriptors and gives them back.
pub fn descriptors() -> Verdict {
    let mut taken = [0; 16];
    let mut count = 0;
    while let Some(descriptor) = system::dup(1) {
        taken[count] = descriptor;
        count += 1;
    }
    ensure!(count > 0);
    ensure!(system::pipe().is_none());
    for &descriptor in &taken[..count] {
        ensure!(system::close(descriptor).is_some());
    }
    Ok(())
}

/// Calls with an address that is not mapped.
pub fn wild_pointers(random: &mut Random) -> Verdict {
    const CALLS: [SystemCall; 9] = [
        SystemCall::Open,
        SystemCall::Chdir,
        SystemCall::Mkdir,
        SystemCall::Unlink,
        SystemCall::Link,
        SystemCall::Mknod,
        SystemCall::Exec,
        SystemCall::Pipe,
        SystemCall::Wait,
    ];
    let address = match random.below(3) {
        0 => NOBODY[random.below(NOBODY.len() as u64) as usize],
        1 => memory::heap_end() + random.below(PAGE),
        _ => random.number() << 40 | 1 << 62,
    };
    let call = CALLS[random.below(CALLS.len() as u64) as usize];
    ensure_equal!(memory::call(call, [address, address, 0]), -1);
    Ok(())
}
