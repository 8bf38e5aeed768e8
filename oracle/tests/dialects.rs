//! Dialects as readers meet them: old files are still read, and the page of fields is up to date.

#[path = "support/page.rs"]
mod page_file;

use oracle::Dialect;
use oracle::dialect::{Field, range_in_words};
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// A dialect file as it was before any field was added.
const OLD: &str = include_str!("dialects/old.toml");

#[test]
fn old_dialect_files_are_read() {
    if let Err(error) = Dialect::parse(OLD) {
        panic!("a new field needs `missing: …` in its row, for files that do not know it: {error}");
    }
}

/// A field that neither the model nor the judge reads would demand nothing of a kernel.
#[test]
fn every_field_is_read() {
    let mut sources = String::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for part in ["model", "judge", "dialect/mod.rs", "program_file.rs"] {
        read_all(&folder.join(part), &mut sources);
    }
    let is_read = |field: &&Field| {
        let access = format!(".{}", field.name);
        let mut after = sources.split(&access).skip(1);
        after.any(|after| !after.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
    };
    let unread: Vec<&str> = Dialect::fields()
        .iter()
        .filter(|field| !is_read(field))
        .map(|field| field.name)
        .collect();
    assert!(unread.is_empty(), "nothing reads {unread:?}");
}

/// Adds the text of a file, or of all files below a folder.
fn read_all(path: &Path, text: &mut String) {
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            read_all(&entry.unwrap().path(), text);
        }
    } else {
        *text += &fs::read_to_string(path).unwrap();
    }
}

#[test]
fn the_page_of_dialects_is_up_to_date() {
    page_file::is_up_to_date("dialects.md", &page());
}

const INTRODUCTION: &str = "
Kernels differ, and not every difference is a bug. A dialect is a TOML file that says how one kernel behaves where
reasonable kernels differ. `faultline check` finds a dialect out by itself and writes it to `dialect.toml`. With `--dialect FILE` you
demand one instead ([checking kernels](checking-kernels.md)). Two are built in: `faultline`, our own kernel, and
`xv6-2025`, the C kernel xv6-riscv of 2025.

Below is every field: what it says of a kernel, what may stand there, what the two built-in dialects say, and how `check` finds it
out. If the answer of the kernel is not clear, `check` takes the value of `xv6-2025` and says so.
";

fn page() -> String {
    let origin = page_file::origin("oracle/src/dialect/fields.rs", "dialects");
    let mut text = format!("# Dialects\n{origin}{INTRODUCTION}");
    let built_in = [Dialect::faultline(), Dialect::xv6_2025()];
    let mut section = "";
    for field in Dialect::fields() {
        if field.section != section {
            section = field.section;
            let _ = write!(text, "\n## `[{section}]`\n\n{}\n", field.section_about);
        }
        describe(&mut text, &field, &built_in);
    }
    text
}

fn describe(text: &mut String, field: &Field, built_in: &[Dialect]) {
    let _ = write!(text, "\n### `{}`\n\n{}\n\n", field.name, field.about);
    for (word, meaning) in &field.choices {
        let _ = writeln!(text, "- `{word}`: {meaning}");
    }
    if let Some(range) = field.range {
        let _ = writeln!(text, "- a number, {}", range_in_words(range));
    } else if field.choices.is_empty() {
        text.push_str("- a number\n");
    }
    for dialect in built_in {
        let _ = write!(
            text,
            "\n`{}` says `{}`.",
            dialect.name,
            said(dialect, field)
        );
    }
    if let Some(value) = without(field) {
        let _ = write!(text, "\nA file without the field means `{value}`.");
    }
    let _ = writeln!(text, "\n\nHow `check` finds it out: {}", field.asked);
}

/// What a dialect says in a field, as a file spells it.
fn said(dialect: &Dialect, field: &Field) -> String {
    let table: toml::Table = dialect.to_text().unwrap().parse().unwrap();
    table[field.section][field.name].to_string()
}

/// What a file means that does not have the field; `None` if it has to.
fn without(field: &Field) -> Option<String> {
    let mut table: toml::Table = Dialect::faultline().to_text().unwrap().parse().unwrap();
    let section = table[field.section].as_table_mut().unwrap();
    section.remove(field.name);
    let dialect = Dialect::parse(&table.to_string()).ok()?;
    Some(said(&dialect, field))
}
