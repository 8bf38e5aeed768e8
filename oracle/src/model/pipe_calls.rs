//! Pipes: making them, and moving bytes through them.

use super::lifecycle::straddles;
use super::open_file::Target;
use super::pipe::{Pipe, Way};
use super::{Access, Answer, FAILED, Model, Outcome, Waiting, Witness};
use crate::case::{Process, Reach};
use crate::dialect::{EmptyRead, RefusedByte, WithoutReader};
use crate::layout::PAGE_SIZE;

impl Model {
    /// Whether the operation would make a process sleep on a pipe, or the console, on which another sleeps already:
    /// which of them wakes first depends on the scheduler.
    pub(super) fn would_queue(&self, process: Process, fd: i8, way: Way) -> bool {
        if way == Way::Read && self.leads_to_console(process, fd) {
            return self.is_line_awaited();
        }
        let number = match self.file(process, fd) {
            Some(Target::Pipe { pipe, way: leads }) if leads == way => pipe,
            _ => return false,
        };
        Process::all().any(|other| match self.of(other).waiting {
            Some(Waiting::Byte { pipe, .. }) => way == Way::Read && pipe == number,
            Some(Waiting::Room { pipe, .. }) => way == Way::Write && pipe == number,
            _ => false,
        })
    }

    /// Whether a descriptor leads to a pipe.
    pub(super) fn is_pipe(&self, process: Process, fd: i8) -> bool {
        matches!(self.file(process, fd), Some(Target::Pipe { .. }))
    }

    pub(super) fn pipe(&mut self, process: Process, address: u64, witness: &Witness) {
        let room = self.has_room_for(2);
        let first = self.free_descriptor(process, 0);
        let second = first.and_then(|first| self.free_descriptor(process, first + 1));
        let (Some(first), Some(second), true) = (first, second, room) else {
            return self.returns(process, FAILED);
        };
        // The pipe itself may need a frame.
        if witness.excused_return(process, FAILED) {
            let space = &self.of(process).space;
            let (_, most) = space.reach(address, Reach::ENDS_BYTES, Access::Store, &self.world);
            self.unknown |= straddles(address, most);
            self.excused(process, Outcome::Returns(Answer::Exactly(FAILED)));
            return;
        }
        let mut bytes = [0; Reach::ENDS_BYTES as usize];
        bytes[..4].copy_from_slice(&(first as u32).to_le_bytes());
        bytes[4..].copy_from_slice(&(second as u32).to_le_bytes());
        if !self.hand_out(process, address, &bytes, false, witness) {
            return;
        }
        let number = self
            .pipes
            .iter()
            .position(Pipe::is_gone)
            .unwrap_or_else(|| {
                self.pipes.push(Pipe::default());
                self.pipes.len() - 1
            });
        let pipe = &mut self.pipes[number];
        (pipe.read_end, pipe.write_end) = (true, true);
        for (fd, way) in [(first, Way::Read), (second, Way::Write)] {
            self.add_file(process, fd, Target::Pipe { pipe: number, way });
        }
        self.returns(process, 0);
    }

    pub(super) fn read_pipe(
        &mut self,
        process: Process,
        pipe: usize,
        address: u64,
        length: i16,
        witness: &Witness,
    ) {
        let length = u64::try_from(length).unwrap_or(0);
        let at_most = length.min(u64::from(self.world.dialect.pipe.bytes));
        if self.finds_no_frame(process, address, at_most, Access::Store, witness) {
            return;
        }
        let at_once = self.world.dialect.pipe.empty_read_of_nothing == EmptyRead::Returns;
        if length == 0 && at_once {
            return self.returns(process, 0);
        }
        let waiting = Waiting::Byte {
            pipe,
            address,
            length,
        };
        self.wait_for(process, waiting, witness);
    }

