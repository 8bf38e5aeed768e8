//! Strings that a case can store: the closed set of names and paths that matter to system calls
//! that take a path.

use std::fmt;

/// A name of as many bytes as a directory entry holds; a file is called so.
pub const FULL_LENGTH_NAME: &str = "fourteen-bytes";

/// A string, without the zero that ends it: a name or short path, or a long path to `init`.
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

    /// Names that nobody has when a case begins, for files and directories that it makes, in the
    /// order of their binary codes after the long paths; the last differs from
    /// [`FULL_LENGTH_NAME`] in its last byte.
    pub const NEW_WORDS: [&'static str; 10] = [
        "new",
        "dir",
        "dir/new",
        "other",
        "dir/dir",
        "dir/dir/new",
        "../new",
        "dir/..",
        "new/deep",
        "fourteen-bytez",
    ];

    /// Code of the first of [`Text::NEW_WORDS`].
    const FIRST_NEW: usize = Self::WORDS.len() + Self::PATHS.len();

    /// How many strings there are.
    pub const COUNT: u8 = (Self::FIRST_NEW + Self::NEW_WORDS.len()) as u8;

    /// All strings but the long paths.
    pub fn words() -> impl Iterator<Item = &'static str> + Clone {
        Self::WORDS.into_iter().chain(Self::NEW_WORDS)
    }

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
        let mut texts = (0..Self::COUNT).map(Text);
        texts.find(|text| text.word() == Some(word))
    }

    /// The long path of so many bytes, if there is one.
    pub fn path(bytes: usize) -> Option<Text> {
        let at = Self::PATHS.iter().position(|length| *length == bytes)?;
        Some(Text((Self::WORDS.len() + at) as u8))
    }

    /// The bytes, without the zero at the end.
    pub fn bytes(self) -> &'static [u8] {
        match self.word() {
            Some(word) => word.as_bytes(),
            None => {
                let length = Self::PATHS[usize::from(self.0) - Self::WORDS.len()];
                &LONG_PATH.as_bytes()[LONG_PATH.len() - length..]
            }
        }
    }

    /// What it is spelled, unless it is a long path.
    fn word(self) -> Option<&'static str> {
        let at = usize::from(self.0);
        let new = at.checked_sub(Self::FIRST_NEW);
        let word = Self::WORDS.get(at);
        word.or_else(|| Self::NEW_WORDS.get(new?)).copied()
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.word() {
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
