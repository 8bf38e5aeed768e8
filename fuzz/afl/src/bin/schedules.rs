//! Operations that race on up to three harts, and processes that are pre-empted.

fn main() {
    faultline_afl::run(faultline_afl::Profile::Schedules);
}
