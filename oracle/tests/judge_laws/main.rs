//! Laws of the judge: it never accuses a perfect kernel, whatever liberties that kernel takes.

mod follow;
mod scarce;
#[path = "../support/mod.rs"]
mod support;

use oracle::case::Kind;
use oracle::dialect::{
    BadBuffer, Bits, Bound, ExitStatus, SegmentPermissions, Tail, WithoutReader,
};
use oracle::generation::{self, generate};
use oracle::{
    BiteMeter, Call, Case, Dialect, Event, Finding, Judge, Observation, Operation, Order, Process,
    Profile, Schedule, Setting,
};
use proptest::prelude::{ProptestConfig, any, prop, prop_assert, proptest};
use scarce::{Count, ScarceKernel};
use std::collections::BTreeSet;
use support::{FIRST_PID, Honest, Liberties, Tamper, drive, first, run};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn a_perfect_kernel_is_never_accused(seed: u64, length in 1u32..60, at in 0..Profile::COUNT) {
        let case = generate(seed, length, Profile::ALL[at]);
        let (result, meter) = run(&Dialect::faultline(), &case, Liberties(0), &mut Honest);
        prop_assert!(result.is_ok(), "{}\n{}", result.unwrap_err(), case);
        prop_assert!(meter.skipped == 0 || meter.stopped > 0, "{} skipped in\n{}", meter.skipped, case);
    }

    #[test]
    fn every_order_of_a_race_is_accepted(seed: u64, liberties: u64, length in 1u32..60) {
        let case = generate(seed, length, Profile::Schedules);
        let liberties = Liberties(liberties);
        let (result, _) = run(&Dialect::faultline(), &case, liberties, &mut Honest);
        prop_assert!(result.is_ok(), "{}\n{}", result.unwrap_err(), case);
    }

    #[test]
    fn legal_liberties_are_granted(seed: u64, liberties in 1u64.., length in 1u32..60, at in 0..Profile::COUNT) {
        let case = generate(seed, length, Profile::ALL[at]);
        let liberties = Liberties(liberties);
        let (result, _) = run(&Dialect::faultline(), &case, liberties, &mut Honest);
        prop_assert!(result.is_ok(), "{}\n{}", result.unwrap_err(), case);
    }

    #[test]
    fn running_out_of_frames_in_a_race_is_not_accused(seed: u64, length in 1u32..60, at in 0..Profile::COUNT) {
        let (case, result, _) = run_short_of_frames(seed, length, Profile::ALL[at]);
        prop_assert!(result.is_ok(), "{}\n{}", result.unwrap_err(), case);
    }

    #[test]
    fn every_dialect_has_its_perfect_kernel(seed: u64, liberties: u64, length in 1u32..60, at in 0..Profile::COUNT) {
        let case = generate(seed, length, Profile::ALL[at]);
        for dialect in [Dialect::xv6_2025(), of_old()] {
            let (result, _) = run(&dialect, &case, Liberties(liberties), &mut Honest);
            prop_assert!(result.is_ok(), "{}\n{}", result.unwrap_err(), case);
        }
    }

    #[test]
    fn cases_of_random_bytes_are_judged(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        repaired: bool,
        liberties: u64,
    ) {
        let case = if repaired { generation::repaired_case(&bytes) } else { Case::decode(&bytes) };
        let (result, meter) = run(&Dialect::faultline(), &case, Liberties(liberties), &mut Honest);
        prop_assert!(result.is_ok(), "{}\n{}", result.unwrap_err(), case);
        prop_assert!(meter.operations + meter.skipped == case.operations.len() as u64);
    }
}

/// Runs a generated case full of races on a kernel that runs out of frames in them.
fn run_short_of_frames(
    seed: u64,
    length: u32,
    profile: Profile,
) -> (Case, Result<(), Finding>, Count) {
    let case = racing(&generate(seed, length, profile), seed);
    let (result, count) = run_scarce(&case, seed);
    (case, result, count)
}

