//! Runs rules, each in a child and in an empty directory, and prints for each whether it holds. A
//! rule that holds but leaves fewer free frames than before does not.

use core::ffi::CStr;

use super::{Verdict, child, scratch, usage};
use crate::{Arguments, println, system};

/// A rule: its name, and the function that claims it.
pub struct Rule {
    /// What a user calls it.
    pub name: &'static str,
    /// Runs in a process of its own, which may end in any state.
    pub holds: fn() -> Verdict,
}

/// Rules about one thing.
pub struct Group {
    /// What a user calls them all.
    pub name: &'static str,
    /// Rules that take a moment.
    pub quick: &'static [Rule],
    /// Rules that take a second or more.
    pub slow: &'static [Rule],
}

/// Lists rules by the names of their functions.
#[macro_export]
macro_rules! rules {
    ($($holds:ident),* $(,)?) => {
        &[$($crate::testing::Rule { name: stringify!($holds), holds: $holds }),*]
    };
}

/// Times that the clock ticks until frames of processes that end on their own must be back.
const PATIENCE: u32 = 20;

/// Runs those rules of `groups` that the arguments choose, and returns the program's exit status.
///
/// `-l` lists them, `-q` leaves out the slow ones except those that are named, and names of rules
/// or groups choose only those.
pub fn run(program: &str, groups: &[Group], arguments: Arguments) -> i32 {
    let chosen = Choice { arguments };
    if chosen.has_flag(b"-l") {
        list(groups);
        return 0;
    }
    if let Some(unknown) = chosen.unknown(groups) {
        let name = unknown.to_str().unwrap_or("?");
        println!("{program}: there is no rule {name}; {program} -l lists them");
        return 1;
    }
    usage::begin();
    let frames = Frames::settled();
    let mut failures = 0;
    for group in groups {
        let slow = group.slow.iter().map(|rule| (rule, true));
        for (rule, is_slow) in group.quick.iter().map(|rule| (rule, false)).chain(slow) {
            if chosen.includes(group, rule, is_slow) {
                failures += i32::from(!passes(group.name, rule));
            }
        }
    }
    failures += i32::from(!frames.are_back("the whole run"));
    match failures {
        0 => println!("{program}: ALL PASSED"),
        count => println!("{program}: {count} FAILED"),
    }
    i32::from(failures != 0)
}

fn list(groups: &[Group]) {
    for group in groups {
        for rule in group.quick {
            println!("{}::{}", group.name, rule.name);
        }
        for rule in group.slow {
            println!("{}::{} (slow)", group.name, rule.name);
        }
    }
}

/// Which rules the arguments choose.
struct Choice {
    arguments: Arguments,
}

impl Choice {
    fn has_flag(&self, flag: &[u8]) -> bool {
        let mut words = self.arguments.rest();
        words.any(|word| word.to_bytes() == flag)
    }

    fn names(&self) -> impl Iterator<Item = &'static CStr> {
        let is_name = |word: &&CStr| !word.to_bytes().starts_with(b"-");
        self.arguments.rest().filter(is_name)
    }

    /// A flag or name that means nothing.
    fn unknown(&self, groups: &[Group]) -> Option<&'static CStr> {
        let is_known = |word: &[u8]| {
            word == b"-q"
                || groups.iter().any(|group| {
                    let mut rules = group.quick.iter().chain(group.slow);
                    rules.any(|rule| is_called(group, rule, word))
                })
        };
        let mut words = self.arguments.rest();
        words.find(|word| !is_known(word.to_bytes()))
    }

    fn includes(&self, group: &Group, rule: &Rule, is_slow: bool) -> bool {
        let left_out = is_slow && self.has_flag(b"-q");
        let mut names = self.names().map(CStr::to_bytes).peekable();
        match names.peek() {
            None => !left_out,
            Some(_) => names.any(|name| {
                name == rule.name.as_bytes() || name == group.name.as_bytes() && !left_out
            }),
        }
    }
}

fn is_called(group: &Group, rule: &Rule, word: &[u8]) -> bool {
    group.name.as_bytes() == word || rule.name.as_bytes() == word
}

/// Runs a rule and prints the line about it.
fn passes(group: &str, rule: &Rule) -> bool {
    let complain = |why: &dyn core::fmt::Display| println!("FAIL {group}::{}: {why}", rule.name);
    if let Err(failure) = scratch::enter() {
        complain(&failure);
        return false;
    }
    let before = Frames::now();
    let status = child::status_of(|| match (rule.holds)() {
        Ok(()) => 0,
        Err(failure) => {
            complain(&failure);
            1
        }
    });
    match &status {
        // If it failed, the child has said why.
        Ok(0 | 1) => {}
        Ok(child::KILLED) => complain(&"killed"),
        Ok(status) => complain(&format_args!("exit status {status}")),
        Err(failure) => complain(failure),
    }
    let frames_are_back = before.are_back(rule.name);
    let left = scratch::leave();
    if let Err(failure) = &left {
        complain(failure);
    }
    let passed = matches!(status, Ok(0)) && frames_are_back && left.is_ok();
    if passed {
        println!("PASS {group}::{}", rule.name);
    }
    passed
}

/// Frames that are free or mapped by the test program itself, which alone may turn one into the
/// other. A kernel without the call `memory` is asked only about the whole run.
struct Frames {
    count: Option<u64>,
    whole_run: bool,
}

impl Frames {
    /// The frames now.
    fn now() -> Frames {
        let usage = system::memory();
        Frames {
            count: usage.map(|usage| usage.free_frames + usage.mapped_pages),
            whole_run: false,
        }
    }

    /// The frames after one child has ended: what only the first child costs does not count.
    fn settled() -> Frames {
        // Its status does not matter: it does nothing.
        let _ = child::status_of(|| 0);
        let now = Frames::now();
        Frames {
            count: now.count.or_else(|| Some(usage::count_frames())),
            whole_run: true,
        }
    }

    /// Whether there are as many as before; waits a little for orphans to end.
    fn are_back(&self, what: &str) -> bool {
        let Some(before) = self.count else {
            return true;
        };
        let mut now = 0;
        for _ in 0..PATIENCE {
            now = match Frames::now().count {
                Some(count) => count,
                None if self.whole_run => usage::count_frames(),
                None => return true,
            };
            if now >= before {
                return true;
            }
            // Nobody kills this process.
            let _ = system::pause(1);
        }
        println!("FAIL {what}: {} frames are lost", before - now);
        false
    }
}
