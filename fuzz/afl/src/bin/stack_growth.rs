//! Stacks that grow on demand, and the guard pages below them.

fn main() {
    faultline_afl::run(faultline_afl::Profile::StackGrowth);
}
