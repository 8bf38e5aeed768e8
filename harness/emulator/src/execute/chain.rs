//! The interpreter's inner loop: executes blocks one after another until something has to be
//! decided outside.
//!
//! Instructions are counted by the block: a block is entered only if it ends before the limit, and
//! one that is left in the middle gives back what it did not execute.

use super::atomic;
use super::integer::{
    divide, divide_unsigned, divide_unsigned_word, divide_word, high_signed, high_signed_unsigned,
    high_unsigned, remainder, remainder_unsigned, remainder_unsigned_word, remainder_word, word,
};
use crate::code::{BlockId, Code, CodeCache, NO_LINK};
use crate::coverage::{self, Map};
use crate::hart::{self, Exception, Hart, Outcome, Privilege, REGISTERS};
use crate::memory::{Bus, Data, Fault, PAGE_MASK, Table, View};

/// What the inner loop works on.
pub(crate) struct Engine<'a> {
    pub(crate) hart: &'a mut Hart,
    pub(crate) fetch_view: View,
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
    /// The instruction at `pc` wants a device; its step is not counted.
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

/// How a block was left, if not through one of its two exits, 0 and 1.
const INDIRECT: usize = 2;
const FAULT: usize = 3;
const UNSETTLED: usize = 4;
const SYSTEM: usize = 5;
const STOP: usize = 6;

const REGISTER_MASK: usize = REGISTERS - 1;

