//! What `faultline check` prints for people.

use super::Report;
use crate::command::limits;
use faultline::campaign::EndedBy;
use faultline::check::{Checked, Recheck};
use faultline::triage::Found;
use faultline::triage::minimise::Minimality;
use faultline::triage::rows::Row;
use oracle::Severity;

/// Prints the result for one kernel.
pub(super) fn print(report: &Report) {
    println!("== {}", report.kernel.kernel.display());
    let Some(checked) = &report.checked else {
        println!("{}\n", report.error.as_deref().unwrap_or_default());
        return;
    };
    for answer in &checked.answers {
        println!("   {answer}");
    }
    for what in &checked.unchecked {
        println!("   not checked: {what}");
    }
    println!(
        "   {} executions in {:.0} s, {} answers compared, {} kernel edges",
        checked.totals.executions, checked.seconds, checked.totals.meter.compared, checked.edges
    );
    print_work(checked);
    if let Some(recheck) = &checked.recheck {
        print_recheck(recheck);
    }
    match checked.counted().count() {
        0 if !checked.is_conclusive() => {
            println!("   inconclusive: too little was done to say that nothing is wrong")
        }
        0 => println!("   nothing wrong was found"),
        1 => println!("   1 thing is wrong"),
        count => println!("   {count} things are wrong, the worst first"),
    }
    let mut last_heading = None;
    for (at, row) in checked.rows.iter().enumerate() {
        let heading = heading(row);
        if heading != last_heading {
            println!("\n   -- {}", heading.unwrap_or_default());
            last_heading = heading;
        }
        print_row(at + 1, row);
    }
    if let Some(row) = checked.rows.first() {
        print_commands(row);
    }
    println!();
}

/// The heading of the part of the list that a row is in; the first part has none.
fn heading(row: &Row) -> Option<&'static str> {
    match row.upstream {
        _ if row.is_in_baseline => Some("also in the baseline, and not counted:"),
        Some(_) => Some("known bugs of the public xv6, probably inherited:"),
        None => None,
    }
}

/// Prints what repeats this check, and what it did not reach.
fn print_work(checked: &Checked) {
    let again = format!(
        "--work {} --seed {}",
        limits::millions(checked.work),
        checked.seed
    );
    let version = checked.version;
    match checked.ended_by {
        EndedBy::Time => println!(
            "   --seconds ended the check; to repeat it anywhere: {again} (faultline {version})"
        ),
        EndedBy::Interrupt => println!("   interrupted"),
        EndedBy::Budget | EndedBy::Finding => {
            println!("   to repeat it anywhere: {again} (faultline {version})");
        }
    }
    for what in &checked.not_reached {
        println!("   not reached: {what}");
    }
    println!("   never run: {}", checked.never_run);
}

/// Prints what has changed since the last check.
fn print_recheck(recheck: &Recheck) {
    if recheck.kernel_has_changed == Some(false) {
        println!("   the kernel has not changed since the last check");
    }
    println!(
        "   {} cases of earlier checks were replayed",
        recheck.replayed
    );
    if recheck.of_other_kernels > 0 {
        println!(
            "   {} cases in the folder were not: they come from a kernel at another place",
            recheck.of_other_kernels
        );
    }
    for fixed in &recheck.fixed {
        let wrong = fixed.wrong.as_deref();
        println!("   fixed: {}", wrong.unwrap_or("a case goes right now"));
        for case in &fixed.cases {
            println!("     {}", case.display());
        }
    }
    for case in &recheck.changed {
        println!("   now shows something else: {}", case.display());
    }
}

/// Prints commands for the next steps, to copy and paste.
fn print_commands(row: &Row) {
    let case = row.shortest.path.display();
    println!("\n   step by step:     faultline trace {case}");
    println!("   why each line:    faultline minimise {case}");
    println!("   without a fuzzer: faultline export {case} --c");
}

fn print_row(number: usize, row: &Row) {
    let Found { path, report, .. } = &row.shortest;
    let page = row.page.map_or(String::new(), |page| {
        format!(" ({} page)", page.adjective())
    });
    println!("\n{number}. {}", row.sentence());
    if let Some(standing) = row.standing {
        println!("   since the last check: {standing}");
    }
    for variation in row.variations() {
        println!(
            "   machine:  this shows on a machine that {variation}; the specification allows that"
        );
    }
    println!("   rule:     {}{page}", row.clause);
    if !row.operations.is_empty() {
        println!("   shown by: {}", row.operations.join(", "));
    }
    println!("   expected: {}", report.root().expected);
    println!("   seen:     {}", report.seen());
    if let Some(place) = report.explanation.place() {
        println!("   in:       {place}");
    }
    if let Some(defect) = &row.defect {
        println!("   source:   {}", defect.source);
    }
    if let Some(bug) = row.upstream {
        println!(
            "   known as: {} (xv6 of {}): {}",
            bug.name, bug.versions, bug.sentence
        );
    }
    if let Some(why) = row.doubt {
        println!("   questionable: {why}");
    }
    let as_found = match report.minimised.minimality {
        Minimality::Proved => "",
        Minimality::BudgetSpent => ", perhaps not minimal",
    };
    println!(
        "   {} (after {} executions{as_found}):",
        path.display(),
        row.executions
    );
    for (line, times) in repeated(report.case().to_string().lines()) {
        match times {
            1 => println!("     {line}"),
            _ => println!("     {line}  ({times} times)"),
        }
    }
    for also in row.also_shows_as() {
        println!("   also shows as: {}", also.shows);
        for case in also.cases.iter().filter(|case| *case != path) {
            println!("     {}", case.display());
        }
    }
}

/// Each line, with how often it occurs in a row.
fn repeated<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<(&'a str, usize)> {
    let mut repeated: Vec<(&str, usize)> = Vec::new();
    for line in lines {
        match repeated.last_mut() {
            Some((last, times)) if *last == line => *times += 1,
            _ => repeated.push((line, 1)),
        }
    }
    repeated
}

/// Prints one line for each kernel: the number of rows of each severity, or why it does not run.
pub(super) fn print_table(reports: &[Report]) {
    let names = reports.iter().map(|report| report.kernel.name.len());
    let width = names.max().unwrap_or(0).clamp(6, LONGEST_NAME);
    let heads = Severity::ALL.map(|severity| severity.short());
    let head = heads.map(|head| format!("{head:>9}")).join(" ");
    println!("{:<width$} {head}  worst", "kernel");
    for report in reports {
        let name: String = report.kernel.name.chars().take(width).collect();
        let line = match (&report.checked, &report.error) {
            (Some(checked), _) => counts(checked),
            (None, error) => {
                let error = error.as_deref().unwrap_or_default();
                let first = error.lines().next().unwrap_or_default();
                format!("does not run: {first}")
            }
        };
        let line: String = format!("{name:<width$} {line}")
            .chars()
            .take(LINE)
            .collect();
        println!("{line}");
    }
}

/// The number of rows of each severity, and the worst row.
fn counts(checked: &Checked) -> String {
    let count = |severity| {
        let rows = checked.counted();
        rows.filter(|row| row.severity == severity).count()
    };
    let counts = Severity::ALL.map(|severity| format!("{:>9}", count(severity)));
    let none = if checked.is_conclusive() {
        "nothing wrong"
    } else {
        "inconclusive: too little was done"
    };
    let worst = checked.counted().next().map_or(none, |row| &row.wrong);
    format!("{}  {worst}", counts.join(" "))
}

/// The most characters of a line, and of a kernel's name in the line.
const LINE: usize = 120;
const LONGEST_NAME: usize = 24;
