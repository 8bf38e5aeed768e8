//! Checks after each step whether pages have vanished.

use super::Runner;
use oracle::{Finding, Process};

impl Runner {
    /// Checks whether all ready processes still have the pages that they must have.
    ///
    /// # Errors
    /// A page is lost.
    pub(super) fn check_held(&mut self) -> Result<(), Finding> {
        match self.first_missing() {
            None => Ok(()),
            Some(first) => self.look_at_missing(first),
        }
    }

    /// The first page without a page-table entry although its process must have it: the process, and the number of the
    /// page.
    fn first_missing(&self) -> Option<(Process, u64)> {
        Process::all().find_map(|process| {
            let mut held = self.judge.held_pages(process);
            let missing = held.find_map(|run| self.driver.first_without_entry(process, run));
            missing.map(|page| (process, page))
        })
    }

    /// Loads from one missing page after another, until one is lost. A kernel that knows where such a page is maps it
    /// then.
    #[cold]
    fn look_at_missing(&mut self, first: (Process, u64)) -> Result<(), Finding> {
        let mut missing = first;
        loop {
            let (process, page) = missing;
            let look = self.judge.look_at_page(process, page);
            self.driver.perform(&look, &mut self.observation);
            self.judge.judge_look(&look, &self.observation)?;
            match self.first_missing() {
                Some(next) if next != missing => missing = next,
                _ => return Ok(()),
            }
        }
    }
}
