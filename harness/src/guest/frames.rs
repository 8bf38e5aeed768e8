//! Counting the kernel's physical frames from outside, through its symbols.
//!
//! Two kinds of free list are known. The C kernels keep `struct { struct spinlock; struct run
//! *freelist; } kmem`: a linked list through the free frames themselves. Lab solutions add other
//! fields around it, so the list is searched for. Our kernel keeps the same list at the same place, and
//! after it a frontier of frames that were never handed out, a count, and in `kmem_sharers` how
//! many owners each frame has.

use super::symbols::Symbols;
use emulator::Machine;

/// Bytes of a frame.
pub const FRAME_BYTES: u64 = 4096;
/// Where RAM begins on the `virt` board.
pub const RAM_START: u64 = 0x8000_0000;

/// Offsets into our `kmem`.
const FREE_LIST: u64 = 24;
const FRONTIER: u64 = 32;
const END: u64 = 40;
const COUNT: u64 = 48;
/// Free frames that only a few may take: those of programs whose pages are not loaded yet.
const PROMISED: u64 = 56;

/// A free list longer than this is a loop: RAM has fewer frames.
const LONGEST_LIST: u64 = 1 << 20;

/// How far into `kmem` a C kernel's list is looked for, in bytes.
const FARTHEST_LIST: u64 = 512;
/// In a C kernel with a list for each hart: the number of harts, and the most bytes of each list.
const LISTS: u64 = 8;
const BYTES_OF_LIST: u64 = 128;

/// How this kernel's frames are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameAccounts {
    /// Only a linked list: the C kernels.
    Linked {
        /// Where the address of its first frame is stored.
        list: u64,
    },
    /// List, frontier, count and sharers: our kernel.
    Counted {
        /// Address of `kmem`.
        kmem: u64,
        /// Address of `kmem_sharers`.
        sharers: u64,
    },
}

impl FrameAccounts {
    /// Finds the accounts of the kernel that has booted on `machine`, by its symbols; `None` costs the
    /// checks that count frames.
    pub fn discover(symbols: &Symbols, machine: &Machine) -> Option<Self> {
        let kmem = symbols.address("kmem")?;
        match symbols.address("kmem_sharers") {
            Some(sharers) => Some(Self::Counted { kmem, sharers }),
            None => {
                let list = only_list(machine, kmem, symbols.size("kmem"))?;
                Some(Self::Linked { list })
            }
        }
    }

    /// Where the address of the first frame on the list is stored.
    fn list(self) -> u64 {
        match self {
            Self::Linked { list } => list,
            Self::Counted { kmem, .. } => kmem + FREE_LIST,
        }
    }

    /// Frames that are free now. `known` is the list as it was at the snapshot.
    pub fn free(self, machine: &Machine, known: &KnownList) -> Option<u64> {
        match self {
            Self::Counted { kmem, .. } => machine.read_u64(kmem + COUNT),
            Self::Linked { list } => known.length(machine, list),
        }
    }

    /// Frames that are promised to programs; `None`: this kernel promises none.
    pub fn promised(self, machine: &Machine) -> Option<u64> {
        match self {
            Self::Counted { kmem, .. } => machine.read_u64(kmem + PROMISED),
            Self::Linked { .. } => None,
        }
    }

    /// Whether fewer than `needed` frames are left besides promised ones, by the list itself and not
    /// by the kernel's count of it.
    pub fn fewer_than(self, machine: &Machine, needed: u64) -> bool {
        let needed = needed.saturating_add(self.promised(machine).unwrap_or(0));
        let Some((_, on_list)) = walk_list(machine, self.list(), needed.min(LONGEST_LIST - 1))
        else {
            return false;
        };
        let beyond = self.beyond_frontier(machine);
        beyond.is_some_and(|beyond| on_list.saturating_add(beyond) < needed)
    }

    /// Frames that are really available: those on the list, counted one by one, and those that were never
    /// handed out. `None`: the list leads outside RAM, or has no end.
    pub fn at_hand(self, machine: &Machine, known: &KnownList) -> Option<u64> {
        let on_list = known.length(machine, self.list())?;
        Some(on_list.saturating_add(self.beyond_frontier(machine)?))
    }

    /// Frames that were never handed out, where the kernel keeps those apart.
    fn beyond_frontier(self, machine: &Machine) -> Option<u64> {
        let Self::Counted { kmem, .. } = self else {
            return Some(0);
        };
        let ends = machine
            .read_u64(kmem + END)
            .zip(machine.read_u64(kmem + FRONTIER));
        ends.map(|(end, frontier)| end.saturating_sub(frontier) / FRAME_BYTES)
    }

