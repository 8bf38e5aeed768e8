//! Files, and ends of pipes, in the place of standard input and output.

use alloc::ffi::CString;
use core::ffi::CStr;

use user::abi::{file_system, open};
use user::{File, system};

const INPUT: i32 = 0;
const OUTPUT: i32 = 1;

/// What a file is for.
pub enum Kind {
    /// Read instead of the standard input.
    Input,
    /// Written, from its beginning, instead of the standard output.
    Output,
    /// Written after what it has, instead of the standard output.
    Append,
}

/// A file for a command.
pub struct Redirection {
    /// What for.
    pub kind: Kind,
    /// Its path.
    pub file: CString,
}

impl Redirection {
    /// Puts the file in its place; `None` if it cannot be opened.
    pub fn apply(&self) -> Option<()> {
        match self.kind {
            Kind::Input => use_as_input(File::read_only(&self.file)?),
            Kind::Output => {
                let mode = open::WRITE_ONLY | open::CREATE | open::TRUNCATE;
                use_as_output(File::open(&self.file, mode)?)
            }
            Kind::Append => use_as_output(open_at_end(&self.file)?),
        }
    }
}

/// Opens a file so that what is written follows what it has. The kernel has no mode for that, and
/// no call that moves to an offset: reading moves there.
///
/// Not inlined: its buffer would lie on the stack of everything that runs in parentheses.
#[inline(never)]
fn open_at_end(path: &CStr) -> Option<File> {
    let file = File::open(path, open::READ_WRITE | open::CREATE)?;
    // Reading a device would wait for input.
    if file.stat()?.kind == file_system::Kind::File {
        let mut skipped = [0; 512];
        while file.read(&mut skipped)? > 0 {}
    }
    Some(file)
}

/// Makes `file` the standard input.
pub fn use_as_input(file: File) -> Option<()> {
    put_in_place(file, INPUT)
}

/// Makes `file` the standard output.
pub fn use_as_output(file: File) -> Option<()> {
    put_in_place(file, OUTPUT)
}

/// Makes `place` a descriptor of `file`. The descriptor `place` and all below it are open.
fn put_in_place(file: File, place: i32) -> Option<()> {
    system::close(place)?;
    // The lowest descriptor that is free.
    let new = system::dup(file.descriptor())?;
    (new == place).then_some(())
}
