//! The interpreter's inner loop: executes blocks one after another until something has to be
//! decided outside.
//!
//! Instructions are counted by the block: a block is entered only if it ends before the limit, and
//! one that is left in the middle gives back what it did not execute.

use super::integer;
use super::{atomic, bulk};
use crate::code::{BlockId, Code, CodeCache, NO_LINK, Operation, Parts, with_pairs};
use crate::coverage::{self, Map};
use crate::hart::{self, Exception, Hart, Outcome, REGISTERS};
use crate::isa::Privilege;
use crate::memory::{Bus, Data, PAGE_MASK, Table};

/// What the inner loop works on.
pub(crate) struct Engine<'a> {
    pub(crate) hart: &'a mut Hart,
    pub(crate) fetch: &'a mut Table,
    pub(crate) data: Data<'a>,
    pub(crate) bus: &'a mut Bus,
    pub(crate) code: &'a mut CodeCache,
    pub(crate) map: &'a mut Map,
}

/// Why the inner loop stopped. `pc` is where execution goes on, and all counts are exact.
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
}

/// How a block was left, if not through the exit of that number.
const INDIRECT: usize = 256;
const FAULT: usize = 257;
const UNSETTLED: usize = 258;
const SYSTEM: usize = 259;
const STOP: usize = 260;

const REGISTER_MASK: usize = REGISTERS - 1;

