//! Wrong memory: the model takes over what a page holds.

use super::{Aftermath, Clause, Effect, Finding, Judge, Observation};
use crate::case::Process;
use crate::judge::compare;
use crate::layout::{PAGE_SIZE, page_floor};

impl Judge {
    /// Compares a mapped page with what it has to hold. If it holds something else, that is noted, and the model
    /// takes it over. `address` is any address in the page.
    ///
    /// # Errors
    /// The finding that ends the case.
    pub fn check_page(
        &mut self,
        process: Process,
        address: u64,
        bytes: &[u8],
    ) -> Result<(), Finding> {
        if self.is_in_doubt() {
            return Ok(());
        }
        let compared =
            self.judge_in_each_world(|judge| judge.compare_page(process, address, bytes));
        compared.or_else(|finding| {
            let page = page_floor(address);
            let is_fresh = finding.clause == Clause::FreshPageZero;
            if !self.following.take_over(page) {
                return self.following.end_in_doubt();
            }
            self.model.take_over(process, page, bytes);
            self.note_memory(finding, is_fresh);
            Ok(())
        })
    }

    /// Goes on after a load of a wrong value, which is `finding`, if memory holds that value. `read` fills a buffer
    /// with what the memory of a process holds at an address. It returns false if no page is mapped there.
    ///
    /// # Errors
    /// The finding that ends the case.
    pub fn check_loaded(
        &mut self,
        finding: Finding,
        observation: &Observation,
        read: impl Fn(Process, u64, &mut [u8]) -> bool,
    ) -> Result<(), Finding> {
        let Some(planned) = self.planned.filter(|_| self.race.is_empty()) else {
            return Err(finding);
        };
        if finding.clause != Clause::LoadedValue {
            return Err(finding);
        }
        let process = planned.operation.process;
        let mut is_fresh = true;
        for page in self.model.pages_of_access(&planned.operation) {
            let mut bytes = [0; PAGE_SIZE as usize];
            if !read(process, page, &mut bytes) {
                continue;
            }
            if let Err(there) = self.compare_page(process, page, &bytes) {
                is_fresh &= there.clause == Clause::FreshPageZero;
                if !self.following.take_over(page) {
                    return self.following.end_in_doubt();
                }
                self.model.take_over(process, page, &bytes);
            }
        }
        let witness = compare::witness(observation);
        if self.model.loads(&planned.operation) != witness.returned(process) {
            return Err(finding);
        }
        self.note_memory(finding, is_fresh);
        // Other mistakes in the step, such as a frame that it has taken, follow from the wrong memory.
        match self.compare_step(&planned, &witness, observation, &[Clause::LoadedValue]) {
            Err(next) if next.clause.effect() == Effect::Fatal => Err(next),
            Err(_) if !is_fresh => Ok(()),
            rest => rest,
        }
    }

    /// Notes that memory is wrong. A page that was never stored to stays as it is. A page that holds something
    /// other than what was stored may change again.
    fn note_memory(&mut self, finding: Finding, is_fresh: bool) {
        let aftermath = if is_fresh {
            Aftermath::GoesOn
        } else {
            self.following.doubt()
        };
        self.following.note(finding, aftermath);
    }
}
