//! Where the way of a wrong step through the kernel parts from the ways of right steps of the like.
//!
//! Steps of one kind take the same way through the kernel as long as they meet the same. A wrong step leaves the way
//! that a right one would have taken where the kernel decides wrongly. Cases that are a little different from
//! the one of the finding have right steps of the same kind. The one whose way stays with the wrong step for
//! longest shows that place best.

use super::neighbours::neighbours;
use super::{Close, calls};
use crate::driver::{Driver, Recording};
use crate::runner::{Runner, Watch};
use oracle::case::Kind;
use oracle::{Case, Clause, Fate, Finding, Judge};
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;
use std::rc::Rc;

/// Cases of each kind that are tried.
const CASES: u64 = 32;
/// Right steps that are enough.
const ENOUGH: usize = 10;
/// The most steps of one case that are recorded.
const RECORDED: usize = 2;

/// A way through the kernel: each instruction once for each way to reach its function, in the order of the
/// first visits. Repetitions of a loop are left out, because like steps differ in them.
struct Way {
    /// A number for the way to the function, and the address of the instruction.
    steps: Vec<(u64, u64)>,
    /// For each of them, the addresses from which its function and the callers of that were called, innermost first.
    callers: Vec<Rc<[u64]>>,
}

/// What a step must be like, to be compared with the wrong one.
#[derive(Clone, Copy)]
struct Like {
    kind: Kind,
    /// How it ends.
    fate: Fate,
}

/// The function in which the step of `case` that was watched leaves the way of right steps. `first` is what was wrong
/// first: `finding`, or what it rests on. `None`: there is no right step to compare with, or the ways are the same.
pub(super) fn function(
    runner: &mut Runner,
    case: &Case,
    finding: &Finding,
    first: &Finding,
    close: &Close,
) -> Option<String> {
    let recording = close.recording.as_ref()?;
    let kind = case.operations.get(close.at)?.call.kind();
    // A step that was answered wrongly had to end in another way than it did.
    let expected = finding
        .situation()
        .filter(|_| finding.step == Some(close.at));
    let fate = expected.map_or(close.fate, |situation| Some(situation.fate))?;
    // Steps fail for many reasons, and most of them show long before this one would.
    if recording.is_race || fate == Fate::Fails || is_about_state(first) {
        return None;
    }
    leaves(runner, case, recording, Like { kind, fate })
}

/// Whether a finding is about what memory, page tables or registers hold. Right and wrong steps take the same way if one
/// of them stores something else.
fn is_about_state(finding: &Finding) -> bool {
    let is_of_state = matches!(
        finding.clause,
        Clause::FreshPageZero
            | Clause::PageContent
            | Clause::LoadedValue
            | Clause::PermissionBits
            | Clause::KernelHidden
            | Clause::RegistersSurvive
    );
    is_of_state || finding.spoiled().is_some()
}

/// The function in which the `wrong` step leaves the way of right steps that are like it.
fn leaves(runner: &mut Runner, case: &Case, wrong: &Recording, like: Like) -> Option<String> {
    let mut places = Places::default();
    let wrong = places.way(wrong, runner.driver_mut());
    let mut parting: Option<Parting> = None;
    let mut right_steps = 0;
    for neighbour in neighbours(case, CASES) {
        let mut search = Search::new(&neighbour, like);
        let outcome = runner.run_watched(&neighbour, &mut search);
        // What is wrong with the state shows only at the end.
        if !outcome.findings.is_empty() {
            continue;
        }
        for recording in search.right {
            right_steps += 1;
            let way = places.way(&recording, runner.driver_mut());
            let next = wrong.parting_from(&way);
            let is_later = |other: &Parting| next.as_ref().is_some_and(|next| next.at > other.at);
            if parting.as_ref().is_none_or(is_later) {
                parting = next.or(parting);
            }
        }
        if right_steps >= ENOUGH {
            break;
        }
    }
    parting.and_then(|parting| places.function(&parting, &wrong))
}

/// Where two ways part.
#[derive(Clone, Copy)]
struct Parting {
    /// How many steps they have in common.
    at: usize,
    /// The last instruction of both.
    last: u64,
    /// The next ones, if they are in one call of a function.
    next: Option<[u64; 2]>,
}

