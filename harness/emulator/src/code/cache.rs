//! The blocks decoded so far.
//!
//! A block is identified by the physical place of its code and the virtual address it runs at. So all
//! processes that map a program at the same place share its blocks, and so do all runs from one
//! snapshot. Blocks of a page die together when its code changes; links between blocks of one
//! page therefore need no check, and any other link is checked against both addresses.

use super::loops::Loop;
use super::operation::{Block, Exit, Mark, NO_LINK, Operation};
use super::translate::Draft;
use rustc_hash::FxHashMap;

/// Number of a block.
pub(crate) type BlockId = u32;

/// After this many operations everything is dropped and decoded again, so that the cache does not grow for ever.
const MOST_OPERATIONS: usize = 1 << 20;
/// As [`MOST_OPERATIONS`], for blocks.
const MOST_BLOCKS: usize = 1 << 18;
const QUICK_BITS: u32 = 14;
const PAGE_SHIFT: u32 = 12;

/// Where blocks are.
pub(crate) struct Places {
    /// By offset in RAM and virtual address.
    index: FxHashMap<(u64, u64), BlockId>,
    /// The last block found for each hash of a place.
    quick: Vec<BlockId>,
}

impl Places {
    /// The block at this place, if it is known.
    #[inline]
    pub(crate) fn find(&mut self, blocks: &[Block], offset: u64, address: u64) -> Option<BlockId> {
        let slot = Self::slot(offset);
        let quick = self.quick[slot];
        if let Some(block) = blocks.get(quick as usize)
            && block.is_at(offset, address)
        {
            return Some(quick);
        }
        let found = self.index.get(&(offset, address)).copied()?;
        self.quick[slot] = found;
        Some(found)
    }

    fn insert(&mut self, offset: u64, address: u64, id: BlockId) {
        self.index.insert((offset, address), id);
        self.quick[Self::slot(offset)] = id;
    }

    #[inline(always)]
    fn slot(offset: u64) -> usize {
        let half = (offset >> 1) as u32;
        (half.wrapping_mul(0x9e37_79b1) >> (32 - QUICK_BITS)) as usize
    }
}

/// The parts of the cache while it does not grow.
pub(crate) struct Parts<'a> {
    pub(crate) blocks: &'a mut [Block],
    pub(crate) operations: &'a [Operation],
    pub(crate) marks: &'a [Mark],
    pub(crate) exits: &'a mut [Exit],
    pub(crate) loops: &'a [Loop],
    pub(crate) places: &'a mut Places,
}

/// Blocks, and ways to find them.
pub(crate) struct CodeCache {
    pub(crate) blocks: Vec<Block>,
    pub(crate) operations: Vec<Operation>,
    marks: Vec<Mark>,
    exits: Vec<Exit>,
    loops: Vec<Loop>,
    places: Places,
    /// Blocks of one instruction that lies in two pages, by virtual address and the offsets in RAM
    /// of its halves: which page is the second one is not known from the first.
    straddling: FxHashMap<(u64, u64, u64), BlockId>,
    /// The blocks of each page that has any, by page number in RAM.
    pages: FxHashMap<u32, Vec<BlockId>>,
    /// The last block is a temporary one.
    has_temporary: bool,
}

impl CodeCache {
    pub(crate) fn new() -> CodeCache {
        CodeCache {
            blocks: Vec::new(),
            operations: Vec::new(),
            marks: Vec::new(),
            exits: Vec::new(),
            loops: Vec::new(),
            places: Places {
                index: FxHashMap::default(),
                quick: vec![NO_LINK; 1 << QUICK_BITS],
            },
            straddling: FxHashMap::default(),
            pages: FxHashMap::default(),
            has_temporary: false,
        }
    }

    /// The block at this place, if it is known and has at most `limit` instructions.
    pub(crate) fn find(&mut self, offset: u64, address: u64, limit: u64) -> Option<BlockId> {
        let found = self.places.find(&self.blocks, offset, address)?;
        (u64::from(self.blocks[found as usize].count) <= limit).then_some(found)
    }

