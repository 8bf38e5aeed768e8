//! Known bugs of the public xv6 for RISC-V. They separate the bugs that an author has probably inherited from the
//! author's own.

use super::Report;
use super::doubts::{is_at, is_granted, makes_file_in_removed_directory};
use super::identity::Answer;
use crate::guest::symbols::Symbols;
use oracle::case::Kind;
use oracle::{Clause, PageState};
use serde::Serialize;

/// A bug that public versions of xv6 have.
#[derive(Debug, Serialize)]
pub struct Upstream {
    /// Its name.
    pub name: &'static str,
    /// The versions that have it.
    pub versions: &'static str,
    /// What is wrong, and where.
    pub sentence: &'static str,
    #[serde(skip)]
    known_in: Known,
    #[serde(skip)]
    shows: Shows,
}

/// Versions that the symbols of a kernel tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    /// Those of 2019 to 2025, and all others.
    All,
    /// Those of 2019 to 2021.
    Early,
    /// Those before 2025: their heap is not lazy.
    BeforeLazy,
    /// Those since 2025.
    Lazy,
}

/// What shows a bug.
#[derive(Clone, Copy, Debug)]
enum Shows {
    /// The case of a defect that the dialect knows: its field.
    Defect(&'static str),
    /// A panic with one of these messages.
    Panic(&'static [&'static str]),
    /// A finding.
    Finding(fn(&Report) -> bool),
}

impl Known {
    fn is_version(self, symbols: &Symbols) -> bool {
        let has = |function| symbols.address(function).is_some();
        match self {
            Known::All => true,
            // It is called `uvmfirst` since 2022.
            Known::Early => has("uvminit"),
            Known::BeforeLazy => !has(LAZY_SINCE),
            Known::Lazy => has(LAZY_SINCE),
        }
    }
}

/// A function of the versions whose heap is lazy: those since 2025.
const LAZY_SINCE: &str = "vmfault";

/// The known bugs. If several cover a finding, the first counts.
static BUGS: [Upstream; 16] = [
    Upstream {
        name: "fstat-padding",
        versions: "2019 to 2025",
        sentence: "`struct stat` has four bytes of padding; `filestat` never sets them, so bytes of the \
                   kernel's stack get into the program",
        known_in: Known::All,
        // Padding belongs to no page: other findings of `fstat` name one.
        shows: Shows::Finding(|report| {
            report.finding.clause == Clause::PageContent
                && is_at(report, Kind::Fstat)
                && names_no_page(report)
        }),
    },
    Upstream {
        name: "kill-0",
        versions: "2019 to 2025",
        sentence: "`kill` compares identifiers and does not check whether the slot is free; free slots have \
                   the identifier 0, so `kill(0)` returns 0, and the next new process dies",
        known_in: Known::All,
        shows: Shows::Finding(|report| is_granted(report) && is_at(report, Kind::Kill)),
    },
    Upstream {
        name: "pipe-write-0",
        versions: "2019 to 2025",
        sentence: "`pipewrite` ends its loop where `copyin` fails, and returns what it has written so far, or \
                   the whole length: it never says that the address is bad",
        known_in: Known::All,
        shows: Shows::Defect("pipe.write_to_bad_first_byte"),
    },
    Upstream {
        name: "pipe-read-0",
        versions: "2019 to 2025",
        sentence: "`piperead` ends its loop where `copyout` fails, and returns what it has read so far: 0 looks \
                   like the end of the data",
        known_in: Known::All,
        shows: Shows::Defect("pipe.read_to_bad_first_byte"),
    },
    Upstream {
        name: "pipe-byte-lost",
        versions: "2019 to 2025",
        sentence: "`piperead` counts a byte as read before `copyout` stores it",
        known_in: Known::All,
        shows: Shows::Defect("pipe.refused_byte"),
    },
    Upstream {
        name: "read-negative",
        versions: "2019 to 2025",
        sentence: "`sys_read` passes a negative length on, and `readi` takes it for a very large one",
        known_in: Known::All,
        shows: Shows::Defect("files.read_below_zero"),
    },
    Upstream {
        name: "sbrk-int",
        versions: "2019 to 2025",
        sentence: "`sys_sbrk` takes its amount as an `int`",
        known_in: Known::All,
        shows: Shows::Defect("sbrk.amount_bits"),
    },
    Upstream {
        name: "exec-offset-int",
        versions: "2019 to 2025",
        sentence: "`exec` passes the offset of a segment on as 32 bits",
        known_in: Known::All,
        shows: Shows::Defect("exec.offset_bits"),
    },
    Upstream {
        name: "pipe-write-unread",
        versions: "2019 to 2021",
        sentence: "`pipewrite` looks whether anybody reads only when the pipe is full",
        known_in: Known::Early,
        shows: Shows::Defect("pipe.write_without_reader"),
    },
    Upstream {
        name: "writei-forgets",
        versions: "2019 to 2021",
        sentence: "`writei` does not update the inode if `copyin` fails, and returns the whole length",
        known_in: Known::Early,
        shows: Shows::Defect("files.refused_transaction"),
    },
    Upstream {
        name: "panic-without-memory",
        versions: "2019 to 2021",
        sentence: "`uvmcreate` and `sys_exec` panic if no page is free, and `uvmcopy` gives back pages that it \
                   has not mapped",
        known_in: Known::Early,
        shows: Shows::Panic(&[
            "uvmcreate: out of memory",
            "sys_exec kalloc",
            "uvmunmap: walk",
        ]),
    },
    Upstream {
        name: "panic-without-blocks",
        versions: "2019 to 2021",
        sentence: "`balloc` panics if no block of the disk is free",
        known_in: Known::Early,
        shows: Shows::Panic(&["balloc: out of blocks"]),
    },
    Upstream {
        name: "copyout-to-text",
        versions: "2019 to 2022",
        sentence: "`copyout` does not check whether a page may be stored to, so a system call overwrites the \
                   program's code",
        known_in: Known::BeforeLazy,
        shows: Shows::Finding(|report| {
            report.identity.bug().gets_through()
                && report.identity.bug().page == Some(PageState::Text)
        }),
    },
    Upstream {
        name: "create-in-removed-directory",
        versions: "2019 to 2022",
        sentence: "`create` does not check whether the directory was removed, so a process that is still in \
                   it creates files that no path leads to",
        known_in: Known::BeforeLazy,
        shows: Shows::Finding(makes_file_in_removed_directory),
    },
    Upstream {
        name: "copyinstr-lazy",
        versions: "2025",
        sentence: "`copyinstr` does not call `vmfault`, so a path on a page that was never touched is refused",
        known_in: Known::Lazy,
        shows: Shows::Finding(|report| {
            report.identity.bug().answer == Answer::Refused
                && report.identity.bug().page == Some(PageState::Lazy)
                && is_in(report, &["copyinstr"])
        }),
    },
    Upstream {
        name: "walks-holes",
        versions: "2025",
        sentence: "`uvmunmap` and `uvmcopy` look at each page of a lazy heap, even where a whole page table \
                   is missing",
        known_in: Known::Lazy,
        shows: Shows::Finding(|report| {
            report.ending.slow().is_some() && is_in(report, &["uvmunmap", "uvmcopy"])
        }),
    },
];

