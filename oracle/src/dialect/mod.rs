//! Dialects: how kernels differ.
//!
//! A dialect is a small TOML file. Each field is one question that real kernels answer differently. Most
//! are about variants: none of the answers is wrong. The others are about defects: one answer is right.
//! If a kernel gives another one, `faultline check` reports it, and then the model follows the kernel
//! ([`Defect`]). No field exists to hide a bug. The table of fields is [`crate::for_each_dialect_field`].
//! `docs/dialects.md` is the same table for readers.

#[macro_use]
mod fields;

mod choices;
mod declare;
mod defect;

pub use choices::{
    BadBuffer, BelowZero, Bits, Bound, Choice, EmptyRead, ExitStatus, ForkMemory, Growth, Loading,
    ReadBelowZero, RefusedBlock, RefusedByte, RefusedTransaction, RemovedDirectory,
    SegmentPermissions, SegmentRule, StackRequest, Tail, WithoutReader,
};
pub use declare::{
    Arguments, Class, Console, Dialect, Exec, Faults, Field, FileRules, Fork, Heap, Limits, Pipe,
    Sbrk, Wait,
};
pub use defect::Defect;

use crate::case::Flavour;

/// Why a text is not a dialect.
#[derive(Debug, thiserror::Error)]
pub enum DialectError {
    /// The TOML is malformed, or a field is missing, unknown or of the wrong type.
    #[error("this is not a dialect: {0}")]
    Malformed(#[from] toml::de::Error),
    /// A number is out of range.
    #[error("dialect {dialect}: {field} must be {}", range_in_words(*range))]
    OutOfRange {
        /// The dialect's name.
        dialect: String,
        /// Which field.
        field: &'static str,
        /// The smallest and the largest value that is allowed.
        range: (i64, i64),
    },
}

/// The range of a number, in words.
pub fn range_in_words((least, most): (i64, i64)) -> String {
    let word = if most - least == 1 { "or" } else { "to" };
    format!("{least} {word} {most}")
}

const FAULTLINE: &str = include_str!("faultline.toml");
const XV6_2025: &str = include_str!("xv6-2025.toml");

impl Sbrk {
    /// Whether a growth of that flavour allocates frames at once.
    pub fn is_eager(&self, flavour: Flavour) -> bool {
        self.growth == Growth::AtOnce || (self.eager_flavour && flavour == Flavour::Eager)
    }
}

impl Dialect {
    /// Our own kernel.
    pub fn faultline() -> Dialect {
        Dialect::built_in(FAULTLINE)
    }

    /// The C kernel xv6-riscv of 2025.
    pub fn xv6_2025() -> Dialect {
        Dialect::built_in(XV6_2025)
    }

    fn built_in(text: &str) -> Dialect {
        Dialect::parse(text).expect("the files in this folder are dialects: a test reads them all")
    }

    /// The built-in dialect of that name.
    pub fn named(name: &str) -> Option<Dialect> {
        let built_in = [Dialect::faultline(), Dialect::xv6_2025()];
        built_in.into_iter().find(|dialect| dialect.name == name)
    }

    /// The text of a dialect file.
    ///
    /// # Errors
    /// None that is known: TOML can express every field.
    pub fn to_text(&self) -> Result<String, toml::ser::Error> {
        toml::to_string(self)
    }

    /// Reads a dialect file.
    ///
    /// # Errors
    /// Says which field is missing, unknown or out of range.
    pub fn parse(text: &str) -> Result<Dialect, DialectError> {
        let dialect: Dialect = toml::from_str(text)?;
        match dialect.out_of_range() {
            None => Ok(dialect),
            Some((field, range)) => Err(DialectError::OutOfRange {
                dialect: dialect.name,
                field,
                range,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Dialect, DialectError, FAULTLINE, XV6_2025};

    #[test]
    fn the_built_in_dialects_name_every_field() {
        for (name, text) in [("faultline", FAULTLINE), ("xv6-2025", XV6_2025)] {
            let dialect = Dialect::parse(text).unwrap();
            assert_eq!(dialect.name, name);
            let comment = |line: &&str| line.starts_with('#');
            let lines: Vec<&str> = text.lines().skip_while(comment).collect();
            assert_eq!(dialect.to_text().unwrap().trim_end(), lines.join("\n"));
        }
    }

    #[test]
    fn unknown_fields_are_refused() {
        let text = FAULTLINE.replace("[heap]", "[heap]\nleaks_are_fine = true");
        let error = Dialect::parse(&text).unwrap_err().to_string();
        assert!(error.contains("leaks_are_fine"), "{error}");
    }

    #[test]
    fn missing_fields_are_named() {
        let text = FAULTLINE.replace("growth = \"on-touch\"\n", "");
        let error = Dialect::parse(&text).unwrap_err().to_string();
        assert!(error.contains("missing field `growth`"), "{error}");
    }

    #[test]
    fn words_are_checked() {
        let text = FAULTLINE.replace("\"on-touch\"", "\"some-day\"");
        let error = Dialect::parse(&text).unwrap_err().to_string();
        assert!(error.contains("on-touch, at-once"), "{error}");
    }

    #[test]
    fn numbers_are_checked() {
        let text = FAULTLINE.replace("files_per_process = 16", "files_per_process = 99");
        let error = Dialect::parse(&text).unwrap_err();
        assert_eq!(
            error.to_string(),
            "dialect faultline: limits.files_per_process must be 2 to 16"
        );
        assert!(matches!(error, DialectError::OutOfRange { .. }));
    }
}
