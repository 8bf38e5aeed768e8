//! Translation lookaside buffers, a set of tables for each way of translating.
//!
//! A *context* holds the translations under one value of `satp` and one privilege. Writing `satp`
//! or trapping into the kernel picks another context and forgets nothing. Entries stay until a
//! fence removes them (see [`super::fence`]) or another page takes their place.
//!
//! Hardware distinguishes address spaces by their identifiers only. So an identifier is *bound* to the
//! first page table that it is used with; with another one, it goes on to use the contexts of the
//! first, and what it enters there is *mixed* in, until a fence covers it. (Keeping contexts by the
//! page table as well lets a kernel that fences at each switch find its translations again.)

use super::fence::{Fences, Scope};
use super::sv39::Reach;
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
    /// The reach of each entry.
    reach: [Reach; ENTRIES],
    /// Places written since the table was last cleared.
    filled: Vec<u16>,
    /// The reach of all entries since then together.
    any: Reach,
}

impl Table {
    fn new() -> Table {
        Table {
            entries: std::array::from_fn(Entry::none),
            reach: [Reach::default(); ENTRIES],
            filled: Vec::new(),
            any: Reach::default(),
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

    /// The reach of the entry that [`Table::probe`] gives.
    pub(crate) fn reach(&self, address: u64) -> Reach {
        self.reach[Self::place(address)]
    }

    /// Enters the translation of the page of `address`, whose offset in RAM is `offset`.
    pub(crate) fn insert(&mut self, address: u64, offset: u64, reach: Reach) -> usize {
        let place = Self::place(address);
        self.reach[place] = reach;
        self.any.is_global |= reach.is_global;
        self.any.is_large |= reach.is_large;
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

    /// Forgets a page, and with it all of a large one that it may be a part of.
    fn forget_page(&mut self, address: u64, spare_global: bool) {
        let place = Self::place(address);
        if self.any.is_large {
            self.forget_all(spare_global);
        } else if self.entries[place].covers(address, 1) && !self.is_spared(place, spare_global) {
            self.remove(place);
        }
    }

    /// Forgets translations by these entries of last-level tables.
    fn forget_leaves(&mut self, leaves: &[u16], spare_global: bool) {
        for leaf in leaves {
            for place in (usize::from(*leaf)..ENTRIES).step_by(PAGES_PER_TABLE) {
                if !self.is_spared(place, spare_global) {
                    self.remove(place);
                }
            }
        }
    }

    fn forget_all(&mut self, spare_global: bool) {
        if !(spare_global && self.any.is_global) {
            return self.clear();
        }
        for place in 0..ENTRIES {
            if !self.reach[place].is_global {
                self.remove(place);
            }
        }
    }

    fn is_spared(&self, place: usize, spare_global: bool) -> bool {
        spare_global && self.reach[place].is_global
    }

    /// How many entries were entered since the table was last cleared; `None`: very many.
    fn entered(&self) -> Option<usize> {
        (self.filled.len() < ENTRIES).then_some(self.filled.len())
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
        self.any = Reach::default();
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

    fn tables(&mut self) -> [&mut Table; 4] {
        let Context {
            fetch,
            read,
            write,
            guarded,
        } = self;
        [fetch, read, write, guarded]
    }

    fn clear(&mut self) {
        self.tables().into_iter().for_each(Table::clear);
    }

    /// How many entries were entered since it was last cleared; `None`: very many.
    fn entered(&self) -> Option<usize> {
        let tables = [&self.fetch, &self.read, &self.write, &self.guarded];
        tables.into_iter().map(Table::entered).sum()
    }

    fn holds_global(&self) -> bool {
        let tables = [&self.fetch, &self.read, &self.write, &self.guarded];
        tables.into_iter().any(|table| table.any.is_global)
    }
}

/// What is known of a context.
#[derive(Clone, Copy)]
struct Use {
    /// What it is for; [`View::NONE`] while it is not in use.
    view: View,
    /// When it was used last.
    last: u64,
    /// Changes of page tables before this one it has been fenced against.
    seen: u64,
    /// It holds translations by another page table than its own.
    mixed: bool,
}

impl Use {
    const NONE: Use = Use {
        view: View::NONE,
        last: 0,
        seen: 0,
        mixed: false,
    };
}

/// Which page table's contexts an address-space identifier uses.
struct Binding {
    identifier: u16,
    /// Number of the root's frame.
    root: u64,
}

/// The translations of one hart.
pub(crate) struct Tlb {
    contexts: Vec<Box<Context>>,
    /// What each context is for.
    uses: Vec<Use>,
    /// When [`Use::last`] was: the number of selections.
    now: u64,
    bindings: Vec<Binding>,
    /// Contexts in use with another page table than their own, and how many entries they had when
    /// that began.
    strangers: Vec<(usize, Option<usize>)>,
}

impl Tlb {
    pub(crate) fn new() -> Tlb {
        Tlb {
            contexts: Vec::new(),
            uses: Vec::new(),
            now: 0,
            bindings: Vec::new(),
            strangers: Vec::new(),
        }
    }

    /// The place of the context for `view`, made if need be at the cost of the least recently used,
    /// and whether it is another page table's. `change`: the number of the next change of a table.
    pub(crate) fn select(&mut self, view: View, change: u64) -> (usize, bool) {
        self.now += 1;
        let bound = self.bound(view);
        let found = self.uses.iter().position(|known| known.view == bound);
        let place = found.unwrap_or_else(|| {
            let place = self.make_room();
            self.uses[place] = Use {
                view: bound,
                seen: change,
                ..Use::NONE
            };
            place
        });
        self.uses[place].last = self.now;
        let is_strange = bound != view;
        if is_strange {
            let entered = self.contexts[place].entered();
            self.strangers.push((place, entered));
        }
        (place, is_strange)
    }

    /// The view whose contexts `view` uses, by its identifier.
    fn bound(&mut self, view: View) -> View {
        let Some((identifier, root)) = view.space() else {
            return view;
        };
        let mut bindings = self.bindings.iter();
        match bindings.find(|binding| binding.identifier == identifier) {
            Some(binding) => view.with_root(binding.root),
            None => {
                self.bindings.push(Binding { identifier, root });
                view
            }
        }
    }

    /// Notes which contexts hold translations by other tables than their own.
    pub(crate) fn note_strangers(&mut self) {
        for (place, before) in self.strangers.drain(..) {
            let after = self.contexts[place].entered();
            self.uses[place].mixed |= after.is_none() || after != before;
        }
    }

    #[cold]
    #[inline(never)]
    fn make_room(&mut self) -> usize {
        if let Some(free) = self.uses.iter().position(|known| known.view == View::NONE) {
            return free;
        }
        if self.contexts.len() < CONTEXTS {
            self.contexts.push(Box::new(Context::new()));
            self.uses.push(Use::NONE);
            return self.contexts.len() - 1;
        }
        let oldest = (0..CONTEXTS).min_by_key(|place| self.uses[*place].last);
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

    /// Forgets where code is.
    pub(crate) fn forget_code(&mut self) {
        for context in &mut self.contexts {
            context.fetch.clear();
        }
    }

    /// Forgets every translation and every context, as if new.
    pub(crate) fn release(&mut self) {
        self.clear();
        self.uses.fill(Use::NONE);
        self.now = 0;
        self.bindings.clear();
        self.strangers.clear();
    }

    /// Forgets what a fence covers, as far as it changed. Returns whether another fence may have
    /// something to do.
    pub(crate) fn fence(&mut self, scope: Scope, fences: &Fences) -> bool {
        self.note_strangers();
        let spare_global = scope.spares_global();
        let mut is_due = false;
        for (known, context) in self.uses.iter_mut().zip(&mut self.contexts) {
            let Some((identifier, _)) = known.view.space() else {
                continue;
            };
            let changes = fences.since(known.seen);
            let is_behind = known.mixed || changes.is_none_or(|changes| !changes.is_empty());
            if !scope.covers(identifier) {
                is_due |= is_behind;
                continue;
            }
            if let Some(address) = scope.address {
                is_due |= is_behind;
                let tables = context.tables().into_iter();
                tables.for_each(|table| table.forget_page(address, spare_global));
                continue;
            }
            let changes = changes.filter(|_| !known.mixed);
            for table in context.tables() {
                match changes {
                    Some(leaves) => table.forget_leaves(leaves, spare_global),
                    None => table.forget_all(spare_global),
                }
            }
            if spare_global && context.holds_global() {
                is_due |= is_behind;
                continue;
            }
            known.seen = fences.now();
            known.mixed = false;
        }
        if scope.address.is_none() {
            self.bindings
                .retain(|binding| !scope.covers(binding.identifier));
        }
        is_due
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

/// Notes a new direct write entry in addition to what was known, `old`.
pub(crate) fn writer_with(old: u32, hart: usize, context: usize, place: usize) -> u32 {
    let new = 1 + ((hart as u32) << 16 | (context as u32) << 10 | place as u32);
    if old == 0 || old == new {
        new
    } else {
        ANYWHERE
    }
}
