//! Random programs: valid and reserved instructions, memory, traps, mode switches.
//!
//! A program is text for the tests' assembler, so that one that differs can be read. Its rules keep
//! it inside what both machines define: forward branches and counted loops only; `s0` and `s1`
//! point into the scratch pages and `s2` counts loops, so none of these is a destination; without
//! translation, memory is reached through `s0` and `s1` only.

use super::random::Random;
use std::fmt;

/// Where and how a program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Machine,
    /// M-mode whose loads and stores are translated as if in U-mode.
    MachineBorrowing,
    Supervisor,
    SupervisorTranslated,
    User,
    UserTranslated,
}

impl Mode {
    const ALL: [Mode; 6] = [
        Mode::Machine,
        Mode::MachineBorrowing,
        Mode::Supervisor,
        Mode::SupervisorTranslated,
        Mode::User,
        Mode::UserTranslated,
    ];

    pub(crate) fn is_translated(self) -> bool {
        matches!(
            self,
            Mode::MachineBorrowing | Mode::SupervisorTranslated | Mode::UserTranslated
        )
    }

    /// `mstatus` with which `mret` enters the program.
    pub(crate) fn status(self) -> u64 {
        match self {
            Mode::Machine => 3 << 11,
            // MPRV; `mret` leaves U-mode in MPP, whose rights are then lent.
            Mode::MachineBorrowing => 3 << 11 | 1 << 17,
            Mode::Supervisor | Mode::SupervisorTranslated => 1 << 11,
            Mode::User | Mode::UserTranslated => 0,
        }
    }
}

/// One random program and the state it starts from.
#[derive(Clone)]
pub(crate) struct Sequence {
    pub(crate) seed: u64,
    pub(crate) mode: Mode,
    pub(crate) text: String,
    pub(crate) instructions: usize,
    pub(crate) registers: [u64; 32],
    pub(crate) page_flags: [u64; 4],
    pub(crate) delegated: u64,
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "seed {:#x}, {:?}, medeleg {:#x}, pages {:x?}",
            self.seed, self.mode, self.delegated, self.page_flags
        )?;
        for (number, value) in self.registers.iter().enumerate().skip(1) {
            write!(f, "x{number}={value:#x} ")?;
        }
        write!(f, "\n{}", self.text)
    }
}

const REGISTER: &[&str] = &[
    "add", "sub", "sll", "slt", "sltu", "xor", "srl", "sra", "or", "and", "addw", "subw", "sllw",
    "srlw", "sraw",
];
const MULTIPLY: &[&str] = &[
    "mul", "mulh", "mulhsu", "mulhu", "div", "divu", "rem", "remu", "mulw", "divw", "divuw",
    "remw", "remuw",
];
const IMMEDIATE: &[&str] = &["addi", "slti", "sltiu", "xori", "ori", "andi", "addiw"];
const SHIFT: &[(&str, u64)] = &[
    ("slli", 64),
    ("srli", 64),
    ("srai", 64),
    ("slliw", 32),
    ("srliw", 32),
    ("sraiw", 32),
];
const LOAD: &[&str] = &["lb", "lh", "lw", "ld", "lbu", "lhu", "lwu"];
const STORE: &[&str] = &["sb", "sh", "sw", "sd"];
const AMO: &[&str] = &[
    "amoswap", "amoadd", "amoxor", "amoand", "amoor", "amomin", "amomax", "amominu", "amomaxu",
];
const BRANCH: &[&str] = &["beq", "bne", "blt", "bge", "bltu", "bgeu"];
const MACHINE_CSR: &[&str] = &["sscratch", "scause", "stval", "mcause", "mtval"];
const SUPERVISOR_CSR: &[&str] = &["sscratch", "scause", "stval"];
/// Bits of `mstatus` that may change under a program: SIE, SPIE, MPIE, SPP, SUM, MXR, TVM, TW, TSR.
const MACHINE_STATUS: u64 = 0x7c_01a2;
/// Of these, what S-mode sees.
const SUPERVISOR_STATUS: u64 = 0xc_0122;