impl Way {
    fn parting_from(&self, right: &Way) -> Option<Parting> {
        let pairs = self.steps.iter().zip(&right.steps);
        let at = pairs.take_while(|(one, two)| one == two).count();
        let (_, last) = *self.steps.get(at.checked_sub(1)?)?;
        let next = match (self.steps.get(at), right.steps.get(at)) {
            (None, None) => return None,
            (Some((wrong_call, wrong)), Some((right_call, right))) if wrong_call == right_call => {
                Some([*wrong, *right])
            }
            _ => None,
        };
        Some(Parting { at, last, next })
    }
}

/// Which functions an instruction belongs to.
#[derive(Default)]
struct Places {
    /// The kernel's functions that say where a step goes, the outermost first, by the address of an instruction.
    /// Empty in functions that serve others.
    known: HashMap<u64, Vec<String>>,
}

impl Places {
    fn own(&mut self, pc: u64, driver: &mut Driver) -> &[String] {
        self.known.entry(pc).or_insert_with(|| {
            let mut frames = driver.frames(&[pc]);
            frames.retain(|frame| !frame.is_library);
            if frames.first().is_none_or(calls::is_housekeeping) {
                return Vec::new();
            }
            let functions = frames.into_iter().map(|frame| frame.function);
            let mut functions: Vec<String> = functions.collect();
            // Who asks a question decides, and not the function that answers it.
            let answers = functions
                .iter()
                .take_while(|function| only_answers(function));
            let answers = answers.count().min(functions.len() - 1);
            functions.drain(..answers);
            functions.reverse();
            functions
        })
    }

    fn way(&mut self, recording: &Recording, driver: &mut Driver) -> Way {
        let mut contexts: Vec<u64> = Vec::with_capacity(recording.calls.len());
        let mut callers: Vec<Rc<[u64]>> = Vec::with_capacity(recording.calls.len());
        for call in &recording.calls {
            let mut hasher = DefaultHasher::new();
            let caller = call.caller.map(|(caller, at)| (contexts[caller], at));
            caller.hash(&mut hasher);
            contexts.push(hasher.finish());
            let mut chain: Vec<u64> = Vec::new();
            if let Some((caller, at)) = call.caller {
                self.own(at, driver);
                chain.push(at);
                chain.extend_from_slice(&callers[caller]);
            }
            callers.push(chain.into());
        }
        let mut seen = HashSet::new();
        let mut way = Way {
            steps: Vec::new(),
            callers: Vec::new(),
        };
        for (call, pc) in &recording.visits {
            let step = (contexts[*call], *pc);
            if seen.insert(step) && !self.own(*pc, driver).is_empty() {
                way.steps.push(step);
                way.callers.push(Rc::clone(&callers[*call]));
            }
        }
        way
    }

    /// The function that decides: the innermost one that both ways are in before and after they part. A compiler
    /// puts a branch of an inlined function down to the function around it now and then. A function that hands out
    /// frames or buffers has none left: the function that asks decides what that means. The functions that begin and
    /// end every way only pass on what others have decided.
    fn function(&self, parting: &Parting, wrong: &Way) -> Option<String> {
        let functions = |pc: u64| self.known.get(&pc).map_or(&[][..], Vec::as_slice);
        let last = functions(parting.last);
        let common = parting.next.map_or(&[][..], |[wrong, right]| {
            let (wrong, right) = (functions(wrong), functions(right));
            let both = wrong.iter().zip(right);
            &wrong[..both.take_while(|(one, two)| one == two).count()]
        });
        let innermost = if common.len() > last.len() {
            common
        } else {
            last
        };
        let callers = wrong.callers[parting.at - 1].iter();
        let outer = callers.flat_map(|pc| functions(*pc).iter().rev());
        let mut all = innermost.iter().rev().chain(outer);
        let decides = all.find(|function| !hands_out(function))?;
        let (first, end) = (wrong.steps.first()?.1, wrong.steps.last()?.1);
        let passes_on = [
            functions(first).last(),
            functions(end).last(),
            functions(end).first(),
        ];
        (!passes_on.contains(&Some(decides))).then(|| decides.clone())
    }
}

