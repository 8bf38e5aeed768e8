//! Which functions of the kernel are most likely to be wrong.
//!
//! No evidence alone names the function that is wrong: the kernel stops in a function that only met what another one
//! left, and a change of one instruction avoids the harm in several places. So each function gets points for each piece
//! of evidence that points to it. The points were chosen with kernels of one bug each: docs/rows.md says how often the
//! first suspects are right.

use super::Explanation;
use super::repair::Agreement;
use std::collections::BTreeSet;

/// The most functions that are named.
const MOST: usize = 3;
/// Points of a function that the decisive step executes.
const IN_STEP: i64 = 300;
/// Points of a function that the explanation of the finding points to.
const NAMED: i64 = 200;
/// Points of the function that called it in the decisive step.
const CALLER_OF_NAMED: i64 = 100;
/// Points of the function that performs the system call.
const PERFORMS: i64 = 100;
/// Points of the innermost function whose failure made the step fail.
const FAILS_FIRST: i64 = 100;
/// Points for each instruction that has a repair.
const REPAIRED: i64 = 75;
/// Instructions with a repair that count.
const MOST_REPAIRED: usize = 4;
/// Points of a function with an instruction that exactly the wrong cases execute. Half of them for the last bit of the
/// agreement: what agrees nearly is much weaker evidence.
const AGREES: i64 = 400;
/// Points that a function loses if all right cases execute it: it only passes on what others decide.
const IN_RIGHT_CASES: i64 = 200;
/// Points that a suspect needs besides those of all functions of the step.
const LEAST: i64 = 100;

impl Explanation {
    /// The functions that are most likely to be wrong, the likeliest first. `named` is the one that the findings of the
    /// row point to. There are more than one only if repairs were looked for.
    pub fn suspects<'a>(&'a self, named: Option<&'a str>) -> Vec<&'a str> {
        let Some(repairs) = &self.repairs else {
            return named.into_iter().collect();
        };
        let counts = repairs.counts();
        let in_step: BTreeSet<&str> = self.callers.functions().collect();
        let caller = named.and_then(|named| self.caller_of(named));
        let performer = self.performer.as_deref();
        let first_to_fail = self.first_to_fail();
        let mut all = in_step.clone();
        all.extend(repairs.agreements.keys().map(String::as_str));
        all.extend(counts.keys());
        all.extend(
            [named, caller, performer, first_to_fail]
                .into_iter()
                .flatten(),
        );
        let points = |function: &str| {
            let is = |other: Option<&str>| i64::from(other == Some(function));
            let repaired = counts
                .get(function)
                .copied()
                .unwrap_or(0)
                .min(MOST_REPAIRED);
            NAMED * is(named)
                + CALLER_OF_NAMED * is(caller)
                + PERFORMS * is(performer)
                + FAILS_FIRST * is(first_to_fail)
                + REPAIRED * repaired as i64
                + repairs
                    .agreements
                    .get(function)
                    .map_or(-IN_RIGHT_CASES / 2, agreement)
        };
        let mut suspects: Vec<(i64, &str)> = Vec::new();
        // A function that reports a panic has not caused it.
        all.retain(|function| !crate::driver::is_messenger(function));
        for function in all {
            let own = points(function);
            if own >= LEAST {
                let in_step = IN_STEP * i64::from(in_step.contains(function));
                suspects.push((own + in_step, function));
            }
        }
        suspects.sort_by_key(|(points, function)| (-points, *function));
        let best = suspects.into_iter().take(MOST);
        best.map(|(_, function)| function).collect()
    }

    /// The function that called `function`, as far as the stack or the decisive step shows it.
    fn caller_of(&self, function: &str) -> Option<&str> {
        let own = self.stack.iter().filter(|frame| !frame.is_library);
        let names = own.map(|frame| frame.function.as_str());
        let mut outer = names.skip_while(|name| *name != function);
        match outer.next() {
            Some(_) => outer.find(|name| *name != function),
            None => self.callers.caller(function),
        }
    }
}

/// Points for what the runs of a function show.
fn agreement(agreement: &Agreement) -> i64 {
    let always = if agreement.suspicion == 1000 {
        AGREES / 2
    } else {
        0
    };
    let nearly = AGREES / 2 * i64::from(agreement.suspicion) / 1000;
    always + nearly - IN_RIGHT_CASES * i64::from(agreement.in_right_cases) / 1000
}

#[cfg(test)]
mod tests {
    use super::{Agreement, agreement};
    use crate::triage::explain::{Explanation, Repairs};

    fn agrees(suspicion: u32, in_right_cases: u32) -> Agreement {
        Agreement {
            suspicion,
            in_right_cases,
        }
    }

    #[test]
    fn what_exactly_the_wrong_cases_execute_is_suspected_most() {
        let all = [
            agrees(1000, 0),
            agrees(990, 0),
            agrees(990, 900),
            agrees(300, 1000),
        ];
        let points = all.map(|one| agreement(&one));
        assert!(
            points.is_sorted_by(|better, worse| better > worse),
            "{points:?}"
        );
    }

    #[test]
    fn the_performer_of_a_call_comes_before_what_every_case_executes() {
        let agreements = [
            ("perform", agrees(500, 1000)),
            ("fork", agrees(1000, 200)),
            ("page_of", agrees(600, 500)),
        ];
        let agreements = agreements.map(|(name, one)| (name.to_owned(), one));
        let explanation = Explanation {
            performer: Some("fork".to_owned()),
            repairs: Some(Repairs {
                agreements: agreements.into(),
                ..Repairs::default()
            }),
            ..Explanation::default()
        };
        assert_eq!(explanation.suspects(Some("share")), ["fork", "share"]);
    }

    #[test]
    fn without_a_search_for_repairs_only_what_the_findings_point_to_is_named() {
        let explanation = Explanation::default();
        assert_eq!(explanation.suspects(Some("share")), ["share"]);
        assert!(explanation.suspects(None).is_empty());
    }
}
