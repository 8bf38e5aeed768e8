//! Finds out a kernel's dialect: it asks the kernel one question for each field.
//!
//! A question is a few steps. Each begins at the snapshot, so that no answer depends on another question.
//!
//! Each section of the dialect has a module of the same name, which has one function for each field that is
//! a variant. If such a field has no function, this does not compile.

mod arguments;
mod console;
mod exec;
mod faults;
mod files;
mod fork;
mod heap;
mod limits;
mod pipe;
mod prober;
mod sbrk;

use crate::guest::Guest;
use crate::guest::hardware::{Hardware, Seen as Known};
use oracle::Dialect;
use prober::Prober;
use serde::Serialize;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// One fact about a kernel or its hardware, and how it is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// The field: `section.name` as in a dialect file, or `board.name` for the hardware.
    pub field: &'static str,
    /// Its value, as in a dialect file.
    pub value: String,
    /// What the kernel did, or why the field has the default.
    pub because: String,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}  # {}", self.field, self.value, self.because)
    }
}

/// What a question has shown.
enum Shown<T> {
    /// The kernel's answer, and how it is known.
    Answer(T, Cow<'static, str>),
    /// Nothing, so the field keeps the default. The text says why.
    Nothing(&'static str),
}

/// Why a field has the default if the kernel does none of the things that the field allows.
const UNCLEAR: &str = "the default, because the kernel does none of the expected things";

/// The kernel's answer, and how it is known.
fn answer<T>(value: T, because: impl Into<Cow<'static, str>>) -> Shown<T> {
    Shown::Answer(value, because.into())
}

/// The answer if it is clear, and how it is known.
fn clear<T>(known: Option<(T, &'static str)>) -> Shown<T> {
    match known {
        Some((value, because)) => answer(value, because),
        None => Shown::Nothing(UNCLEAR),
    }
}

/// What booting has shown about the hardware for which `guest` was made.
pub fn hardware(guest: &Guest) -> Vec<Answer> {
    fn answer<T>(field: &'static str, seen: &Known<T>, value: impl ToString) -> Answer {
        Answer {
            field,
            value: value.to_string(),
            because: seen.because.clone(),
        }
    }
    let Hardware {
        disk,
        memory,
        timer,
        turns,
        variations,
        power_cuts,
        harts,
        ..
    } = &guest.hardware;
    let names: Vec<&str> = variations.value.iter().map(|asked| asked.name()).collect();
    vec![
        answer("board.disk", disk, spelled(disk.value.name())),
        answer("board.memory", memory, memory.value),
        answer("board.timer", timer, spelled(timer.value.to_string())),
        answer("board.turns", turns, spelled(turns.value.to_string())),
        answer("board.variations", variations, spelled(names.join(" "))),
        answer("board.power_cuts", power_cuts, power_cuts.value),
        answer("board.harts", harts, harts.value),
    ]
}

/// Asks `guest` for every field of its dialect that a kernel may choose. Other fields, and those without a
/// clear answer, keep the values of `guest`'s dialect.
pub fn probe(guest: &Arc<Guest>) -> (Dialect, Vec<Answer>) {
    let mut prober = Prober::new(guest);
    let answers = ask_each(&mut prober);
    prober.dialect.name = "probed".to_owned();
    (prober.dialect, answers)
}

macro_rules! ask_each {
    ($(
        $(#[$section_about:meta])+
        $section:ident: $Section:ident {
            $( $(#[$about:meta])+ $field:ident: $Type:ident $row:tt )+
        }
    )+) => {
        /// Asks one question for each field that a kernel may choose, in the order of a dialect file.
        fn ask_each(prober: &mut Prober) -> Vec<Answer> {
            let mut answers = Vec::new();
            $($( ask!(prober, answers, $section, $field, $row); )+)+
            answers
        }
    };
}

/// Asks for a variant. A defect is not asked for here: its case shows it (`crate::check::defects`).
macro_rules! ask {
    ($prober:ident, $answers:ident, $section:ident, $field:ident, { variant: $($row:tt)+ }) => {
        let shown = $section::$field($prober);
        let name = concat!(stringify!($section), ".", stringify!($field));
        $answers.push(note(name, shown, &mut $prober.dialect.$section.$field));
    };
    ($prober:ident, $answers:ident, $section:ident, $field:ident, { defect: $($row:tt)+ }) => {};
}
oracle::for_each_dialect_field!(ask_each);

/// Writes what a question has shown to the dialect's field at `place`. Returns the answer for people.
fn note<T: Serialize>(field: &'static str, shown: Shown<T>, place: &mut T) -> Answer {
    let because = match shown {
        Shown::Answer(value, because) => {
            *place = value;
            because
        }
        Shown::Nothing(because) => because.into(),
    };
    Answer {
        field,
        value: spelled(place),
        because: because.into_owned(),
    }
}

/// How a dialect file spells a value. Words are in quotes, as in JSON.
pub(super) fn spelled(value: impl Serialize) -> String {
    serde_json::to_string(&value).unwrap_or_else(|error| error.to_string())
}
