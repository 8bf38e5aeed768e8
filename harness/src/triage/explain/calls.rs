//! The functions that a step went through, as a tree of bounded size.

use crate::driver::Recording;
use crate::guest::Frame;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;

/// The most lines of a tree, so that a person still reads it.
const MOST_LINES: usize = 36;

/// Functions of xv6 and similar kernels that do not show what a step does.
const HOUSEKEEPING: [&str; 32] = [
    "acquire",
    "release",
    "push_off",
    "pop_off",
    "holding",
    "mycpu",
    "cpuid",
    "myproc",
    "memset",
    "memmove",
    "memcpy",
    "strlen",
    "strncpy",
    "safestrcpy",
    "acquiresleep",
    "releasesleep",
    "printf",
    "usertrapret",
    "prepare_return",
    "sfence_vma",
    "wakeup",
    "intr_on",
    // The work of an interrupt belongs to no step.
    "devintr",
    "uartintr",
    "uartgetc",
    "virtio_disk_intr",
    "clockintr",
    // These return -1 without a failure: a string sorts before another, or an argument is -1.
    "strncmp",
    "namecmp",
    "argraw",
    "argint",
    "argaddr",
];
/// Folders of our kernel whose functions say nothing about where a step goes. A canary only counts.
const HOUSEKEEPING_FOLDERS: [&str; 4] = ["sync/", "arch/", "print.rs", "canary.rs"];

/// One call in the tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CallLine {
    /// The hart, for an outermost call of a race.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hart: Option<usize>,
    /// How many calls of the tree enclose it.
    pub depth: usize,
    /// The function.
    pub function: String,
    /// Where it was called: file and line in the caller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub called_at: Option<String>,
    /// Its result, if that is known to be -1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub returned: Option<i64>,
    /// How often it was called there in a row.
    pub times: usize,
    /// Whether it is the innermost function whose failure made the step fail.
    pub is_first_to_fail: bool,
}

/// A node while the tree grows.
struct Node {
    hart: usize,
    function: String,
    called_at: Option<String>,
    returned: Option<i64>,
    times: usize,
    is_first_to_fail: bool,
    is_housekeeping: bool,
    children: Vec<usize>,
}

/// The tree of a recording. `frames` returns the functions that an address belongs to, inlined ones first.
pub(super) fn tree(recording: &Recording, frames: impl FnMut(u64) -> Vec<Frame>) -> Vec<CallLine> {
    let mut tree = Tree {
        recording,
        frames,
        known: HashMap::new(),
        nodes: vec![],
        roots: vec![],
        seen: HashSet::new(),
        anchors: vec![None; recording.calls.len()],
    };
    for visit in &recording.visits {
        if tree.seen.insert(*visit) {
            tree.visit(visit.0, visit.1);
        }
    }
    tree.mark();
    tree.lines()
}

/// The function that performs the system call of that name: of those that are named for it, the one of which a recording
/// executes the most instructions. `frames` returns the functions that an address belongs to, inlined ones first.
pub(super) fn performer(
    recording: &Recording,
    call: &str,
    mut frames: impl FnMut(u64) -> Vec<Frame>,
) -> Option<String> {
    let is_named_for_it = |function: &str| {
        let name = function.rsplit("::").next().unwrap_or_default();
        ["", "sys_", "k"]
            .iter()
            .any(|start| name.strip_prefix(start) == Some(call))
    };
    let executed: BTreeSet<u64> = recording.visits.iter().map(|(_, pc)| *pc).collect();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for pc in executed {
        let mut own = frames(pc).into_iter().filter(|frame| !frame.is_library);
        if let Some(frame) = own.find(|frame| is_named_for_it(&frame.function)) {
            *counts.entry(frame.function).or_default() += 1;
        }
    }
    let most = counts.into_iter().max_by_key(|(_, count)| *count);
    most.map(|(function, _)| function)
}

struct Tree<'a, F> {
    recording: &'a Recording,
    frames: F,
    /// The functions at an address without libraries, the outermost first.
    known: HashMap<u64, Vec<Frame>>,
    nodes: Vec<Node>,
    roots: Vec<usize>,
    /// What was visited before.
    seen: HashSet<(usize, u64)>,
    /// The node of each call that was visited.
    anchors: Vec<Option<usize>>,
}