    /// How many owners the frame at physical address `frame` has: 0 is free. `None`: not recorded.
    pub fn sharers(self, machine: &Machine, frame: u64) -> Option<u16> {
        let Self::Counted { sharers, .. } = self else {
            return None;
        };
        let number = frame.checked_sub(RAM_START)? / FRAME_BYTES;
        let mut bytes = [0; 2];
        machine
            .read_physical(sharers + 2 * number, &mut bytes)
            .ok()?;
        Some(u16::from_le_bytes(bytes))
    }

    /// How many owners each frame of RAM has, the first frame's first: 0 is free, 1 a frame that no one
    /// counts. `None`: the accounts lead outside RAM.
    pub fn owners(self, machine: &Machine) -> Option<Vec<u16>> {
        let mut last = RAM_START;
        while machine.read_u64(last).is_some() {
            last += FRAME_BYTES;
        }
        let frames = ((last - RAM_START) / FRAME_BYTES) as usize;
        if let Self::Counted { .. } = self {
            let addresses = (0..frames as u64).map(|number| RAM_START + FRAME_BYTES * number);
            return addresses
                .map(|frame| self.sharers(machine, frame))
                .collect();
        }
        let mut owners = vec![1; frames];
        for frame in self.listed(machine)? {
            *owners.get_mut(number_of(frame)?)? = 0;
        }
        Some(owners)
    }

    /// The frames on the list of free frames, the first first. `None`: it leads outside RAM, or has no end.
    pub fn listed(self, machine: &Machine) -> Option<Vec<u64>> {
        let mut frames = Vec::new();
        let mut link = machine.read_u64(self.list())?;
        while link != 0 {
            if frames.len() as u64 == LONGEST_LIST {
                return None;
            }
            frames.push(link);
            link = machine.read_u64(link)?;
        }
        Some(frames)
    }

    /// Takes a frame out of the list of free frames, as if it had not been freed, for so many holders. `None`: it
    /// is not on the list, or the accounts lead outside RAM.
    pub fn take_back(self, machine: &mut Machine, frame: u64, holders: u16) -> Option<()> {
        let mut link = self.list();
        for _ in 0..LONGEST_LIST {
            let next = machine.read_u64(link)?;
            if next == frame {
                let rest = machine.read_u64(frame)?;
                machine.write_u64(link, rest)?;
                if let Self::Counted { kmem, .. } = self {
                    let count = machine.read_u64(kmem + COUNT)?;
                    machine.write_u64(kmem + COUNT, count.wrapping_sub(1))?;
                }
                return self.set_sharers(machine, frame, holders);
            }
            if next == 0 {
                return None;
            }
            link = next;
        }
        None
    }

    /// Records how many owners a frame has, on a kernel that counts them.
    pub fn set_sharers(self, machine: &mut Machine, frame: u64, holders: u16) -> Option<()> {
        let Self::Counted { sharers, .. } = self else {
            return Some(());
        };
        let number = frame.checked_sub(RAM_START)? / FRAME_BYTES;
        let written = machine.write_physical(sharers + 2 * number, &holders.to_le_bytes());
        written.ok()
    }

    /// Hides all free frames except `keep` from the kernel, as if the machine had less memory.
    /// Nothing is hidden when fewer are free already. `None`: the accounts lead outside RAM.
    pub fn hide(self, machine: &mut Machine, known: &KnownList, keep: u64) -> Option<Hidden> {
        let free = self.free(machine, known)?;
        let mut hidden = Hidden {
            frames: free.saturating_sub(keep),
            rest_of_list: 0,
            end: None,
        };
        if hidden.frames == 0 {
            return Some(hidden);
        }
        let (last_link, on_list) = walk_list(machine, self.list(), keep)?;
        hidden.rest_of_list = machine.read_u64(last_link)?;
        machine.write_u64(last_link, 0)?;
        if let Self::Counted { kmem, .. } = self {
            hidden.end = Some(machine.read_u64(kmem + END)?);
            let frontier = machine.read_u64(kmem + FRONTIER)?;
            // The frontier may be any number: the kernel says it.
            let end = frontier.wrapping_add((keep - on_list).wrapping_mul(FRAME_BYTES));
            machine.write_u64(kmem + END, end)?;
            machine.write_u64(kmem + COUNT, keep)?;
        }
        Some(hidden)
    }

    /// Gives back what [`hide`](Self::hide) took, no matter what the kernel did in between.
    pub fn restore(self, machine: &mut Machine, hidden: Hidden) -> Option<()> {
        if hidden.frames == 0 {
            return Some(());
        }
        let (last_link, _) = walk_list(machine, self.list(), LONGEST_LIST)?;
        machine.write_u64(last_link, hidden.rest_of_list)?;
        if let (Self::Counted { kmem, .. }, Some(end)) = (self, hidden.end) {
            let count = machine.read_u64(kmem + COUNT)?;
            machine.write_u64(kmem + END, end)?;
            machine.write_u64(kmem + COUNT, count.wrapping_add(hidden.frames))?;
        }
        Some(())
    }
}

