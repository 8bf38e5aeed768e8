//! Sound variants of our kernel, `corpus/variants`: a check finds out what each does in another way, and raises
//! nothing.

use faultline::campaign::Budget;
use faultline::case_file;
use faultline::check::{Plan, check};
use faultline::guest::location::GuestFiles;
use faultline::seeded_bugs::variants::{self, SAMPLE, Variant};
use libtest_mimic::Arguments;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What runs the test of all variants.
const COMMAND: &str = "cargo test -p faultline --test variants -- --ignored";

/// Work of one check. Variants run as fast as our kernel.
const WORK: u64 = 200;

fn main() -> ExitCode {
    let some = || each_is_found_sound(|variant| SAMPLE.contains(&variant.patch.name.as_str()));
    let trials = vec![
        peers::own_trial("a_sample_of_the_variants_is_found_sound", some),
        peers::long(
            peers::own_trial("every_variant_is_found_sound", || {
                each_is_found_sound(|_| true)
            }),
            COMMAND,
        ),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    root.canonicalize().unwrap()
}

fn each_is_found_sound(is_wanted: impl Fn(&Variant) -> bool) {
    let root = root();
    let variants = variants::read(&root.join("corpus/variants")).unwrap();
    let wanted = variants.iter().filter(|variant| is_wanted(variant));
    let wrong: Vec<String> = wanted
        .filter_map(|variant| trouble(variant, &root))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What a check says of a variant that is not so.
fn trouble(variant: &Variant, root: &Path) -> Option<String> {
    let name = &variant.patch.name;
    let built = variants::build(variant, root, &root.join("target/variants"));
    let built = built.unwrap_or_else(|error| panic!("{name}: {error}"));
    let kernel = |file: &str| Some(built.join(file));
    let files = GuestFiles::find(kernel("kernel.elf").as_deref(), kernel("fs.img").as_deref());
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan {
        dialect: None,
        seeds: case_file::read_all(&[root.join("corpus/seeds"), root.join("corpus/regressions")])
            .unwrap(),
        budget: Budget {
            work: Some(WORK),
            ..Budget::default()
        },
        jobs: 2,
        seed: 1,
        findings: folder.path().to_owned(),
        stop: Arc::new(AtomicBool::new(false)),
    };
    let checked = match check(&files.unwrap(), &plan, |_| {}) {
        Ok(checked) => checked,
        Err(error) => return Some(format!("{name}: {error}")),
    };
    assert!(checked.totals.executions > 0, "{name}: no case ran");
    let rows = checked.rows.iter().map(|row| {
        let finding = &row.shortest.report.finding;
        format!(
            "{name}: {}: {finding}\n{}",
            row.wrong, row.shortest.report.minimised.case
        )
    });
    let unseen = variant.shows.iter().filter_map(|(field, value)| {
        let mut answers = checked.answers.iter();
        let answer = answers.find(|answer| answer.field == field);
        let is_so = answer.is_some_and(|answer| answer.value == *value);
        let seen = answer.map_or("nothing".to_owned(), ToString::to_string);
        (!is_so).then(|| format!("{name}: {field} should be {value}; seen is {seen}"))
    });
    let all: Vec<String> = rows.chain(unseen).collect();
    (!all.is_empty()).then(|| all.join("\n"))
}
