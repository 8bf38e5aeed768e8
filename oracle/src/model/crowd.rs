//! Crowds: many children that share the memory of their parent and only live, and the table in which a kernel keeps its
//! processes.

use super::{AddressSpace, Answer, FAILED, Leave, Model, Outcome, ProcessState, Witness};
use crate::case::{Access, Process};
use std::num::NonZeroU8;
use std::ops::Range;

/// The children that a process has made with one operation, and that live.
#[derive(Clone, Debug)]
pub(crate) struct Crowd {
    /// Their parent. `None`: it has ended, and they are the supervisor's.
    pub(crate) founder: Option<Process>,
    /// How many they are, at least 1.
    pub(crate) members: u64,
    /// Their process identifiers lie in this range.
    pub(crate) identifiers: Range<u64>,
    /// The memory of each.
    space: AddressSpace,
}

/// What each member of a crowd had to find at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    /// The virtual address.
    pub(crate) address: u64,
    /// How many members had to look.
    pub(crate) members: u64,
    /// The byte there.
    pub(crate) byte: u8,
    /// Whether they could load it.
    pub(crate) leave: Leave,
}

impl Model {
    /// A process makes so many children, or as many as the kernel has room for.
    pub(super) fn gather(&mut self, process: Process, members: NonZeroU8, witness: &Witness) {
        let wanted = u64::from(members.get());
        let room = self.room_for_processes();
        let most = room.map_or(wanted, |room| room.min(wanted));
        let fewer = witness.returned(process).filter(|made| *made < most);
        let made = match fewer {
            Some(made) if witness.out_of_frames || room.is_none() => {
                self.excused(process, Outcome::Returns(Answer::Exactly(made)));
                made
            }
            _ => {
                self.returns(process, most);
                most
            }
        };
        if made == 0 {
            return;
        }
        let above = self.last_pid;
        let last = witness.last_of_crowd.filter(|last| *last > above);
        self.last_pid = last.unwrap_or(above + made);
        let mut space = self.of(process).space.clone();
        space.copy_from(&mut self.of_mut(process).space);
        self.crowd = Some(Box::new(Crowd {
            founder: Some(process),
            members: made,
            identifiers: above + 1..self.last_pid + 1,
            space,
        }));
    }

    /// Whether a process can tell its crowd to load from there and go: no other child that has ended may be reaped instead
    /// of a member.
    pub(super) fn can_disperse(&self, process: Process, address: u64) -> bool {
        self.is_founder(process)
            && !self.has_zombies(process)
            && !self.is_shared_page(process, address)
    }

    /// Each member loads the byte at a virtual address and exits, and the process waits for all.
    pub(super) fn disperse(&mut self, process: Process, address: u64) {
        let Some(crowd) = self.crowd.take() else {
            return;
        };
        let space = &crowd.space;
        self.look = Some(Look {
            address,
            members: crowd.members,
            byte: space.byte(address),
            leave: space.leave_to_program(address, 1, Access::Load, &self.world),
        });
        self.returns(process, crowd.members);
    }

    /// What the members of the crowd had to find that the last operation has dispersed.
    pub(crate) fn look(&self) -> Option<Look> {
        self.look
    }

    /// The crowd that stands.
    pub(crate) fn crowd(&self) -> Option<&Crowd> {
        self.crowd.as_deref()
    }

    /// The process identifiers of the crowd that stands, if they follow one another.
    pub fn members_of_crowd(&self) -> Range<u64> {
        let crowd = self.crowd.as_ref();
        crowd.map_or(0..0, |crowd| crowd.identifiers.clone())
    }

    /// What the members loaded of the crowd that was dispersed last. Nothing if they were killed for it.
    pub fn loaded_by_crowd(&self) -> Vec<u8> {
        let look = self.look.filter(|look| look.leave != Leave::Refused);
        look.map_or_else(Vec::new, |look| vec![look.byte; look.members as usize])
    }

    /// Whether a process has children, in a crowd or by name.
    pub(super) fn has_children(&self, process: Process) -> bool {
        let is_child = |child| self.of(child).parent == Some(process);
        self.is_founder(process) || Process::all().any(is_child)
    }

    /// The parent of the crowd that stands, if it lives.
    pub(crate) fn founder(&self) -> Option<Process> {
        self.crowd.as_ref().and_then(|crowd| crowd.founder)
    }

    fn is_founder(&self, process: Process) -> bool {
        self.founder() == Some(process)
    }

    /// How many more processes the kernel has room for, if that is known. One that has ended needs its place until it
    /// is reaped.
    fn room_for_processes(&self) -> Option<u64> {
        let most = self.world.most_processes?;
        let is_there = |process: &Process| self.state_of(*process) != ProcessState::Gone;
        let named = Process::all().filter(is_there).count() as u64;
        let crowd = self.crowd.as_ref().map_or(0, |crowd| crowd.members);
        Some(most.saturating_sub(named + crowd))
    }

    /// Whether a `fork` fails because the kernel has no room for another process.
    pub(super) fn has_no_slot(&self, process: Process, witness: &Witness) -> bool {
        match self.room_for_processes() {
            Some(room) => room == 0,
            // Beside a crowd there may be none, and nobody knows.
            None => self.crowd.is_some() && witness.returned(process) == Some(FAILED),
        }
    }
}
