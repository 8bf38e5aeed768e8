//! Several processes that act in turn, wait for one another, and are pre-empted.

fn main() {
    faultline_afl::run(faultline_afl::Profile::Schedules);
}
