//! Crowds: what a kernel must do with many children, and which mistakes the judge sees.

mod support;

use oracle::{Case, Clause, Dialect, End, Event, Finding, Judge, Observation, Process};
use support::{Honest, Liberties, Tamper, run};

/// A crowd of 17 that share a page, to which their parent and another child store.
const SHARED: &str = "a: sbrk +1p\na: store1 heap[0] 1\na: b = fork\na: crowd 17\na: store1 heap[0] 2\n\
    b: store1 heap[0] 3\na: disperse heap[0]\na: load1 heap[0]\nb: load1 heap[0]\n";
/// The operations of that case that make the crowd, and disperse it.
const CROWD: usize = 3;
const DISPERSE: usize = 6;

/// Changes what is seen of the operation with that number, or of the end if there is none.
struct Changes<F, G> {
    at: usize,
    step: F,
    end: G,
}

impl<F: FnMut(&mut Observation), G: FnMut(&mut End)> Tamper for Changes<F, G> {
    fn step(&mut self, index: usize, _: &Judge, observation: &mut Observation) {
        if index == self.at {
            (self.step)(observation);
        }
    }

    fn end(&mut self, end: &mut End) {
        (self.end)(end);
    }
}

fn judged(text: &str, tamper: &mut impl Tamper) -> Result<(), Finding> {
    let case = Case::parse(&format!("faultline 1\n{text}"));
    let case = case.unwrap_or_else(|error| panic!("{error}\n{text}"));
    run(&Dialect::faultline(), &case, Liberties(0), tamper).0
}

/// What the judge says if a step looks otherwise.
fn with_step(text: &str, at: usize, step: impl FnMut(&mut Observation)) -> Option<Clause> {
    let end = |_: &mut End| {};
    let found = judged(text, &mut Changes { at, step, end });
    found.err().map(|finding| finding.clause)
}

/// What the judge says if the end of the case looks otherwise.
fn with_end(text: &str, end: impl FnMut(&mut End)) -> Option<Clause> {
    let step = |_: &mut Observation| {};
    let at = usize::MAX;
    let found = judged(text, &mut Changes { at, step, end });
    found.err().map(|finding| finding.clause)
}

/// The answer to `a`.
fn answers(value: u64) -> impl FnMut(&mut Observation) {
    move |seen| {
        for event in &mut seen.events {
            if let Event::Returned {
                process,
                value: old,
            } = event
                && *process == Process::FIRST
            {
                *old = value;
            }
        }
    }
}

#[test]
fn a_right_kernel_is_not_accused() {
    assert_eq!(judged(SHARED, &mut Honest), Ok(()));
    assert_eq!(
        with_end("a: b = fork\nb: crowd 5\nb: exit 0\na: wait\n", |_| {}),
        None
    );
}

#[test]
fn a_crowd_is_as_large_as_it_can_be() {
    assert_eq!(
        with_step(SHARED, CROWD, answers(16)),
        Some(Clause::ReturnedValue)
    );
    assert_eq!(
        with_step(SHARED, CROWD, answers(18)),
        Some(Clause::ReturnedValue)
    );
    let lacks_frames = |seen: &mut Observation| {
        answers(16)(seen);
        seen.crowd.truncate(16);
        seen.out_of_frames = true;
    };
    // The perfect kernel of this test has made one more, and disperses it.
    let made = "a: sbrk +1p\na: crowd 17\n";
    let fewer = |end: &mut End| {
        end.reaped.pop();
    };
    let mut tamper = Changes {
        at: 1,
        step: lacks_frames,
        end: fewer,
    };
    assert_eq!(judged(made, &mut tamper), Ok(()));
}

#[test]
fn a_full_table_has_room_for_no_process() {
    let full =
        "a: b = fork\na: crowd 255\na: c = fork\nb: exit 0\na: wait\na: c = fork\nc: getpid\n";
    assert_eq!(
        with_step(full, 2, |_| {}),
        None,
        "the fork fails, and succeeds later"
    );
    assert_eq!(with_step(full, 2, answers(99)), Some(Clause::ReturnedValue));
    assert_eq!(
        with_step(full, 5, answers(u64::MAX)),
        Some(Clause::ReturnedValue)
    );
}

#[test]
fn members_find_what_their_parent_had() {
    let one_sees_2 = |seen: &mut Observation| seen.loaded_by_crowd[16] = 2;
    assert_eq!(
        with_step(SHARED, DISPERSE, one_sees_2),
        Some(Clause::LoadedValue)
    );
    let one_dies = |seen: &mut Observation| {
        seen.loaded_by_crowd.pop();
    };
    assert_eq!(
        with_step(SHARED, DISPERSE, one_dies),
        Some(Clause::InnocentLive)
    );
    let forbidden = SHARED.replace("disperse heap[0]", "disperse guard[0]");
    let one_loads = |seen: &mut Observation| seen.loaded_by_crowd.push(0);
    assert_eq!(
        with_step(&forbidden, DISPERSE, one_loads),
        Some(Clause::ForbiddenAccessKills)
    );
}

#[test]
fn each_member_is_a_process_that_is_reaped_once() {
    let same = |seen: &mut Observation| seen.crowd[1] = seen.crowd[0];
    assert_eq!(with_step(SHARED, CROWD, same), Some(Clause::ReturnedValue));
    assert_eq!(
        with_step(SHARED, DISPERSE, answers(16)),
        Some(Clause::ReturnedValue)
    );
    let stays = "a: crowd 5\n";
    let is_lost = |end: &mut End| {
        end.reaped.pop();
    };
    assert_eq!(with_end(stays, is_lost), Some(Clause::EverybodyReaped));
    let ends_otherwise = |end: &mut End| {
        if let Some((_, status)) = end.reaped.last_mut() {
            *status = -1;
        }
    };
    assert_eq!(
        with_end(stays, ends_otherwise),
        Some(Clause::EverybodyReaped)
    );
}
