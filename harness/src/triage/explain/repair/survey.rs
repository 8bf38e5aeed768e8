//! Which cases are right and which are wrong, and what code of the kernel they execute.

use crate::counters::{EDGE_COUNTERS, for_each_counted};
use crate::driver::Driver;
use crate::runner::{Outcome, Runner};
use crate::triage::explain::neighbours::neighbours;
use emulator::isa::Instruction;
use oracle::generation::battery;
use oracle::{Case, Finding, bucket};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::rc::Rc;

/// Mutations of a case that are tried.
const MUTATIONS: u64 = 48;
/// The most work that is spent on cases that are a little different.
const WORK_ON_NEIGHBOURS: u64 = 30_000_000;
/// The most work that is spent on cases about all operations.
const WORK_ON_CONTROLS: u64 = 30_000_000;

/// A case, and what it executes on the unchanged kernel.
pub(super) struct Trial {
    pub(super) case: Case,
    /// The kernel's instructions, in the order of the addresses.
    code: BTreeMap<u64, Instruction>,
    /// Guest instructions.
    pub(super) instructions: u64,
}

impl Trial {
    /// Whether the case executes the instruction at `address`.
    pub(super) fn executes(&self, address: u64) -> bool {
        self.code.contains_key(&address)
    }
}

/// Cases about all operations that are right on a kernel.
pub struct Controls {
    right: Vec<Trial>,
}

impl Controls {
    /// Runs cases of the battery, and keeps those that are right.
    pub fn measure(runner: &mut Runner) -> Controls {
        let mut edges = vec![0; EDGE_COUNTERS];
        let end = runner.work() + WORK_ON_CONTROLS;
        let mut right = Vec::new();
        for case in battery(&[]) {
            if runner.work() > end {
                break;
            }
            let (trial, outcome) = run(runner, &case, &mut edges);
            if outcome.findings.is_empty() {
                right.push(trial);
            }
        }
        Controls { right }
    }

    pub(super) fn right(&self) -> impl Iterator<Item = &Trial> {
        self.right.iter()
    }
}

/// How the cases that execute a function agree with those that are wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::triage::explain) struct Agreement {
    /// Ochiai's coefficient of the function's most suspicious instruction, in thousandths.
    pub suspicion: u32,
    /// How many of a thousand right cases execute the function.
    pub in_right_cases: u32,
}

/// A finding's case, and cases that are a little different.
pub(super) struct Survey {
    pub(super) case: Case,
    /// The code that the case executes, in the order of the addresses.
    code: BTreeMap<u64, Instruction>,
    /// Cases that show the same finding.
    pub(super) wrong: Vec<Trial>,
    /// Cases that show nothing wrong.
    pub(super) right: Vec<Trial>,
    /// Guest instructions that a right case takes.
    pub(super) time: u64,
}

impl Survey {
    pub(super) fn make(runner: &mut Runner, case: &Case, finding: &Finding) -> Survey {
        let wanted = bucket(finding);
        let mut edges = vec![0; EDGE_COUNTERS];
        let (own, _) = run(runner, case, &mut edges);
        let mut survey = Survey {
            case: case.clone(),
            code: own.code,
            wrong: Vec::new(),
            right: Vec::new(),
            time: own.instructions,
        };
        let end = runner.work() + WORK_ON_NEIGHBOURS;
        for other in neighbours(case, MUTATIONS) {
            if runner.work() > end {
                break;
            }
            let (trial, outcome) = run(runner, &other, &mut edges);
            if outcome.findings.is_empty() {
                survey.right.push(trial);
            } else if outcome.shown(&wanted).is_some() {
                survey.wrong.push(trial);
            }
        }
        // What hangs takes long.
        let slowest = survey.right.iter().map(|trial| trial.instructions).max();
        survey.time = slowest.map_or(own.instructions, |slowest| slowest.min(own.instructions));
        survey
    }

