//! One block: its operations, one after another, until one leaves it.

use super::integer;
use crate::code::{Block, Code, Exit, Loop, Mark, Operation, Single, with_codes};
use crate::coverage::COUNTERS;
use crate::hart::{Hart, REGISTERS};
use crate::memory::{Bus, Data, Stop};
use std::ops::ControlFlow::{self, Break, Continue};

const REGISTER_MASK: usize = REGISTERS - 1;

/// How a block is left. It fits into a register, together with whether the block is left at all.
/// The rest is in the [`Body`].
#[derive(Clone, Copy)]
pub(super) enum Way {
    /// Through its exit of this number.
    Exit(u8),
    /// By a jump to [`Body::target`], which a register gave.
    Indirect,
    /// At the SYSTEM instruction or the fence that ends it, which has not been executed yet.
    System,
    /// In the middle.
    Early(Early),
    /// After its last operation, although one operation must leave it: a mistake of ours.
    Endless,
}

/// Why a block is left before its end.
#[derive(Clone, Copy)]
pub(super) enum Early {
    /// The operation was executed, and something changed by it that has to be settled.
    Unsettled,
    /// The access failed, for the reason in [`Body::stop`].
    Stopped,
    /// The instruction is illegal.
    Illegal,
    /// The instruction jumps to itself.
    Spin,
    /// The instruction is a hint call.
    Hint,
    /// The operation is a breakpoint.
    Breakpoint,
}

/// Whether execution continues with the next operation.
pub(super) type Flow = ControlFlow<Way>;

/// A block that is being executed, and what its operations work on.
pub(super) struct Body<'b, 'd, const COVERAGE: bool> {
    pub(super) hart: &'b mut Hart,
    pub(super) data: &'b mut Data<'d>,
    pub(super) bus: &'b mut Bus,
    pub(super) counters: &'b mut [u8; COUNTERS],
    pub(super) block: &'b Block,
    pub(super) operations: &'b [Operation],
    pub(super) marks: &'b [Mark],
    pub(super) exits: &'b [Exit],
    pub(super) loops: &'b [Loop],
    /// The operations that follow.
    pub(super) rest: std::slice::Iter<'b, Operation>,
    /// Instructions that may still be executed after this block.
    pub(super) left: u64,
    /// What was left when the counts were last brought up to date.
    pub(super) counted: u64,
    /// Where [`Way::Indirect`] leads.
    pub(super) target: u64,
    /// The reason for [`Early::Stopped`].
    pub(super) stop: Option<Stop>,
}