    pub(super) fn try_to_read(
        &mut self,
        process: Process,
        number: usize,
        address: u64,
        length: u64,
        witness: &Witness,
    ) -> bool {
        let pipe = &self.pipes[number];
        if pipe.content.is_empty() && pipe.write_end {
            return false;
        }
        let wanted = length.min(pipe.content.len() as u64);
        let bad_first = self.world.dialect.pipe.read_to_bad_first_byte;
        self.wakes(process);
        let stop = Stop {
            done: 0,
            bad_first,
            answer: None,
        };
        let moved = self.transfer(process, address, wanted, Access::Store, &stop, witness);
        let Some(moved) = moved else {
            return true;
        };
        let lost = moved < wanted && self.world.dialect.pipe.refused_byte == RefusedByte::Lost;
        let content = &mut self.pipes[number].content;
        let bytes = &content.make_contiguous()[..moved as usize];
        self.processes[process.index()].space.write(address, bytes);
        content.drain(..moved as usize);
        if lost {
            content.pop_front();
        }
        true
    }

    pub(super) fn write_pipe(
        &mut self,
        process: Process,
        pipe: usize,
        address: u64,
        length: i16,
        witness: &Witness,
    ) {
        let length = u64::try_from(length).unwrap_or(0);
        if self.finds_no_frame(process, address, length, Access::Load, witness) {
            return;
        }
        let waiting = Waiting::Room {
            pipe,
            address,
            length,
            done: 0,
        };
        self.wait_for(process, waiting, witness);
    }

    /// Writes what there is room for; true if the operation is complete.
    pub(super) fn try_to_write(&mut self, process: Process, witness: &Witness) -> bool {
        let Some(Waiting::Room {
            pipe: number,
            address,
            length,
            done,
        }) = self.of(process).waiting
        else {
            return false;
        };
        let left = length - done;
        if left == 0 {
            self.wakes(process);
            self.returns(process, length);
            return true;
        }
        let pipe = &self.pipes[number];
        let room = u64::from(self.world.dialect.pipe.bytes) - pipe.content.len() as u64;
        let has_reader = pipe.read_end;
        let goes_on = self.world.dialect.pipe.write_without_reader == WithoutReader::FailsWhenFull;
        if !has_reader && (room == 0 || !goes_on) {
            self.wakes(process);
            self.returns(process, FAILED);
            return true;
        }
        if room == 0 {
            return false;
        }
        let now = left.min(room);
        let from = address.wrapping_add(done);
        if now < left {
            let is_complete = self.write_and_sleep(process, now, from, witness);
            return is_complete || (!has_reader && self.try_to_write(process, witness));
        }
        let stop = self.stop_of_write(done, length);
        self.wakes(process);
        let moved = self.transfer(process, from, now, Access::Load, &stop, witness);
        if let Some(moved) = moved {
            self.put(process, number, from, moved);
        }
        true
    }

    /// What a `write` of `length` bytes to a pipe returns if it stops, after `done` bytes.
    fn stop_of_write(&self, done: u64, length: u64) -> Stop {
        let rules = &self.world.dialect.pipe;
        Stop {
            done,
            bad_first: rules.write_to_bad_first_byte,
            answer: (rules.write_to_bad_first_byte > 0).then_some(length),
        }
    }

    /// The pipe takes `now` bytes and is full: the writer sleeps, unless it may not read them all.
    fn write_and_sleep(
        &mut self,
        process: Process,
        now: u64,
        from: u64,
        witness: &Witness,
    ) -> bool {
        let space = &self.of(process).space;
        let (_, most) = space.reach(from, now, Access::Load, &self.world);
        let excusable = witness.out_of_frames && space.may_need_frame(from, now, Access::Load);
        let Some(Waiting::Room {
            pipe: number,
            done,
            length,
            ..
        }) = self.of(process).waiting
        else {
            return false;
        };
        // A silent writer sleeps, unless the kernel said that it killed it; a writer that came back
        // with more than this has gone on.
        let came_back = match witness.returned(process) {
            // No process reads what it has written.
            Some(FAILED) if !self.pipes[number].read_end => false,
            Some(value) => value as i64 <= (done + now) as i64,
            None => witness.killed(process),
        };
        if most < now || (excusable && came_back) {
            let stop = self.stop_of_write(done, length);
            self.wakes(process);
            let moved = self.transfer(process, from, now, Access::Load, &stop, witness);
            if let Some(moved) = moved {
                self.put(process, number, from, moved);
            }
            return true;
        }
        self.put(process, number, from, now);
        if let Some(Waiting::Room { done, .. }) = &mut self.of_mut(process).waiting {
            *done += now;
        }
        // Not complete, but a reader may take what is there and make room.
        false
    }

