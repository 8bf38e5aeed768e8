//! Running: whose turn it is, and everything that is decided between blocks.

use crate::code::{BlockId, Known, Source};
use crate::defect::Defect;
use crate::devices::Finish;
use crate::execute::{Interpreter, Leave};
use crate::exit::Exit;
use crate::hart::{Exception, Outcome};
use crate::machine::Machine;
use crate::memory::{Data, PAGE_BYTES, PAGE_MASK, Stop, Tables};

impl Machine {
    /// Runs the harts in turn until something stops them, at most `budget` instructions together.
    ///
    /// Instructions that trap count as well. Running in several portions is the same as running
    /// in one.
    pub fn run(&mut self, budget: u64) -> Exit {
        if let Some(defect) = self.defect {
            return Exit::Defect(defect);
        }
        let end = self.bus.time.steps.saturating_add(budget);
        self.pass_over_breakpoints();
        let mut idle = 0;
        loop {
            let hart = self.turn.hart;
            let left = end.saturating_sub(self.bus.time.steps);
            if self.wake(hart) {
                if left == 0 {
                    return Exit::Budget;
                }
                let before = self.bus.time.steps;
                let limit = if self.harts.len() == 1 {
                    left
                } else {
                    left.min(self.turn.left)
                };
                let exit = self.run_slice(hart, limit);
                self.turn.left = self.turn.left.saturating_sub(self.bus.time.steps - before);
                if exit.is_some() {
                    return exit.unwrap_or(Exit::Budget);
                }
            }
            let state = &self.harts[hart];
            idle = if state.is_waiting || state.is_stuck {
                idle + 1
            } else {
                0
            };
            if state.is_waiting || self.turn.left == 0 {
                self.turn.hart = (hart + 1) % self.harts.len();
                self.turn.left = u64::from(self.config.quantum);
            }
            if idle >= self.harts.len()
                && let Some(exit) = self.rest(0..self.harts.len())
            {
                return exit;
            }
        }
    }

    /// Runs one hart alone for at most `budget` instructions, no matter which hart has the next turn.
    pub fn run_hart(&mut self, hart: usize, budget: u64) -> Exit {
        if let Some(defect) = self.defect {
            return Exit::Defect(defect);
        }
        let end = self.bus.time.steps.saturating_add(budget);
        self.pass_over_breakpoints();
        loop {
            let left = end.saturating_sub(self.bus.time.steps);
            if self.wake(hart) {
                if left == 0 {
                    return Exit::Budget;
                }
                if let Some(exit) = self.run_slice(hart, left) {
                    return exit;
                }
            }
            let state = &self.harts[hart];
            if (state.is_waiting || state.is_stuck)
                && let Some(exit) = self.rest(hart..hart + 1)
            {
                return exit;
            }
        }
    }

    /// If a hart is no longer at a breakpoint, the breakpoint is not passed over.
    fn pass_over_breakpoints(&mut self) {
        for hart in &mut self.harts {
            if hart.passed_breakpoint != Some(hart.pc) {
                hart.passed_breakpoint = None;
            }
        }
    }

    /// Looks whether the hart has something to do.
    fn wake(&mut self, hart: usize) -> bool {
        let state = &mut self.harts[hart];
        state.update_lines(&self.bus);
        state.is_waiting &= !state.is_awakened();
        !state.is_waiting
    }

    /// None of these harts has anything to do: lets time pass to the next timer that would
    /// wake one, or says that there is none.
    fn rest(&mut self, harts: std::ops::Range<usize>) -> Option<Exit> {
        for hart in harts.clone() {
            if self.wake(hart) && !self.harts[hart].is_stuck {
                return None;
            }
        }
        let sleepers = self.harts[harts.clone()]
            .iter()
            .filter(|hart| hart.is_waiting);
        let deadlines = sleepers.flat_map(|hart| hart.deadlines(&self.bus, true));
        let first = deadlines
            .flatten()
            .filter_map(|deadline| self.bus.time.steps_until(deadline))
            // A deadline that is reached now and has not woken its hart is late.
            .filter(|steps| *steps > 0)
            .min();
        if let Some(steps) = first {
            self.bus.time.skip(steps);
            return None;
        }
        let stuck = harts.clone().find(|hart| self.harts[*hart].is_stuck);
        Some(match stuck {
            Some(hart) => Exit::Stuck {
                hart,
                pc: self.harts[hart].pc,
            },
            None => Exit::Idle,
        })
    }

