//! Patterns: `^` and `$` stand for the ends of a line, `.` for any byte, `x*` for any number of
//! `x`, `\x` for `x` itself; everything else for itself.

/// Whether some part of `line` is what `pattern` describes.
pub fn matches(pattern: &[u8], line: &[u8]) -> bool {
    match pattern {
        [b'^', rest @ ..] => begins(rest, line),
        _ => (0..=line.len()).any(|start| begins(pattern, &line[start..])),
    }
}

/// Whether the beginning of `text`, which reaches to the line's end, is what `pattern` describes.
fn begins(mut pattern: &[u8], mut text: &[u8]) -> bool {
    loop {
        let (item, rest) = match pattern {
            [] => return true,
            [b'$'] => return text.is_empty(),
            [b'\\', byte, rest @ ..] => (Item::Byte(*byte), rest),
            [b'.', rest @ ..] => (Item::Any, rest),
            [byte, rest @ ..] => (Item::Byte(*byte), rest),
        };
        if let [b'*', rest @ ..] = rest {
            let most = text.iter().take_while(|&&byte| item.is(byte)).count();
            return (0..=most).any(|count| begins(rest, &text[count..]));
        }
        match text {
            [byte, behind @ ..] if item.is(*byte) => text = behind,
            _ => return false,
        }
        pattern = rest;
    }
}

/// What one byte of text has to be.
enum Item {
    Any,
    Byte(u8),
}

impl Item {
    fn is(&self, byte: u8) -> bool {
        match self {
            Item::Any => true,
            Item::Byte(wanted) => *wanted == byte,
        }
    }
}
