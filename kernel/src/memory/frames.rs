//! Frames: which are free, and how many hold each of the others. All in constant time.
//!
//! Free frames are those on the free list, linked through their first words, and those from the
//! *frontier* to the end of RAM, which were never handed out: so booting touches no free frame.
//!
//! The names and the layout of `kmem`, `kmem_sharers`, `kmem_asked` and `kmem_exhausted` are an
//! interface: tools that look at the kernel from outside read them.

use core::ptr::{copy_nonoverlapping, with_exposed_provenance, with_exposed_provenance_mut};
use core::sync::atomic::{AtomicU16, AtomicU64, Ordering};

use abi::layout::{PAGE_SIZE, RAM_END, RAM_SIZE, RAM_START};

use crate::address::{PAGE_SHIFT, PhysicalAddress};
use crate::sync::SpinLock;

const BYTES: usize = PAGE_SIZE as usize;
/// Words of eight bytes in a frame.
pub const WORDS: usize = BYTES / 8;

/// What every word of a free frame holds in debug builds.
const POISON: u64 = 0xdead_beef_dead_beef;

/// A physical page of RAM, by its address. Every holder counts as one of its sharers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Frame(u64);

/// No frame is free.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OutOfFrames;

/// What is free. `#[repr(C)]`, because tools look at it from outside.
#[repr(C)]
pub struct FreeFrames {
    /// Physical address of the first frame on the free list; 0 if the list is empty.
    list: u64,
    /// Physical address of the first frame that was never handed out.
    frontier: u64,
    /// End of the frames that were never handed out.
    end: u64,
    /// Frames that are free, on the list and beyond the frontier.
    free: u64,
    /// How many of them are promised: only the holders of a [`Promise`] can take those.
    promised: u64,
}

#[unsafe(no_mangle)]
#[allow(
    non_upper_case_globals,
    reason = "tools know it by the C kernel's name"
)]
static kmem: SpinLock<FreeFrames> = SpinLock::new(
    &"kmem",
    FreeFrames {
        list: 0,
        frontier: 0,
        end: 0,
        free: 0,
        promised: 0,
    },
);

impl FreeFrames {
    /// How many frames anybody may take.
    fn available(&self) -> u64 {
        self.free.saturating_sub(self.promised)
    }

    fn take(&mut self) -> Option<Frame> {
        let frame = if self.list != 0 {
            let frame = Frame(self.list);
            self.list = frame.words()[0].load(Ordering::Relaxed);
            frame.check_poison();
            frame
        } else if self.frontier < self.end {
            let frame = Frame(self.frontier);
            self.frontier = self.frontier.wrapping_add(PAGE_SIZE);
            frame
        } else {
            return None;
        };
        self.free = self.free.wrapping_sub(1);
        frame.sharers().store(1, Ordering::Relaxed);
        Some(frame)
    }
}

/// How many hold each frame of RAM; 0 for free frames. The kernel's own count one.
#[unsafe(no_mangle)]
#[allow(non_upper_case_globals, reason = "tools know it by this name")]
static kmem_sharers: [AtomicU16; (RAM_SIZE / PAGE_SIZE) as usize] =
    [const { AtomicU16::new(0) }; (RAM_SIZE / PAGE_SIZE) as usize];

/// Gives all RAM after the kernel to the allocator. Once, at boot.
pub fn initialise(kernel_end: PhysicalAddress) {
    for sharers in kmem_sharers
        .iter()
        .take(((kernel_end.0 - RAM_START) / PAGE_SIZE) as usize)
    {
        sharers.store(1, Ordering::Relaxed);
    }
    let mut free = kmem.lock();
    free.frontier = kernel_end.0;
    free.end = RAM_END;
    free.free = (RAM_END - kernel_end.0) / PAGE_SIZE;
}

