//! The power is cut at every single sector that a workload writes, and again while the kernel
//! recovers: the next boot finds a sound file system with all that was done, and nothing half done.

use std::collections::BTreeMap;

use abi::file_system::{BLOCK_SIZE, Kind};
use abi::limits::OPERATION_BLOCKS;
use emulator::{Config, Machine, SectorWrite};
use faultline::console::{Console, PROMPT};
use faultline::guest::location::GuestFiles;
use mkfs::Image;
use rayon::prelude::*;

/// The program that does the work and says what it has done, line by line.
const WORKLOAD: &str = "filework";
/// Instructions between two looks at the console: far fewer than a change of the disk takes, so
/// that a line is seen before the next write.
const STEP: u64 = 500;
/// Instructions within which the workload has to end.
const BUDGET: u64 = 2_000_000_000;
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

/// What a kernel wrote to a disk.
struct Recording {
    kernel: Vec<u8>,
    before: Vec<u8>,
    writes: Vec<SectorWrite>,
}

/// A run of the workload: what it wrote, and what its lines say must be on the disk when.
struct Run {
    recording: Recording,
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

/// Types `line` on a machine with so many harts and records what comes to the disk, while `watch`
/// looks at the machine, until it says that all is done.
fn record(line: &str, harts: usize, mut watch: impl FnMut(&mut Machine) -> bool) -> Recording {
    let files = GuestFiles::find(None, None).unwrap_or_else(|error| panic!("{error}"));
    let config = Config {
        harts,
        ..Config::default()
    };
    let mut console = Console::boot(&config).unwrap_or_else(|error| panic!("{error}"));
    console.type_text(&format!("{line}\n"));
    console.wait_for("\n").unwrap();
    let mut machine = console.into_machine();
    machine.record_disk_writes();
    let before = machine.disk();
    while !watch(&mut machine) {
        assert!(machine.steps() < BUDGET, "the workload does not end");
        machine.run(STEP);
    }
    Recording {
        kernel: files.kernel,
        before,
        writes: machine.disk_writes().to_vec(),
    }
}

fn run_workload() -> Run {
    let mut shown = String::new();
    let mut states = Vec::new();
    let mut reached = vec![(0, 0)];
    let recording = record(WORKLOAD, 1, |machine| {
        if states.is_empty() {
            states.push(tree(&Image::open(machine.disk()).unwrap()));
        }
        shown.push_str(&String::from_utf8_lossy(&machine.console_output()));
        while let Some((line, rest)) = shown.split_once('\n') {
            let next = changes(line, states.last().unwrap());
            states.extend(next);
            reached.push((machine.disk_writes().len(), states.len() - 1));
            shown = rest.into();
        }
        shown.ends_with(PROMPT)
    });
    assert!(reached.len() > 20, "the workload has ended early");
    Run {
        recording,
        states,
        reached,
    }
}

impl Recording {
    /// The disk after the first `count` writes.
    fn cut(&self, count: usize) -> Vec<u8> {
        apply(&self.before, &self.writes[..count])
    }

    /// The numbers of writes after which a log was just committed, or just cleared.
    fn commits(&self) -> impl Iterator<Item = usize> {
        let layout = *Image::open(self.before.clone()).unwrap().super_block();
        let header = u64::from(layout.log_start) * (BLOCK_SIZE as u64 / 512);
        let counts = 1..=self.writes.len();
        counts.filter(move |&count| self.writes[count - 1].sector == header)
    }

    /// Boots from `disk` to the prompt and checks what is there then. Returns that, and what boot has
    /// written.
    fn reboot(&self, disk: Vec<u8>, at: &str) -> (Tree, Vec<SectorWrite>) {
        let mut machine = Machine::new(&Config::default(), &self.kernel, disk).unwrap();
        machine.record_disk_writes();
        let mut console = Console::new(machine);
        let shown = console.wait_for(PROMPT);
        let shown = shown.unwrap_or_else(|error| panic!("cut {at}: {error}"));
        let machine = console.into_machine();
        let disk = machine.disk();
        let layout = *Image::open(disk.clone()).unwrap().super_block();
        let log = layout.log_start as usize * BLOCK_SIZE;
        assert_eq!(disk[log..log + 4], [0; 4], "cut {at}: the log is not empty");
        let image = Image::open(disk).unwrap();
        assert_eq!(image.check(), [], "cut {at}; the console shows:\n{shown}");
        (tree(&image), machine.disk_writes().to_vec())
    }
}

impl Run {
    /// The states that are right after a cut there: the last one that a line promised, and those
    /// on the way to the next line's.
    fn allowed(&self, count: usize) -> &[Tree] {
        let next = self.reached.partition_point(|(writes, _)| *writes <= count);
        let (_, promised) = self.reached[next - 1];
        let (_, under_way) = self.reached[next.min(self.reached.len() - 1)];
        &self.states[promised..=under_way]
    }

    /// Boots from `disk`, which must then hold one of the `allowed` trees; gives what boot has
    /// written.
    fn reboot(&self, disk: Vec<u8>, allowed: &[Tree], at: &str) -> Vec<SectorWrite> {
        let (found, writes) = self.recording.reboot(disk, at);
        assert!(
            allowed.contains(&found),
            "cut {at}: none of {} states\n{}",
            allowed.len(),
            difference(&allowed[0], &found)
        );
        writes
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
    let counts = 0..=run.recording.writes.len();
    counts.into_par_iter().for_each(|count| {
        let at = format!("at write {count}");
        run.reboot(run.recording.cut(count), run.allowed(count), &at);
    });
}

#[test]
fn every_cut_of_a_recovery_leaves_as_much() {
    let run = run_workload();
    // There boot has most to do: the whole log to write home, or an inode without names to free.
    let commits: Vec<usize> = run.recording.commits().collect();
    let second_cuts = commits.par_iter().map(|&count| {
        let (disk, allowed) = (run.recording.cut(count), run.allowed(count));
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

#[test]
fn a_cut_of_two_workloads_at_once_leaves_files_that_one_of_them_made() {
    // The contents that each path of the workload has at one time or another.
    let mut contents: BTreeMap<String, Vec<Content>> = BTreeMap::new();
    for (path, content) in run_workload().states.into_iter().flatten() {
        contents.entry(path).or_default().push(content);
    }
    let line = format!("(mkdir a; cd a; /{WORKLOAD}) & (mkdir b; cd b; /{WORKLOAD})");
    let mut shown = String::new();
    let recording = record(&line, 3, |machine| {
        shown.push_str(&String::from_utf8_lossy(&machine.console_output()));
        shown.matches("unlink big\n").count() == 2 && shown.contains(PROMPT)
    });
    let mut counts: Vec<usize> = (0..recording.writes.len()).step_by(5).collect();
    counts.extend(recording.commits());
    counts.into_par_iter().for_each(|count| {
        let (found, _) = recording.reboot(recording.cut(count), &format!("at write {count}"));
        for (path, content) in found {
            let theirs = path.strip_prefix("/a/").or(path.strip_prefix("/b/"));
            if let Some(theirs) = theirs {
                let known = contents.get(&format!("/{theirs}"));
                let is_known = known.is_some_and(|known| known.contains(&content));
                assert!(
                    is_known,
                    "cut at write {count}: {path} is not what it ever was"
                );
            }
        }
    });
}
