//! Instruction tests as tables: `state before | instruction => state after`, one a line.
//!
//! State is a list of `name=value`: integer registers, CSRs, `mode` (U, S, M), `pc`, and memory
//! on the data page as `b[offset]`, `h[…]`, `w[…]`, `d[…]`. Values are numbers or `code`, `data`,
//! `next` (after the instruction) and the like, perhaps with a distance (`code+8`).
//!
//! What a line does not mention must not change: every other register, the trap CSRs, the rest of
//! the data page; and `pc` must be `next`. `mtrap=cause,value` and `strap=cause,value` stand for
//! all that taking a trap into M or S mode does (privileged specification, 3.1.6.1 and 4.1.1).

use super::assembler::assemble_with;
use super::names;
use super::rig::{self, CODE, DATA, MTVEC, STVEC};
use emulator::{Config, Machine, Privilege, Snapshot};
use std::fmt::Write as _;
use std::sync::Arc;

/// CSRs that change only if a line says so.
const WATCHED: [&str; 19] = [
    "mstatus",
    "mepc",
    "mcause",
    "mtval",
    "mtvec",
    "medeleg",
    "mideleg",
    "mie",
    "mscratch",
    "mcounteren",
    "menvcfg",
    "sepc",
    "scause",
    "stval",
    "stvec",
    "sscratch",
    "scounteren",
    "satp",
    "pmpcfg0",
];

const PAGE: usize = 4096;
const MSTATUS_SIE: u64 = 1 << 1;
const MSTATUS_MIE: u64 = 1 << 3;
const MSTATUS_SPIE: u64 = 1 << 5;
const MSTATUS_MPIE: u64 = 1 << 7;
const MSTATUS_SPP: u64 = 1 << 8;
const MSTATUS_MPP: u64 = 3 << 11;

/// All that an instruction may observe or change.
#[derive(Clone, PartialEq)]
struct State {
    registers: [u64; 32],
    csrs: [u64; WATCHED.len()],
    /// CSRs outside the watched list that the line speaks of.
    more: Vec<(String, u64)>,
    mode: u64,
    pc: u64,
    page: Vec<u8>,
}

/// Runs every line of `table`; panics with all lines that fail.
pub fn check(table: &str) {
    check_with(&rig::config(), table);
}

/// Runs every line of `table` on machines of one configuration.
pub fn check_with(config: &Config, table: &str) {
    let base = rig::bench(config, "nop").snapshot();
    let mut failures = String::new();
    let mut lines = 0;
    for (index, line) in table.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        lines += 1;
        if let Err(why) = check_line(&base, line) {
            let _ = write!(failures, "\nline {} of the table: {line}\n{why}", index + 1);
        }
    }
    assert!(lines > 0, "the table is empty");
    assert!(failures.is_empty(), "{failures}");
}

fn check_line(base: &Arc<Snapshot>, line: &str) -> Result<(), String> {
    let (before, rest) = line.split_once('|').ok_or("there is no `|`")?;
    let (instruction, after) = rest.split_once("=>").ok_or("there is no `=>`")?;
    let mut machine = Machine::from_snapshot(base);
    let code = assemble_with(CODE, &instruction.replace(';', "\n"), &rig::SYMBOLS);
    machine
        .write_physical(CODE, &code)
        .map_err(|error| error.to_string())?;
    let next = CODE + code.len() as u64;

    let mut state = State::patterned(&machine);
    for assignment in before.split_whitespace() {
        state.assign(assignment, next)?;
    }
    state.place(&mut machine)?;
    // What a CSR keeps of a value is the machine's to say; the expectation starts from there.
    state.read_back_csrs(&machine);
    state.pc = next;
    for assignment in after.split_whitespace() {
        state.expect(assignment, next)?;
    }
    let seen = {
        rig::step(&mut machine);
        State::observe(&machine, &state.more)
    };
    state.compare(&seen)
}

impl State {
    /// Every register and every byte different, so that nothing changes unseen.
    fn patterned(machine: &Machine) -> State {
        let mut state = State::observe(machine, &[]);
        for (number, register) in state.registers.iter_mut().enumerate().skip(1) {
            *register = 0x0101_0101_0101_0101 * number as u64 + 0x8000_0000_0000_0000;
        }
        for (index, byte) in state.page.iter_mut().enumerate() {
            *byte = (index * 7 + 3) as u8;
        }
        state
    }

    fn observe(machine: &Machine, more: &[(String, u64)]) -> State {
        let mut page = vec![0; PAGE];
        machine
            .read_physical(DATA, &mut page)
            .expect("the data page is in RAM");
        State {
            registers: std::array::from_fn(|number| machine.x(0, number)),
            csrs: WATCHED.map(|name| rig::csr(machine, name)),
            more: more
                .iter()
                .map(|(name, _)| (name.clone(), rig::csr(machine, name)))
                .collect(),
            mode: mode_number(machine.privilege(0)),
            pc: machine.pc(0),
            page,
        }
    }

    fn place(&self, machine: &mut Machine) -> Result<(), String> {
        machine
            .write_physical(DATA, &self.page)
            .map_err(|error| error.to_string())?;
        for (number, value) in self.registers.iter().enumerate().skip(1) {
            machine.set_x(0, number, *value);
        }
        let unwatched = self
            .more
            .iter()
            .map(|(name, value)| (name.as_str(), *value));
        for (name, value) in WATCHED.into_iter().zip(self.csrs).chain(unwatched) {
            if rig::csr(machine, name) != value {
                rig::set_csr(machine, name, value);
            }
        }
        machine.set_privilege(0, mode_of(self.mode));
        machine.set_pc(0, self.pc);
        Ok(())
    }

