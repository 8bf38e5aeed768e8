//! From an address in the kernel to the functions and lines of its source.

use gimli::{EndianArcSlice, RunTimeEndian};
use object::{Object, ObjectSection};
use serde::Serialize;
use std::fmt;
use std::sync::Arc;

use super::symbols::Symbols;

/// A place in the kernel's source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The file, from the kernel's own source folder on.
    pub file: String,
    /// The line, from 1; 0 where the compiler named none.
    pub line: u32,
    /// The file as the compiler named it.
    pub path: String,
}

/// The kernel's line tables.
pub(crate) struct Lines {
    context: Option<addr2line::Context<EndianArcSlice<RunTimeEndian>>>,
}

impl Lines {
    /// Reads the line tables of `elf`; without any, no address has a place.
    pub(crate) fn read(elf: &[u8]) -> Self {
        let context = object::File::parse(elf).ok().and_then(|file| {
            let load = |section: gimli::SectionId| -> Result<_, gimli::Error> {
                let data = file
                    .section_by_name(section.name())
                    .and_then(|section| section.uncompressed_data().ok())
                    .unwrap_or_default();
                Ok(EndianArcSlice::new(
                    Arc::from(&*data),
                    RunTimeEndian::Little,
                ))
            };
            let dwarf = gimli::Dwarf::load(load).ok()?;
            addr2line::Context::from_dwarf(dwarf).ok()
        });
        Self { context }
    }

    /// The place of `address`: where a function of a library was inlined, the place in the kernel
    /// that it was inlined to.
    pub(crate) fn place(&self, address: u64) -> Option<Place> {
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

    /// The functions at work at `address`: those that were inlined there first, the one that they
    /// were inlined to last; empty where the tables say nothing.
    fn frames(&self, address: u64) -> Vec<Frame> {
        let mut found = Vec::new();
        let Some(context) = &self.context else {
            return found;
        };
        let Ok(mut frames) = context.find_frames(address).skip_all_loads() else {
            return found;
        };
        while let Ok(Some(frame)) = frames.next() {
            let Some(function) = frame.function.as_ref() else {
                continue;
            };
            let Ok(name) = function.raw_name() else {
                continue;
            };
            let location = frame.location.as_ref();
            let file = location.and_then(|location| location.file);
            let own = file.and_then(own_file);
            found.push(Frame {
                function: qualified(readable(&name), own),
                file: own.map(str::to_owned),
                line: location.and_then(|location| location.line),
                address,
                // A closure belongs to its function, and has no name that says more.
                is_library: (file.is_some() && own.is_none()) || name.contains("{closure"),
            });
        }
        found
    }
}

/// A function of the kernel at work, and where in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Frame {
    /// Its name; an address in hexadecimal where nothing tells.
    pub function: String,
    /// The source file, from the kernel's own source folder on; `None` in a library, and where
    /// nothing tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line in it, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The instruction.
    pub address: u64,
    /// Whether it comes with the compiler, or has no name of its own: a closure.
    #[serde(skip)]
    pub is_library: bool,
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.function)?;
        match (&self.file, self.line) {
            (Some(file), Some(line)) => write!(f, " ({file}:{line})"),
            (Some(file), None) => write!(f, " ({file})"),
            (None, _) if self.is_library => write!(f, " (library)"),
            (None, _) => write!(f, " ({:#x})", self.address),
        }
    }
}

/// The functions at work at each of `stack`, the innermost first, with those that were inlined.
pub(crate) fn frames(lines: &Lines, symbols: &Symbols, stack: &[u64]) -> Vec<Frame> {
    let at = |address: &u64| {
        let known = lines.frames(*address);
        if known.is_empty() {
            vec![by_symbol(symbols, *address)]
        } else {
            known
        }
    };
    stack.iter().flat_map(at).collect()
}

