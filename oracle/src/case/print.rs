//! The text form of an operation.

use super::argument::{self, Argument};
use super::operations::for_each_operation;
use super::{Call, Case, Operation};
use std::fmt;

/// The version line that opens every text case.
pub const VERSION_LINE: &str = "faultline 1";

macro_rules! define_print {
    ($($name:ident $word:literal [$($code:tt)*] $family:ident $cost:ident $work:literal $says:ident
       ($($argument:ident: $type:ident),*) {$($reach:expr),*};)*) => {
        impl fmt::Display for Call {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match *self {
                    $(Call::$name { $($argument),* } => {
                        $(if argument::$type::IS_NAMED {
                            argument::$type::print($argument, f)?;
                        })*
                        f.write_str($word)?;
                        $(if !argument::$type::IS_NAMED {
                            argument::$type::print($argument, f)?;
                        })*
                    })*
                }
                Ok(())
            }
        }
    };
}

for_each_operation!(define_print);

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.call.is_done_to_all() {
            write!(f, "{}", self.call)
        } else {
            write!(f, "{}: {}", self.process, self.call)
        }
    }
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{VERSION_LINE}")?;
        for operation in &self.operations {
            writeln!(f, "{operation}")?;
        }
        Ok(())
    }
}

/// The text form, so that every printed case is a file that can be run.
impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