impl Upstream {
    /// The known bug that a report shows on a kernel with these symbols, if it shows one. `defect` is the field of the
    /// dialect whose case it is.
    pub(super) fn shown_by(
        report: &Report,
        defect: Option<&str>,
        symbols: &Symbols,
    ) -> Option<&'static Upstream> {
        let is_shown = |bug: &&Upstream| {
            bug.known_in.is_version(symbols)
                && match bug.shows {
                    Shows::Defect(field) => defect == Some(field),
                    Shows::Panic(messages) => panics_with(report, messages),
                    Shows::Finding(covers) => defect.is_none() && covers(report),
                }
        };
        BUGS.iter().find(is_shown)
    }
}

/// Whether the kernel panics with one of these messages.
fn panics_with(report: &Report, messages: &[&str]) -> bool {
    let seen = report.seen();
    report.clause() == Clause::NoPanic && messages.iter().any(|message| seen.contains(message))
}

/// Whether a finding is about no page.
fn names_no_page(report: &Report) -> bool {
    let situation = report.identity.situation();
    situation.is_some_and(|situation| situation.page.is_none())
}

/// Whether one of these functions is on the kernel's stack where it went wrong, or is the first to fail.
fn is_in(report: &Report, functions: &[&str]) -> bool {
    let explanation = &report.explanation;
    let on_stack = explanation
        .stack
        .iter()
        .map(|frame| frame.function.as_str());
    let mut all = on_stack.chain(explanation.first_to_fail());
    all.any(|function| functions.contains(&function))
}

#[cfg(test)]
mod tests {
    use super::{BUGS, Shows, Upstream};
    use crate::guest::symbols::Symbols;
    use crate::triage::specimens::{Does, found};
    use oracle::dialect::Defect;

    fn name(text: &str, does: Does, defect: Option<&str>) -> Option<&'static str> {
        let report = found(text, does).report;
        Upstream::shown_by(&report, defect, &Symbols::default()).map(|bug| bug.name)
    }

    #[test]
    fn a_known_bug_is_known_by_what_it_shows() {
        let returns = |text: &str, value| name(text, Does::Returns(value), None);
        assert_eq!(returns("a: kill pid 0", 0), Some("kill-0"));
        assert_eq!(returns("a: pipe text[0]", 0), Some("copyout-to-text"));
        assert_eq!(returns("a: pipe guard[0]", 0), None);
        assert_eq!(returns("a: getpid", 0), None);
    }

    #[test]
    fn a_defect_is_known_by_its_field_and_only_in_versions_that_have_it() {
        let of = |field| name("a: getpid", Does::Returns(0), Some(field));
        assert_eq!(of("sbrk.amount_bits"), Some("sbrk-int"));
        assert_eq!(of("files.refused_transaction"), None);
        assert_eq!(of("wait.status"), None);
        let panics = Does::Panics("panic: balloc: out of blocks", "balloc<bmap<writei");
        assert_eq!(name("a: getpid", panics, None), None);
    }

    #[test]
    fn every_defect_that_is_named_is_one() {
        for bug in &BUGS {
            if let Shows::Defect(field) = bug.shows {
                let mut all = Defect::all().into_iter();
                assert!(all.any(|defect| defect.field == field), "{field}");
            }
        }
    }
}
