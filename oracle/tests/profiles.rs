//! What the fuzz targets promise: their cases are runnable, can hold every operation, and reach what
//! each target exists for.

use oracle::case::Kind;
use oracle::generation::{count_inapplicable, cross_over, generate, mutate, repaired_case};
use oracle::model::{Answer, Death, FAILED, Model, Outcome, PageState, Witness};
use oracle::{Call, Case, Dialect, Process, ProcessState, Profile, Setting};
use proptest::prelude::{ProptestConfig, Strategy, prop_assert, prop_assert_eq, proptest};
use std::collections::{BTreeMap, BTreeSet};

fn profiles() -> impl Strategy<Value = Profile> {
    (0..Profile::COUNT).prop_map(|at| Profile::ALL[at])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn generated_cases_are_runnable(seed: u64, count in 1u32..80, profile in profiles()) {
        let case = generate(seed, count, profile);
        prop_assert!((1..=count as usize).contains(&case.operations.len()));
        prop_assert_eq!(count_inapplicable(&case), 0, "{}", case);
        prop_assert_eq!(&repaired_case(&case.to_bytes()), &case);
        prop_assert_eq!(&generate(seed, count, profile), &case);
    }

    #[test]
    fn cases_of_one_profile_are_parents_for_another(
        seed: u64,
        first in profiles(),
        second in profiles(),
    ) {
        let mut case = generate(seed, 30, first);
        for round in 0..10 {
            mutate(&mut case, seed ^ round, second);
            prop_assert_eq!(count_inapplicable(&case), 0, "{}", case);
        }
        let other = generate(seed, 30, second);
        let child = cross_over(&case, &other, seed);
        prop_assert_eq!(count_inapplicable(&child), 0, "{}", child);
    }
}

/// An operation without a row in the table of weights is made by no profile, but by mutation.
#[test]
fn every_profile_makes_what_another_makes() {
    let made = Profile::ALL.map(|profile| -> BTreeSet<Kind> {
        let cases = (0..1000).map(|seed| generate(seed, 40, profile));
        let operations = cases.flat_map(|case| case.operations);
        operations.map(|operation| operation.call.kind()).collect()
    });
    let all: BTreeSet<Kind> = made.iter().flatten().copied().collect();
    for (profile, made) in Profile::ALL.iter().zip(&made) {
        let missing: Vec<&Kind> = all.difference(made).collect();
        assert!(missing.is_empty(), "{profile}: {missing:?}");
    }
}

/// What can become of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    /// It comes back with something.
    Done,
    /// It comes back with -1.
    Failed,
    /// Its process sleeps.
    Sleeps,
    /// Its process did what kills it.
    Faults,
    /// A new program starts.
    Starts,
    /// Anything else.
    Other,
}

/// How often the operations of a profile's cases had which outcome, on a perfect kernel.
#[derive(Default)]
struct Reached {
    /// By kind, the state of the page it met, and what became of it.
    fates: BTreeMap<(Kind, Option<PageState>, Fate), u32>,
    /// By kind, of operations with few frames left.
    scarce: BTreeMap<Kind, u32>,
    /// Processes that were killed by others, in their sleep or not.
    killed: u32,
    /// Processes that ended after their parent.
    orphaned: u32,
    /// Operations before which several processes could act, of another one than the operation before.
    turns: u32,
    operations: u32,
}

impl Reached {
    fn by(profile: Profile) -> Reached {
        let dialect = Dialect::faultline();
        let mut model = Model::new(&dialect, &Setting::nominal(&dialect, 2));
        let mut reached = Reached::default();
        for seed in 0..200 {
            model.reset();
            reached.add(&generate(seed, 32, profile), &mut model);
        }
        reached
    }

