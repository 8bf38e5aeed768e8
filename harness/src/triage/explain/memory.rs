//! What a step did to memory: pages mapped, unmapped and changed, frames taken and given back.

use crate::driver::Driver;
use oracle::{Layout, PageFlags, PageMapping, Process};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// The most changes of one kind that are shown. The rest is counted.
const MOST: usize = 12;

const PAGE: u64 = 4096;
const FIRST_FRAME: u64 = 0x8000_0000;

/// Page tables and frames at one moment.
pub(super) struct Moment {
    mappings: BTreeMap<(Process, u64), PageMapping>,
    tables: BTreeMap<u64, Process>,
    /// How many owners each frame of RAM has, if the kernel's symbols show it.
    owners: Option<Vec<u16>>,
}

impl Moment {
    /// What the machine holds now.
    pub(super) fn of(driver: &mut Driver) -> Self {
        let mut mappings = Vec::new();
        driver.list_mappings(None, &mut mappings);
        let key = |mapping: PageMapping| ((mapping.process, mapping.address), mapping);
        Self {
            mappings: mappings.into_iter().map(key).collect(),
            tables: driver.page_tables().into_iter().collect(),
            owners: driver.frame_owners(),
        }
    }

    /// The physical address of the frame with that number.
    pub(super) fn frame(number: usize) -> u64 {
        FIRST_FRAME + PAGE * number as u64
    }

    /// How many owners the frame with that number has, if that is known. A free frame has 0.
    pub(super) fn owner_count(&self, number: usize) -> Option<u16> {
        self.owners.as_ref()?.get(number).copied()
    }

    /// What a frame holds, if it is a page or a page table of a process at its hint.
    pub(super) fn purpose(&self, frame: u64, layout: &Layout) -> Option<String> {
        let mut pages = self.mappings.values();
        if let Some(mapping) = pages.find(|mapping| mapping.frame == frame) {
            let page = page_name(layout, mapping.address);
            let page = page.unwrap_or_else(|| format!("{:#x}", mapping.address));
            return Some(format!("{page} of {}", mapping.process));
        }
        let owner = self.tables.get(&frame)?;
        Some(format!("page table of {owner}"))
    }

    fn has(&self, process: Process) -> bool {
        self.mappings.keys().any(|(whose, _)| *whose == process)
    }
}

/// What a step did to memory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MemoryChange {
    /// Pages of processes that live before and after, in order.
    pub pages: Vec<PageChange>,
    /// Frames taken and given back.
    pub frames: Vec<FrameChange>,
    /// The number of further changes.
    pub more: usize,
}

/// A page whose mapping changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PageChange {
    /// The letter of the process.
    pub process: char,
    /// Its virtual address.
    pub address: u64,
    /// The address in the words of cases, if the process still has the layout of the first program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How it was mapped; `None` if it was not.
    pub before: Option<Mapped>,
    /// How it is mapped now; `None` if it is not.
    pub after: Option<Mapped>,
}

/// How a page is mapped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mapped {
    /// Physical address of its frame.
    pub frame: u64,
    /// `r`, `w`, `x` and `u`, with a hyphen for each that the page does not have.
    pub permissions: String,
    /// How many address spaces share the frame by the kernel's own count, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sharers: Option<u16>,
}

/// A frame that was taken or given back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FrameChange {
    /// Its physical address.
    pub frame: u64,
    /// Whether it was taken. If not, it was given back.
    pub is_taken: bool,
    /// What it is used for, or was used for.
    pub purpose: String,
}

impl MemoryChange {
    /// Whether a page is mapped now that was not mapped before.
    pub(in crate::triage) fn has_new_page(&self) -> bool {
        let is_new = |page: &PageChange| page.before.is_none() && page.after.is_some();
        self.pages.iter().any(is_new)
    }

