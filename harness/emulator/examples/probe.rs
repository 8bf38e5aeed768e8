//! Runs an ELF file until it stops or its budget is spent, and says how fast that went.
//!
//! `cargo run --release -p emulator --example probe -- KERNEL [--disk IMAGE] [--budget N]
//! [--harts N] [--coverage] [--held] [--legacy] [--strict] [--type TEXT]`
//!
//! With `--held` the guest's clock stands still: each line of TEXT is typed when the guest is idle,
//! and timed by itself.

use emulator::{Clock, Config, Coverage, DiskFlavour, Exit, Machine};
use std::error::Error;
use std::sync::LazyLock;
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut config = Config::default();
    let (mut kernel, mut disk, mut budget) = (None, Vec::new(), 1_000_000_000);
    let mut typed = String::new();
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or("an option lacks its value");
        match argument.as_str() {
            "--disk" => disk = std::fs::read(value()?)?,
            "--budget" => budget = value()?.parse()?,
            "--harts" => config.harts = value()?.parse()?,
            "--type" => typed = value()?.replace("\\n", "\n"),
            "--coverage" => config.coverage = Coverage::All,
            "--held" => config.clock = Clock::Held,
            "--legacy" => config.disk = DiskFlavour::Legacy,
            "--strict" => config.strict_tlb = true,
            _ => kernel = Some(argument),
        }
    }
    let kernel = kernel.ok_or("say which ELF file to run")?;
    let mut machine = Machine::new(&config, &std::fs::read(kernel)?, disk)?;
    let mut input = typed.lines();
    let mut start = seconds();
    let mut counted = 0;
    loop {
        let exit = machine.run(budget - machine.steps().min(budget));
        let seconds = seconds() - start;
        print!("{}", String::from_utf8_lossy(&machine.console_output()));
        let millions = (machine.steps() - counted) as f64 / 1e6;
        println!(
            "\n[{exit:?} at {:#x} after {millions:.1} M instructions in {seconds:.3} s: {:.0} MIPS]",
            machine.pc(0),
            millions / seconds
        );
        let Some(line) = input.next().filter(|_| exit == Exit::Idle) else {
            return Ok(());
        };
        machine.console_input(format!("{line}\n").as_bytes());
        start = self::seconds();
        counted = machine.steps();
    }
}

/// Seconds of processor time spent so far, where Linux tells; else of wall time.
fn seconds() -> f64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let spent = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = spent.and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    nanoseconds.map_or_else(|| START.elapsed().as_secs_f64(), |spent| spent / 1e9)
}
