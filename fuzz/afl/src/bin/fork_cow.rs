//! Pages that parents and children share until one of them stores.

fn main() {
    faultline_afl::run(faultline_afl::Profile::ForkCow);
}
