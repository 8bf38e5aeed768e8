//! Booting: from a kernel ELF and a file-system image to the snapshot that every case starts from.
//!
//! The agent is stored as `/init`, and under a second name. Its first process becomes the supervisor at its first
//! hint. A fork of the supervisor becomes process `a`, and the snapshot is taken when `a` is at its hint.
//! Then an empty case shows which resources the kernel has at the end of a case.

mod address_space;
mod error;
mod file_system;
mod hardware;
mod progress;
mod resting;
mod spin;
mod stage;
mod variations;

pub use error::BootError;
pub use progress::Progress;

use crate::agent::Agent;
use crate::driver::{Driver, Order, Reaping, Standing};
use crate::guest::hardware::{Hardware, Seen, Turns};
use crate::guest::location::GuestFiles;
use crate::guest::{Guest, Resources};
use emulator::Config;
use file_system::Planted;
use oracle::{Dialect, Process};
use std::sync::Arc;

/// Boots `files` and stops at the start of a case.
///
/// # Errors
/// Says how far the kernel got, and shows its console.
pub fn boot(files: &GuestFiles, dialect: Dialect) -> Result<Arc<Guest>, BootError> {
    boot_with_identifiers(files, dialect, Config::default().identifier_bits)
}

/// The same on a machine whose identifiers of address spaces have so many bits, 0 to 16.
///
/// # Errors
/// Those of [`boot`].
pub fn boot_with_identifiers(
    files: &GuestFiles,
    dialect: Dialect,
    identifier_bits: u32,
) -> Result<Arc<Guest>, BootError> {
    let agent = Agent::assemble();
    let planted = Planted::new(files, &agent)?;
    let (mut stage, disk, memory) =
        hardware::find(files, &agent, planted.bytes(), identifier_bits)?;
    let harts = stage.start_other_harts();
    let hardware = Hardware {
        disk,
        memory,
        timer: hardware::timer(&stage.machine),
        turns: Seen::new(Turns::Timer, Order::InTurn.to_string()),
        variations: variations::asked(&files.kernel, &stage.machine),
        power_cuts: stage.power_cuts(),
        harts,
        sleeps_early: false,
    };
    let mut guest = stage.set(dialect.clone(), planted, hardware)?;
    guest.set_dialect(dialect);
    let mut guest = find_turns(Arc::new(guest));
    if let Some(harts) = only_one_hart(&guest) {
        let hardware = &mut Arc::make_mut(&mut guest).hardware;
        hardware.harts = harts;
        hardware.sleeps_early = true;
    }
    let at_end = calibrate(&guest);
    let calibrated = Arc::make_mut(&mut guest);
    calibrated.at_end = at_end;
    calibrated.setting.most_processes = at_end.forks;
    Ok(guest)
}

/// Finds out how processes get their turns. If some of them have to sleep for that, only one hart is used.
fn find_turns(guest: Arc<Guest>) -> Arc<Guest> {
    let Some(order) = Driver::new(&guest).order_of_turns() else {
        return guest;
    };
    if order == Order::InTurn {
        return guest;
    }
    let mut sleeping = guest.clone();
    let hardware = &mut Arc::make_mut(&mut sleeping).hardware;
    hardware.turns = Seen::new(Turns::Sleep, format!("{order}, so the others sleep"));
    hardware.harts = Seen::new(1, "the scheduler does not take processes in turn");
    if Driver::new(&sleeping).all_come_by_sleep() {
        return sleeping;
    }
    let mut guest = guest;
    let because = format!("{order}, and some processes do not run even while the others sleep");
    Arc::make_mut(&mut guest).hardware.turns = Seen::new(Turns::Timer, because);
    guest
}

/// One hart, if an idle hart slept or rested after the boot but does not always do so.
fn only_one_hart(guest: &Arc<Guest>) -> Option<Seen<usize>> {
    let child = Process::all().nth(1)?;
    let sleeps = || Driver::new(guest).others_sleep(child);
    let awake = guest.hardware.harts.value > 1 && !matches!(sleeps(), Ok(true));
    let because = "an idle hart sleeps (`wfi`) only while there are few processes";
    awake.then(|| Seen::new(1, because))
}

/// Counts the kernel's resources after an empty case.
fn calibrate(guest: &Arc<Guest>) -> Resources {
    let mut driver = Driver::new(guest);
    driver.finish(&[(Process::FIRST, Standing::Ready)], Reaping::Afterwards);
    Resources {
        free: driver.free_frames(),
        promised: driver.promised_frames(),
        forks: driver.count_forks().unwrap_or(None),
    }
}