/// Executes from block `start`, at most `limit` instructions.
pub(crate) fn chain<const COVERAGE: bool>(
    engine: &mut Engine<'_>,
    start: BlockId,
    limit: u64,
) -> Leave {
    let Engine {
        hart,
        fetch,
        data,
        bus,
        code,
        map,
    } = engine;
    let mut left = limit;
    // What was left when the counts were last brought up to date.
    let mut counted = limit;
    let mut id = start;

    macro_rules! count_steps {
        () => {{
            let done = counted - left;
            hart.steps = hart.steps.wrapping_add(done);
            bus.time.steps = bus.time.steps.wrapping_add(done);
            #[allow(unused_assignments)]
            {
                counted = left;
            }
        }};
    }
    macro_rules! leave {
        ($pc:expr, $why:expr) => {{
            hart.pc = $pc;
            count_steps!();
            return $why;
        }};
    }

    let Parts {
        blocks,
        operations,
        marks,
        exits,
        loops,
        places,
    } = code.parts();
    let Map {
        counters, targets, ..
    } = &mut **map;

    loop {
        let block = &blocks[id as usize];
        if u64::from(block.count) > left {
            let address = block.address;
            leave!(address, Leave::Limit);
        }
        left -= u64::from(block.count);
        let mut rest = operations[block.first as usize..].iter();
        let mut target = 0;
        let mut fault = None;

        let way = 'body: {
            let mut op: &Operation;
            macro_rules! advance {
                () => {
                    match rest.next() {
                        Some(next) => op = next,
                        None => unreachable!("a block ends with an operation that leaves it"),
                    }
                };
            }
            macro_rules! x {
                ($register:expr) => {
                    hart.x[usize::from($register) & REGISTER_MASK]
                };
            }
            macro_rules! set {
                ($value:expr) => {{
                    let value = $value;
                    x!(op.rd) = value;
                }};
            }
            // After an access on the slow path: may the block go on?
            macro_rules! check_settled {
                () => {
                    if bus.device_accessed || bus.ram.is_unsettled() {
                        break 'body UNSETTLED;
                    }
                };
            }
            // Before an access on the slow path, which may see the time.
            macro_rules! note_time {
                () => {
                    let place = operations.len() - rest.len() - 1;
                    let ahead = block.count - marks[place].before;
                    bus.uncounted = counted - left - u64::from(ahead);
                };
            }
            macro_rules! load {
                ($bytes:literal, $from:expr) => {{
                    let address = x!(op.rs1).wrapping_add(op.value());
                    let entry = data.read.probe(address);
                    if entry.covers(address, $bytes) {
                        set!($from(bus.ram.load::<$bytes>(entry.offset(address))));
                    } else {
                        note_time!();
                        match bus.load_slow(data, &hart.pmp, address, $bytes) {
                            Ok(value) => set!($from(
                                value.to_le_bytes()[..$bytes]
                                    .try_into()
                                    .unwrap_or([0; $bytes])
                            )),
                            Err(error) => {
                                fault = Some(error);
                                break 'body FAULT;
                            }
                        }
                        check_settled!();
                    }
                }};
            }
            macro_rules! store {
                ($bytes:literal, $kind:ty) => {{
                    let address = x!(op.rs1).wrapping_add(op.value());
                    let value = x!(op.rs2);
                    let entry = data.write.probe(address);
                    if entry.covers(address, $bytes) {
                        let bytes = (value as $kind).to_le_bytes();
                        bus.ram.store::<$bytes>(entry.offset(address), bytes);
                    } else {
                        note_time!();
                        if let Err(error) = bus.store_slow(data, &hart.pmp, address, $bytes, value)
                        {
                            fault = Some(error);
                            break 'body FAULT;
                        }
                        check_settled!();
                    }
                }};
            }
            macro_rules! branch {
                ($relation:tt, $kind:ty) => {{
                    if (x!(op.rs1) as $kind) $relation (x!(op.rs2) as $kind) {
                        break 'body usize::from(op.rd);
                    }
                    if COVERAGE {
                        coverage::count(counters, op.immediate as u16);
                    }
                }};
            }
            /// Defines macros, named like the codes, that execute an operation: one of a register
            /// and the immediate, and one of two registers.
            macro_rules! arithmetic {
                ($($function:ident: $($immediate:ident)? , $($register:ident)?;)*) => {
                    $(
                        $(macro_rules! $immediate {
                            () => { set!(integer::$function(x!(op.rs1), op.value())) };
                        })?
                        $(macro_rules! $register {
                            () => { set!(integer::$function(x!(op.rs1), x!(op.rs2))) };
                        })?
                    )*
                };
            }
            arithmetic! {
                add: Addi, Add;
                subtract: , Sub;
                less: Slti, Slt;
                less_unsigned: Sltiu, Sltu;
                exclusive_or: Xori, Xor;
                or: Ori, Or;
                and: Andi, And;
                shift_left: Slli, Sll;
                shift_right: Srli, Srl;
                shift_right_signed: Srai, Sra;
                add_word: Addiw, Addw;
                subtract_word: , Subw;
                shift_left_word: Slliw, Sllw;
                shift_right_word: Srliw, Srlw;
                shift_right_signed_word: Sraiw, Sraw;
                multiply: , Mul;
                high_signed: , Mulh;
                high_signed_unsigned: , Mulhsu;
                high_unsigned: , Mulhu;
                divide: , Div;
                divide_unsigned: , Divu;
                remainder: , Rem;
                remainder_unsigned: , Remu;
                multiply_word: , Mulw;
                divide_word: , Divw;
                divide_unsigned_word: , Divuw;
                remainder_word: , Remw;
                remainder_unsigned_word: , Remuw;
            }
            /// Defines a macro, named like the code, for each other operation.
            macro_rules! operations {
                ($($name:ident = $execute:expr;)*) => {
                    $(macro_rules! $name {
                        () => { $execute };
                    })*
                };
            }
            operations! {
                Li = set!(op.value());
                Auipc = {
                    let place = u64::from(op.rs1) + 256 * u64::from(op.rs2);
                    set!(block.address.wrapping_add(place).wrapping_add(op.value()))
                };
                Lb = load!(1, |b| i64::from(i8::from_le_bytes(b)) as u64);
                Lh = load!(2, |b| i64::from(i16::from_le_bytes(b)) as u64);
                Lw = load!(4, |b| i64::from(i32::from_le_bytes(b)) as u64);
                Ld = load!(8, u64::from_le_bytes);
                Lbu = load!(1, |b| u64::from(u8::from_le_bytes(b)));
                Lhu = load!(2, |b| u64::from(u16::from_le_bytes(b)));
                Lwu = load!(4, |b| u64::from(u32::from_le_bytes(b)));
                Sb = store!(1, u8);
                Sh = store!(2, u16);
                Sw = store!(4, u32);
                Sd = store!(8, u64);
                Atomic = {
                    if let Err(error) = atomic::execute(hart, data, bus, op.immediate as u32) {
                        fault = Some(error);
                        break 'body FAULT;
                    }
                    check_settled!();
                };
                Beq = branch!(==, u64);
                Bne = branch!(!=, u64);
                Blt = branch!(<, i64);
                Bge = branch!(>=, i64);
                Bltu = branch!(<, u64);
                Bgeu = branch!(>=, u64);
                Jump = {
                    set!(block.address.wrapping_add(u64::from(block.bytes)));
                    break 'body usize::from(op.rs1)
                };
                JumpRegister = {
                    target = x!(op.rs1).wrapping_add(op.value()) & !1;
                    set!(block.address.wrapping_add(u64::from(block.bytes)));
                    break 'body INDIRECT
                };
                Next = break 'body usize::from(op.rs1);
                Hint = {
                    if hart.privilege == Privilege::User {
                        break 'body STOP;
                    }
                    break 'body usize::from(op.rs1)
                };
                System = break 'body SYSTEM;
                Breakpoint = {
                    if hart.passed_breakpoint != Some(block.address) {
                        break 'body STOP;
                    }
                    hart.passed_breakpoint = None;
                };
                Bulk = {
                    let work = &loops[op.immediate as usize];
                    // The block has counted itself already, for the iteration that follows.
                    let most = left / u64::from(block.count);
                    let rounds = bulk::run(work, &mut hart.x, data, &mut bus.ram, most);
                    left -= rounds * u64::from(block.count);
                    if COVERAGE {
                        let exit = &exits[block.exits as usize + usize::from(work.exit)];
                        coverage::count_many(counters, exit.edge, rounds);
                    }
                };
                Spin = break 'body STOP;
                Illegal = break 'body STOP;
            }
            macro_rules! dispatch {
                ($($pair:ident = $first:ident $second:ident;)*) => {
                    dispatch! {
                        single {
                        Addi Slti Sltiu Xori Ori Andi Slli Srli Srai Addiw Slliw Srliw Sraiw
                        Li Auipc
                        Add Sub Sll Slt Sltu Xor Srl Sra Or And Addw Subw Sllw Srlw Sraw
                        Mul Mulh Mulhsu Mulhu Div Divu Rem Remu Mulw Divw Divuw Remw Remuw
                        Lb Lh Lw Ld Lbu Lhu Lwu Sb Sh Sw Sd Atomic
                        Beq Bne Blt Bge Bltu Bgeu Jump JumpRegister
                        Spin Next System Illegal Hint Bulk Breakpoint
                        } pairs {
                        $($pair = $first $second;)*
                        }
                    }
                };
                (single { $($single:ident)* } pairs { $($pair:ident = $first:ident $second:ident;)* }) => {
                    match op.code {
                        $(Code::$single => $single!(),)*
                        $(Code::$pair => {
                            $first!();
                            advance!();
                            $second!()
                        })*
                    }
                };
            }
            loop {
                advance!();
                with_pairs!(dispatch);
            }
        };

        let place = operations.len() - rest.len() - 1;
        let mut way = way;
        if way == SYSTEM {
            let instruction = operations[place];
            let onward = usize::from(instruction.rs1);
            // The instruction sees the counts as they were before it.
            left += 1;
            count_steps!();
            left -= 1;
            let mark = marks[place];
            hart.pc = block.address.wrapping_add(u64::from(mark.offset));
            let behind = block.address.wrapping_add(u64::from(block.bytes));
            match hart::execute(hart, bus, instruction.immediate as u32) {
                Ok(Outcome::Next) => way = onward,
                Ok(Outcome::Fence(_)) if bus.ram.fences.is_idle(data.hart) => way = onward,
                Ok(Outcome::Changed) if !hart.interrupt_ready && !hart.view_changed => {
                    way = onward;
                }
                Ok(Outcome::Jumped) => {
                    let pc = hart.pc;
                    leave!(pc, Leave::System(Outcome::Jumped));
                }
                Ok(outcome) => leave!(behind, Leave::System(outcome)),
                Err(exception) => {
                    let pc = hart.pc;
                    leave!(pc, Leave::Exception(exception))
                }
            }
        }

        if way < INDIRECT {
            let exit = &mut exits[block.exits as usize + way];
            left += u64::from(exit.unused);
            if COVERAGE {
                coverage::count(counters, exit.edge);
            }
            if exit.link != NO_LINK {
                id = exit.link;
                continue;
            }
            let address = block.address.wrapping_add(i64::from(exit.target) as u64);
            let is_local = (address ^ block.address) & !PAGE_MASK == 0;
            let offset = if is_local {
                block.offset & !PAGE_MASK | address & PAGE_MASK
            } else {
                let entry = fetch.probe(address);
                if !entry.covers(address, 2) {
                    leave!(address, Leave::Look);
                }
                let offset = entry.offset(address);
                if let Some(next) = blocks.get(exit.remote as usize)
                    && next.is_at(offset, address)
                {
                    id = exit.remote;
                    continue;
                }
                offset
            };
            let Some(next) = places.find(blocks, offset, address) else {
                leave!(address, Leave::Missing { offset });
            };
            if is_local {
                exit.link = next;
            } else {
                exit.remote = next;
            }
            id = next;
            continue;
        }

        if way == INDIRECT {
            let length = operations[place].rs2;
            let from = block
                .address
                .wrapping_add(u64::from(block.bytes) - u64::from(length));
            if COVERAGE {
                coverage::count(counters, coverage::edge(from, target));
            }
            let offset = if (target ^ block.address) & !PAGE_MASK == 0 {
                block.offset & !PAGE_MASK | target & PAGE_MASK
            } else {
                let entry = fetch.probe(target);
                if !entry.covers(target, 2) {
                    leave!(target, Leave::Look);
                }
                entry.offset(target)
            };
            if let Some(next) = blocks.get(block.indirect as usize)
                && next.is_at(offset, target)
            {
                id = block.indirect;
                continue;
            }
            if COVERAGE {
                targets.name(coverage::edge(from, target), target);
            }
            let Some(next) = places.find(blocks, offset, target) else {
                leave!(target, Leave::Missing { offset });
            };
            blocks[id as usize].indirect = next;
            id = next;
            continue;
        }

        // The block was left in the middle: give back what was not executed.
        let stop = operations[place];
        let resumed = if way == UNSETTLED { place + 1 } else { place };
        let mark = marks[resumed];
        let address = block.address.wrapping_add(u64::from(mark.offset));
        left += u64::from(block.count - mark.before);
        let why = match (way, fault) {
            (UNSETTLED, _) if bus.device_accessed => Leave::Device,
            (UNSETTLED, _) => Leave::Look,
            (_, Some(exception)) => {
                left -= 1;
                Leave::Exception(exception)
            }
            _ => match stop.code {
                Code::Spin => Leave::Spin,
                Code::Hint => Leave::Hint(stop.immediate),
                Code::Breakpoint => Leave::Breakpoint,
                _ => {
                    left -= 1;
                    Leave::Exception(Exception::illegal(stop.immediate as u32))
                }
            },
        };
        leave!(address, why);
    }
}