/// The random program of a seed.
pub(crate) fn random(seed: u64) -> Sequence {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    for _ in 0..8 {
        random.next();
    }
    let mode = random.pick(&Mode::ALL);
    let delegated = if random.one_in(2) {
        random.next() & 0xb3f6
    } else {
        0
    };
    let mut writer = Writer {
        random,
        mode,
        text: String::new(),
        label: 0,
        pending: Vec::new(),
        instructions: 0,
    };
    writer.program();
    let Writer {
        mut random,
        text,
        instructions,
        ..
    } = writer;
    let registers = std::array::from_fn(|_| random.value());
    let page_flags = std::array::from_fn(|page| {
        let likely = [0xd7, 0xd7, 0x07, 0x1f][page];
        match random.below(4) {
            // The page of the mode that uses it, most of the time.
            0 | 1 if matches!(mode, Mode::UserTranslated | Mode::MachineBorrowing) => likely | 0x10,
            0 | 1 => likely & !0x10,
            2 => likely & !0xc0,
            _ => random.below(256),
        }
    });
    Sequence {
        seed,
        mode,
        text,
        instructions,
        registers,
        page_flags,
        delegated,
    }
}

/// Writes one program.
struct Writer {
    random: Random,
    mode: Mode,
    text: String,
    label: usize,
    /// Labels to be placed, after how many more instructions.
    pending: Vec<(usize, usize)>,
    instructions: usize,
}

impl Writer {
    fn program(&mut self) {
        let length = 20 + self.random.below(80) as usize;
        while self.instructions < length {
            self.instruction();
        }
        self.settle();
    }

    fn line(&mut self, line: &str) {
        self.text += line;
        self.text.push('\n');
        self.instructions += 1;
        let mut placed = String::new();
        self.pending.retain_mut(|(label, left)| {
            *left -= 1;
            if *left == 0 {
                placed += &format!("f{label}:\n");
            }
            *left > 0
        });
        self.text += &placed;
    }

    /// Places all labels that wait: nothing may jump into the middle of what follows.
    fn settle(&mut self) {
        for (label, _) in std::mem::take(&mut self.pending) {
            self.text += &format!("f{label}:\n");
        }
    }

    fn source(&mut self) -> String {
        format!("x{}", self.random.below(32))
    }

    /// Any register but the bases and the loop counter.
    fn destination(&mut self) -> String {
        loop {
            let number = self.random.below(32);
            if !matches!(number, 8 | 9 | 18) {
                return format!("x{number}");
            }
        }
    }

    /// One of x10..x15, for compressed instructions.
    fn small_destination(&mut self) -> String {
        format!("x{}", 10 + self.random.below(6))
    }

    fn small_source(&mut self) -> String {
        format!("x{}", 8 + self.random.below(8))
    }

