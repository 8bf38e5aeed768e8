//! A break that moves, and faults around it: a bit of everything.

fn main() {
    faultline_afl::run(faultline_afl::Profile::SbrkFaults);
}
