//! The parser of one line of text.
//!
//! ```text
//! line      = [ operation ] [ "#" comment ]
//! operation = [ process ":" ] [ process "=" ] word { argument }
//! word      = one of the table of operations
//! ```
//!
//! An operation on all processes names no process. A fork, and only a fork, names its child. The arguments
//! are those of the table, each as its type in [`super::argument`] says.

mod line;

pub(crate) use line::{Line, Parsed};

use super::argument::{self, Argument};
use super::operations::for_each_operation;
use super::text_error::{Complaint, meant};
use super::{Call, Kind, Operation, Process, Width};
use std::num::NonZeroU8;
use std::ops::Range;

/// Parses an operation that fills the whole of `line`, except for blanks.
pub(in crate::case) fn operation(line: &str) -> Parsed<Operation> {
    let mut line = Line::new(line);
    let operation = any_operation(&mut line)?;
    if line.is_at_end()? {
        Ok(operation)
    } else {
        Err(line.found("the end of the line"))
    }
}

fn any_operation(line: &mut Line<'_>) -> Parsed<Operation> {
    let (name, at) = line.word()?;
    if let Some(kind) = kind_named(name, true, line)? {
        return Ok(Operation::new(Process::FIRST, call_of(kind, at, line)?));
    }
    if name.is_empty() {
        return Err(line.found("a process, `a` to `h`, or `frames`, or `together`"));
    }
    if Kind::ALL.iter().any(|kind| name.starts_with(kind.word())) && name.len() > 1 {
        let complaint = Complaint::new(at, format!("`{name}` needs a process that does it"));
        return Err(complaint.help(format!("write `a: {name} …`")));
    }
    let process = process_named(name, at)?;
    line.expect_symbol(':', "`:` after the process")?;
    Ok(Operation::new(process, call(line)?))
}

/// What a process does.
fn call(line: &mut Line<'_>) -> Parsed<Call> {
    let prefix = |word: &str| {
        let suffixed = Kind::ALL.into_iter().filter(|kind| kind.has_suffix());
        let mut words = suffixed.map(Kind::word);
        words.find(|prefix| word.starts_with(prefix))
    };
    let (name, at) = line.word_or_prefix(prefix)?;
    if name.is_empty() {
        return Err(line.found("an operation"));
    }
    if let Some(kind) = kind_named(name, false, line)? {
        return call_of(kind, at, line);
    }
    if line.symbol('=')? {
        line.named = Some(process_named(name, at)?);
        line.blanks()?;
        let start = line.position();
        for kind in Kind::ALL.into_iter().filter(|kind| kind.names_a_child()) {
            if line.keyword(kind.word())? {
                return call_of(kind, start..line.position(), line);
            }
        }
        return Err(line.found("`fork`"));
    }
    let complaint = Complaint::new(at, format!("there is no operation `{name}`"));
    let words = call_words();
    Err(match meant(name, words.iter().map(String::as_str)) {
        Some(other) => complaint.help(format!("did you mean `{other}`?")),
        None => complaint.help(format!("there are {}", words.join(", "))),
    })
}

/// The kind of operation that `name`, or `name` and the word after it, stand for: of those that are
/// done to all processes, or of the others.
fn kind_named(name: &str, done_to_all: bool, line: &mut Line<'_>) -> Parsed<Option<Kind>> {
    let kinds = Kind::ALL.into_iter();
    let kinds = kinds.filter(|kind| kind.is_done_to_all() == done_to_all);
    for kind in kinds.clone() {
        if let Some((first, second)) = kind.word().split_once(' ')
            && first == name
            && line.keyword(second)?
        {
            return Ok(Some(kind));
        }
    }
    Ok({ kinds }.find(|kind| kind.word() == name))
}

/// The words that a call of a process can begin with.
fn call_words() -> Vec<String> {
    let kinds = Kind::ALL.into_iter();
    let kinds = kinds.filter(|kind| !kind.is_done_to_all());
    let (suffixed, plain): (Vec<_>, Vec<_>) = kinds.partition(|kind| kind.has_suffix());
    let with_width =
        |kind: Kind| Width::ALL.map(|width| format!("{}{}", kind.word(), width.bytes()));
    let plain = plain.into_iter().map(|kind| kind.word().to_owned());
    plain
        .chain(suffixed.into_iter().flat_map(with_width))
        .collect()
}

/// Reads the arguments of an operation whose word was found at `at`.
fn call_of(kind: Kind, at: Range<usize>, line: &mut Line<'_>) -> Parsed<Call> {
    (line.operation, line.at) = (kind.word(), at);
    arguments(kind, line)
}

macro_rules! define_arguments {
    ($($name:ident $word:literal [$($code:tt)*] $family:ident $cost:ident $work:literal $says:ident
       ($($argument:ident: $type:ident),*) {$($reach:expr),*};)*) => {
        fn arguments(kind: Kind, line: &mut Line<'_>) -> Parsed<Call> {
            Ok(match kind {
                $(Kind::$name => Call::$name {
                    $($argument: <argument::$type as Argument>::parse(line)?,)*
                },)*
            })
        }
    };
}

for_each_operation!(define_arguments);

/// The process that `word`, found at `at`, names.
pub(in crate::case) fn process_named(word: &str, at: Range<usize>) -> Parsed<Process> {
    let mut letters = word.chars();
    let process = letters.next().and_then(Process::from_letter);
    let is_alone = letters.next().is_none();
    process.filter(|_| is_alone).ok_or_else(|| {
        let message = format!("expected a process, `a` to `h`, found `{word}`");
        Complaint::new(at, message)
    })
}

/// A number from 1 to 255; others are brought into that range.
pub(in crate::case) fn at_least_one(number: i64) -> NonZeroU8 {
    let number = u8::try_from(number).ok();
    number.and_then(NonZeroU8::new).unwrap_or(NonZeroU8::MIN)
}
