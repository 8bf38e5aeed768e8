//! Findings: what is wrong, in words, and what distinguishes it from other findings.

use super::{Clause, Mismatch, Situation, Spoiled, Verdict};
use crate::case::Kind;
use crate::model::PageState;
use serde::Serialize;
use std::fmt;

/// Something that went wrong in a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The kind of mistake.
    pub verdict: Verdict,
    /// The rule that was broken.
    pub clause: Clause,
    /// Index in the case of the operation at which kernel and oracle differ; `None` if only the end of
    /// the case shows it.
    pub step: Option<usize>,
    /// That operation, as text.
    pub operation: Option<Box<str>>,
    /// The letter of the process that it is about.
    pub process: Option<char>,
    /// What had to happen.
    pub expected: Box<str>,
    /// What happened.
    pub seen: Box<str>,
    /// For a rule about a page of `process`, its virtual address. For a rule about the frames of a step, the
    /// most that may be taken, or the fewest that must come back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<u64>,
    /// What happens to the case after it.
    #[serde(skip)]
    pub aftermath: Aftermath,
    /// What distinguishes this finding from others of its clause.
    #[serde(skip)]
    pub(super) signature: Box<Signature>,
}

/// What happens to a case after a finding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Aftermath {
    /// It ends.
    #[default]
    Ends,
    /// It goes on, but it is not certain what the kernel has done. The finding may hide others.
    InDoubt,
    /// It goes on as if nothing had happened.
    GoesOn,
}

/// What a bucket is made of, besides verdict and clause.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub(super) struct Signature {
    pub(super) kind: Option<Kind>,
    pub(super) page: Option<PageState>,
    /// Where a campaign would find it again; not part of the bucket.
    pub(super) situation: Option<Situation>,
    /// For a panic, its text without numbers.
    pub(super) words: Option<Box<str>>,
    /// For a panic or a hang, the kernel's innermost functions.
    pub(super) functions: Option<Box<str>>,
    /// For a wrong answer, how it is wrong; not part of the bucket.
    pub(super) mismatch: Option<Mismatch>,
    /// Whether it was attributed to an operation before the one at which it shows.
    pub(super) is_attributed: bool,
    /// Which bytes in memory are wrong; not part of the bucket.
    pub(super) spoiled: Option<Spoiled>,
    /// The virtual address of the first of them; not part of the bucket.
    pub(super) wrong_byte: Option<u64>,
}

impl Finding {
    /// Which kind of operation met which kind of page when kernel and oracle differed; `None` if only the
    /// end of the case showed it.
    pub fn situation(&self) -> Option<Situation> {
        self.signature.situation
    }

    /// How the answer of a system call is wrong.
    pub fn mismatch(&self) -> Option<Mismatch> {
        self.signature.mismatch
    }

    /// Whether the situation is that of an operation before the one at which it shows.
    pub fn is_attributed(&self) -> bool {
        self.signature.is_attributed
    }

    /// Which bytes in memory are wrong.
    pub fn spoiled(&self) -> Option<Spoiled> {
        self.signature.spoiled
    }

    /// The virtual address of the first wrong byte in the memory of [`process`](Self::process).
    pub fn wrong_byte(&self) -> Option<u64> {
        self.signature.wrong_byte
    }

    /// What the kernel printed when it panicked, as one word without numbers.
    pub fn panic_words(&self) -> Option<&str> {
        self.signature.words.as_deref()
    }

    /// In which functions of the kernel it panicked or hung, the innermost first.
    pub fn functions(&self) -> impl Iterator<Item = &str> {
        self.signature
            .functions
            .as_deref()
            .into_iter()
            .flat_map(|functions| functions.split('<'))
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.verdict)?;
        match (self.step, &self.operation) {
            (Some(step), Some(operation)) => write!(f, " at operation {step}: {operation}")?,
            (Some(step), None) => write!(f, " at operation {step}")?,
            (None, _) => write!(f, " at the end of the case")?,
        }
        write!(
            f,
            "\n  expected: {}\n  seen:     {}\n  rule:     {}",
            self.expected, self.seen, self.clause
        )
    }
}

impl std::error::Error for Finding {}
