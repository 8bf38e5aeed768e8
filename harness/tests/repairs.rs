//! Repairs are found: a branch of the kernel is inverted, and inverting it again is one of the repairs of what a case
//! shows then.

use faultline::check;
use faultline::guest::location::GuestFiles;
use faultline::mutants::{Operator, sites};
use faultline::runner::Runner;
use faultline::triage::explain::{Controls, explain};
use oracle::Case;

/// Branches that are inverted.
const ENOUGH: usize = 2;

/// Inverts branches in `file`, one at a time, and looks for repairs wherever `case` shows that.
fn branches_are_repaired(file: &str, case: &str) {
    let files = GuestFiles::find(None, None).unwrap();
    let mut mutants = sites(&files.kernel, &[file.to_owned()]).unwrap();
    mutants.retain(|mutant| mutant.operator == Operator::BranchInverted);
    let mut runner = Runner::new(&check::boot(&files, None, None).unwrap());
    let controls = Controls::measure(&mut runner);
    let case = Case::parse(&format!("faultline 1\n{case}\n")).unwrap();
    let mut tried = 0;
    for mutant in mutants {
        runner.patch_kernel(mutant.address, &mutant.changed);
        if let Some(finding) = runner.run(&case).first() {
            tried += 1;
            let mut explanation = explain(&mut runner, &case, finding);
            explanation.look_for_repairs(&mut runner, &case, finding, &controls);
            let place = format!("{} at {}:{}", mutant.function, mutant.file, mutant.line);
            let repairs = explanation.repairs.as_ref().expect("they were looked for");
            let mut all = repairs.all.iter();
            let undoes = all.any(|repair| repair.address() == mutant.address);
            assert!(undoes, "{place}\n{finding}\n{explanation}");
            let again = repairs.in_common(&mut runner, &case, finding, &controls);
            assert_eq!(again, *repairs, "{place}");
            // The kernel is as wrong as before.
            assert_eq!(runner.run(&case).first(), Some(finding));
        }
        runner.patch_kernel(mutant.address, &mutant.original);
        if tried == ENOUGH {
            return;
        }
    }
    panic!("only {tried} branches of {file} matter to the case");
}

#[test]
fn an_inverted_branch_of_a_system_call_is_repaired() {
    branches_are_repaired("clock.rs", "a: pause 2\na: uptime");
}
