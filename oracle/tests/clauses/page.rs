//! The page for readers, `docs/clauses.md`: the table of clauses, each with a finding as its example.

use crate::broken::broken;
use crate::page_file;
use crate::tamper::Caught;
use oracle::Verdict;
use oracle::judge::{Clause, Severity};
use std::fmt::Write;

const INTRODUCTION: &str = "
A finding quotes the rule that the kernel broke. This page lists all rules: what must hold, a typical
mistake that breaks the rule, and an example of a finding. In an example the first lines are the case
([the language](../oracle/README.md)), up to the operation at which the kernel goes wrong.
";

/// The whole page.
pub(crate) fn page() -> String {
    let origin = page_file::origin("oracle/src/judge/clause/table.rs", "clauses");
    let mut text = format!("# The rules\n{origin}{INTRODUCTION}");
    text.push_str(
        "\n| rule | what is wrong if it is broken | verdict | severity |\n|---|---|---|---|\n",
    );
    for clause in Clause::ALL {
        let (broken, verdict, severity) = (clause.broken(), clause.verdict(), clause.severity());
        let _ = writeln!(
            text,
            "| [{clause}](#{clause}) | {broken} | {verdict} | {severity} |"
        );
    }
    let examples = broken();
    for clause in Clause::ALL {
        let example = examples.iter().find(|(other, _)| *other == clause);
        section(&mut text, clause, example.map(|(_, caught)| caught));
    }
    legend(&mut text);
    text
}

fn section(text: &mut String, clause: Clause, example: Option<&Caught>) {
    let _ = write!(
        text,
        "\n## {clause}\n\n**What must hold.** {}\n\n**A typical mistake.** {}\n",
        clause.about(),
        clause.mistake()
    );
    let Some(Caught { case, finding }) = example else {
        return;
    };
    let shown = finding.step.map_or(case.operations.len(), |step| step + 1);
    text.push_str("\n**A finding.**\n\n");
    for operation in &case.operations[..shown] {
        let _ = writeln!(text, "    {operation}");
    }
    text.push('\n');
    for line in finding.to_string().lines() {
        let _ = writeln!(text, "    {line}");
    }
}

/// What the words in the columns of the first table mean.
fn legend(text: &mut String) {
    text.push_str("\n## Verdicts\n\nA verdict is the kind of wrong.\n\n| verdict | what it means |\n|---|---|\n");
    for verdict in Verdict::ALL {
        let _ = writeln!(text, "| {verdict} | {} |", verdict.about());
    }
    text.push_str(
        "\n## Severities\n\nA severity says how bad a finding is, the worst first. `faultline check` sometimes knows more than \
         the rule: a store\nto forbidden memory by a system call breaks isolation, although it shows as a wrong value.\n\n\
         | severity | what it means |\n|---|---|\n",
    );
    for severity in Severity::ALL {
        let _ = writeln!(text, "| {severity} | {} |", severity.about());
    }
}
