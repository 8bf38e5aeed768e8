//! Strings that a case can store: the closed set of names and paths that matter to system calls
//! that take a path.

use super::Argument;
use crate::case::binary::Record;
use crate::case::parse::{Line, Parsed};
use crate::case::text_error::{Complaint, meant};
use std::fmt;

/// A name with as many bytes as a directory entry holds; a file has this name.
pub const FULL_LENGTH_NAME: &str = "fourteen-bytes";

/// A string, without the zero that ends it: a name or short path, or a long path to `init`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Text(u8);

/// How a string is written.
#[derive(Clone, Copy)]
enum Spelling {
    /// In quotes.
    Word(&'static str),
    /// As a path of this many bytes: slashes, and the name that it ends in.
    Path(usize),
}

use Spelling::{Path, Word};

/// Slashes, and the name that every long path ends in.
const LONG_PATH: &str = concat!(
    "//////////////////////////////////////////////////",
    "//////////////////////////////////////////////////",
    "//////////////////////////////////////////////////",
    "//////////////////////////////////////////////init",
);

/// All strings, in the order of their binary codes. A code keeps its meaning: new ones follow.
const SPELLINGS: [Spelling; 64] = [
    // Names that exist, one that is cut to the length of a directory entry, one of a file used as a
    // directory, one that does not exist, and the empty one.
    Word("init"),
    Word("grow"),
    Word("."),
    Word("/"),
    Word("/init"),
    Word("./grow"),
    Word(".."),
    Word("nothing"),
    Word(FULL_LENGTH_NAME),
    Word("fourteen-bytes-and-more"),
    Word("init/grow"),
    Word(""),
    // The longest path that xv6 takes, and two too long.
    Path(abi::limits::PATH - 1),
    Path(abi::limits::PATH),
    Path(LONG_PATH.len()),
    // Names that do not exist when a case begins; the last differs from `FULL_LENGTH_NAME` in its last
    // byte.
    Word("new"),
    Word("dir"),
    Word("dir/new"),
    Word("other"),
    Word("dir/dir"),
    Word("dir/dir/new"),
    Word("../new"),
    Word("dir/.."),
    Word("new/deep"),
    Word("fourteen-bytez"),
    // Program files, each odd in one respect: `specimens.rs`.
    Word("gap"),
    Word("islands"),
    Word("bss"),
    Word("vast"),
    Word("brim"),
    Word("eleven"),
    Word("endless"),
    Word("six"),
    Word("two"),
    Word("one"),
    Word("sealed"),
    Word("open"),
    Word("flags"),
    Word("middle"),
    Word("odd"),
    Word("notes"),
    Word("last"),
    Word("bare-bss"),
    Word("empty"),
    Word("eight"),
    Word("none"),
    Word("astray"),
    Word("into-data"),
    Word("into-zeros"),
    Word("nine"),
    Word("reversed"),
    Word("overlap"),
    Word("short"),
    Word("header"),
    Word("cut"),
    Word("beyond"),
    Word("swollen"),
    Word("wrap"),
    Word("unaligned"),
    Word("full"),
    Word("over"),
    Word("wide"),
    Word("wide-headers"),
    Word("wide-bytes"),
];

impl Text {
    /// How many strings there are.
    pub const COUNT: u8 = SPELLINGS.len() as u8;

    /// The code of the first name that does not exist when a case begins; those up to the specimens are
    /// for files and directories that it makes.
    pub const FIRST_NEW: u8 = 15;

    /// The code of the first specimen's name; only specimens follow.
    pub const FIRST_SPECIMEN: u8 = 25;

    /// The string with that binary code (modulo [`Text::COUNT`]).
    pub fn from_code(code: u8) -> Text {
        Text(code % Self::COUNT)
    }

    /// The binary code.
    pub fn code(self) -> u8 {
        self.0
    }

    /// All strings, in the order of their codes.
    pub fn all() -> impl Iterator<Item = Text> {
        (0..Self::COUNT).map(Text)
    }

    /// The short string that is spelled so, if there is one.
    pub fn spelled(word: &str) -> Option<Text> {
        Self::all().find(|text| matches!(text.spelling(), Word(other) if other == word))
    }

    /// The long path of this many bytes, if there is one.
    pub fn path(bytes: usize) -> Option<Text> {
        Self::all().find(|text| matches!(text.spelling(), Path(length) if length == bytes))
    }

