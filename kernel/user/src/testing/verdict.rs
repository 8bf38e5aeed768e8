//! The verdict on a rule: it holds, or the first of its claims that is false.

use core::fmt;

/// The outcome of a rule.
pub type Verdict = Result<(), Failure>;

/// A claim that does not hold.
pub struct Failure {
    line: u32,
    what: &'static str,
    numbers: Option<(i64, i64)>,
}

impl Failure {
    /// The claim `what` in line `line` is not true.
    #[cold]
    pub fn untrue(line: u32, what: &'static str) -> Failure {
        Failure {
            line,
            what,
            numbers: None,
        }
    }

    /// What the expression `what` in line `line` gave is not what it should have given.
    #[cold]
    pub fn unequal(line: u32, what: &'static str, given: i64, wanted: i64) -> Failure {
        Failure {
            line,
            what,
            numbers: Some((given, wanted)),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "line {}: ", self.line)?;
        // A claim may be long; its first line is enough to find it.
        out.write_str(self.what.lines().next().unwrap_or(""))?;
        match self.numbers {
            Some((given, wanted)) => write!(out, " gave {given}, not {wanted}"),
            None => out.write_str(" is not so"),
        }
    }
}

/// What can be compared and shown as a number. A failed system call is -1, as xv6 has it.
pub trait Number {
    /// The number.
    fn number(self) -> i64;
}

macro_rules! numbers {
    ($($type:ty)*) => {
        $(impl Number for $type {
            fn number(self) -> i64 {
                self as i64
            }
        })*
    };
}

numbers!(bool u8 u16 u32 u64 usize i32 i64);

impl Number for () {
    fn number(self) -> i64 {
        0
    }
}

impl<T: Number> Number for Option<T> {
    fn number(self) -> i64 {
        self.map_or(-1, T::number)
    }
}

/// Claims that a condition is true; the rule fails if it is not.
#[macro_export]
macro_rules! ensure {
    ($condition:expr) => {
        if !$condition {
            return Err($crate::testing::Failure::untrue(
                line!(),
                stringify!($condition),
            ));
        }
    };
}

/// Claims that an expression gives a number; see [`Number`](crate::testing::Number).
#[macro_export]
macro_rules! ensure_equal {
    ($given:expr, $wanted:expr) => {
        let (given, wanted) = (
            $crate::testing::Number::number($given),
            $crate::testing::Number::number($wanted),
        );
        if given != wanted {
            let what = stringify!($given);
            return Err($crate::testing::Failure::unequal(
                line!(),
                what,
                given,
                wanted,
            ));
        }
    };
}

/// Claims that a system call succeeds, and gives its answer.
#[macro_export]
macro_rules! need {
    ($call:expr) => {
        match $call {
            Some(answer) => answer,
            None => return Err($crate::testing::Failure::untrue(line!(), stringify!($call))),
        }
    };
}