impl<'b, const COVERAGE: bool> Body<'b, '_, COVERAGE> {
    /// Executes operations until one leaves the block.
    #[inline(always)]
    pub(super) fn run(&mut self) -> Way {
        loop {
            if let Break(way) = self.step() {
                return way;
            }
        }
    }

    /// Executes the next operation, or the next two if they are a pair.
    #[inline(always)]
    fn step(&mut self) -> Flow {
        let operation = self.next()?;
        macro_rules! dispatch {
            (
                singles { $($(#[$about:meta])* $single:ident,)* }
                pairs { $($pair:ident = $first:ident $second:ident;)* }
            ) => {
                match operation.code {
                    $(Code::$single => self.execute(Single::$single, operation),)*
                    $(Code::$pair => {
                        self.execute(Single::$first, operation)?;
                        let second = self.next()?;
                        self.execute(Single::$second, second)
                    })*
                }
            };
        }
        with_codes!(dispatch)
    }

    /// The next operation of the block.
    #[inline(always)]
    fn next(&mut self) -> ControlFlow<Way, &'b Operation> {
        match self.rest.next() {
            Some(next) => Continue(next),
            None => Break(Way::Endless),
        }
    }

    /// What each operation does. The compiler knows which operation each copy of this function is
    /// for, so it keeps one line of each copy.
    #[inline(always)]
    fn execute(&mut self, what: Single, op: &Operation) -> Flow {
        match what {
            // Register and immediate.
            Single::Addi => self.immediate(op, integer::add),
            Single::Slti => self.immediate(op, integer::less),
            Single::Sltiu => self.immediate(op, integer::less_unsigned),
            Single::Xori => self.immediate(op, integer::exclusive_or),
            Single::Ori => self.immediate(op, integer::or),
            Single::Andi => self.immediate(op, integer::and),
            Single::Slli => self.immediate(op, integer::shift_left),
            Single::Srli => self.immediate(op, integer::shift_right),
            Single::Srai => self.immediate(op, integer::shift_right_signed),
            Single::Addiw => self.immediate(op, integer::add_word),
            Single::Slliw => self.immediate(op, integer::shift_left_word),
            Single::Srliw => self.immediate(op, integer::shift_right_word),
            Single::Sraiw => self.immediate(op, integer::shift_right_signed_word),
            Single::Li => self.set(op, op.value()),
            Single::Auipc => self.address(op),
            // Register and register.
            Single::Add => self.register(op, integer::add),
            Single::Sub => self.register(op, integer::subtract),
            Single::Sll => self.register(op, integer::shift_left),
            Single::Slt => self.register(op, integer::less),
            Single::Sltu => self.register(op, integer::less_unsigned),
            Single::Xor => self.register(op, integer::exclusive_or),
            Single::Srl => self.register(op, integer::shift_right),
            Single::Sra => self.register(op, integer::shift_right_signed),
            Single::Or => self.register(op, integer::or),
            Single::And => self.register(op, integer::and),
            Single::Addw => self.register(op, integer::add_word),
            Single::Subw => self.register(op, integer::subtract_word),
            Single::Sllw => self.register(op, integer::shift_left_word),
            Single::Srlw => self.register(op, integer::shift_right_word),
            Single::Sraw => self.register(op, integer::shift_right_signed_word),
            Single::Mul => self.register(op, integer::multiply),
            Single::Mulh => self.register(op, integer::high_signed),
            Single::Mulhsu => self.register(op, integer::high_signed_unsigned),
            Single::Mulhu => self.register(op, integer::high_unsigned),
            Single::Div => self.register(op, integer::divide),
            Single::Divu => self.register(op, integer::divide_unsigned),
            Single::Rem => self.register(op, integer::remainder),
            Single::Remu => self.register(op, integer::remainder_unsigned),
            Single::Mulw => self.register(op, integer::multiply_word),
            Single::Divw => self.register(op, integer::divide_word),
            Single::Divuw => self.register(op, integer::divide_unsigned_word),
            Single::Remw => self.register(op, integer::remainder_word),
            Single::Remuw => self.register(op, integer::remainder_unsigned_word),
            // Memory.
            Single::Lb => self.load::<1>(op, |value| i64::from(value as i8) as u64),
            Single::Lh => self.load::<2>(op, |value| i64::from(value as i16) as u64),
            Single::Lw => self.load::<4>(op, |value| i64::from(value as i32) as u64),
            Single::Ld => self.load::<8>(op, |value| value),
            Single::Lbu => self.load::<1>(op, |value| value),
            Single::Lhu => self.load::<2>(op, |value| value),
            Single::Lwu => self.load::<4>(op, |value| value),
            Single::Sb => self.store(op, |value| (value as u8).to_le_bytes()),
            Single::Sh => self.store(op, |value| (value as u16).to_le_bytes()),
            Single::Sw => self.store(op, |value| (value as u32).to_le_bytes()),
            Single::Sd => self.store(op, |value| value.to_le_bytes()),
            Single::Atomic => self.atomic(op),
            // Branches.
            Single::Beq => self.branch(op, |a, b| a == b),
            Single::Bne => self.branch(op, |a, b| a != b),
            Single::Blt => self.branch(op, |a, b| (a as i64) < b as i64),
            Single::Bge => self.branch(op, |a, b| a as i64 >= b as i64),
            Single::Bltu => self.branch(op, |a, b| a < b),
            Single::Bgeu => self.branch(op, |a, b| a >= b),
            // Ends of blocks.
            Single::Jump => self.jump(op),
            Single::JumpRegister => self.jump_register(op),
            Single::Next => Break(Way::Exit(op.rs1)),
            Single::System => Break(Way::System),
            Single::Hint => self.hint(op),
            Single::Spin => Break(Way::Early(Early::Spin)),
            Single::Illegal => Break(Way::Early(Early::Illegal)),
            // What is not an instruction of the guest.
            Single::Bulk => self.bulk(op),
            Single::Breakpoint => self.breakpoint(),
        }
    }

    /// The value of a register.
    #[inline(always)]
    pub(super) fn x(&self, register: u8) -> u64 {
        self.hart.x[usize::from(register) & REGISTER_MASK]
    }

    /// Sets `rd`.
    #[inline(always)]
    pub(super) fn set(&mut self, op: &Operation, value: u64) -> Flow {
        self.hart.x[usize::from(op.rd) & REGISTER_MASK] = value;
        Continue(())
    }

    /// `rd` becomes a function of `rs1` and the immediate.
    #[inline(always)]
    fn immediate(&mut self, op: &Operation, function: impl Fn(u64, u64) -> u64) -> Flow {
        self.set(op, function(self.x(op.rs1), op.value()))
    }

    /// `rd` becomes a function of `rs1` and `rs2`.
    #[inline(always)]
    fn register(&mut self, op: &Operation, function: impl Fn(u64, u64) -> u64) -> Flow {
        self.set(op, function(self.x(op.rs1), self.x(op.rs2)))
    }

    /// `rd` becomes an address relative to the instruction, which the decoder has placed.
    #[inline(always)]
    fn address(&mut self, op: &Operation) -> Flow {
        let place = u64::from(op.rs1) + 256 * u64::from(op.rs2);
        let instruction = self.block.address.wrapping_add(place);
        self.set(op, instruction.wrapping_add(op.value()))
    }

    /// Leaves the block for this reason.
    #[inline(always)]
    pub(super) fn stop_for(&mut self, stop: impl Into<Stop>) -> Flow {
        self.stop = Some(stop.into());
        Break(Way::Early(Early::Stopped))
    }

    /// The place of the operation at work, among those of all blocks.
    #[inline(always)]
    pub(super) fn place(&self) -> usize {
        // If there are no operations, none is at work, and the block is endless.
        (self.operations.len() - self.rest.len()).wrapping_sub(1)
    }
}
