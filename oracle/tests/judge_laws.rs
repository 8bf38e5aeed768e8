//! Laws of the judge: it never accuses a perfect kernel, whatever liberties that takes.

mod support;

use oracle::dialect::{
    BadBuffer, Bits, Bound, ExitStatus, SegmentPermissions, Tail, WithoutReader,
};
use oracle::generation::{self, generate};
use oracle::{BiteMeter, Case, Dialect, Event, Judge, Observation, Profile};
use proptest::prelude::{ProptestConfig, any, prop, prop_assert, proptest};
use support::{Honest, Liberties, Tamper, run};

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

/// A kernel of 2020 whose authors have changed this and that.
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

/// A kernel that answers one operation as it likes, and is judged by `dialect`.
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
    // To move no bytes may fail where none could be moved, and only there.
    let nothing = "a: string data[0] \"init\"\na: open data[0]\na: read 0 guard[0] 0";
    assert!(is_accepted(&new, nothing, 0) && is_accepted(&new, nothing, -1));
    let good = nothing.replace("guard", "data");
    assert!(is_accepted(&new, &good, 0) && !is_accepted(&new, &good, -1));
    let less = "a: pipe data[0]\na: write 1 data[0] -1";
    assert!(is_accepted(&new, less, 0) && is_accepted(&new, less, -1));
    // Behind the break a system call may refuse what a program may touch.
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
