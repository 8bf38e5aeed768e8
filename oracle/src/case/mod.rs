//! Cases: what a case is, its text form, its binary form, and what is simpler than an operation.
//!
//! What is done to cases by what the model knows is in [`crate::generation`].

pub(crate) mod argument;
mod binary;
mod document;
mod operation;
mod operations;
mod parse;
mod print;
mod process;
mod reach;
mod simplify;
mod text_error;

pub use argument::{
    Address, Amount, Base, Cut, DESCRIPTORS, FULL_LENGTH_NAME, Flavour, Keys, OpenFlags, OpenMode,
    Order, Place, Region, Remains, Schedule, StoredValue, Stride, Target, Text, Variation, Width,
};
pub use binary::RECORD_BYTES;
pub use document::Document;
pub use operation::{Call, Cost, Family, Kind, Operation, Says};
pub use print::VERSION_LINE;
pub use process::Process;
pub use reach::{Access, Bytes, Reach};
pub use simplify::simplifications;
pub use text_error::ParseError;

pub(crate) use operations::for_each_operation;

use std::ops::Range;

/// A case: operations, one after another. At most [`Case::MAX_OPERATIONS`] of them.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Case {
    /// What is done, in order.
    pub operations: Vec<Operation>,
}

impl Case {
    /// The most operations that a decoded, parsed or generated case has.
    pub const MAX_OPERATIONS: usize = 256;

    /// Reads the text form.
    ///
    /// # Errors
    /// The error says where the text is wrong, in which way, and what to write instead.
    pub fn parse(text: &str) -> Result<Case, ParseError> {
        Document::parse(text).map(|document| document.case())
    }

    /// What the machine does otherwise than most in this case.
    pub fn variations(&self) -> impl Iterator<Item = Variation> {
        self.operations
            .iter()
            .filter_map(|operation| match operation.call {
                Call::Machine { variation } => Some(variation),
                _ => None,
            })
    }

    /// Its first operations, `length` of them.
    pub fn beginning(&self, length: usize) -> Case {
        self.without(length..self.operations.len())
    }

    /// The case without the operations at `range`; what lies outside the case is ignored.
    pub fn without(&self, range: Range<usize>) -> Case {
        let keep = |at: &usize| !range.contains(at);
        let kept = (0..self.operations.len()).filter(keep);
        Case {
            operations: kept.map(|at| self.operations[at]).collect(),
        }
    }

    /// Names the processes `a`, `b`, `c`, … in the order in which they appear; the first one of a
    /// case is always called `a`, and stays so.
    pub fn rename_processes(&mut self) {
        let mut names = [None; Process::COUNT];
        names[Process::FIRST.index()] = Some(Process::FIRST);
        let mut given = 1;
        let mut rename = |process: &mut Process| {
            let name = names[process.index()].get_or_insert_with(|| {
                given += 1;
                Process::from_bits(given - 1)
            });
            *process = *name;
        };
        for operation in &mut self.operations {
            rename(&mut operation.process);
            operation.call.named_process().map(&mut rename);
        }
    }
}
