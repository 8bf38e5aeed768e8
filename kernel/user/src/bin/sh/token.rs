//! From a line's bytes to words and operators.

use alloc::ffi::CString;
use alloc::vec::Vec;

use crate::command::SyntaxError;

/// The smallest parts of a line that mean something.
#[derive(PartialEq, Eq)]
pub enum Token {
    /// A word, its quotes taken off.
    Word(CString),
    /// `|`
    Pipe,
    /// `;`
    Then,
    /// `&`
    Background,
    /// `(`
    Open,
    /// `)`
    Close,
    /// `<`
    Input,
    /// `>`
    Output,
    /// `>>`
    Append,
}

/// Takes a line apart.
///
/// # Errors
/// A quote is not closed, or nothing follows a backslash.
pub fn tokens(line: &[u8]) -> Result<Vec<Token>, SyntaxError> {
    let mut rest = line.trim_ascii_start();
    let mut tokens = Vec::new();
    while let [first, behind @ ..] = rest {
        let mut after = behind;
        let token = match first {
            b'#' => break,
            b'|' => Token::Pipe,
            b';' => Token::Then,
            b'&' => Token::Background,
            b'(' => Token::Open,
            b')' => Token::Close,
            b'<' => Token::Input,
            b'>' => match behind {
                [b'>', behind @ ..] => {
                    after = behind;
                    Token::Append
                }
                _ => Token::Output,
            },
            _ => {
                let word;
                (word, after) = self::word(rest)?;
                Token::Word(word)
            }
        };
        tokens.push(token);
        rest = after.trim_ascii_start();
    }
    Ok(tokens)
}

/// The word that `rest` begins with, and what follows it.
fn word(mut rest: &[u8]) -> Result<(CString, &[u8]), SyntaxError> {
    const UNCLOSED: SyntaxError = SyntaxError("a quote is not closed");
    let mut word = Vec::new();
    let mut quote = None;
    while let [byte, behind @ ..] = rest {
        match (quote, byte) {
            (Some(b'\''), b'\'') | (Some(b'"'), b'"') => quote = None,
            (None, b'\'' | b'"') => quote = Some(*byte),
            (None | Some(b'"'), b'\\') => {
                let (&byte, behind) = behind
                    .split_first()
                    .ok_or(SyntaxError("nothing follows a backslash"))?;
                word.push(byte);
                rest = behind;
                continue;
            }
            (None, b'|' | b';' | b'&' | b'(' | b')' | b'<' | b'>') => break,
            (None, byte) if byte.is_ascii_whitespace() => break,
            (_, byte) => word.push(*byte),
        }
        rest = behind;
    }
    if quote.is_some() {
        return Err(UNCLOSED);
    }
    let word = CString::new(word).map_err(|_| SyntaxError("a word has a zero byte"))?;
    Ok((word, rest))
}