    /// Runs a hart that is awake for at most `limit` steps. `None`: it used them, or sleeps.
    fn run_slice(&mut self, number: usize, limit: u64) -> Option<Exit> {
        self.switch_to(number);
        let end = self.bus.time.steps.saturating_add(limit);
        self.harts[number].is_stuck = false;
        self.harts[number].update_lines(&self.bus);
        let mut timer = self.timer_step(number);
        loop {
            let now = self.bus.time.steps;
            if now >= timer {
                self.harts[number].update_lines(&self.bus);
                timer = self.timer_step(number);
            }
            let hart = &mut self.harts[number];
            if now >= end {
                return None;
            }
            if hart.interrupt_ready {
                self.take_interrupt(number);
                continue;
            }
            let until = end.min(timer) - now;
            match self.enter(number, until) {
                Leave::Limit | Leave::Look | Leave::Missing { .. } => {}
                Leave::Exception(exception) => self.take_exception(number, exception, until),
                Leave::Device => {
                    if let Some(exit) = self.after_device(number) {
                        return Some(exit);
                    }
                    timer = self.timer_step(number);
                }
                Leave::System(outcome) => {
                    self.apply(number, outcome);
                    if outcome == Outcome::Timer {
                        timer = self.timer_step(number);
                    }
                    if self.harts[number].is_waiting {
                        return None;
                    }
                }
                Leave::Hint(code) => {
                    // Time enough passes for its stores to be seen.
                    self.bus.order_stores(number);
                    return Some(Exit::Hint { hart: number, code });
                }
                Leave::Breakpoint => {
                    let hart = &mut self.harts[number];
                    hart.passed_breakpoint = Some(hart.pc);
                    return Some(Exit::Breakpoint {
                        hart: number,
                        pc: hart.pc,
                    });
                }
                Leave::Defect(defect) => return Some(self.stop_for(defect)),
                Leave::Spin => {
                    let left = end.min(timer) - self.bus.time.steps;
                    self.spin(number, left);
                }
            }
        }
    }

    /// Stops the machine for ever.
    fn stop_for(&mut self, defect: Defect) -> Exit {
        assert!(!self.panics_at_defect, "{defect}");
        self.defect = Some(defect);
        Exit::Defect(defect)
    }

    /// The count of steps at which a timer line of the hart rises next.
    fn timer_step(&self, hart: usize) -> u64 {
        let steps = self.harts[hart].steps_to_timer(&self.bus);
        steps.map_or(u64::MAX, |steps| self.bus.time.steps.saturating_add(steps))
    }

    /// The hart executes for `steps` steps an instruction that leaves everything as it is.
    fn spin(&mut self, number: usize, steps: u64) {
        let hart = &mut self.harts[number];
        hart.is_stuck = hart.enabled_interrupts() == 0;
        hart.steps = hart.steps.wrapping_add(steps);
        self.bus.time.steps = self.bus.time.steps.saturating_add(steps);
    }

    fn take_interrupt(&mut self, number: usize) {
        let hart = &mut self.harts[number];
        let from = hart.pc;
        hart.passed_breakpoint = None;
        hart.take_ready_interrupt();
        // A trap takes its turn like an instruction, so that a budget of one is one event.
        hart.trapped = hart.trapped.wrapping_add(1);
        self.count_step(number);
        let hart = &self.harts[number];
        if self.map.counts(hart.privilege) {
            self.map.count(from & PAGE_MASK, hart.pc);
        }
    }

    fn take_exception(&mut self, number: usize, exception: Exception, until: u64) {
        let hart = &mut self.harts[number];
        let changes_nothing = hart.take_exception(exception);
        if self.map.counts(hart.privilege) {
            // The cause stands for the start of the edge: it says more than the instruction's address.
            self.map.count(exception.cause, hart.pc);
        }
        if changes_nothing {
            let steps = until.saturating_sub(1);
            hart.trapped = hart.trapped.wrapping_add(steps);
            self.spin(number, steps);
        }
    }

