//! The kernel's call stack, walked from outside.
//!
//! Each function is walked over by the unwind tables that its compiler left in `.eh_frame` or
//! `.debug_frame`; where there are none, by the frame pointer: the caller's address at `s0 - 8`, its
//! frame pointer at `s0 - 16` (RISC-V ELF psABI, frame pointer convention). A trap taken in the
//! kernel is walked over to the function that was interrupted. Whatever the stack holds, the walk ends.

use emulator::Machine;
use emulator::isa::csr::{self, VECTOR_MODE};
use emulator::isa::register::{FP, RA, SP};
use emulator::isa::{Instruction, Privilege};
use gimli::{
    BaseAddresses, CfaRule, CieOrFde, DebugFrame, EhFrame, EndianArcSlice, FrameDescriptionEntry,
    Register, RegisterRule, RunTimeEndian, SectionId, UnwindContext, UnwindSection,
};
use object::{Object, ObjectSection, ObjectSegment, ObjectSymbol, SegmentFlags, SymbolKind};
use std::ops::Range;
use std::sync::Arc;

type Bytes = EndianArcSlice<RunTimeEndian>;

/// A stack deeper than this is cut off: xv6's are of one page.
const DEEPEST: usize = 48;
/// A frame that would be larger than this is not a frame.
const LARGEST_FRAME: u64 = 1 << 16;

/// How to walk back from any address of a kernel's code.
#[derive(Default)]
pub(crate) struct Unwinder {
    for_exceptions: Option<Table<EhFrame<Bytes>>>,
    for_debuggers: Option<Table<DebugFrame<Bytes>>>,
    /// Where the kernel's code lies.
    code: Vec<Range<u64>>,
    /// Where its functions begin, as far as symbols tell; sorted.
    functions: Vec<u64>,
}

/// One section's entries, sorted by address.
struct Table<S: UnwindSection<Bytes>> {
    section: S,
    bases: BaseAddresses,
    entries: Vec<(Range<u64>, FrameDescriptionEntry<Bytes>)>,
}

impl<S: UnwindSection<Bytes>> Table<S> {
    /// The readable entries of `section`, up to the first broken one.
    fn read(section: S, bases: BaseAddresses) -> Self {
        let mut entries = Vec::new();
        let mut all = section.entries(&bases);
        while let Ok(Some(entry)) = all.next() {
            let CieOrFde::Fde(partial) = entry else {
                continue;
            };
            if let Ok(entry) = partial.parse(S::cie_from_offset) {
                let start = entry.initial_address();
                entries.push((start..start.saturating_add(entry.len()), entry));
            }
        }
        entries.sort_by_key(|(range, _)| range.start);
        Self {
            section,
            bases,
            entries,
        }
    }

    /// The registers of the caller; `None` if the section says nothing of the address.
    fn caller(&self, at: u64, registers: &Registers, memory: &Memory<'_>) -> Option<Registers> {
        let after = self.entries.partition_point(|(range, _)| range.start <= at);
        let (range, entry) = &self.entries[after.checked_sub(1)?];
        if !range.contains(&at) {
            return None;
        }
        let mut context = UnwindContext::new();
        let row = entry
            .unwind_info_for_address(&self.section, &self.bases, &mut context, at)
            .ok()?;
        let CfaRule::RegisterAndOffset { register, offset } = row.cfa() else {
            return None;
        };
        let frame = registers.get(*register)?.wrapping_add_signed(*offset);
        let mut caller = registers.clone();
        for (register, rule) in row.registers() {
            let value = match rule {
                RegisterRule::Offset(offset) => memory.read(frame.wrapping_add_signed(*offset))?,
                RegisterRule::ValOffset(offset) => frame.wrapping_add_signed(*offset),
                RegisterRule::Register(other) => registers.get(*other)?,
                RegisterRule::SameValue => continue,
                RegisterRule::Undefined if register.0 == RA as u16 => return None,
                RegisterRule::Undefined => continue,
                _ => return None,
            };
            *caller.x.get_mut(usize::from(register.0))? = value;
        }
        caller.x[SP] = frame;
        caller.pc = caller.x[RA];
        Some(caller)
    }
}

