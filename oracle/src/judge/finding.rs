//! Findings: what is wrong, in words, and the signature by which the same wrong is known again.

use super::Situation;
use crate::case::Kind;
use crate::model::{Answer, FAILED, PageState};
use serde::{Serialize, Serializer};
use std::fmt;

/// The kinds of wrong (DESIGN: what is judged).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// An answer differs from the oracle's.
    Divergence,
    /// The kernel panicked, trapped in supervisor mode, or a hart is stuck.
    Panic,
    /// Frames, inodes or blocks are missing once every process is gone.
    Leak,
    /// A process that had to die lives on.
    Unkilled,
    /// A process that had to live died.
    WronglyKilled,
    /// The instruction budget was spent.
    Hang,
    /// The page tables break a rule.
    Invariant,
    /// Memory was taken before anybody touched it.
    NotLazy,
}

impl Verdict {
    /// All verdicts.
    pub const ALL: [Verdict; 8] = [
        Verdict::Divergence,
        Verdict::Panic,
        Verdict::Leak,
        Verdict::Unkilled,
        Verdict::WronglyKilled,
        Verdict::Hang,
        Verdict::Invariant,
        Verdict::NotLazy,
    ];
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verdict::Divergence => "divergence",
            Verdict::Panic => "panic",
            Verdict::Leak => "leak",
            Verdict::Unkilled => "unkilled",
            Verdict::WronglyKilled => "wrongly killed",
            Verdict::Hang => "hang",
            Verdict::Invariant => "invariant",
            Verdict::NotLazy => "not lazy",
        })
    }
}

impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The rules of the envelope, each with a name: what a finding says was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Clause {
    /// A system call returns what the model returns.
    ReturnedValue,
    /// A load yields what was stored last, or zero.
    LoadedValue,
    /// A process whose operation completes comes back from it.
    ComesBack,
    /// A process that must wait does not come back before what it waits for has happened.
    Blocks,
    /// The child of a successful fork runs, and no other does.
    ChildRuns,
    /// A successful `exec` starts the program at its entry, with its arguments on the stack.
    ProgramStarts,
    /// A forbidden access kills.
    ForbiddenAccessKills,
    /// A killed process dies, one that exited is gone.
    DeadStayDead,
    /// Nobody dies who was neither killed nor did what is forbidden.
    InnocentLive,
    /// A kill for a fault is announced on the console.
    KillAnnounced,
    /// `wait` tells the status with which the child ended.
    ExitStatus,
    /// Everyone is reaped at the end.
    EverybodyReaped,
    /// Registers survive a trap.
    RegistersSurvive,
    /// The kernel does not panic.
    NoPanic,
    /// Every hart can get on.
    NotStuck,
    /// The kernel does not switch the machine off.
    StaysOn,
    /// A step ends within its budget.
    EndsInTime,
    /// All frames come back when everyone is gone.
    FramesComeBack,
    /// Nothing is promised any more that was promised to a program when everyone is gone.
    PromisesEnd,
    /// As many processes fit at the end as at the start, although forks have failed.
    SlotsComeBack,
    /// A mapped frame has as many recorded holders as pages that map it.
    HoldersCounted,
    /// More frames are free at the end than there were: something was freed twice.
    FramesNotInvented,
    /// Shrinking gives the frames of touched pages back.
    ShrinkGivesBack,
    /// A lazy growth takes no frame.
    GrowthTakesNothing,
    /// A fork takes page tables only.
    ForkShares,
    /// A touch takes a frame for a page, and page tables to reach it.
    TouchTakesOne,
    /// A successful `exec` takes frames for what the new program touches, and gives back those that
    /// the old one held.
    ExecTakesLittle,
    /// A mapped frame is not free.
    MappedNotFree,
    /// A frame is writable in at most one address space.
    WritableAlone,
    /// User programs cannot reach kernel memory or page tables.
    KernelHidden,
    /// Nothing is mapped where the address space has nothing.
    MappedInside,
    /// A page has the permission bits of its region.
    PermissionBits,
    /// A page that nobody wrote is zero when it is first mapped.
    FreshPageZero,
    /// A mapped page holds what the model holds.
    PageContent,
    /// When a case has changed files, the disk holds what the model holds.
    DiskContent,
    /// The inodes and blocks of files that are gone are free, and those of others are not.
    BlocksComeBack,
}

