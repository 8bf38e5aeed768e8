//! The golden set: what every case of the corpus and 2,000 generated ones decode to, how they are
//! judged, and how many guest instructions they take. A change of any of these is a conscious act.
//!
//! `golden/cases.golden` has a line for each case: its name, digests of its text and of its binary
//! form, its bucket or `clean`, how many answers were compared, and guest instructions. Instructions
//! are compared only on the kernel that they were counted on: the first line has a digest of its code.
//!
//! `FAULTLINE_BLESS=1` writes the file anew; `FAULTLINE_GOLDEN=FILE` names another file, for a kernel
//! that `FAULTLINE_KERNEL` and `FAULTLINE_FS` name.

use faultline::case_file;
use faultline::guest::location::GuestFiles;
use faultline::runner::Runner;
use libtest_mimic::{Arguments, Failed, Trial};
use object::{Object, ObjectSection};
use oracle::generation::{generate, repaired_case};
use oracle::{Case, Dialect, Profile, bucket};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

/// Generated cases.
const GENERATED: u64 = 2000;

/// Set, the golden file is written instead of compared.
const BLESS: &str = "FAULTLINE_BLESS";

/// Names another golden file.
const GOLDEN: &str = "FAULTLINE_GOLDEN";

/// What the first line begins with.
const KERNEL: &str = "# kernel code ";

/// A case, and what is known of it.
#[derive(PartialEq, Eq)]
struct Line {
    name: String,
    decoded: String,
    judged: String,
    instructions: String,
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let file = env::var_os(GOLDEN).map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/cases.golden"),
        PathBuf::from,
    );
    let files = GuestFiles::find(None, None).unwrap_or_else(|error| panic!("{error}"));
    let code = digest(&code_of(&files.kernel));
    let seen = run_all(&files);
    if env::var_os(BLESS).is_some() {
        fs::write(&file, print(&code, &seen)).unwrap();
    }
    let text = fs::read_to_string(&file).unwrap();
    let (counted_on, golden) = parse(&text);
    let is_other_kernel = counted_on != code;
    let trial = |name: &'static str, part: fn(&Line) -> &str| {
        let result = compare(&golden, &seen, part);
        Trial::test(name, move || result)
    };
    let trials = vec![
        trial("cases_decode_as_before", |line| &line.decoded),
        trial("cases_are_judged_as_before", |line| &line.judged),
        trial("cases_take_as_many_instructions", |line| &line.instructions)
            .with_ignored_flag(is_other_kernel),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Compares one part of all lines, and names the first five cases that differ.
fn compare(golden: &[Line], seen: &[Line], part: fn(&Line) -> &str) -> Result<(), Failed> {
    if golden.len() != seen.len() {
        let (before, now) = (golden.len(), seen.len());
        return Err(format!("there were {before} cases, and there are {now}").into());
    }
    let mut differences = golden
        .iter()
        .zip(seen)
        .filter(|(golden, seen)| golden.name != seen.name || part(golden) != part(seen))
        .map(|(golden, seen)| {
            let (before, now) = (part(golden), part(seen));
            format!("{} was {before}, {} is {now}", golden.name, seen.name)
        })
        .peekable();
    if differences.peek().is_none() {
        return Ok(());
    }
    let first: Vec<String> = differences.by_ref().take(5).collect();
    let others = differences.count();
    Err(format!("{}\nand {others} others", first.join("\n")).into())
}

fn run_all(files: &GuestFiles) -> Vec<Line> {
    let guest =
        faultline::boot(files, Dialect::faultline()).unwrap_or_else(|error| panic!("{error}"));
    let mut runner = Runner::new(&guest);
    let cases = corpus().into_iter().chain((0..GENERATED).map(generated));
    cases
        .map(|(name, case)| {
            let outcome = runner.run(&case);
            let bucket = outcome.first().map(bucket);
            let bucket = bucket.map_or("clean".to_owned(), |bucket| bucket.to_string());
            let (text, binary) = (
                digest(case.to_string().as_bytes()),
                digest(&case.to_bytes()),
            );
            Line {
                name,
                decoded: format!("{text} {binary}"),
                judged: format!("{} {}", bucket.replace(' ', "_"), outcome.meter.compared),
                instructions: outcome.instructions.to_string(),
            }
        })
        .collect()
}

/// The cases of the corpus, by their paths in it.
fn corpus() -> Vec<(String, Case)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus");
    let folders = ["seeds", "regressions"].into_iter();
    let paths = folders.flat_map(|folder| case_file::list(&root.join(folder)).unwrap());
    paths
        .map(|path| {
            let name = path.strip_prefix(&root).unwrap().display().to_string();
            (name, case_file::read(&path).unwrap())
        })
        .collect()
}

/// A case of one of four kinds: generated, mutated, crossed over, or decoded from random bytes.
fn generated(seed: u64) -> (String, Case) {
    let profile = Profile::ALL[seed as usize % Profile::ALL.len()];
    let generate = |seed| generate(seed, 1 + (seed % 60) as u32, profile);
    let mut case = generate(seed);
    let kind = match seed / 9 % 4 {
        0 | 1 => "generated",
        2 => {
            for step in 0..4 {
                faultline::mutate(&mut case, seed + step, profile);
            }
            "mutated"
        }
        _ if seed.is_multiple_of(2) => {
            case = faultline::cross_over(&case, &generate(seed + 7777), seed);
            "crossed-over"
        }
        _ => {
            case = repaired_case(&noise(seed, 8 * (1 + seed as usize % 60)));
            "random-bytes"
        }
    };
    (format!("{kind}/{}/{seed}", profile.name()), case)
}

/// Bytes that differ from seed to seed and are the same in every run (splitmix64).
fn noise(seed: u64, bytes: usize) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word >> 56) as u8
    };
    (0..bytes).map(|_| next()).collect()
}

/// The kernel's code: what decides how many instructions a case takes.
fn code_of(elf: &[u8]) -> Vec<u8> {
    let elf = object::File::parse(elf).unwrap();
    let text = elf
        .sections()
        .filter(|section| section.kind() == object::SectionKind::Text);
    text.flat_map(|section| section.data().unwrap().to_vec())
        .collect()
}

/// FNV-1a: short, the same on every machine, and no secret to keep.
fn digest(bytes: &[u8]) -> String {
    let digest = bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |digest, byte| {
            (digest ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
    format!("{digest:016x}")
}

fn print(code: &str, lines: &[Line]) -> String {
    let mut text = format!("{KERNEL}{code}\n");
    for line in lines {
        let Line {
            name,
            decoded,
            judged,
            instructions,
        } = line;
        writeln!(text, "{name} {decoded} {judged} {instructions}").unwrap();
    }
    text
}

fn parse(text: &str) -> (String, Vec<Line>) {
    let (first, rest) = text.split_once('\n').unwrap();
    let lines = rest.lines().map(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        let [name, text, binary, bucket, compared, instructions] = words[..] else {
            panic!("not a line of the golden file: {line}");
        };
        Line {
            name: name.to_owned(),
            decoded: format!("{text} {binary}"),
            judged: format!("{bucket} {compared}"),
            instructions: instructions.to_owned(),
        }
    });
    (
        first.strip_prefix(KERNEL).unwrap().to_owned(),
        lines.collect(),
    )
}