    fn put(&mut self, process: Process, number: usize, from: u64, count: u64) {
        let model = &mut self.processes[process.index()];
        model.space.note_load(from, count);
        let bytes = (0..count).map(|at| model.space.byte(from.wrapping_add(at)));
        self.pipes[number].content.extend(bytes);
    }

    /// How many of the first `wanted` bytes of a line are moved to user memory, as of a pipe. A kernel may
    /// return 0 if it can store none.
    pub(super) fn transfer_line(
        &mut self,
        process: Process,
        address: u64,
        wanted: u64,
        witness: &Witness,
    ) -> Option<u64> {
        let stop = Stop {
            done: 0,
            bad_first: if witness.returned(process) == Some(0) {
                0
            } else {
                -1
            },
            answer: None,
        };
        self.transfer(process, address, wanted, Access::Store, &stop, witness)
    }

    /// How many of `wanted` bytes are moved between user memory and a pipe: all, or those before the
    /// first that may not be touched. Adds the reply with what the call then returns. `None`: the
    /// process died instead.
    fn transfer(
        &mut self,
        process: Process,
        address: u64,
        wanted: u64,
        access: Access,
        stop: &Stop,
        witness: &Witness,
    ) -> Option<u64> {
        let space = &self.of(process).space;
        let (least, most) = space.reach(address, wanted, access, &self.world);
        let answer = |moved: u64| match (stop.done + moved, stop.answer) {
            (_, Some(answer)) if moved < wanted => answer,
            (0, None) if moved < wanted => i64::from(stop.bad_first) as u64,
            (total, _) => total,
        };
        let seen = witness.returned(process);
        if seen == Some(answer(least)) {
            self.returns(process, answer(least));
            return Some(least);
        }
        if witness.out_of_frames && seen != Some(answer(most)) {
            // Without a frame it may stop where a page begins that needs one.
            let mut stops = stops(address, most).filter(|moved| {
                space.page_may_need_frame(address.wrapping_add(*moved) / PAGE_SIZE, access)
            });
            let stopped = stops.find(|moved| seen == Some(answer(*moved)));
            if let Some(moved) = stopped {
                let value = answer(moved);
                self.excused(process, Outcome::Returns(Answer::Exactly(value)));
                return Some(moved);
            }
            if witness.silent(process) && space.may_need_frame(address, most, access) {
                // How much it moved before it died is not known.
                self.unknown = true;
                self.dies_out_of_frames(process);
                return None;
            }
        }
        self.returns(process, answer(most));
        Some(most)
    }
}

/// What a call returns that moves bytes through a pipe and stops at one that it may not touch.
struct Stop {
    /// Bytes moved before.
    done: u64,
    /// The answer if not a byte was moved.
    bad_first: i8,
    /// The answer in any case, if the kernel does not tell how many bytes were moved.
    answer: Option<u64>,
}

/// How many of the `length` bytes at `address` lie before each page that they reach into: 0 first.
fn stops(address: u64, length: u64) -> impl Iterator<Item = u64> {
    let first_page_left = PAGE_SIZE - address % PAGE_SIZE;
    std::iter::once(0).chain((first_page_left..length).step_by(PAGE_SIZE as usize))
}