    /// The short strings.
    pub fn words() -> impl Iterator<Item = &'static str> {
        SPELLINGS.iter().filter_map(|spelling| match spelling {
            Word(word) => Some(*word),
            Path(_) => None,
        })
    }

    /// The lengths of the long paths, in bytes without the zero at the end.
    pub fn path_lengths() -> impl Iterator<Item = usize> {
        SPELLINGS.iter().filter_map(|spelling| match spelling {
            Word(_) => None,
            Path(length) => Some(*length),
        })
    }

    /// The bytes, without the zero at the end.
    pub fn bytes(self) -> &'static [u8] {
        match self.spelling() {
            Word(word) => word.as_bytes(),
            Path(length) => &LONG_PATH.as_bytes()[LONG_PATH.len() - length..],
        }
    }

    /// How many bytes a store of it moves, with the zero that ends it if it is `terminated`.
    pub fn stored_bytes(self, terminated: bool) -> u64 {
        self.bytes().len() as u64 + u64::from(terminated)
    }

    fn spelling(self) -> Spelling {
        SPELLINGS[usize::from(self.0)]
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.spelling() {
            Word(word) => write!(f, "\"{word}\""),
            Path(length) => write!(f, "path {length}"),
        }
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Byte 5.
impl Argument for Text {
    type Value = Text;

    fn decode(record: &Record) -> Text {
        Text::from_code(record[5])
    }

    fn encode(text: Text, record: &mut Record) {
        record[5] = text.code();
    }

    /// A string in quotes, or a long path by its length.
    fn parse(line: &mut Line<'_>) -> Parsed<Text> {
        if line.keyword("path")? {
            return parse_path(line);
        }
        if !line.symbol('"')? {
            return Err(line.found("a string in quotes, or `path` and a length"));
        }
        let (spelled, at) = line.run(|c| c != '"')?;
        line.expect_symbol('"', "`\"` at the end of the string")?;
        Text::spelled(spelled).ok_or_else(|| {
            let complaint = Complaint::new(at, format!("the language has no string `{spelled}`"));
            match meant(spelled, Text::words()) {
                Some(other) => complaint.help(format!("did you mean `{other}`?")),
                None => {
                    let words: Vec<_> = Text::words().collect();
                    complaint.help(format!("there are {words:?}"))
                }
            }
        })
    }

    fn print(text: Text, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " {text}")
    }

    fn simpler(text: Text) -> Vec<Text> {
        (0..text.code()).map(Text::from_code).collect()
    }
}

/// What follows `path`.
fn parse_path(line: &mut Line<'_>) -> Parsed<Text> {
    let (bytes, at) = line.signed("a number of bytes")?;
    let text = usize::try_from(bytes).ok().and_then(Text::path);
    text.ok_or_else(|| {
        let lengths: Vec<_> = Text::path_lengths()
            .map(|length| length.to_string())
            .collect();
        let message = format!("there are long paths of {} bytes", lengths.join(", "));
        Complaint::new(at, message)
    })
}

/// Whether the zero that ends a string is stored as well, which is the default. Lower three bits
/// of byte 6: 1 if it is not.
pub(crate) enum Terminated {}

impl Terminated {
    const NOT: u8 = 1;
}

impl Argument for Terminated {
    type Value = bool;

    fn decode(record: &Record) -> bool {
        record[6] & 7 != Self::NOT
    }

    fn encode(terminated: bool, record: &mut Record) {
        record[6] = if terminated { 0 } else { Self::NOT };
    }

    fn parse(line: &mut Line<'_>) -> Parsed<bool> {
        Ok(!line.keyword("unterminated")?)
    }

    fn print(terminated: bool, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if terminated { "" } else { " unterminated" })
    }

    fn simpler(_terminated: bool) -> Vec<bool> {
        vec![true]
    }
}

#[cfg(test)]
mod tests {
    use super::{FULL_LENGTH_NAME, Text};

    #[test]
    fn codes_and_spellings_agree() {
        for (text, code) in Text::all().zip(0..) {
            assert_eq!((text.code(), Text::from_code(code)), (code, text));
            let spelled = std::str::from_utf8(text.bytes()).unwrap();
            let again = Text::spelled(spelled).or_else(|| Text::path(spelled.len()));
            assert_eq!(again, Some(text));
        }
        assert_eq!(FULL_LENGTH_NAME.len(), abi::file_system::NAME_SIZE);
    }
}
