//! A small RV64IMAC assembler, so that tests need no cross compiler and read like the manual.
//!
//! One instruction, `label:` or directive a line; `#` starts a comment. Directives: `.byte`,
//! `.half`, `.word`, `.dword` (lists), `.zero N`, `.align BYTES`. Pseudo-instructions: the manual's
//! usual ones, `li` with any 64-bit constant, `la` with a label. A test compares it with GNU `as`.
//!
//! A mistake in a program is a mistake in a test: it panics and names the line.

use super::compressed;
use super::names;
use std::collections::HashMap;

/// How the operands of an instruction are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    R,
    I,
    Shift64,
    Shift32,
    Load,
    Store,
    Branch,
    U,
    J,
    Jalr,
    Csr,
    CsrImmediate,
    Amo,
    LoadReserved,
    Fence,
    SfenceVma,
    None,
}

use Format::{
    Amo, Branch, Csr, CsrImmediate, Fence, I, J, Jalr, Load, LoadReserved, R, SfenceVma, Shift32,
    Shift64, Store, U,
};

/// Every instruction with a 32-bit encoding: name, format, and the bits that are fixed.
#[rustfmt::skip]
const INSTRUCTIONS: &[(&str, Format, u32)] = &[
    ("lui", U, 0x37), ("auipc", U, 0x17), ("jal", J, 0x6f), ("jalr", Jalr, 0x67),
    ("beq", Branch, 0x63), ("bne", Branch, 0x1063), ("blt", Branch, 0x4063),
    ("bge", Branch, 0x5063), ("bltu", Branch, 0x6063), ("bgeu", Branch, 0x7063),
    ("lb", Load, 0x03), ("lh", Load, 0x1003), ("lw", Load, 0x2003), ("ld", Load, 0x3003),
    ("lbu", Load, 0x4003), ("lhu", Load, 0x5003), ("lwu", Load, 0x6003),
    ("sb", Store, 0x23), ("sh", Store, 0x1023), ("sw", Store, 0x2023), ("sd", Store, 0x3023),
    ("addi", I, 0x13), ("slti", I, 0x2013), ("sltiu", I, 0x3013), ("xori", I, 0x4013),
    ("ori", I, 0x6013), ("andi", I, 0x7013),
    ("slli", Shift64, 0x1013), ("srli", Shift64, 0x5013), ("srai", Shift64, 0x4000_5013),
    ("add", R, 0x33), ("sub", R, 0x4000_0033), ("sll", R, 0x1033), ("slt", R, 0x2033),
    ("sltu", R, 0x3033), ("xor", R, 0x4033), ("srl", R, 0x5033), ("sra", R, 0x4000_5033),
    ("or", R, 0x6033), ("and", R, 0x7033),
    ("addiw", I, 0x1b), ("slliw", Shift32, 0x101b), ("srliw", Shift32, 0x501b), ("sraiw", Shift32, 0x4000_501b),
    ("addw", R, 0x3b), ("subw", R, 0x4000_003b), ("sllw", R, 0x103b), ("srlw", R, 0x503b), ("sraw", R, 0x4000_503b),
    ("mul", R, 0x0200_0033), ("mulh", R, 0x0200_1033), ("mulhsu", R, 0x0200_2033), ("mulhu", R, 0x0200_3033),
    ("div", R, 0x0200_4033), ("divu", R, 0x0200_5033), ("rem", R, 0x0200_6033), ("remu", R, 0x0200_7033),
    ("mulw", R, 0x0200_003b), ("divw", R, 0x0200_403b), ("divuw", R, 0x0200_503b),
    ("remw", R, 0x0200_603b), ("remuw", R, 0x0200_703b),
    ("lr.w", LoadReserved, 0x1000_202f), ("sc.w", Amo, 0x1800_202f), ("amoswap.w", Amo, 0x0800_202f),
    ("amoadd.w", Amo, 0x0000_202f), ("amoxor.w", Amo, 0x2000_202f), ("amoand.w", Amo, 0x6000_202f),
    ("amoor.w", Amo, 0x4000_202f), ("amomin.w", Amo, 0x8000_202f), ("amomax.w", Amo, 0xa000_202f),
    ("amominu.w", Amo, 0xc000_202f), ("amomaxu.w", Amo, 0xe000_202f),
    ("lr.d", LoadReserved, 0x1000_302f), ("sc.d", Amo, 0x1800_302f), ("amoswap.d", Amo, 0x0800_302f),
    ("amoadd.d", Amo, 0x0000_302f), ("amoxor.d", Amo, 0x2000_302f), ("amoand.d", Amo, 0x6000_302f),
    ("amoor.d", Amo, 0x4000_302f), ("amomin.d", Amo, 0x8000_302f), ("amomax.d", Amo, 0xa000_302f),
    ("amominu.d", Amo, 0xc000_302f), ("amomaxu.d", Amo, 0xe000_302f),
    ("fence", Fence, 0x0ff0_000f), ("fence.i", Format::None, 0x100f), ("fence.tso", Format::None, 0x8330_000f),
    ("pause", Format::None, 0x0100_000f),
    ("ecall", Format::None, 0x73), ("ebreak", Format::None, 0x0010_0073), ("sret", Format::None, 0x1020_0073),
    ("mret", Format::None, 0x3020_0073), ("wfi", Format::None, 0x1050_0073), ("sfence.vma", SfenceVma, 0x1200_0073),
    ("csrrw", Csr, 0x1073), ("csrrs", Csr, 0x2073), ("csrrc", Csr, 0x3073),
    ("csrrwi", CsrImmediate, 0x5073), ("csrrsi", CsrImmediate, 0x6073), ("csrrci", CsrImmediate, 0x7073),
];

