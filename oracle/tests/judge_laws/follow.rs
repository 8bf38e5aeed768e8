//! Laws of following: one wrong answer is one finding however long the case goes on, two are two, and what was
//! done in part is never a second one.

use crate::support::{FIRST_PID, Honest, Kernel, appeared, drive, observe};
use oracle::generation::generate;
use oracle::model::{FAILED, Model, Witness};
use oracle::{
    Aftermath, Call, Case, Dialect, Event, Finding, Judge, Observation, Operation, Process,
    Profile, Race, Setting, Step,
};
use proptest::prelude::{ProptestConfig, prop_assert, proptest};

/// What a kernel does wrong in an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lie {
    /// It does what it has to, and answers one more than it has to.
    More,
    /// It does what it has to, and says that it failed.
    SaysItFailed,
    /// It does nothing, and says so.
    Refuses,
    /// It does half of it, and says that it failed.
    HalfRefuses,
    /// It does half of it, and says that it did everything.
    HalfGrants,
}

/// A kernel that is perfect but for a lie in operations with these numbers.
struct Liar<'a> {
    model: Model,
    at: &'a [usize],
    lie: Lie,
    /// The operations in which it has really lied.
    lied: Vec<usize>,
}

impl<'a> Liar<'a> {
    fn new(dialect: &Dialect, at: &'a [usize], lie: Lie) -> Self {
        Liar {
            model: Model::new(dialect, &Setting::nominal(dialect, FIRST_PID)),
            at,
            lie,
            lied: Vec::new(),
        }
    }

    fn answers(process: Process, value: u64) -> Observation {
        Observation {
            events: vec![Event::Returned { process, value }],
            ..Observation::default()
        }
    }
}

/// The same operation on half of its bytes, if it moves any.
fn half(operation: &Operation) -> Option<Operation> {
    let mut half = *operation;
    match &mut half.call {
        Call::Read { length, .. } | Call::Write { length, .. } if *length > 1 => *length /= 2,
        _ => return None,
    }
    Some(half)
}

impl Kernel for Liar<'_> {
    fn model(&self) -> &Model {
        &self.model
    }

    fn perform(
        &mut self,
        index: usize,
        operation: &Operation,
        step: &Step,
        judge: &Judge,
    ) -> Observation {
        let process = operation.process;
        // Addresses were counted from where the judge takes the break to be.
        let place = judge.break_of(process);
        self.model.count_from(Some(place));
        let seen = if !self.model.applies(operation) {
            absent(&self.model, process)
        } else if !self.at.contains(&index) {
            observe(&mut self.model, index, operation, step, &Witness::ideal())
        } else {
            self.lie(index, operation, step)
        };
        self.model.count_from(None);
        seen
    }

    fn race(&mut self, _: usize, _: &[Operation], _: &Race, _: &Judge) -> Observation {
        unreachable!("the cases have no races")
    }
}

/// A process that cannot be given an operation.
fn absent(model: &Model, process: Process) -> Observation {
    let silent = Event::Silent {
        process,
        trap: None,
        killed_message: false,
    };
    Observation {
        events: std::iter::once(silent).chain(appeared(model)).collect(),
        ..Observation::default()
    }
}