    /// The difference of two moments.
    pub(super) fn between(before: &Moment, after: &Moment, layout: &Layout) -> Self {
        let mut change = Self::default();
        let keys = before.mappings.keys().chain(after.mappings.keys());
        let mut keys: Vec<&(Process, u64)> = keys.collect();
        keys.sort_unstable();
        keys.dedup();
        for key in keys {
            if !before.has(key.0) || !after.has(key.0) {
                continue;
            }
            let (old, new) = (before.mappings.get(key), after.mappings.get(key));
            let (old, new) = (old.map(mapped), new.map(mapped));
            if old != new {
                change.add_page(PageChange {
                    process: key.0.letter(),
                    address: key.1,
                    name: page_name(layout, key.1),
                    before: old,
                    after: new,
                });
            }
        }
        if let (Some(old), Some(new)) = (&before.owners, &after.owners) {
            for (number, (old, new)) in old.iter().zip(new).enumerate() {
                if (*old == 0) != (*new == 0) {
                    let frame = Moment::frame(number);
                    let is_taken = *old == 0;
                    let moment = if is_taken { after } else { before };
                    change.add_frame(FrameChange {
                        frame,
                        is_taken,
                        purpose: moment.purpose(frame, layout).unwrap_or_else(|| {
                            "neither a page nor a page table of a process at its hint".to_owned()
                        }),
                    });
                }
            }
        }
        change
    }

    /// Whether the step left memory as it was.
    pub fn is_empty(&self) -> bool {
        self.pages.is_empty() && self.frames.is_empty()
    }

    fn add_page(&mut self, page: PageChange) {
        if self.pages.len() < MOST {
            self.pages.push(page)
        } else {
            self.more += 1
        }
    }

    fn add_frame(&mut self, frame: FrameChange) {
        if self.frames.len() < MOST {
            self.frames.push(frame)
        } else {
            self.more += 1
        }
    }
}

fn mapped(mapping: &PageMapping) -> Mapped {
    let flags = [
        (PageFlags::READ, 'r'),
        (PageFlags::WRITE, 'w'),
        (PageFlags::EXECUTE, 'x'),
        (PageFlags::USER, 'u'),
    ];
    let letter = |(flag, letter)| {
        if mapping.flags.contains(flag) {
            letter
        } else {
            '-'
        }
    };
    Mapped {
        frame: mapping.frame,
        permissions: flags.into_iter().map(letter).collect(),
        sharers: mapping.sharers,
    }
}

/// A page in the words of cases.
pub(super) fn page_name(layout: &Layout, address: u64) -> Option<String> {
    let page_of = |start: u64| address.wrapping_sub(start) / PAGE;
    let ranges = [
        (&layout.text, "text"),
        (&layout.data, "data"),
        (&layout.guard, "guard"),
        (&layout.stack, "stack"),
    ];
    let region = ranges
        .into_iter()
        .find(|(range, _)| range.contains(&address));
    if let Some((range, word)) = region {
        return Some(format!("{word}[{}]", page_of(range.start)));
    }
    if address == layout.trampoline {
        return Some("trampoline".to_owned());
    }
    if address == layout.trapframe {
        return Some("trapframe".to_owned());
    }
    let in_heap = (layout.heap..layout.trapframe).contains(&address);
    in_heap.then(|| format!("heap[{}]", page_of(layout.heap)))
}

impl fmt::Display for Mapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:#x}", self.permissions, self.frame)?;
        match self.sharers {
            Some(sharers) if sharers > 1 => write!(f, ", {sharers} sharers"),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for PageChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:#x}", self.process, self.address)?;
        if let Some(name) = &self.name {
            write!(f, " {name}")?;
        }
        match (&self.before, &self.after) {
            (None, Some(after)) => write!(f, ": now mapped, {after}"),
            (Some(before), None) => write!(f, ": no longer mapped, was {before}"),
            (Some(before), Some(after)) => write!(f, ": {before} -> {after}"),
            (None, None) => Ok(()),
        }
    }
}

impl fmt::Display for FrameChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.is_taken { "taken" } else { "given back" };
        write!(f, "frame {:#x} {verb}: {}", self.frame, self.purpose)
    }
}

impl fmt::Display for MemoryChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for page in &self.pages {
            writeln!(f, "{page}")?;
        }
        for frame in &self.frames {
            writeln!(f, "{frame}")?;
        }
        if self.more > 0 {
            writeln!(f, "and {} more changes", self.more)?;
        }
        Ok(())
    }
}
