//! What distinguishes a finding from others. This is the one place that decides when two findings are the
//! same.
//!
//! Findings are compared at three levels, each for one purpose:
//!
//! - the **bucket** comes from the oracle: rule, kind of operation, state of its page, or where the kernel
//!   stopped. A smaller case has to show the same bucket, and a second run of a case as well;
//! - the **name** is the bucket and the finding's cause. A campaign reports each name once, and it is the
//!   name of the finding's file;
//! - the **bug** is what many names have in common. A row of a table is one bug. It is best known after the
//!   finding was minimised and explained, because it depends on how the operation ended and on the place in
//!   the kernel.
//!
//! The **situation** is what the operation met. It does not distinguish findings. A campaign leaves out
//! operations that would lead to a known situation, to see what else goes wrong.

mod bug;
mod family;

pub(super) use bug::{Answer, Bug, is_forbidden};

use super::ending::Ending;
use super::explain::Explanation;
use oracle::{Bucket, Finding, Situation, bucket};
use std::fmt;

/// The most characters of a file name without its ending: every relevant file system allows these.
const LONGEST_FILE_NAME: usize = 200;

/// The name of a finding, and of its file. A campaign reports each name once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Name {
    /// The oracle's signature.
    pub bucket: Bucket,
    /// The situation of the operation that caused the finding. It is known only if the finding shows later and the
    /// session looks for causes.
    pub cause: Option<Situation>,
}

impl Name {
    /// The name of a finding that comes from `cause`, if that is known.
    pub fn of(finding: &Finding, cause: Option<Situation>) -> Name {
        Name {
            bucket: bucket(finding),
            cause,
        }
    }

    /// The situation of the operation that went wrong, if that is known. `finding` has this name.
    pub fn situation(&self, finding: &Finding) -> Option<Situation> {
        self.cause.or(finding.situation())
    }

    /// The name of the finding's file without its ending: letters and digits with single hyphens between
    /// them.
    pub fn file_name(&self) -> String {
        let mut name = words(&self.to_string()).join("-");
        name.truncate(LONGEST_FILE_NAME);
        name
    }
}

/// The words of a name, in lower case.
fn words(name: &str) -> Vec<String> {
    let words = name.split(|letter: char| !letter.is_ascii_alphanumeric());
    let words = words.filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect()
}

/// Names have the same spelling if their causes differ only in how the operation ends, or in the amount of
/// memory. Their findings share a file, and the later one stays.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.bucket)?;
        let Some(cause) = self.cause else {
            return Ok(());
        };
        write!(f, "/{}", cause.kind.word())?;
        match cause.page {
            Some(page) => write!(f, "/{}", page.word()),
            None => Ok(()),
        }
    }
}

/// A finding's identity at every level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    name: Name,
    situation: Option<Situation>,
    bug: Bug,
}

impl Identity {
    /// The identity of a finding that was minimised and explained. `ending` is how its operation ended.
    pub fn of(
        name: Name,
        finding: &Finding,
        explanation: &Explanation,
        ending: Ending,
    ) -> Identity {
        let situation = name.situation(finding);
        let bug = match (&explanation.root, explanation.cause) {
            (Some(root), _) => Bug::of_state(root, explanation),
            (None, Some(cause)) => Bug::of_cause(cause, finding, explanation),
            (None, None) => Bug::of(&bug::Evidence {
                finding,
                situation,
                ending,
                place: explanation.place().as_deref(),
                explanation,
            }),
        };
        Identity {
            name,
            situation,
            bug: bug.located(finding, explanation),
        }
    }

    /// The oracle's signature.
    pub fn bucket(&self) -> &Bucket {
        &self.name.bucket
    }

    /// The name of the finding's file.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// The situation of the operation that went wrong, if that is known.
    pub fn situation(&self) -> Option<Situation> {
        self.situation
    }

    /// Whether both are likely to be one bug, and so one row.
    pub fn is_same_bug(&self, other: &Identity) -> bool {
        self.bug.is_same(&other.bug) || self.bug.may_be(&other.bug)
    }

    /// What all findings of its row have in common.
    pub(super) fn bug(&self) -> &Bug {
        &self.bug
    }
}

#[cfg(test)]
mod tests {
    use super::{Answer, Bug, Identity, LONGEST_FILE_NAME, Name};
    use crate::guest::Frame;
    use crate::triage::ending::{Ending, Slow};
    use crate::triage::explain::Explanation;
    use crate::triage::specimens::{Does, finding};
    use oracle::case::Kind;
    use oracle::{Bucket, Extent, Fate, Finding, PageState, Situation};

    const REFUSED: u64 = u64::MAX;

    const FORK_OF_A_LAZY_PAGE: Situation = Situation {
        kind: Kind::Fork,
        page: Some(PageState::Lazy),
        fate: Fate::GoesOn,
        extent: Extent::Nothing,
    };

    fn bug_of(finding: &Finding, ending: Ending, place: Option<&str>) -> Bug {
        let name = Name::of(finding, None);
        let frame = |function: &str| Frame {
            function: function.to_owned(),
            file: None,
            line: None,
            address: 0,
            is_library: false,
        };
        let explanation = Explanation {
            stack: place.into_iter().map(frame).collect(),
            ..Explanation::default()
        };
        Identity::of(name, finding, &explanation, ending)
            .bug()
            .clone()
    }

    fn bug(text: &str, does: Does) -> Bug {
        bug_of(&finding(text, does).1, Ending::CameBack, None)
    }

