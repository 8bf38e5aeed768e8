//! What runs on QEMU as well as on our machine: our kernel, its own tests, and findings as programs, on
//! our kernel and on other people's.

mod boot;
mod console;
mod export;
mod export_c;
mod export_rust;
mod usertests;

use std::process::ExitCode;

fn main() -> ExitCode {
    let trials = [
        boot::trials(),
        usertests::trials(),
        export_c::trials(),
        export_rust::trials(),
    ];
    let trials = trials.into_iter().flatten().collect();
    libtest_mimic::run(&libtest_mimic::Arguments::from_args(), trials).exit_code()
}
