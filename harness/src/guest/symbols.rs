//! The kernel's symbol table: addresses of the few symbols that Faultline reads, and names for reports.

use object::{Object, ObjectSection, ObjectSegment, ObjectSymbol, SectionKind, SymbolKind};
use std::ops::Range;

/// Where something lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) address: u64,
    pub(super) bytes: u64,
}

/// Names and addresses from the kernel's ELF file. A stripped kernel has none, and costs only the
/// checks that need them.
#[derive(Clone, Debug, Default)]
pub struct Symbols {
    /// Sorted by address.
    functions: Vec<(u64, String)>,
    named: Vec<(String, Place)>,
    extent: Range<u64>,
}

impl Symbols {
    /// Reads the symbol table of `elf`; no table, or a broken one, gives no symbols.
    pub fn read(elf: &[u8]) -> Self {
        let Ok(file) = object::File::parse(elf) else {
            return Self::default();
        };
        let mut symbols = Self::default();
        for symbol in file.symbols() {
            let Ok(name) = symbol.name() else { continue };
            let is_function = is_function(&file, &symbol);
            if name.is_empty() || !(is_function || symbol.is_definition()) {
                continue;
            }
            let place = Place {
                address: symbol.address(),
                bytes: symbol.size(),
            };
            symbols.named.push((name.to_owned(), place));
            if is_function {
                let name = format!("{:#}", rustc_demangle::demangle(name));
                symbols.functions.push((symbol.address(), name));
            }
        }
        for segment in file.segments() {
            let start = segment.address();
            let end = start.saturating_add(segment.size());
            symbols.extent = match symbols.extent {
                Range { start: 0, end: 0 } => start..end,
                Range {
                    start: low,
                    end: high,
                } => low.min(start)..high.max(end),
            };
        }
        symbols.named.sort();
        symbols.functions.sort();
        symbols
    }

    /// The address of the symbol spelled exactly `name`.
    pub fn address(&self, name: &str) -> Option<u64> {
        self.place(name).map(|place| place.address)
    }

    /// The object that holds the byte at `address`.
    pub(super) fn object_at(&self, address: u64) -> Option<Place> {
        let mut places = self.named.iter().map(|(_, place)| *place);
        places.find(|place| address.wrapping_sub(place.address) < place.bytes)
    }

    /// Where the symbol is that is spelled exactly `name`.
    pub(super) fn place(&self, name: &str) -> Option<Place> {
        let at = self
            .named
            .binary_search_by(|(candidate, _)| candidate.as_str().cmp(name))
            .ok()?;
        Some(self.named[at].1)
    }

    /// Where a panic begins, or ends: the function `panic`, or what the compiler calls the handler of
    /// a kernel in Rust.
    pub fn panic_entry(&self) -> Option<u64> {
        let handler = |name: &str| name.rsplit("::").next() == Some("rust_begin_unwind");
        self.address("panic").or_else(|| {
            let mut functions = self.functions.iter();
            functions.find_map(|(at, name)| handler(name).then_some(*at))
        })
    }

    /// The addresses of the C functions whose names begin with `beginning`.
    pub fn functions_named_like(&self, beginning: &str) -> impl Iterator<Item = u64> {
        let functions = self.functions.iter();
        let alike = functions
            .filter(move |(_, name)| name.starts_with(beginning) && !name.contains([':', '.']));
        alike.map(|(at, _)| *at)
    }

    /// Where the kernel's code and data lie.
    pub fn extent(&self) -> Range<u64> {
        self.extent.clone()
    }

    /// The function that holds `pc`, and how far into it.
    pub fn function(&self, pc: u64) -> Option<(&str, u64)> {
        let after = self.functions.partition_point(|(start, _)| *start <= pc);
        let (start, name) = self.functions.get(after.checked_sub(1)?)?;
        Some((name, pc - start))
    }
}

/// Whether a symbol names code: a function, or what assembly makes known to others, which is seldom
/// marked as one.
fn is_function(file: &object::File<'_>, symbol: &object::Symbol<'_, '_>) -> bool {
    let section = || file.section_by_index(symbol.section_index()?).ok();
    match symbol.kind() {
        SymbolKind::Text => symbol.is_definition(),
        SymbolKind::Unknown if symbol.is_global() => {
            section().is_some_and(|section| section.kind() == SectionKind::Text)
        }
        _ => false,
    }
}
