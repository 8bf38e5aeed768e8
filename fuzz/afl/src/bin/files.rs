//! Files that are opened, read and asked about.

fn main() {
    faultline_afl::run(faultline_afl::Profile::Files);
}
