//! The program that AFL++ runs: the glue between AFL++ and `faultline::fuzzing`.
//!
//! `FAULTLINE_TARGET` names the fuzz target, for this program and for our mutations; what a case does is in
//! `harness`. AFL++ keeps one process running over all cases (persistent mode): the kernel is booted once.

mod counters;

use counters::Counters;
use faultline::check::open_session;
use faultline::fuzzing::{Alarm, Execution, Session};
use faultline::triage::finding_file::{self, Destination};
use faultline::{Profile, case_file};
use std::env;
use std::panic::AssertUnwindSafe;
use std::process::{abort, exit};

/// Set to `1`: go on after a finding and collect more, where AFL++ would note a crash and start
/// the process again.
const KEEP_GOING_VARIABLE: &str = "FAULTLINE_KEEP_GOING";

/// Names the fuzz target.
const TARGET_VARIABLE: &str = "FAULTLINE_TARGET";

/// Fuzzes the target until AFL++ ends the loop.
///
/// Ends the process with a message if there is no such target, or no kernel to fuzz.
fn main() {
    let target = target();
    let mut session = open_session().unwrap_or_else(|error| {
        eprintln!("cannot fuzz {target}: {error}");
        exit(2);
    });
    let keep_going = env::var_os(KEEP_GOING_VARIABLE).is_some_and(|value| value == "1");
    let mut counters = Counters::registered().unwrap_or_else(|| {
        eprintln!("cannot fuzz {target}: AFL++ gave no counters; is AFL_INST_RATIO set?");
        exit(2);
    });
    // If this side panics the process ends, so nothing sees what the closure has half changed.
    let mut execute = AssertUnwindSafe(|bytes: &[u8]| {
        execute(&mut session, &mut counters, bytes, target, keep_going);
    });
    afl::fuzz(true, move |bytes| (*execute)(bytes));
}

fn target() -> Profile {
    match env::var(TARGET_VARIABLE).map(|name| name.parse()) {
        Ok(Ok(target)) => target,
        Ok(Err(error)) => {
            eprintln!("cannot fuzz: {error}");
            exit(2);
        }
        Err(_) => Profile::default(),
    }
}

fn execute(
    session: &mut Session,
    counters: &mut Counters,
    bytes: &[u8],
    target: Profile,
    keep_going: bool,
) {
    let (edges, features) = counters.for_execution();
    match session.execute(&case_file::from_bytes(bytes), edges, features) {
        Ok(Execution::Clean) => {}
        // Otherwise the queue would fill with ways to the same bug.
        Ok(Execution::KnownFinding) => counters.forget(),
        Err(alarm) => {
            eprintln!("\n{alarm}\n");
            let Alarm::Findings(reports) = alarm else {
                abort();
            };
            let origin = format!("{target} under AFL++");
            let to = Destination::new(finding_file::folder(), session.guest());
            for report in &reports {
                match finding_file::write(report, &to, &origin) {
                    Ok(path) => eprintln!("written to {}", path.display()),
                    Err(error) => eprintln!("cannot write the case file: {error}"),
                }
            }
            if !keep_going {
                abort();
            }
            counters.forget();
        }
    }
}
