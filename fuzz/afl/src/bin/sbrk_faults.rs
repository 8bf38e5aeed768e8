//! `sbrk`, faults and forks under AFL++.

fn main() {
    faultline_afl::run("sbrk_faults under AFL++");
}