/// Whether a function hands out frames or buffers, by its name.
fn hands_out(function: &str) -> bool {
    const NAMES: [&str; 8] = [
        "allocate",
        "allocate_zeroed",
        "available",
        "check_available",
        "claim",
        "kalloc",
        "take",
        "bget",
    ];
    let name = function.rsplit("::").next().unwrap_or(function);
    NAMES.contains(&name)
}

/// Whether a function only answers a question, or fetches an argument, by its name.
fn only_answers(function: &str) -> bool {
    let name = function.rsplit("::").next().unwrap_or(function);
    name == "argument" || ["is_", "has_"].iter().any(|start| name.starts_with(start))
}

/// Records the steps of a case that are like the wrong one.
struct Search<'a> {
    case: &'a Case,
    like: Like,
    last: Option<Recording>,
    right: Vec<Recording>,
}

impl<'a> Search<'a> {
    fn new(case: &'a Case, like: Like) -> Self {
        Self {
            case,
            like,
            last: None,
            right: Vec::new(),
        }
    }
}

impl Watch for Search<'_> {
    fn before(&mut self, operations: Range<usize>, driver: &mut Driver) {
        self.last = None;
        let is_like = self.case.operations[operations.start].call.kind() == self.like.kind;
        if operations.len() == 1 && is_like && self.right.len() < RECORDED {
            driver.record_next(Vec::new());
        }
    }

    fn after(&mut self, _: Range<usize>, driver: &mut Driver) {
        self.last = driver.take_recording();
    }

    fn judged(&mut self, _: Range<usize>, _: &mut Driver, judge: &Judge) {
        let fate = judge.last_situation().map(|situation| situation.fate);
        if let Some(recording) = self.last.take()
            && fate == Some(self.like.fate)
        {
            self.right.push(recording);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Places, Way, only_answers};

    /// A way that was called from address 2.
    fn way(addresses: &[u64]) -> Way {
        Way {
            steps: addresses.iter().map(|address| (0, *address)).collect(),
            callers: addresses.iter().map(|_| [2].into()).collect(),
        }
    }

    fn places(known: &[(u64, &[&str])]) -> Places {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let known = known.iter().map(|(pc, chain)| (*pc, names(chain)));
        Places {
            known: known.collect(),
        }
    }

    fn function(wrong: &[u64], right: &[u64]) -> Option<String> {
        let places = places(&[
            (1, &["user_trap"]),
            (2, &["sbrk"]),
            (3, &["sbrk"]),
            (4, &["sbrk", "move_break"]),
            (5, &["sbrk", "move_break"]),
            (6, &["user_trap", "enter"]),
            (7, &["frames::take"]),
        ]);
        let wrong = way(wrong);
        let parting = wrong.parting_from(&way(right))?;
        places.function(&parting, &wrong)
    }

    #[test]
    fn the_last_common_instruction_decides() {
        let decides = function(&[1, 2, 3, 6], &[1, 2, 4, 6]);
        assert_eq!(decides.as_deref(), Some("sbrk"));
    }

    #[test]
    fn a_branch_belongs_to_the_inlined_function_that_goes_on_both_ways() {
        let decides = function(&[1, 2, 4, 6], &[1, 2, 5, 6]);
        assert_eq!(decides.as_deref(), Some("move_break"));
    }

    #[test]
    fn the_caller_of_a_function_that_hands_out_frames_decides() {
        let decides = function(&[1, 7, 4, 6], &[1, 7, 5, 6]);
        assert_eq!(decides.as_deref(), Some("move_break"));
        let decides = function(&[1, 7, 6], &[1, 7, 3, 6]);
        assert_eq!(decides.as_deref(), Some("sbrk"));
    }

    #[test]
    fn what_begins_and_ends_every_way_does_not_decide() {
        assert_eq!(function(&[1, 2, 6], &[1, 3, 6]), None);
        assert_eq!(function(&[1, 2, 6], &[1, 2, 6, 3]), None);
    }

    #[test]
    fn a_function_that_answers_a_question_does_not_decide() {
        assert!(only_answers("entry::is_valid") && only_answers("has_room"));
        assert!(!only_answers("user_copy::stretch") && !only_answers("isolate"));
    }

    #[test]
    fn equal_ways_do_not_part() {
        assert!(way(&[1, 2]).parting_from(&way(&[1, 2])).is_none());
        assert!(way(&[1, 2]).parting_from(&way(&[3])).is_none());
    }
}
