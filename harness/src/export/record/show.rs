//! Shows a finding: what a program does beyond the operations of the case, so that it sees what is
//! wrong.

use super::Recorder;
use crate::export::script::{Act, Check, Conduct, Line, Row};
use crate::export::value::{self, Value};
use oracle::{Clause, Finding, Judge, Process, ProcessState};

/// How a program sees that a rule is broken.
enum Sight {
    /// In the results of the operations.
    Operations,
    /// In the number of free frames, before the case and after it.
    FramesAtTheEnd,
    /// In how many frames the finding's operation takes.
    FramesTaken,
    /// In how many frames the finding's operation gives back.
    FramesGivenBack,
    /// In the bytes of the finding's page.
    BytesOfPage,
    /// In the finding's page, after other processes have stored to it.
    StoresOfOthers,
    /// In nothing, and why.
    Hidden(&'static str),
}

fn sight_of(clause: Clause) -> Sight {
    match clause {
        Clause::ReturnedValue
        | Clause::LoadedValue
        | Clause::ComesBack
        | Clause::Blocks
        | Clause::ChildRuns
        | Clause::ProgramStarts
        | Clause::ForbiddenAccessKills
        | Clause::DeadStayDead
        | Clause::InnocentLive
        | Clause::ExitStatus
        | Clause::EverybodyReaped
        | Clause::NoPanic
        | Clause::NotStuck
        | Clause::StaysOn => Sight::Operations,
        Clause::FramesComeBack | Clause::FramesNotInvented => Sight::FramesAtTheEnd,
        Clause::GrowthTakesNothing | Clause::TouchTakesOne | Clause::ExecTakesLittle => {
            Sight::FramesTaken
        }
        Clause::ShrinkGivesBack => Sight::FramesGivenBack,
        Clause::FreshPageZero | Clause::PageContent => Sight::BytesOfPage,
        Clause::WritableAlone => Sight::StoresOfOthers,
        Clause::MappedNotFree
        | Clause::KernelHidden
        | Clause::MappedInside
        | Clause::PermissionBits => Sight::Hidden("a program cannot see page tables"),
        Clause::ForkShares => Sight::Hidden(
            "after a fork, parent and child of a program touch their own pages at once",
        ),
        Clause::KillAnnounced => {
            Sight::Hidden("a program cannot see the console, but a person can")
        }
        Clause::EndsInTime => {
            Sight::Hidden("a program cannot distinguish a slow operation from an endless one")
        }
        Clause::PromisesEnd | Clause::SlotsComeBack | Clause::HoldersCounted => {
            Sight::Hidden("a program cannot see the kernel's own tables")
        }
        Clause::DiskContent | Clause::BlocksComeBack => {
            Sight::Hidden("a program cannot see the disk; look at the image afterwards")
        }
        Clause::BootsAgain | Clause::SurvivesPowerCut => {
            Sight::Hidden("a program cannot cut the power")
        }
        Clause::RegistersSurvive => Sight::Hidden("the program does not look at all registers"),
        Clause::PauseLasts | Clause::ClockKeepsTime => {
            Sight::Hidden("a program cannot tell how much time has passed")
        }
    }
}

impl Recorder {
    /// The operation of the finding is announced: it may be the last thing that happens.
    pub(super) fn announce(&mut self, finding: &Finding) {
        let lines = self.script.rows.iter_mut().filter_map(|row| match row {
            Row::Line(line) => Some(line),
            _ => None,
        });
        for line in lines {
            line.announced = Some(line.number) == finding.step;
        }
    }

    /// How a program sees that a rule about frames or page tables is broken.
    pub(super) fn show(&mut self, finding: &Finding, judge: &Judge) {
        let process = finding.process.and_then(Process::from_letter);
        let process = process.unwrap_or(Process::FIRST);
        // A page's address, or a number of frames.
        let subject = finding.subject;
        let limit = subject.unwrap_or(0);
        match sight_of(finding.clause) {
            Sight::Operations if self.may_want_a_frame(finding) => {
                self.script.hidden = Some(
                    "few frames are left, and a program cannot see whether an allocation failed",
                );
            }
            Sight::Operations => {}
            Sight::FramesAtTheEnd => self.script.counts_frames = true,
            Sight::FramesTaken => self.count_around(finding, Conduct::TakesAtMost(limit)),
            Sight::FramesGivenBack => self.count_around(finding, Conduct::GivesAtLeast(limit)),
            Sight::BytesOfPage | Sight::StoresOfOthers if subject.is_none() => {
                self.script.hidden = Some("which page is wrong is not known");
            }
            Sight::BytesOfPage => self.look_at(limit, process, judge),
            Sight::StoresOfOthers => self.disturb(limit, process, judge),
            Sight::Hidden(why) => self.script.hidden = Some(why),
        }
    }

