//! Making memory scarce from outside, and observing it. A case can hide frames from the kernel, and can make one request
//! for frames fail. When the kernel refuses a frame, the driver notes whether the free list was empty.

use super::Driver;
use crate::guest::frames::{FRAME_BYTES, Hidden};
use crate::guest::processes::{Slot, State};
use emulator::isa::cause::STORE_PAGE_FAULT;
use emulator::isa::page_table::USER;
use emulator::isa::register::{A0, RA};
use oracle::{Action, Race, RefusedStore};

/// What a case withholds from the kernel.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Scarcity {
    /// Frames that stay hidden until the case gives them back.
    hidden: Option<Hidden>,
    /// Which request for frames from now on fails, counted from 1. 0 means that no failure is planned.
    requests_left: u8,
    /// A request that finds no frame, and is not over yet.
    refusal: Option<Refusal>,
}

/// One request for frames that finds none.
#[derive(Clone, Copy, Debug)]
struct Refusal {
    /// All frames that were free.
    hidden: Hidden,
    /// The address at which the request is over, if the kernel does not report that itself.
    until: Option<u64>,
}

impl Driver {
    /// Frames that should be free once every process of the case is gone.
    pub fn frames_expected_at_end(&self) -> Option<u64> {
        let hidden = self.scarcity.hidden.map_or(0, |hidden| hidden.frames);
        self.guest.at_end.free?.checked_sub(hidden)
    }

    /// Makes memory scarce, or plentiful again. A kernel whose frames cannot be counted is left
    /// alone.
    pub(super) fn leave_frames(&mut self, keep: u64) {
        let Some(accounts) = self.guest.accounts else {
            return;
        };
        // The driver has to see when a kernel with few frames refuses one.
        if !self.guest.requests.are_known() {
            return;
        }
        if let Some(hidden) = self.scarcity.hidden.take() {
            accounts.restore(&mut self.machine, hidden);
        }
        if keep == u64::MAX {
            self.fail_no_frame();
        } else {
            self.scarcity.hidden = accounts.hide(&mut self.machine, &self.free_lists, keep);
        }
    }

    /// Makes the `nth` request for frames from now on fail.
    pub(super) fn fail_frame(&mut self, nth: u8) {
        let Some(asked) = self.guest.requests.asked else {
            return;
        };
        if self.guest.accounts.is_some() {
            self.scarcity.requests_left = nth;
            self.machine.set_breakpoint(asked);
        }
    }

    /// Cancels a failure that is planned.
    pub(super) fn fail_no_frame(&mut self) {
        self.scarcity.requests_left = 0;
        if let Some(asked) = self.guest.requests.asked
            && !self.guest.requests.is_refusal(asked)
        {
            self.machine.clear_breakpoint(asked);
        }
    }

    /// Forgets what was withheld. The caller goes back to the snapshot, in which nothing is hidden.
    pub(super) fn forget_scarcity(&mut self) {
        self.fail_no_frame();
        if let Some(until) = self.scarcity.refusal.and_then(|refusal| refusal.until) {
            self.machine.clear_breakpoint(until);
        }
        self.scarcity = Scarcity::default();
    }

    /// Notes what the kernel does with frames at `pc`, where `hart` is. Returns false if `pc` is not one of the places
    /// where it requests frames, is refused one, or is done with a request.
    pub(super) fn note_frame_request(&mut self, hart: usize, pc: u64) -> bool {
        let requests = self.guest.requests;
        let until = self.scarcity.refusal.and_then(|refusal| refusal.until);
        if until == Some(pc) {
            self.end_refusal();
            return true;
        }
        let asks = requests.asked == Some(pc);
        if asks {
            self.count_request(hart);
        }
        let refused = requests.is_refusal(pc);
        if refused && self.refusal_is_due(hart) {
            self.note_refused_store(hart);
            self.out_of_frames = true;
        }
        if refused && !asks {
            self.end_refusal();
        }
        asks || refused
    }

    /// Notes the process and the number of holders of its page's frame, if `hart` is in the kernel because of a store to
    /// a mapped page. The trap says which process it is: in a race it need not be the one that was last seen on that
    /// hart.
    fn note_refused_store(&mut self, hart: usize) {
        if self.refused_store.is_some_and(|store| store.needs_none()) {
            return;
        }
        let trap = self.machine.last_user_trap(hart);
        let Some(trap) = trap.filter(|trap| trap.cause == STORE_PAGE_FAULT) else {
            return;
        };
        let acts = |slot: &Slot| {
            let entry = self.processes.get(*slot);
            entry.state == State::Acting && entry.satp == trap.satp
        };
        let acting = self.processes.slots().find(acts);
        let Some(process) = acting.and_then(Slot::process) else {
            return;
        };
        let Some((frame, holders)) = self.holders_of(trap.satp, trap.value) else {
            return;
        };
        let mut before = self.holders_before.iter();
        let before = before.find(|(known, _)| *known == frame);
        self.refused_store = Some(RefusedStore {
            process,
            holders_before: before.map_or(holders, |(_, holders)| *holders),
            holders,
        });
    }

