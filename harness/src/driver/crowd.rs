//! Crowds: children of a process that the judge does not know by name. They sleep in the kernel, a few ticks at a time,
//! until they are told to go. Whenever one of them comes to its hint, it is sent on at once, so nobody else sees it.

use super::Driver;
use crate::agent::NAME_REGISTER;
use crate::guest::processes::Slot;
use abi::SystemCall;
use emulator::isa::csr;
use emulator::isa::register::{A0, A1, A7};
use oracle::{Action, Event, Failure, Observation, Step};

/// What the name register of a member holds.
const NAME: u64 = 0xfa17_c203_d000;

/// Ticks that a member sleeps at a time.
const NAP: u64 = 8;

/// Rounds, of at least a tick each, in which all members wake, load, and exit. One more for each that begins late.
const ROUNDS_TO_GO: u64 = NAP + 3;

const FORK: Action = Action::SystemCall {
    number: SystemCall::Fork.number(),
    arguments: [0; 3],
    child: None,
};

const WAIT: Action = Action::SystemCall {
    number: SystemCall::Wait.number(),
    arguments: [0; 3],
    child: None,
};

/// The crowd that stands.
#[derive(Clone, Debug)]
pub(super) struct Crowd {
    /// The name of their parent, which a child has until it is seen, and the parent's address space.
    founder: (u64, u64),
    members: Vec<Member>,
    /// How many were made.
    made: usize,
    /// What members do when they wake.
    order: Order,
}

#[derive(Clone, Copy, Debug)]
struct Member {
    satp: u64,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Sleeps,
    Loads,
    /// It was told to exit; what it loaded before, if that was asked.
    Leaves(Option<u8>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Stay,
    /// To load the byte at a virtual address, and to exit with it as the status.
    Look(u64),
    /// To exit with status 0.
    Go,
}

impl Crowd {
    /// The address spaces of all members that have been seen.
    pub(super) fn address_spaces(&self) -> impl Iterator<Item = u64> + '_ {
        self.members.iter().map(|member| member.satp)
    }

    fn have_left(&self) -> bool {
        let leaves = |member: &Member| matches!(member.stage, Stage::Leaves(_));
        self.members.len() == self.made && self.members.iter().all(leaves)
    }

    /// The member with that name register and address space. `value` is its `a0`.
    fn member(&mut self, name: u64, satp: u64, value: u64) -> Option<&mut Member> {
        let (parent, parents_space) = self.founder;
        let is_new = name == parent && satp != parents_space && value == 0;
        if is_new && self.members.len() < self.made {
            let stage = Stage::Sleeps;
            self.members.push(Member { satp, stage });
            return self.members.last_mut();
        }
        let mut members = self.members.iter_mut();
        members.find(|member| name == NAME && member.satp == satp)
    }
}

impl Driver {
    /// Sends a member of the crowd on that has come to its hint on `hart`. Returns false if it is somebody else.
    pub(super) fn sends_member_on(&mut self, hart: usize, name: u64) -> bool {
        let Some(crowd) = &mut self.crowd else {
            return false;
        };
        let satp = self.machine.csr(hart, csr::SATP).unwrap_or(0);
        let value = self.machine.x(hart, A0);
        let order = crowd.order;
        let Some(member) = crowd.member(name, satp, value) else {
            return false;
        };
        let stubs = &self.guest.agent.stubs;
        let call = |call: SystemCall, argument| (stubs.system_call, argument, call.number());
        let (pc, argument, number) = match (order, member.stage) {
            (Order::Stay, _) => call(SystemCall::Pause, NAP),
            (Order::Look(address), Stage::Sleeps) => {
                member.stage = Stage::Loads;
                self.machine.set_x(hart, A1, address);
                (stubs.load[0], 0, 0)
            }
            (Order::Look(_), _) => {
                member.stage = Stage::Leaves(Some(value as u8));
                call(SystemCall::Exit, value & 0xff)
            }
            (Order::Go, _) => {
                member.stage = Stage::Leaves(None);
                call(SystemCall::Exit, 0)
            }
        };
        let machine = &mut self.machine;
        machine.set_x(hart, NAME_REGISTER, NAME);
        machine.set_x(hart, A0, argument);
        machine.set_x(hart, A7, number);
        machine.set_pc(hart, pc);
        true
    }

