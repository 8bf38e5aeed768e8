//! What each operation means: when it applies, what it does, when it is sure to come back.

use super::{
    Access, Answer, Death, FAILED, Leave, Model, Outcome, PIDS, ProcessState, Waiting, Way,
    Witness, is_no_call,
};
use crate::case::{Call, Operation, Process, Reach, Target};
use crate::dialect::BadBuffer;
use crate::layout::{AGENT_CODE, PAGE_SIZE, Permissions};
use abi::file_system::Kind;

impl Model {
    /// Performs an operation's call.
    pub(super) fn dispatch(&mut self, process: Process, call: &Call, witness: &Witness) {
        match *call {
            Call::Sbrk { amount, flavour } => self.sbrk(process, amount, flavour, witness),
            Call::Load { width, address } => {
                let address = self.resolve(process, address);
                self.load(process, address, width, witness);
            }
            Call::Store {
                width,
                address,
                value,
            } => {
                let address = self.resolve(process, address);
                self.store(process, address, width, value, witness);
            }
            Call::Fetch { address } => {
                let address = self.resolve(process, address);
                self.fetch(process, address, witness);
            }
            Call::TouchRead {
                address,
                count,
                stride,
            } => {
                let address = self.resolve(process, address);
                self.touch(process, address, count.get(), stride, false, witness);
            }
            Call::TouchWrite {
                address,
                count,
                stride,
            } => {
                let address = self.resolve(process, address);
                self.touch(process, address, count.get(), stride, true, witness);
            }
            Call::Fork { child } => self.fork(process, child, witness),
            Call::Exit { status } => {
                self.end(process, status, Death::Exited);
                self.reply(process, Outcome::Dies(Death::Exited));
            }
            Call::Wait { status } => {
                let status = status.map(|address| self.resolve(process, address));
                self.wait(process, status, witness);
            }
            Call::Kill { target } => self.kill(process, target),
            Call::Getpid => {
                let pid = self.of(process).pid;
                self.returns(process, pid);
            }
            Call::Pipe { address } => {
                let address = self.resolve(process, address);
                if !self.refuses_buffer(process, address, Reach::ENDS_BYTES, Access::Store) {
                    self.pipe(process, address, witness);
                }
            }
            Call::Read {
                fd,
                address,
                length,
            } => {
                let address = self.resolve(process, address);
                let buffer = (fd, address, length, Access::Store);
                if !self.refuses_transfer(process, buffer, witness) {
                    self.read(process, fd, address, length, witness);
                }
            }
            Call::Write {
                fd,
                address,
                length,
            } => {
                let address = self.resolve(process, address);
                let buffer = (fd, address, length, Access::Load);
                if !self.refuses_transfer(process, buffer, witness) {
                    self.write(process, fd, address, length, witness);
                }
            }
            Call::Close { fd } => self.close(process, fd),
            Call::Dup { fd } => self.dup(process, fd),
            Call::String {
                address,
                text,
                terminated,
            } => {
                let address = self.resolve(process, address);
                self.store_string(process, address, text, terminated, witness);
            }
            Call::Point { address, target } => {
                let address = self.resolve(process, address);
                let target = self.resolve(process, target).to_le_bytes();
                self.store_bytes(process, address, &target, witness);
            }
            Call::Open {
                address,
                mode,
                flags,
            } => {
                let address = self.resolve(process, address);
                self.open(process, address, mode, flags, witness);
            }
            Call::Link { address, new } => {
                let address = self.resolve(process, address);
                let new = self.resolve(process, new);
                self.link(process, address, new, witness);
            }
            Call::Unlink { address } => {
                let address = self.resolve(process, address);
                self.unlink(process, address, witness);
            }
            Call::Mkdir { address } => {
                let address = self.resolve(process, address);
                self.make_node(process, address, Kind::Directory, 0, witness);
            }
            Call::Mknod { address, major } => {
                let address = self.resolve(process, address);
                self.make_node(process, address, Kind::Device, major, witness);
            }
            Call::Fstat { fd, address } => {
                let address = self.resolve(process, address);
                self.fstat(process, fd, address, witness);
            }
            Call::Chdir { address } => {
                let address = self.resolve(process, address);
                self.chdir(process, address, witness);
            }
            Call::Exec { address, arguments } => {
                let address = self.resolve(process, address);
                let arguments = self.resolve(process, arguments);
                self.exec(process, address, arguments, witness);
            }
            Call::Crowd { members } => self.gather(process, members, witness),
            Call::Disperse { address } => {
                let address = self.resolve(process, address);
                self.disperse(process, address);
            }
            Call::Unknown { .. } => self.returns(process, FAILED),
            Call::HighHalf { word } => {
                self.set_high_half(process, word);
                self.reply(process, Outcome::Stays);
            }
            Call::Type { keys } => {
                self.types(keys);
                self.reply(process, Outcome::Stays);
            }
            Call::Blocks { free } => {
                self.files.leave_blocks(free.into());
                self.reply(process, Outcome::Stays);
            }
            Call::PowerCut { .. } => {
                self.power_cuts += 1;
                self.reply(process, Outcome::Stays);
            }
            Call::Yield { .. }
            | Call::Stack { .. }
            | Call::Machine { .. }
            | Call::Frames { .. }
            | Call::FailFrame { .. }
            | Call::Together { .. } => {
                self.reply(process, Outcome::Stays);
            }
            Call::Uptime => {
                let least = self.last_uptime;
                self.last_uptime = witness
                    .returned(process)
                    .map_or(least, |now| now.max(least));
                self.reply(process, Outcome::Returns(Answer::AtLeast(least)));
            }
            Call::Pause { ticks } if ticks <= 0 => self.returns(process, 0),
            Call::Pause { .. } => self.wait_for(process, Waiting::Ticks, witness),
        }
    }