/// Called when `needed` frames are asked for that were not promised before: the place to set a
/// breakpoint. The allocator's lock is held, so a tool sees there what the request will find.
#[inline(never)]
#[unsafe(no_mangle)]
extern "C" fn kmem_asked(needed: u64) {
    core::hint::black_box(needed);
}

/// Called when `needed` frames are refused because fewer are free, not counting promised ones: the
/// place to set a breakpoint. The lock is still held.
#[cold]
#[inline(never)]
#[unsafe(no_mangle)]
extern "C" fn kmem_exhausted(needed: u64) {
    core::hint::black_box(needed);
}

#[cold]
fn exhausted<T>(needed: u64) -> Result<T, OutOfFrames> {
    kmem_exhausted(needed);
    Err(OutOfFrames)
}

/// Fails if fewer than `needed` frames are free just now. It reserves nothing: it only saves the
/// work of taking thousands of frames and giving them back.
pub fn check_available(needed: u64) -> Result<(), OutOfFrames> {
    if needed == 0 {
        return Ok(());
    }
    let free = kmem.lock();
    kmem_asked(needed);
    if free.available() >= needed {
        Ok(())
    } else {
        exhausted(needed)
    }
}

/// How many frames are free just now, and how many of them are promised.
pub fn free_and_promised() -> (u64, u64) {
    let free = kmem.lock();
    (free.free, free.promised)
}

/// Takes a free frame. It may hold anything.
pub fn allocate() -> Result<Frame, OutOfFrames> {
    let mut free = kmem.lock();
    kmem_asked(1);
    let frame = match free.available() {
        0 => None,
        _ => free.take(),
    };
    frame.map_or_else(|| exhausted(1), Ok)
}

/// Takes a free frame and fills it with zeros.
pub fn allocate_zeroed() -> Result<Frame, OutOfFrames> {
    let frame = allocate()?;
    frame.zero();
    Ok(frame)
}

/// Frames that are free but that nobody else can take. Dropping a promise gives back what is left.
pub struct Promise {
    frames: u64,
}

impl Promise {
    /// Promises that many frames.
    ///
    /// # Errors
    /// Fewer are free; then no frame is promised.
    pub fn of(frames: u64) -> Result<Promise, OutOfFrames> {
        if frames != 0 {
            let mut free = kmem.lock();
            kmem_asked(frames);
            if free.available() < frames {
                return exhausted(frames);
            }
            free.promised += frames;
        }
        Ok(Promise { frames })
    }

    /// How many frames are left of it.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Takes a frame, a promised one if there is one left. It may hold anything.
    pub fn allocate(&mut self) -> Result<Frame, OutOfFrames> {
        let Some(left) = self.frames.checked_sub(1) else {
            return allocate();
        };
        let mut free = kmem.lock();
        let Some(frame) = free.take() else {
            return exhausted(1);
        };
        free.promised -= 1;
        self.frames = left;
        Ok(frame)
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        if self.frames != 0 {
            kmem.lock().promised -= self.frames;
        }
    }
}

impl Frame {
    /// The frame at `address`, as a page-table entry that the kernel wrote names it.
    #[inline]
    pub fn at(address: PhysicalAddress) -> Frame {
        debug_assert!(address.0.is_multiple_of(PAGE_SIZE));
        debug_assert!((RAM_START..RAM_END).contains(&address.0));
        Frame(address.0)
    }

    /// Its physical address.
    #[inline]
    pub fn address(self) -> PhysicalAddress {
        PhysicalAddress(self.0)
    }