    /// The instructions that can be wrong, the most suspicious first: those that all wrong cases execute, and few right
    /// ones.
    pub(super) fn suspects(&self, driver: &Driver) -> Vec<(u64, Instruction)> {
        let extent = driver.guest().symbols.extent();
        let mut before = None;
        let mut suspects = Vec::new();
        for (address, instruction) in &self.code {
            let is_of_source = super::is_of_source(before.replace(*instruction), *instruction);
            if is_of_source && extent.contains(address) {
                suspects.push((self.suspicion(*address), *address, *instruction));
            }
        }
        suspects.sort_by(|one, two| two.0.total_cmp(&one.0).then(one.1.cmp(&two.1)));
        let suspects = suspects.into_iter();
        suspects
            .map(|(_, address, instruction)| (address, instruction))
            .collect()
    }

    /// How well "executes this function" agrees with "is wrong", for each function that the case executes.
    pub(super) fn agreements(
        &self,
        driver: &mut Driver,
        controls: &Controls,
    ) -> BTreeMap<String, Agreement> {
        let mut functions = Functions::default();
        let mut agreements: BTreeMap<String, Agreement> = BTreeMap::new();
        for address in self.code.keys() {
            if let Some(function) = functions.at(*address, driver) {
                let agreement = agreements.entry(function.to_string()).or_default();
                let suspicion = thousandths(self.suspicion(*address));
                agreement.suspicion = agreement.suspicion.max(suspicion);
            }
        }
        let mut executed: HashMap<Rc<str>, usize> = HashMap::new();
        let mut all: u32 = 0;
        for trial in self.right.iter().chain(controls.right()) {
            all += 1;
            let own = trial.code.keys();
            let own: HashSet<Rc<str>> = own
                .filter_map(|address| functions.at(*address, driver))
                .collect();
            for function in own {
                *executed.entry(function).or_default() += 1;
            }
        }
        for (function, agreement) in &mut agreements {
            let count = executed.get(function.as_str()).copied().unwrap_or(0);
            agreement.in_right_cases = thousandths(count as f64 / f64::from(all.max(1)));
        }
        agreements
    }

    /// Ochiai's coefficient: how well "executes this instruction" agrees with "is wrong". 1 if it always does.
    fn suspicion(&self, address: u64) -> f64 {
        let count = |trials: &[Trial]| trials.iter().filter(|one| one.executes(address)).count();
        let wrong = 1 + count(&self.wrong);
        let all = (1 + self.wrong.len()) * (wrong + count(&self.right));
        wrong as f64 / (all as f64).sqrt()
    }
}

/// The innermost function at each address; none in functions that only serve others.
#[derive(Default)]
struct Functions {
    known: HashMap<u64, Option<Rc<str>>>,
}

impl Functions {
    fn at(&mut self, address: u64, driver: &mut Driver) -> Option<Rc<str>> {
        let known = self.known.entry(address).or_insert_with(|| {
            let own = super::own_frames(driver.frames(&[address]));
            own.first().map(|frame| frame.function.as_str().into())
        });
        known.clone()
    }
}

/// A number from 0 to 1 in thousandths.
fn thousandths(number: f64) -> u32 {
    (1000.0 * number).round() as u32
}

fn run(runner: &mut Runner, case: &Case, edges: &mut [u8]) -> (Trial, Outcome) {
    edges.fill(0);
    let outcome = runner.run_counting(case, edges);
    let machine = runner.driver().machine();
    let mut blocks = BTreeSet::new();
    for_each_counted(edges, |edge, _| blocks.extend(machine.edge_location(edge)));
    let trial = Trial {
        case: case.clone(),
        code: read(runner.driver(), &blocks),
        instructions: outcome.instructions,
    };
    (trial, outcome)
}

/// The instructions from each of these addresses to the end of its block.
fn read(driver: &Driver, starts: &BTreeSet<u64>) -> BTreeMap<u64, Instruction> {
    let extent = driver.guest().symbols.extent();
    let mut code = BTreeMap::new();
    for start in starts {
        let mut at = *start;
        while extent.contains(&at) && !code.contains_key(&at) {
            let mut bytes = [0; 4];
            let is_read = driver.machine().read_physical(at, &mut bytes).is_ok();
            let Some(instruction) = Instruction::read(&bytes).filter(|_| is_read) else {
                break;
            };
            code.insert(at, instruction);
            if instruction.ends_block() {
                break;
            }
            at += instruction.length() as u64;
        }
    }
    code
}