/// Machine code of `text`, placed at `base`.
pub fn assemble(base: u64, text: &str) -> Vec<u8> {
    assemble_with(base, text, &[])
}

/// Machine code of `text`, placed at `base`; `symbols` are constants that it may use.
pub fn assemble_with(base: u64, text: &str, symbols: &[(&str, u64)]) -> Vec<u8> {
    Program::new(base, text, symbols).code
}

/// An assembled program and where its labels are.
pub struct Program {
    /// The bytes, to be placed at the base address.
    pub code: Vec<u8>,
    labels: HashMap<String, u64>,
}

impl Program {
    /// Assembles `text` at `base`.
    pub fn new(base: u64, text: &str, symbols: &[(&str, u64)]) -> Program {
        let mut labels: HashMap<String, u64> = symbols
            .iter()
            .map(|(name, value)| ((*name).to_string(), *value))
            .collect();
        let mut lines = Vec::new();
        let mut address = base;
        for (index, raw) in text.lines().enumerate() {
            let mut rest = raw.split('#').next().unwrap_or_default().trim();
            while let Some((label, after)) = rest.split_once(':') {
                labels.insert(label.trim().to_string(), address);
                rest = after.trim();
            }
            if rest.is_empty() {
                continue;
            }
            let line = Line::parse(index + 1, rest, address);
            address += line.size(&labels);
            lines.push(line);
        }
        let mut code = Vec::new();
        for line in &lines {
            line.emit(&labels, &mut code);
        }
        Program { code, labels }
    }

    /// Address of a label.
    pub fn label(&self, name: &str) -> u64 {
        *self
            .labels
            .get(name)
            .unwrap_or_else(|| panic!("no label {name:?}"))
    }
}

/// A line with an instruction or a directive, and where it is placed.
struct Line {
    number: usize,
    text: String,
    mnemonic: String,
    operands: Vec<String>,
    address: u64,
}

type Labels = HashMap<String, u64>;