    /// What is left to do after a SYSTEM instruction.
    fn apply(&mut self, number: usize, outcome: Outcome) {
        let hart = &mut self.harts[number];
        match outcome {
            Outcome::Next | Outcome::Changed | Outcome::FenceStores => {}
            // The hart that runs next must not inherit an unfinished atomic sequence.
            Outcome::Jumped => self.bus.reservations[number] = None,
            Outcome::AddressSpace => {
                // A fence may have to separate two page tables with one identifier.
                self.bus.ram.fences.set_due(number, true);
                if self.config.strict_tlb {
                    self.translations[number].clear();
                }
            }
            Outcome::Protection => self.translations[number].clear(),
            Outcome::Timer => hart.update_lines(&self.bus),
            Outcome::Fence(scope) => {
                let fences = &mut self.bus.ram.fences;
                let is_due = self.translations[number].fence(scope, fences);
                fences.set_due(number, is_due);
                self.bus.kept[number].fence(scope);
            }
            Outcome::FenceCode => self.bus.ram.old_code.fence(number),
            Outcome::Wait => {
                self.bus.order_stores(number);
                hart.update_lines(&self.bus);
                hart.is_waiting = !hart.is_awakened();
            }
        }
    }

    /// Looks at what the device did that was just accessed.
    fn after_device(&mut self, number: usize) -> Option<Exit> {
        self.bus.device_accessed = false;
        self.harts[number].update_lines(&self.bus);
        let code = match self.bus.devices.finisher.take()? {
            Finish::Pass | Finish::Reset => 0,
            Finish::Fail(code) => code.max(1),
        };
        Some(Exit::Finished { code })
    }

    /// Executes blocks from the hart's `pc`, at most `limit` instructions (one or more).
    fn enter(&mut self, number: usize, limit: u64) -> Leave {
        let end = self.bus.time.steps + limit;
        let mut known = None;
        loop {
            self.settle();
            let left = end - self.bus.time.steps;
            match self.execute(number, known, left) {
                Leave::Missing { offset } if !self.bus.ram.is_unsettled() => {
                    let left = end - self.bus.time.steps;
                    if left == 0 {
                        return Leave::Limit;
                    }
                    match self.decode(number, offset, left) {
                        Ok(next) => known = Some(next),
                        Err(stop) => return self.leave_for(number, stop),
                    }
                }
                leave => {
                    self.settle();
                    return leave;
                }
            }
        }
    }

    /// An instruction could not be fetched.
    fn leave_for(&mut self, number: usize, stop: Stop) -> Leave {
        match stop {
            Stop::Exception(exception) => {
                self.count_step(number);
                Leave::Exception(exception)
            }
            Stop::Defect(defect) => Leave::Defect(defect),
        }
    }

    fn count_step(&mut self, number: usize) {
        let hart = &mut self.harts[number];
        hart.steps = hart.steps.wrapping_add(1);
        self.bus.time.steps = self.bus.time.steps.wrapping_add(1);
    }

    /// Decodes the block at the hart's `pc`, whose code is at `offset` in RAM.
    fn decode(&mut self, number: usize, offset: u64, limit: u64) -> Result<BlockId, Stop> {
        let address = self.harts[number].pc;
        let known = self.known_instructions();
        let room = PAGE_BYTES - (offset & PAGE_MASK);
        let bytes = self.bus.ram.present(offset, room)?;
        if room == 2 && bytes[0] & 3 == 3 {
            return self.decode_straddling(number, offset);
        }
        let whole = Source {
            address,
            bytes,
            limit: u64::MAX,
            known,
            breakpoints: &self.breakpoints,
        };
        let count = self.draft.translate(&whole);
        if u64::from(count) > limit {
            let cut = Source { limit, ..whole };
            self.draft.translate(&cut);
            let id = self.code.insert_temporary(&self.draft, address, offset);
            self.bus.ram.note_code(offset, self.draft.bytes());
            return Ok(id);
        }
        self.draft.name_edges(&mut self.map);
        self.bus.ram.note_code(offset, self.draft.bytes());
        Ok(self.code.insert(&self.draft, address, offset))
    }

    fn known_instructions(&self) -> Known {
        Known {
            hints: self.config.hints,
            fences: self.bus.variations.delays_stores,
        }
    }

