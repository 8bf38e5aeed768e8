//! The hand-written seeds: each says which rule it shows, applies as a whole, and what it promises
//! after `=>` is what the model predicts.

use oracle::case::Document;
use oracle::model::{Answer, Model, Outcome, ProcessState, Witness};
use oracle::{Case, Dialect, Layout, Operation, Process, Setting};
use std::path::{Path, PathBuf};

const FIRST_PID: u64 = 3;

fn seeds() -> Vec<(PathBuf, Document)> {
    let list = |folder: PathBuf| {
        let entries = std::fs::read_dir(folder).expect("the seeds are part of the repository");
        entries.map(|entry| entry.expect("the folder can be read").path())
    };
    let folders = list(Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus/seeds"));
    let mut paths: Vec<PathBuf> = folders
        .flat_map(list)
        .filter(|path| path.extension().is_some_and(|ending| ending == "case"))
        .collect();
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("a seed is text");
            let document = Document::parse(&text)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert_eq!(
                document.to_string(),
                text,
                "{} is not formatted",
                path.display()
            );
            (path, document)
        })
        .collect()
}

#[test]
fn seeds_are_plentiful_and_explained() {
    let seeds = seeds();
    assert!(seeds.len() >= 80, "{} seeds", seeds.len());
    for (path, document) in &seeds {
        let rule = document.comments().next().unwrap_or_default();
        assert!(
            rule.len() > 20 && !rule.starts_with("=>"),
            "{} says no rule",
            path.display()
        );
    }
}

#[test]
fn every_operation_of_a_seed_applies() {
    let mut wrong = Vec::new();
    for (path, document) in seeds() {
        let mut model = model();
        for (index, operation) in document.case().operations.iter().enumerate() {
            if model.applies(operation) {
                model.perform(index, operation, &Witness::ideal());
            } else {
                wrong.push(format!("{}: {operation}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn seeds_keep_their_promises() {
    let mut promises = 0;
    let mut broken = Vec::new();
    for (path, document) in seeds() {
        let mut model = model();
        for (index, (operation, comment)) in document.annotated().enumerate() {
            if !model.applies(&operation) {
                continue;
            }
            // Addresses in a promise are those from before the operation.
            let promise = comment.and_then(|comment| comment.strip_prefix("=>"));
            let addressed = promise.and_then(|promise| address(&model, &operation, promise.trim()));
            model.perform(index, &operation, &Witness::ideal());
            if let Some(promise) = promise {
                promises += 1;
                let outcome = outcome(&model, operation.process);
                if !keeps(&model, outcome, promise.trim(), addressed) {
                    let place = path.display();
                    broken.push(format!("{place}: {operation}: {outcome:?}, not{promise}"));
                }
            }
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
    assert!(promises > 350, "{promises} promises");
}

fn model() -> Model {
    let dialect = Dialect::faultline();
    Model::new(&dialect, &Setting::nominal(&dialect, FIRST_PID))
}

fn outcome(model: &Model, process: Process) -> Outcome {
    let mut replies = model.replies().iter().rev();
    let reply = replies.find(|reply| reply.process == process);
    reply.expect("somebody acted").outcome
}

/// The address that a promise names: relative to the heap, as a page number of any size, or as in
/// an operation.
fn address(model: &Model, operation: &Operation, promise: &str) -> Option<u64> {
    if let Some(heap) = promise.strip_prefix("heap[") {
        let (page, offset) = heap.split_once(']')?;
        let offset = match offset.strip_prefix('+') {
            None => 0,
            Some(offset) => number(offset)?,
        };
        return Some(Layout::nominal().heap + page.parse::<u64>().ok()? * 4096 + offset);
    }
    let case = Case::parse(&format!("faultline 1\na: fetch {promise}")).ok()?;
    let address = case.operations[0].call.address()?;
    Some(model.resolve(operation.process, address))
}

fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse::<i64>().ok().map(|number| number as u64),
    }
}

fn keeps(model: &Model, outcome: Outcome, promise: &str, addressed: Option<u64>) -> bool {
    let named = promise.chars().next().filter(|_| promise.len() == 1);
    let process = named.and_then(Process::from_letter);
    match (promise, outcome) {
        ("killed", Outcome::Dies(_)) | ("blocks", Outcome::Blocks) => true,
        ("done", Outcome::Returns(Answer::Anything)) => true,
        (_, Outcome::Starts { arguments, .. }) => promise == format!("starts, {arguments}"),
        (_, Outcome::Returns(answer)) => {
            let pid = process.and_then(|process| model.pid_of(process));
            let wanted = pid.or(addressed).or_else(|| number(promise));
            wanted.is_some_and(|wanted| answer.admits(wanted))
        }
        _ => false,
    }
}

/// Seeds are where campaigns start from: they must meet every state of a process.
#[test]
fn seeds_meet_every_state() {
    let mut states = Vec::new();
    for (_, document) in seeds() {
        let mut model = model();
        for (index, operation) in document.case().operations.iter().enumerate() {
            model.perform(index, operation, &Witness::ideal());
            states.extend(Process::all().map(|process| model.state_of(process)));
        }
    }
    for state in [
        ProcessState::Ready,
        ProcessState::Blocked,
        ProcessState::Zombie,
        ProcessState::Gone,
    ] {
        assert!(states.contains(&state), "{state:?}");
    }
}
