//! Patience: how long the driver waits for a hart, and how it knows that it waits in vain.
//!
//! Kernels differ a thousandfold in speed: one prints a line for each system call, another walks a process table of
//! 512 rows. So no number of instructions says that a kernel hangs. A hart that takes longer than our own kernel is
//! *late*, and is observed from then on. It hangs if the whole machine comes back to an earlier state. It also hangs
//! if it has taken a hundred times as long as this kernel takes for the slowest of a few operations, and still makes
//! no visible progress.

use super::{Driver, Pause, pace};
use emulator::Moment;
use emulator::isa::csr;
use oracle::Failure;

/// Instructions after which a step is late, besides those for pages. A step of our own kernel takes a few
/// thousand.
pub(super) const STEP_BUDGET: u64 = 8_000_000;

/// Instructions after which a load, a store or a jump is late: it may need one page, and have to read that from the
/// disk.
pub(super) const ACCESS_BUDGET: u64 = 2_000_000;

/// More instructions for each page at stake. The C kernels fill a page byte by byte, twice when they
/// allocate it and again when they free it: about 40,000.
const PAGE_BUDGET: u64 = 100_000;

/// How many times as long as the slowest measured operation a step may take.
const TIMES_THE_SLOWEST: u64 = 100;

/// Instructions that any step may take on any kernel before it counts as a hang without a proof. The largest hole that
/// a 32-bit argument of `sbrk` makes takes about as many to walk through.
const LEAST_LIMIT: u64 = 8 * STEP_BUDGET;

/// Instructions after which a hart that perhaps has no process to run is checked.
const SHORT_WORK: u64 = 50_000;

/// The longest loop, in instructions, that is recognised by the state that comes back.
const LONGEST_LOOP: u64 = 1_000_000;

/// How often a hart may pass the start of a loop while it goes round.
const MOST_PASSES: u32 = 20_000;

/// How often it may pass there with the same registers.
const MOST_COMPARISONS: u32 = 64;

/// How often a state has to come back. Once does not prove a loop, because the translations that a hart remembers are
/// not part of the state.
const RETURNS: u32 = 3;

/// How many times as long as a step may take until it is late a race may take, if its hang is known.
const AGAIN: u64 = 2;

/// How often the limit is renewed for a hart that makes visible progress.
const MOST_EXTENSIONS: u32 = 64;

/// How long the driver waits in this case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Patience {
    /// Until a hang is proved.
    #[default]
    Proof,
    /// Until a loop is proved, or a step is late: a longer case was proved to hang as this one does.
    Again,
    /// Until a step is late.
    Short,
    /// For so many instructions in each step.
    Within(u64),
    /// As long as it takes to walk through the largest hole that one `sbrk` of 32 bits makes.
    Walk,
    /// As long as it takes, to measure this kernel's speed.
    Measuring,
}

/// The visible progress of the machine.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Signs {
    disk_requests: u16,
    printed: u64,
    pages_written: usize,
    free_frames: Option<u64>,
}

impl Driver {
    /// Grants time for `pages` pages at stake. Granted time stays, because the pages are given back later.
    pub(super) fn grant(&mut self, pages: u64) {
        self.page_budget = self.page_budget.max(pages.saturating_mul(PAGE_BUDGET));
    }

    /// Instructions after which a step is late.
    pub(super) fn budget(&self) -> u64 {
        STEP_BUDGET.saturating_add(self.page_budget)
    }

    /// Sets how long to wait for each step from now on.
    pub(crate) fn set_patience(&mut self, patience: Patience) {
        self.patience = patience;
    }

    /// Whether a step was late since this was last called.
    pub(crate) fn take_late(&mut self) -> bool {
        std::mem::take(&mut self.was_late)
    }

    /// Whether the driver waited no longer for a late step, which proves nothing, since this was last called.
    pub(crate) fn take_given_up(&mut self) -> bool {
        std::mem::take(&mut self.gave_up)
    }

    /// Runs `hart` alone until it stops. It is late after `budget` instructions.
    ///
    /// # Errors
    /// It hangs, or something else went wrong.
    pub(super) fn run_patiently(&mut self, hart: usize, budget: u64) -> Result<Pause, Failure> {
        let begin = self.machine.steps();
        let budget = match self.patience {
            Patience::Within(most) => budget.min(most),
            _ => budget,
        };
        if self.may_be_idle()
            && let Some(pause) = self.look_for_work(hart)?
        {
            return Ok(pause);
        }
        let mut limit = 0;
        let mut extensions = 0;
        let mut before = None;
        loop {
            let spent = self.machine.steps() - begin;
            // Twice as long each time, so that the checks cost little.
            match self.run_hart(hart, budget.max(spent))? {
                Pause::Budget => {}
                pause => return Ok(pause),
            }
            self.was_late = true;
            if matches!(self.patience, Patience::Short | Patience::Within(_)) {
                return Err(self.out_of_budget(hart));
            }
            if let Some(pause) = self.look_for_loop(hart)? {
                return Ok(pause);
            }
            if self.patience == Patience::Again {
                return Err(self.out_of_budget(hart));
            }
            let spent = self.machine.steps() - begin;
            if spent < LEAST_LIMIT || spent < limit {
                continue;
            }
            if self.patience == Patience::Walk {
                self.gave_up = true;
                return Err(self.out_of_budget(hart));
            }
            let signs = self.signs();
            let shows = before.replace(signs).is_none_or(|before| before != signs);
            if limit > 0 && (!shows || extensions == MOST_EXTENSIONS) {
                return Err(self.out_of_budget(hart));
            }
            extensions += 1;
            limit = spent + self.limit();
        }
    }

