//! The codes of operations: the single ones, and pairs of them that are executed as one.
//!
//! Finding the code for the next operation costs about as much as executing it. A pair is found
//! once: the first operation's code is replaced, the second one stays as it is, so that each can
//! still fault by itself. The pairs come from counting what kernels execute; their order means
//! nothing.

/// Hands the list of codes to the macro `$then`: the single ones, and pairs as
/// `Name = First Second;`. Operands are named in [`super::Operation`].
macro_rules! with_codes {
    ($then:ident) => {
        $then! {
            singles {
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
                // The ends of blocks. If a block continues at a known place, `rs1` is the exit.
                /// `rd` becomes the address after the block.
                Jump,
                /// Jump to `rs1` plus the immediate; `rd` becomes the address after the block. `rs2` is the
                /// length of the instruction.
                JumpRegister,
                /// Jump to itself.
                Spin,
                /// The block ends because it is full.
                Next,
                /// A SYSTEM instruction or a fence of memory: the immediate.
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
            }
            pairs {
                AddiAddi = Addi Addi;
                AddiSd = Addi Sd;
                AddiLd = Addi Ld;
                AddiLw = Addi Lw;
                AddiSw = Addi Sw;
                AddiLbu = Addi Lbu;
                AddiSb = Addi Sb;
                AddiLi = Addi Li;
                AddiAdd = Addi Add;
                AddiSub = Addi Sub;
                AddiAnd = Addi And;
                AddiAndi = Addi Andi;
                AddiSlli = Addi Slli;
                AddiSrli = Addi Srli;
                AddiAddiw = Addi Addiw;
                AddiAuipc = Addi Auipc;
                AddiBeq = Addi Beq;
                AddiBne = Addi Bne;
                AddiBlt = Addi Blt;
                AddiBge = Addi Bge;
                AddiBltu = Addi Bltu;
                AddiBgeu = Addi Bgeu;
                AddiJump = Addi Jump;
                AddiJumpRegister = Addi JumpRegister;
                LdLd = Ld Ld;
                LdLw = Ld Lw;
                LdSd = Ld Sd;
                LdAddi = Ld Addi;
                LdLi = Ld Li;
                LdAdd = Ld Add;
                LdAndi = Ld Andi;
                LdSrli = Ld Srli;
                LdAuipc = Ld Auipc;
                LdBeq = Ld Beq;
                LdBne = Ld Bne;
                LdBltu = Ld Bltu;
                LdBgeu = Ld Bgeu;
                LdJumpRegister = Ld JumpRegister;
                SdSd = Sd Sd;
                SdLd = Sd Ld;
                SdLw = Sd Lw;
                SdSw = Sd Sw;
                SdAddi = Sd Addi;
                SdLi = Sd Li;
                SdAdd = Sd Add;
                SdAuipc = Sd Auipc;
                SdSubw = Sd Subw;
                SdJump = Sd Jump;
                SdBne = Sd Bne;
                AddAddi = Add Addi;
                AddAdd = Add Add;
                AddLd = Add Ld;
                AddLw = Add Lw;
                AddLbu = Add Lbu;
                AddSd = Add Sd;
                AddSw = Add Sw;
                AddSb = Add Sb;
                AddAndi = Add Andi;
                AddSlli = Add Slli;
                AddSrli = Add Srli;
                AddAddiw = Add Addiw;
                AddAuipc = Add Auipc;
                AddBge = Add Bge;
                AddBltu = Add Bltu;
                AddBgeu = Add Bgeu;
                AddBne = Add Bne;
                SlliAdd = Slli Add;
                SlliAddi = Slli Addi;
                SlliSrli = Slli Srli;
                SlliOr = Slli Or;
                SlliAuipc = Slli Auipc;
                SrliAddi = Srli Addi;
                SrliAndi = Srli Andi;
                SrliSrli = Srli Srli;
                SrliSlli = Srli Slli;
                SrliAdd = Srli Add;
                SrliAnd = Srli And;
                AndiSlli = Andi Slli;
                AndiAddi = Andi Addi;
                AndiBeq = Andi Beq;
                AndiBne = Andi Bne;
                LiLi = Li Li;
                LiAdd = Li Add;
                LiAddi = Li Addi;
                LiAnd = Li And;
                LiSlli = Li Slli;
                LiSd = Li Sd;
                LiSw = Li Sw;
                LiAuipc = Li Auipc;
                LiBeq = Li Beq;
                LiBne = Li Bne;
                LiBltu = Li Bltu;
                LiBgeu = Li Bgeu;
                LiBge = Li Bge;
                LiJump = Li Jump;
                LwLw = Lw Lw;
                LwAddi = Lw Addi;
                LwAdd = Lw Add;
                LwAndi = Lw Andi;
                LwAddiw = Lw Addiw;
                LwSubw = Lw Subw;
                LwMulw = Lw Mulw;
                LwSrliw = Lw Srliw;
                LwBeq = Lw Beq;
                LwBne = Lw Bne;
                LwBltu = Lw Bltu;
                LwBgeu = Lw Bgeu;
                SwAddi = Sw Addi;
                SwAdd = Sw Add;
                SwLw = Sw Lw;
                SwSw = Sw Sw;
                SwSd = Sw Sd;
                LbuAddi = Lbu Addi;
                LbuLbu = Lbu Lbu;
                LbuXor = Lbu Xor;
                LbuSb = Lbu Sb;
                LbuBeq = Lbu Beq;
                LbuBne = Lbu Bne;
                SbAddi = Sb Addi;
                SbBne = Sb Bne;
                AddiwAddi = Addiw Addi;
                AddiwAddiw = Addiw Addiw;
                AddiwSlli = Addiw Slli;
                AddiwSw = Addiw Sw;
                AddiwBeq = Addiw Beq;
                AddiwBne = Addiw Bne;
                AddwAddiw = Addw Addiw;
                AddwAddi = Addw Addi;
                SubwLw = Subw Lw;
                MulwAddw = Mulw Addw;
                MulAdd = Mul Add;
                XorAddi = Xor Addi;
                XorAddiw = Xor Addiw;
                XorAndi = Xor Andi;
                XorXor = Xor Xor;
                SrliwXor = Srliw Xor;
                SrliwAddi = Srliw Addi;
                SrliwAndi = Srliw Andi;
                SrlAndi = Srl Andi;
                AndAddi = And Addi;
                AndAdd = And Add;
                AndBeq = And Beq;
                AndBne = And Bne;
                OrOr = Or Or;
                OrAddi = Or Addi;
                OrSd = Or Sd;
                OrBne = Or Bne;
                SubAddi = Sub Addi;
                SubAdd = Sub Add;
                AuipcAddi = Auipc Addi;
                AuipcLd = Auipc Ld;
                AuipcLw = Auipc Lw;
                AuipcSd = Auipc Sd;
                SltuAdd = Sltu Add;
                SltuBeq = Sltu Beq;
                SltuBne = Sltu Bne;
                SltiuBne = Sltiu Bne;
            }
        }
    };
}

/// Defines the codes, and the single ones by themselves.
macro_rules! define_codes {
    (
        singles { $($(#[$about:meta])* $single:ident,)* }
        pairs { $($pair:ident = $first:ident $second:ident;)* }
    ) => {
        /// What an operation does.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub(crate) enum Code {
            $($(#[$about])* $single,)*
            $(
                /// This operation and the next one, which is of the second code.
                $pair,
            )*
        }

        /// What an operation that is not a pair does.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Single {
            $($(#[$about])* $single,)*
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

with_codes!(define_codes);

pub(crate) use with_codes;
