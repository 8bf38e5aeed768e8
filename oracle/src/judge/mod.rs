//! The judge: what the model expects, against what was seen, clause by clause.

mod finding;
mod meter;
mod observation;
mod step;

use crate::case::{Operation, Process};
use crate::dialect::Dialect;
use crate::layout::{Image, Layout};
use crate::model::ProcessState;

pub use finding::{Bucket, Clause, Finding, Verdict, bucket};
pub use meter::BiteMeter;
pub use observation::{
    End, Event, Failure, FrameKind, Observation, PageFlags, PageMapping, UserTrap,
};
pub use step::{Action, Step};

/// Judges one case after another.
#[derive(Clone, Debug)]
pub struct Judge {
    meter: BiteMeter,
    features: Vec<u16>,
}

impl Judge {
    /// A judge of a kernel that speaks `dialect`, for cases that start with `image` in process
    /// `a`, whose process identifier is `first_pid`.
    pub fn new(_dialect: &Dialect, _layout: &Layout, _image: &Image, _first_pid: u64) -> Judge {
        Judge {
            meter: BiteMeter::default(),
            features: Vec::new(),
        }
    }

    /// Back to the start of a case; keeps allocations.
    pub fn reset(&mut self) {
        self.meter = BiteMeter::default();
        self.features.clear();
    }

    /// What the engine has to do for `operation`; `None` if it does not apply now.
    pub fn plan(&mut self, _operation: &Operation) -> Option<Step> {
        self.meter.skipped += 1;
        None
    }

    /// What the planned step may legally do, in words.
    pub fn expectation(&self) -> String {
        String::new()
    }

    /// Compares, and takes legal differences over.
    ///
    /// # Errors
    /// The first clause that was broken.
    pub fn observe(&mut self, _step: &Step, _observation: &Observation) -> Result<(), Finding> {
        Ok(())
    }

    /// Compares one mapped page of `process` with the model's memory.
    ///
    /// # Errors
    /// The page holds something else.
    pub fn compare_page(
        &self,
        _process: Process,
        _address: u64,
        _bytes: &[u8],
    ) -> Result<(), Finding> {
        Ok(())
    }

    /// How a process stands.
    pub fn state_of(&self, _process: Process) -> ProcessState {
        ProcessState::Gone
    }

    /// The process identifier of a process that was born.
    pub fn pid_of(&self, _process: Process) -> Option<u64> {
        None
    }

    /// Judges the end of a case.
    ///
    /// # Errors
    /// The first clause that was broken.
    pub fn finish(&mut self, _end: &End) -> Result<(), Finding> {
        Ok(())
    }

    /// What was compared in this case.
    pub fn meter(&self) -> BiteMeter {
        self.meter
    }

    /// State features of this case: for each step a number below 4096.
    pub fn features(&self) -> &[u16] {
        &self.features
    }
}

/// What was seen of a step, in the words of [`Judge::expectation`].
pub fn describe(_step: &Step, observation: &Observation) -> String {
    format!("{:?}", observation.events)
}
