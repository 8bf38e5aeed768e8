//! A line of text that is being read: words, symbols and numbers.

use crate::case::text_error::Complaint;
use crate::case::{Process, Width};
use std::ops::{Range, RangeInclusive};
use winnow::Parser;
use winnow::combinator::opt;
use winnow::error::ParserError;
use winnow::stream::{LocatingSlice, Location, Stream};
use winnow::token::{literal, one_of, take_while};

type Input<'a> = LocatingSlice<&'a str>;
pub(crate) type Parsed<T> = Result<T, Complaint>;

impl<'a> ParserError<Input<'a>> for Complaint {
    type Inner = Complaint;

    fn from_input(input: &Input<'a>) -> Complaint {
        let at = input.current_token_start();
        let length = input.chars().next().map_or(0, char::len_utf8);
        Complaint::new(at..at + length, "this is not expected here")
    }

    fn into_inner(self) -> Result<Complaint, Complaint> {
        Ok(self)
    }
}

/// What is left of a line, and what its later arguments need to know of what came before.
pub(crate) struct Line<'a> {
    input: Input<'a>,
    /// The operation's word, and where it was found.
    pub(super) operation: &'static str,
    pub(super) at: Range<usize>,
    /// The process that is named before the operation's word.
    pub(super) named: Option<Process>,
    width: Width,
}

impl<'a> Line<'a> {
    pub(super) fn new(line: &'a str) -> Line<'a> {
        Line {
            input: LocatingSlice::new(line),
            operation: "",
            at: 0..0,
            named: None,
            width: Width::Eight,
        }
    }

    /// The word of the operation whose arguments are read.
    pub(crate) fn operation(&self) -> &'static str {
        self.operation
    }

    /// Where that word, with all that follows it without a blank, was found.
    pub(crate) fn at(&self) -> Range<usize> {
        self.at.clone()
    }

    /// The process that is named before the operation's word, if there is one.
    pub(crate) fn named(&self) -> Option<Process> {
        self.named
    }

    /// How many bytes the operation moves, if its width was read.
    pub(crate) fn width(&self) -> Width {
        self.width
    }

    /// The operation moves this many bytes.
    pub(crate) fn moves(&mut self, width: Width) {
        self.width = width;
    }

    pub(crate) fn blanks(&mut self) -> Parsed<()> {
        let blanks = take_while(0.., [' ', '\t']);
        blanks.void().parse_next(&mut self.input)
    }

    /// Whether only blanks are left.
    pub(crate) fn is_at_end(&mut self) -> Parsed<bool> {
        self.blanks()?;
        Ok(self.input.is_empty())
    }

    /// How many bytes were read.
    pub(crate) fn position(&self) -> usize {
        self.input.current_token_start()
    }

    /// Whether such a character follows, without a blank.
    pub(crate) fn continues_with(&self, expected: impl Fn(char) -> bool) -> bool {
        self.input.chars().next().is_some_and(expected)
    }

    /// The complaint that something else was expected than what follows.
    pub(crate) fn found(&self, expected: &str) -> Complaint {
        let start = self.position();
        let rest: &str = &self.input;
        let length = rest.find([' ', '\t']).unwrap_or(rest.len());
        let message = match &rest[..length] {
            "" => format!("expected {expected}, but the line ends here"),
            word => format!("expected {expected}, found `{word}`"),
        };
        Complaint::new(start..start + length, message)
    }

    /// The following characters that are `wanted`, and their position.
    pub(crate) fn run(&mut self, wanted: impl Fn(char) -> bool) -> Parsed<(&'a str, Range<usize>)> {
        let run = take_while(0.., wanted);
        run.with_span().parse_next(&mut self.input)
    }

    /// A word and its position; empty if there is none.
    pub(crate) fn word(&mut self) -> Parsed<(&'a str, Range<usize>)> {
        self.blanks()?;
        self.run(is_of_word)
    }

    /// A word of letters only, and its position. `-8` may follow it at once.
    pub(crate) fn name(&mut self) -> Parsed<(&'a str, Range<usize>)> {
        self.blanks()?;
        self.run(|c| c.is_ascii_alphabetic())
    }

    /// What follows the operation's word without a blank.
    pub(crate) fn suffix(&mut self) -> Parsed<&'a str> {
        self.run(is_of_word).map(|(suffix, _)| suffix)
    }

    /// The word that follows, if it is `wanted`.
    pub(crate) fn keyword(&mut self, wanted: &str) -> Parsed<bool> {
        let start = self.input.checkpoint();
        let (word, _) = self.word()?;
        if word != wanted {
            self.input.reset(&start);
        }
        Ok(word == wanted)
    }

    /// The word that follows and its position; of a word that begins as `prefix` says, only so
    /// much is read.
    pub(super) fn word_or_prefix(
        &mut self,
        prefix: impl Fn(&str) -> Option<&'static str>,
    ) -> Parsed<(&'a str, Range<usize>)> {
        self.blanks()?;
        let start = self.input.checkpoint();
        let (word, at) = self.run(is_of_word)?;
        if let Some(prefix) = prefix(word) {
            self.input.reset(&start);
            let prefix = literal(prefix).parse_next(&mut self.input)?;
            return Ok((prefix, at));
        }
        Ok((word, at))
    }

    /// Whether `wanted` follows, which is read then.
    pub(crate) fn symbol(&mut self, wanted: char) -> Parsed<bool> {
        self.blanks()?;
        let symbol = opt(one_of(wanted));
        symbol
            .map(|seen| seen.is_some())
            .parse_next(&mut self.input)
    }

    pub(crate) fn expect_symbol(&mut self, wanted: char, expected: &str) -> Parsed<()> {
        if self.symbol(wanted)? {
            return Ok(());
        }
        Err(self.found(expected))
    }

    /// A plus or minus, if one follows.
    pub(crate) fn sign(&mut self) -> Parsed<Option<char>> {
        opt(one_of(['+', '-'])).parse_next(&mut self.input)
    }

    /// Whether `2^` follows, which is read then.
    pub(crate) fn power_follows(&mut self) -> Parsed<bool> {
        let power = opt(literal("2^")).parse_next(&mut self.input)?;
        Ok(power.is_some())
    }

    /// The digits of a number, decimal or `0x…`, without sign.
    fn magnitude(&mut self, expected: &str) -> Parsed<u64> {
        let (digits, at) = self.run(|c| c.is_ascii_alphanumeric())?;
        let number = match digits.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16),
            None => digits.parse(),
        };
        number.map_err(|_| match digits {
            "" => self.found(expected),
            _ => Complaint::new(at, format!("expected {expected}, found `{digits}`")),
        })
    }

    /// A number with or without a sign, and its position.
    pub(crate) fn signed(&mut self, expected: &str) -> Parsed<(i128, Range<usize>)> {
        self.blanks()?;
        let start = self.position();
        let sign = self.sign()?;
        let number = i128::from(self.magnitude(expected)?);
        let number = if sign == Some('-') { -number } else { number };
        Ok((number, start..self.position()))
    }

    /// A number in `range`.
    pub(crate) fn integer(&mut self, range: RangeInclusive<i64>, expected: &str) -> Parsed<i64> {
        let (number, at) = self.signed(expected)?;
        let fitting = i64::try_from(number)
            .ok()
            .filter(|number| range.contains(number));
        fitting.ok_or_else(|| {
            let (low, high) = (range.start(), range.end());
            let message = format!("{number} is out of range: {expected} is {low} to {high}");
            Complaint::new(at, message)
        })
    }
}

fn is_of_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}