    fn read_back_csrs(&mut self, machine: &Machine) {
        self.csrs = WATCHED.map(|name| rig::csr(machine, name));
        for (name, value) in &mut self.more {
            *value = rig::csr(machine, name);
        }
    }

    fn expect(&mut self, assignment: &str, next: u64) -> Result<(), String> {
        let into = |trap: &str| -> Result<(u64, u64), String> {
            let (cause, value) = trap.split_once(',').ok_or("a trap is `cause,value`")?;
            Ok((value_of(cause, next)?, value_of(value, next)?))
        };
        if let Some(trap) = assignment.strip_prefix("mtrap=") {
            let (cause, value) = into(trap)?;
            let status = self.csr("mstatus");
            let status = status & !(MSTATUS_MPP | MSTATUS_MPIE | MSTATUS_MIE)
                | self.mode << 11
                | if status & MSTATUS_MIE != 0 {
                    MSTATUS_MPIE
                } else {
                    0
                };
            for (name, value) in [
                ("mstatus", status),
                ("mcause", cause),
                ("mtval", value),
                ("mepc", CODE),
            ] {
                self.set_csr(name, value);
            }
            (self.mode, self.pc) = (3, MTVEC);
            Ok(())
        } else if let Some(trap) = assignment.strip_prefix("strap=") {
            let (cause, value) = into(trap)?;
            let status = self.csr("mstatus");
            let status = status & !(MSTATUS_SPP | MSTATUS_SPIE | MSTATUS_SIE)
                | self.mode << 8
                | if status & MSTATUS_SIE != 0 {
                    MSTATUS_SPIE
                } else {
                    0
                };
            for (name, value) in [
                ("mstatus", status),
                ("scause", cause),
                ("stval", value),
                ("sepc", CODE),
            ] {
                self.set_csr(name, value);
            }
            (self.mode, self.pc) = (1, STVEC);
            Ok(())
        } else {
            self.assign(assignment, next)
        }
    }

    fn assign(&mut self, assignment: &str, next: u64) -> Result<(), String> {
        let (name, value) = assignment
            .split_once('=')
            .ok_or(format!("{assignment:?} is not name=value"))?;
        if name == "mode" {
            self.mode = ["U", "S", "", "M"]
                .iter()
                .position(|mode| *mode == value)
                .ok_or("modes are U, S and M")? as u64;
            return Ok(());
        }
        let value = value_of(value, next)?;
        if name == "pc" {
            self.pc = value;
        } else if let Some(number) = names::register(name) {
            self.registers[usize::from(number)] = value;
        } else if names::csr(name).is_some() {
            self.set_csr(name, value);
        } else if let Some((width, offset)) =
            name.strip_suffix(']').and_then(|name| name.split_once('['))
        {
            let bytes = match width {
                "b" => 1,
                "h" => 2,
                "w" => 4,
                "d" => 8,
                _ => return Err(format!("no width {width:?}")),
            };
            let offset = value_of(offset, next)? as usize;
            self.page[offset..offset + bytes].copy_from_slice(&value.to_le_bytes()[..bytes]);
        } else {
            return Err(format!("no such state: {name:?}"));
        }
        Ok(())
    }

    fn csr(&self, name: &str) -> u64 {
        WATCHED
            .iter()
            .position(|known| *known == name)
            .map_or(0, |index| self.csrs[index])
    }

    fn set_csr(&mut self, name: &str, value: u64) {
        if let Some(index) = WATCHED.iter().position(|known| *known == name) {
            self.csrs[index] = value;
        } else {
            self.more.retain(|(known, _)| known != name);
            self.more.push((name.to_string(), value));
        }
    }

    fn compare(&self, seen: &State) -> Result<(), String> {
        let mut differences = String::new();
        let mut differ = |name: &str, expected: u64, seen: u64| {
            if expected != seen {
                let _ = writeln!(
                    differences,
                    "    {name}: expected {expected:#x}, seen {seen:#x}"
                );
            }
        };
        differ("pc", self.pc, seen.pc);
        differ("mode", self.mode, seen.mode);
        for (number, name) in names::REGISTERS.iter().enumerate() {
            differ(name, self.registers[number], seen.registers[number]);
        }
        for (index, name) in WATCHED.iter().enumerate() {
            differ(name, self.csrs[index], seen.csrs[index]);
        }
        for ((name, expected), (_, seen)) in self.more.iter().zip(&seen.more) {
            differ(name, *expected, *seen);
        }
        for (offset, (expected, seen)) in self.page.iter().zip(&seen.page).enumerate() {
            differ(&format!("b[{offset}]"), (*expected).into(), (*seen).into());
        }
        if differences.is_empty() {
            Ok(())
        } else {
            Err(differences)
        }
    }
}

fn value_of(text: &str, next: u64) -> Result<u64, String> {
    if let Some(value) = names::number(text) {
        return Ok(value);
    }
    let symbol = |name: &str| {
        if name == "next" {
            return Some(next);
        }
        rig::SYMBOLS
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| *value)
    };
    let found = match text.find(['+', '-']) {
        None => symbol(text),
        Some(at) => symbol(&text[..at])
            .zip(names::number(text[at..].trim_start_matches('+')))
            .map(|(a, b)| a.wrapping_add(b)),
    };
    found.ok_or(format!("{text:?} is no value"))
}

fn mode_number(privilege: Privilege) -> u64 {
    match privilege {
        Privilege::User => 0,
        Privilege::Supervisor => 1,
        Privilege::Machine => 3,
    }
}

fn mode_of(number: u64) -> Privilege {
    match number {
        0 => Privilege::User,
        1 => Privilege::Supervisor,
        _ => Privilege::Machine,
    }
}
