//! The list of processes that control-P shows on the console: a line for each, and one for each of
//! its regions.
//!
//! It is made in an interrupt while other harts go on. It does not wait for any process, so it may
//! show a process in the middle of a change.

use super::table::all;
use super::{Process, program_image};
use crate::address::Page;
use crate::memory::Access;
use crate::memory::account::View;
use crate::memory::region::{Backing, Kind, Region, Regions};
use crate::print::{self, Output};
use crate::scheduling::State;

/// Prints the list.
pub fn print() {
    print::with_lock(|out| out.text("\n"));
    for process in all().iter().filter(|process| process.pid() != 0) {
        // The lock order has the printer's lock last: first look, then print.
        let shared = process.thread().shared.try_lock();
        let state = shared.map(|shared| shared.state);
        let view = process.account.outline.view();
        let memory = view.and_then(|view| {
            let program = program_image::regions_at(view.image)?;
            Some((view, program))
        });
        print::with_lock(|out| {
            print_process(out, process, state);
            match &memory {
                Some((view, program)) => print_memory(out, view, program),
                None => out.text("\n"),
            }
        });
    }
}

fn print_process(out: &mut Output, process: &Process, state: Option<State>) {
    out.decimal(process.pid().into());
    out.text(match state {
        Some(State::Unused) => " new ",
        Some(State::Sleeping) => " sleeping ",
        Some(State::Runnable) => " runnable ",
        Some(State::Running) => " running ",
        Some(State::Zombie) => " zombie ",
        None => " changing ",
    });
    out.name(&process.name());
    let faults = &process.account.faults;
    let counts = [
        (": faults: load ", faults.traps(Access::Load)),
        (", store ", faults.traps(Access::Store)),
        (", fetch ", faults.traps(Access::Fetch)),
        (", system call ", faults.system_calls()),
    ];
    for (kind, count) in counts {
        out.text(kind);
        out.decimal(count.cast_signed());
    }
}

fn print_memory(out: &mut Output, view: &View, program: &Regions) {
    out.text("; mapped pages ");
    out.decimal(view.mapped_pages.cast_signed());
    out.text("\n");
    let heap_start = program.end();
    let heap_end = Page::at_or_after(view.program_break).max(heap_start);
    let heap = Region::heap(heap_start..heap_end);
    for region in program.iter().chain([&heap]) {
        print_region(out, region);
    }
}

fn print_region(out: &mut Output, region: &Region) {
    out.text(match region.kind {
        Kind::Text => "    text  0x",
        Kind::Data => "    data  0x",
        Kind::Guard => "    guard 0x",
        Kind::Stack => "    stack 0x",
        Kind::Heap => "    heap  0x",
    });
    out.hexadecimal(region.pages.start.start().0);
    out.text("..0x");
    out.hexadecimal(region.pages.end.start().0);
    let flags = [
        (Access::Load, " r", " -"),
        (Access::Store, "w", "-"),
        (Access::Fetch, "x", "-"),
    ];
    for (access, yes, no) in flags {
        let allowed = region.permissions.allow(access);
        out.text(if allowed { yes } else { no });
    }
    out.text(match region.backing {
        Backing::Nothing => " nothing\n",
        Backing::Zeros => " zeros\n",
        Backing::File { .. } => " file, then zeros\n",
    });
}