impl Clause {
    /// All clauses.
    pub const ALL: [Clause; 36] = [
        Clause::ReturnedValue,
        Clause::LoadedValue,
        Clause::ComesBack,
        Clause::Blocks,
        Clause::ChildRuns,
        Clause::ProgramStarts,
        Clause::ForbiddenAccessKills,
        Clause::DeadStayDead,
        Clause::InnocentLive,
        Clause::KillAnnounced,
        Clause::ExitStatus,
        Clause::EverybodyReaped,
        Clause::RegistersSurvive,
        Clause::NoPanic,
        Clause::NotStuck,
        Clause::StaysOn,
        Clause::EndsInTime,
        Clause::FramesComeBack,
        Clause::PromisesEnd,
        Clause::SlotsComeBack,
        Clause::HoldersCounted,
        Clause::FramesNotInvented,
        Clause::ShrinkGivesBack,
        Clause::GrowthTakesNothing,
        Clause::ForkShares,
        Clause::TouchTakesOne,
        Clause::ExecTakesLittle,
        Clause::MappedNotFree,
        Clause::WritableAlone,
        Clause::KernelHidden,
        Clause::MappedInside,
        Clause::PermissionBits,
        Clause::FreshPageZero,
        Clause::PageContent,
        Clause::DiskContent,
        Clause::BlocksComeBack,
    ];

