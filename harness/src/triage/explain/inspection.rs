//! Inspects memory and the disk with every check, before and after each operation: what was wrong first, and does the
//! finding rest on it?
//!
//! A campaign checks only what an operation can have changed, and checks everything only at the end. Here a case that
//! went wrong is run once more, and time does not matter. A mistake in memory can be *mended* from outside. If the
//! finding then does not show, it rests on that mistake.

use crate::driver::Driver;
use crate::guest::frames::FRAME_BYTES;
use crate::runner::{Outcome, Runner, Watch};
use oracle::{
    Case, Clause, Finding, FrameKind, Judge, Miscount, PageMapping, Process, ProcessState,
};
use std::ops::Range;

/// The bytes of a link in the list of free frames, and of a page-table entry.
const LINK_BYTES: u64 = 8;
/// The most mistakes that are mended after one operation.
const MOST_MENDS: usize = 200;

/// Something that is wrong with memory or with the disk.
#[derive(Clone)]
pub(super) struct Wrong {
    /// The index of the operation after which it is wrong; `None` if it was wrong before the first.
    pub(super) step: Option<usize>,
    pub(super) finding: Finding,
    /// What the kernel stored to when it made this mistake.
    pub(super) places: Places,
    what: What,
}

impl Wrong {
    /// Whether a file on the disk is wrong, which cannot be mended.
    pub(super) fn is_on_the_disk(&self) -> bool {
        matches!(self.what, What::File)
    }

    /// Whether a page-table entry is wrong, which cannot be mended.
    pub(super) fn is_in_an_entry(&self) -> bool {
        matches!(self.what, What::Entry { .. })
    }
}

/// What the kernel stored to when it made a mistake, as physical addresses.
#[derive(Clone, Default)]
pub(super) struct Places {
    /// The first wrong byte of a page.
    pub(super) byte: Option<u64>,
    /// A frame, the link of a free one, or page-table entries.
    pub(super) others: Vec<Range<u64>>,
}

impl Places {
    /// All of them, the wrong byte first.
    pub(super) fn ranges(&self) -> Vec<Range<u64>> {
        let byte = self.byte.map(|byte| byte..byte + 1);
        byte.into_iter()
            .chain(self.others.iter().cloned())
            .collect()
    }

    /// Whether the range with that index is the wrong byte.
    pub(super) fn is_byte(&self, index: usize) -> bool {
        self.byte.is_some() && index == 0
    }
}

impl From<Range<u64>> for Places {
    fn from(range: Range<u64>) -> Self {
        Self {
            byte: None,
            others: vec![range],
        }
    }
}

/// What has to be mended.
#[derive(Clone)]
enum What {
    /// This frame is mapped, and free.
    Freed(u64),
    /// This frame may be stored to through a page, and has other holders.
    Writable(u64),
    /// This page holds wrong bytes.
    Bytes {
        process: Process,
        page: u64,
        /// The first wrong byte in the page.
        at: usize,
    },
    /// The kernel has recorded a wrong number of holders.
    Count(Miscount),
    /// This page has a wrong page-table entry, which cannot be mended.
    Entry { process: Process, page: u64 },
    /// The disk holds something other than what was written.
    File,
    /// Something else that cannot be mended.
    Other,
}

/// Notes what is wrong with memory.
#[derive(Default)]
pub(super) struct Inspection {
    /// The rules whose breaches are mended, so that the rest of the case goes on without them.
    pub(super) mended: Vec<Clause>,
    /// What was wrong: each rule once for each operation.
    pub(super) wrongs: Vec<Wrong>,
}

/// The rules whose breaches can be mended.
const MENDABLE: [Clause; 5] = [
    Clause::MappedNotFree,
    Clause::WritableAlone,
    Clause::FreshPageZero,
    Clause::PageContent,
    Clause::HoldersCounted,
];

/// Runs a case and mends what goes wrong with memory, as far as that is possible, so that it shows what else is wrong.
pub(crate) fn run_mended(runner: &mut Runner, case: &Case) -> Outcome {
    runner.run_watched(case, &mut Inspection::mending())
}

impl Watch for Inspection {
    fn started(&mut self, driver: &mut Driver, judge: &Judge) {
        self.look(None, driver, judge);
    }

