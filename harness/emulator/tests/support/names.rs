//! Names of registers and CSRs, as the RISC-V specifications and the ABI spell them.

/// ABI names of the integer registers, by number.
pub use emulator::isa::register::NAMES as REGISTERS;

/// Names and numbers of the CSRs that tests speak of.
pub const CSRS: [(&str, u16); 59] = [
    ("cycle", 0xc00),
    ("time", 0xc01),
    ("instret", 0xc02),
    ("hpmcounter3", 0xc03),
    ("hpmcounter31", 0xc1f),
    ("sstatus", 0x100),
    ("sie", 0x104),
    ("stvec", 0x105),
    ("scounteren", 0x106),
    ("senvcfg", 0x10a),
    ("sscratch", 0x140),
    ("sepc", 0x141),
    ("scause", 0x142),
    ("stval", 0x143),
    ("sip", 0x144),
    ("stimecmp", 0x14d),
    ("satp", 0x180),
    ("mvendorid", 0xf11),
    ("marchid", 0xf12),
    ("mimpid", 0xf13),
    ("mhartid", 0xf14),
    ("mconfigptr", 0xf15),
    ("mstatus", 0x300),
    ("misa", 0x301),
    ("medeleg", 0x302),
    ("mideleg", 0x303),
    ("mie", 0x304),
    ("mtvec", 0x305),
    ("mcounteren", 0x306),
    ("menvcfg", 0x30a),
    ("mcountinhibit", 0x320),
    ("mhpmevent3", 0x323),
    ("mscratch", 0x340),
    ("mepc", 0x341),
    ("mcause", 0x342),
    ("mtval", 0x343),
    ("mip", 0x344),
    ("pmpcfg0", 0x3a0),
    ("pmpcfg1", 0x3a1),
    ("pmpcfg2", 0x3a2),
    ("pmpaddr0", 0x3b0),
    ("pmpaddr1", 0x3b1),
    ("pmpaddr2", 0x3b2),
    ("pmpaddr3", 0x3b3),
    ("pmpaddr4", 0x3b4),
    ("pmpaddr5", 0x3b5),
    ("pmpaddr6", 0x3b6),
    ("pmpaddr7", 0x3b7),
    ("pmpaddr15", 0x3bf),
    ("mcycle", 0xb00),
    ("minstret", 0xb02),
    ("mhpmcounter3", 0xb03),
    ("mhpmcounter31", 0xb1f),
    ("tselect", 0x7a0),
    ("tdata1", 0x7a1),
    ("dcsr", 0x7b0),
    ("fflags", 0x001),
    ("frm", 0x002),
    ("fcsr", 0x003),
];

/// Number of a register, from its ABI name, `x0`..`x31` or `fp`.
pub fn register(name: &str) -> Option<u8> {
    if let Some(number) = REGISTERS.iter().position(|known| *known == name) {
        return Some(number as u8);
    }
    if name == "fp" {
        return Some(8);
    }
    name.strip_prefix('x')?
        .parse()
        .ok()
        .filter(|number| *number < 32)
}

/// Number of a CSR, from its name.
pub fn csr(name: &str) -> Option<u16> {
    CSRS.iter()
        .find(|(known, _)| *known == name)
        .map(|(_, number)| *number)
}

/// A number as Rust writes it, perhaps negative, taken as its 64 bits.
pub fn number(text: &str) -> Option<u64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let digits = digits.replace('_', "");
    let value = match digits.strip_prefix("0x") {
        Some(hexadecimal) => u64::from_str_radix(hexadecimal, 16).ok()?,
        None => match digits.strip_prefix("0b") {
            Some(binary) => u64::from_str_radix(binary, 2).ok()?,
            None => digits.parse().ok()?,
        },
    };
    Some(if negative {
        value.wrapping_neg()
    } else {
        value
    })
}
