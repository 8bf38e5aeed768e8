//! Words, symbols and numbers: what a line of text is made of.

use crate::case::text_error::Complaint;
use std::ops::{Range, RangeInclusive};
use winnow::Parser;
use winnow::combinator::opt;
use winnow::error::ParserError;
use winnow::stream::{LocatingSlice, Location, Stream};
use winnow::token::{one_of, take_while};

pub(super) type Input<'a> = LocatingSlice<&'a str>;
pub(super) type Parsed<T> = Result<T, Complaint>;

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

pub(super) fn blanks(input: &mut Input<'_>) -> Parsed<()> {
    take_while(0.., [' ', '\t']).void().parse_next(input)
}

/// The complaint that something else was expected than what follows.
pub(super) fn found(input: &mut Input<'_>, expected: &str) -> Complaint {
    let start = input.current_token_start();
    let rest: &str = input;
    let length = rest.find([' ', '\t']).unwrap_or(rest.len());
    let message = match &rest[..length] {
        "" => format!("expected {expected}, but the line ends here"),
        word => format!("expected {expected}, found `{word}`"),
    };
    Complaint::new(start..start + length, message)
}

/// A word, and where it stands; empty if there is none.
pub(super) fn word<'a>(input: &mut Input<'a>) -> Parsed<(&'a str, Range<usize>)> {
    blanks(input)?;
    take_while(0.., |c: char| {
        c.is_ascii_alphanumeric() || c == '-' || c == '_'
    })
    .with_span()
    .parse_next(input)
}

/// A word of letters only, and where it stands: what `-8` may follow at once.
pub(super) fn name<'a>(input: &mut Input<'a>) -> Parsed<(&'a str, Range<usize>)> {
    blanks(input)?;
    take_while(0.., |c: char| c.is_ascii_alphabetic())
        .with_span()
        .parse_next(input)
}

/// The word that follows, if it is `wanted`.
pub(super) fn keyword(input: &mut Input<'_>, wanted: &str) -> Parsed<bool> {
    let start = input.checkpoint();
    let (word, _) = word(input)?;
    if word != wanted {
        input.reset(&start);
    }
    Ok(word == wanted)
}

pub(super) fn symbol(input: &mut Input<'_>, wanted: char) -> Parsed<bool> {
    blanks(input)?;
    opt(one_of(wanted))
        .map(|seen| seen.is_some())
        .parse_next(input)
}

pub(super) fn expect_symbol(input: &mut Input<'_>, wanted: char, expected: &str) -> Parsed<()> {
    match symbol(input, wanted)? {
        true => Ok(()),
        false => Err(found(input, expected)),
    }
}

/// The digits of a number, decimal or `0x…`, without sign.
pub(super) fn magnitude(input: &mut Input<'_>, expected: &str) -> Parsed<u64> {
    let (digits, at) = take_while(0.., |c: char| c.is_ascii_alphanumeric())
        .with_span()
        .parse_next(input)?;
    let number = match digits.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => digits.parse(),
    };
    number.map_err(|_| match digits {
        "" => found(input, expected),
        _ => Complaint::new(at, format!("expected {expected}, found `{digits}`")),
    })
}

pub(super) fn signed(input: &mut Input<'_>, expected: &str) -> Parsed<(i128, Range<usize>)> {
    blanks(input)?;
    let start = input.current_token_start();
    let sign: Option<char> = opt(one_of(['+', '-'])).parse_next(input)?;
    let number = i128::from(magnitude(input, expected)?);
    let number = if sign == Some('-') { -number } else { number };
    Ok((number, start..input.current_token_start()))
}

pub(super) fn integer(
    input: &mut Input<'_>,
    range: RangeInclusive<i64>,
    expected: &str,
) -> Parsed<i64> {
    let (number, at) = signed(input, expected)?;
    let fitting = i64::try_from(number)
        .ok()
        .filter(|number| range.contains(number));
    fitting.ok_or_else(|| {
        let (low, high) = (range.start(), range.end());
        Complaint::new(
            at,
            format!("{number} is out of range: {expected} is {low} to {high}"),
        )
    })
}
