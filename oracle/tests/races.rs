//! Races: which operations may race, what no order of them explains, and what is forgiven.

mod support;

use oracle::generation::{count_inapplicable, small_races};
use oracle::{Call, Case, Clause, Dialect, Event, Finding, Judge, Observation, Process, Variation};
use support::{Honest, Liberties, Tamper, run};

fn parsed(text: &str) -> Case {
    Case::parse(&format!("faultline 1\n{text}")).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// Changes the events of the first race.
struct InRace<F> {
    change: F,
    at: Option<usize>,
    racers: usize,
}

impl<F: FnMut(&mut Vec<Event>)> Tamper for InRace<F> {
    fn step(&mut self, index: usize, _: &Judge, observation: &mut Observation) {
        if self.at == Some(index) {
            (self.change)(&mut observation.events);
        }
    }

    fn race(&mut self, index: usize, racers: usize) {
        self.at = Some(index);
        self.racers = racers;
    }
}

/// Runs a case on the perfect driver with the events of its race changed: how many raced, and what
/// the judge says.
fn changed(text: &str, change: impl FnMut(&mut Vec<Event>)) -> (usize, Result<(), Finding>) {
    let mut tamper = InRace {
        change,
        at: None,
        racers: 0,
    };
    let case = parsed(text);
    let (result, _) = run(&Dialect::faultline(), &case, Liberties(0), &mut tamper);
    (tamper.racers, result)
}

/// How many operations race in a case.
fn racing(text: &str) -> usize {
    let (racers, result) = changed(text, |_| {});
    assert!(result.is_ok(), "{}\n{text}", result.unwrap_err());
    racers
}

const FAMILY: &str = "a: b = fork\na: c = fork\nb: d = fork\na: pipe data\n";

#[test]
fn only_operations_with_one_moment_race() {
    let groups = [
        ("a: store1 heap 1\nb: e = fork\nc: exit 0", 3),
        ("a: wait\nb: exit 0\nc: getpid", 3),
        ("a: e = fork\nb: f = fork\nc: g = fork", 3),
        // One name for two children; one process twice; no second process.
        ("a: e = fork\nb: e = fork", 0),
        ("a: getpid\na: getpid", 0),
        ("a: getpid", 0),
        // Not known: which bytes went where; the time.
        ("a: write 1 data 4\nb: read 0 data 4", 0),
        ("a: write 1 data 4\nb: read 0 data 1", 0),
        ("a: write 1 data 1\nb: write 1 data 1", 0),
        // One byte is read before it is written, and its reader sleeps, or after that.
        ("a: write 1 data 1\nb: read 0 data 1", 2),
        ("a: getpid\nb: yield", 0),
        ("a: getpid\nb: pause 1", 0),
        // What the dead did just before.
        ("a: kill b\nb: getpid", 2),
        ("b: store1 data 1\na: kill b", 2),
        ("a: kill b\nb: e = fork", 0),
        ("b: exit 3\na: kill b", 0),
        ("a: kill b\nb: wait", 2),
        ("a: kill b\nb: wait\nd: exit 0", 2),
        ("a: kill b\nb: wait\nc: getpid", 3),
        // A status that may be stored in part.
        ("a: wait guard-2\nb: exit 0", 0),
        ("a: wait data\nb: exit 0", 2),
    ];
    for (group, expected) in groups {
        let text = format!("{FAMILY}together 3 harts, order 1 2 3\n{group}");
        assert_eq!(racing(&text), expected, "{group}");
    }
    let two = format!("{FAMILY}together 3 harts, order 2 1\na: getpid\nb: getpid\nc: getpid");
    assert_eq!(racing(&two), 2, "an order of two");
    let sleeper = format!("{FAMILY}b: wait\ntogether 3 harts, order 1 2\na: kill b\nc: getpid");
    assert_eq!(racing(&sleeper), 0, "a sleeper is killed");
}

fn process(letter: char) -> Process {
    Process::from_letter(letter).unwrap()
}

fn returns(events: &mut [Event], letter: char) -> &mut u64 {
    let mut events = events.iter_mut();
    let value = events.find_map(|event| match event {
        Event::Returned { process, value } if process.letter() == letter => Some(value),
        _ => None,
    });
    value.expect("it returns")
}

#[test]
fn every_order_explains_itself() {
    let group = "a: wait\nb: exit 1\nc: e = fork\na: getpid\nc: wait\n";
    let case = parsed(&format!("{FAMILY}together 3 harts, order 3 1 2\n{group}"));
    for seed in 1..200 {
        let (result, meter) = run(&Dialect::faultline(), &case, Liberties(seed), &mut Honest);
        assert!(result.is_ok(), "{}", result.unwrap_err());
        assert!(meter.compared >= 8, "{meter}");
    }
}

#[test]
fn two_forks_may_come_in_any_order_but_not_with_one_identifier() {
    let text = format!("{FAMILY}together 2 harts, order 1 2\na: e = fork\nb: f = fork\n");
    let (racers, swapped) = changed(&text, |events| {
        let first = *returns(events, 'a');
        let second = std::mem::replace(returns(events, 'b'), first);
        *returns(events, 'a') = second;
    });
    assert_eq!(racers, 2);
    assert!(swapped.is_ok(), "{}", swapped.unwrap_err());
    let (_, same) = changed(&text, |events| {
        *returns(events, 'b') = *returns(events, 'a')
    });
    let finding = same.unwrap_err();
    assert_eq!(finding.clause, Clause::ReturnedValue);
    assert!(
        finding
            .expected
            .contains("no order of the racing operations")
    );
    assert!(matches!(finding.step, Some(5 | 6)), "{finding}");
}

#[test]
fn a_process_killed_in_a_race_may_have_acted_before() {
    let text = format!("{FAMILY}together 2 harts, order 1 2\na: kill b\nb: getpid\n");
    let b = process('b');
    let returned = |value| {
        move |events: &mut Vec<Event>| {
            events.insert(0, Event::Returned { process: b, value });
        }
    };
    // The driver performs the kill first: `b` is not seen to act.
    assert!(changed(&text, |_| {}).1.is_ok());
    assert!(changed(&text, returned(4)).1.is_ok());
    let finding = changed(&text, returned(5)).1.unwrap_err();
    assert_eq!(finding.process, Some('b'));
    let finding = changed(&text, |events| events.push(Event::Appeared { process: b })).1;
    assert_eq!(finding.unwrap_err().clause, Clause::DeadStayDead);
}

#[test]
fn a_waiter_gets_a_child_that_ended() {
    let text = format!("{FAMILY}together 3 harts, order 1 2 3\na: wait\nb: exit 1\nc: exit 2\n");
    let (_, other) = changed(&text, |events| *returns(events, 'a') = 5);
    // The race is granted: only the end shows that the driver reaped another one than it said.
    let finding = other.unwrap_err();
    assert_eq!(finding.clause, Clause::EverybodyReaped);
    assert!(!finding.expected.contains("no order"), "{finding}");
    let (_, none) = changed(&text, |events| *returns(events, 'a') = 6);
    assert_eq!(none.unwrap_err().clause, Clause::ReturnedValue);
    let gone = |events: &mut Vec<Event>| {
        events.retain(|event| !matches!(event, Event::Returned { .. }));
    };
    assert_eq!(
        changed(&text, gone).1.unwrap_err().clause,
        Clause::ComesBack
    );
}

/// A small race in which somebody may not race would be swept for nothing.
#[test]
fn all_racers_of_the_small_races_race() {
    for case in small_races(&Variation::ALL) {
        let mut tamper = InRace {
            change: |_: &mut Vec<Event>| {},
            at: None,
            racers: 0,
        };
        let (result, _) = run(&Dialect::faultline(), &case, Liberties(0), &mut tamper);
        assert!(result.is_ok(), "{}\n{case}", result.unwrap_err());
        let racers = case.operations.iter().find_map(|one| match one.call {
            Call::Together { schedule } => Some(schedule.order().ranks().len()),
            _ => None,
        });
        assert_eq!(Some(tamper.racers), racers, "{case}");
        assert_eq!(count_inapplicable(&case), 0, "{case}");
    }
}
