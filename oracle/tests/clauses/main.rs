//! For every clause, a kernel that breaks it, and the finding.

mod broken;
mod page;
#[path = "../support/page.rs"]
mod page_file;
#[path = "../support/mod.rs"]
mod support;
mod tamper;

use broken::broken;
use oracle::judge::Clause;
use oracle::{CutMoment, Dialect, End, Event, Failure, Nap, Observation, Process, bucket};
use std::collections::BTreeSet;
use support::{Liberties, run};
use tamper::{
    A, AtEnd, Last, after_cut, b, case, falls_silent, returns, with_last, without_first_program,
};

#[test]
fn every_clause_has_a_kernel_that_breaks_it() {
    let caught = broken();
    for (clause, caught) in &caught {
        let finding = &caught.finding;
        assert_eq!(finding.clause, *clause, "{finding}");
        assert_eq!(finding.verdict, clause.verdict());
        assert!(
            !finding.expected.is_empty() && !finding.seen.is_empty(),
            "{finding}"
        );
        let json = serde_json::to_value(finding).unwrap();
        assert_eq!(json["clause"], clause.name());
        assert_eq!(json["verdict"], clause.verdict().to_string());
    }
    let broken: BTreeSet<Clause> = caught.iter().map(|(clause, _)| *clause).collect();
    assert_eq!(broken, Clause::ALL.into_iter().collect());
}

#[test]
fn the_page_of_clauses_is_up_to_date() {
    page_file::is_up_to_date("clauses.md", &page::page());
}

#[test]
fn findings_speak_plainly() {
    let finding = with_last(&["a: sbrk +2p", "a: load1 guard[0]+0x10"], returns(A, 0)).finding;
    assert_eq!(
        finding.to_string(),
        "unkilled at operation 1: a: load1 guard[0]+0x10\n  \
         expected: a is killed for a forbidden access to the guard page\n  \
         seen:     a loads 0\n  \
         rule:     forbidden-access-kills"
    );
    let bucket = bucket(&finding).to_string();
    assert_eq!(bucket, "unkilled/forbidden-access-kills/load/guard");
}

#[test]
fn a_kernel_needs_its_first_program_to_boot() {
    assert_eq!(without_first_program(), Ok(()));
    // If the case has not removed it, it has to be there.
    let lost = after_cut(CutMoment::After, |reboot| {
        let text = "panic: cannot exec /init".to_owned();
        reboot.failure = Some(Failure::Panic { text });
        reboot.disk.nodes.remove(1);
    });
    assert_eq!(lost.finding.clause, Clause::SurvivesPowerCut);
}

#[test]
fn later_proof_is_about_the_operation_that_had_to_kill() {
    let finding = with_last(
        &[
            "a: b = fork",
            "b: store1 break[0] 1",
            "a: getpid",
            "a: yield 1",
        ],
        |seen| seen.events.push(Event::Appeared { process: b() }),
    )
    .finding;
    assert_eq!(finding.step, Some(1));
    assert_eq!(finding.operation.as_deref(), Some("b: store1 break[0] 1"));
    assert_eq!(finding.process, Some('b'));
}

#[test]
fn buckets_do_not_know_numbers() {
    let one = with_last(&["a: sbrk +2p", "a: load8 heap[1]"], returns(A, 5)).finding;
    let other = with_last(
        &["a: getpid", "a: sbrk +9p", "a: load2 heap[7]+0x10"],
        returns(A, 6),
    )
    .finding;
    assert_eq!(bucket(&one), bucket(&other));
    let third = with_last(&["a: load8 stack[0]"], returns(A, 5)).finding;
    assert_ne!(bucket(&one), bucket(&third));
}

/// A supervisor that stays asleep is not accused if no child was left to it.
#[test]
fn only_zombies_wake_the_supervisor() {
    let case = case(&["a: b = fork", "b: c = fork", "c: d = fork", "d: exit 1"]);
    let nap = |letter, woken| Nap {
        process: Process::from_letter(letter).unwrap(),
        woken,
    };
    let judged = |naps: &[Nap]| {
        let mut tamper = AtEnd(|end: &mut End| end.naps = naps.to_vec());
        run(&Dialect::faultline(), &case, Liberties(0), &mut tamper).0
    };
    let right = [nap('c', true), nap('b', true), nap('a', true)];
    assert_eq!(judged(&right), Ok(()));
    assert_eq!(
        judged(&[nap('b', false), nap('c', true), nap('a', true)]),
        Ok(())
    );
    for late in 0..3 {
        let mut naps = right;
        naps[late].woken = false;
        let finding = judged(&naps).unwrap_err();
        assert_eq!(finding.clause, Clause::EverybodyReaped, "{finding}");
    }
}

#[test]
fn a_lack_of_frames_is_an_excuse_only_with_evidence() {
    let grown = ["a: sbrk +2p", "a: store8 heap[0] 7"];
    let refused = |out_of_frames: bool| {
        let case = case(&grown);
        let mut tamper = Last(1, |seen: &mut Observation| {
            falls_silent(true)(seen);
            seen.out_of_frames = out_of_frames;
        });
        run(&Dialect::faultline(), &case, Liberties(0), &mut tamper).0
    };
    assert_eq!(refused(false).unwrap_err().clause, Clause::InnocentLive);
    // The end then shows that the driver's process lives: only the step is excused.
    assert_eq!(refused(true).unwrap_err().step, Some(1));
    let needless = with_last(
        &["a: sbrk +2p", "a: store8 heap[0] 7", "a: load8 heap[0]"],
        |seen| {
            falls_silent(true)(seen);
            seen.out_of_frames = true;
        },
    )
    .finding;
    assert_eq!(needless.clause, Clause::InnocentLive);
}