    fn add(&mut self, case: &Case, model: &mut Model) {
        let (mut scarce, mut last, mut parents) = (false, Process::FIRST, BTreeMap::new());
        for (index, operation) in case.operations.iter().enumerate() {
            let process = operation.process;
            let kind = operation.call.kind();
            let page = operation.call.address();
            let page = page.map(|address| model.page_state(process, address));
            let ready = |process: &Process| model.state_of(*process) == ProcessState::Ready;
            let choice = Process::all().filter(ready).count() > 1;
            self.turns += u32::from(choice && process != last);
            self.operations += 1;
            last = process;
            if let Call::Frames { free } = operation.call {
                scarce = free < 20;
            } else if let Call::FailFrame { .. } = operation.call {
                scarce = true;
            } else if scarce {
                *self.scarce.entry(kind).or_default() += 1;
            }
            if let Call::Fork { child } = operation.call {
                parents.insert(child, process);
            }
            let mut fate = Fate::Other;
            let replies = model.perform(index, operation, &Witness::ideal()).to_vec();
            for reply in replies {
                if let Outcome::Dies(death) = reply.outcome {
                    self.killed += u32::from(death == Death::Killed);
                    let parent = parents.get(&reply.process);
                    let orphan = parent.is_some_and(|parent| model.ended(*parent).is_some());
                    self.orphaned += u32::from(orphan);
                }
                if reply.process == process {
                    fate = match reply.outcome {
                        Outcome::Returns(Answer::Exactly(FAILED)) => Fate::Failed,
                        Outcome::Returns(_) => Fate::Done,
                        Outcome::Blocks => Fate::Sleeps,
                        Outcome::Dies(Death::ForbiddenAccess) => Fate::Faults,
                        Outcome::Starts { .. } => Fate::Starts,
                        _ => Fate::Other,
                    };
                }
            }
            *self.fates.entry((kind, page, fate)).or_default() += 1;
        }
    }

    /// How often one of `kinds` met one of `pages` and had the outcome `fate`.
    fn count(&self, kinds: &[Kind], pages: &[PageState], fate: Fate) -> u32 {
        let wanted = |(kind, page, became): &(Kind, Option<PageState>, Fate)| {
            kinds.contains(kind)
                && *became == fate
                && (pages.is_empty() || page.is_some_and(|page| pages.contains(&page)))
        };
        let fates = self.fates.iter().filter(|(key, _)| wanted(key));
        fates.map(|(_, count)| count).sum()
    }
}

const ACCESSES: [Kind; 4] = [Kind::Load, Kind::Store, Kind::TouchRead, Kind::TouchWrite];
const STORES: [Kind; 2] = [Kind::Store, Kind::TouchWrite];
const BUFFERS: [Kind; 5] = [Kind::Read, Kind::Write, Kind::Fstat, Kind::Pipe, Kind::Wait];
const PATHS: [Kind; 3] = [Kind::Open, Kind::Chdir, Kind::Exec];