    /// The clause's name.
    pub fn name(self) -> &'static str {
        match self {
            Clause::ReturnedValue => "returned-value",
            Clause::LoadedValue => "loaded-value",
            Clause::ComesBack => "comes-back",
            Clause::Blocks => "blocks",
            Clause::ChildRuns => "child-runs",
            Clause::ProgramStarts => "program-starts",
            Clause::ForbiddenAccessKills => "forbidden-access-kills",
            Clause::DeadStayDead => "dead-stay-dead",
            Clause::InnocentLive => "innocent-live",
            Clause::KillAnnounced => "kill-announced",
            Clause::ExitStatus => "exit-status",
            Clause::EverybodyReaped => "everybody-reaped",
            Clause::RegistersSurvive => "registers-survive",
            Clause::NoPanic => "no-panic",
            Clause::NotStuck => "not-stuck",
            Clause::StaysOn => "stays-on",
            Clause::EndsInTime => "ends-in-time",
            Clause::FramesComeBack => "frames-come-back",
            Clause::PromisesEnd => "promises-end",
            Clause::SlotsComeBack => "slots-come-back",
            Clause::HoldersCounted => "holders-counted",
            Clause::FramesNotInvented => "frames-not-invented",
            Clause::ShrinkGivesBack => "shrink-gives-back",
            Clause::GrowthTakesNothing => "growth-takes-nothing",
            Clause::ForkShares => "fork-shares",
            Clause::TouchTakesOne => "touch-takes-one",
            Clause::ExecTakesLittle => "exec-takes-little",
            Clause::MappedNotFree => "mapped-not-free",
            Clause::WritableAlone => "writable-alone",
            Clause::KernelHidden => "kernel-hidden",
            Clause::MappedInside => "mapped-inside",
            Clause::PermissionBits => "permission-bits",
            Clause::FreshPageZero => "fresh-page-zero",
            Clause::PageContent => "page-content",
            Clause::DiskContent => "disk-content",
            Clause::BlocksComeBack => "blocks-come-back",
        }
    }

    /// What is wrong where the clause is broken, for somebody who does not know its name.
    pub fn broken(self) -> &'static str {
        match self {
            Clause::ReturnedValue => "a system call gives a wrong answer",
            Clause::LoadedValue => "a load gives something else than what was stored",
            Clause::ComesBack => "a process does not come back from an operation that completes",
            Clause::Blocks => "a process goes on that has to sleep",
            Clause::ChildRuns => "the wrong process runs after a fork, or none",
            Clause::ProgramStarts => "exec does not start the program as it has to",
            Clause::ForbiddenAccessKills => "a process does what is forbidden and lives",
            Clause::DeadStayDead => "a process lives on that was killed or has exited",
            Clause::InnocentLive => "a process dies that has done nothing wrong",
            Clause::KillAnnounced => "a process is killed for a fault without a word",
            Clause::ExitStatus => "wait gives a wrong status",
            Clause::EverybodyReaped => "a process that has ended is never reaped",
            Clause::RegistersSurvive => "a trap changes a register of the program",
            Clause::NoPanic => "the kernel panics",
            Clause::NotStuck => "a hart can never get on",
            Clause::StaysOn => "the kernel switches the machine off",
            Clause::EndsInTime => "the kernel does not come back",
            Clause::FramesComeBack => "frames are lost",
            Clause::PromisesEnd => "promised frames stay promised when nobody is left",
            Clause::SlotsComeBack => "places for processes are lost",
            Clause::HoldersCounted => "the holders of a frame are counted wrong",
            Clause::FramesNotInvented => "a frame is freed twice",
            Clause::ShrinkGivesBack => "a shrinking heap does not give its frames back",
            Clause::GrowthTakesNothing => "a growth takes frames that nobody has touched",
            Clause::ForkShares => "a fork takes more than page tables",
            Clause::TouchTakesOne => "an operation takes more frames than it touches",
            Clause::ExecTakesLittle => "exec takes more frames than the program touches",
            Clause::MappedNotFree => "a page maps a frame that is free",
            Clause::WritableAlone => "a frame can be stored to by two",
            Clause::KernelHidden => "a program can reach the kernel's memory",
            Clause::MappedInside => "something is mapped where there is no memory",
            Clause::PermissionBits => "a page has the wrong permission bits",
            Clause::FreshPageZero => "a page that nobody wrote is not zero",
            Clause::PageContent => "memory holds what nobody stored there",
            Clause::DiskContent => "the disk holds something else than what was written",
            Clause::BlocksComeBack => "blocks or inodes are lost, or two files share one",
        }
    }

    /// The verdict that breaking the clause earns.
    pub fn verdict(self) -> Verdict {
        match self {
            Clause::ReturnedValue
            | Clause::LoadedValue
            | Clause::Blocks
            | Clause::ChildRuns
            | Clause::ProgramStarts
            | Clause::KillAnnounced
            | Clause::ExitStatus
            | Clause::RegistersSurvive
            | Clause::DiskContent => Verdict::Divergence,
            Clause::ForbiddenAccessKills | Clause::DeadStayDead | Clause::EverybodyReaped => {
                Verdict::Unkilled
            }
            Clause::InnocentLive => Verdict::WronglyKilled,
            Clause::NoPanic | Clause::NotStuck | Clause::StaysOn => Verdict::Panic,
            Clause::ComesBack | Clause::EndsInTime => Verdict::Hang,
            Clause::FramesComeBack
            | Clause::PromisesEnd
            | Clause::SlotsComeBack
            | Clause::ShrinkGivesBack
            | Clause::BlocksComeBack => Verdict::Leak,
            Clause::HoldersCounted
            | Clause::FramesNotInvented
            | Clause::MappedNotFree
            | Clause::WritableAlone
            | Clause::KernelHidden
            | Clause::MappedInside
            | Clause::PermissionBits
            | Clause::FreshPageZero
            | Clause::PageContent => Verdict::Invariant,
            Clause::GrowthTakesNothing
            | Clause::ForkShares
            | Clause::TouchTakesOne
            | Clause::ExecTakesLittle => Verdict::NotLazy,
        }
    }
}

impl fmt::Display for Clause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Clause {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// The first thing that was wrong with a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What kind of wrong.
    pub verdict: Verdict,
    /// The rule that was broken.
    pub clause: Clause,
    /// Index in the case of the operation at which the two sides part; `None` if only the end of
    /// the case shows it.
    pub step: Option<usize>,
    /// That operation, as text.
    pub operation: Option<Box<str>>,
    /// Whose fate or memory it is about: the process's letter.
    pub process: Option<char>,
    /// What had to happen.
    pub expected: Box<str>,
    /// What happened.
    pub seen: Box<str>,
    /// For a rule about a page of `process`, its virtual address; for one about the frames of a step,
    /// how many may be taken at most, or must at least come back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<u64>,
    /// What tells this finding from others of its clause.
    #[serde(skip)]
    pub(super) signature: Box<Signature>,
}

