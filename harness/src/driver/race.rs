//! Operations that race: two or three processes act at once, on several harts or on one.
//!
//! One hart runs at a time, and the schedule says which: each has a priority, and the one with the
//! highest priority runs until a change point gives it the lowest (probabilistic concurrency testing;
//! see `oracle::Schedule`). So a race is as deterministic as any other step, and every instruction of
//! one hart may come between any two of another.

use super::patience::LateRace;
use super::perform::silent;
use super::{Driver, Pause};
use crate::guest::FIRST_HART;
use crate::guest::frames::FrameAccounts;
use crate::guest::processes::{Slot, SlotSet};
use emulator::Privilege;
use oracle::{Event, Failure, Observation, Process, Race, Step, Turn, TurnEnd};

/// Instructions after which a hart gives way if its operation has not ended: it may be waiting for a
/// lock that another hart holds. Most operations take less.
const LONG_TURN: u64 = 20_000;

/// Free frames below which operations that race may find none, however small they are. If refusals
/// cannot be seen from outside, this is the evidence.
const ENOUGH_FRAMES: u64 = 8192;

/// Rounds of the scheduler for processes that the race has left in the kernel: one in which they act,
/// and one for the processes that they wake.
const ROUNDS_FOR_REST: u32 = 2;

/// A process that races.
#[derive(Clone, Copy, Debug)]
pub(super) struct Racer {
    pub(super) slot: Slot,
    /// Which of the race's steps it performs.
    pub(super) step: usize,
}

/// A hart in a race.
#[derive(Clone, Copy, Debug)]
struct Lane {
    hart: usize,
    /// The process that was last known to be there.
    process: Option<Process>,
    /// The lane with the highest priority runs.
    priority: i64,
    /// No process can run there for now: one waits at a hint, or none is runnable.
    rests: bool,
    /// The processes that have reached a hint there since a racer last reported.
    met: SlotSet,
}

/// A race under way.
struct Contest {
    lanes: Vec<Lane>,
    /// The racers that have not reported.
    unfinished: Vec<Racer>,
    /// Whether some of them may be in the scheduler's queue, where a timer interrupt finds them.
    queued: bool,
    /// The lowest priority so far.
    lowest: i64,
}

impl Driver {
    /// Performs the steps of `race` at once and fills `observation` with what was seen.
    pub fn perform_race(&mut self, race: &Race, observation: &mut Observation) {
        let pages = race.steps.iter().map(|step| step.pages).sum();
        self.observe(observation, pages, |driver| driver.race(race));
        let mut mappings = observation.mappings.take().unwrap_or_default();
        mappings.clear();
        if observation.failure.is_none() {
            self.list_mappings(None, &mut mappings);
            observation.mappings = Some(mappings);
            if race.looks_at_disk {
                observation.disk = Some(self.disk_content());
            }
        }
    }

    fn race(&mut self, race: &Race) -> Result<(), Failure> {
        if let Some(FrameAccounts::Linked { .. }) = self.guest.accounts {
            // From outside, the allocator's lock cannot be taken, so no frame may be hidden during a race.
            self.fail_no_frame();
            let free = self.free_frames();
            self.out_of_frames = free.is_some_and(|free| free < ENOUGH_FRAMES);
        }
        let racers: Vec<Racer> = race
            .priorities()
            .into_iter()
            .filter_map(|step| {
                let slot = Slot::of(race.steps[step].process)?;
                Some(Racer { slot, step })
            })
            .collect();
        let unfinished = if self.turns_by_sleep() {
            self.race_by_sleep(race, &racers)?
        } else {
            let contest = self.place(race, &racers)?;
            self.count_holders(race);
            self.contend(race, contest)?
        };
        // A process that has not reported may act in the first round, and end or wake others unseen.
        let more = if unfinished { ROUNDS_FOR_REST } else { 0 };
        self.settle(race.rounds + more)?;
        for racer in &racers {
            let step = &race.steps[racer.step];
            if !self.has_reported(step) {
                self.report_silence(racer.slot, step, None);
            }
        }
        Ok(())
    }

    fn has_reported(&self, step: &Step) -> bool {
        self.events.iter().any(|event| match event {
            Event::Returned { process, .. }
            | Event::Started { process, .. }
            | Event::Silent { process, .. } => *process == step.process,
            _ => false,
        })
    }

