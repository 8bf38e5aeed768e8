//! Pages that a kernel must still have. A page that vanishes shows only if a program loads from it, and perhaps none
//! does. So the harness checks the page tables after each step.

use super::{Action, Clause, Event, Finding, Judge, Observation, Spoiled, Step};
use crate::case::{Process, Width};
use crate::layout::PAGE_SIZE;
use crate::model::ProcessState;
use std::ops::Range;

impl Judge {
    /// The pages that a ready process must still have, as ascending runs of page numbers (address / 4096). Empty if
    /// that is not known.
    pub fn held_pages(&self, process: Process) -> impl Iterator<Item = Range<u64>> + '_ {
        let is_known = self.model.state_of(process) == ProcessState::Ready
            && !(self.model.is_unknown() || self.is_in_doubt() || self.following.has_worlds());
        let held = is_known.then(|| self.model.space(process).held().runs());
        held.into_iter().flatten()
    }

    /// The step that shows whether a page of `process` without a page-table entry is lost: a load from it. The kernel
    /// may have noted elsewhere where the page is.
    pub fn look_at_page(&self, process: Process, page: u64) -> Step {
        let address = page * PAGE_SIZE;
        let content = self.wanted_page(process, address);
        let nonzero = content.iter().position(|byte| *byte != 0);
        Step {
            process,
            action: Action::Load {
                address: address + nonzero.unwrap_or(0) as u64,
                width: Width::One,
            },
            rounds: 0,
            pages: 1,
            looks_at_disk: false,
        }
    }

    /// Judges what was seen of a step that [`look_at_page`](Self::look_at_page) has made.
    ///
    /// # Errors
    /// The page is lost.
    pub fn judge_look(&mut self, look: &Step, seen: &Observation) -> Result<(), Finding> {
        let Action::Load { address, .. } = look.action else {
            return Ok(());
        };
        let process = look.process;
        let value = seen.events.iter().find_map(|event| match *event {
            Event::Returned {
                process: whose,
                value,
            } if whose == process => Some(value),
            _ => None,
        });
        let wanted = self.model.space(process).byte(address);
        let loaded = match value {
            Some(value) if value == u64::from(wanted) => return Ok(()),
            Some(value) => format!("loads {value:#04x}"),
            // A kernel that keeps the page elsewhere needs a frame for it.
            None if seen.out_of_frames => return self.following.end_in_doubt(),
            None => "does not come back".to_owned(),
        };
        let page = address - address % PAGE_SIZE;
        let mut finding = self.finding(
            Clause::PageContent,
            process,
            format!("{process}'s page {page:#x} holds what was stored there: {wanted:#04x} at {address:#x}"),
            format!("the page is not mapped any more, and a load from there {loaded}"),
        );
        finding.subject = Some(page);
        finding.signature.spoiled = Some(if process == self.acting() {
            Spoiled::Own
        } else {
            Spoiled::Others
        });
        Err(finding)
    }
}
