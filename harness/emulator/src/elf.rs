//! Loading a kernel: the program headers of an ELF file, checked against RAM.

use crate::devices::GuestMemory;
use crate::exit::BuildError;
use crate::memory::Ram;
use object::LittleEndian;
use object::elf::{
    ELFCLASS32, ELFCLASS64, ELFDATA2LSB, ELFMAG, EM_386, EM_AARCH64, EM_ARM, EM_RISCV, EM_X86_64,
    ET_EXEC, FileHeader64, Ident, PT_LOAD,
};
use object::read::elf::{FileHeader, ProgramHeader};

/// Puts the loadable segments of `elf` into RAM at their physical addresses; returns the entry.
///
/// # Errors
/// Anything but a little-endian, statically placed RISC-V ELF-64 whose segments lie in RAM.
pub(crate) fn load(elf: &[u8], ram: &mut Ram) -> Result<u64, BuildError> {
    let not = |what| move |_| BuildError::Elf(what);
    check_machine(elf)?;
    let header = FileHeader64::<LittleEndian>::parse(elf).map_err(not("its header is cut off"))?;
    let endian = header.endian().map_err(not("it is big-endian"))?;
    if header.e_type(endian) != ET_EXEC {
        return Err(BuildError::Elf("it is not linked at a fixed address"));
    }
    let segments = header
        .program_headers(endian, elf)
        .map_err(not("its program headers are cut off"))?;
    let mut loaded = false;
    for segment in segments.iter().filter(|s| s.p_type(endian) == PT_LOAD) {
        let address = segment.p_paddr(endian);
        let bytes = segment.p_memsz(endian);
        let data = segment
            .data(endian, elf)
            .map_err(|()| BuildError::Elf("a segment is cut off"))?;
        if data.len() as u64 > bytes {
            return Err(BuildError::Elf(
                "a segment is longer in the file than in memory",
            ));
        }
        // RAM is zero already: only what the file holds has to be written.
        let fits = ram.offset(address, bytes).is_some() && ram.write(address, data);
        fits.then_some(())
            .ok_or(BuildError::SegmentOutsideRam { address, bytes })?;
        loaded = true;
    }
    let entry = header.e_entry(endian);
    if !loaded {
        return Err(BuildError::Elf("nothing in it is to be loaded"));
    }
    if ram.offset(entry, 2).is_none() || entry % 2 != 0 {
        return Err(BuildError::Elf("its entry point is not in RAM"));
    }
    Ok(entry)
}

/// Checks the head that ELF files of all classes have in common, so that a file for another machine
/// is called one.
fn check_machine(elf: &[u8]) -> Result<(), BuildError> {
    const MACHINE: usize = size_of::<Ident>() + 2;
    let because = |what| Err(BuildError::Elf(what));
    if !elf.starts_with(&ELFMAG) {
        return because("it does not begin as an ELF file does");
    }
    let Some([low, high]) = elf.get(MACHINE..).and_then(|rest| rest.first_chunk()) else {
        return because("its header is cut off");
    };
    let machine = u16::from_le_bytes([*low, *high]);
    match (elf[4], elf[5], machine) {
        (ELFCLASS64, ELFDATA2LSB, EM_RISCV) => Ok(()),
        (ELFCLASS32, ELFDATA2LSB, EM_RISCV) => because("it is made for RV32"),
        (_, ELFDATA2LSB, EM_X86_64) => because("it is made for x86-64"),
        (_, ELFDATA2LSB, EM_386) => because("it is made for x86, as the xv6 before 2019 is"),
        (_, ELFDATA2LSB, EM_AARCH64 | EM_ARM) => because("it is made for ARM"),
        (_, ELFDATA2LSB, _) => because("it is made for another machine"),
        _ => because("it is big-endian"),
    }
}