impl Liar<'_> {
    fn lie(&mut self, index: usize, operation: &Operation, step: &Step) -> Observation {
        let process = operation.process;
        let mut right = self.model.clone();
        let honest = observe(&mut right, index, operation, step, &Witness::ideal());
        let answer = honest.events.iter().find_map(|event| match *event {
            Event::Returned {
                process: own,
                value,
            } if own == process => Some(value),
            _ => None,
        });
        // A late time is not wrong, but then an earlier one is.
        let is_call = matches!(step.action, oracle::Action::SystemCall { .. })
            && operation.call != Call::Uptime;
        let Some(answer) = answer.filter(|answer| is_call && *answer != FAILED) else {
            self.model = right;
            return honest;
        };
        let value = match self.lie {
            // That of the parent, which no child can have.
            Lie::More if matches!(operation.call, Call::Fork { .. }) => FIRST_PID,
            // No child has that identifier.
            Lie::More if matches!(operation.call, Call::Wait { .. }) => answer + 1000,
            Lie::More => answer + 1,
            Lie::SaysItFailed | Lie::Refuses | Lie::HalfRefuses => FAILED,
            Lie::HalfGrants => answer,
        };
        match self.lie {
            Lie::More | Lie::SaysItFailed => self.model = right,
            Lie::Refuses => return self.lied(index, Self::answers(process, value)),
            Lie::HalfRefuses | Lie::HalfGrants => {
                let Some(half) = half(operation) else {
                    self.model = right;
                    return honest;
                };
                let mut seen = observe(&mut self.model, index, &half, step, &Witness::ideal());
                answer_with(&mut seen, process, value);
                return self.lied(index, seen);
            }
        }
        let mut seen = honest;
        answer_with(&mut seen, process, value);
        self.lied(index, seen)
    }

    fn lied(&mut self, index: usize, seen: Observation) -> Observation {
        self.lied.push(index);
        seen
    }
}

fn answer_with(seen: &mut Observation, process: Process, answer: u64) {
    for event in &mut seen.events {
        if let Event::Returned {
            process: own,
            value,
        } = event
            && *own == process
        {
            *value = answer;
        }
    }
}

/// What is found of a kernel that lies: what was noted, and what ended the case.
fn found(case: &Case, at: &[usize], lie: Lie) -> (Vec<Finding>, Option<Finding>, Vec<usize>) {
    let dialect = Dialect::faultline();
    let mut judge = Judge::new(&dialect, &Setting::nominal(&dialect, FIRST_PID));
    let mut kernel = Liar::new(&dialect, at, lie);
    let ended = drive(&mut judge, &mut kernel, case, &mut Honest).err();
    (judge.noted().to_vec(), ended, kernel.lied)
}

/// A generated case without races.
fn peaceful(seed: u64, length: u32, at: usize) -> Case {
    let mut case = generate(seed, length, Profile::ALL[at]);
    let races = |operation: &Operation| matches!(operation.call, Call::Together { .. });
    case.operations.retain(|operation| !races(operation));
    case
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn one_wrong_answer_is_one_finding(
        seed: u64,
        length in 2u32..60,
        profile in 0..Profile::COUNT,
        at in 0usize..40,
        lie in 0usize..3,
    ) {
        let case = peaceful(seed, length, profile);
        let lie = [Lie::More, Lie::SaysItFailed, Lie::Refuses][lie];
        let (noted, ended, lied) = found(&case, &[at], lie);
        prop_assert!(ended.is_none(), "{lie:?} {at}\n{}\n{case}", ended.unwrap());
        let words = || noted.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        prop_assert!(noted.len() <= lied.len(), "{lie:?} {at}\n{}\n{case}", words());
        // A lie may be an answer that is allowed, such as a later time.
        prop_assert!(noted.iter().all(|noted| noted.aftermath != Aftermath::Ends && noted.step == Some(at)), "{}", words());
    }

    #[test]
    fn what_is_done_in_part_is_one_finding(
        seed: u64,
        length in 2u32..60,
        at in 0usize..40,
        grants: bool,
    ) {
        let case = peaceful(seed, length, Profile::SyscallBuffers as usize);
        let lie = if grants { Lie::HalfGrants } else { Lie::HalfRefuses };
        let (noted, ended, lied) = found(&case, &[at], lie);
        let all: Vec<Finding> = noted.into_iter().chain(ended).collect();
        let words = || all.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        // An answer that is right says nothing of what was done; then the first wrong is the later one.
        prop_assert!(all.len() <= lied.len(), "{lie:?} {at}\n{}\n{case}", words());
    }
}

/// What the operations below need.
const BEFORE: &str = "faultline 1
a: sbrk +5p
a: pipe heap[0]
a: string heap[3] \"init\"
a: open heap[3]
a: b = fork
";

/// Operations that can each be answered wrongly, of which none needs to know what another one has done.
const OPERATIONS: [&str; 9] = [
    "a: getpid",
    "a: dup 0",
    "a: write 1 heap[1] 8",
    "a: sbrk +1p",
    "b: open heap[3]",
    "b: fstat 2 heap[4]",
    "a: close 0",
    "a: c = fork",
    "a: kill b",
];

