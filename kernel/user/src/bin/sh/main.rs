//! The shell: reads lines from the standard input, or from the file it is given, and runs them.
//!
//! A line is made of programs with arguments, joined by `|`, `;` and `&`, grouped by parentheses,
//! their input and output redirected by `<`, `>` and `>>`. Quotes and backslashes keep special
//! characters from being special; `#` begins a comment. `cd` and `exit` are the shell's own.
#![no_std]
#![no_main]

extern crate alloc;

mod command;
mod line;
mod redirection;
mod run;
mod token;

use user::abi::file_system::Kind;
use user::abi::open;
use user::text::Text;
use user::{Arguments, File, eprint, eprintln, system};

use self::line::{Line, MAX_LINE};

user::program!(main);

fn main(arguments: Arguments) -> i32 {
    open_standard_descriptors();
    if let Some(script) = arguments.get(1)
        && File::read_only(script)
            .and_then(redirection::use_as_input)
            .is_none()
    {
        eprintln!("sh: cannot open {}", Text(script.to_bytes()));
        return 1;
    }
    let input = File::input();
    // Somebody at a console is asked for lines; a file or a pipe is not.
    let is_console = input.stat().is_some_and(|stat| stat.kind == Kind::Device);
    let mut status = 0;
    loop {
        if is_console {
            eprint!("$ ");
        }
        let result = match line::read(&input) {
            Line::End => return status,
            Line::TooLong => {
                eprintln!("sh: a line has more than {MAX_LINE} bytes");
                status = 1;
                continue;
            }
            Line::Complete(line) => command::parse(&line),
        };
        status = match result {
            Ok(list) => run::list(&list),
            Err(error) => {
                eprintln!("sh: {}", error.0);
                1
            }
        };
    }
}

/// Makes sure that programs get an input, an output and a place for errors.
fn open_standard_descriptors() {
    while let Some(descriptor) = system::open(c"console", open::READ_WRITE) {
        if descriptor > 2 {
            let _ = system::close(descriptor);
            return;
        }
    }
}
