//! Comparing with a baseline, the kernel from which others were made: which rows does it show too?

use super::replayer::Replayer;
use super::{CheckError, Checked};
use crate::case_file;
use crate::guest::Guest;
use crate::triage::rows::Row;
use oracle::dialect::Defect;
use rayon::prelude::*;
use std::path::Path;
use std::sync::Arc;

/// The kernel from which others were made.
pub struct Baseline {
    guest: Arc<Guest>,
}

impl Baseline {
    /// A baseline from a booted kernel, which has its own dialect.
    pub fn new(guest: Arc<Guest>) -> Self {
        Self { guest }
    }

    /// Notes which rows of `checked` the baseline shows too, and puts them last. It shows a row if one of the
    /// row's cases shows the same bug there.
    ///
    /// # Errors
    /// A case cannot be read, or Faultline cannot be trusted on the baseline.
    pub fn compare(&self, checked: &mut Checked) -> Result<(), CheckError> {
        let mark = |replayer: &mut Replayer, row: &mut Row| -> Result<(), CheckError> {
            row.is_in_baseline = match &row.defect {
                // The model follows the defects of the baseline, so that a defect's case does not go wrong there.
                Some(defect) => self.has(defect),
                None => shows(replayer, row)?,
            };
            Ok(())
        };
        let rows = checked.rows.par_iter_mut();
        rows.try_for_each_init(|| Replayer::new(&self.guest), mark)?;
        checked.rows.sort_by_key(|row| row.is_in_baseline);
        Ok(())
    }
}

impl Baseline {
    fn has(&self, defect: &Defect) -> bool {
        let defects = self.guest.dialect.defects();
        defects.iter().any(|own| own.field == defect.field)
    }
}

/// Whether a case of `row` shows the same bug on the kernel of `replayer`.
fn shows(replayer: &mut Replayer, row: &Row) -> Result<bool, CheckError> {
    let shortest = &row.shortest.report;
    for mut shown in replayer.show(shortest.case())? {
        if shown.identity.name() == shortest.identity.name() {
            return Ok(true);
        }
        replayer.explain(&mut shown)?;
        if shown.identity.is_same_bug(&shortest.identity) {
            return Ok(true);
        }
    }
    for path in row.files().skip(1) {
        let shown = replayer.show(&case_file::read(path)?)?;
        let mut names = shown.iter().map(|shown| shown.identity.name().file_name());
        if names.any(|name| is_called(path, &name)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether that is the name of the case in the file at `path`.
pub(super) fn is_called(path: &Path, name: &str) -> bool {
    path.file_stem().is_some_and(|stem| *stem == *name)
}