#[derive(Clone)]
struct Registers {
    x: [u64; 32],
    pc: u64,
}

impl Registers {
    fn get(&self, register: Register) -> Option<u64> {
        self.x.get(usize::from(register.0)).copied()
    }
}

/// The kernel's memory as its hart sees it.
struct Memory<'a> {
    machine: &'a Machine,
    satp: u64,
}

impl Memory<'_> {
    fn read(&self, address: u64) -> Option<u64> {
        if !address.is_multiple_of(8) {
            return None;
        }
        let physical = match self.satp {
            0 => address,
            satp => self.machine.translate(satp, address)?.physical,
        };
        self.machine.read_u64(physical)
    }
}

impl Unwinder {
    /// Reads the unwind tables of `elf`; without any, frame pointers have to be enough.
    pub(crate) fn read(elf: &[u8]) -> Self {
        let Ok(file) = object::File::parse(elf) else {
            return Self::default();
        };
        let section = |id: SectionId| {
            let section = file.section_by_name(id.name())?;
            let data = section.uncompressed_data().ok()?;
            let bytes = EndianArcSlice::new(Arc::from(&*data), RunTimeEndian::Little);
            Some((section.address(), bytes))
        };
        let text = file.section_by_name(".text");
        let bases = BaseAddresses::default().set_text(text.map_or(0, |text| text.address()));
        let for_exceptions = section(SectionId::EhFrame).map(|(address, bytes)| {
            let mut section = EhFrame::from(bytes);
            section.set_address_size(8);
            Table::read(section, bases.clone().set_eh_frame(address))
        });
        let for_debuggers = section(SectionId::DebugFrame).map(|(_, bytes)| {
            let mut section = DebugFrame::from(bytes);
            section.set_address_size(8);
            Table::read(section, bases)
        });
        let executable = |segment: &object::Segment<'_, '_>| {
            const EXECUTE: u32 = 1;
            matches!(segment.flags(), SegmentFlags::Elf { p_flags } if p_flags & EXECUTE != 0)
        };
        let code = file.segments().filter(executable).map(|segment| {
            let start = segment.address();
            start..start.saturating_add(segment.size())
        });
        let functions = file
            .symbols()
            .filter(|symbol| symbol.kind() == SymbolKind::Text);
        let mut functions: Vec<u64> = functions.map(|symbol| symbol.address()).collect();
        functions.sort_unstable();
        Self {
            for_exceptions,
            for_debuggers,
            code: code.collect(),
            functions,
        }
    }

    /// Whether the kernel's code is there.
    pub(crate) fn is_code(&self, address: u64) -> bool {
        self.code.iter().any(|range| range.contains(&address))
    }

    /// The call stack of a hart that is in the kernel: where it stands, then in each caller the
    /// last byte of the call. Empty in user mode. Its length is bounded by that of a sound stack.
    pub(crate) fn walk(&self, machine: &Machine, hart: usize) -> Vec<u64> {
        let mut stack = Vec::new();
        if machine.privilege(hart) == Privilege::User {
            return stack;
        }
        let memory = Memory {
            machine,
            satp: machine.csr(hart, csr::SATP).unwrap_or(0),
        };
        let vector = machine.csr(hart, csr::STVEC).unwrap_or(0) & !VECTOR_MODE;
        let mut registers = Registers {
            x: std::array::from_fn(|register| machine.x(hart, register)),
            pc: machine.pc(hart),
        };
        // A return address may be the first of the next function: the call is what counts.
        let mut back = 0;
        while stack.len() < DEEPEST && self.is_code(registers.pc) {
            let at = registers.pc.saturating_sub(back);
            stack.push(at);
            let known = self
                .for_exceptions
                .as_ref()
                .and_then(|table| table.caller(at, &registers, &memory))
                .or_else(|| {
                    let table = self.for_debuggers.as_ref()?;
                    table.caller(at, &registers, &memory)
                });
            let trapped = || {
                let vector = self.is_in_vector(at, vector).then_some(vector)?;
                let pc = machine.csr(hart, csr::SEPC)?;
                interrupted(vector, pc, &registers, &memory)
            };
            let (caller, step) = match known {
                Some(caller) => (Some(caller), 1),
                None => match trapped() {
                    Some(caller) => (Some(caller), 0),
                    None => {
                        let has_called_nothing = !self.in_one_function(at, registers.x[RA]);
                        let has_no_frame = stack.len() == 1 && has_called_nothing;
                        (by_frame_pointer(has_no_frame, &registers, &memory), 1)
                    }
                },
            };
            let Some(caller) = caller else { break };
            let grown = caller.x[SP].wrapping_sub(registers.x[SP]);
            let stands_still = grown == 0 && caller.pc == registers.pc;
            if grown > LARGEST_FRAME || stands_still {
                break;
            }
            registers = caller;
            back = step;
        }
        stack
    }

