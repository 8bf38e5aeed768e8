//! Encodings of the compressed instructions (C extension, RV64C without floating point).

use super::names;

/// Where an immediate's bits go: (bit of the value, bit of the instruction).
type Scatter = &'static [(u32, u32)];

const CI: Scatter = &[(5, 12), (4, 6), (3, 5), (2, 4), (1, 3), (0, 2)];
const ADDI16SP: Scatter = &[(9, 12), (4, 6), (6, 5), (8, 4), (7, 3), (5, 2)];
const ADDI4SPN: Scatter = &[
    (5, 12),
    (4, 11),
    (9, 10),
    (8, 9),
    (7, 8),
    (6, 7),
    (2, 6),
    (3, 5),
];
const WORD: Scatter = &[(5, 12), (4, 11), (3, 10), (2, 6), (6, 5)];
const DOUBLE: Scatter = &[(5, 12), (4, 11), (3, 10), (7, 6), (6, 5)];
const LWSP: Scatter = &[(5, 12), (4, 6), (3, 5), (2, 4), (7, 3), (6, 2)];
const LDSP: Scatter = &[(5, 12), (4, 6), (3, 5), (8, 4), (7, 3), (6, 2)];
const SWSP: Scatter = &[(5, 12), (4, 11), (3, 10), (2, 9), (7, 8), (6, 7)];
const SDSP: Scatter = &[(5, 12), (4, 11), (3, 10), (8, 9), (7, 8), (6, 7)];
const JUMP: Scatter = &[
    (11, 12),
    (4, 11),
    (9, 10),
    (8, 9),
    (10, 8),
    (6, 7),
    (7, 6),
    (3, 5),
    (2, 4),
    (1, 3),
    (5, 2),
];
const BRANCH: Scatter = &[
    (8, 12),
    (4, 11),
    (3, 10),
    (7, 6),
    (6, 5),
    (2, 4),
    (1, 3),
    (5, 2),
];