/// Frames taken from the kernel, to be given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hidden {
    /// How many frames there are.
    pub frames: u64,
    /// The part of the free list that was cut off: its first frame, or 0.
    rest_of_list: u64,
    /// Where the frontier ended.
    end: Option<u64>,
}

/// Where in `kmem`, which takes `bytes`, the list of free frames begins. `None`: nowhere, or the
/// kernel has several lists, and a frame may go from one to another.
fn only_list(machine: &Machine, kmem: u64, bytes: u64) -> Option<u64> {
    let begins_list = |at: &u64| {
        let first = machine.read_u64(*at).unwrap_or(0);
        let is_frame = first >= RAM_START && first.is_multiple_of(FRAME_BYTES);
        is_frame && list_length(machine, *at).is_some()
    };
    let mut lists = (kmem..kmem + bytes.min(FARTHEST_LIST))
        .step_by(8)
        .filter(begins_list);
    let list = lists.next()?;
    let end = list - kmem + 8;
    let is_one_of_many =
        bytes.is_multiple_of(LISTS) && (end..=BYTES_OF_LIST).contains(&(bytes / LISTS));
    (!is_one_of_many && lists.next().is_none()).then_some(list)
}

/// The free list as it was at the snapshot: the part that was not written since need not be walked.
///
/// A C kernel's list leads through every frame of its RAM, each in a page of its own; counting that
/// step by step, twice an operation, takes as long as the operations themselves.
#[derive(Clone, Debug, Default)]
pub struct KnownList {
    /// For each frame of RAM how many frames the list had from it to the end; 0: it was not on it.
    left: Box<[u32]>,
}

impl KnownList {
    /// The list of a machine at its snapshot; empty if the list is broken.
    pub fn of(accounts: Option<FrameAccounts>, machine: &Machine) -> Self {
        let Some(accounts) = accounts else {
            return Self::default();
        };
        let mut numbers = Vec::new();
        let mut link = accounts.list();
        loop {
            let next = match machine.read_u64(link) {
                Some(0) => break,
                Some(next) => next,
                None => return Self::default(),
            };
            let number = number_of(next).filter(|_| next.is_multiple_of(FRAME_BYTES));
            match number {
                Some(number) if (numbers.len() as u64) < LONGEST_LIST => numbers.push(number),
                _ => return Self::default(),
            }
            link = next;
        }
        let frames = numbers.iter().max().map_or(0, |last| last + 1);
        let mut left = vec![0; frames].into_boxed_slice();
        for (before_end, number) in numbers.into_iter().rev().enumerate() {
            left[number] = before_end as u32 + 1;
        }
        Self { left }
    }

    /// How many frames the list had from the one at `address` to its end.
    fn left(&self, address: u64) -> Option<u32> {
        let number = number_of(address).filter(|_| address.is_multiple_of(FRAME_BYTES))?;
        self.left.get(number).copied().filter(|left| *left > 0)
    }

    /// How long the list is now; `None` when it leaves RAM or has no end.
    fn length(&self, machine: &Machine, list: u64) -> Option<u64> {
        // From here on to the end nothing was written: it is as it was.
        let changed = machine.dirty_pages().filter_map(|page| self.left(page));
        let unchanged = changed.min().unwrap_or(u32::MAX);
        let mut link = list;
        for count in 0..LONGEST_LIST {
            link = match machine.read_u64(link)? {
                0 => return Some(count),
                next => next,
            };
            if let Some(left) = self.left(link).filter(|left| *left < unchanged) {
                return Some(count + u64::from(left));
            }
        }
        None
    }
}

/// Which frame of RAM lies at an address.
fn number_of(address: u64) -> Option<usize> {
    Some((address.checked_sub(RAM_START)? / FRAME_BYTES) as usize)
}

/// Walks the free list and counts it; `None` when it leaves RAM or has no end.
fn list_length(machine: &Machine, list: u64) -> Option<u64> {
    walk_list(machine, list, LONGEST_LIST).map(|(_, count)| count)
}

/// Follows at most `limit` links of the free list whose first link is at `list`: the address of the
/// link it came to, and how many frames lie before it. `None`: a link leads outside RAM, or the list
/// has no end.
fn walk_list(machine: &Machine, list: u64, limit: u64) -> Option<(u64, u64)> {
    let mut link = list;
    for count in 0..limit {
        match machine.read_u64(link)? {
            0 => return Some((link, count)),
            next => link = next,
        }
    }
    (limit < LONGEST_LIST).then_some((link, limit))
}