    /// Whether two addresses lie in one function; without symbols, all do.
    fn in_one_function(&self, one: u64, other: u64) -> bool {
        let number = |at| self.functions.partition_point(|start| *start <= at);
        number(one) == number(other)
    }

    /// Whether `at` lies in the code that traps of the kernel enter by: it has no unwind tables,
    /// and is some two hundred bytes long.
    fn is_in_vector(&self, at: u64, vector: u64) -> bool {
        const LONGEST: u64 = 512;
        self.is_code(vector) && (vector..vector + LONGEST).contains(&at)
    }
}

/// The function that a trap in the kernel interrupted. The vector makes room on the stack with its
/// first instruction and has `ra` at the bottom, in xv6 and in every kernel like it.
fn interrupted(
    vector: u64,
    pc: u64,
    registers: &Registers,
    memory: &Memory<'_>,
) -> Option<Registers> {
    let word = memory
        .read(vector & !7)?
        .checked_shr((vector & 7) as u32 * 8)?;
    let room = stack_room(Instruction::read(&word.to_le_bytes())?)?;
    let mut before = registers.clone();
    before.x[RA] = memory.read(registers.x[SP])?;
    before.x[SP] = registers.x[SP].wrapping_add(room);
    before.pc = pc;
    Some(before)
}

/// By how many bytes an instruction lowers the stack, if it is `addi sp, sp, -n`.
fn stack_room(instruction: Instruction) -> Option<u64> {
    let (source, change) = instruction.added()?;
    let lowers = source == SP && instruction.destination() == SP && change < 0;
    lowers.then_some(change.unsigned_abs())
}

/// The caller by the convention of frame pointers. A function that has made no frame, as yet or at
/// all, returns to where `ra` says, and `s0` is its caller's.
fn by_frame_pointer(
    has_no_frame: bool,
    registers: &Registers,
    memory: &Memory<'_>,
) -> Option<Registers> {
    let mut caller = registers.clone();
    let frame = registers.x[FP];
    let address = memory.read(frame.wrapping_sub(8));
    if !has_no_frame || address == Some(registers.x[RA]) {
        if frame <= registers.x[SP] {
            return None;
        }
        caller.x[RA] = address?;
        caller.x[FP] = memory.read(frame.wrapping_sub(16))?;
        caller.x[SP] = frame;
    }
    caller.pc = caller.x[RA];
    Some(caller)
}

#[cfg(test)]
mod tests {
    use super::stack_room;
    use emulator::isa::Instruction;

    #[test]
    fn the_room_that_a_vector_makes_is_read_from_its_first_instruction() {
        let room = |word: u32| stack_room(Instruction::read(&word.to_le_bytes()).unwrap());
        // addi sp, sp, -256; c.addi16sp sp, -256 and -144; addi sp, sp, 16; addi a0, sp, -16.
        assert_eq!(room(0xf001_0113), Some(256));
        assert_eq!(room(0x1234_7111), Some(256));
        assert_eq!(room(0x1234_7175), Some(144));
        assert_eq!(room(0x0101_0113), None);
        assert_eq!(room(0xff01_0513), None);
    }
}
