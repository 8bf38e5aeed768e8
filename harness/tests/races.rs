//! Races on the real kernel: under every schedule of a fine grid the kernel shows nothing wrong, and
//! a schedule is as deterministic as anything else.

use faultline::guest::Guest;
use faultline::guest::location::GuestFiles;
use faultline::runner::{Runner, Watch};
use oracle::case::{Order, Schedule};
use oracle::generation::generate;
use oracle::{
    Call, Case, Dialect, Event, Judge, Observation, Operation, Process, Profile, Race, Step,
};
use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

fn guest() -> &'static Arc<Guest> {
    static GUEST: OnceLock<Arc<Guest>> = OnceLock::new();
    GUEST.get_or_init(|| {
        let files = GuestFiles::find(None, None).unwrap_or_else(|error| panic!("{error}"));
        faultline::boot(&files, Dialect::faultline()).unwrap_or_else(|error| panic!("{error}"))
    })
}

/// A case with one `together`, under another schedule.
fn scheduled(text: &str, schedule: Schedule) -> Case {
    let mut case = Case::parse(&format!("faultline 1\n{text}")).unwrap();
    let mut races = case.operations.iter_mut().filter_map(|operation| {
        let Operation { call, .. } = operation;
        matches!(call, Call::Together { .. }).then_some(call)
    });
    *races.next().expect("there is a race") = Call::Together { schedule };
    case
}

/// What was seen of the races of a case.
#[derive(Default)]
struct Seen(Vec<Observation>);

impl Watch for Seen {
    fn step(&mut self, _: usize, _: &Operation, _: &Step, _: &Judge, _: &Observation) {}
    fn race(&mut self, _: usize, _: &[Operation], _: &Race, _: &Judge, seen: &Observation) {
        self.0.push(seen.clone());
    }
    fn skipped(&mut self, _: usize, _: &Operation) {}
}

/// Races of two, in which the kernel's locks, counts and wake-ups meet.
const RACES: [&str; 9] = [
    "a: sbrk +1p\na: store8 heap 7\na: b = fork\ntogether 2 harts, order 1 2\n\
     a: store8 heap 1\nb: store8 heap 2\na: load8 heap\nb: load8 heap",
    "a: sbrk +1p\na: store8 heap 7\na: b = fork\ntogether 2 harts, order 1 2\n\
     a: c = fork\nb: d = fork\na: store8 heap 1\nd: load8 heap\nc: load8 heap",
    "a: b = fork\ntogether 2 harts, order 1 2\na: wait data\nb: exit 3\na: load4 data",
    "a: b = fork\na: c = fork\ntogether 2 harts, order 1 2\nb: exit 1\nc: exit 2\na: wait\na: wait",
    "a: b = fork\nb: c = fork\ntogether 2 harts, order 1 2\na: kill b\nb: wait\na: wait",
    "a: pipe data\na: b = fork\nb: close 1\ntogether 2 harts, order 1 2\n\
     a: write 1 data 8\nb: read 0 stack 8",
    "a: sbrk +4p\na: touch-write heap 4\na: b = fork\ntogether 2 harts, order 1 2\n\
     a: sbrk -4p\nb: touch-write heap 4",
    "a: b = fork\nframes 1\na: sbrk +2p\nb: sbrk +2p\ntogether 2 harts, order 1 2\n\
     a: store8 heap 1\nb: store8 heap[1] 2\nframes all",
    "a: string data \"init\"\na: b = fork\ntogether 2 harts, order 1 2\n\
     a: exec data stack\nb: c = fork\nb: wait",
];

/// `together` with a pipe has at most one that moves bytes: this one is not a race, and says so.
const NO_RACE: usize = 5;

#[test]
fn a_sound_kernel_is_sound_under_every_schedule() {
    let mut runner = Runner::new(guest());
    for (at, text) in RACES.iter().enumerate() {
        let mut outcomes = BTreeSet::new();
        for harts in 1..=2 {
            for order in [1, 2].map(|first| Order::of(&[first, 3 - first]).unwrap()) {
                for switch in (0..6000).step_by(61) {
                    let schedule = Schedule::new(harts, order, switch % 2 == 1, &[switch]);
                    let case = scheduled(text, schedule);
                    let mut seen = Seen::default();
                    let outcome = runner.run_watched(&case, &mut seen);
                    if let Some(finding) = outcome.first() {
                        panic!("{finding}\n{case}");
                    }
                    assert_eq!(seen.0.len(), usize::from(at != NO_RACE), "{case}");
                    let turns = seen.0.iter().flat_map(|seen| &seen.turns);
                    outcomes.insert(format!("{:?}", turns.collect::<Vec<_>>()));
                }
            }
        }
        assert!(
            at == NO_RACE || outcomes.len() > 1,
            "always the same: {text}"
        );
    }
}

#[test]
fn harts_take_turns_as_the_schedule_says() {
    let order = Order::of(&[2, 1]).unwrap();
    let case = scheduled(RACES[0], Schedule::new(2, order, false, &[100, 250]));
    let mut seen = Seen::default();
    let outcome = Runner::new(guest()).run_watched(&case, &mut seen);
    assert!(outcome.findings.is_empty());
    let turns: Vec<_> = seen.0[0]
        .turns
        .iter()
        .map(|turn| (turn.process.map(Process::letter), turn.instructions))
        .collect();
    assert_eq!(&turns[..2], [(Some('b'), 100), (Some('a'), 150)]);
    assert_eq!(turns[2].0, Some('b'));
    assert_eq!(turns[3].0, Some('a'));
    assert_eq!(turns.len(), 4);
    let harts: BTreeSet<_> = seen.0[0].turns.iter().map(|turn| turn.hart).collect();
    assert_eq!(harts.len(), 2);
    let returned = |event: &Event| matches!(event, Event::Returned { .. });
    assert_eq!(
        seen.0[0]
            .events
            .iter()
            .filter(|event| returned(event))
            .count(),
        2
    );
}

#[test]
fn two_runs_of_a_race_agree_to_the_instruction() {
    let (mut one, mut other) = (Runner::new(guest()), Runner::new(guest()));
    let mut races = 0;
    for seed in 0..300 {
        let case = generate(seed, 40, Profile::Schedules);
        let (mut first, mut second) = (Seen::default(), Seen::default());
        let outcomes = [
            one.run_watched(&case, &mut first),
            other.run_watched(&case, &mut second),
        ];
        if let Some(finding) = outcomes[0].first() {
            panic!("{finding}\n{case}");
        }
        assert_eq!(outcomes[0].instructions, outcomes[1].instructions, "{case}");
        assert_eq!(first.0, second.0, "{case}");
        races += first.0.len();
    }
    assert!(races > 400, "{races} races");
}