    fn base(&mut self) -> &'static str {
        self.random.pick(&["s0", "s1"])
    }

    fn immediate(&mut self) -> i64 {
        match self.random.below(4) {
            0 => self.random.pick(&[0, 1, -1, 2047, -2048, 8, -8]),
            _ => self.random.below(4096) as i64 - 2048,
        }
    }

    /// An offset within the scratch pages, mostly aligned to eight bytes.
    fn offset(&mut self) -> i64 {
        match self.random.below(4) {
            0 => self.random.below(4096) as i64 - 2048,
            // Around the border of the two pages.
            1 => self.random.below(16) as i64 - 8,
            _ => (self.random.below(512) as i64 - 256) * 8,
        }
    }

    /// A label that will stand after one of the next few instructions.
    fn forward(&mut self) -> String {
        let label = self.label;
        self.label += 1;
        self.pending
            .push((label, 2 + self.random.below(4) as usize));
        format!("f{label}")
    }

    fn instruction(&mut self) {
        match self.random.below(100) {
            0..10 => self.common_instructions(),
            10..20 => self.register_instruction(REGISTER),
            20..28 => self.register_instruction(MULTIPLY),
            28..38 => self.immediate_instruction(),
            38..42 => self.upper_instruction(),
            42..58 => self.memory_instruction(),
            58..63 => self.atomic_instruction(),
            63..71 => self.branch_instruction(),
            71..83 => self.compressed_instruction(),
            83..88 => self.csr_instruction(),
            88..90 => self.loop_instructions(),
            90..92 => self.reserved_instruction(),
            92..94 => self.line_of(&[
                "ecall", "ebreak", "fence", "c.ebreak", "c.nop", "fence.i", "nop",
            ]),
            94..96 => self.mode_switch(),
            96..98 => self.wild_access(),
            _ => {
                let (to, value) = (self.destination(), self.random.value());
                self.line(&format!("li {to}, {value:#x}"));
            }
        }
    }

    /// A run of what compiled code is made of, on few registers, so that one uses the other's.
    fn common_instructions(&mut self) {
        for _ in 0..2 + self.random.below(5) {
            let register = |random: &mut Random| random.pick(&["x10", "x11", "x12", "x15"]);
            let (to, from) = (register(&mut self.random), register(&mut self.random));
            let (other, small) = (
                register(&mut self.random),
                self.random.below(64) as i64 - 32,
            );
            let (base, offset) = (self.base(), self.random.below(64) * 8);
            let line = match self.random.below(20) {
                0..4 => format!("addi {to}, {from}, {small}"),
                4 => format!("addi {to}, zero, {small}"),
                5..7 => format!("ld {to}, {offset}({base})"),
                7..9 => format!("sd {from}, {offset}({base})"),
                9 => format!("lw {to}, {offset}({base})"),
                10 => format!("sw {from}, {offset}({base})"),
                11 => format!("lbu {to}, {offset}({base})"),
                12 => format!("sb {from}, {offset}({base})"),
                13 => format!("addiw {to}, {from}, {small}"),
                14 => format!("auipc {to}, {}", small & 15),
                15 => format!("andi {to}, {from}, {small}"),
                16 => {
                    let name = self.random.pick(&["slli", "srli"]);
                    format!("{name} {to}, {from}, {}", small & 63)
                }
                17 => {
                    let (name, target) = (self.random.pick(BRANCH), self.forward());
                    format!("{name} {from}, {other}, {target}")
                }
                _ => {
                    let names = &[
                        "add", "sub", "xor", "or", "and", "sltu", "addw", "subw", "mulw",
                    ];
                    let name = self.random.pick(names);
                    format!("{name} {to}, {from}, {other}")
                }
            };
            self.line(&line);
        }
    }

    fn line_of(&mut self, lines: &[&str]) {
        let line = self.random.pick(lines);
        self.line(line);
    }

    fn register_instruction(&mut self, names: &[&str]) {
        let (name, to, first, second) = (
            self.random.pick(names),
            self.destination(),
            self.source(),
            self.source(),
        );
        self.line(&format!("{name} {to}, {first}, {second}"));
    }

    fn immediate_instruction(&mut self) {
        let (to, from) = (self.destination(), self.source());
        if self.random.one_in(2) {
            let (name, bits) = self.random.pick(SHIFT);
            let amount = self.random.below(bits);
            self.line(&format!("{name} {to}, {from}, {amount}"));
        } else {
            let (name, immediate) = (self.random.pick(IMMEDIATE), self.immediate());
            self.line(&format!("{name} {to}, {from}, {immediate}"));
        }
    }

    fn upper_instruction(&mut self) {
        let (to, upper) = (self.destination(), self.random.below(1 << 20));
        let name = self.random.pick(&["lui", "auipc"]);
        self.line(&format!("{name} {to}, {upper:#x}"));
    }

    fn memory_instruction(&mut self) {
        let (base, offset) = (self.base(), self.offset());
        if self.random.one_in(2) {
            let (name, to) = (self.random.pick(LOAD), self.destination());
            self.line(&format!("{name} {to}, {offset}({base})"));
        } else {
            let (name, from) = (self.random.pick(STORE), self.source());
            self.line(&format!("{name} {from}, {offset}({base})"));
        }
    }

    fn atomic_instruction(&mut self) {
        self.settle();
        let width = self.random.pick(&["w", "d"]);
        let ordering = self.random.pick(&["", ".aq", ".rl", ".aqrl"]);
        let (to, from) = (self.destination(), self.source());
        if self.random.one_in(4) && !self.mode.is_translated() {
            // A reservation and its use, with something harmless between.
            let base = self.base();
            self.line(&format!("lr.{width}{ordering} {to}, ({base})"));
            if self.random.one_in(2) {
                self.register_instruction(REGISTER);
            }
            let result = self.destination();
            self.line(&format!("sc.{width}{ordering} {result}, {from}, ({base})"));
            return;
        }
        let (base, offset, name) = (self.base(), self.offset(), self.random.pick(AMO));
        let address = self.small_destination();
        self.line(&format!("addi {address}, {base}, {offset}"));
        self.line(&format!(
            "{name}.{width}{ordering} {to}, {from}, ({address})"
        ));
    }

    fn branch_instruction(&mut self) {
        match self.random.below(8) {
            0 => {
                let (to, target) = (self.destination(), self.forward());
                self.line(&format!("jal {to}, {target}"));
            }
            1 => {
                // The target is some instructions of four bytes after the jump.
                self.settle();
                let (to, through) = (self.destination(), self.small_destination());
                let skipped = self.random.below(3);
                self.line(&format!("auipc {through}, 0"));
                self.line(&format!(
                    "jalr {to}, {through}, {}",
                    8 + 4 * skipped + self.random.0 % 2
                ));
                for _ in 0..skipped {
                    self.register_instruction(REGISTER);
                }
            }
            2 => {
                let (from, target) = (self.small_source(), self.forward());
                let name = self.random.pick(&["c.beqz", "c.bnez"]);
                self.line(&format!("{name} {from}, {target}"));
            }
            3 => {
                let target = self.forward();
                self.line(&format!("c.j {target}"));
            }
            _ => {
                let (name, first, second) =
                    (self.random.pick(BRANCH), self.source(), self.source());
                let target = self.forward();
                self.line(&format!("{name} {first}, {second}, {target}"));
            }
        }
    }

    fn compressed_instruction(&mut self) {
        let (small, other) = (self.small_destination(), self.small_source());
        let signed = self.random.below(64) as i64 - 32;
        let amount = 1 + self.random.below(63);
        let upper = [1 + self.random.below(31), 0xf_ffe0 + self.random.below(32)]
            [self.random.below(2) as usize];
        let (full, from) = loop {
            let (full, from) = (self.destination(), self.source());
            // x0 is a hint in some forms, and sp another instruction in one.
            if full != "x0" && full != "x2" && from != "x0" {
                break (full, from);
            }
        };
        let base = self.base();
        let (word, double) = (4 * self.random.below(32), 8 * self.random.below(32));
        let line = match self.random.below(26) {
            0 => format!("c.addi4spn {small}, sp, {}", 4 + 4 * self.random.below(255)),
            1 => format!("c.addi {full}, {signed}"),
            2 => format!("c.addiw {full}, {signed}"),
            3 => format!("c.li {full}, {signed}"),
            4 => format!("c.lui {full}, {upper}"),
            5 => format!("c.srli {small}, {amount}"),
            6 => format!("c.srai {small}, {amount}"),
            7 => format!("c.andi {small}, {signed}"),
            8 => format!("c.sub {small}, {other}"),
            9 => format!("c.xor {small}, {other}"),
            10 => format!("c.or {small}, {other}"),
            11 => format!("c.and {small}, {other}"),
            12 => format!("c.subw {small}, {other}"),
            13 => format!("c.addw {small}, {other}"),
            14 => format!("c.slli {full}, {amount}"),
            15 => format!("c.mv {full}, {from}"),
            16 => format!("c.add {full}, {from}"),
            17 => format!("c.lw {small}, {word}({base})"),
            18 => format!("c.ld {small}, {double}({base})"),
            19 => format!("c.sw {other}, {word}({base})"),
            20 => format!("c.sd {other}, {double}({base})"),
            21 => format!("c.addi16sp sp, {}", 16 * (1 + self.random.below(31))),
            stack => {
                self.settle();
                self.line(&format!("c.mv sp, {base}"));
                match stack {
                    22 => format!("c.lwsp {full}, {}(sp)", 4 * self.random.below(64)),
                    23 => format!("c.ldsp {full}, {}(sp)", 8 * self.random.below(64)),
                    24 => format!("c.swsp {from}, {}(sp)", 4 * self.random.below(64)),
                    _ => format!("c.sdsp {from}, {}(sp)", 8 * self.random.below(64)),
                }
            }
        };
        self.line(&line);
    }

    fn csr_instruction(&mut self) {
        let is_machine = matches!(self.mode, Mode::Machine | Mode::MachineBorrowing);
        let (to, from) = (self.destination(), self.source());
        if self.random.one_in(3) {
            // Of the status, only the bits on which both machines agree.
            self.settle();
            let (csr, mask) = if is_machine {
                ("mstatus", MACHINE_STATUS)
            } else {
                ("sstatus", SUPERVISOR_STATUS)
            };
            let (through, bits) = (self.small_destination(), self.random.next() & mask);
            let name = self.random.pick(&["csrrs", "csrrc"]);
            self.line(&format!("li {through}, {bits:#x}"));
            self.line(&format!("{name} {to}, {csr}, {through}"));
            return;
        }
        let is_foreign = !is_machine && self.random.one_in(8);
        let csrs = if is_machine || is_foreign {
            MACHINE_CSR
        } else {
            SUPERVISOR_CSR
        };
        let csr = self.random.pick(csrs);
        let name = self.random.pick(&["csrrw", "csrrs", "csrrc"]);
        match self.random.below(4) {
            0 => {
                let bits = self.random.below(32);
                self.line(&format!("{name}i {to}, {csr}, {bits}"));
            }
            1 => {
                // What exists, what does not, and what is not allowed: `cycle` is disabled below M-mode.
                let csr = self
                    .random
                    .pick(&["satp", "0x5c0", "cycle", "mhartid", "medeleg", "stvec"]);
                let csr = if csr == "cycle" && is_machine {
                    "satp"
                } else {
                    csr
                };
                self.line(&format!("csrrs {to}, {csr}, zero"));
            }
            2 => {
                // Even values only: QEMU 7.2 keeps the lowest bit, against the specification.
                let csr = self.random.pick(if is_machine {
                    &["mepc", "sepc"]
                } else {
                    &["sepc", "sepc"]
                });
                let through = self.small_destination();
                self.settle();
                self.line(&format!("andi {through}, {from}, -2"));
                self.line(&format!("csrrw {to}, {csr}, {through}"));
            }
            _ => self.line(&format!("{name} {to}, {csr}, {from}")),
        }
    }

    /// A few instructions, repeated a few times.
    fn loop_instructions(&mut self) {
        let (label, rounds) = (self.label, 1 + self.random.below(6));
        self.label += 1;
        self.settle();
        self.line(&format!("addi s2, zero, {rounds}"));
        self.text += &format!("loop{label}:\n");
        for _ in 0..1 + self.random.below(5) {
            match self.random.below(4) {
                0 => self.memory_instruction(),
                1 => self.immediate_instruction(),
                2 => self.register_instruction(MULTIPLY),
                _ => self.register_instruction(REGISTER),
            }
        }
        self.line("addi s2, s2, -1");
        self.line(&format!("bne s2, zero, loop{label}"));
    }

    /// An arithmetic or atomic opcode with random function bits: legal, reserved, or a hint.
    fn reserved_instruction(&mut self) {
        let word = loop {
            let opcode = self.random.pick(&[
                0x33_u32, 0x3b, 0x13, 0x1b, 0x2f, 0x63, 0x67, 0x07, 0x27, 0x0b, 0x57,
            ]);
            let word = self.random.next() as u32 & !0x7f | opcode;
            let (to, function, operation) = (word >> 7 & 31, word >> 12 & 7, word >> 27);
            let is_jump =
                opcode == 0x63 && !matches!(function, 2 | 3) || opcode == 0x67 && function == 0;
            let is_reservation = opcode == 0x2f && matches!(operation, 2 | 3);
            if matches!(to, 8 | 9 | 18) || is_jump || is_reservation {
                continue;
            }
            // Atomics work on the scratch pages.
            break if opcode == 0x2f {
                word & !(31 << 15) | 8 << 15
            } else {
                word
            };
        };
        self.line(&format!(".word {word:#x}"));
    }

    /// A return from a trap that did not happen, to the next instruction.
    fn mode_switch(&mut self) {
        self.settle();
        let through = self.small_destination();
        match self.mode {
            // Programs with a view of their own in U-mode would need other addresses there.
            Mode::Supervisor | Mode::Machine => {
                let (name, csr) = match self.mode {
                    Mode::Machine if self.random.one_in(2) => ("mret", "mepc"),
                    _ => ("sret", "sepc"),
                };
                self.line(&format!("auipc {through}, 0"));
                self.line(&format!("addi {through}, {through}, 16"));
                self.line(&format!("csrrw zero, {csr}, {through}"));
                self.line(name);
            }
            Mode::User | Mode::UserTranslated => self.line_of(&["sret", "mret", "sfence.vma"]),
            Mode::SupervisorTranslated => {
                self.line_of(&["mret", "sfence.vma", "sfence.vma x10, x11"])
            }
            Mode::MachineBorrowing => self.line_of(&["sfence.vma", "sfence.vma x10, x11"]),
        }
    }

    /// Under translation every address is safe: whatever is not mapped faults.
    fn wild_access(&mut self) {
        let (through, offset) = (self.source(), self.immediate());
        if !self.mode.is_translated() || self.mode == Mode::MachineBorrowing {
            return self.line("nop");
        }
        if self.random.one_in(2) {
            let (name, to) = (self.random.pick(LOAD), self.destination());
            self.line(&format!("{name} {to}, {offset}({through})"));
        } else {
            let (name, from) = (self.random.pick(STORE), self.source());
            self.line(&format!("{name} {from}, {offset}({through})"));
        }
    }
}

/// Programs that together hold every 16-bit encoding without a jump or an access to memory.
pub(crate) fn compressed() -> Vec<Sequence> {
    let is_wanted = |word: u16| {
        let (quadrant, function) = (word & 3, word >> 13);
        match (quadrant, function) {
            (0, 0 | 4) => true,
            (1, 0..=4) => true,
            (2, 0) => true,
            // c.jr, c.jalr and c.ebreak have no second register.
            (2, 4) => word >> 2 & 31 != 0,
            // Floating point: illegal here.
            (0 | 2, 1 | 5) => true,
            _ => false,
        }
    };
    let words: Vec<u16> = (0..=u16::MAX).filter(|word| is_wanted(*word)).collect();
    words
        .chunks(64)
        .enumerate()
        .map(|(number, words)| {
            let mut random = Random(number as u64 * 2 + 1);
            let text = words
                .iter()
                .map(|word| format!(".half {word:#06x}\n"))
                .collect();
            let registers = std::array::from_fn(|_| random.value());
            Sequence {
                seed: number as u64,
                mode: Mode::Machine,
                text,
                instructions: words.len(),
                registers,
                page_flags: [0; 4],
                delegated: 0,
            }
        })
        .collect()
}