/// Encodes a compressed instruction; `offset` gives the value of a number or the distance to a label.
pub fn encode(
    name: &str,
    operands: &[String],
    offset: &dyn Fn(&str) -> Option<i64>,
) -> Result<u16, String> {
    let at = |index: usize| {
        operands
            .get(index)
            .map(String::as_str)
            .ok_or("an operand is missing".to_string())
    };
    let register = |index: usize| {
        let name = at(index)?;
        names::register(name)
            .map(u16::from)
            .ok_or(format!("{name:?} is no register"))
    };
    let full = |index: usize| register(index).map(|number| number << 7);
    let second = |index: usize| register(index).map(|number| number << 2);
    let small = |index: usize, shift: u32| match register(index)? {
        number @ 8..=15 => Ok((number - 8) << shift),
        number => Err(format!("x{number} is not among x8..x15")),
    };
    let value = |index: usize, bits: Scatter, signed: bool| {
        let text = at(index)?;
        scatter(
            offset(text).ok_or(format!("{text:?} is no value"))?,
            bits,
            signed,
        )
    };
    // The two parts of `offset(register)`.
    let memory = |index: usize| {
        let text = at(index)?;
        let (displacement, base) = text
            .strip_suffix(')')
            .and_then(|text| text.split_once('('))
            .ok_or(format!("{text:?} is not offset(register)"))?;
        let base = names::register(base).ok_or(format!("{base:?} is no register"))?;
        let displacement = offset(displacement).ok_or(format!("{displacement:?} is no value"))?;
        Ok::<_, String>((displacement, u16::from(base)))
    };
    let by_register = |fixed: u16, bits: Scatter| {
        let (displacement, base) = memory(1)?;
        if !(8..=15).contains(&base) {
            return Err(format!("x{base} is not among x8..x15"));
        }
        Ok(fixed | small(0, 2)? | (base - 8) << 7 | scatter(displacement, bits, false)?)
    };
    let by_stack = |fixed: u16, bits: Scatter, operand: u16| {
        let (displacement, base) = memory(1)?;
        if base != 2 {
            return Err("the base must be sp".to_string());
        }
        Ok(fixed | operand | scatter(displacement, bits, false)?)
    };
    match name {
        "c.addi4spn" => Ok(small(0, 2)? | value(2, ADDI4SPN, false)?),
        "c.lw" => by_register(0x4000, WORD),
        "c.ld" => by_register(0x6000, DOUBLE),
        "c.sw" => by_register(0xc000, WORD),
        "c.sd" => by_register(0xe000, DOUBLE),
        "c.nop" => match operands.len() {
            0 => Ok(0x0001),
            _ => Ok(0x0001 | value(0, CI, true)?),
        },
        "c.addi" => Ok(0x0001 | full(0)? | value(1, CI, true)?),
        "c.addiw" => Ok(0x2001 | full(0)? | value(1, CI, true)?),
        "c.li" => Ok(0x4001 | full(0)? | value(1, CI, true)?),
        "c.addi16sp" => Ok(0x6101 | value(1, ADDI16SP, true)?),
        // Written as the 20-bit number of `lui`, or as its signed six bits.
        "c.lui" => {
            let text = at(1)?;
            let wide = offset(text).ok_or(format!("{text:?} is no value"))?;
            let narrow = if wide >= 0xf_ffe0 {
                wide - 0x10_0000
            } else {
                wide
            };
            Ok(0x6001 | full(0)? | scatter(narrow, CI, true)?)
        }
        "c.srli" => Ok(0x8001 | small(0, 7)? | value(1, CI, false)?),
        "c.srai" => Ok(0x8401 | small(0, 7)? | value(1, CI, false)?),
        "c.andi" => Ok(0x8801 | small(0, 7)? | value(1, CI, true)?),
        "c.sub" => Ok(0x8c01 | small(0, 7)? | small(1, 2)?),
        "c.xor" => Ok(0x8c21 | small(0, 7)? | small(1, 2)?),
        "c.or" => Ok(0x8c41 | small(0, 7)? | small(1, 2)?),
        "c.and" => Ok(0x8c61 | small(0, 7)? | small(1, 2)?),
        "c.subw" => Ok(0x9c01 | small(0, 7)? | small(1, 2)?),
        "c.addw" => Ok(0x9c21 | small(0, 7)? | small(1, 2)?),
        "c.j" => Ok(0xa001 | value(0, JUMP, true)?),
        "c.beqz" => Ok(0xc001 | small(0, 7)? | value(1, BRANCH, true)?),
        "c.bnez" => Ok(0xe001 | small(0, 7)? | value(1, BRANCH, true)?),
        "c.slli" => Ok(0x0002 | full(0)? | value(1, CI, false)?),
        "c.lwsp" => by_stack(0x4002, LWSP, full(0)?),
        "c.ldsp" => by_stack(0x6002, LDSP, full(0)?),
        "c.swsp" => by_stack(0xc002, SWSP, second(0)?),
        "c.sdsp" => by_stack(0xe002, SDSP, second(0)?),
        "c.jr" => Ok(0x8002 | full(0)?),
        "c.mv" => Ok(0x8002 | full(0)? | second(1)?),
        "c.ebreak" => Ok(0x9002),
        "c.jalr" => Ok(0x9002 | full(0)?),
        "c.add" => Ok(0x9002 | full(0)? | second(1)?),
        _ => Err("no such instruction".to_string()),
    }
}

/// Distributes a value's bits, if the encoding can hold it.
fn scatter(value: i64, bits: Scatter, signed: bool) -> Result<u16, String> {
    let highest = bits.iter().map(|(from, _)| *from).max().unwrap_or(0);
    let held = bits.iter().fold(0_i64, |held, (from, _)| held | 1 << from);
    let sign_bits = if signed { -1 << highest } else { 0 };
    if (value & !sign_bits) & !held != 0
        || (signed && (value >> highest) != (value >> 63))
        || (!signed && value < 0)
    {
        return Err(format!("{value} cannot be encoded"));
    }
    Ok(bits.iter().fold(0, |word, (from, to)| {
        word | ((value >> from & 1) as u16) << to
    }))
}
