//! Every mutant that a kernel offers.

use super::operators::{self, Operator};
use crate::guest::source::Lines;
use emulator::isa::Instruction;
use object::{Object, ObjectSection, ObjectSymbol, SectionKind, SymbolKind};
use serde::Serialize;
use std::collections::HashSet;

/// The kernel with one instruction changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mutant {
    /// Address of the instruction: virtual and physical, xv6 maps itself one to one.
    pub address: u64,
    /// What is done to it.
    pub operator: Operator,
    /// The function that holds it, demangled.
    pub function: String,
    /// The source file, from the kernel's source folder on.
    pub file: String,
    /// The line there, from 1; 0 if unknown.
    pub line: u32,
    /// The source file as the compiler named it; it is read if it exists.
    #[serde(skip)]
    pub path: String,
    /// The instruction's bytes.
    #[serde(skip)]
    pub original: Vec<u8>,
    /// The instruction's bytes after the change, as many as before.
    #[serde(skip)]
    pub changed: Vec<u8>,
}

/// Why a kernel offers no mutants.
#[derive(Debug, thiserror::Error)]
pub enum NoSites {
    /// It cannot be read.
    #[error("the kernel is not an ELF file: {0}")]
    NotElf(#[from] object::Error),
    /// Nothing says which file an instruction comes from.
    #[error(
        "no instruction of the kernel comes from the chosen files: either it was built without line \
         tables (in Rust: debug = \"line-tables-only\", in C: -g), or --files names none of its sources"
    )]
    NoLines,
}

/// The mutants of the kernel `elf` in source files whose path contains one of `files`, in the
/// order of their addresses.
///
/// # Errors
/// The file is no ELF file, or no instruction comes from such a source file.
pub fn sites(elf: &[u8], files: &[String]) -> Result<Vec<Mutant>, NoSites> {
    let file = object::File::parse(elf)?;
    let lines = Lines::read(elf);
    let panics = panics(&file);
    let mut mutants = Vec::new();
    for symbol in file.symbols() {
        if symbol.kind() != SymbolKind::Text || symbol.size() == 0 {
            continue;
        }
        let code = symbol
            .section_index()
            .and_then(|index| file.section_by_index(index).ok())
            .and_then(|section| section.data_range(symbol.address(), symbol.size()).ok()?);
        let (Some(code), Ok(name)) = (code, symbol.name()) else {
            continue;
        };
        let function = format!("{:#}", rustc_demangle::demangle(name));
        let doomed = doomed(&panics, symbol.address(), code);
        let mut before = None;
        for (address, instruction) in instructions(symbol.address(), code) {
            let is_address = operators::ends_address(before, instruction);
            before = Some(instruction);
            if is_address || operators::saves_register(instruction) || doomed.contains(&address) {
                continue;
            }
            let mut changes = operators::changes(instruction);
            if guards_panic(&file, &panics, address, instruction) {
                changes.retain(|(operator, _)| *operator == Operator::BranchInverted);
            }
            if changes.is_empty() {
                continue;
            }
            let Some(place) = lines.place(address) else {
                continue;
            };
            if !files.iter().any(|part| place.file.contains(part.as_str())) {
                continue;
            }
            mutants.extend(changes.into_iter().map(|(operator, changed)| Mutant {
                address,
                operator,
                function: function.clone(),
                file: place.file.clone(),
                line: place.line,
                path: place.path.clone(),
                original: instruction.bytes(),
                changed: changed.bytes(),
            }));
        }
    }
    // A function may have two names.
    mutants.sort_by_key(|mutant| (mutant.address, mutant.operator));
    mutants.dedup_by_key(|mutant| (mutant.address, mutant.operator));
    if mutants.is_empty() {
        return Err(NoSites::NoLines);
    }
    Ok(mutants)
}

/// The functions that are called when something is wrong with the kernel itself.
fn panics(file: &object::File<'_>) -> HashSet<u64> {
    file.symbols()
        .filter(|symbol| symbol.kind() == SymbolKind::Text)
        .filter(|symbol| {
            let name = symbol.name().unwrap_or_default();
            let name = format!("{:#}", rustc_demangle::demangle(name));
            name == "panic" || name.starts_with("core::") && PANICS.iter().any(|p| name.contains(p))
        })
        .map(|symbol| symbol.address())
        .collect()
}

/// Parts of the names of the standard library's functions that panic.
const PANICS: [&str; 4] = ["panic", "unwrap_failed", "expect_failed", "_fail"];

/// Most instructions between a failed check and its call of a panic.
const PANIC_DISTANCE: usize = 8;

/// Whether the instruction is a branch that leads to a panic when it is taken. It can only matter
/// in a kernel that is wrong already: without it, or with its limit moved, a sound kernel behaves
/// the same, and no test could notice.
fn guards_panic(
    file: &object::File<'_>,
    panics: &HashSet<u64>,
    address: u64,
    instruction: Instruction,
) -> bool {
    let code = instruction
        .branch_target(address)
        .and_then(|target| Some((target, code_at(file, target)?)));
    let Some((target, code)) = code else {
        return false;
    };
    let block: Vec<_> = instructions(target, code).take(PANIC_DISTANCE).collect();
    for (at, (address, instruction)) in block.iter().enumerate() {
        let next = block.get(at + 1).map(|(_, next)| *next);
        match instruction.call_target(*address, next) {
            Some(called) => return panics.contains(&called),
            None if instruction.ends_block() => return false,
            None => {}
        }
    }
    false
}

/// The instructions of a function that can only lead to a panic: what they do
/// matters only to its message.
fn doomed(panics: &HashSet<u64>, start: u64, code: &[u8]) -> HashSet<u64> {
    let body: Vec<_> = instructions(start, code).collect();
    let mut doomed = HashSet::new();
    let mut straight = Vec::new();
    for (at, (address, instruction)) in body.iter().enumerate() {
        straight.push(*address);
        let next = body.get(at + 1).map(|(_, next)| *next);
        let called = instruction.call_target(*address, next);
        if called.is_some_and(|called| panics.contains(&called)) {
            doomed.extend(straight.drain(..));
        } else if instruction.ends_block() {
            straight.clear();
        }
    }
    doomed
}

/// The instructions in `code`, which lies at `start`.
pub(super) fn instructions(start: u64, code: &[u8]) -> impl Iterator<Item = (u64, Instruction)> {
    Instruction::all(code).map(move |(offset, instruction)| (start + offset as u64, instruction))
}

/// The kernel's code from `address` to the end of its section.
pub(super) fn code_at<'data>(file: &object::File<'data>, address: u64) -> Option<&'data [u8]> {
    file.sections()
        .filter(|section| section.kind() == SectionKind::Text)
        .find_map(|section| {
            let at = address.checked_sub(section.address())?;
            section.data().ok()?.get(usize::try_from(at).ok()?..)
        })
        .filter(|code| !code.is_empty())
}

/// Keeps `count` of the mutants, or all for 0, in their order: which ones depends on `seed` alone.
pub fn draw(mutants: &mut Vec<Mutant>, count: usize, seed: u64) {
    if count == 0 || count >= mutants.len() {
        return;
    }
    let mut random = fastrand::Rng::with_seed(seed);
    let mut kept = random.choose_multiple(0..mutants.len(), count);
    kept.sort_unstable();
    *mutants = kept.into_iter().map(|at| mutants[at].clone()).collect();
}