    /// Whether an operation can be performed now, with an outcome that does not depend on the order
    /// in which others happen to run.
    pub fn applies(&self, operation: &Operation) -> bool {
        let process = operation.process;
        if let Call::Type { keys } = operation.call {
            return self.can_type(keys);
        }
        if let Call::Machine { variation } = operation.call {
            return self.world.variations.contains(&variation);
        }
        if let Call::PowerCut { .. } = operation.call {
            return self.can_cut_power();
        }
        if let Call::Blocks { .. } = operation.call {
            return self.files.can_leave_blocks();
        }
        if operation.call.is_done_to_all() {
            return true;
        }
        if self.state_of(process) != ProcessState::Ready || self.may_change_agent(operation) {
            return false;
        }
        let address = operation.call.address();
        if address.is_some_and(|at| self.is_shared_page(process, self.resolve(process, at))) {
            return false;
        }
        match operation.call {
            Call::Fork { child } => !self.of(child).born,
            Call::Crowd { .. } => self.crowd.is_none(),
            Call::Disperse { address } => {
                self.can_disperse(process, self.resolve(process, address))
            }
            Call::Kill {
                target: Target::Process(target),
            } => self.of(target).born,
            Call::Kill {
                target: Target::Pid(pid),
            } => !PIDS.contains(&pid),
            Call::Fetch { address } => self.fetch_is_known(process, self.resolve(process, address)),
            Call::Sbrk { amount, flavour } => self.sbrk_can_be_driven(process, amount, flavour),
            Call::Read { fd, .. } => {
                !self.would_queue(process, fd, Way::Read) && !self.has_lost_offset(process, fd)
            }
            Call::Write { fd, length, .. } => {
                self.write_is_known(process, fd, length)
                    && !self.has_lost_offset(process, fd)
                    && !self.writes_long_to_console(process, fd, length)
                    && !self.would_queue(process, fd, Way::Write)
                    // How much of a bad buffer a kernel shows depends on how it splits the buffer.
                    && (!self.leads_to_console(process, fd) || self.may_touch_all(operation))
            }
            Call::Open {
                address,
                mode,
                flags,
            } => self.open_is_known(process, self.resolve(process, address), mode, flags),
            Call::Unknown { number } => is_no_call(number.resolve(self.layout(process), 0) as u64),
            Call::Exec { address, .. } => {
                self.exec_is_known(process, self.resolve(process, address))
            }
            Call::Load { .. }
            | Call::Store { .. }
            | Call::TouchRead { .. }
            | Call::TouchWrite { .. }
            | Call::Exit { .. }
            | Call::Wait { .. }
            | Call::Getpid
            | Call::Pipe { .. }
            | Call::Close { .. }
            | Call::Dup { .. }
            | Call::String { .. }
            | Call::Point { .. }
            | Call::Link { .. }
            | Call::Unlink { .. }
            | Call::Mkdir { .. }
            | Call::Mknod { .. }
            | Call::Fstat { .. }
            | Call::Chdir { .. }
            | Call::Yield { .. }
            | Call::Uptime
            | Call::Pause { .. }
            | Call::HighHalf { .. }
            | Call::Stack { .. }
            | Call::Type { .. }
            | Call::Machine { .. }
            | Call::Frames { .. }
            | Call::FailFrame { .. }
            | Call::Blocks { .. }
            | Call::PowerCut { .. }
            | Call::Together { .. } => true,
        }
    }

