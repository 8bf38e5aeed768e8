//! Severities: how bad a finding is.

use crate::named::named;

named! {
    /// How bad a finding is, for anyone who has to decide what to fix first. The worst comes first.
    pub enum Severity {
        /// Any program can bring the whole machine down, or to a standstill.
        BreaksTheMachine = "breaks the machine",
        /// A program sees or changes what is not its own, or lives on although it had to be killed.
        BreaksIsolation = "breaks isolation",
        /// Frames, process slots or disk blocks that nobody uses do not come back.
        LosesMemory = "loses memory",
        /// A program gets a wrong answer, or dies although it did nothing wrong.
        WrongResult = "wrong result",
        /// Memory is taken, or time is spent, before any program needs it.
        NotLazy = "not lazy",
        /// Real kernels differ here, and a reasonable author may disagree. The finding says why.
        Questionable = "questionable",
    }
}

impl Severity {
    /// A short word, for the head of a column.
    pub fn short(self) -> &'static str {
        match self {
            Severity::BreaksTheMachine => "machine",
            Severity::BreaksIsolation => "isolation",
            Severity::LosesMemory => "memory",
            Severity::WrongResult => "result",
            Severity::NotLazy => "not lazy",
            Severity::Questionable => "doubtful",
        }
    }
}
