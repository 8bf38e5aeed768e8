//! The form in which instructions are executed: operations of eight bytes, in blocks.

use super::pairs::with_pairs;

/// Defines the codes: the single ones below, and those of the pairs.
macro_rules! define_codes {
    ($($pair:ident = $first:ident $second:ident;)*) => {
        /// What an operation does. Operands are named in [`Operation`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub(crate) enum Code {
            // Register and immediate.
            Addi,
            Slti,
            Sltiu,
            Xori,
            Ori,
            Andi,
            Slli,
            Srli,
            Srai,
            Addiw,
            Slliw,
            Srliw,
            Sraiw,
            /// `rd` becomes the immediate.
            Li,
            /// `rd` becomes the block's address plus the place `rs1 + 256 * rs2` plus the immediate.
            Auipc,
            // Register and register.
            Add,
            Sub,
            Sll,
            Slt,
            Sltu,
            Xor,
            Srl,
            Sra,
            Or,
            And,
            Addw,
            Subw,
            Sllw,
            Srlw,
            Sraw,
            Mul,
            Mulh,
            Mulhsu,
            Mulhu,
            Div,
            Divu,
            Rem,
            Remu,
            Mulw,
            Divw,
            Divuw,
            Remw,
            Remuw,
            // Memory.
            Lb,
            Lh,
            Lw,
            Ld,
            Lbu,
            Lhu,
            Lwu,
            Sb,
            Sh,
            Sw,
            Sd,
            /// Load-reserved, store-conditional, or another atomic operation: the immediate is the
            /// instruction.
            Atomic,
            // Branches: to exit `rd` of the block, or on to the next operation, which counts the
            // edge whose counter is the immediate.
            Beq,
            Bne,
            Blt,
            Bge,
            Bltu,
            Bgeu,
            // The ends of blocks. Where one goes on to a known place, `rs1` is the exit.
            /// `rd` becomes the address behind the block.
            Jump,
            /// Jump to `rs1` plus the immediate; `rd` becomes the address behind the block. `rs2` is the
            /// length of the instruction.
            JumpRegister,
            /// Jump to itself.
            Spin,
            /// The block ends for want of room.
            Next,
            /// A SYSTEM instruction: the immediate.
            System,
            /// An illegal instruction: the immediate.
            Illegal,
            /// A hint call, with the immediate as its code, if in U-mode.
            Hint,
            /// Executes iterations of the loop that the block is: the one of this number. Not an
            /// instruction of the guest.
            Bulk,
            /// Stops the run, unless it stopped here the last time. Not an instruction of the guest.
            Breakpoint,
            $(
                /// This operation and the next one, which is of the second code.
                $pair,
            )*
        }

        impl Code {
            /// The code for an operation of this code that is followed by one of code `next`.
            pub(super) fn paired_with(self, next: Code) -> Option<Code> {
                match (self, next) {
                    $((Code::$first, Code::$second) => Some(Code::$pair),)*
                    _ => None,
                }
            }
        }
    };
}

with_pairs!(define_codes);

/// One operation. Register numbers are below [`crate::hart::REGISTERS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct Operation {
    pub(crate) code: Code,
    pub(crate) rd: u8,
    pub(crate) rs1: u8,
    pub(crate) rs2: u8,
    pub(crate) immediate: i32,
}

impl Operation {
    /// The immediate, sign-extended.
    #[inline(always)]
    pub(crate) fn value(&self) -> u64 {
        i64::from(self.immediate) as u64
    }
}

const _: () = assert!(size_of::<Operation>() == 8);

/// Where an operation stands in its block: looked at when a block is left in the middle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Bytes from the block's start to the instruction.
    pub(crate) offset: u16,
    /// Instructions of the block before it.
    pub(crate) before: u16,
}

/// No block is linked.
pub(crate) const NO_LINK: u32 = u32::MAX;

/// A way out of a block whose target is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exit {
    /// Bytes from the block's start to the target.
    pub(crate) target: i32,
    /// The block there, if it was found before and lies in the block's own page: such a link needs
    /// no check, for the two die together.
    pub(crate) link: u32,
    /// The block there, if it was found before in another page.
    pub(crate) remote: u32,
    /// The coverage counter of this edge; 0 for none, if it is no edge.
    pub(crate) edge: u16,
    /// Instructions of the block that are not executed if it is left here.
    pub(crate) unused: u16,
}

/// A run of instructions in one page that is entered at its first, and left at its last or by a
/// branch that is taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block {
    /// Virtual address of its first instruction.
    pub(crate) address: u64,
    /// Offset in RAM of its first instruction; [`Block::DEAD`] if it must not be entered.
    pub(crate) offset: u64,
    /// Place of its first operation; the last one leaves the block.
    pub(crate) first: u32,
    /// Place of its first exit.
    pub(crate) exits: u32,
    /// The block that the last indirect jump went to.
    pub(crate) indirect: u32,
    /// Its instructions.
    pub(crate) count: u16,
    /// Its bytes.
    pub(crate) bytes: u16,
}

impl Block {
    /// No instruction lies at an odd offset.
    pub(crate) const DEAD: u64 = 1;

    /// Is this the block at this offset in RAM and this virtual address?
    #[inline(always)]
    pub(crate) fn is_at(&self, offset: u64, address: u64) -> bool {
        self.offset == offset && self.address == address
    }
}
