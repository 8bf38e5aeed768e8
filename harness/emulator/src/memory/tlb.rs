//! Translation lookaside buffers, a set of tables for each way of translating.
//!
//! A *context* holds the translations under one value of `satp` and one privilege. Writing `satp`
//! or trapping into the kernel picks another context and forgets nothing. Entries stay until a
//! fence removes them (see [`super::fence`]) or another page takes their place.

use super::fence::Forget;
use super::view::View;
use super::{PAGE_BYTES, PAGE_MASK};

/// Entries of one table.
pub(crate) const ENTRIES: usize = 1024;
/// Contexts of one kind a hart keeps.
const CONTEXTS: usize = 12;

const PAGE_SHIFT: u32 = PAGE_BYTES.trailing_zeros();
/// Pages that one last-level page table translates.
const PAGES_PER_TABLE: usize = 512;

/// One translation of a page.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    /// Virtual address of the page.
    pub(crate) tag: u64,
    /// What to add to a virtual address to have its offset in RAM.
    pub(crate) addend: u64,
}

impl Entry {
    /// An entry that no address probing `place` can match: its page belongs to another place.
    fn none(place: usize) -> Entry {
        Entry {
            tag: ((place ^ 1) as u64) << PAGE_SHIFT,
            addend: 0,
        }
    }

    /// Do all `width` bytes at `address` lie in this entry's page?
    #[inline(always)]
    pub(crate) fn covers(&self, address: u64, width: u64) -> bool {
        (self.tag ^ address) <= PAGE_BYTES - width
    }

    /// Offset in RAM of an address that the entry covers.
    #[inline(always)]
    pub(crate) fn offset(&self, address: u64) -> u64 {
        self.addend.wrapping_add(address)
    }
}

/// A direct-mapped table of translations.
pub(crate) struct Table {
    entries: [Entry; ENTRIES],
    /// Places written since the table was last cleared.
    filled: Vec<u16>,
}

impl Table {
    fn new() -> Table {
        Table {
            entries: std::array::from_fn(Entry::none),
            filled: Vec::new(),
        }
    }

    fn place(address: u64) -> usize {
        (address >> PAGE_SHIFT) as usize % ENTRIES
    }

    /// The entry that would hold the translation of `address`.
    #[inline(always)]
    pub(crate) fn probe(&self, address: u64) -> Entry {
        self.entries[Self::place(address)]
    }

    /// Enters the translation of the page of `address`, whose offset in RAM is `offset`.
    pub(crate) fn insert(&mut self, address: u64, offset: u64) -> usize {
        let place = Self::place(address);
        if self.filled.len() < ENTRIES {
            self.filled.push(place as u16);
        }
        let tag = address & !PAGE_MASK;
        self.entries[place] = Entry {
            tag,
            addend: (offset & !PAGE_MASK).wrapping_sub(tag),
        };
        place
    }

    /// The offset in RAM of the page that the entry at `place` translates to, if it is in use.
    fn page_at(&self, place: usize) -> Option<u64> {
        let entry = self.entries[place];
        (Self::place(entry.tag) == place).then(|| entry.offset(entry.tag))
    }

    fn remove(&mut self, place: usize) {
        self.entries[place] = Entry::none(place);
    }

    fn remove_leaf(&mut self, leaf: usize) {
        for place in (leaf..ENTRIES).step_by(PAGES_PER_TABLE) {
            self.remove(place);
        }
    }

    /// Costs what was entered since the last time.
    fn clear(&mut self) {
        if self.filled.len() < ENTRIES {
            for place in &self.filled {
                self.entries[usize::from(*place)] = Entry::none(usize::from(*place));
            }
        } else {
            for (place, entry) in self.entries.iter_mut().enumerate() {
                *entry = Entry::none(place);
            }
        }
        self.filled.clear();
    }
}

/// Translations under one view of memory.
struct Context {
    /// Pages that may be executed.
    fetch: Table,
    /// Pages that may be read.
    read: Table,
    /// Pages that may be written directly.
    write: Table,
    /// Pages that may be written, though not directly.
    guarded: Table,
}

/// The tables in use.
pub(crate) struct Tables<'a> {
    /// To fetch instructions by.
    pub(crate) fetch: &'a mut Table,
    /// To load by.
    pub(crate) read: &'a mut Table,
    /// To store by, directly.
    pub(crate) write: &'a mut Table,
    /// To store by, with bookkeeping.
    pub(crate) guarded: &'a mut Table,
}

impl Context {
    fn new() -> Context {
        Context {
            fetch: Table::new(),
            read: Table::new(),
            write: Table::new(),
            guarded: Table::new(),
        }
    }

    fn clear(&mut self) {
        self.fetch.clear();
        self.read.clear();
        self.write.clear();
        self.guarded.clear();
    }
}