    /// The frame that a program's virtual address is mapped to, and the number of its holders.
    fn holders_of(&self, satp: u64, address: u64) -> Option<(u64, u16)> {
        let page = self.machine.translate(satp, address)?;
        let frame = page.physical & !(FRAME_BYTES - 1);
        let holders = self.sharers(frame).filter(|_| page.pte & USER != 0)?;
        Some((frame, holders))
    }

    /// Notes the number of holders of each frame that the programs of a race are about to store to.
    pub(super) fn count_holders(&mut self, race: &Race) {
        for step in &race.steps {
            let Some(slot) = Slot::of(step.process) else {
                continue;
            };
            let satp = self.processes.get(slot).satp;
            for address in stored_pages(&step.action) {
                self.holders_before.extend(self.holders_of(satp, address));
            }
        }
    }

    /// How many of `free` frames are not promised to a program. `None` if the case makes one of the next requests fail.
    pub(super) fn available(&self, free: u64) -> Option<u64> {
        let promised = self.promised_frames().unwrap_or(0);
        (self.scarcity.requests_left == 0).then(|| free.saturating_sub(promised))
    }

    /// Whether fewer frames are free than were requested.
    fn refusal_is_due(&self, hart: usize) -> bool {
        let needed = if self.guest.requests.tell_number {
            self.machine.x(hart, A0)
        } else {
            1
        };
        self.guest
            .accounts
            .is_some_and(|accounts| accounts.fewer_than(&self.machine, needed))
    }

    /// Whether a kernel may run out of frames unseen if `pages` pages are at stake: its frames cannot be counted, or the
    /// driver does not see when it refuses one. A fork that copies, or an `exec`, may need as many again.
    pub(super) fn may_lack_frames(&self, pages: u64) -> bool {
        let frames = self.guest.hardware.memory.value / FRAME_BYTES;
        let is_seen = self.guest.accounts.is_some() && self.guest.requests.are_known();
        !is_seen && pages.saturating_mul(2) >= frames
    }

    fn count_request(&mut self, hart: usize) {
        match self.scarcity.requests_left {
            0 => {}
            1 => {
                self.fail_no_frame();
                self.begin_refusal(hart);
            }
            left => self.scarcity.requests_left = left - 1,
        }
    }

    fn begin_refusal(&mut self, hart: usize) {
        self.end_refusal();
        let Some(accounts) = self.guest.accounts else {
            return;
        };
        let Some(hidden) = accounts.hide(&mut self.machine, &self.free_lists, 0) else {
            return;
        };
        let until = if self.guest.requests.tell_number {
            None
        } else {
            Some(self.machine.x(hart, RA))
        };
        if let Some(until) = until {
            self.machine.set_breakpoint(until);
        }
        self.scarcity.refusal = Some(Refusal { hidden, until });
    }

    /// Gives back what was hidden from one request.
    pub(super) fn end_refusal(&mut self) {
        let Some(refusal) = self.scarcity.refusal.take() else {
            return;
        };
        if let Some(until) = refusal.until {
            self.machine.clear_breakpoint(until);
        }
        if let Some(accounts) = self.guest.accounts {
            accounts.restore(&mut self.machine, refusal.hidden);
        }
    }
}

/// An address in each page to which the program itself stores.
fn stored_pages(action: &Action) -> Vec<u64> {
    let ends = |address: u64, bytes: u64| vec![address, address.wrapping_add(bytes - 1)];
    match *action {
        Action::Store { address, width, .. } => ends(address, width.bytes()),
        // It is shorter than a page.
        Action::StoreString { address, text, .. } => ends(address, text.bytes().len() as u64 + 1),
        Action::Touch {
            address,
            stride,
            count,
            write: true,
        } => {
            let steps = 0..count;
            let places = steps.map(|step| address.wrapping_add(step.wrapping_mul(stride)));
            places.collect()
        }
        Action::Touch { write: false, .. }
        | Action::SystemCall { .. }
        | Action::Load { .. }
        | Action::Fetch { .. }
        | Action::Gather { .. }
        | Action::Disperse { .. }
        | Action::MoveStack(_)
        | Action::Yield
        | Action::LeaveFrames(_)
        | Action::FailFrame(_)
        | Action::LeaveBlocks(_)
        | Action::CutPower(_)
        | Action::Type(_)
        | Action::Vary(_)
        | Action::Nothing => Vec::new(),
    }
}
