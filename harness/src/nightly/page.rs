//! The page to read in the morning: what is new first, then what was done.

use super::{Night, TargetNight};
use std::fmt::Write;

/// The night in Markdown.
pub(super) fn page(night: &Night) -> String {
    let mut page = format!("# Night {}\n\n", night.number);
    page += &verdict(night);
    page += &work(night);
    page
}

fn verdict(night: &Night) -> String {
    if !night.is_red() {
        return format!(
            "Nothing new. {} buckets are known from earlier nights.\n\n",
            night.known_buckets
        );
    }
    let mut text = String::new();
    if !night.regressions.is_empty() {
        text += "## Regressions\n\nThese cases were clean before:\n\n";
        for regression in &night.regressions {
            let _ = writeln!(
                text,
                "- `{}`: {}",
                regression.case.display(),
                regression.bucket
            );
        }
        text.push('\n');
    }
    if !night.new_buckets.is_empty() {
        text += "## New findings\n\n";
        let found = night.targets.iter().flat_map(|target| {
            let new = target.findings.iter().filter(|found| found.is_new);
            new.map(move |found| (&target.target, found))
        });
        for (target, found) in found {
            let _ = writeln!(
                text,
                "- {} (by `{target}`): `{}`",
                found.bucket,
                found.case.display()
            );
        }
        text += "\nSee one step by step: `cargo run --release -- trace FILE`.\n\n";
    }
    text
}

fn work(night: &Night) -> String {
    let mut text = format!(
        "## What was done\n\n{} cases were replayed, {} of them with a finding.\n\n",
        night.replayed,
        night.regressions.len()
    );
    text += "| target | seconds | executions | a second | kernel edges | answers compared | findings, new | corpus |\n";
    text += "|---|---:|---:|---:|---:|---:|---:|---:|\n";
    for target in &night.targets {
        text += &row(target);
    }
    text += &match night.mutants {
        Some(score) => format!(
            "\nOf {} mutants of the kernel the cases reached {}, and {} of those were detected ({:.1} %).\n",
            score.tried,
            score.reached,
            score.detected,
            score.percent()
        ),
        None => "\nNo mutants were tried: the kernel itself has a finding.\n".to_owned(),
    };
    text
}

fn row(target: &TargetNight) -> String {
    let new = target.findings.iter().filter(|found| found.is_new).count();
    let executions = target.totals.executions;
    format!(
        "| {} | {:.0} | {executions} | {:.0} | {} | {} | {}, {new} | {} to {} |\n",
        target.target,
        target.seconds,
        executions as f64 / target.seconds.max(0.001),
        target.edges,
        target.totals.meter.compared,
        target.findings.len(),
        target.corpus_before,
        target.corpus_after,
    )
}