    /// Whether it is certain, without performing the operation, that its process comes back on a
    /// perfect kernel. `false` says nothing.
    pub(crate) fn surely_completes(&self, operation: &Operation) -> bool {
        let process = operation.process;
        match operation.call {
            Call::Load { .. }
            | Call::Store { .. }
            | Call::TouchRead { .. }
            | Call::TouchWrite { .. }
            | Call::String { .. }
            | Call::Point { .. } => self.may_touch_all(operation),
            Call::Kill { target } => target != Target::Process(process),
            Call::Wait { .. } => !self.has_children(process),
            Call::Read { fd, .. } | Call::Write { fd, .. } => {
                !self.is_pipe(process, fd) && !self.leads_to_console(process, fd)
            }
            // A program may have no first instruction.
            Call::Fetch { .. } | Call::Exit { .. } | Call::Exec { .. } => false,
            Call::Sbrk { .. }
            | Call::Fork { .. }
            | Call::Crowd { .. }
            | Call::Disperse { .. }
            | Call::Getpid
            | Call::Pipe { .. }
            | Call::Close { .. }
            | Call::Dup { .. }
            | Call::Open { .. }
            | Call::Link { .. }
            | Call::Unlink { .. }
            | Call::Mkdir { .. }
            | Call::Mknod { .. }
            | Call::Fstat { .. }
            | Call::Chdir { .. }
            | Call::Yield { .. }
            | Call::Uptime
            | Call::Pause { .. }
            | Call::Unknown { .. }
            | Call::HighHalf { .. }
            | Call::Stack { .. }
            | Call::Type { .. }
            | Call::Machine { .. }
            | Call::Frames { .. }
            | Call::FailFrame { .. }
            | Call::Blocks { .. }
            | Call::PowerCut { .. }
            | Call::Together { .. } => true,
        }
    }

    /// Refuses a read or write before a byte moves, if a kernel must or may. Returns whether it did.
    /// A buffer is a descriptor, an address, a length and what is done to memory there.
    fn refuses_transfer(
        &mut self,
        process: Process,
        buffer: (i8, u64, i16, Access),
        witness: &Witness,
    ) -> bool {
        let (_, address, length, access) = buffer;
        let bytes = u64::try_from(length).unwrap_or(0);
        self.refuses_buffer(process, address, bytes, access)
            || self.refuses_no_bytes(process, buffer, witness)
    }

    /// Refuses a system call whose buffer is bad in part, on a kernel that looks at all of it first.
    /// Returns whether it did.
    fn refuses_buffer(
        &mut self,
        process: Process,
        address: u64,
        length: u64,
        access: Access,
    ) -> bool {
        if self.world.dialect.files.bad_buffer == BadBuffer::DoneInPart {
            return false;
        }
        let space = &self.of(process).space;
        let refused = space.leave(address, length, access, &self.world) == Leave::Refused;
        let (_, good) = space.reach(address, length.max(1), access, &self.world);
        // The kernel touches what it looks at, even if the call fails.
        self.of_mut(process).space.note_perhaps(address, good);
        if refused {
            self.returns(process, FAILED);
        }
        refused
    }

    /// Lets a kernel refuse to move no bytes if not even one could be moved, or a negative number through a
    /// pipe: POSIX leaves it open whether such a call finds the error. Returns whether the kernel did.
    fn refuses_no_bytes(
        &mut self,
        process: Process,
        (fd, address, length, access): (i8, u64, i16, Access),
        witness: &Witness,
    ) -> bool {
        let may_refuse = match length {
            0 => {
                let space = &self.of(process).space;
                space.leave(address, 1, access, &self.world) != Leave::Granted
            }
            _ => length < 0 && self.is_pipe(process, fd),
        };
        let refused = may_refuse && witness.returned(process) == Some(FAILED);
        if refused {
            self.returns(process, FAILED);
        }
        refused
    }

    /// Whether `address` lies in a page that the kernel has for every program.
    pub(crate) fn is_shared_page(&self, process: Process, address: u64) -> bool {
        let trapframe = self.layout(process).trapframe;
        let bytes = self.world.dialect.exec.shared_pages * PAGE_SIZE;
        (trapframe - bytes..trapframe).contains(&address)
    }

    /// Whether an operation may change the agent's own code, as it can where a program may store to
    /// its text: what the process does next would not be known.
    fn may_change_agent(&self, operation: &Operation) -> bool {
        let process = operation.process;
        let text = self.space(process).permissions(0, &self.world);
        let hits = |reach: Reach| {
            reach.access == Access::Store
                && self.resolve(process, reach.address) < AGENT_CODE as u64
        };
        text.is_some_and(|text| text.contains(Permissions::WRITE))
            && operation.call.reaches().any(hits)
    }
}