/// What the symbol table alone says of an address.
fn by_symbol(symbols: &Symbols, address: u64) -> Frame {
    let inside = symbols.extent().contains(&address);
    let name = symbols.function(address).filter(|_| inside);
    let is_library = |name: &str| {
        let library = [
            "core::",
            "<core::",
            "alloc::",
            "compiler_builtins::",
            "__rustc",
        ];
        library.iter().any(|start| name.starts_with(start))
    };
    Frame {
        function: name.map_or_else(|| format!("{address:#x}"), |(name, _)| readable(name)),
        file: None,
        line: None,
        address,
        is_library: name.is_some_and(|(name, _)| is_library(name)),
    }
}

/// A function's name as a person would write it, the same in every build: no mangling, no hash, no
/// parameters of types, and of its path the last module or type.
pub(crate) fn readable(name: &str) -> String {
    let name = format!("{:#}", rustc_demangle::demangle(name));
    let segments: Vec<&str> = segments(&name)
        .map(bare)
        .filter(|segment| !segment.is_empty() && !segment.starts_with('{'))
        .collect();
    match segments.as_slice() {
        [] => name,
        [.., module, function] => format!("{module}::{function}"),
        [function] => (*function).to_owned(),
    }
}

/// A Rust function's name with its module: line tables name it alone, and many are named `new`.
fn qualified(function: String, file: Option<&str>) -> String {
    let Some(path) = file.and_then(|file| file.strip_suffix(".rs")) else {
        return function;
    };
    let module = path.strip_suffix("/mod").unwrap_or(path);
    match module.rsplit('/').next() {
        Some(module) if !function.contains("::") => format!("{module}::{function}"),
        _ => function,
    }
}

/// The parts of a path, where `::` inside angle brackets does not part.
fn segments(path: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_u32;
    path.split(move |letter| {
        match letter {
            '<' => depth += 1,
            '>' => depth = depth.saturating_sub(1),
            _ => {}
        }
        letter == ':' && depth == 0
    })
}

/// A segment's name: of `<impl Trait for a::Type>` and of `<a::Type as Trait>` it is `Type`.
fn bare(segment: &str) -> &str {
    let Some(inner) = segment.strip_prefix('<') else {
        return segment.split('<').next().unwrap_or(segment);
    };
    let inner = inner.strip_suffix('>').unwrap_or(inner);
    let inner = inner.split(" as ").next().unwrap_or(inner);
    let inner = inner.rsplit(" for ").next().unwrap_or(inner);
    let inner = inner.strip_prefix("impl ").unwrap_or(inner);
    let inner = inner.split('<').next().unwrap_or(inner);
    inner.rsplit("::").next().unwrap_or(inner)
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
    use super::{own_file, qualified, readable};

    #[test]
    fn functions_are_named_as_people_say_them() {
        for (name, wanted) in [
            ("uvmcopy", "uvmcopy"),
            (
                "_ZN6kernel11file_system4path4find17h8556c905749d017bE",
                "path::find",
            ),
            (
                "kernel::memory::address_space::AddressSpace::fork",
                "AddressSpace::fork",
            ),
            (
                "kernel::contents::<impl kernel::inode::Inode>::block",
                "Inode::block",
            ),
            (
                "<kernel::exec::OnePath as kernel::exec::Arguments>::push",
                "OnePath::push",
            ),
            (
                "<impl core::fmt::Write for kernel::print::Output>::write",
                "Output::write",
            ),
            ("kernel::pool::Pool<T,N>::take::{{closure}}", "Pool::take"),
            ("", ""),
            (">>::<", ">>"),
        ] {
            assert_eq!(readable(name), wanted);
        }
    }

    #[test]
    fn functions_of_rust_are_named_with_their_module() {
        let name = |function: &str, file| qualified(function.to_owned(), file);
        assert_eq!(name("take", Some("memory/frames.rs")), "frames::take");
        assert_eq!(
            name("perform", Some("system_call/mod.rs")),
            "system_call::perform"
        );
        assert_eq!(name("Pool::take", Some("memory/pool.rs")), "Pool::take");
        assert_eq!(name("uvmcopy", Some("vm.c")), "uvmcopy");
        assert_eq!(name("take", None), "take");
    }

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
