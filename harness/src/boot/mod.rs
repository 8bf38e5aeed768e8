//! Booting: from a kernel ELF and a file-system image to the snapshot that every case starts from.
//!
//! The agent is planted as `/init`, and more than once. When it makes its first hint call it becomes the supervisor;
//! a fork of it becomes process `a`, and with `a` at its hint the snapshot is taken. Then a case in
//! which nothing happens shows what there is when a case has ended.

mod address_space;
mod error;
mod file_system;
mod hardware;
mod progress;
mod spin;
mod stage;

pub use error::BootError;
pub use progress::Progress;

use crate::agent::Agent;
use crate::driver::{Driver, Order, Standing, Vigil};
use crate::guest::hardware::{Hardware, Seen, Turns};
use crate::guest::location::GuestFiles;
use crate::guest::{Guest, Resources};
use file_system::Contents;
use oracle::{Dialect, Process};
use std::sync::Arc;

/// Boots `files` and stops at the start of a case.
///
/// # Errors
/// Says how far the kernel got, and shows its console.
pub fn boot(files: &GuestFiles, dialect: Dialect) -> Result<Arc<Guest>, BootError> {
    let agent = Agent::assemble();
    let image = file_system::planted(files, &agent)?;
    let contents = Contents::of(&image).map_err(BootError::file_system(files))?;
    let (mut stage, disk, memory) = hardware::find(files, &agent, &image.into_bytes())?;
    let harts = stage.start_other_harts();
    let hardware = Hardware {
        disk,
        memory,
        timer: hardware::timer(&stage.machine),
        turns: Seen::new(Turns::Timer, Order::InTurn.to_string()),
        harts,
        sleeps_early: false,
    };
    let mut guest = stage.set(dialect.clone(), contents, hardware)?;
    guest.set_dialect(dialect);
    let mut guest = find_turns(Arc::new(guest));
    if let Some(harts) = awake(&guest) {
        let hardware = &mut Arc::make_mut(&mut guest).hardware;
        hardware.harts = harts;
        hardware.sleeps_early = true;
    }
    let at_end = calibrate(&guest);
    Arc::make_mut(&mut guest).at_end = at_end;
    Ok(guest)
}

/// Finds out how processes get their turns. Where they have to sleep, one hart is used.
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
    hardware.harts = Seen::new(1, "the scheduler has an order of its own");
    if Driver::new(&sleeping).all_come_by_sleep() {
        return sleeping;
    }
    let mut guest = guest;
    let because = format!("{order}, and while the others sleep not all of them come either");
    Arc::make_mut(&mut guest).hardware.turns = Seen::new(Turns::Timer, because);
    guest
}

/// The fact that only one hart can be used, although others slept after the boot.
fn awake(guest: &Arc<Guest>) -> Option<Seen<usize>> {
    let child = Process::all().nth(1)?;
    let sleeps = || Driver::new(guest).others_sleep(child);
    let awake = guest.hardware.harts.value > 1 && !matches!(sleeps(), Ok(true));
    let because = "an idle hart sleeps (`wfi`) only while there are few processes";
    awake.then(|| Seen::new(1, because))
}

/// Counts the kernel's resources after an empty case.
fn calibrate(guest: &Arc<Guest>) -> Resources {
    let mut driver = Driver::new(guest);
    driver.finish(&[(Process::FIRST, Standing::Ready)], Vigil::Awake);
    Resources {
        free: driver.free_frames(),
        promised: driver.promised_frames(),
        forks: driver.count_forks().unwrap_or(None),
    }
}
