//! Loading a kernel: the program headers of an ELF file, checked against RAM.

use crate::devices::GuestMemory;
use crate::exit::BuildError;
use crate::memory::Ram;
use object::LittleEndian;
use object::elf::{EM_RISCV, ET_EXEC, FileHeader64, PT_LOAD};
use object::read::elf::{FileHeader, ProgramHeader};

/// Puts the loadable segments of `elf` into RAM at their physical addresses; answers the entry.
///
/// # Errors
/// Anything but a little-endian, statically placed RISC-V ELF-64 whose segments lie in RAM.
pub(crate) fn load(elf: &[u8], ram: &mut Ram) -> Result<u64, BuildError> {
    let not = |what| move |_| BuildError::Elf(what);
    let header = FileHeader64::<LittleEndian>::parse(elf).map_err(not("no ELF-64 header"))?;
    let endian = header.endian().map_err(not("not little-endian"))?;
    if header.e_machine(endian) != EM_RISCV {
        return Err(BuildError::Elf("made for another machine than RISC-V"));
    }
    if header.e_type(endian) != ET_EXEC {
        return Err(BuildError::Elf(
            "not an executable linked at a fixed address",
        ));
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