impl Line {
    fn parse(number: usize, text: &str, address: u64) -> Line {
        let (mnemonic, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let operands: Vec<&str> = rest
            .split(',')
            .map(str::trim)
            .filter(|operand| !operand.is_empty())
            .collect();
        let (mnemonic, operands) = expand(mnemonic, &operands);
        Line {
            number,
            text: text.to_string(),
            mnemonic,
            operands,
            address,
        }
    }

    fn size(&self, labels: &Labels) -> u64 {
        let count = self.operands.len() as u64;
        match self.mnemonic.as_str() {
            ".byte" => count,
            ".half" => 2 * count,
            ".word" => 4 * count,
            ".dword" => 8 * count,
            ".zero" => self.value(0, labels),
            ".align" => self.address.next_multiple_of(self.value(0, labels)) - self.address,
            "li" => 4 * load_immediate(0, self.value(1, labels)).len() as u64,
            "la" => 8,
            name if name.starts_with("c.") => 2,
            _ => 4,
        }
    }

    fn emit(&self, labels: &Labels, code: &mut Vec<u8>) {
        let values = || (0..self.operands.len()).map(|index| self.value(index, labels));
        match self.mnemonic.as_str() {
            ".byte" => code.extend(values().map(|value| value as u8)),
            ".half" => code.extend(values().flat_map(|value| (value as u16).to_le_bytes())),
            ".word" => code.extend(values().flat_map(|value| (value as u32).to_le_bytes())),
            ".dword" => code.extend(values().flat_map(u64::to_le_bytes)),
            ".zero" | ".align" => code.extend(std::iter::repeat_n(0, self.size(labels) as usize)),
            "li" => {
                let words = load_immediate(self.register(0), self.value(1, labels));
                code.extend(words.iter().flat_map(|word| word.to_le_bytes()));
            }
            "la" => {
                let offset = self.value(1, labels).wrapping_sub(self.address);
                let register = self.register(0);
                let high = offset.wrapping_add(0x800) as u32 & 0xffff_f000;
                let low = (offset as u32) << 20;
                code.extend((high | register << 7 | 0x17).to_le_bytes());
                code.extend((low | register << 15 | register << 7 | 0x13).to_le_bytes());
            }
            name if name.starts_with("c.") => {
                let word = compressed::encode(name, &self.operands, &|text| {
                    self.offset_or_value(text, labels)
                })
                .unwrap_or_else(|what| self.fail(&what));
                code.extend(word.to_le_bytes());
            }
            _ => code.extend(self.encode(labels).to_le_bytes()),
        }
    }

    fn encode(&self, labels: &Labels) -> u32 {
        let (name, ordering) = self.ordering();
        let Some((_, format, fixed)) = INSTRUCTIONS.iter().find(|(known, _, _)| *known == name)
        else {
            self.fail("no such instruction");
        };
        let operands = self.operands.len();
        let rd = |index: usize| self.register(index) << 7;
        let rs1 = |index: usize| self.register(index) << 15;
        let rs2 = |index: usize| self.register(index) << 20;
        let expected = match format {
            Format::None => 0,
            U | J | LoadReserved | Load | Store => 2,
            Fence | SfenceVma => operands,
            _ => 3,
        };
        if operands != expected {
            self.fail("wrong number of operands");
        }
        *fixed
            | match format {
                R => rd(0) | rs1(1) | rs2(2),
                I => rd(0) | rs1(1) | self.immediate(2, labels),
                Jalr => rd(0) | rs1(1) | self.immediate(2, labels),
                Shift64 => rd(0) | rs1(1) | self.limited(2, 64, labels) << 20,
                Shift32 => rd(0) | rs1(1) | self.limited(2, 32, labels) << 20,
                Load => rd(0) | self.base(1) | self.displacement(1, labels) << 20,
                Store => {
                    let offset = self.displacement(1, labels);
                    rs2(0) | self.base(1) | (offset & 0x1f) << 7 | (offset >> 5 & 0x7f) << 25
                }
                Branch => rs1(0) | rs2(1) | branch_bits(self.offset(2, 12, labels)),
                U => rd(0) | self.limited(1, 1 << 20, labels) << 12,
                J => rd(0) | jump_bits(self.offset(1, 20, labels)),
                Csr => rd(0) | self.csr(1, labels) << 20 | rs1(2),
                CsrImmediate => {
                    rd(0) | self.csr(1, labels) << 20 | self.limited(2, 32, labels) << 15
                }
                Amo => rd(0) | rs2(1) | self.base(2) | ordering,
                LoadReserved => rd(0) | self.base(1) | ordering,
                SfenceVma => {
                    (if operands > 0 { rs1(0) } else { 0 })
                        | (if operands > 1 { rs2(1) } else { 0 })
                }
                Fence | Format::None => 0,
            }
    }

    /// Takes `.aq`, `.rl` or `.aqrl` off an atomic's name.
    fn ordering(&self) -> (&str, u32) {
        let name = self.mnemonic.as_str();
        for (suffix, bits) in [(".aqrl", 3 << 25), (".aq", 2 << 25), (".rl", 1 << 25)] {
            if let Some(plain) = name.strip_suffix(suffix) {
                return (plain, bits);
            }
        }
        (name, 0)
    }

    fn register(&self, index: usize) -> u32 {
        let name = self.operand(index);
        names::register(name)
            .unwrap_or_else(|| self.fail(&format!("{name:?} is no register")))
            .into()
    }

    fn operand(&self, index: usize) -> &str {
        self.operands
            .get(index)
            .unwrap_or_else(|| self.fail("an operand is missing"))
    }

    fn value(&self, index: usize, labels: &Labels) -> u64 {
        let text = self.operand(index);
        value_of(text, labels).unwrap_or_else(|| self.fail(&format!("{text:?} is no value")))
    }

    /// A number is meant as it is, a label as the distance to it.
    fn offset_or_value(&self, text: &str, labels: &Labels) -> Option<i64> {
        names::number(text)
            .or_else(|| value_of(text, labels).map(|target| target.wrapping_sub(self.address)))
            .map(|value| value as i64)
    }

    fn offset(&self, index: usize, bits: u32, labels: &Labels) -> u32 {
        let text = self.operand(index);
        let offset = self
            .offset_or_value(text, labels)
            .unwrap_or_else(|| self.fail(&format!("no label {text:?}")));
        if offset & 1 != 0 || offset >> bits != offset >> 63 {
            self.fail(&format!("the target is {offset} bytes away"));
        }
        offset as u32
    }

    fn immediate(&self, index: usize, labels: &Labels) -> u32 {
        let value = self.value(index, labels) as i64;
        if !(-2048..=2047).contains(&value) {
            self.fail(&format!("{value} does not fit twelve bits"));
        }
        (value as u32) << 20
    }

    fn limited(&self, index: usize, limit: u64, labels: &Labels) -> u32 {
        let value = self.value(index, labels);
        if value >= limit {
            self.fail(&format!("{value} is not below {limit}"));
        }
        value as u32
    }

    fn csr(&self, index: usize, labels: &Labels) -> u32 {
        match names::csr(self.operand(index)) {
            Some(number) => number.into(),
            None => self.limited(index, 4096, labels),
        }
    }

    /// The register of `offset(register)`.
    fn base(&self, index: usize) -> u32 {
        let (_, name) = self.split(index);
        u32::from(
            names::register(name).unwrap_or_else(|| self.fail(&format!("{name:?} is no register"))),
        ) << 15
    }

    /// The offset of `offset(register)`, in the low twelve bits.
    fn displacement(&self, index: usize, labels: &Labels) -> u32 {
        let (offset, _) = self.split(index);
        let value = match offset {
            "" => 0,
            _ => value_of(offset, labels)
                .unwrap_or_else(|| self.fail(&format!("{offset:?} is no offset")))
                as i64,
        };
        if !(-2048..=2047).contains(&value) {
            self.fail(&format!("{value} does not fit twelve bits"));
        }
        value as u32 & 0xfff
    }

    fn split(&self, index: usize) -> (&str, &str) {
        let operand = self.operand(index);
        operand
            .strip_suffix(')')
            .and_then(|operand| operand.split_once('('))
            .unwrap_or_else(|| self.fail(&format!("{operand:?} is not offset(register)")))
    }

    fn fail(&self, what: &str) -> ! {
        panic!("line {}: {}: {what}", self.number, self.text)
    }
}

fn branch_bits(offset: u32) -> u32 {
    (offset >> 12 & 1) << 31
        | (offset >> 5 & 0x3f) << 25
        | (offset >> 1 & 0xf) << 8
        | (offset >> 11 & 1) << 7
}

fn jump_bits(offset: u32) -> u32 {
    (offset >> 20 & 1) << 31
        | (offset >> 1 & 0x3ff) << 21
        | (offset >> 11 & 1) << 20
        | (offset >> 12 & 0xff) << 12
}

/// A number, a symbol, or a symbol and a distance (`table+8`).
fn value_of(text: &str, labels: &Labels) -> Option<u64> {
    if let Some(value) = names::number(text).or_else(|| labels.get(text).copied()) {
        return Some(value);
    }
    let (symbol, distance) = text.split_once('+')?;
    Some(
        labels
            .get(symbol.trim())?
            .wrapping_add(names::number(distance.trim())?),
    )
}

/// Turns a pseudo-instruction into the instruction it stands for.
fn expand(mnemonic: &str, operands: &[&str]) -> (String, Vec<String>) {
    let (name, operands): (&str, Vec<&str>) = match (mnemonic, operands) {
        ("nop", []) => ("addi", vec!["zero", "zero", "0"]),
        ("mv", [to, from]) => ("addi", vec![to, from, "0"]),
        ("not", [to, from]) => ("xori", vec![to, from, "-1"]),
        ("neg", [to, from]) => ("sub", vec![to, "zero", from]),
        ("sext.w", [to, from]) => ("addiw", vec![to, from, "0"]),
        ("seqz", [to, from]) => ("sltiu", vec![to, from, "1"]),
        ("snez", [to, from]) => ("sltu", vec![to, "zero", from]),
        ("beqz", [from, target]) => ("beq", vec![from, "zero", target]),
        ("bnez", [from, target]) => ("bne", vec![from, "zero", target]),
        ("bltz", [from, target]) => ("blt", vec![from, "zero", target]),
        ("bgez", [from, target]) => ("bge", vec![from, "zero", target]),
        ("bgtz", [from, target]) => ("blt", vec!["zero", from, target]),
        ("blez", [from, target]) => ("bge", vec!["zero", from, target]),
        ("j", [target]) => ("jal", vec!["zero", target]),
        ("jal", [target]) => ("jal", vec!["ra", target]),
        ("jr", [to]) => ("jalr", vec!["zero", to, "0"]),
        ("ret", []) => ("jalr", vec!["zero", "ra", "0"]),
        ("csrr", [to, csr]) => ("csrrs", vec![to, csr, "zero"]),
        ("csrw", [csr, from]) => ("csrrw", vec!["zero", csr, from]),
        ("csrs", [csr, from]) => ("csrrs", vec!["zero", csr, from]),
        ("csrc", [csr, from]) => ("csrrc", vec!["zero", csr, from]),
        ("csrwi", [csr, bits]) => ("csrrwi", vec!["zero", csr, bits]),
        ("csrsi", [csr, bits]) => ("csrrsi", vec!["zero", csr, bits]),
        ("csrci", [csr, bits]) => ("csrrci", vec!["zero", csr, bits]),
        _ => (mnemonic, operands.to_vec()),
    };
    (
        name.to_string(),
        operands.into_iter().map(String::from).collect(),
    )
}

/// The shortest of the usual sequences that load a constant: `addi`, `lui` and `addiw`, or those
/// for the upper part followed by shifts and `addi`s.
fn load_immediate(register: u32, value: u64) -> Vec<u32> {
    let signed = value as i64;
    let addi = |from: u32, low: u32| low << 20 | from << 15 | register << 7 | 0x13;
    if (-2048..=2047).contains(&signed) {
        return vec![addi(0, value as u32)];
    }
    let low = value as u32 & 0xfff;
    if signed == i64::from(signed as i32) {
        let high = (value as u32).wrapping_add(0x800) & 0xffff_f000;
        let mut words = vec![high | register << 7 | 0x37];
        if low != 0 {
            words.push(low << 20 | register << 15 | register << 7 | 0x1b);
        }
        return words;
    }
    // The low twelve bits are added as a signed number, so the part above may carry.
    let above = signed.wrapping_sub(i64::from((low as i32) << 20 >> 20)) >> 12;
    let zeroes = above.trailing_zeros();
    let mut words = load_immediate(register, (above >> zeroes) as u64);
    words.push((12 + zeroes) << 20 | register << 15 | register << 7 | 0x1013);
    if low != 0 {
        words.push(addi(register, low));
    }
    words
}
