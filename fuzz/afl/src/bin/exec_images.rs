//! Programs that are loaded page by page, and their arguments.

fn main() {
    faultline_afl::run(faultline_afl::Profile::ExecImages);
}