    /// The parts, to execute from and to link in.
    pub(crate) fn parts(&mut self) -> Parts<'_> {
        Parts {
            blocks: &mut self.blocks,
            operations: &self.operations,
            marks: &self.marks,
            exits: &mut self.exits,
            loops: &self.loops,
            places: &mut self.places,
        }
    }

    /// Keeps a block.
    pub(crate) fn insert(&mut self, draft: &Draft, address: u64, offset: u64) -> BlockId {
        self.make_room();
        let id = self.append(draft, address, offset);
        self.places.insert(offset, address, id);
        let page = (offset >> PAGE_SHIFT) as u32;
        self.pages.entry(page).or_default().push(id);
        id
    }

    /// The block of an instruction with halves in two pages, if it is known.
    pub(crate) fn find_straddling(
        &self,
        address: u64,
        offset: u64,
        second: u64,
    ) -> Option<BlockId> {
        let found = self.straddling.get(&(address, offset, second))?;
        self.blocks[*found as usize]
            .is_at(offset, address)
            .then_some(*found)
    }

    /// Keeps the block of an instruction with halves in two pages; it dies with either.
    pub(crate) fn insert_straddling(
        &mut self,
        draft: &Draft,
        address: u64,
        offset: u64,
        second: u64,
    ) -> BlockId {
        self.make_room();
        let id = self.append(draft, address, offset);
        self.straddling.insert((address, offset, second), id);
        for half in [offset, second] {
            let page = (half >> PAGE_SHIFT) as u32;
            self.pages.entry(page).or_default().push(id);
        }
        id
    }

    /// Puts a block where it is executed once; the next one takes its place.
    pub(crate) fn insert_temporary(&mut self, draft: &Draft, address: u64, offset: u64) -> BlockId {
        self.drop_temporary();
        self.has_temporary = true;
        self.append(draft, address, offset)
    }

    fn make_room(&mut self) {
        self.drop_temporary();
        if self.operations.len() > MOST_OPERATIONS || self.blocks.len() > MOST_BLOCKS {
            self.clear();
        }
    }

    fn append(&mut self, draft: &Draft, address: u64, offset: u64) -> BlockId {
        let first = self.operations.len() as u32;
        let exits = self.exits.len() as u32;
        self.operations.extend_from_slice(&draft.operations);
        if let Some(bulk) = draft.bulk {
            self.operations[first as usize].immediate = self.loops.len() as i32;
            self.loops.push(bulk);
        }
        self.marks.extend_from_slice(&draft.marks);
        self.exits.extend_from_slice(&draft.exits);
        self.blocks.push(draft.block(address, offset, first, exits));
        self.blocks.len() as u32 - 1
    }

    fn drop_temporary(&mut self) {
        if std::mem::take(&mut self.has_temporary)
            && let Some(block) = self.blocks.pop()
        {
            self.operations.truncate(block.first as usize);
            self.marks.truncate(block.first as usize);
            self.exits.truncate(block.exits as usize);
        }
    }

    /// Drops the blocks of a page.
    pub(crate) fn drop_page(&mut self, page: u32) {
        for id in self.pages.remove(&page).unwrap_or_default() {
            let block = &mut self.blocks[id as usize];
            self.places.index.remove(&(block.offset, block.address));
            block.offset = Block::DEAD;
        }
    }

    /// Drops the pages of all blocks that hold the instruction at this virtual address.
    pub(crate) fn drop_instruction(&mut self, address: u64) {
        let blocks = &self.blocks;
        let holds = |id: &BlockId| {
            let block = &blocks[*id as usize];
            address.wrapping_sub(block.address) < u64::from(block.bytes)
        };
        let with_it = self.pages.iter().filter(|(_, ids)| ids.iter().any(holds));
        let pages: Vec<u32> = with_it.map(|(page, _)| *page).collect();
        for page in pages {
            self.drop_page(page);
        }
    }

    /// Drops everything.
    pub(crate) fn clear(&mut self) {
        self.blocks.clear();
        self.operations.clear();
        self.marks.clear();
        self.exits.clear();
        self.loops.clear();
        self.places.index.clear();
        self.places.quick.fill(NO_LINK);
        self.straddling.clear();
        self.pages.clear();
        self.has_temporary = false;
    }
}
