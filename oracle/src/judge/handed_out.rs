//! What a system call has just stored to user memory: it must not reveal the kernel's own bytes.
//!
//! A `struct stat` of C has four bytes of padding between its members. A kernel that fills one on its
//! stack and copies it as a whole reveals what its stack held there (CERT C, DCL39-C).

use super::{Aftermath, Clause, Extent, Fate, Judge, Situation};
use crate::case::{Call, Kind, Process};
use crate::dialect::ExitStatus;
use crate::layout::page_floor;
use crate::model::{Access, Answer, FAILED, Outcome};
use std::ops::Range;

/// The bytes of a `struct stat` that belong to no member.
const PADDING: Range<u64> = 12..16;
const PADDING_BYTES: usize = 4;

/// The situation of all findings about the padding. A campaign does not steer around it.
const PADDING_LEAKS: Situation = Situation {
    kind: Kind::Fstat,
    page: None,
    fate: Fate::GoesOn,
    extent: Extent::Nothing,
};

impl Judge {
    /// Where the current operations may have stored the padding of a file's status, with the process whose memory
    /// it is. If the memory has no room for the whole status, only the first bytes of the padding count.
    pub fn paddings_written(&self) -> impl Iterator<Item = (Process, Range<u64>)> {
        let racing = self.race.iter();
        let in_hand = self.planned.iter().filter(|_| self.race.is_empty());
        racing.chain(in_hand).filter_map(|planned| {
            let process = planned.operation.process;
            let Call::Fstat { address, .. } = planned.operation.call else {
                return None;
            };
            let address = self.model.resolve(process, address);
            let (space, world) = (self.model.space(process), &self.model.world);
            let (_, room) = space.reach(address, PADDING.end, Access::Store, world);
            Some((process, address + PADDING.start.min(room)..address + room))
        })
    }

    /// Compares the padding of a status with the bytes that were there before, or with zero. If the kernel has
    /// revealed bytes of its own, that is noted, and the model takes them over.
    pub fn compare_padding(&mut self, process: Process, address: u64, seen: &[u8]) {
        let mut wanted = [0; PADDING_BYTES];
        let wanted = &mut wanted[..seen.len().min(PADDING_BYTES)];
        self.model.space(process).peek(address, wanted);
        if seen == wanted || self.model.is_unknown() || self.is_in_doubt() {
            return;
        }
        let bytes = |bytes: &[u8]| {
            let bytes = bytes.iter().map(|byte| format!("{byte:02x}"));
            bytes.collect::<Vec<_>>().join(" ")
        };
        let mut finding = self.finding(
            Clause::PageContent,
            process,
            format!("the padding bytes of the status are {}", bytes(wanted)),
            format!(
                "they are {}: the kernel reveals bytes of its own memory",
                bytes(seen)
            ),
        );
        finding.subject = Some(page_floor(address));
        finding.signature.page = None;
        finding.signature.situation = Some(PADDING_LEAKS);
        self.model.take_over(process, address, seen);
        // In another world nothing may have been written.
        if !self.following.has_worlds() {
            self.following.note(finding, Aftermath::GoesOn);
        }
    }

    /// Where `wait` has just stored the exit status of a child, with the process whose memory it is. A kernel that tells no
    /// status may be given any address: it does not look at it.
    pub fn statuses_written(&self) -> impl Iterator<Item = (Process, u64)> {
        let tells = self.model.world.dialect.wait.status != ExitStatus::Untold;
        let replies = self.model.replies().iter().filter(move |_| tells);
        replies.filter_map(|reply| {
            let process = reply.process;
            let has_reaped = matches!(
                reply.outcome,
                Outcome::Returns(Answer::Exactly(pid)) if pid != FAILED
            );
            let waited = self.last_of(process).filter(|_| has_reaped)?;
            let Call::Wait {
                status: Some(status),
            } = waited.operation.call
            else {
                return None;
            };
            let address = self.model.resolve(process, status);
            (address != 0).then_some((process, address))
        })
    }

    /// Compares the exit status that `wait` has stored for `process`. If it is wrong, that is noted, and the model
    /// takes it over.
    pub fn compare_status(&mut self, process: Process, address: u64, seen: [u8; 4]) {
        let mut wanted = [0; 4];
        self.model.space(process).peek(address, &mut wanted);
        let is_judged = !self.model.is_unknown() && !self.following.has_worlds();
        if seen == wanted || !is_judged || self.is_in_doubt() {
            return;
        }
        let [wanted, seen_status] = [wanted, seen].map(i32::from_le_bytes);
        // The model follows a kernel that stores wrong statuses. It is right where it stores the right one.
        if self.status_of_reaped(process) == Some(seen_status) {
            return self.model.take_over(process, address, &seen);
        }
        let at = self.last_of(process);
        let mut finding = self.finding_at(
            at,
            Clause::ExitStatus,
            process,
            format!("wait stores the exit status {wanted}"),
            format!("it stores {seen_status}"),
        );
        finding.subject = Some(page_floor(address));
        self.model.take_over(process, address, &seen);
        self.following.note(finding, Aftermath::GoesOn);
    }

    /// The status with which the child ended that `wait` has just returned to `process`.
    fn status_of_reaped(&self, process: Process) -> Option<i32> {
        let mut replies = self.model.replies().iter();
        let reply = replies.find(|reply| reply.process == process)?;
        let Outcome::Returns(Answer::Exactly(pid)) = reply.outcome else {
            return None;
        };
        let mut children = Process::all();
        let child = children.find(|child| self.model.pid_of(*child) == Some(pid))?;
        Some(self.model.status_of(child))
    }
}
