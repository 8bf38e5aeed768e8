//! From block to block, until something has to be decided outside.
//!
//! Instructions are counted by the block: a block is entered only if it ends before the limit, and
//! one that is left in the middle gives back what it did not execute.

use super::body::{Body, Early, Way};
use crate::code::{Block, BlockId, CodeCache, Mark, NO_LINK, Operation, Parts};
use crate::coverage::{self, COUNTERS, Map, Targets};
use crate::defect::Defect;
use crate::hart::{self, Exception, Hart, Outcome};
use crate::memory::{Bus, Data, PAGE_MASK, Stop, Table};

/// What the interpreter works on.
pub(crate) struct Interpreter<'a> {
    pub(crate) hart: &'a mut Hart,
    pub(crate) fetch: &'a mut Table,
    pub(crate) data: Data<'a>,
    pub(crate) bus: &'a mut Bus,
    pub(crate) code: &'a mut CodeCache,
    pub(crate) map: &'a mut Map,
}

/// Why the interpreter stopped. `pc` is where execution continues, and all counts are exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leave {
    /// The block at `pc` does not end before the limit.
    Limit,
    /// There is no block for `pc`, whose code is at this offset in RAM.
    Missing {
        /// Offset in RAM.
        offset: u64,
    },
    /// The page of `pc` has to be translated, or code and tables to be settled.
    Look,
    /// The instruction at `pc` trapped; its step is counted.
    Exception(Exception),
    /// The instruction before `pc` accessed a device.
    Device,
    /// A SYSTEM instruction was executed.
    System(Outcome),
    /// A hint call is at `pc`; its step is not counted.
    Hint(i32),
    /// A breakpoint is at `pc`.
    Breakpoint,
    /// The instruction at `pc` jumps to itself; its step is not counted.
    Spin,
    /// The machine has to stop because of a mistake in itself. Neither `pc` nor the counts mean anything.
    Defect(Defect),
}

/// Why no block follows: where execution continues, and the reason to leave.
type NoBlock = (u64, Leave);

impl Interpreter<'_> {
    /// Executes from block `start`, at most `limit` instructions.
    pub(crate) fn run<const COVERAGE: bool>(&mut self, start: BlockId, limit: u64) -> Leave {
        let hart = &mut *self.hart;
        let bus = &mut *self.bus;
        let mut paths = Paths::<COVERAGE> {
            code: self.code.parts(),
            fetch: self.fetch,
            counters: &mut self.map.counters,
            targets: &mut self.map.targets,
        };
        let mut left = limit;
        // What was left when the counts were last brought up to date.
        let mut counted = limit;
        let mut id = start;
        'blocks: loop {
            let Some(block) = paths.code.blocks.get(id as usize) else {
                return Leave::Defect(Defect::new("no such block", id.into()));
            };
            if u64::from(block.count) > left {
                hart.pc = block.address;
                count_steps(hart, bus, counted - left);
                return Leave::Limit;
            }
            let operations = paths.code.operations;
            let Some(rest) = operations.get(block.first as usize..) else {
                return Leave::Defect(Defect::new("a block without operations", id.into()));
            };
            let mut body = Body::<COVERAGE> {
                hart,
                data: &mut self.data,
                bus,
                counters: paths.counters,
                block,
                operations,
                marks: paths.code.marks,
                exits: paths.code.exits,
                loops: paths.code.loops,
                rest: rest.iter(),
                left: left - u64::from(block.count),
                counted,
                target: 0,
                stop: None,
            };
            let way = body.run();
            let place = body.place();
            let (target, stop) = (body.target, body.stop);
            left = body.left;
            let (pc, why) = 'leave: {
                let number = match way {
                    Way::Exit(number) => number,
                    Way::Indirect => match paths.through_register(id, place, target) {
                        Ok(next) => {
                            id = next;
                            continue 'blocks;
                        }
                        Err(none) => break 'leave none,
                    },
                    Way::System => {
                        // The instruction sees the counts as they were before it.
                        count_steps(hart, bus, counted - left - 1);
                        counted = left + 1;
                        hart.pc = block.address_at(paths.code.marks[place]);
                        let end = block.end();
                        match system(hart, bus, self.data.hart, end, operations[place]) {
                            Ok(number) => number,
                            Err(none) => break 'leave none,
                        }
                    }
                    Way::Endless => {
                        let defect = Defect::new("a block has no end", block.address);
                        break 'leave (block.address, Leave::Defect(defect));
                    }
                    Way::Early(early) => {
                        let (marks, operation) = (&paths.code.marks[place..], operations[place]);
                        let (kept, why) = left_early(block, marks, operation, early, stop, bus);
                        left += kept;
                        break 'leave why;
                    }
                };
                match paths.through_exit(id, number, &mut left) {
                    Ok(next) => {
                        id = next;
                        continue 'blocks;
                    }
                    Err(none) => none,
                }
            };
            hart.pc = pc;
            count_steps(hart, bus, counted - left);
            return why;
        }
    }
}