fn run_scarce(case: &Case, seed: u64) -> (Result<(), Finding>, Count) {
    let dialect = Dialect::faultline();
    let setting = Setting::nominal(&dialect, FIRST_PID);
    let mut kernel = ScarceKernel::new(&dialect, &setting, seed);
    let mut judge = Judge::new(&dialect, &setting);
    let result = drive(&mut judge, &mut kernel, case, &mut Honest);
    (first(&judge, result), kernel.count)
}

/// Generated cases rarely sleep in an operation whose page needs a frame.
#[test]
fn a_sleeper_may_find_no_frame_when_it_wakes() {
    let start = "faultline 1\na: sbrk +9p\na: pipe heap[0]\na: b = fork\na: c = fork\n";
    let race = "together 3 harts, order 1 2";
    for (sleeper, others, kind) in [
        (
            "b: read 0 heap[5]+0xffc 8",
            ["a: write 1 heap[0] 8", "c: getpid"],
            Kind::Read,
        ),
        (
            "a: wait heap[5]",
            ["b: exit 3", "c: store1 heap[0] 1"],
            Kind::Wait,
        ),
    ] {
        let [one, other] = others;
        let text = format!("{start}{sleeper}\n{race}\n{one}\n{other}\n");
        let case = Case::parse(&text).unwrap();
        let mut refused = 0;
        for seed in 0..400 {
            let (result, count) = run_scarce(&case, seed);
            assert!(result.is_ok(), "{}\nseed {seed}", result.unwrap_err());
            refused += count.sleepers.get(&kind).copied().unwrap_or(0);
        }
        assert!(refused > 50, "only {refused} of 400 in\n{text}");
    }
}

/// In the order in which the store comes first it needs a frame; in the other it needs none.
#[test]
fn a_share_may_be_dropped_between_look_and_request() {
    let text = "faultline 1\na: sbrk +4p\na: store1 heap[3] 0\na: b = fork\n\
                together 2 harts, order 1 2\na: store1 heap[3] 0\nb: sbrk -1p\n";
    let case = Case::parse(text).unwrap();
    let mut left_alone = 0;
    for seed in 0..400 {
        let (result, count) = run_scarce(&case, seed);
        assert!(result.is_ok(), "{}\nseed {seed}", result.unwrap_err());
        left_alone += count.left_alone;
    }
    assert!(left_alone > 10, "only {left_alone} of 400");
}

#[test]
fn every_kind_of_racer_is_refused_a_frame() {
    // The paths that `chdir` gets were stored just before, so they need no frame.
    let expected = [
        Kind::Sbrk,
        Kind::Load,
        Kind::Store,
        Kind::Fetch,
        Kind::TouchRead,
        Kind::TouchWrite,
        Kind::String,
        Kind::Point,
        Kind::Fork,
        Kind::Wait,
        Kind::Pipe,
        Kind::Read,
        Kind::Write,
        Kind::Open,
        Kind::Fstat,
        Kind::Exec,
    ];
    let mut missing = BTreeSet::from(expected);
    for seed in 0..5000 {
        if missing.is_empty() {
            break;
        }
        let profile = Profile::ALL[seed as usize % Profile::COUNT];
        let (_, _, count) = run_short_of_frames(seed, 40, profile);
        missing.retain(|kind| !count.racers.contains_key(kind));
    }
    assert!(missing.is_empty(), "never refused a frame: {missing:?}");
}

/// The case, with a race begun wherever the next operations are of different processes.
fn racing(case: &Case, seed: u64) -> Case {
    let mut operations = Vec::new();
    for (at, operation) in case.operations.iter().enumerate() {
        let next = case.operations.get(at + 1);
        let is_race = matches!(
            operations.last(),
            Some(Operation {
                call: Call::Together { .. },
                ..
            })
        );
        if next.is_some_and(|next| next.process != operation.process) && !is_race {
            let order = Order::from_code(seed as u8);
            let schedule = Schedule::new(3, order, false, &[]);
            operations.push(Operation::new(Process::FIRST, Call::Together { schedule }));
        }
        operations.push(*operation);
    }
    operations.truncate(Case::MAX_OPERATIONS);
    Case { operations }
}

