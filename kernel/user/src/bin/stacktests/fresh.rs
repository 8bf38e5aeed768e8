//! The stack of a program that has just begun.

use core::ffi::CStr;

use user::testing::child::{KILLED, status_of};
use user::testing::memory::{PAGE, load, page_of, stack};
use user::testing::usage::{self, Account, program_pages_end, stack_top, usage};
use user::testing::{Group, Verdict};
use user::{ensure_equal, println, rules, system};

pub const GROUP: Group = Group {
    name: "fresh",
    quick: rules![begins_with_one_page, fixed_stacks_have_one_page],
    slow: rules![],
};

/// Tells this program to measure its own stack.
pub const ARGUMENT: &CStr = c"--fresh";

/// What `exec` came back with.
const REFUSED: i32 = 77;

fn begins_with_one_page() -> Verdict {
    let status = status_of(|| {
        system::exec(c"/stacktests", &[c"stacktests", ARGUMENT]);
        REFUSED
    });
    ensure_equal!(status?, 0);
    Ok(())
}

/// The other program's part of [`begins_with_one_page`].
pub fn measure() -> i32 {
    usage::begin();
    match one_page_is_there() {
        Ok(()) => 0,
        Err(failure) => {
            println!("  fresh: {failure}");
            1
        }
    }
}

fn one_page_is_there() -> Verdict {
    // It holds the arguments, and what was called until now.
    ensure_equal!(page_of(stack()), stack_top() - PAGE);
    // From here on, all code of the program is loaded.
    for page in (0..program_pages_end()).step_by(PAGE as usize) {
        load(page);
    }
    usage();
    let account = Account::of_now();
    for below in 2..=10 {
        load(stack_top() - below * PAGE);
        let change = account.change();
        ensure_equal!(change.frames, below - 1);
        ensure_equal!(change.loads, below - 1);
        ensure_equal!(change.mapped, below - 1);
    }
    Ok(())
}

/// A program whose file asks for no size.
fn fixed_stacks_have_one_page() -> Verdict {
    for (word, status) in [
        (c"inside", 0),
        (c"call", 0),
        (c"load", KILLED),
        (c"store", KILLED),
        (c"guard", KILLED),
    ] {
        let ended = status_of(|| {
            system::exec(c"/fixedstack", &[c"fixedstack", word]);
            REFUSED
        })?;
        ensure_equal!(ended, status);
    }
    Ok(())
}