/// Each target reaches what it exists for, and more often than the target with a bit of everything.
#[test]
fn every_profile_reaches_what_it_exists_for() {
    use PageState as Page;
    let general = Reached::by(Profile::SbrkFaults);
    let mut told = Vec::new();
    let mut named = BTreeSet::new();
    let mut reach = |profile: Profile, what: &str, least: u32, count: &dyn Fn(&Reached) -> u32| {
        named.insert(profile);
        let own = count(&Reached::by(profile));
        let general = count(&general);
        let more = profile == Profile::SbrkFaults || own > general;
        told.push(format!(
            "{profile}: {what}: {own} (at least {least}; sbrk_faults {general}){}",
            if own >= least && more {
                ""
            } else {
                "  TOO FEW"
            }
        ));
    };
    let everywhere: &[PageState] = &[];
    reach(Profile::SbrkFaults, "accesses that kill", 200, &|reached| {
        reached.count(&ACCESSES, everywhere, Fate::Faults)
    });
    reach(Profile::SbrkFaults, "holes touched", 200, &|reached| {
        reached.count(&ACCESSES, &[Page::Lazy], Fate::Done)
    });
    reach(
        Profile::ForkCow,
        "stores to shared pages",
        200,
        &|reached| reached.count(&STORES, &[Page::Shared, Page::ImageShared], Fate::Done),
    );
    reach(Profile::ForkCow, "shared buffers", 50, &|reached| {
        reached.count(&BUFFERS, &[Page::Shared, Page::ImageShared], Fate::Done)
    });
    reach(
        Profile::SyscallBuffers,
        "refused buffers",
        200,
        &|reached| {
            reached.count(
                &[BUFFERS.as_slice(), &PATHS].concat(),
                everywhere,
                Fate::Failed,
            )
        },
    );
    reach(
        Profile::SyscallBuffers,
        "buffers in holes",
        50,
        &|reached| reached.count(&BUFFERS, &[Page::Lazy, Page::Unloaded], Fate::Done),
    );
    reach(
        Profile::SyscallBuffers,
        "buffers that are there",
        200,
        &|reached| reached.count(&BUFFERS, everywhere, Fate::Done),
    );
    for kind in [
        Kind::Fork,
        Kind::Pipe,
        Kind::Exec,
        Kind::TouchWrite,
        Kind::Read,
    ] {
        let what = format!("{} with few frames", kind.word());
        reach(Profile::OutOfMemory, &what, 50, &|reached| {
            reached.scarce.get(&kind).copied().unwrap_or(0)
        });
    }
    reach(
        Profile::OutOfMemory,
        "descriptors used up",
        20,
        &|reached| reached.count(&[Kind::Dup, Kind::Pipe], everywhere, Fate::Failed),
    );
    reach(Profile::StackGrowth, "stacks that grow", 200, &|reached| {
        reached.count(&ACCESSES, &[Page::StackHole], Fate::Done)
    });
    reach(
        Profile::StackGrowth,
        "system calls that grow a stack",
        20,
        &|reached| reached.count(&BUFFERS, &[Page::StackHole], Fate::Done),
    );
    reach(Profile::StackGrowth, "the guard page", 50, &|reached| {
        reached.count(&ACCESSES, &[Page::Guard], Fate::Faults)
    });
    reach(Profile::Processes, "sleeps", 200, &|reached| {
        reached.count(&Kind::ALL, everywhere, Fate::Sleeps)
    });
    reach(Profile::Processes, "kills", 100, &|reached| reached.killed);
    reach(Profile::Processes, "orphans", 100, &|reached| {
        reached.orphaned
    });
    reach(Profile::Files, "files opened", 200, &|reached| {
        reached.count(&[Kind::Open], everywhere, Fate::Done)
    });
    reach(Profile::Files, "paths refused", 50, &|reached| {
        reached.count(&[Kind::Open, Kind::Chdir], everywhere, Fate::Failed)
    });
    reach(Profile::Files, "reads", 200, &|reached| {
        reached.count(&[Kind::Read], everywhere, Fate::Done)
    });
    reach(Profile::Files, "files written", 200, &|reached| {
        reached.count(&[Kind::Write], everywhere, Fate::Done)
    });
    reach(Profile::Files, "names given and taken", 200, &|reached| {
        let kinds = [Kind::Link, Kind::Unlink, Kind::Mkdir, Kind::Mknod];
        reached.count(&kinds, everywhere, Fate::Done)
    });
    reach(Profile::Files, "names refused", 50, &|reached| {
        let kinds = [Kind::Link, Kind::Unlink, Kind::Mkdir, Kind::Mknod];
        reached.count(&kinds, everywhere, Fate::Failed)
    });
    reach(Profile::ExecImages, "programs", 200, &|reached| {
        reached.count(&[Kind::Exec], everywhere, Fate::Starts)
    });
    reach(Profile::ExecImages, "programs refused", 50, &|reached| {
        reached.count(&[Kind::Exec], everywhere, Fate::Failed)
    });
    reach(Profile::ExecImages, "pages loaded", 100, &|reached| {
        reached.count(&ACCESSES, &[Page::Unloaded, Page::TextUnloaded], Fate::Done)
    });
    reach(Profile::ExecImages, "programs that die", 20, &|reached| {
        reached.count(&[Kind::Exec], everywhere, Fate::Faults)
    });
    reach(Profile::ExecImages, "gaps", 20, &|reached| {
        let all = [Fate::Faults, Fate::Failed, Fate::Done];
        let gaps = all.map(|fate| reached.count(&Kind::ALL, &[Page::Gap], fate));
        gaps.iter().sum()
    });
    reach(Profile::Schedules, "turns", 2000, &|reached| reached.turns);
    reach(Profile::Schedules, "sleeps", 100, &|reached| {
        reached.count(&Kind::ALL, everywhere, Fate::Sleeps)
    });
    let told = told.join("\n");
    assert!(!told.contains("TOO FEW"), "\n{told}");
    for profile in Profile::ALL {
        assert!(named.contains(&profile), "what must {profile} reach?");
    }
    println!("{told}");
}
