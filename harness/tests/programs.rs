//! The shell and the programs, as somebody at the console sees them.

use emulator::Config;
use faultline::session::Session;

fn session() -> Session {
    Session::boot(&Config::default()).unwrap_or_else(|error| panic!("{error}"))
}

/// Types `line` at the prompt; what it prints.
fn run(session: &mut Session, line: &str) -> String {
    session.run(line).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn echo_prints_its_arguments() {
    let mut session = session();
    assert_eq!(run(&mut session, "echo one  two"), "one two\n");
    assert_eq!(run(&mut session, "echo"), "\n");
}
