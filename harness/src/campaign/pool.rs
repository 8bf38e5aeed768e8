//! The cases that a campaign makes new ones from, in memory and in a folder.

use super::coverage::{Coverage, Point};
use super::folder;
use oracle::Case;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

/// One case in so many is taken from the newest ones.
const FAVOUR_NEW: u32 = 2;
/// How many count as new.
const NEWEST: usize = 32;
/// Of so many choices between a shorter and a longer case, all but one fall on the shorter one: it
/// runs faster, and a mutation of it is more likely to hit what matters.
const FAVOUR_LONG: u32 = 4;

/// Cases that covered something when they were found, shared by all threads.
pub(super) struct Pool {
    members: RwLock<Vec<Arc<Member>>>,
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

impl Pool {
    /// An empty pool, kept in `folder` if there is one.
    pub(super) fn new(folder: Option<PathBuf>) -> Self {
        Self {
            members: RwLock::default(),
            folder,
        }
    }

    pub(super) fn len(&self) -> usize {
        let members = self.members.read().unwrap_or_else(PoisonError::into_inner);
        members.len()
    }

    /// Operations of all cases together.
    pub(super) fn operations(&self) -> usize {
        let members = self.members.read().unwrap_or_else(PoisonError::into_inner);
        let lengths = members.iter().map(|member| member.case.operations.len());
        lengths.sum()
    }

    /// Adds a case that was the first to cover something, and writes it to the folder.
    pub(super) fn add(&self, case: Case, first: Vec<Point>) -> io::Result<()> {
        let written = self.write(&case);
        let mut members = self.members.write().unwrap_or_else(PoisonError::into_inner);
        let place = members.len();
        members.push(Arc::new(Member { case, first, place }));
        written
    }

    /// Puts a child in the place of its parent if it is shorter and covers all that the parent was
    /// the first to cover: libFuzzer's REDUCE.
    pub(super) fn reduce(
        &self,
        parent: &Arc<Member>,
        child: Case,
        edges: &[u8],
        features: &[u8],
    ) -> io::Result<()> {
        let shorter = child.operations.len() < parent.case.operations.len();
        if !shorter || !Coverage::holds(&parent.first, edges, features) {
            return Ok(());
        }
        let mut members = self.members.write().unwrap_or_else(PoisonError::into_inner);
        let place = parent.place;
        // Another thread may have been faster.
        if !Arc::ptr_eq(&members[place], parent) {
            return Ok(());
        }
        let written = self.write(&child);
        members[place] = Arc::new(Member {
            case: child,
            first: parent.first.clone(),
            place,
        });
        drop(members);
        let removed = match &self.folder {
            Some(folder) => folder::remove(folder, &parent.case),
            None => Ok(()),
        };
        written.and(removed)
    }

    /// A case to make a new one from; new ones more often than old ones, and short ones more often than long
    /// ones; `None` while there is none.
    pub(super) fn pick(&self, random: &mut fastrand::Rng) -> Option<Arc<Member>> {
        let members = self.members.read().unwrap_or_else(PoisonError::into_inner);
        let first = match random.u32(..FAVOUR_NEW) {
            0 => members.len().saturating_sub(NEWEST),
            _ => 0,
        };
        let choice = &members[first..];
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