    /// Brings every racer to the start of its operation. Each gets its own hart while the schedule has harts.
    /// The others are in the scheduler's queue, one after another.
    fn place(&mut self, race: &Race, racers: &[Racer]) -> Result<Contest, Failure> {
        let harts = usize::from(race.schedule.harts()).min(self.guest.hardware.harts.value);
        if harts == 1 {
            self.leave_other_harts(racers)?;
        }
        let first_is_shared = harts < racers.len();
        let own_harts = FIRST_HART + usize::from(first_is_shared)..self.guest.hardware.harts.value;
        // A process that has its own hart stays there: with as many harts as processes, none could be
        // moved.
        let mut lanes = Vec::new();
        let mut waiting = Vec::new();
        for racer in racers {
            let stands = |hart: &usize| self.fronts[*hart] == Some(racer.slot);
            match own_harts.clone().find(stands) {
                Some(hart) => lanes.push((hart, *racer)),
                None => waiting.push(*racer),
            }
        }
        while lanes.len() + usize::from(first_is_shared) < harts {
            let taken = |hart: usize| lanes.iter().any(|(other, _)| *other == hart);
            let free = own_harts.clone().find(|hart| !taken(*hart));
            let Some((hart, at)) = self.bring_one_of(free, &waiting)? else {
                break;
            };
            lanes.push((hart, waiting.remove(at)));
        }
        for (hart, racer) in &lanes {
            self.prepare(*hart, racer.slot, &race.steps[racer.step].action);
        }
        let queued = waiting.len() > 1;
        lanes.extend(self.line_up(race, waiting)?);
        // The first of the racers has the highest priority.
        let rank = |slot: Slot| racers.iter().position(|racer| racer.slot == slot);
        let lanes = lanes.into_iter().map(|(hart, racer)| Lane {
            hart,
            process: racer.slot.process(),
            priority: -(rank(racer.slot).unwrap_or(0) as i64),
            rests: false,
            met: SlotSet::default(),
        });
        Ok(Contest {
            lanes: lanes.collect(),
            unfinished: racers.to_vec(),
            queued,
            lowest: -(racers.len() as i64),
        })
    }

    /// Makes racers on harts other than the first give way to the processes in the queue.
    fn leave_other_harts(&mut self, racers: &[Racer]) -> Result<(), Failure> {
        for hart in FIRST_HART + 1..self.fronts.len() {
            let races = |front: Slot| racers.iter().any(|racer| racer.slot == front);
            if self.fronts[hart].is_some_and(races) {
                self.next_process(hart)?;
            }
        }
        Ok(())
    }

    /// Switches processes on `hart` until one of `wanted` is there. Returns the hart, and the index of that racer.
    /// `None` if there is no hart, or if none of them comes.
    fn bring_one_of(
        &mut self,
        hart: Option<usize>,
        wanted: &[Racer],
    ) -> Result<Option<(usize, usize)>, Failure> {
        let Some(hart) = hart.filter(|_| !wanted.is_empty()) else {
            return Ok(None);
        };
        let mut met = SlotSet::default();
        while self.next_process(hart)? {
            let Some(front) = self.fronts[hart].filter(|front| met.insert(*front)) else {
                break;
            };
            if let Some(at) = wanted.iter().position(|racer| racer.slot == front) {
                return Ok(Some((hart, at)));
            }
        }
        Ok(None)
    }

    /// Prepares the racers that share the first hart, each when the scheduler brings it, and sends it back into the
    /// queue before its first instruction. The first of them comes last and stays. Returns that racer and its hart.
    fn line_up(
        &mut self,
        race: &Race,
        mut waiting: Vec<Racer>,
    ) -> Result<Option<(usize, Racer)>, Failure> {
        let Some(first) = waiting.first().copied() else {
            return Ok(None);
        };
        let hart = self.bring_to_front(first.slot)?;
        let mut last = None;
        if waiting.len() == 1 {
            last = hart.map(|hart| (hart, first));
        }
        while last.is_none()
            && let Some((hart, at)) = self.bring_one_of(hart, &waiting)?
        {
            let racer = waiting[at];
            if racer.slot == first.slot {
                last = Some((hart, first));
            } else {
                self.prepare(hart, racer.slot, &race.steps[racer.step].action);
                waiting.remove(at);
            }
        }
        if let Some((hart, racer)) = last {
            self.prepare(hart, racer.slot, &race.steps[racer.step].action);
            waiting.retain(|other| other.slot != racer.slot);
        }
        // A process that the scheduler does not bring has done nothing.
        for racer in waiting {
            let step = &race.steps[racer.step];
            self.events.push(silent(step, None, false));
        }
        Ok(last)
    }