/// Executes from block `start`, at most `limit` instructions.
pub(crate) fn chain<const COVERAGE: bool>(
    engine: &mut Engine<'_>,
    start: BlockId,
    limit: u64,
) -> Leave {
    let Engine {
        hart,
        fetch_view,
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

    loop {
        let Some(block) = code.blocks.get(id as usize) else {
            unreachable!("links name blocks of the cache");
        };
        if u64::from(block.count) > left {
            leave!(block.address, Leave::Limit);
        }
        left -= u64::from(block.count);
        let first = block.first as usize;
        let operations = &code.operations[first..first + usize::from(block.length)];
        let mut rest = operations.iter();
        let mut target = 0;
        let mut fault = Fault::Device;

        let way = 'body: {
            for op in rest.by_ref() {
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
                macro_rules! load {
                    ($width:literal, $bytes:ident => $direct:expr, $slow:ident => $extended:expr) => {{
                        let address = x!(op.rs1).wrapping_add(op.value());
                        let entry = data.read.probe(address);
                        if entry.covers(address, $width) {
                            let $bytes = bus.ram.load::<$width>(entry.offset(address));
                            set!($direct);
                        } else {
                            match bus.load_slow(data, &hart.pmp, address, $width) {
                                Ok($slow) => set!($extended),
                                Err(error) => {
                                    fault = error;
                                    break 'body FAULT;
                                }
                            }
                            if bus.ram.is_unsettled() {
                                break 'body UNSETTLED;
                            }
                        }
                    }};
                }
                macro_rules! store {
                    ($width:literal, $kind:ty) => {{
                        let address = x!(op.rs1).wrapping_add(op.value());
                        let value = x!(op.rs2);
                        let entry = data.write.probe(address);
                        if entry.covers(address, $width) {
                            let bytes = (value as $kind).to_le_bytes();
                            bus.ram.store::<$width>(entry.offset(address), bytes);
                        } else {
                            match bus.store_slow(data, &hart.pmp, address, $width, value) {
                                Ok(()) => {}
                                Err(error) => {
                                    fault = error;
                                    break 'body FAULT;
                                }
                            }
                            if bus.ram.is_unsettled() {
                                break 'body UNSETTLED;
                            }
                        }
                    }};
                }
                macro_rules! branch {
                    ($condition:expr) => {
                        break 'body usize::from($condition)
                    };
                }
                match op.code {
                    Code::Addi => set!(x!(op.rs1).wrapping_add(op.value())),
                    Code::Slti => set!(u64::from((x!(op.rs1) as i64) < op.value() as i64)),
                    Code::Sltiu => set!(u64::from(x!(op.rs1) < op.value())),
                    Code::Xori => set!(x!(op.rs1) ^ op.value()),
                    Code::Ori => set!(x!(op.rs1) | op.value()),
                    Code::Andi => set!(x!(op.rs1) & op.value()),
                    Code::Slli => set!(x!(op.rs1) << (op.immediate & 63)),
                    Code::Srli => set!(x!(op.rs1) >> (op.immediate & 63)),
                    Code::Srai => set!((x!(op.rs1) as i64 >> (op.immediate & 63)) as u64),
                    Code::Addiw => {
                        set!(word((x!(op.rs1) as u32).wrapping_add(op.immediate as u32)))
                    }
                    Code::Slliw => set!(word((x!(op.rs1) as u32) << (op.immediate & 31))),
                    Code::Srliw => set!(word(x!(op.rs1) as u32 >> (op.immediate & 31))),
                    Code::Sraiw => {
                        set!(word((x!(op.rs1) as i32 >> (op.immediate & 31)) as u32))
                    }
                    Code::Li => set!(op.value()),
                    Code::Auipc => {
                        let place = u64::from(op.rs1) + 256 * u64::from(op.rs2);
                        set!(block.address.wrapping_add(place).wrapping_add(op.value()))
                    }
                    Code::Add => set!(x!(op.rs1).wrapping_add(x!(op.rs2))),
                    Code::Sub => set!(x!(op.rs1).wrapping_sub(x!(op.rs2))),
                    Code::Sll => set!(x!(op.rs1) << (x!(op.rs2) & 63)),
                    Code::Slt => set!(u64::from((x!(op.rs1) as i64) < x!(op.rs2) as i64)),
                    Code::Sltu => set!(u64::from(x!(op.rs1) < x!(op.rs2))),
                    Code::Xor => set!(x!(op.rs1) ^ x!(op.rs2)),
                    Code::Srl => set!(x!(op.rs1) >> (x!(op.rs2) & 63)),
                    Code::Sra => set!((x!(op.rs1) as i64 >> (x!(op.rs2) & 63)) as u64),
                    Code::Or => set!(x!(op.rs1) | x!(op.rs2)),
                    Code::And => set!(x!(op.rs1) & x!(op.rs2)),
                    Code::Addw => {
                        set!(word((x!(op.rs1) as u32).wrapping_add(x!(op.rs2) as u32)))
                    }
                    Code::Subw => {
                        set!(word((x!(op.rs1) as u32).wrapping_sub(x!(op.rs2) as u32)))
                    }
                    Code::Sllw => set!(word((x!(op.rs1) as u32) << (x!(op.rs2) & 31))),
                    Code::Srlw => set!(word(x!(op.rs1) as u32 >> (x!(op.rs2) & 31))),
                    Code::Sraw => {
                        set!(word((x!(op.rs1) as i32 >> (x!(op.rs2) & 31)) as u32))
                    }
                    Code::Mul => set!(x!(op.rs1).wrapping_mul(x!(op.rs2))),
                    Code::Mulh => set!(high_signed(x!(op.rs1), x!(op.rs2))),
                    Code::Mulhsu => set!(high_signed_unsigned(x!(op.rs1), x!(op.rs2))),
                    Code::Mulhu => set!(high_unsigned(x!(op.rs1), x!(op.rs2))),
                    Code::Div => set!(divide(x!(op.rs1), x!(op.rs2))),
                    Code::Divu => set!(divide_unsigned(x!(op.rs1), x!(op.rs2))),
                    Code::Rem => set!(remainder(x!(op.rs1), x!(op.rs2))),
                    Code::Remu => set!(remainder_unsigned(x!(op.rs1), x!(op.rs2))),
                    Code::Mulw => {
                        set!(word((x!(op.rs1) as u32).wrapping_mul(x!(op.rs2) as u32)))
                    }
                    Code::Divw => set!(divide_word(x!(op.rs1), x!(op.rs2))),
                    Code::Divuw => set!(divide_unsigned_word(x!(op.rs1), x!(op.rs2))),
                    Code::Remw => set!(remainder_word(x!(op.rs1), x!(op.rs2))),
                    Code::Remuw => set!(remainder_unsigned_word(x!(op.rs1), x!(op.rs2))),
                    Code::Lb => {
                        load!(1, b => i64::from(i8::from_le_bytes(b)) as u64, v => i64::from(v as i8) as u64)
                    }
                    Code::Lh => {
                        load!(2, b => i64::from(i16::from_le_bytes(b)) as u64, v => i64::from(v as i16) as u64)
                    }
                    Code::Lw => {
                        load!(4, b => i64::from(i32::from_le_bytes(b)) as u64, v => i64::from(v as i32) as u64)
                    }
                    Code::Ld => load!(8, b => u64::from_le_bytes(b), v => v),
                    Code::Lbu => load!(1, b => u64::from(b[0]), v => v),
                    Code::Lhu => load!(2, b => u64::from(u16::from_le_bytes(b)), v => v),
                    Code::Lwu => load!(4, b => u64::from(u32::from_le_bytes(b)), v => v),
                    Code::Sb => store!(1, u8),
                    Code::Sh => store!(2, u16),
                    Code::Sw => store!(4, u32),
                    Code::Sd => store!(8, u64),
                    Code::Atomic => {
                        if let Err(error) = atomic::execute(hart, data, bus, op.immediate as u32) {
                            fault = error;
                            break 'body FAULT;
                        }
                        if bus.ram.is_unsettled() {
                            break 'body UNSETTLED;
                        }
                    }
                    Code::Beq => branch!(x!(op.rs1) == x!(op.rs2)),
                    Code::Bne => branch!(x!(op.rs1) != x!(op.rs2)),
                    Code::Blt => branch!((x!(op.rs1) as i64) < x!(op.rs2) as i64),
                    Code::Bge => branch!(x!(op.rs1) as i64 >= x!(op.rs2) as i64),
                    Code::Bltu => branch!(x!(op.rs1) < x!(op.rs2)),
                    Code::Bgeu => branch!(x!(op.rs1) >= x!(op.rs2)),
                    Code::Jump => {
                        set!(block.address.wrapping_add(u64::from(block.bytes)));
                        break 'body 1;
                    }
                    Code::JumpRegister => {
                        target = x!(op.rs1).wrapping_add(op.value()) & !1;
                        set!(block.address.wrapping_add(u64::from(block.bytes)));
                        break 'body INDIRECT;
                    }
                    Code::Next => break 'body 0,
                    Code::Hint if hart.privilege != Privilege::User => break 'body 0,
                    Code::System => break 'body SYSTEM,
                    Code::Breakpoint if hart.passed_breakpoint == Some(block.address) => {
                        hart.passed_breakpoint = None;
                    }
                    Code::Spin | Code::Hint | Code::Breakpoint | Code::Illegal => break 'body STOP,
                }
            }
            unreachable!("a block ends with an operation that leaves it")
        };

        let mut way = way;
        if way == SYSTEM {
            let raw = operations[operations.len() - 1].immediate as u32;
            // The instruction sees the counts as they were before it.
            left += 1;
            count_steps!();
            left -= 1;
            let mark = code.mark(first + operations.len() - 1);
            hart.pc = block.address.wrapping_add(u64::from(mark.offset));
            let behind = block.address.wrapping_add(u64::from(block.bytes));
            match hart::execute(hart, bus, raw) {
                Ok(Outcome::Next) => way = 0,
                Ok(Outcome::Fence) if bus.ram.fences.is_idle(data.hart) => way = 0,
                Ok(Outcome::Changed)
                    if !hart.interrupt_ready
                        && hart.data_view() == data.view
                        && hart.fetch_view() == *fetch_view =>
                {
                    way = 0;
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

        if way <= 1 {
            let exit = &block.exits[way];
            if COVERAGE {
                coverage::count(&mut map.counters, exit.edge);
            }
            if exit.link != NO_LINK {
                id = exit.link;
                continue;
            }
            let address = block.address.wrapping_add(i64::from(exit.target) as u64);
            let offset = if exit.is_local {
                block.offset & !PAGE_MASK | address & PAGE_MASK
            } else {
                let entry = fetch.probe(address);
                if !entry.covers(address, 2) {
                    leave!(address, Leave::Look);
                }
                let offset = entry.offset(address);
                if let Some(next) = code.blocks.get(exit.remote as usize)
                    && next.offset == offset
                    && next.address == address
                {
                    id = exit.remote;
                    continue;
                }
                offset
            };
            let Some(next) = code.find(offset, address) else {
                leave!(address, Leave::Missing { offset });
            };
            let exit = &mut code.blocks[id as usize].exits[way];
            if exit.is_local {
                exit.link = next;
            } else {
                exit.remote = next;
            }
            id = next;
            continue;
        }

        if way == INDIRECT {
            if COVERAGE {
                let from = block.address.wrapping_add(u64::from(block.bytes));
                coverage::count(&mut map.counters, coverage::edge(from, target));
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
            if let Some(next) = code.blocks.get(block.indirect as usize)
                && next.offset == offset
                && next.address == target
            {
                id = block.indirect;
                continue;
            }
            if COVERAGE {
                let from = block.address.wrapping_add(u64::from(block.bytes));
                map.name(coverage::edge(from, target), target);
            }
            let Some(next) = code.find(offset, target) else {
                leave!(target, Leave::Missing { offset });
            };
            code.blocks[id as usize].indirect = next;
            id = next;
            continue;
        }

        // The block was left in the middle: give back what was not executed.
        let place = operations.len() - rest.len() - 1;
        let stop = operations[place];
        let place = if way == UNSETTLED { place + 1 } else { place };
        let mark = code.mark(first + place);
        let address = block.address.wrapping_add(u64::from(mark.offset));
        left += u64::from(block.count - mark.before);
        let why = match (way, fault) {
            (UNSETTLED, _) => Leave::Look,
            (FAULT, Fault::Device) => Leave::Device,
            (FAULT, Fault::Exception(exception)) => {
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