impl<F: FnMut(u64) -> Vec<Frame>> Tree<'_, F> {
    fn chain(&mut self, pc: u64) -> Vec<Frame> {
        let frames = &mut self.frames;
        let chain = self.known.entry(pc).or_insert_with(|| {
            let mut chain = frames(pc);
            chain.retain(|frame| !frame.is_library);
            chain.reverse();
            chain
        });
        chain.clone()
    }

    /// Notes that a call executes the instruction at `pc`. Returns the node of the innermost function there.
    fn visit(&mut self, call: usize, pc: u64) -> Option<usize> {
        let chain = self.chain(pc);
        let mut node = match self.anchors[call] {
            Some(anchor) => anchor,
            None => {
                let caller = self.recording.calls[call].caller;
                let from = caller.and_then(|(caller, at)| Some((self.visit(caller, at)?, at)));
                let Some(function) = chain.first() else {
                    // A function of a library: its caller counts as the caller of what it calls.
                    self.anchors[call] = from.map(|(node, _)| node);
                    return self.anchors[call];
                };
                let called_at = from.and_then(|(_, at)| place(self.chain(at).last()));
                let returned = failure(self.recording.calls[call].returned);
                let parent = from.map(|(node, _)| node);
                let node = self.add(call, parent, function, called_at, returned);
                self.anchors[call] = Some(node);
                node
            }
        };
        for (outer, inner) in chain.iter().zip(chain.iter().skip(1)) {
            let called_at = place(Some(outer));
            let mut children = self.nodes[node].children.iter().copied();
            let same = children.find(|child| {
                let child = &self.nodes[*child];
                child.function == inner.function && child.called_at == called_at
            });
            node = match same {
                Some(child) => child,
                None => self.add(call, Some(node), inner, called_at, None),
            };
        }
        Some(node)
    }

    fn add(
        &mut self,
        call: usize,
        parent: Option<usize>,
        frame: &Frame,
        called_at: Option<String>,
        returned: Option<i64>,
    ) -> usize {
        let node = self.nodes.len();
        self.nodes.push(Node {
            hart: self.recording.calls[call].hart,
            function: frame.function.clone(),
            called_at,
            returned,
            times: 1,
            is_first_to_fail: false,
            is_housekeeping: is_housekeeping(frame),
            children: Vec::new(),
        });
        match parent {
            Some(parent) => self.nodes[parent].children.push(node),
            None => self.roots.push(node),
        }
        node
    }

    /// Marks the innermost function that returned the -1 of the step. Begins at the last outermost call that
    /// returned -1, and goes down to the last inner call that returned -1 as long as there is one.
    fn mark(&mut self) {
        let mut candidates = self.roots.clone();
        let mut first = None;
        while !candidates.is_empty() {
            let failed = candidates.iter().rev().find(|node| {
                let node = &self.nodes[**node];
                node.returned.is_some() && !node.is_housekeeping
            });
            candidates = match (failed, first) {
                (Some(failed), _) => {
                    first = Some(*failed);
                    self.nodes[*failed].children.clone()
                }
                // Above the system call no function returns a value.
                (None, None) => {
                    let children = candidates.iter().map(|node| &self.nodes[*node].children);
                    children.flatten().copied().collect()
                }
                (None, Some(_)) => Vec::new(),
            };
        }
        if let Some(first) = first {
            self.nodes[first].is_first_to_fail = true;
        }
    }

    /// The tree in lines. If there are too many, the deepest are dropped first, except on the path to
    /// the mark.
    fn lines(&self) -> Vec<CallLine> {
        let mut deepest = 1;
        let mut lines = self.lines_to(deepest);
        loop {
            let more = self.lines_to(deepest + 1);
            if more.len() > MOST_LINES || more.len() == lines.len() {
                break;
            }
            lines = more;
            deepest += 1;
        }
        lines.truncate(2 * MOST_LINES);
        lines
    }

    fn lines_to(&self, deepest: usize) -> Vec<CallLine> {
        let mut lines = Vec::new();
        for (at, root) in self.roots.iter().enumerate() {
            // The threads that run after the step do not belong to it.
            if at == 0 || self.recording.is_race || self.leads_to_mark(*root) {
                self.append(*root, 0, deepest, &mut lines);
            }
        }
        lines
    }

    fn append(&self, node: usize, depth: usize, deepest: usize, lines: &mut Vec<CallLine>) {
        let held = &self.nodes[node];
        if held.is_housekeeping || (depth >= deepest && !self.leads_to_mark(node)) {
            return;
        }
        let line = CallLine {
            hart: (depth == 0 && self.recording.is_race).then_some(held.hart),
            depth,
            function: held.function.clone(),
            called_at: held.called_at.clone(),
            returned: held.returned,
            times: held.times,
            is_first_to_fail: held.is_first_to_fail,
        };
        let start = lines.len();
        lines.push(line);
        for child in &held.children {
            self.append(*child, depth + 1, deepest, lines);
        }
        // If a call repeats the one before, one line says how often.
        let length = lines.len() - start;
        if start >= length && same(&lines[start - length..start], &lines[start..]) {
            lines[start - length].times += 1;
            lines.truncate(start);
        }
    }

    fn leads_to_mark(&self, node: usize) -> bool {
        let held = &self.nodes[node];
        held.is_first_to_fail || held.children.iter().any(|child| self.leads_to_mark(*child))
    }
}

fn same(one: &[CallLine], other: &[CallLine]) -> bool {
    let mut pairs = one.iter().zip(other).enumerate();
    pairs.all(|(at, (one, other))| {
        let times = if at == 0 { one.times } else { other.times };
        let other = CallLine {
            times,
            ..other.clone()
        };
        *one == other
    })
}

fn place(frame: Option<&Frame>) -> Option<String> {
    let frame = frame?;
    Some(format!("{}:{}", frame.file.as_ref()?, frame.line?))
}

/// -1 if that is the result. A result of C's type `int` is sign extended to 64 bits.
fn failure(returned: Option<u64>) -> Option<i64> {
    (returned == Some(u64::MAX)).then_some(-1)
}

pub(super) fn is_housekeeping(frame: &Frame) -> bool {
    let file = frame.file.as_deref().unwrap_or_default();
    is_servant(&frame.function)
        || HOUSEKEEPING_FOLDERS
            .iter()
            .any(|folder| file.starts_with(folder))
}

/// Whether a function of that name only serves others. If it fails, its caller has made the mistake.
pub(crate) fn is_servant(function: &str) -> bool {
    let reads_a_register = function.starts_with("r_") || function.starts_with("w_");
    reads_a_register || HOUSEKEEPING.contains(&function)
}

impl fmt::Display for CallLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(hart) = self.hart {
            write!(f, "hart {hart}: ")?;
        }
        write!(f, "{:width$}{}", "", self.function, width = 2 * self.depth)?;
        if let Some(place) = &self.called_at {
            write!(f, "  called at {place}")?;
        }
        if self.times > 1 {
            write!(f, ", {} times", self.times)?;
        }
        if let Some(value) = self.returned {
            write!(f, " -> {value}")?;
        }
        if self.is_first_to_fail {
            write!(f, "  <-- the first to fail")?;
        }
        Ok(())
    }
}
