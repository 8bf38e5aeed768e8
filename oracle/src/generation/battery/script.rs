//! Writes the cases of the battery, from lines in the language of cases.

use super::uses::Use;
use crate::case::{Case, Operation, Process, VERSION_LINE};
use crate::dialect::Dialect;
use crate::model::{Model, Outcome, ProcessState, Witness};
use crate::setting::Setting;

/// The most operations of a case, but for the last use of an operation.
const LONG: usize = 160;

/// The identifier of process `a`; cases of the battery do not depend on it.
const FIRST_PID: u64 = 2;

/// What becomes of a process that performs an operation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// It continues.
    Stays,
    /// It starts another program.
    Starts,
    /// It ends.
    Ends,
}

/// Cases in the making. The model follows the last of them.
pub(super) struct Script {
    model: Model,
    cases: Vec<Case>,
    /// Names of processes that the last case has used.
    names: usize,
}

impl Script {
    pub(super) fn new() -> Script {
        let dialect = Dialect::faultline();
        Script {
            model: Model::new(&dialect, &Setting::nominal(&dialect, FIRST_PID)),
            cases: Vec::new(),
            names: 0,
        }
    }

    /// Begins another case.
    pub(super) fn begin(&mut self) {
        self.model.reset();
        self.cases.push(Case::default());
        self.names = 1;
    }

    /// All cases that have an operation.
    pub(super) fn into_cases(self) -> Vec<Case> {
        let mut cases = self.cases;
        cases.retain(|case| !case.operations.is_empty());
        cases
    }

    /// Whether the case has no room for something that needs so many new processes.
    pub(super) fn is_full(&self, processes: usize) -> bool {
        let operations = self.cases.last().map_or(0, |case| case.operations.len());
        self.names + processes > Process::COUNT || operations > LONG
    }

    /// The next new process. The case must have room for it.
    pub(super) fn name(&mut self) -> Process {
        self.names += 1;
        Process::from_index(self.names - 1)
            .expect("nobody asks for a process without looking for room")
    }

    /// Adds lines, separated by semicolons. Those that name no process are `actor`'s.
    pub(super) fn add(&mut self, actor: Process, lines: &str) {
        if lines.contains("child") {
            let child = self.name();
            self.add_with(actor, child, lines);
        } else {
            self.add_with(actor, actor, lines);
        }
    }

    /// The same, where `child` stands for that process.
    pub(super) fn add_with(&mut self, actor: Process, child: Process, lines: &str) {
        for line in lines
            .split(';')
            .map(str::trim)
            .filter(|line| !line.is_empty())
        {
            let operation = operation(actor, child, line);
            self.push(operation);
        }
    }

    fn push(&mut self, operation: Operation) {
        let Some(case) = self.cases.last_mut() else {
            return;
        };
        if self.model.applies(&operation) {
            let index = case.operations.len();
            self.model.perform(index, &operation, &Witness::ideal());
        }
        case.operations.push(operation);
    }

    /// What becomes of `actor` if it performs the operation of that line.
    pub(super) fn ending(&self, actor: Process, line: &str) -> Ending {
        let nobody = Process::all().next_back().unwrap_or(actor);
        let operation = operation(actor, nobody, line);
        if !self.model.applies(&operation) {
            return Ending::Stays;
        }
        let mut trial = self.model.clone();
        let replies = trial.perform(0, &operation, &Witness::ideal());
        let starts = |outcome: Outcome| matches!(outcome, Outcome::Starts { .. });
        if replies.iter().any(|reply| starts(reply.outcome)) {
            return Ending::Starts;
        }
        match trial.state_of(actor) {
            ProcessState::Ready | ProcessState::Blocked => Ending::Stays,
            ProcessState::Zombie | ProcessState::Gone => Ending::Ends,
        }
    }

    /// Whether a process can act now.
    pub(super) fn is_ready(&self, process: Process) -> bool {
        self.model.state_of(process) == ProcessState::Ready
    }

    /// Adds a use of an operation at `address`, with what it needs before and takes back after. `child` is the same
    /// process in all three.
    pub(super) fn try_at(&mut self, actor: Process, one: &Use, address: &str) {
        let line = one.line.replace('@', address);
        self.add(actor, &format!("{}; {line}; {}", one.before, one.after));
    }

    /// A child of `actor` performs these lines, ends, and is waited for.
    pub(super) fn in_child(&mut self, actor: Process, lines: &[&str]) {
        let child = self.name();
        self.add_with(actor, child, "child = fork");
        for lines in lines {
            self.add(child, lines);
        }
        if self.is_ready(child) {
            self.add(child, "exit 0");
        }
        self.add(actor, "wait");
    }
}

/// The operation of a line.
fn operation(actor: Process, child: Process, line: &str) -> Operation {
    let line = line.replace("child", &child.to_string());
    let names_a_process = line.get(1..2) == Some(":");
    let is_of_all = ["frames", "together", "type", "machine", "blocks", "power"]
        .iter()
        .any(|word| line.starts_with(word));
    let line = if names_a_process || is_of_all {
        line
    } else {
        format!("{actor}: {line}")
    };
    let case = Case::parse(&format!("{VERSION_LINE}\n{line}\n"));
    let case = case.unwrap_or_else(|error| panic!("the battery's line {line:?}: {error}"));
    case.operations[0]
}
