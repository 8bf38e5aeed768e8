//! Findings as case files, which people read, repeat, and keep as regression tests.

use crate::case_file::TEXT_ENDING;
use crate::guest::Guest;
use crate::guest::origin::Origin;
use crate::triage::Report;
use crate::triage::explain::Explanation;
use crate::triage::minimise::Minimality;
use oracle::{Finding, bucket};
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// The environment variable that names the folder for findings.
const FOLDER_VARIABLE: &str = "FAULTLINE_FINDINGS";

/// The default folder for findings: the one that the variable `FAULTLINE_FINDINGS` names, or else
/// `findings/` in the checkout.
pub fn folder() -> PathBuf {
    env::var_os(FOLDER_VARIABLE).map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../findings"),
        PathBuf::from,
    )
}

/// Where findings go, and what they say of the kernel.
#[derive(Clone, Debug, Default)]
pub struct Destination {
    /// The folder.
    pub folder: PathBuf,
    /// The kernel that shows them.
    origin: Option<Origin>,
}

impl Destination {
    /// A destination for findings on `guest`: that folder.
    pub fn new(folder: PathBuf, guest: &Guest) -> Self {
        let origin = Some(Origin::of(guest));
        Self { folder, origin }
    }
}

/// Writes the minimised case to a folder, with what is wrong as comments. Returns the path. The file has the
/// finding's name (see [`super::Name`]), so a second finding of one name replaces the first.
///
/// `target` is the fuzz target or engine that found it.
///
/// # Errors
/// The file cannot be written.
pub fn write(report: &Report, to: &Destination, target: &str) -> io::Result<PathBuf> {
    write_as(&report.identity.name().file_name(), report, to, target)
}

/// [`write`] with another file name, which is given without its ending.
///
/// # Errors
/// The file cannot be written.
pub fn write_as(
    name: &str,
    report: &Report,
    to: &Destination,
    target: &str,
) -> io::Result<PathBuf> {
    fs::create_dir_all(&to.folder)?;
    let folder = to.folder.canonicalize()?;
    let path = folder.join(format!("{name}.{TEXT_ENDING}"));
    let mut text = text(report, target);
    if let Some(origin) = &to.origin {
        let avoided = report.shown_without.clone();
        let origin = Origin {
            avoided,
            ..origin.clone()
        };
        text += &origin.to_comments();
    }
    fs::write(&path, text)?;
    Ok(path)
}

fn text(report: &Report, target: &str) -> String {
    let mut text = String::new();
    let minimality = match report.minimised.minimality {
        Minimality::Proved => "; it needs each of its operations",
        Minimality::BudgetSpent => "",
    };
    let origin = format!(
        "found by {target}, in a case of {} operations{minimality}",
        report.minimised.operations_before,
    );
    let hint = "step through it: faultline trace FILE";
    for line in head(&report.finding, &report.explanation)
        .lines()
        .chain([origin.as_str(), hint])
    {
        text.push_str(format!("# {line}").trim_end());
        text.push('\n');
    }
    text.push_str(&report.minimised.case.to_string());
    text
}

/// What is wrong, where in the kernel, and the bucket: what a person needs to act.
pub fn head(finding: &Finding, explanation: &Explanation) -> String {
    format!(
        "{}bucket: {}\n",
        wrong(finding, explanation),
        bucket(finding)
    )
}

/// What is wrong, which operation did the harm, and where in the kernel.
pub fn wrong(finding: &Finding, explanation: &Explanation) -> String {
    let mut text = format!("{finding}\n");
    let origin = explanation.origin.as_ref().map(ToString::to_string);
    for (name, words) in [("since", origin), ("in", explanation.place())] {
        if let Some(words) = words {
            text.push_str(&format!("  {:<10}{words}\n", format!("{name}:")));
        }
    }
    for frame in &explanation.lost {
        text.push_str(&format!("  lost:     {frame}\n"));
    }
    text
}
