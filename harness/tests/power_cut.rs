//! The power is cut at every single sector that a workload writes, and again while the kernel
//! recovers: the next boot finds a sound file system with all that was done, and nothing half done.

use std::collections::BTreeMap;

use abi::file_system::{BLOCK_SIZE, Kind};
use abi::limits::OPERATION_BLOCKS;
use emulator::{Config, Machine, SectorWrite};
use faultline::guest::location::GuestFiles;
use faultline::session::{PROMPT, Session};
use mkfs::Image;
use rayon::prelude::*;

/// The program that does the work and says what it has done, line by line.
const WORKLOAD: &str = "filework";
/// Instructions between two looks at the console: far fewer than a change of the disk takes, so
/// that a line is seen before the next write.
const STEP: u64 = 500;
/// Bytes of a `write` that reach the disk together; a longer one is several changes.
const TOGETHER: usize = (OPERATION_BLOCKS - 4) / 2 * BLOCK_SIZE;

/// Everything that a file system holds, by path.
type Tree = BTreeMap<String, Content>;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Content {
    File(Vec<u8>),
    Directory,
    Device,
}

/// A run of the workload: what it wrote, and what its lines say must be on the disk when.
struct Run {
    kernel: Vec<u8>,
    before: Vec<u8>,
    writes: Vec<SectorWrite>,
    /// What the disk may hold, from change to change.
    states: Vec<Tree>,
    /// How many writes were done when a line said that the state of that number was reached.
    reached: Vec<(usize, usize)>,
}

fn tree(image: &Image) -> Tree {
    let mut tree = Tree::new();
    let mut waiting = vec![String::new()];
    while let Some(directory) = waiting.pop() {
        for entry in image.list(&directory).unwrap() {
            let path = format!("{directory}/{}", entry.name);
            let content = match entry.kind {
                _ if matches!(&*entry.name, "." | "..") => continue,
                Kind::Directory => {
                    waiting.push(path.clone());
                    Content::Directory
                }
                Kind::Device => Content::Device,
                Kind::File | Kind::Free => Content::File(image.read_file(&path).unwrap()),
            };
            tree.insert(path, content);
        }
    }
    tree
}

/// The states that one line of the workload leads through, the last one being what it promises.
fn changes(line: &str, tree: &Tree) -> Vec<Tree> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let path = |index: usize| format!("/{}", words[index]);
    let number = |index: usize| words[index].parse::<usize>().unwrap();
    let mut after = tree.clone();
    match words[0] {
        "create" => {
            after.insert(path(1), Content::File(Vec::new()));
        }
        "mkdir" => {
            after.insert(path(1), Content::Directory);
        }
        "link" => {
            after.insert(path(2), tree[&path(1)].clone());
        }
        "unlink" => {
            after.remove(&path(1)).unwrap();
        }
        "truncate" => {
            after.insert(path(1), Content::File(Vec::new()));
        }
        "hold" | "release" => {}
        kind @ ("write" | "append") => return written(&path(1), kind, number(2), number(3), tree),
        _ => panic!("what is {line:?}?"),
    }
    vec![after]
}

fn written(path: &str, kind: &str, length: usize, seed: usize, tree: &Tree) -> Vec<Tree> {
    let Content::File(bytes) = &tree[path] else {
        panic!("{path} is no file");
    };
    let start = if kind == "append" { bytes.len() } else { 0 };
    let pattern: Vec<u8> = (0..length)
        .map(|index| (seed + index / 512) as u8)
        .collect();
    let ends = (TOGETHER..length).step_by(TOGETHER).chain([length]);
    let state = |end: usize| {
        let mut bytes = bytes.clone();
        bytes.resize(bytes.len().max(start + end), 0);
        bytes[start..start + end].copy_from_slice(&pattern[..end]);
        let mut after = tree.clone();
        after.insert(path.into(), Content::File(bytes));
        after
    };
    ends.map(state).collect()
}

fn run_workload() -> Run {
    let files = GuestFiles::find(None, None).unwrap_or_else(|error| panic!("{error}"));
    let mut session = Session::boot(&Config::default()).unwrap_or_else(|error| panic!("{error}"));
    session.type_text(&format!("{WORKLOAD}\n"));
    session.wait_for("\n").unwrap();
    let mut machine = session.into_machine();
    machine.record_disk_writes();
    let before = machine.disk();
    let mut run = Run {
        kernel: files.kernel,
        states: vec![tree(&Image::open(before.clone()).unwrap())],
        reached: vec![(0, 0)],
        before,
        writes: Vec::new(),
    };
    let mut shown = String::new();
    while !shown.ends_with(PROMPT) {
        machine.run(STEP);
        shown.push_str(&String::from_utf8_lossy(&machine.console_output()));
        while let Some((line, rest)) = shown.split_once('\n') {
            let next = changes(line, run.states.last().unwrap());
            run.states.extend(next);
            run.reached
                .push((machine.disk_writes().len(), run.states.len() - 1));
            shown = rest.into();
        }
    }
    run.writes = machine.disk_writes().to_vec();
    run
}

