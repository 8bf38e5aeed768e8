//! Clauses: the rules of the envelope, each with a name that findings quote.
//!
//! A clause is one row of `table.rs`; `docs/clauses.md` is the same table for readers.

mod table;

use super::{Severity, Verdict};

pub use table::Clause;

/// Declares the clauses. A row: what must hold (the doc comment), the clause, its name, and the
/// columns of [`Row`].
macro_rules! clauses {
    ($(
        $(#[doc = $holds:literal])+
        $Clause:ident = $name:literal {
            $($column:ident: $value:expr,)+
        }
    )+) => {
        named! {
            /// The rules of the envelope, each with a name: what a finding says was broken.
            pub enum Clause {
                $( $(#[doc = $holds])+ $Clause = $name, )+
            }
        }

        impl Clause {
            pub(super) const fn row(self) -> Row {
                match self {
                    $( Clause::$Clause => Row { $($column: $value),+ }, )+
                }
            }
        }
    };
}
use clauses;

/// What is known of the kernel's state after a clause was broken. The rules that say whether the case goes on
/// are in `judge/follow/mod.rs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The kernel has done what it had to do. It has only taken too many frames, kept some, ended a pause too
    /// early, or printed nothing.
    Harmless,
    /// A process got a wrong answer, or was killed. The kernel has done one of a few things.
    Answer,
    /// Memory holds wrong bytes. The harness sees which.
    Memory,
    /// A program may do more or less with a page than it should. The harness sees with which page.
    Permissions,
    /// The state is unknown. The case ends.
    Unknown,
    /// The state is unknown, and the rule is broken whatever happened before. The case ends.
    Fatal,
}

/// What is said about a clause besides its name and its rule.
struct Row {
    /// The kind of mistake.
    verdict: Verdict,
    /// How bad it is.
    severity: Severity,
    /// What is known of the kernel's state when it is broken.
    effect: Effect,
    /// What is wrong, in words that go into a heading.
    broken: &'static str,
    /// A typical mistake in a kernel that breaks the clause.
    mistake: &'static str,
}

impl Clause {
    /// The verdict that breaking the clause earns.
    pub fn verdict(self) -> Verdict {
        self.row().verdict
    }

    /// How bad it is to break the clause, if nothing else is known.
    pub fn severity(self) -> Severity {
        self.row().severity
    }

    /// What is known of the kernel's state after the clause was broken.
    pub fn effect(self) -> Effect {
        self.row().effect
    }

    /// What is wrong if the clause is broken, for a reader who does not know its name.
    pub fn broken(self) -> &'static str {
        self.row().broken
    }

    /// A typical mistake in a kernel that breaks the clause.
    pub fn mistake(self) -> &'static str {
        self.row().mistake
    }
}