    fn judged(&mut self, operations: Range<usize>, driver: &mut Driver, judge: &Judge) {
        self.look(Some(operations.start), driver, judge);
    }
}

impl Inspection {
    /// Mends all that can be mended.
    pub(super) fn mending() -> Self {
        Self {
            mended: MENDABLE.to_vec(),
            ..Self::default()
        }
    }

    fn look(&mut self, step: Option<usize>, driver: &mut Driver, judge: &Judge) {
        for _ in 0..MOST_MENDS {
            let Some(wrong) = inspect(driver, judge, step) else {
                return;
            };
            let is_wanted = self.mended.contains(&wrong.finding.clause);
            let is_mended = is_wanted && mend(driver, judge, &wrong.what);
            let is_known =
                |known: &Wrong| known.step == step && known.finding.clause == wrong.finding.clause;
            if !self.wrongs.iter().any(is_known) {
                self.wrongs.push(wrong);
            }
            if !is_mended {
                return;
            }
        }
    }
}

fn mend(driver: &mut Driver, judge: &Judge, what: &What) -> bool {
    let living = living(judge);
    match what {
        What::Freed(frame) => driver.mend_freed(*frame, &living),
        What::Writable(frame) => driver.mend_writable(*frame, &living),
        What::Bytes { process, page, .. } => {
            driver.mend_bytes(*process, *page, &judge.wanted_page(*process, *page))
        }
        What::Count(miscount) => driver.mend_count(miscount),
        What::Entry { .. } | What::File | What::Other => false,
    }
}

fn living(judge: &Judge) -> Vec<Process> {
    let lives = |process: &Process| {
        let state = judge.state_of(*process);
        matches!(state, ProcessState::Ready | ProcessState::Blocked)
    };
    Process::all().filter(lives).collect()
}

/// The worst thing that is wrong with memory or with the disk now, after the operation with that index.
pub(super) fn inspect(driver: &mut Driver, judge: &Judge, step: Option<usize>) -> Option<Wrong> {
    let mut mappings = Vec::new();
    driver.list_mappings(None, &mut mappings);
    let (finding, what) = freed(driver, judge, &mut mappings)
        .or_else(|| mapped(driver, judge, &mappings))
        .or_else(|| held(driver, judge, &mappings))
        .or_else(|| counted(driver, judge))
        .or_else(|| written(driver, judge))?;
    let places = places(driver, &what, &mappings);
    Some(Wrong {
        step,
        finding,
        places,
        what,
    })
}

/// A frame that is in the list of free frames although a process, perhaps the first one, maps it.
fn freed(driver: &Driver, judge: &Judge, mappings: &mut [PageMapping]) -> Option<(Finding, What)> {
    let free = driver.listed_frames()?;
    for mapping in mappings.iter_mut().filter(|one| free.contains(&one.frame)) {
        mapping.kind = FrameKind::Free;
        if let Err(finding) = judge.inspect_mappings(std::slice::from_ref(mapping)) {
            return Some((finding, What::Freed(mapping.frame)));
        }
    }
    freed_of_supervisor(driver, judge)
}

fn freed_of_supervisor(driver: &Driver, judge: &Judge) -> Option<(Finding, What)> {
    let free = driver.listed_frames()?;
    let mut frames = driver.frames_of_supervisor().into_iter();
    let frame = frames.find(|frame| free.contains(frame))?;
    Some((judge.freed_of_supervisor(frame), What::Freed(frame)))
}

/// [`inspect`] for a machine that has stopped. It checks only whether a frame of the first process is free: no case
/// changes that process.
pub(super) fn inspect_stopped(
    driver: &Driver,
    judge: &Judge,
    step: Option<usize>,
) -> Option<Wrong> {
    let (finding, what) = freed_of_supervisor(driver, judge)?;
    Some(Wrong {
        step,
        finding,
        places: places(driver, &what, &[]),
        what,
    })
}

