//! What programs do for each of their arguments.

use core::ffi::CStr;

use crate::text::Text;
use crate::{Arguments, File, eprintln};

/// Does `deed` for every argument. Returns 0, or 1 if it failed for some; for each of these it prints
/// `program: argument failure`. Without any argument, prints how the program is used.
pub fn argument(
    arguments: Arguments,
    usage: &str,
    failure: &str,
    deed: impl Fn(&CStr) -> Option<()>,
) -> i32 {
    let program = arguments.program();
    if arguments.count() < 2 {
        eprintln!("Usage: {program} {usage}");
        return 1;
    }
    let mut status = 0;
    for argument in arguments.rest() {
        if deed(argument).is_none() {
            eprintln!("{program}: {} {failure}", Text(argument.to_bytes()));
            status = 1;
        }
    }
    status
}

/// Opens each file whose name is an argument from `first` on, or takes the standard input if there
/// is no such argument, and does `deed` with it and its name. Stops at the first file that cannot be
/// opened or for which `deed` returns an error. Returns 1 then, else 0.
pub fn input(
    arguments: Arguments,
    first: usize,
    mut deed: impl FnMut(&File, &[u8]) -> Result<(), &'static str>,
) -> i32 {
    let program = arguments.program();
    let told = |result: Result<(), &str>| result.map_err(|error| eprintln!("{program}: {error}"));
    if arguments.count() <= first {
        return i32::from(told(deed(&File::input(), b"")).is_err());
    }
    for name in arguments.from(first) {
        let Some(file) = File::read_only(name) else {
            eprintln!("{program}: cannot open {}", Text(name.to_bytes()));
            return 1;
        };
        if told(deed(&file, name.to_bytes())).is_err() {
            return 1;
        }
    }
    0
}