/// Why a block was left in the middle, at the first of these marks, and where execution goes on; with
/// the instructions that it did not execute.
#[inline(never)]
fn left_early(
    block: &Block,
    marks: &[Mark],
    operation: Operation,
    early: Early,
    stop: Option<Stop>,
    bus: &Bus,
) -> (u64, NoBlock) {
    let mut mark = marks[0];
    let why = match early {
        Early::Unsettled => {
            mark = marks[1];
            if bus.device_accessed {
                Leave::Device
            } else {
                Leave::Look
            }
        }
        Early::Stopped => match stop {
            Some(Stop::Exception(exception)) => Leave::Exception(exception),
            Some(Stop::Defect(defect)) => Leave::Defect(defect),
            None => Leave::Defect(Defect::new("a block stopped for no reason", block.address)),
        },
        Early::Illegal => Leave::Exception(Exception::illegal(operation.immediate as u32)),
        Early::Spin => Leave::Spin,
        Early::Hint => Leave::Hint(operation.immediate),
        Early::Breakpoint => Leave::Breakpoint,
    };
    // The instruction that traps has begun.
    let begun = u64::from(matches!(why, Leave::Exception(_)));
    let kept = u64::from(block.count - mark.before) - begun;
    (kept, (block.address_at(mark), why))
}

/// Brings the counts up to date.
#[inline(always)]
fn count_steps(hart: &mut Hart, bus: &mut Bus, done: u64) {
    hart.steps = hart.steps.wrapping_add(done);
    bus.time.steps = bus.time.steps.wrapping_add(done);
}

/// Executes the SYSTEM instruction that ends a block, at `hart.pc`. Returns the exit by which
/// execution goes on, if nothing has to be decided outside.
#[inline(always)]
fn system(
    hart: &mut Hart,
    bus: &mut Bus,
    number: usize,
    end: u64,
    operation: Operation,
) -> Result<u8, NoBlock> {
    let onward = operation.rs1;
    match hart::execute(hart, bus, operation.immediate as u32) {
        Ok(Outcome::Next) => Ok(onward),
        Ok(Outcome::Fence(_)) if bus.ram.fences.is_idle(number) => Ok(onward),
        Ok(Outcome::FenceStores) => {
            bus.order_stores(number);
            Ok(onward)
        }
        Ok(Outcome::FenceCode) if bus.ram.old_code.is_idle(number) => Ok(onward),
        Ok(Outcome::Changed) if !hart.interrupt_ready && !hart.view_changed => Ok(onward),
        Ok(Outcome::Jumped) => Err((hart.pc, Leave::System(Outcome::Jumped))),
        Ok(outcome) => Err((end, Leave::System(outcome))),
        Err(exception) => Err((hart.pc, Leave::Exception(exception))),
    }
}

/// The ways from block to block, and where they are counted.
struct Paths<'a, const COVERAGE: bool> {
    code: Parts<'a>,
    fetch: &'a Table,
    counters: &'a mut [u8; COUNTERS],
    targets: &'a mut Targets,
}

impl<const COVERAGE: bool> Paths<'_, COVERAGE> {
    /// The block after an exit. Gives back to `left` what the block does not execute.
    #[inline(always)]
    fn through_exit(
        &mut self,
        id: BlockId,
        number: u8,
        left: &mut u64,
    ) -> Result<BlockId, NoBlock> {
        let block = &self.code.blocks[id as usize];
        let place = block.exits as usize + usize::from(number);
        let Some(exit) = self.code.exits.get_mut(place) else {
            let defect = Defect::new("no such exit of a block", place as u64);
            return Err((block.address, Leave::Defect(defect)));
        };
        *left += u64::from(exit.unused);
        if COVERAGE {
            coverage::count(self.counters, exit.edge);
        }
        if exit.link != NO_LINK {
            return Ok(exit.link);
        }
        let address = block.address.wrapping_add(i64::from(exit.target) as u64);
        let is_local = block.is_in_page_of(address);
        let offset = offset_of(block, self.fetch, address)?;
        if !is_local
            && let Some(next) = self.code.blocks.get(exit.remote as usize)
            && next.is_at(offset, address)
        {
            return Ok(exit.remote);
        }
        let found = self.code.places.find(self.code.blocks, offset, address);
        let next = found.ok_or((address, Leave::Missing { offset }))?;
        if is_local {
            exit.link = next;
        } else {
            exit.remote = next;
        }
        Ok(next)
    }

    /// The block at an address that a register gave to the jump at `place`.
    #[inline(always)]
    fn through_register(
        &mut self,
        id: BlockId,
        place: usize,
        target: u64,
    ) -> Result<BlockId, NoBlock> {
        let block = &self.code.blocks[id as usize];
        let length = u64::from(self.code.operations[place].rs2);
        let jump = block.end().wrapping_sub(length);
        if COVERAGE {
            coverage::count(self.counters, coverage::edge(jump, target));
        }
        let offset = offset_of(block, self.fetch, target)?;
        if let Some(next) = self.code.blocks.get(block.indirect as usize)
            && next.is_at(offset, target)
        {
            return Ok(block.indirect);
        }
        if COVERAGE {
            self.targets.name(coverage::edge(jump, target), target);
        }
        let found = self.code.places.find(self.code.blocks, offset, target);
        let next = found.ok_or((target, Leave::Missing { offset }))?;
        self.code.blocks[id as usize].indirect = next;
        Ok(next)
    }
}

/// The offset in RAM of the code at `address`, to which a block leads.
#[inline(always)]
fn offset_of(block: &Block, fetch: &Table, address: u64) -> Result<u64, NoBlock> {
    if block.is_in_page_of(address) {
        return Ok(block.offset & !PAGE_MASK | address & PAGE_MASK);
    }
    let entry = fetch.probe(address);
    if entry.covers(address, 2) {
        Ok(entry.offset(address))
    } else {
        Err((address, Leave::Look))
    }
}
