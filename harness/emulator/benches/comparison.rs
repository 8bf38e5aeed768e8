//! The same images, in one run, on this machine, on QEMU and on the crate `rvemu`.
//!
//! `cargo bench -p emulator --bench comparison` prints millions of guest instructions a second of
//! processor time. QEMU is left out, visibly, where it is not installed.

#[path = "../tests/support/mod.rs"]
mod support;

mod processor_time;
mod programs;

use emulator::{Config, Coverage, Exit, Machine};
use peers::QEMU;
use programs::{Guest, PROGRAMS, RAM, RAM_BYTES};
use std::fmt::Write as _;
use std::process::Stdio;

/// Guest instructions of a measured run here and on QEMU.
const INSTRUCTIONS: u64 = 300_000_000;
/// QEMU's start takes a tenth of a second or two: a run that is over sooner than this, in seconds,
/// is made longer.
const QEMU_SECONDS: f64 = 1.0;
/// On `rvemu`.
const FEW_INSTRUCTIONS: u64 = 20_000_000;

/// Processor time in seconds of the children that were waited for.
fn children_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux tells a process's time");
    let behind_name = stat.rsplit(')').next().expect("the name is in parentheses");
    let fields: Vec<&str> = behind_name.split_whitespace().collect();
    // cutime and cstime, in hundredths of a second.
    [13, 14]
        .iter()
        .map(|field| fields[*field].parse::<f64>().expect("a number"))
        .sum::<f64>()
        / 100.0
}

/// Instructions of the guest, and seconds it took here.
fn run_here(guest: &Guest) -> (u64, f64) {
    let config = Config {
        ram_bytes: RAM_BYTES,
        coverage: Coverage::All,
        ..Config::default()
    };
    let mut machine =
        Machine::new(&config, &guest.elf(), Vec::new()).expect("the guest is well formed");
    let started = processor_time::now().as_secs_f64();
    let exit = machine.run(20_000_000_000);
    let seconds = processor_time::now().as_secs_f64() - started;
    assert_eq!(exit, Exit::Finished { code: 0 }, "at {:#x}", machine.pc(0));
    (machine.retired(), seconds)
}

/// Seconds on QEMU; `None` if it is not installed.
fn run_qemu(guest: &Guest) -> Option<f64> {
    let mut qemu = QEMU.command().ok()?;
    let path =
        std::env::temp_dir().join(format!("faultline-comparison-{}.elf", std::process::id()));
    std::fs::write(&path, guest.elf()).expect("the temporary folder is writable");
    let started = children_seconds();
    let status = qemu
        .args([
            "-machine",
            "virt",
            "-m",
            "128M",
            "-bios",
            "none",
            "-nodefaults",
            "-display",
            "none",
            "-kernel",
        ])
        .arg(&path)
        .stdin(Stdio::null())
        .status()
        .expect("QEMU was there a moment ago");
    std::fs::remove_file(&path).expect("the file is ours");
    assert!(status.success(), "QEMU: {status}");
    Some(children_seconds() - started)
}

/// Millions of guest instructions a second on QEMU: a long run less a short one, so that neither
/// its start nor the translation of the code counts.
fn qemu_rate(text: &str, per_round: f64, mut instructions: u64) -> Option<f64> {
    let is_measuring = instructions == INSTRUCTIONS;
    loop {
        let rounds = |instructions: u64| (instructions as f64 / per_round) as u64 + 1;
        let (long, short) = (rounds(instructions), rounds(instructions / 10));
        let all = run_qemu(&Guest::new(text, long))?;
        if !is_measuring || all > QEMU_SECONDS {
            let start = run_qemu(&Guest::new(text, short))?;
            return Some((long - short) as f64 * per_round / (all - start) / 1e6);
        }
        instructions *= 4;
    }
}

/// Seconds on `rvemu`; `None` if the guest does not get to its end there.
fn run_rvemu(guest: &Guest, instructions: u64) -> Option<f64> {
    let mut emulator = rvemu::emulator::Emulator::new();
    emulator.initialize_dram(guest.image.clone());
    emulator.initialize_pc(RAM);
    let cpu = &mut emulator.cpu;
    let started = processor_time::now().as_secs_f64();
    for _ in 0..instructions + instructions / 10 {
        if cpu.pc == guest.halt {
            return Some(processor_time::now().as_secs_f64() - started);
        }
        // Its own loop, `Emulator::start`, which has no end.
        cpu.devices_increment();
        if let Some(interrupt) = cpu.check_pending_interrupt() {
            interrupt.take_trap(cpu);
        }
        if let Err(exception) = cpu.execute() {
            exception.take_trap(cpu);
        }
    }
    None
}

fn main() {
    // `cargo test --all-targets` runs this too, and only wants to know that it works.
    let is_measuring = std::env::args().any(|argument| argument == "--bench");
    let scale = if is_measuring { 1 } else { 1000 };
    // `rvemu` leaves files in the folder in which it runs.
    let folder = std::env::temp_dir().join(format!("faultline-comparison-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the temporary folder is writable");
    std::env::set_current_dir(&folder).expect("the folder is ours");
    // `rvemu` writes to the standard output itself, so the table comes at the end.
    let mut table = format!(
        "{:14} {:>10} {:>10} {:>8} {:>10} {:>8}\n",
        "MIPS", "here", "QEMU TCG", "ratio", "rvemu", "ratio"
    );
    for (name, text, cost) in PROGRAMS {
        eprintln!("measuring {name}");
        let rounds = |instructions: u64| (instructions / scale / cost).max(1);
        let (instructions, seconds) = run_here(&Guest::new(text, rounds(INSTRUCTIONS)));
        let here = instructions as f64 / seconds / 1e6;

        let per_round = instructions as f64 / rounds(INSTRUCTIONS) as f64;
        let qemu = qemu_rate(text, per_round, INSTRUCTIONS / scale);

        let few = rounds(FEW_INSTRUCTIONS);
        let few_instructions = few as f64 * per_round;
        let rvemu = run_rvemu(&Guest::new(text, few), few_instructions as u64 + 1_000_000);
        let rvemu = rvemu.map(|seconds| few_instructions / seconds / 1e6);
        let columns = |other: Option<f64>, absent: &str| match other {
            Some(other) => (format!("{other:.0}"), format!("{:.2}", here / other)),
            None => (absent.to_string(), "-".to_string()),
        };
        let (qemu, qemu_ratio) = columns(qemu, "missing");
        let (rvemu, rvemu_ratio) = columns(rvemu, "fails");
        let _ = writeln!(
            table,
            "{name:14} {here:>10.0} {qemu:>10} {qemu_ratio:>8} {rvemu:>10} {rvemu_ratio:>8}"
        );
    }
    std::fs::remove_dir_all(&folder).expect("the folder is ours");
    if is_measuring {
        println!("\n{table}");
    } else {
        println!("every guest ran to its end; `cargo bench` measures them");
    }
}
