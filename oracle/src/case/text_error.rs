//! Errors in a text: where, what is wrong, and what to write instead.

use miette::{Diagnostic, SourceSpan};
use std::ops::Range;

/// A text that is not a case.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Diagnostic)]
#[error("line {line}, column {column}: {message}{}", help_words(help.as_deref()))]
pub struct ParseError {
    /// The line, from 1.
    pub line: usize,
    /// The column, in characters, from 1.
    pub column: usize,
    /// What is wrong and what was expected.
    pub message: Box<str>,
    /// What to write instead.
    #[help]
    pub help: Option<Box<str>>,
    /// The whole text.
    #[source_code]
    text: String,
    /// Where in the text, in bytes.
    #[label("here")]
    span: SourceSpan,
}

fn help_words(help: Option<&str>) -> String {
    help.map_or(String::new(), |help| format!(" ({help})"))
}

/// A parser's complaint, before its line is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Complaint {
    /// Bytes of the line.
    pub(super) at: Range<usize>,
    pub(super) message: String,
    pub(super) help: Option<String>,
}

impl Complaint {
    pub(crate) fn new(at: Range<usize>, message: impl Into<String>) -> Complaint {
        Complaint {
            at,
            message: message.into(),
            help: None,
        }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Complaint {
        self.help = Some(help.into());
        self
    }

    /// The error in `text`, whose line numbered `line` from 1 begins at byte `start`.
    pub(crate) fn in_text(self, text: &str, line: usize, start: usize) -> ParseError {
        let at = start + self.at.start;
        ParseError {
            line,
            column: text
                .get(start..at)
                .map_or(0, |before| before.chars().count())
                + 1,
            message: self.message.into(),
            help: self.help.map(Into::into),
            text: text.to_owned(),
            span: (at, self.at.len()).into(),
        }
    }
}

/// The word of `known` that `word` was probably meant to be.
pub(super) fn meant<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let nearest = known.map(|other| (distance(word, other), other)).min()?;
    (nearest.0 <= 2 && nearest.0 < word.len()).then_some(nearest.1)
}

/// Levenshtein's distance.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().take(32).collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, from) in one.chars().take(32).enumerate() {
        let mut diagonal = row[0];
        row[0] = at + 1;
        for (to_at, to) in other.iter().enumerate() {
            let changed = diagonal + usize::from(from != *to);
            diagonal = row[to_at + 1];
            row[to_at + 1] = changed.min(row[to_at] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::{distance, meant};

    #[test]
    fn near_words_are_found() {
        assert_eq!(distance("sbrk", "sbrk"), 0);
        assert_eq!(distance("brk", "sbrk"), 1);
        assert_eq!(distance("", "fork"), 4);
        assert_eq!(meant("frok", ["fork", "wait"].into_iter()), Some("fork"));
        assert_eq!(meant("zzzz", ["fork", "wait"].into_iter()), None);
    }
}