    #[test]
    fn a_name_is_the_bucket_and_the_cause() {
        let (_, finding) = finding("a: kill pid 0", Does::Returns(0));
        let plain = Name::of(&finding, None);
        let caused = Name::of(&finding, Some(FORK_OF_A_LAZY_PAGE));
        assert_eq!(plain.bucket, caused.bucket);
        assert_ne!(plain, caused);
        assert_eq!(plain.to_string(), "divergence/returned-value/kill");
        assert_eq!(
            caused.to_string(),
            "divergence/returned-value/kill/fork/lazy"
        );
    }

    #[test]
    fn the_cause_is_what_a_campaign_steers_around() {
        let (_, finding) = finding("a: kill pid 0", Does::Returns(0));
        let met = Name::of(&finding, None).situation(&finding).unwrap();
        assert_eq!((met.kind, met.fate), (Kind::Kill, Fate::Fails));
        let caused = Name::of(&finding, Some(FORK_OF_A_LAZY_PAGE));
        assert_eq!(caused.situation(&finding), Some(FORK_OF_A_LAZY_PAGE));
    }

    #[test]
    fn a_name_becomes_a_file_name() {
        let name = |bucket: &str| Name {
            bucket: Bucket::from(bucket),
            cause: None,
        };
        assert_eq!(
            name("divergence: load8, Lazy -> 0xff").file_name(),
            "divergence-load8-lazy-0xff"
        );
        assert_eq!(name("  ../../etc ").file_name(), "etc");
        assert_eq!(
            name(&"long ".repeat(100)).file_name().len(),
            LONGEST_FILE_NAME
        );
    }

    #[test]
    fn calls_that_share_code_share_a_bug_and_not_a_name() {
        let lazy = |call: &str| format!("a: sbrk +1p\na: {call}");
        let [open, chdir, pipe] = ["open heap[0]", "chdir heap[0]", "pipe heap[0]"].map(lazy);
        let refused = |text: &str| bug(text, Does::Returns(REFUSED));
        assert_eq!(refused(&open), refused(&chdir));
        assert_ne!(refused(&open), refused(&pipe));
        let name = |text: &str| Name::of(&finding(text, Does::Returns(REFUSED)).1, None);
        assert_ne!(name(&open), name(&chdir));
    }

    #[test]
    fn an_ordinary_mapped_page_is_not_the_reason() {
        let page = |text: &str| bug(text, Does::Returns(REFUSED)).page;
        assert_eq!(page("a: sbrk +1p\na: pipe heap[0]"), Some(PageState::Lazy));
        let touched = "a: sbrk +1p\na: store1 heap[0] 1\na: pipe heap[0]";
        assert_eq!(page(touched), None);
    }

    #[test]
    fn all_pages_without_memory_are_one_reason() {
        let granted = |text: &str| bug(text, Does::Returns(0));
        let guard = granted("a: pipe guard[0]");
        let outside = granted("a: pipe maxva[0]");
        assert!(guard.gets_through() && outside.gets_through());
        assert_eq!(outside.page, Some(PageState::Beyond));
        assert_eq!(guard.page, Some(PageState::Guard));
    }

    #[test]
    fn what_a_call_waits_for_does_not_depend_on_its_buffer() {
        let text = |buffer: &str| format!("a: pipe stack[0]\na: read 0 {buffer} 1");
        let nothing = |buffer: &str| bug(&text(buffer), Does::Returns(0));
        assert_eq!(nothing("data[0]"), nothing("stack[0]"));
    }

    #[test]
    fn a_register_that_changes_in_an_unknown_call_changes_in_every_call() {
        let changes = |text: &str| bug(text, Does::ChangesRegister);
        assert_eq!(changes("a: call 0"), changes("a: getpid"));
    }

    #[test]
    fn a_wrong_answer_about_the_programs_own_memory_copies_nothing() {
        // There is no child: nothing is copied, whatever the answer is.
        let answer = bug("a: sbrk +1p\na: wait heap[0]", Does::Returns(5));
        assert_eq!(
            (answer.answer, answer.page),
            (Answer::Granted, Some(PageState::Lazy))
        );
        assert!(!answer.gets_through());
        let beyond = bug("a: write 1 guard[0] 5", Does::Returns(5));
        assert!(beyond.gets_through());
        let nothing = bug("a: write 1 guard[0] 5", Does::Returns(0));
        assert!(!nothing.gets_through());
    }

    #[test]
    fn a_dead_process_and_a_sleeping_process_are_two_bugs() {
        let (_, silent) = finding("a: getpid", Does::FallsSilent);
        let dead = bug_of(&silent, Ending::Dead, None);
        let asleep = bug_of(&silent, Ending::Never, None);
        assert_ne!(dead, asleep);
    }

    #[test]
    fn the_function_that_walks_identifies_a_walk() {
        let spends = || Does::SpendsItsTime("walk<uvmunmap<growproc");
        let slow = Ending::Late(Slow {
            instructions: 100,
            pages: 10,
        });
        let [fork, sbrk] = ["a: b = fork", "a: sbrk +1p"].map(|text| finding(text, spends()).1);
        let place = Some("uvmunmap");
        assert_eq!(bug_of(&fork, slow, place), bug_of(&sbrk, slow, place));
        let other = Some("uvmcopy");
        assert_ne!(bug_of(&fork, slow, other), bug_of(&sbrk, slow, place));
        assert_ne!(
            bug_of(&fork, Ending::Never, place),
            bug_of(&fork, slow, place)
        );
    }
}
