//! Births, sleeps, deaths and orphans of up to eight processes.

fn main() {
    faultline_afl::run(faultline_afl::Profile::Processes);
}