    #[inline]
    fn sharers(self) -> &'static AtomicU16 {
        &kmem_sharers[(self.0.wrapping_sub(RAM_START) >> PAGE_SHIFT) as usize]
    }

    /// Adds a sharer.
    #[inline]
    pub fn share(self) {
        // Each process and each program image is at most one sharer, and there are a few hundred
        // of them: the count cannot overflow.
        self.sharers().fetch_add(1, Ordering::Relaxed);
    }

    /// Whether the caller, who holds the frame, is its only holder. That stays true until the
    /// caller itself shares the frame, because only a holder can.
    #[inline]
    pub fn is_exclusive(self) -> bool {
        self.sharers().load(Ordering::Acquire) == 1
    }

    /// Takes one sharer away; the last one frees the frame.
    pub fn release(self) {
        let sharers = self.sharers();
        if sharers.load(Ordering::Acquire) == 1 {
            // The caller is the last holder, and only a holder can share: the count cannot change
            // now.
            sharers.store(0, Ordering::Relaxed);
            return self.free();
        }
        match sharers.fetch_sub(1, Ordering::AcqRel) {
            0 => panic!("frame {:#x} is released, but nobody holds it", self.0),
            1 => self.free(),
            _ => {}
        }
    }

    fn free(self) {
        self.poison();
        let mut free = kmem.lock();
        self.words()[0].store(free.list, Ordering::Relaxed);
        free.list = self.0;
        free.free = free.free.wrapping_add(1);
    }

    /// In debug builds: fills a frame that has no holder any more with a pattern, so that a use
    /// after this is noticed.
    fn poison(self) {
        if cfg!(debug_assertions) {
            for word in self.words() {
                word.store(POISON, Ordering::Relaxed);
            }
        }
    }

    /// In debug builds: the frame comes off the free list, and must be as it was poisoned. (Its
    /// first word held the link.)
    ///
    /// # Panics
    /// If it was written while it was free.
    fn check_poison(self) {
        if cfg!(debug_assertions) {
            let mut words = self.words()[1..].iter();
            let intact = words.all(|word| word.load(Ordering::Relaxed) == POISON);
            assert!(intact, "frame {:#x} was written while it was free", self.0);
        }
    }

    /// The frame's memory as words.
    #[inline]
    pub fn words(self) -> &'static [AtomicU64; WORDS] {
        // SAFETY: a `Frame` is page-aligned RAM, which the kernel's page table maps to itself for
        // good. All its bits are valid words, and atomics may be shared by anyone.
        unsafe { &*with_exposed_provenance(self.0 as usize) }
    }

    /// Fills the frame with zeros.
    pub fn zero(self) {
        let (groups, _) = self.words().as_chunks::<64>();
        for group in groups {
            for word in group {
                word.store(0, Ordering::Relaxed);
            }
        }
    }

    /// Copies the whole of `from` into this frame.
    pub fn copy_from(self, from: Frame) {
        let (to, _) = self.words().as_chunks::<32>();
        let (from, _) = from.words().as_chunks::<32>();
        for (to, from) in to.iter().zip(from) {
            for (to, from) in to.iter().zip(from) {
                to.store(from.load(Ordering::Relaxed), Ordering::Relaxed);
            }
        }
    }

    /// Copies bytes from `offset` on out of the frame.
    ///
    /// # Panics
    /// If they do not lie in the frame.
    pub fn read(self, offset: usize, bytes: &mut [u8]) {
        assert!(offset <= BYTES && bytes.len() <= BYTES - offset);
        let from = with_exposed_provenance::<u8>(self.0 as usize).wrapping_add(offset);
        // SAFETY: the bytes lie in this frame, as just checked; it is RAM, and no Rust object
        // overlaps it. The process that maps it is in this system call, so it is not written at the
        // same time.
        unsafe { copy_nonoverlapping(from, bytes.as_mut_ptr(), bytes.len()) }
    }

    /// Copies bytes into the frame, from `offset` on.
    ///
    /// # Panics
    /// If they do not fit.
    pub fn write(self, offset: usize, bytes: &[u8]) {
        assert!(offset <= BYTES && bytes.len() <= BYTES - offset);
        let to = with_exposed_provenance_mut::<u8>(self.0 as usize).wrapping_add(offset);
        // SAFETY: as for `read`; the caller holds the frame alone, or it would not be writable.
        unsafe { copy_nonoverlapping(bytes.as_ptr(), to, bytes.len()) }
    }
}
