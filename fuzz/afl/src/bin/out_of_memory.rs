//! Every way to need a frame, when few or none are left.

fn main() {
    faultline_afl::run(faultline_afl::Profile::OutOfMemory);
}