    /// Runs `hart`, which perhaps has no process to run, until it stops, comes back to the same state, or turns out to
    /// have something to do. `None` if it has something to do.
    fn look_for_work(&mut self, hart: usize) -> Result<Option<Pause>, Failure> {
        match self.run_hart(hart, SHORT_WORK)? {
            Pause::Budget => self.look_for_loop(hart),
            pause => Ok(Some(pause)),
        }
    }

    /// Instructions in which a hart that does not hang makes visible progress.
    fn limit(&self) -> u64 {
        if self.patience == Patience::Measuring {
            return LEAST_LIMIT;
        }
        let pace = self.guest.pace.get_or_init(|| pace::measure(&self.guest));
        (TIMES_THE_SLOWEST * pace.slowest).max(LEAST_LIMIT)
    }

    /// Whether a race that is late, `spent` instructions after its start, hangs. Harts that wait for one another come
    /// back to the same state, in the same `order`.
    pub(super) fn waits_in_vain(
        &mut self,
        spent: u64,
        order: Vec<(usize, bool)>,
        late: &mut LateRace,
    ) -> bool {
        self.was_late = true;
        if matches!(self.patience, Patience::Short | Patience::Within(_)) {
            return true;
        }
        if self.patience == Patience::Walk && spent >= LEAST_LIMIT {
            self.gave_up = true;
            return true;
        }
        late.turns += 1;
        let known = late.known.as_ref();
        if known.is_some_and(|(then, moment)| *then == order && self.machine.is_as_at(moment)) {
            return true;
        }
        if late.turns.is_power_of_two() {
            late.known = Some((order, self.machine.moment()));
        }
        match self.patience {
            Patience::Again => spent >= AGAIN * self.budget(),
            _ => spent >= self.limit(),
        }
    }

    fn signs(&mut self) -> Signs {
        self.drain_console();
        Signs {
            disk_requests: self.machine.disk_requests(),
            printed: self.printed,
            pages_written: self.machine.dirty_pages().count(),
            free_frames: self.free_frames(),
        }
    }

    /// Goes on for as long as a loop may take, and checks whether the machine comes back to its present state. `Some`
    /// if the hart stopped meanwhile.
    ///
    /// # Errors
    /// The state comes back: the kernel hangs. Or something else went wrong.
    fn look_for_loop(&mut self, hart: usize) -> Result<Option<Pause>, Failure> {
        let pc = self.machine.pc(hart);
        if !self.machine.set_breakpoint(pc) {
            // There is a breakpoint at this address for something else.
            return Ok(None);
        }
        self.checkpoint = Some(pc);
        let seen = self.go_round(hart);
        self.checkpoint = None;
        self.machine.clear_breakpoint(pc);
        match seen? {
            Round::ComesBack if self.awaits_tick(hart) => Ok(Some(Pause::Asleep)),
            Round::ComesBack => {
                let traps = self.machine.last_user_trap(hart).is_some();
                let failure = self.out_of_budget(hart);
                if traps {
                    // The program takes the same trap again and again. Where the kernel is now says nothing.
                    self.stack.clear();
                }
                Err(failure)
            }
            Round::GoesOn => Ok(None),
            Round::Stops(pause) => Ok(Some(pause)),
        }
    }

    /// Whether a hart that does nothing new may be waiting for the next tick: no process is known to be runnable, and no
    /// enabled interrupt is pending.
    fn awaits_tick(&self, hart: usize) -> bool {
        let read = |number| self.machine.csr(hart, number).unwrap_or(0);
        self.may_be_idle() && read(csr::SIP) & read(csr::SIE) == 0
    }

    fn go_round(&mut self, hart: usize) -> Result<Round, Failure> {
        let moment = self.machine.moment();
        let begin = self.machine.steps();
        let (mut comparisons, mut returns) = (0, 0);
        for _ in 0..MOST_PASSES {
            let gone = self.machine.steps() - begin;
            if gone >= LONGEST_LOOP || comparisons == MOST_COMPARISONS {
                break;
            }
            match self.run_hart(hart, LONGEST_LOOP - gone)? {
                Pause::Budget => {}
                pause => return Ok(Round::Stops(pause)),
            }
            if self.machine.steps() > begin && self.machine.has_registers_of(&moment) {
                comparisons += 1;
                returns += u32::from(self.machine.is_as_at(&moment));
                match returns {
                    // A trap from now on is part of the loop.
                    1 => self.machine.clear_last_user_trap(hart),
                    RETURNS => return Ok(Round::ComesBack),
                    _ => {}
                }
            }
        }
        Ok(Round::GoesOn)
    }
}

/// What is known of a race that is late.
#[derive(Default)]
pub(super) struct LateRace {
    /// Turns since it became late.
    turns: u32,
    /// The order of the harts and the state of the machine at one of the turns.
    known: Option<(Vec<(usize, bool)>, Moment)>,
}

/// What a hart did while it was observed for as long as a loop may take.
enum Round {
    /// The machine came back to the same state.
    ComesBack,
    /// It does something else each time, or takes longer.
    GoesOn,
    /// The hart stopped.
    Stops(Pause),
}
