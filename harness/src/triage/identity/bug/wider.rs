//! Bugs without what is accidental about them.

use super::Bug;
use crate::triage::identity::family::Family;

impl Bug {
    /// A bug in code that many operations lead to. These words identify it.
    pub(super) fn in_code(self, words: Option<String>) -> Bug {
        let bug = Bug {
            page: None,
            words,
            ..self
        };
        bug.of_any_operation()
    }

    /// A bug in a function with which system calls copy.
    pub(super) fn in_copying_code(self, function: &str) -> Bug {
        Bug {
            family: Family::Copying,
            fate: None,
            words: Some(function.to_owned()),
            ..self
        }
    }

    /// The same bug for every operation that shows it, and for every way in which it has to end.
    pub(super) fn of_any_operation(self) -> Bug {
        Bug {
            family: Family::Any,
            fate: None,
            ..self
        }
    }

    /// The same, whatever the operation met.
    pub(super) fn of_any_page(self) -> Bug {
        Bug { page: None, ..self }.of_any_operation()
    }
}
