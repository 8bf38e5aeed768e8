//! The cases that a campaign makes new ones from, in memory and in a folder.

use super::coverage::{Coverage, Point};
use super::folder;
use oracle::Case;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// One case in this many is taken from the newest ones.
const FAVOUR_NEW: u32 = 2;
/// How many of the cases count as the newest.
const NEWEST: usize = 32;
/// Of this many choices between a shorter and a longer case, all but one take the shorter one: it
/// runs faster, and a mutation of it is more likely to hit what matters.
const FAVOUR_LONG: u32 = 4;

/// Cases that covered something when they were found.
pub(super) struct Pool {
    members: Vec<Arc<Member>>,
    folder: Option<PathBuf>,
}

/// A case of the pool.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) case: Case,
    /// What no case had covered before.
    first: Vec<Point>,
    /// Its place in the pool.
    place: usize,
}

impl Member {
    /// Whether `child` is shorter and, with these counters, covers all that this case was the first to
    /// cover: libFuzzer's REDUCE.
    pub(super) fn gives_way_to(&self, child: &Case, edges: &[u8], features: &[u8]) -> bool {
        child.operations.len() < self.case.operations.len()
            && Coverage::holds(&self.first, edges, features)
    }
}

impl Pool {
    /// An empty pool, kept in `folder` if there is one.
    pub(super) fn new(folder: Option<PathBuf>) -> Self {
        Self {
            members: Vec::new(),
            folder,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    /// Operations of all cases together.
    pub(super) fn operations(&self) -> usize {
        let members = self.members.iter();
        let lengths = members.map(|member| member.case.operations.len());
        lengths.sum()
    }

    /// Adds a case that was the first to cover something, and writes it to the folder.
    pub(super) fn add(&mut self, case: Case, first: Vec<Point>) -> io::Result<()> {
        let written = self.write(&case);
        let place = self.members.len();
        self.members.push(Arc::new(Member { case, first, place }));
        written
    }

    /// Puts a child that [replaces](Member::gives_way_to) its parent in the parent's place, unless another
    /// child of the round is there already.
    pub(super) fn replace(&mut self, parent: &Arc<Member>, child: Case) -> io::Result<()> {
        let place = parent.place;
        if !Arc::ptr_eq(&self.members[place], parent) {
            return Ok(());
        }
        let written = self.write(&child);
        self.members[place] = Arc::new(Member {
            case: child,
            first: parent.first.clone(),
            place,
        });
        let removed = match &self.folder {
            Some(folder) => folder::remove(folder, &parent.case),
            None => Ok(()),
        };
        written.and(removed)
    }

    /// A case to make a new one from; new ones more often than old ones, and short ones more often than long
    /// ones; `None` while there is none.
    pub(super) fn pick(&self, random: &mut fastrand::Rng) -> Option<Arc<Member>> {
        let first = match random.u32(..FAVOUR_NEW) {
            0 => self.members.len().saturating_sub(NEWEST),
            _ => 0,
        };
        let choice = &self.members[first..];
        let [one, other] = [random.choice(choice)?, random.choice(choice)?];
        let shorter_first = one.case.operations.len() <= other.case.operations.len();
        let picked = if shorter_first == (random.u32(..FAVOUR_LONG) > 0) {
            one
        } else {
            other
        };
        Some(Arc::clone(picked))
    }

    fn write(&self, case: &Case) -> io::Result<()> {
        match &self.folder {
            Some(folder) => folder::write(folder, case),
            None => Ok(()),
        }
    }
}
