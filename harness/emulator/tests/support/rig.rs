//! A machine on the test bench: known state, one instruction at a time, everything observable.

use super::assembler::Program;
use super::elf;
use emulator::{Clock, Config, Exit, Machine};

/// Where RAM starts.
pub const RAM: u64 = 0x8000_0000;
/// Bytes of RAM of a machine on the bench.
pub const RAM_BYTES: u64 = 4 << 20;
/// Where the code under test is.
pub const CODE: u64 = RAM + 0x1000;
/// A page for the code under test to work on.
pub const DATA: u64 = RAM + 0x2000;
/// Where M-mode traps go.
pub const MTVEC: u64 = RAM + 0x3000;
/// Where S-mode traps go.
pub const STVEC: u64 = RAM + 0x4000;
/// Where page tables are built.
pub const TABLES: u64 = RAM + 0x10_0000;

/// Constants that programs and tables may name.
pub const SYMBOLS: [(&str, u64); 6] = [
    ("ram", RAM),
    ("code", CODE),
    ("data", DATA),
    ("mtvec_base", MTVEC),
    ("stvec_base", STVEC),
    ("tables", TABLES),
];

/// The configuration of machines on the bench: small, one hart, time in step with instructions.
pub fn config() -> Config {
    Config {
        ram_bytes: RAM_BYTES,
        clock: Clock::Running {
            instructions_per_tick: 1,
        },
        ..Config::default()
    }
}

/// A machine that runs `text`, assembled at the start of RAM.
pub fn boot(config: &Config, text: &str) -> Machine {
    boot_with_disk(config, text, Vec::new())
}

/// A machine that runs `text`, assembled at the start of RAM, with a disk.
pub fn boot_with_disk(config: &Config, text: &str, disk: Vec<u8>) -> Machine {
    let program = Program::new(RAM, text, &SYMBOLS);
    let file = elf::executable(RAM, &[(RAM, &program.code)]);
    Machine::new(config, &file, disk).expect("a well-formed program is accepted")
}

/// A machine with the code under test at [`CODE`], in M-mode, hart 0 about to execute it, traps
/// going to [`MTVEC`] and [`STVEC`] (two pages full of jumps to self), and no trap delegated.
pub fn bench(config: &Config, text: &str) -> Machine {
    let program = Program::new(CODE, text, &SYMBOLS);
    // Wherever a vector leads, the handler jumps to itself (c.j 0).
    let handlers = [0x01, 0xa0].repeat(0x1000);
    let file = elf::executable(CODE, &[(CODE, &program.code), (MTVEC, &handlers)]);
    let mut machine =
        Machine::new(config, &file, Vec::new()).expect("a well-formed program is accepted");
    machine.set_pc(0, CODE);
    set_csr(&mut machine, "mtvec", MTVEC);
    set_csr(&mut machine, "stvec", STVEC);
    // All of memory open to S and U mode, as every kernel sets it up.
    set_csr(&mut machine, "pmpaddr0", 0x3f_ffff_ffff_ffff);
    set_csr(&mut machine, "pmpcfg0", 0xf);
    machine
}

/// Executes exactly one instruction (or takes one trap) on hart 0.
///
/// An interrupt does not count as an instruction: its handler's first one is executed as well,
/// which is a jump to itself, so that `pc` is the same either way.
pub fn step(machine: &mut Machine) {
    let exit = machine.run(1);
    let pc = machine.pc(0);
    let in_handler = (MTVEC..STVEC + 0x1000).contains(&pc);
    assert!(
        exit == Exit::Budget || in_handler && matches!(exit, Exit::Stuck { .. }),
        "{exit:?} at {pc:#x}"
    );
}

/// Executes until the guest writes to the test finisher, and returns its code.
pub fn run_to_end(machine: &mut Machine, budget: u64) -> u16 {
    match machine.run(budget) {
        Exit::Finished { code } => code,
        other => panic!(
            "{other:?} at {:#x}, retired {}",
            machine.pc(0),
            machine.retired()
        ),
    }
}

/// Reads a CSR of hart 0 by its name.
pub fn csr(machine: &Machine, name: &str) -> u64 {
    let number = super::names::csr(name).unwrap_or_else(|| panic!("no CSR named {name}"));
    machine
        .csr(0, number)
        .unwrap_or_else(|| panic!("the machine has no {name}"))
}

/// Writes a CSR of hart 0 by its name, as M-mode would.
pub fn set_csr(machine: &mut Machine, name: &str, value: u64) {
    let number = super::names::csr(name).unwrap_or_else(|| panic!("no CSR named {name}"));
    machine
        .set_csr(0, number, value)
        .unwrap_or_else(|| panic!("the machine has no writable {name}"));
}

/// Reads an integer register of hart 0 by its name.
pub fn x(machine: &Machine, name: &str) -> u64 {
    let number = super::names::register(name).unwrap_or_else(|| panic!("no register named {name}"));
    machine.x(0, number.into())
}

/// Writes an integer register of hart 0 by its name.
pub fn set_x(machine: &mut Machine, name: &str, value: u64) {
    let number = super::names::register(name).unwrap_or_else(|| panic!("no register named {name}"));
    machine.set_x(0, number.into(), value);
}

/// Eight bytes of RAM.
pub fn read(machine: &Machine, address: u64) -> u64 {
    machine
        .read_u64(address)
        .unwrap_or_else(|| panic!("{address:#x} is not in RAM"))
}

/// Stores eight bytes into RAM.
pub fn write(machine: &mut Machine, address: u64, value: u64) {
    machine
        .write_u64(address, value)
        .unwrap_or_else(|| panic!("{address:#x} is not in RAM"));
}

/// The code that ends a run successfully; uses `t5` and `t6`.
pub const FINISH: &str = "
    li t5, 0x100000
    li t6, 0x5555
    sw t6, 0(t5)
    j 0
";