impl Run {
    /// The disk after the first `count` writes.
    fn cut(&self, count: usize) -> Vec<u8> {
        apply(&self.before, &self.writes[..count])
    }

    /// The states that are right after a cut there: the last one that a line promised, and those
    /// on the way to the next line's.
    fn allowed(&self, count: usize) -> &[Tree] {
        let next = self.reached.partition_point(|(writes, _)| *writes <= count);
        let (_, promised) = self.reached[next - 1];
        let (_, under_way) = self.reached[next.min(self.reached.len() - 1)];
        &self.states[promised..=under_way]
    }

    /// Boots from `disk` to the prompt, checks what is there then, and gives what boot has written.
    fn reboot(&self, disk: Vec<u8>, allowed: &[Tree], at: &str) -> Vec<SectorWrite> {
        let mut machine = Machine::new(&Config::default(), &self.kernel, disk).unwrap();
        machine.record_disk_writes();
        let mut session = Session::new(machine);
        let shown = session.wait_for(PROMPT);
        let shown = shown.unwrap_or_else(|error| panic!("cut {at}: {error}"));
        let machine = session.into_machine();
        let disk = machine.disk();
        let layout = *Image::open(disk.clone()).unwrap().super_block();
        let log = layout.log_start as usize * BLOCK_SIZE;
        assert_eq!(disk[log..log + 4], [0; 4], "cut {at}: the log is not empty");
        let image = Image::open(disk).unwrap();
        assert_eq!(image.check(), [], "cut {at}; the console shows:\n{shown}");
        let found = tree(&image);
        assert!(
            allowed.contains(&found),
            "cut {at}: none of {} states\n{}",
            allowed.len(),
            difference(&allowed[0], &found)
        );
        machine.disk_writes().to_vec()
    }
}

fn apply(disk: &[u8], writes: &[SectorWrite]) -> Vec<u8> {
    let mut disk = disk.to_vec();
    for write in writes {
        write.apply(&mut disk);
    }
    disk
}

/// The paths at which two trees differ, with the sizes.
fn difference(promised: &Tree, found: &Tree) -> String {
    let size = |content: Option<&Content>| match content {
        Some(Content::File(bytes)) => format!("{} bytes", bytes.len()),
        other => format!("{other:?}"),
    };
    let mut paths: Vec<&String> = promised.keys().chain(found.keys()).collect();
    paths.sort();
    paths.dedup();
    paths.retain(|path| promised.get(*path) != found.get(*path));
    let lines = paths.iter().map(|path| {
        let (promised, found) = (size(promised.get(*path)), size(found.get(*path)));
        format!("{path}: {promised} promised, {found} found\n")
    });
    lines.collect()
}

#[test]
fn every_cut_leaves_a_sound_disk_with_all_that_was_done() {
    let run = run_workload();
    assert!(run.reached.len() > 20, "the workload has ended early");
    (0..=run.writes.len()).into_par_iter().for_each(|count| {
        run.reboot(
            run.cut(count),
            run.allowed(count),
            &format!("at write {count}"),
        );
    });
}

#[test]
fn every_cut_of_a_recovery_leaves_as_much() {
    let run = run_workload();
    let layout = *Image::open(run.before.clone()).unwrap().super_block();
    let header = u64::from(layout.log_start) * (BLOCK_SIZE as u64 / 512);
    // Where a log was just committed or just cleared, boot has most to do: the whole log to write
    // home, or an inode without names to free.
    let commits = (0..run.writes.len()).filter(|&index| run.writes[index].sector == header);
    let recoveries: Vec<usize> = commits.map(|index| index + 1).collect();
    let second_cuts = recoveries.par_iter().map(|&count| {
        let (disk, allowed) = (run.cut(count), run.allowed(count));
        let at = format!("at write {count}");
        let recovery = run.reboot(disk.clone(), allowed, &at);
        for second in 1..recovery.len() {
            let at = format!("{at} and at write {second} of the recovery");
            run.reboot(apply(&disk, &recovery[..second]), allowed, &at);
        }
        recovery.len()
    });
    assert!(second_cuts.sum::<usize>() > 100, "nothing was recovered");
}