    /// Whether a kernel may do what the finding says when it has no frame left, and few were.
    fn may_want_a_frame(&self, finding: &Finding) -> bool {
        let is_failure = match finding.clause {
            Clause::ReturnedValue => finding.seen.ends_with("-1"),
            clause => clause == Clause::InnocentLive,
        };
        let before =
            self.script.rows.iter().take_while(
                |row| !matches!(row, Row::Line(line) if Some(line.number) == finding.step),
            );
        let last = before.filter(|row| {
            matches!(
                row,
                Row::Conduct(Conduct::Frames(_) | Conduct::GiveFramesBack)
            )
        });
        is_failure && matches!(last.last(), Some(Row::Conduct(Conduct::Frames(_))))
    }

    /// Lets the conductor count frames before and after the finding's operation. Before that, its process
    /// rehearses everything but the operation itself, and so gets its own copies of shared pages.
    fn count_around(&mut self, finding: &Finding, then: Conduct) {
        let rows = &mut self.script.rows;
        let found = rows
            .iter()
            .position(|row| matches!(row, Row::Line(line) if Some(line.number) == finding.step));
        if let Some(at) = found
            && let Row::Line(line) = &mut rows[at]
        {
            line.announced = false;
            let rehearsal = Line {
                words: line.words.clone(),
                act: Act::Nothing,
                check: Check::Done,
                announced: true,
                going_on: vec![line.process],
                dead: Vec::new(),
                ..*line
            };
            rows.insert(at + 1, Row::Conduct(then));
            rows.insert(at, Row::Conduct(Conduct::CountFrames));
            rows.insert(at, Row::Line(rehearsal));
            let words = "A rehearsal without the operation: the process gets its own copies of shared pages.";
            rows.insert(at, Row::Comment(words.to_owned()));
            self.script.several = true;
        }
    }

    fn next_number(&self) -> usize {
        let lines = self.script.rows.iter().filter_map(|row| match row {
            Row::Line(line) => Some(line.number + 1),
            _ => None,
        });
        lines.max().unwrap_or(0)
    }

    fn extra(&mut self, words: String, process: Process, act: Act, check: Check) {
        let line = Line {
            number: self.next_number(),
            words,
            process,
            act,
            check,
            announced: false,
            going_on: vec![process],
            dead: Vec::new(),
        };
        self.script.rows.push(Row::Line(line));
    }

    /// What a page is called in a case.
    fn name(&self, page: u64) -> String {
        match value::place(page, &self.layout) {
            Value::Place(base, offset) => {
                let region = format!("{base:?}").to_lowercase();
                format!("{region}[{}]", offset / oracle::layout::PAGE_SIZE as i64)
            }
            _ => format!("{page:#x}"),
        }
    }

    /// Checks the sum of the bytes of a page.
    fn look_at(&mut self, page: u64, process: Process, judge: &Judge) {
        if judge.state_of(process) != ProcessState::Ready {
            return;
        }
        let mut bytes = [0; oracle::layout::PAGE_SIZE as usize];
        judge.memory_of(process).read(page, &mut bytes);
        let sum = bytes.iter().map(|byte| i64::from(*byte)).sum();
        let look = Act::Touch {
            address: value::place(page, &self.layout),
            count: bytes.len() as u64,
            stride: 1,
            write: false,
        };
        let words = format!("{process}: the bytes of {}, added up", self.name(page));
        self.extra(words, process, look, Check::Returns(Value::Number(sum)));
    }

    /// Other processes store to the page that should belong to this process alone.
    fn disturb(&mut self, page: u64, process: Process, judge: &Judge) {
        let mut byte = [0];
        judge.memory_of(process).read(page, &mut byte);
        let other = Value::Number(i64::from(byte[0] ^ 0x55));
        let may = |who: &Process| {
            let permissions = judge.memory_of(*who).permissions(page);
            judge.state_of(*who) == ProcessState::Ready
                && permissions.is_some_and(|may| may.contains(oracle::Permissions::WRITE))
        };
        let sharers: Vec<Process> = Process::all().filter(may).collect();
        for who in sharers.iter().filter(|who| **who != process) {
            let store = Act::Store(oracle::Width::One, value::place(page, &self.layout), other);
            let words = format!("{who}: stores to {}", self.name(page));
            self.extra(words, *who, store, Check::Done);
        }
        let load = Act::Load(oracle::Width::One, value::place(page, &self.layout));
        let words = format!("{process}: its own {}", self.name(page));
        let expected = Check::Returns(Value::Number(byte[0].into()));
        self.extra(words, process, load, expected);
    }

    /// Lets parents wait for children that have ended.
    pub(super) fn reap(&mut self, judge: &Judge) {
        for child in Process::all() {
            let Some(parent) = self.parents[child.index()] else {
                continue;
            };
            if judge.state_of(child) == ProcessState::Zombie
                && judge.state_of(parent) == ProcessState::Ready
            {
                let reap = Act::Reap(child, judge.status_of(child));
                let words = format!("{parent}: the status of {child}");
                self.extra(words, parent, reap, Check::Done);
            }
        }
    }
}
