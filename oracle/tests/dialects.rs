//! Dialects as readers meet them: old files are still read, and the page of fields is up to date.

#[path = "support/page.rs"]
mod page_file;

use oracle::Dialect;
use oracle::dialect::{Class, Field, range_in_words};
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
Kernels differ, and not every difference is a bug. A dialect is a TOML file that says how one kernel answers the questions
that kernels answer differently. `faultline check` finds a dialect out by itself and writes it to `dialect.toml`. With `--dialect FILE`
you demand one instead ([checking kernels](checking-kernels.md)). Two are built in: `faultline`, our own kernel, and
`xv6-2025`, the C kernel xv6-riscv of 2025.

A question is about a *variant* or about a *defect*.

- A **variant**: real kernels differ, and a reasonable author may choose either. `check` finds out what the kernel does, and
  judges by it. If the answer is not clear, it takes the value of `xv6-2025` and says so.
- A **defect**: one answer is right, and some kernels give another one. `check` runs the case of the defect. If it shows the defect,
  this is a row of its own. Then the model follows the kernel, so that the defect hides nothing else. The right answer is never
  accused: a dialect file with a defect only allows it, and whether a kernel has it is found out each time that the file is used.
";

const VARIANTS: &str = "
## Variants

| field | why kernels may choose |
|---|---|
";

const DEFECTS: &str = "
## Defects

| field | what is wrong | right | who says so |
|---|---|---|---|
";

fn page() -> String {
    let origin = page_file::origin("oracle/src/dialect/fields.rs", "dialects");
    let mut text = format!("# Dialects\n{origin}{INTRODUCTION}");
    tables(&mut text);
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

/// The tables of variants and of defects.
fn tables(text: &mut String) {
    let (mut variants, mut defects) = (VARIANTS.to_owned(), DEFECTS.to_owned());
    for field in Dialect::fields() {
        let name = format!("[`{}.{}`](#{})", field.section, field.name, field.name);
        let right = said(&Dialect::faultline(), &field);
        let _ = match field.class {
            Class::Variant { why, .. } => writeln!(variants, "| {name} | {why} |"),
            Class::Defect(defect) => {
                let doubt = defect
                    .doubt
                    .map(|doubt| format!(" (Questionable: {doubt}.)"));
                let (sentence, doubt) = (defect.sentence, doubt.unwrap_or_default());
                writeln!(
                    defects,
                    "| {name} | {sentence}{doubt} | `{right}` | {} |",
                    defect.source
                )
            }
        };
    }
    text.push_str(&variants);
    text.push_str(&defects);
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
    let _ = match &field.class {
        Class::Variant { asked, .. } => {
            writeln!(text, "\n\nA variant. How `check` finds it out: {asked}")
        }
        Class::Defect(defect) => {
            let case = defect.text.trim_end().replace('\n', "\n    ");
            writeln!(
                text,
                "\n\nA defect. How `check` finds it out: it runs this case.\n\n    {case}"
            )
        }
    };
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