    /// Lets the process of `step` make up to `most` children that join its crowd.
    pub(super) fn gather(&mut self, step: &Step, slot: Slot, most: u8) -> Result<(), Failure> {
        self.crowd = Some(Crowd {
            founder: (slot.name(), self.processes.get(slot).satp),
            members: Vec::new(),
            made: 0,
            order: Order::Stay,
        });
        let mut made = 0;
        while made < u64::from(most) {
            self.expect_members(1);
            match self.call_in(slot, &FORK)? {
                Some(pid) if (pid as i64) > 0 => self.crowd_seen.push(pid),
                Some(_) => {
                    self.expect_members(-1);
                    self.fork_failed = true;
                    break;
                }
                None => {
                    self.report_silence(slot, step, None);
                    return Ok(());
                }
            }
            made += 1;
        }
        if made == 0 {
            self.crowd = None;
        }
        self.return_from(slot, made);
        self.settle(1)
    }

    /// Lets every member load from `address` and exit, and the process of `step` wait for all.
    pub(super) fn disperse(
        &mut self,
        step: &Step,
        slot: Slot,
        address: u64,
        members: u64,
    ) -> Result<(), Failure> {
        self.send_crowd_away(Order::Look(address))?;
        let mut reaped = 0;
        while reaped < members {
            match self.call_in(slot, &WAIT)? {
                Some(pid) if (pid as i64) > 0 => self.crowd_seen.push(pid),
                Some(_) => break,
                None => {
                    self.report_silence(slot, step, None);
                    return Ok(());
                }
            }
            reaped += 1;
        }
        self.return_from(slot, reaped);
        self.crowd = None;
        self.settle(1)
    }

    /// Tells the crowd to go, if one stands, at the end of a case.
    pub(super) fn dismiss_crowd(&mut self) -> Result<(), Failure> {
        match self.crowd {
            Some(_) => self.send_crowd_away(Order::Go),
            None => Ok(()),
        }
    }

    /// How many members the crowd has that stands.
    pub(super) fn members_of_crowd(&self) -> usize {
        self.crowd.as_ref().map_or(0, |crowd| crowd.made)
    }

    /// What the step has seen of the crowd.
    pub(super) fn note_crowd(&mut self, observation: &mut Observation) {
        observation.crowd.clear();
        observation.crowd.append(&mut self.crowd_seen);
        observation.loaded_by_crowd.clear();
        observation.loaded_by_crowd.append(&mut self.crowd_loaded);
    }

    fn expect_members(&mut self, more: isize) {
        if let Some(crowd) = &mut self.crowd {
            crowd.made = crowd.made.saturating_add_signed(more);
        }
    }

    fn send_crowd_away(&mut self, order: Order) -> Result<(), Failure> {
        if let Some(crowd) = &mut self.crowd {
            crowd.order = order;
        }
        for _ in 0..ROUNDS_TO_GO {
            if self.crowd.as_ref().is_none_or(Crowd::have_left) {
                break;
            }
            self.round()?;
        }
        let members = self.crowd.iter().flat_map(|crowd| &crowd.members);
        let loaded = members.filter_map(|member| match member.stage {
            Stage::Leaves(loaded) => loaded,
            Stage::Sleeps | Stage::Loads => None,
        });
        self.crowd_loaded.extend(loaded);
        Ok(())
    }

    /// Makes a system call in a process and returns what it returns, without an event. `None` if it does not come back.
    fn call_in(&mut self, slot: Slot, call: &Action) -> Result<Option<u64>, Failure> {
        let Some(hart) = self.bring_to_front(slot)? else {
            return Ok(None);
        };
        self.prepare(hart, slot, call);
        let arrived = self.run_to_hint(hart)?;
        self.arrive(hart, arrived)?;
        if arrived != Some(slot) {
            return Ok(None);
        }
        let is_own = |event: &Event| matches!(event, Event::Returned { process, .. } if slot.process() == Some(*process));
        self.events.retain(|event| !is_own(event));
        Ok(Some(self.processes.get(slot).answer))
    }

    fn return_from(&mut self, slot: Slot, value: u64) {
        let process = slot.process();
        self.events
            .extend(process.map(|process| Event::Returned { process, value }));
    }
}
