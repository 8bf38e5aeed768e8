//! Finds out what hardware a kernel was written for: it boots the kernel on one machine after another.

use super::BootError;
use super::stage::Stage;
use crate::agent::Agent;
use crate::guest::FIRST_HART;
use crate::guest::hardware::{Seen, Timer};
use crate::guest::location::GuestFiles;
use emulator::isa::csr::{self, environment, interrupt};
use emulator::{Config, DiskFlavour, Machine};

/// Bytes of RAM for a kernel that needs more than xv6's 128 MiB.
const MUCH_MEMORY: u64 = 1 << 30;

/// Boots the kernel with 128 MiB of memory, as xv6 has, or else with more.
pub(super) fn find(
    files: &GuestFiles,
    agent: &Agent,
    disk: &[u8],
    identifier_bits: u32,
) -> Result<(Stage, Seen<DiskFlavour>, Seen<u64>), BootError> {
    let usual = Config {
        identifier_bits,
        ..Config::default()
    };
    let failure = match find_disk(files, agent, disk, &usual) {
        Ok((stage, disk)) => {
            let because = "it boots with this much";
            return Ok((stage, disk, Seen::new(usual.ram_bytes, because)));
        }
        Err(error) if error.is_before_disk() => error,
        Err(error) => return Err(error),
    };
    let larger = Config {
        ram_bytes: MUCH_MEMORY,
        ..usual
    };
    match find_disk(files, agent, disk, &larger) {
        Ok((stage, disk)) => {
            let because = "it boots with this much, but not with 128 MiB";
            Ok((stage, disk, Seen::new(MUCH_MEMORY, because)))
        }
        Err(_) => Err(failure),
    }
}

/// Boots the kernel with a modern disk, or else with a legacy one. xv6 until 2021 needs the legacy disk:
/// with a modern one it panics before it has read a block.
fn find_disk(
    files: &GuestFiles,
    agent: &Agent,
    disk: &[u8],
    board: &Config,
) -> Result<(Stage, Seen<DiskFlavour>), BootError> {
    let boot = |flavour| {
        let board = Config {
            disk: flavour,
            ..board.clone()
        };
        Stage::open(files, agent, disk.to_vec(), board)
    };
    let refusal = match boot(DiskFlavour::Modern) {
        Ok(stage) => {
            let because = "it boots from a disk with the registers of virtio 1.0";
            return Ok((stage, Seen::new(DiskFlavour::Modern, because)));
        }
        Err(error) if error.is_before_disk() => error,
        Err(error) => return Err(error),
    };
    match boot(DiskFlavour::Legacy) {
        Ok(stage) => {
            let because = "it boots from a disk with the registers before virtio 1.0, but not \
                           from one with those of 1.0";
            Ok((stage, Seen::new(DiskFlavour::Legacy, because)))
        }
        Err(error) if error.is_before_disk() => Err(refusal),
        Err(error) => Err(error),
    }
}

/// Which timer the kernel on `machine` has enabled.
pub(super) fn timer(machine: &Machine) -> Seen<Timer> {
    let read = |csr| machine.csr(FIRST_HART, csr).unwrap_or(0);
    let enabled = read(csr::MIE);
    if enabled & interrupt::MACHINE_TIMER != 0 {
        Seen::new(Timer::Clint, "it has enabled the machine's timer interrupt")
    } else if enabled & interrupt::SUPERVISOR_TIMER != 0
        && read(csr::MENVCFG) & environment::SUPERVISOR_TIMER != 0
    {
        Seen::new(
            Timer::Supervisor,
            "it has enabled `stimecmp` and its interrupt",
        )
    } else {
        Seen::new(Timer::None, "it has enabled no timer interrupt")
    }
}
