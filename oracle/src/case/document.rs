//! A text case with everything that a person wrote into it, for formatting without loss.

use super::parse;
use super::print::VERSION_LINE;
use super::text_error::{Complaint, ParseError};
use super::{Case, Operation};
use std::fmt;

/// The version of the language that this crate reads and writes.
const VERSION: &str = "1";
/// The column of comments after operations, if the operation is not longer.
const COMMENT_COLUMN: usize = 32;

/// A text case: operations, comments and blank lines, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    lines: Vec<Line>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    content: Content,
    /// With its `#`, without blanks at its end.
    comment: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Content {
    Nothing,
    Version,
    Operation(Operation),
}

impl Document {
    /// Reads a text.
    ///
    /// # Errors
    /// The error says where the text is wrong, in which way, and what to write instead.
    pub fn parse(text: &str) -> Result<Document, ParseError> {
        let mut lines = Vec::new();
        let mut operations = 0;
        let mut version_seen = false;
        let mut start = 0;
        for (at, raw) in text.split('\n').enumerate() {
            let complain = |complaint: Complaint| complaint.in_text(text, at + 1, start);
            let (code, comment) = match raw.find('#') {
                Some(mark) => (&raw[..mark], Some(raw[mark..].trim_end().to_owned())),
                None => (raw, None),
            };
            let code = code.trim_end();
            let content = match (code.trim(), version_seen) {
                ("", _) => Content::Nothing,
                (first, false) => {
                    version(first, code).map_err(complain)?;
                    version_seen = true;
                    Content::Version
                }
                (_, true) => {
                    operations += 1;
                    if operations > Case::MAX_OPERATIONS {
                        let most = Case::MAX_OPERATIONS;
                        let message = format!("a case has at most {most} operations");
                        return Err(complain(Complaint::new(0..code.len(), message)));
                    }
                    Content::Operation(parse::operation(code).map_err(complain)?)
                }
            };
            lines.push(Line { content, comment });
            start += raw.len() + 1;
        }
        while lines.last().is_some_and(Line::is_blank) {
            lines.pop();
        }
        if !version_seen {
            let end = text.trim_end().len();
            let line = text[..end].split('\n').count();
            let line_start = text[..end].rfind('\n').map_or(0, |newline| newline + 1);
            let complaint = Complaint::new(end - line_start..end - line_start, NO_VERSION);
            let complaint = complaint.help(format!("write `{VERSION_LINE}` in the first line"));
            return Err(complaint.in_text(text, line, line_start));
        }
        Ok(Document { lines })
    }

    /// A document without comments.
    pub fn from_case(case: &Case) -> Document {
        let operations = case.operations.iter().copied().map(Content::Operation);
        let content = std::iter::once(Content::Version).chain(operations);
        let line = |content| Line {
            content,
            comment: None,
        };
        Document {
            lines: content.map(line).collect(),
        }
    }

    /// The operations alone.
    pub fn case(&self) -> Case {
        let operations = self.lines.iter().filter_map(|line| match line.content {
            Content::Operation(operation) => Some(operation),
            _ => None,
        });
        Case {
            operations: operations.collect(),
        }
    }

    /// The operations, each with the comment after it, without its `#` and the blanks around it.
    pub fn annotated(&self) -> impl Iterator<Item = (Operation, Option<&str>)> {
        self.lines.iter().filter_map(|line| match line.content {
            Content::Operation(operation) => {
                Some((operation, line.comment.as_deref().map(words_of)))
            }
            _ => None,
        })
    }

    /// The comments, in order, each without its `#` and the blanks around it.
    pub fn comments(&self) -> impl Iterator<Item = &str> {
        let comments = self.lines.iter().filter_map(|line| line.comment.as_deref());
        comments.map(words_of)
    }
}

fn words_of(comment: &str) -> &str {
    comment.trim_start_matches('#').trim()
}

const NO_VERSION: &str = "the text does not say that it is a case";

/// Checks the version line. `code` is the line up to its comment, `first` the same without blanks.
fn version(first: &str, code: &str) -> Result<(), Complaint> {
    let indent = code.len() - code.trim_start().len();
    let at = indent..indent + first.len();
    let mut words = first.split_whitespace();
    match (words.next(), words.next(), words.next()) {
        (Some("faultline"), Some(VERSION), None) => Ok(()),
        (Some("faultline"), Some(other), None) => {
            let message = format!("this is a case in version {other} of the language");
            let help = format!("this faultline reads version {VERSION}; a newer one may read more");
            Err(Complaint::new(at, message).help(help))
        }
        _ => {
            let help = format!("write `{VERSION_LINE}` in a line above");
            Err(Complaint::new(at, NO_VERSION).help(help))
        }
    }
}

impl Line {
    fn is_blank(&self) -> bool {
        self.content == Content::Nothing && self.comment.is_none()
    }
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.lines {
            let code = match &line.content {
                Content::Nothing => String::new(),
                Content::Version => VERSION_LINE.to_owned(),
                Content::Operation(operation) => operation.to_string(),
            };
            match &line.comment {
                None => writeln!(f, "{code}")?,
                Some(comment) if code.is_empty() => writeln!(f, "{comment}")?,
                Some(comment) => {
                    let blanks = COMMENT_COLUMN.saturating_sub(code.len() + 1);
                    writeln!(f, "{code} {:blanks$}{comment}", "")?;
                }
            }
        }
        Ok(())
    }
}