/// A kernel of 2020 with a few changes.
fn of_old() -> Dialect {
    let mut dialect = Dialect::xv6_2025();
    dialect.heap.tail = Tail::ForPrograms;
    dialect.exec.permissions = SegmentPermissions::All;
    dialect.exec.shared_pages = 1;
    dialect.pipe.write_without_reader = WithoutReader::FailsWhenFull;
    dialect.wait.status = ExitStatus::Untold;
    dialect.files.bad_buffer = BadBuffer::Refused;
    dialect.files.device = 0;
    dialect.files.larger_files = Bound::Granted;
    dialect
}

/// A kernel that returns any value for one operation, and is judged by `dialect`.
struct Answers(usize, u64);

impl Tamper for Answers {
    fn step(&mut self, index: usize, _: &Judge, observation: &mut Observation) {
        for event in &mut observation.events {
            if let Event::Returned { value, .. } = event
                && index == self.0
            {
                *value = self.1;
            }
        }
    }
}

fn is_accepted(dialect: &Dialect, text: &str, last: i64) -> bool {
    let case = Case::parse(&format!("faultline 1\n{text}")).unwrap();
    let mut kernel = Answers(case.operations.len() - 1, last as u64);
    run(dialect, &case, Liberties(0), &mut kernel).0.is_ok()
}

#[test]
fn what_kernels_may_answer_is_known() {
    let (new, old) = (Dialect::xv6_2025(), of_old());
    let nobody_reads = "a: pipe data[0]\na: close 0\na: write 1 data[0] 3";
    assert!(is_accepted(&new, nobody_reads, -1) && !is_accepted(&new, nobody_reads, 3));
    assert!(is_accepted(&old, nobody_reads, 3) && !is_accepted(&old, nobody_reads, -1));
    let full = "a: pipe data[0]\na: close 0\na: write 1 text[0] 600";
    assert!(is_accepted(&old, full, -1) && !is_accepted(&old, full, 512));
    // A call that moves no bytes may fail if none could be moved, and only then.
    let nothing = "a: string data[0] \"init\"\na: open data[0]\na: read 0 guard[0] 0";
    assert!(is_accepted(&new, nothing, 0) && is_accepted(&new, nothing, -1));
    let good = nothing.replace("guard", "data");
    assert!(is_accepted(&new, &good, 0) && !is_accepted(&new, &good, -1));
    let less = "a: pipe data[0]\na: write 1 data[0] -1";
    assert!(is_accepted(&new, less, 0) && is_accepted(&new, less, -1));
    // Beyond the break a system call may refuse what a program may touch.
    let tail = "a: sbrk +1\na: store1 heap[0] 0\na: pipe data[0]\na: write 1 heap[0]+0x800 1";
    assert!(is_accepted(&old, tail, 1) && is_accepted(&old, tail, 0));
    let mut strict = old.clone();
    strict.heap.tail = Tail::Accessible;
    assert!(is_accepted(&strict, tail, 1) && !is_accepted(&strict, tail, 0));
}

#[test]
fn a_page_of_the_kernels_own_is_not_driven() {
    let text = "faultline 1\na: load1 trapframe[-1]\na: sbrk to trapframe\na: getpid\n";
    let case = Case::parse(text).unwrap();
    let mut dialect = of_old();
    dialect.sbrk.amount_bits = Bits::SixtyFour;
    let (result, meter) = run(&dialect, &case, Liberties(0), &mut Honest);
    assert!(result.is_ok());
    assert_eq!((meter.operations, meter.skipped), (1, 2));
}

#[test]
fn the_oracle_bites() {
    let mut total = BiteMeter::default();
    for seed in 0..300 {
        let case = generate(seed, 32, Profile::default());
        let (_, meter) = run(&Dialect::faultline(), &case, Liberties(seed), &mut Honest);
        total += meter;
    }
    assert!(total.bites(), "{total}");
    assert!(total.compared * 2 > total.operations, "{total}");
    assert!(total.expected_kills > 300, "{total}");
    assert!(total.excused > 0 && total.stopped > 0, "{total}");
    assert!(!BiteMeter::default().bites());
}