    /// Decodes an instruction that lies in two pages.
    fn decode_straddling(&mut self, number: usize, offset: u64) -> Result<BlockId, Stop> {
        let hart = &self.harts[number];
        let view = hart.fetch_view;
        let fences = &mut self.bus.ram.fences;
        let (tables, _) = self.translations[number].tables(view, hart.data_view, number, fences);
        let second = hart.pc.wrapping_add(2);
        let second = self
            .bus
            .fetch(number, view, &hart.pmp, tables.fetch, second)?;
        if let Some(known) = self.code.find_straddling(hart.pc, offset, second) {
            return Ok(known);
        }
        let known = self.known_instructions();
        let ram = &mut self.bus.ram;
        let [a, b] = (ram.value(offset, 2)? as u16).to_le_bytes();
        let [c, d] = (ram.value(second, 2)? as u16).to_le_bytes();
        self.draft.translate(&Source {
            address: hart.pc,
            bytes: &[a, b, c, d],
            limit: 1,
            known,
            breakpoints: &self.breakpoints,
        });
        self.draft.name_edges(&mut self.map);
        self.bus.ram.note_code(offset, 2);
        self.bus.ram.note_code(second, 2);
        let draft = &self.draft;
        Ok(self.code.insert_straddling(draft, hart.pc, offset, second))
    }

    /// Executes from block `known`, or else from the hart's `pc`.
    fn execute(&mut self, number: usize, known: Option<BlockId>, limit: u64) -> Leave {
        let hart = &mut self.harts[number];
        let (fetch_view, view) = (hart.fetch_view, hart.data_view);
        hart.view_changed = false;
        let fences = &mut self.bus.ram.fences;
        let (tables, context) = self.translations[number].tables(fetch_view, view, number, fences);
        let Tables {
            fetch,
            read,
            write,
            guarded,
        } = tables;
        let start = match known {
            Some(id) => id,
            None => match self
                .bus
                .fetch(number, fetch_view, &hart.pmp, fetch, hart.pc)
            {
                Ok(offset) => match self.code.find(offset, hart.pc, limit) {
                    Some(id) => id,
                    None => return Leave::Missing { offset },
                },
                Err(stop) => return self.leave_for(number, stop),
            },
        };
        let is_covered = self.map.counts(hart.privilege);
        let mut interpreter = Interpreter {
            hart,
            fetch,
            data: Data {
                view,
                read,
                write,
                guarded,
                hart: number,
                context,
            },
            bus: &mut self.bus,
            code: &mut self.code,
            map: &mut self.map,
        };
        if is_covered {
            interpreter.run::<true>(start, limit)
        } else {
            interpreter.run::<false>(start, limit)
        }
    }

    /// Drops code whose bytes changed, and direct write entries of pages that must be watched.
    pub(crate) fn settle(&mut self) {
        while let Some(page) = self.bus.ram.take_stale_code() {
            self.code.drop_page(page);
            self.other_code.drop_page(page);
        }
        if self.bus.ram.old_code.take_moved() {
            for translations in &mut self.translations {
                translations.tlb.forget_code();
            }
        }
        while let Some((page, writer)) = self.bus.ram.take_newly_guarded() {
            let offset = u64::from(page) * PAGE_BYTES;
            for (hart, translations) in self.translations.iter_mut().enumerate() {
                translations.tlb.forbid_direct_writes(hart, offset, writer);
            }
        }
    }

    /// Another hart runs: stores to what the others have reserved must be noticed.
    fn switch_to(&mut self, number: usize) {
        let last = std::mem::replace(&mut self.turn.running, number);
        if last == number {
            return;
        }
        if self.bus.variations.delays_stores {
            self.bus.switch_stores(last, number);
            self.settle();
        }
        if let Some(offset) = self.bus.reservations[last] {
            self.bus.ram.note_reservation(offset);
            self.settle();
        }
        if let Some(offset) = self.bus.reservations[number] {
            let page = offset & !PAGE_MASK;
            let mut others = self.bus.reservations.iter().enumerate();
            if !others
                .any(|(hart, at)| hart != number && at.is_some_and(|at| at & !PAGE_MASK == page))
            {
                self.bus.ram.drop_reservation(offset);
            }
        }
    }
}