/// A page that is mapped as it must not be.
fn mapped(driver: &Driver, judge: &Judge, mappings: &[PageMapping]) -> Option<(Finding, What)> {
    let finding = judge.inspect_mappings(mappings).err()?;
    let is_it = |mapping: &&PageMapping| {
        Some(mapping.process.letter()) == finding.process
            && Some(mapping.address) == finding.subject
    };
    // The rule about a frame with two holders names one of them.
    let frame = mappings.iter().find(is_it).map(|mapping| mapping.frame);
    let frame = frame.or_else(|| {
        let mut others = mappings.iter();
        let other = others.find(|mapping| Some(mapping.address) == finding.subject);
        other.map(|mapping| mapping.frame)
    });
    let Some(frame) = frame.filter(|_| finding.clause == Clause::WritableAlone) else {
        let entry = mappings.iter().find(is_it).map(|mapping| What::Entry {
            process: mapping.process,
            page: mapping.address,
        });
        return Some((finding, entry.unwrap_or(What::Other)));
    };
    let holders = mappings.iter().filter(|mapping| mapping.frame == frame);
    if holders.count() == 1
        && let Some(miscounted) = counted(driver, judge)
    {
        // The frame is not shared: the kernel only says so.
        return Some(miscounted);
    }
    Some((finding, What::Writable(frame)))
}

/// A page that holds wrong bytes.
fn held(driver: &Driver, judge: &Judge, mappings: &[PageMapping]) -> Option<(Finding, What)> {
    mappings.iter().find_map(|mapping| {
        let mut page = [0; FRAME_BYTES as usize];
        let PageMapping {
            process, address, ..
        } = *mapping;
        if !driver.read_in_page(process, address, &mut page) {
            return None;
        }
        let finding = judge.compare_page(process, address, &page).err()?;
        let wanted = judge.wanted_page(process, address);
        let at = (0..page.len()).find(|at| page[*at] != wanted[*at])?;
        let what = What::Bytes {
            process,
            page: address,
            at,
        };
        Some((finding, what))
    })
}

/// A frame whose number of holders is not the one that the kernel has recorded.
fn counted(driver: &Driver, judge: &Judge) -> Option<(Finding, What)> {
    let miscount = driver.miscount(living(judge).into_iter())?;
    // A process that had to be gone may live on, and hold frames.
    driver.miscount(Process::all())?;
    Some((judge.miscounted(&miscount), What::Count(miscount)))
}

/// A file on the disk that is not as it was written.
fn written(driver: &Driver, judge: &Judge) -> Option<(Finding, What)> {
    if !driver.has_written_disk() {
        return None;
    }
    let finding = judge.inspect_disk(&driver.disk_content()).err()?;
    Some((finding, What::File))
}

/// The places to which the kernel stores when it makes this mistake: a frame that it frees, or the wrong byte, or the
/// page-table entries that map the frame.
fn places(driver: &Driver, what: &What, mappings: &[PageMapping]) -> Places {
    match *what {
        What::Freed(frame) => Places::from(frame..frame + LINK_BYTES),
        What::Writable(frame) => {
            let all = mappings.iter().filter(|mapping| mapping.frame == frame);
            let entries = all.filter_map(|one| driver.mapped_at(one.process, one.address));
            let others = entries.map(|(_, entry)| entry..entry + LINK_BYTES);
            Places {
                byte: None,
                others: others.collect(),
            }
        }
        What::Bytes { process, page, at } => {
            byte_of(driver, process, page + at as u64).unwrap_or_default()
        }
        What::Entry { process, page } => {
            let mapped = driver.mapped_at(process, page);
            mapped.map_or_else(Places::default, |(_, entry)| {
                Places::from(entry..entry + LINK_BYTES)
            })
        }
        What::Count(_) | What::File | What::Other => Places::default(),
    }
}

/// A byte of a process, and the page-table entry that maps it.
fn byte_of(driver: &Driver, process: Process, address: u64) -> Option<Places> {
    let (frame, entry) = driver.mapped_at(process, address)?;
    Some(Places {
        byte: Some(frame + address % FRAME_BYTES),
        ..Places::from(entry..entry + LINK_BYTES)
    })
}

/// Where the first wrong byte lies now that a finding is about. If it is zero, it need not have been stored: what should
/// be there may be somewhere else.
pub(super) fn places_of_byte(driver: &Driver, finding: &Finding) -> Option<Places> {
    let address = finding.wrong_byte()?;
    let process = Process::all().find(|one| Some(one.letter()) == finding.process)?;
    let mut byte = [0];
    let is_stored = driver.read_in_page(process, address, &mut byte) && byte != [0];
    byte_of(driver, process, address).filter(|_| is_stored)
}
