//! Strings that a case can store: the closed set of names and paths that matter to `open`, `chdir`
//! and `exec`.

use std::fmt;

/// A name of as many bytes as a directory entry holds; a file is called so.
pub const FULL_LENGTH_NAME: &str = "fourteen-bytes";

/// A string, without the zero that ends it: a short one, or a long path to `init`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Text(u8);

/// Slashes, and the name that every long path ends in.
const LONG_PATH: &str = concat!(
    "//////////////////////////////////////////////////",
    "//////////////////////////////////////////////////",
    "//////////////////////////////////////////////////",
    "//////////////////////////////////////////////init",
);

impl Text {
    /// The short strings, in the order of their binary codes: names that exist, one that is cut to
    /// the length of a directory entry, one of a file used as a directory, one that nobody has,
    /// and none.
    pub const WORDS: [&'static str; 12] = [
        "init",
        "grow",
        ".",
        "/",
        "/init",
        "./grow",
        "..",
        "nothing",
        FULL_LENGTH_NAME,
        "fourteen-bytes-and-more",
        "init/grow",
        "",
    ];

    /// The lengths of the long paths, in bytes without the zero at the end, in the order of their
    /// binary codes after the short strings: the longest that xv6 takes, and two too long.
    pub const PATHS: [usize; 3] = [abi::limits::PATH - 1, abi::limits::PATH, LONG_PATH.len()];

    /// How many strings there are.
    pub const COUNT: u8 = (Self::WORDS.len() + Self::PATHS.len()) as u8;

    /// The string with that binary code (modulo [`Text::COUNT`]).
    pub fn from_code(code: u8) -> Text {
        Text(code % Self::COUNT)
    }

    /// The binary code.
    pub fn code(self) -> u8 {
        self.0
    }

    /// The short string that is spelled so, if there is one.
    pub fn spelled(word: &str) -> Option<Text> {
        let at = Self::WORDS.iter().position(|other| *other == word)?;
        Some(Text(at as u8))
    }

    /// The long path of so many bytes, if there is one.
    pub fn path(bytes: usize) -> Option<Text> {
        let at = Self::PATHS.iter().position(|length| *length == bytes)?;
        Some(Text((Self::WORDS.len() + at) as u8))
    }

    /// The bytes, without the zero at the end.
    pub fn bytes(self) -> &'static [u8] {
        let at = usize::from(self.0);
        match Self::WORDS.get(at) {
            Some(word) => word.as_bytes(),
            None => &LONG_PATH.as_bytes()[LONG_PATH.len() - Self::PATHS[at - Self::WORDS.len()]..],
        }
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Self::WORDS.get(usize::from(self.0)) {
            Some(word) => write!(f, "\"{word}\""),
            None => write!(f, "path {}", self.bytes().len()),
        }
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::{FULL_LENGTH_NAME, Text};

    #[test]
    fn codes_and_spellings_agree() {
        for code in 0..Text::COUNT {
            let text = Text::from_code(code);
            assert_eq!(text.code(), code);
            let spelled = std::str::from_utf8(text.bytes()).unwrap();
            let again = Text::spelled(spelled).or_else(|| Text::path(spelled.len()));
            assert_eq!(again, Some(text));
        }
        assert_eq!(FULL_LENGTH_NAME.len(), abi::file_system::NAME_SIZE);
    }
}