    /// Runs the race until no process in it can continue. Returns whether a racer has not reported.
    fn contend(&mut self, race: &Race, mut contest: Contest) -> Result<bool, Failure> {
        let schedule = race.schedule;
        let begin = self.machine.steps();
        self.begin_recording(true);
        self.begin_meeting();
        let mut switches = schedule
            .switches()
            .iter()
            .copied()
            .map(u64::from)
            .peekable();
        let mut late = LateRace::default();
        for lane in &contest.lanes {
            self.fronts[lane.hart] = None;
        }
        while let Some(at) = contest.next() {
            let hart = contest.lanes[at].hart;
            let before = self.machine.steps() - begin;
            if before >= self.budget() && self.waits_in_vain(before, contest.order(), &mut late) {
                return Err(self.out_of_budget(hart));
            }
            let to_switch = switches.peek().map_or(u64::MAX, |switch| switch - before);
            let pause = self.run_hart(hart, to_switch.min(LONG_TURN))?;
            let now = self.machine.steps() - begin;
            let switched = switches.next_if(|switch| *switch <= now).is_some();
            while switches.next_if(|switch| *switch <= now).is_some() {}
            let process = contest.lanes[at].process;
            let end = match pause {
                Pause::Budget if switched => {
                    contest.give_way(at);
                    // A single hart can only give way to the processes in the queue.
                    if schedule.pre_empts() || contest.lanes.len() == 1 {
                        self.raise_timer(hart);
                        // Another process may be the next to ask for a frame there.
                        self.machine.clear_last_user_trap(hart);
                        contest.queued = true;
                        TurnEnd::PreEmpted
                    } else {
                        TurnEnd::GivesWay
                    }
                }
                Pause::Budget => {
                    contest.give_way(at);
                    TurnEnd::TooLong
                }
                Pause::Hint(slot) => {
                    self.arrive(hart, Some(slot))?;
                    let front = self.fronts[hart].unwrap_or(slot);
                    if contest.comes_to_hint(at, front) {
                        self.raise_timer(hart);
                        self.fronts[hart] = None;
                    }
                    TurnEnd::Arrives(front.process())
                }
                Pause::Asleep => {
                    self.arrive(hart, None)?;
                    contest.lanes[at].rests = true;
                    TurnEnd::Sleeps
                }
            };
            self.turns.push(Turn {
                hart,
                process,
                instructions: now - before,
                end,
                kernel_pc: self.kernel_pc(hart),
            });
        }
        self.end_recording();
        self.end_meeting(contest.lanes.len());
        Ok(!contest.unfinished.is_empty())
    }

    /// Where in the kernel a hart is; `None` in user mode.
    fn kernel_pc(&self, hart: usize) -> Option<u64> {
        let is_user = self.machine.privilege(hart) == Privilege::User;
        (!is_user).then(|| self.machine.pc(hart))
    }
}

impl Contest {
    /// The index of the lane that runs next. `None` if no process has anything to do.
    fn next(&self) -> Option<usize> {
        if self.unfinished.is_empty() && self.lanes.iter().all(|lane| lane.rests) {
            return None;
        }
        let awake = (0..self.lanes.len()).filter(|at| !self.lanes[*at].rests);
        awake.max_by_key(|at| self.lanes[*at].priority)
    }

    /// The harts by priority, the highest first, and whether each rests.
    fn order(&self) -> Vec<(usize, bool)> {
        let mut lanes: Vec<&Lane> = self.lanes.iter().collect();
        lanes.sort_by_key(|lane| std::cmp::Reverse(lane.priority));
        lanes.iter().map(|lane| (lane.hart, lane.rests)).collect()
    }

    /// Gives the lane's hart the lowest priority from now on.
    fn give_way(&mut self, at: usize) {
        self.lowest -= 1;
        self.lanes[at].priority = self.lowest;
    }

    /// Notes that `front` waits at a hint on the lane's hart. Returns whether it must be skipped, because a process that
    /// has not reported may be in the queue after it.
    fn comes_to_hint(&mut self, at: usize, front: Slot) -> bool {
        let before = self.unfinished.len();
        self.unfinished.retain(|racer| racer.slot != front);
        if self.unfinished.len() < before {
            self.lanes
                .iter_mut()
                .for_each(|lane| lane.met = SlotSet::default());
        }
        let running = self.lanes.iter().filter(|lane| !lane.rests).count() - 1;
        let lane = &mut self.lanes[at];
        lane.process = front.process();
        let new = lane.met.insert(front);
        let passes = self.queued && new && self.unfinished.len() > running;
        lane.rests = !passes;
        passes
    }
}