#[test]
fn what_a_write_left_out_is_found_in_one_read_only() {
    let text = "faultline 1
a: sbrk +5p
a: string heap[3] \"new\"
a: open heap[3] read-write create
a: write 0 heap[0] 100
a: open heap[3] read-write
a: write 1 heap[0] 100
a: read 0 heap[0] 20
a: read 0 heap[4] 20
";
    let case = Case::parse(text).unwrap();
    let (noted, ended, lied) = found(&case, &[3], Lie::HalfGrants);
    assert_eq!(lied, [3]);
    assert_eq!(ended, None);
    let steps: Vec<_> = noted.iter().map(|noted| noted.step).collect();
    assert_eq!(steps, [Some(6)]);
}

#[test]
fn two_wrong_answers_are_two_findings() {
    let text = format!("{BEFORE}{}\n", OPERATIONS.join("\n"));
    let case = Case::parse(&text).unwrap();
    let start = case.operations.len() - OPERATIONS.len();
    for lie in [Lie::More, Lie::SaysItFailed, Lie::Refuses] {
        for first in start..case.operations.len() {
            for second in first + 1..case.operations.len() {
                let both = [first, second];
                let (noted, ended, _) = found(&case, &both, lie);
                assert_eq!(ended, None, "{lie:?} {both:?}");
                let steps: Vec<_> = noted.iter().filter_map(|one| one.step).collect();
                assert_eq!(steps, both, "{lie:?}");
            }
        }
    }
}

#[test]
fn what_was_done_becomes_known_later() {
    let grown =
        "faultline 1\na: sbrk +2p\na: store8 heap[0] 7\na: load8 heap[0]\na: sbrk +1p\na: exit 0\n";
    let case = Case::parse(grown).unwrap();
    for lie in [Lie::More, Lie::SaysItFailed, Lie::Refuses] {
        let (noted, ended, _) = found(&case, &[0], lie);
        assert_eq!((noted.len(), ended), (1, None), "{lie:?}");
    }
}

/// What is noted of a case on a kernel that gives other answers to two of its operations: a number, or silence.
fn noted_of(text: &str, lies: &[(usize, Option<u64>)]) -> Judge {
    let case = Case::parse(&format!("faultline 1\n{text}\n")).unwrap();
    let dialect = Dialect::xv6_2025();
    let mut judge = Judge::new(&dialect, &Setting::nominal(&dialect, FIRST_PID));
    let mut kernel = Liar::new(&dialect, &[], Lie::More);
    for (index, operation) in case.operations.iter().enumerate() {
        let step = judge.plan(operation).unwrap();
        let mut seen = kernel.perform(index, operation, &step, &judge);
        let process = operation.process;
        match lies.iter().find(|(at, _)| *at == index) {
            Some((_, Some(answer))) => answer_with(&mut seen, process, *answer),
            Some((_, None)) => {
                let silent = Event::Silent {
                    process,
                    trap: None,
                    killed_message: false,
                };
                seen = Observation {
                    events: vec![silent],
                    ..Observation::default()
                };
            }
            None => {}
        }
        assert_eq!(judge.observe(&step, &seen), Ok(()), "{operation}");
    }
    assert_eq!(judge.noted().len(), 1);
    judge
}

#[test]
fn a_program_whose_code_may_be_overwritten_is_not_accused() {
    let text = "a: pipe data[0]\na: write 1 data[0] 2\na: read 0 text[0] 2\na: getpid";
    // The kernel has stored the bytes to the program's code. The program runs what is there now, and is never seen again.
    assert!(noted_of(text, &[(2, Some(2)), (3, None)]).is_in_doubt());
}

#[test]
fn a_process_in_a_slot_that_was_killed_while_it_was_free_is_not_accused() {
    let text = "a: kill pid 0\na: b = fork\nb: getpid";
    assert!(noted_of(text, &[(0, Some(0)), (2, None)]).is_in_doubt());
}