/// The translations of one hart.
pub(crate) struct Tlb {
    contexts: Vec<Box<Context>>,
    /// For each context what it is for; [`View::NONE`] while it is not in use.
    views: Vec<View>,
    /// For each context when it was used last.
    used: Vec<u64>,
    uses: u64,
}

impl Tlb {
    pub(crate) fn new() -> Tlb {
        Tlb {
            contexts: Vec::new(),
            views: Vec::new(),
            used: Vec::new(),
            uses: 0,
        }
    }

    /// The place of the context for `view`, made if need be at the cost of the least recently used.
    pub(crate) fn select(&mut self, view: View) -> usize {
        self.uses += 1;
        let found = self.views.iter().position(|known| *known == view);
        let place = found.unwrap_or_else(|| self.make_room());
        self.views[place] = view;
        self.used[place] = self.uses;
        place
    }

    #[cold]
    #[inline(never)]
    fn make_room(&mut self) -> usize {
        if let Some(free) = self.views.iter().position(|view| *view == View::NONE) {
            return free;
        }
        if self.contexts.len() < CONTEXTS {
            self.contexts.push(Box::new(Context::new()));
            self.views.push(View::NONE);
            self.used.push(0);
            return self.contexts.len() - 1;
        }
        let oldest = (0..CONTEXTS).min_by_key(|place| self.used[*place]);
        let place = oldest.unwrap_or(0);
        self.contexts[place].clear();
        place
    }

    /// The tables of the contexts, given by [`Tlb::select`], to fetch by and to access data by.
    #[inline]
    pub(crate) fn tables(&mut self, fetch: usize, data: usize) -> Tables<'_> {
        if fetch == data {
            let context = &mut *self.contexts[data];
            return Tables {
                fetch: &mut context.fetch,
                read: &mut context.read,
                write: &mut context.write,
                guarded: &mut context.guarded,
            };
        }
        match self.contexts.get_disjoint_mut([fetch, data]) {
            Ok([fetch, data]) => Tables {
                fetch: &mut fetch.fetch,
                read: &mut data.read,
                write: &mut data.write,
                guarded: &mut data.guarded,
            },
            Err(_) => unreachable!("places come from select"),
        }
    }

    /// Forgets every translation. Places given by [`Tlb::select`] stay good until `release`.
    pub(crate) fn clear(&mut self) {
        for context in &mut self.contexts {
            context.clear();
        }
    }

    /// Forgets every translation and every context, as if new.
    pub(crate) fn release(&mut self) {
        self.clear();
        self.views.fill(View::NONE);
        self.used.fill(0);
        self.uses = 0;
    }

    /// Forgets what a fence says.
    pub(crate) fn forget(&mut self, what: Forget<'_>) {
        match what {
            Forget::Everything => self.clear(),
            Forget::Leaves(leaves) => {
                for leaf in leaves {
                    for context in &mut self.contexts {
                        context.fetch.remove_leaf(usize::from(leaf));
                        context.read.remove_leaf(usize::from(leaf));
                        context.write.remove_leaf(usize::from(leaf));
                        context.guarded.remove_leaf(usize::from(leaf));
                    }
                }
            }
        }
    }

    /// Removes the direct write entries for the page at `offset` in RAM.
    pub(crate) fn forbid_direct_writes(&mut self, hart: usize, offset: u64, writer: u32) {
        match Writer::unpack(writer) {
            Writer::Nowhere => {}
            Writer::At(owner, context, place) => {
                if owner == hart && self.contexts.get(context).is_some() {
                    let table = &mut self.contexts[context].write;
                    if table.page_at(place) == Some(offset) {
                        table.remove(place);
                    }
                }
            }
            Writer::Anywhere => {
                for context in &mut self.contexts {
                    for at in 0..context.write.filled.len() {
                        let place = usize::from(context.write.filled[at]);
                        if context.write.page_at(place) == Some(offset) {
                            context.write.remove(place);
                        }
                    }
                    if context.write.filled.len() >= ENTRIES {
                        for place in 0..ENTRIES {
                            if context.write.page_at(place) == Some(offset) {
                                context.write.remove(place);
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Where direct write entries for a page may be.
enum Writer {
    Nowhere,
    /// Hart, context, place.
    At(usize, usize, usize),
    Anywhere,
}

const ANYWHERE: u32 = u32::MAX;

impl Writer {
    fn unpack(packed: u32) -> Writer {
        match packed {
            0 => Writer::Nowhere,
            ANYWHERE => Writer::Anywhere,
            _ => {
                let packed = packed - 1;
                Writer::At(
                    (packed >> 16) as usize,
                    (packed >> 10) as usize % 64,
                    packed as usize % ENTRIES,
                )
            }
        }
    }
}

/// Notes a new direct write entry beside what was known, `old`.
pub(crate) fn writer_with(old: u32, hart: usize, context: usize, place: usize) -> u32 {
    let new = 1 + ((hart as u32) << 16 | (context as u32) << 10 | place as u32);
    if old == 0 || old == new {
        new
    } else {
        ANYWHERE
    }
}