/// What a bucket is made of, beside verdict and clause.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub(super) struct Signature {
    pub(super) kind: Option<Kind>,
    pub(super) page: Option<PageState>,
    /// Where a campaign finds it again; no part of the bucket.
    pub(super) situation: Option<Situation>,
    /// For a panic, its text without numbers.
    pub(super) words: Option<Box<str>>,
    /// For a panic or a hang, the kernel's innermost functions.
    pub(super) functions: Option<Box<str>>,
    /// For a wrong answer, how it is wrong; no part of the bucket.
    pub(super) mismatch: Option<Mismatch>,
    /// Whether it was put down to an operation before the one at which it shows.
    pub(super) is_put_down: bool,
    /// For wrong bytes in memory, whose they are; no part of the bucket.
    pub(super) spoiled: Option<Spoiled>,
}

/// Which bytes of a program's memory are wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Spoiled {
    /// Of the process that acted, and they had to be zero.
    Zeros,
    /// Others of the process that acted.
    Own,
    /// Of a process that did not act.
    Others,
    /// Behind the program break, in its page.
    Tail,
}

/// How the answer of a system call is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mismatch {
    /// It is -1 and had to be something else.
    Refused,
    /// It had to be -1.
    Granted,
    /// It is a larger number than it had to be.
    More,
    /// It is a smaller one, and not negative.
    Less,
    /// It is another.
    Other,
}

impl Mismatch {
    /// Of `seen`, where `wanted` had to come.
    pub(super) fn of(wanted: Answer, seen: u64) -> Mismatch {
        match wanted {
            Answer::Exactly(FAILED) => Mismatch::Granted,
            _ if seen == FAILED => Mismatch::Refused,
            Answer::Exactly(wanted) if seen as i64 > wanted as i64 => Mismatch::More,
            Answer::Exactly(wanted) if seen < wanted => Mismatch::Less,
            _ => Mismatch::Other,
        }
    }
}

impl Finding {
    /// What kind of operation met what kind of page when the two sides parted; `None` if only the
    /// end of the case showed it.
    pub fn situation(&self) -> Option<Situation> {
        self.signature.situation
    }

    /// Of a wrong answer of a system call, how it is wrong.
    pub fn mismatch(&self) -> Option<Mismatch> {
        self.signature.mismatch
    }

    /// Whether the situation is that of an operation before the one at which it shows.
    pub fn is_put_down(&self) -> bool {
        self.signature.is_put_down
    }

    /// Of wrong bytes in memory, whose they are.
    pub fn spoiled(&self) -> Option<Spoiled> {
        self.signature.spoiled
    }

    /// What the kernel said when it panicked, as one word without numbers.
    pub fn panic_words(&self) -> Option<&str> {
        self.signature.words.as_deref()
    }

    /// In which functions of the kernel it panicked or hung, the innermost first.
    pub fn functions(&self) -> impl Iterator<Item = &str> {
        self.signature
            .functions
            .as_deref()
            .into_iter()
            .flat_map(|functions| functions.split('<'))
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.verdict)?;
        match (self.step, &self.operation) {
            (Some(step), Some(operation)) => write!(f, " at operation {step}: {operation}")?,
            (Some(step), None) => write!(f, " at operation {step}")?,
            (None, _) => write!(f, " at the end of the case")?,
        }
        write!(
            f,
            "\n  expected: {}\n  seen:     {}\n  rule:     {}",
            self.expected, self.seen, self.clause
        )
    }
}

impl std::error::Error for Finding {}

/// A signature that findings of one cause share, and findings of different causes rarely do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Bucket(String);

impl From<&str> for Bucket {
    /// A bucket by its name, as a finding file tells it.
    fn from(name: &str) -> Self {
        Self(name.to_owned())
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The bucket of a finding: verdict, clause, kind of operation, state of the page it touched. Of a
/// panic or a hang: verdict, clause, the words of the panic, and where the kernel's functions are
/// known, the innermost of them; they tell the cause better than the operation, since many
/// operations lead to one function.
///
/// Stable: it holds no address, number, line or process name.
pub fn bucket(finding: &Finding) -> Bucket {
    let mut text = format!("{}/{}", finding.verdict, finding.clause);
    let signature = &finding.signature;
    let by_operation = signature.functions.is_none();
    if let Some(kind) = signature.kind.filter(|_| by_operation) {
        text.push('/');
        text.push_str(kind.word());
    }
    if let Some(page) = signature.page.filter(|_| by_operation) {
        text.push('/');
        text.push_str(page.word());
    }
    for words in [&signature.words, &signature.functions]
        .into_iter()
        .flatten()
    {
        text.push('/');
        text.push_str(words);
    }
    Bucket(text.replace(' ', "-"))
}
