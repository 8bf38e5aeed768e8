//! Laws of the judge: it never accuses a perfect kernel, whatever liberties that takes.

mod support;

use oracle::{BiteMeter, Case, Dialect, Profile};
use proptest::prelude::{ProptestConfig, any, prop, prop_assert, proptest};
use support::{Honest, Liberties, run};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn a_perfect_kernel_is_never_accused(seed: u64, length in 1u32..60, at in 0..Profile::COUNT) {
        let case = Case::generate(seed, length, Profile::ALL[at]);
        let (result, meter) = run(&Dialect::faultline(), &case, Liberties(0), &mut Honest);
        prop_assert!(result.is_ok(), "{}\n{}", result.unwrap_err(), case);
        prop_assert!(meter.skipped == 0 || meter.stopped > 0, "{} skipped in\n{}", meter.skipped, case);
    }

    #[test]
    fn every_order_of_a_race_is_accepted(seed: u64, liberties: u64, length in 1u32..60) {
        let case = Case::generate(seed, length, Profile::Schedules);
        let liberties = Liberties(liberties);
        let (result, _) = run(&Dialect::faultline(), &case, liberties, &mut Honest);
        prop_assert!(result.is_ok(), "{}\n{}", result.unwrap_err(), case);
    }

    #[test]
    fn legal_liberties_are_granted(seed: u64, liberties in 1u64.., length in 1u32..60, at in 0..Profile::COUNT) {
        let case = Case::generate(seed, length, Profile::ALL[at]);
        let liberties = Liberties(liberties);
        let (result, _) = run(&Dialect::faultline(), &case, liberties, &mut Honest);
        prop_assert!(result.is_ok(), "{}\n{}", result.unwrap_err(), case);
    }

    #[test]
    fn every_dialect_has_its_perfect_kernel(seed: u64, liberties: u64, length in 1u32..60, at in 0..Profile::COUNT) {
        let case = Case::generate(seed, length, Profile::ALL[at]);
        let (result, _) = run(&Dialect::xv6_2025(), &case, Liberties(liberties), &mut Honest);
        prop_assert!(result.is_ok(), "{}\n{}", result.unwrap_err(), case);
    }

    #[test]
    fn cases_of_random_bytes_are_judged(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        repaired: bool,
        liberties: u64,
    ) {
        let case = if repaired { Case::from_bytes(&bytes) } else { Case::decode(&bytes) };
        let (result, meter) = run(&Dialect::faultline(), &case, Liberties(liberties), &mut Honest);
        prop_assert!(result.is_ok(), "{}\n{}", result.unwrap_err(), case);
        prop_assert!(meter.operations + meter.skipped == case.operations.len() as u64);
    }
}

#[test]
fn the_oracle_bites() {
    let mut total = BiteMeter::default();
    for seed in 0..300 {
        let case = Case::generate(seed, 32, Profile::default());
        let (_, meter) = run(&Dialect::faultline(), &case, Liberties(seed), &mut Honest);
        total += meter;
    }
    assert!(total.bites(), "{total}");
    assert!(total.compared * 2 > total.operations, "{total}");
    assert!(total.expected_kills > 300, "{total}");
    assert!(total.excused > 0 && total.stopped > 0, "{total}");
    assert!(!BiteMeter::default().bites());
}
