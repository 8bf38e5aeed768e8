//! From an address in the kernel to the line of its source.

use gimli::{EndianRcSlice, RunTimeEndian};
use object::{Object, ObjectSection};
use std::rc::Rc;

/// A place in the kernel's source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The file, from the kernel's own source folder on.
    pub file: String,
    /// The line, from 1; 0 where the compiler named none.
    pub line: u32,
    /// The file as the compiler named it.
    pub path: String,
}

/// The kernel's line tables.
pub(super) struct Lines {
    context: Option<addr2line::Context<EndianRcSlice<RunTimeEndian>>>,
}

impl Lines {
    /// Reads the line tables of `elf`; without any, no address has a place.
    pub(super) fn read(elf: &[u8]) -> Self {
        let context = object::File::parse(elf).ok().and_then(|file| {
            let load = |section: gimli::SectionId| -> Result<_, gimli::Error> {
                let data = file
                    .section_by_name(section.name())
                    .and_then(|section| section.uncompressed_data().ok())
                    .unwrap_or_default();
                Ok(EndianRcSlice::new(Rc::from(&*data), RunTimeEndian::Little))
            };
            let dwarf = gimli::Dwarf::load(load).ok()?;
            addr2line::Context::from_dwarf(dwarf).ok()
        });
        Self { context }
    }

    /// The place of `address`: where a function of a library was inlined, the place in the kernel
    /// that it was inlined to.
    pub(super) fn place(&self, address: u64) -> Option<Place> {
        let mut frames = self
            .context
            .as_ref()?
            .find_frames(address)
            .skip_all_loads()
            .ok()?;
        while let Ok(Some(frame)) = frames.next() {
            let Some(location) = frame.location else {
                continue;
            };
            let path = location.file.unwrap_or_default();
            if let Some(file) = own_file(path).filter(|file| !file.is_empty()) {
                return Some(Place {
                    file: file.to_owned(),
                    line: location.line.unwrap_or(0),
                    path: path.to_owned(),
                });
            }
        }
        None
    }
}

/// The part of a path below the kernel's source folder; `None` for a library's file.
fn own_file(path: &str) -> Option<&str> {
    if ["/library/", "/registry/", "/rustlib/"]
        .iter()
        .any(|library| path.contains(library))
    {
        return None;
    }
    let after = |folder: &str| path.rfind(folder).map(|at| &path[at + folder.len()..]);
    Some(after("/src/").or_else(|| after("/kernel/")).unwrap_or(path))
}

#[cfg(test)]
mod tests {
    use super::own_file;

    #[test]
    fn files_are_named_from_the_source_folder_on() {
        assert_eq!(
            own_file("/home/me/kernel/src/memory/frames.rs"),
            Some("memory/frames.rs")
        );
        assert_eq!(own_file("/home/me/xv6/kernel/vm.c"), Some("vm.c"));
        assert_eq!(own_file("/rustc/abc/library/core/src/iter.rs"), None);
    }
}
