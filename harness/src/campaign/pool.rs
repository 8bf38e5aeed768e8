//! The cases that a campaign breeds from, in memory and in a folder.

use crate::case_file::TEXT_ENDING;
use oracle::Case;
use rustc_hash::FxHasher;
use std::hash::{Hash, Hasher};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::{fs, io};

/// One case in so many is taken from the newest ones.
const FAVOUR_NEW: u32 = 2;
/// How many count as new.
const NEWEST: usize = 32;

/// Cases that covered something when they were found, shared by all threads.
pub(super) struct Pool {
    cases: RwLock<Vec<Arc<Case>>>,
    folder: Option<PathBuf>,
}

impl Pool {
    /// An empty pool, kept in `folder` if there is one.
    pub(super) fn new(folder: Option<PathBuf>) -> Self {
        Self {
            cases: RwLock::default(),
            folder,
        }
    }

    pub(super) fn len(&self) -> usize {
        let cases = self.cases.read().unwrap_or_else(PoisonError::into_inner);
        cases.len()
    }

    /// Adds a case, and writes it to the folder.
    pub(super) fn add(&self, case: Case) -> io::Result<()> {
        let written = match &self.folder {
            Some(folder) => {
                let name = format!("{:016x}.{TEXT_ENDING}", hash(&case));
                fs::create_dir_all(folder)
                    .and_then(|()| fs::write(folder.join(name), case.to_string()))
            }
            None => Ok(()),
        };
        let mut cases = self.cases.write().unwrap_or_else(PoisonError::into_inner);
        cases.push(Arc::new(case));
        written
    }

    /// A case to breed from, new ones more often than old ones; `None` while there is none.
    pub(super) fn pick(&self, random: &mut fastrand::Rng) -> Option<Arc<Case>> {
        let cases = self.cases.read().unwrap_or_else(PoisonError::into_inner);
        let first = match random.u32(..FAVOUR_NEW) {
            0 => cases.len().saturating_sub(NEWEST),
            _ => 0,
        };
        random.choice(&cases[first..]).map(Arc::clone)
    }
}

/// Names a case by its content, the same in every run.
fn hash(case: &Case) -> u64 {
    let mut hasher = FxHasher::default();
    case.to_bytes().hash(&mut hasher);
    hasher.finish()
}
