//! What a fork costs.

use super::prober::{ASKED, Prober};
use super::{Shown, UNCLEAR, answer};
use oracle::PageFlags;
use oracle::dialect::ForkMemory;

/// Page tables below the root table that map the agent's image, which lies within 2 MiB.
const TABLES_OF_AGENT: u64 = 2;
/// Why a field has the default if frames cannot be counted.
const NOT_COUNTED: &str = "the default, because the free frames of this kernel cannot be counted";

/// What a fork did.
struct Forked {
    /// Pages that the parent has.
    pages: u64,
    /// Frames that the fork took, if they can be counted.
    taken: Option<u64>,
    /// Whether parent and child have a frame in common.
    shares: bool,
}

pub(super) fn memory(prober: &mut Prober) -> Shown<ForkMemory> {
    match forked(prober) {
        None => Shown::Nothing(UNCLEAR),
        Some(Forked { shares: true, .. }) => answer(
            ForkMemory::Shared,
            "parent and child have frames in common after a fork",
        ),
        Some(_) => answer(
            ForkMemory::Copied,
            "parent and child have no frame in common after a fork",
        ),
    }
}

pub(super) fn overhead_frames(prober: &mut Prober) -> Shown<u64> {
    let Some(forked) = forked(prober) else {
        return Shown::Nothing(UNCLEAR);
    };
    let Some(taken) = forked.taken else {
        return Shown::Nothing(NOT_COUNTED);
    };
    let copies = if forked.shares { 0 } else { forked.pages };
    answer(
        taken.saturating_sub(copies + TABLES_OF_AGENT),
        format!(
            "a fork took {taken} frames, {copies} of them for copies and {TABLES_OF_AGENT} for page tables"
        ),
    )
}

/// Forks. `None` if the fork does not return.
fn forked(prober: &mut Prober) -> Option<Forked> {
    prober.reset();
    let end = prober.end_of_memory();
    let pages = prober.mappings(Some(ASKED));
    let pages = pages
        .iter()
        .filter(|page| page.flags.contains(PageFlags::USER) && page.address < end);
    let pages = pages.count() as u64;
    let child = Prober::child();
    let returned = prober.fork(child);
    let frames = prober.observation().frames;
    let taken = frames.map(|(before, after)| before.saturating_sub(after));
    let mappings = prober.mappings(None);
    let shares = mappings.iter().any(|page| {
        let mut others = mappings
            .iter()
            .filter(|other| other.process != page.process);
        page.flags.contains(PageFlags::USER)
            && page.process == child
            && others.any(|other| other.frame == page.frame)
    });
    returned.comes_back().then_some(Forked {
        pages,
        taken,
        shares,
    })
}
