//! Results of earlier runs: a line for each bug and engine, with a key made of everything that it depends on.

use super::catalogue::Bug;
use super::workshop::{Workshop, key};
use super::{Plan, Trouble};
use std::fs;
use std::path::PathBuf;

/// The results that are kept next to the kernels.
pub(super) struct Results<'a> {
    workshop: &'a Workshop,
    /// What each result depends on in addition to the patch.
    setting: String,
    /// What the kernels are tried with: the name of the file.
    name: String,
    resume: bool,
}

impl<'a> Results<'a> {
    /// Results of fuzzing by a plan.
    pub(super) fn new(plan: &Plan, workshop: &'a Workshop) -> Result<Self, Trouble> {
        Self::named(&plan.engine.to_string(), plan, workshop)
    }

    /// Results of a plan, in files called `name`.
    pub(super) fn named(name: &str, plan: &Plan, workshop: &'a Workshop) -> Result<Self, Trouble> {
        let faultline = &plan.faultline;
        let program = fs::read(faultline).map_err(|source| Trouble::io(faultline, source))?;
        let limits = (
            plan.campaigns,
            plan.seconds,
            plan.executions,
            plan.with_seeds,
        );
        Ok(Self {
            workshop,
            setting: key(&(name, program, limits, workshop.checkout())),
            name: name.to_owned(),
            resume: plan.resume,
        })
    }

    /// The line that is known of a bug, if the plan uses earlier results.
    pub(super) fn known(&self, bug: &Bug) -> Option<String> {
        let text = fs::read_to_string(self.file(bug)).ok()?;
        let (known, line) = text.split_once('\n')?;
        let is_valid = self.resume && known == self.key(bug);
        is_valid.then(|| line.trim_end_matches('\n').to_owned())
    }

    /// Keeps the line of a bug.
    pub(super) fn keep(&self, bug: &Bug, line: &str) -> Result<(), Trouble> {
        let file = self.file(bug);
        let text = format!("{}\n{line}\n", self.key(bug));
        fs::write(&file, text).map_err(|source| Trouble::io(&file, source))
    }

    fn key(&self, bug: &Bug) -> String {
        key(&(&self.setting, &bug.patch.text))
    }

    fn file(&self, bug: &Bug) -> PathBuf {
        self.workshop
            .folder_of(&bug.patch)
            .join(format!("{}.result", self.name))
    }
}
