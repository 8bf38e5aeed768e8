//! Keys that are typed at the console.

use super::Argument;
use crate::case::binary::Record;
use crate::case::parse::{Line, Parsed};
use crate::case::text_error::Complaint;
use std::fmt;

/// Up to six keys. Two operations type a longer line.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Keys([u8; Keys::MOST]);

impl Keys {
    /// The most keys of one operation.
    pub const MOST: usize = 6;
    /// Ends the input.
    pub const END: u8 = control(b'D');
    /// Removes a character.
    pub const BACKSPACE: u8 = control(b'H');
    /// Removes the line.
    pub const REMOVE_LINE: u8 = control(b'U');
    /// Lists the processes.
    pub const LIST: u8 = control(b'P');
    /// Ends a line.
    pub const NEWLINE: u8 = b'\n';

    /// Those of the bytes that are keys, at most [`Keys::MOST`] of them.
    pub fn new(bytes: impl IntoIterator<Item = u8>) -> Keys {
        let mut keys = Keys::default();
        let pressed = bytes.into_iter().filter(|byte| is_key(*byte));
        for (place, key) in keys.0.iter_mut().zip(pressed) {
            *place = key;
        }
        keys
    }

    /// The bytes that the serial port receives, in order.
    pub fn bytes(&self) -> &[u8] {
        let count = self.0.iter().position(|key| *key == 0);
        &self.0[..count.unwrap_or(Keys::MOST)]
    }

    /// Whether a kernel has to edit lines for them.
    pub fn edit(&self) -> bool {
        let mut keys = self.bytes().iter();
        keys.any(|key| [Keys::BACKSPACE, Keys::REMOVE_LINE].contains(key))
    }

    /// Whether they end the input.
    pub fn end(&self) -> bool {
        self.bytes().contains(&Keys::END)
    }
}

const fn control(letter: u8) -> u8 {
    letter - b'@'
}

fn is_key(byte: u8) -> bool {
    const CONTROL: [u8; 5] = [
        Keys::END,
        Keys::BACKSPACE,
        Keys::REMOVE_LINE,
        Keys::LIST,
        Keys::NEWLINE,
    ];
    byte.is_ascii_alphanumeric() || byte == b' ' || CONTROL.contains(&byte)
}

impl fmt::Display for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for key in self.bytes() {
            match *key {
                Keys::NEWLINE => f.write_str("\\n")?,
                key if key < b' ' => write!(f, "^{}", char::from(key + b'@'))?,
                key => write!(f, "{}", char::from(key))?,
            }
        }
        f.write_str("\"")
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Bytes 1 to 4, 6 and 7: a key each. Bytes that are not keys are left out.
impl Argument for Keys {
    type Value = Keys;

    fn decode(record: &Record) -> Keys {
        let [_, first, second, third, fourth, _, fifth, sixth] = *record;
        Keys::new([first, second, third, fourth, fifth, sixth])
    }

    fn encode(keys: Keys, record: &mut Record) {
        let Keys([first, second, third, fourth, fifth, sixth]) = keys;
        record[1..5].copy_from_slice(&[first, second, third, fourth]);
        record[6..].copy_from_slice(&[fifth, sixth]);
    }

    fn parse(line: &mut Line<'_>) -> Parsed<Keys> {
        const EXPECTED: &str = "keys in quotes, such as `\"ab\\n\"`";
        line.expect_symbol('"', EXPECTED)?;
        let (text, at) = line.run(|c| c != '"')?;
        line.expect_symbol('"', EXPECTED)?;
        let bytes = text.replace("\\n", "\n").into_bytes();
        let mut bytes = bytes.into_iter();
        let mut keys = Vec::new();
        while let Some(byte) = bytes.next() {
            keys.push(match byte {
                b'^' => bytes.next().map_or(0, |letter| letter & 0x1f),
                byte => byte,
            });
        }
        if keys.len() > Keys::MOST || !keys.iter().all(|key| is_key(*key)) {
            let message = "these cannot be typed";
            return Err(Complaint::new(at, message).help(
                "one `type` has up to six keys: letters, digits, blanks, `\\n`, `^D`, `^H`, `^U` and `^P`",
            ));
        }
        Ok(Keys::new(keys))
    }

    fn print(keys: Keys, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " {keys}")
    }

    /// One key fewer.
    fn simpler(keys: Keys) -> Vec<Keys> {
        let count = keys.bytes().len();
        let without = |left_out: usize| {
            let others = keys.bytes().iter().enumerate();
            let others = others.filter(|(at, _)| *at != left_out);
            Keys::new(others.map(|(_, key)| *key))
        };
        (0..count).map(without).collect()
    }
}
