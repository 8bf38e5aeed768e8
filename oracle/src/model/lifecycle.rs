//! Operations on processes: `fork`, `exit`, `wait`, `kill`; sleeping and waking.

use super::{
    Access, Answer, Death, Ended, FAILED, KILLED_STATUS, Model, Outcome, ProcessState, Waiting,
    Witness,
};
use crate::case::{Process, Reach, Target};
use crate::dialect::ExitStatus;
use crate::layout::PAGE_SIZE;

impl Model {
    pub(super) fn fork(&mut self, process: Process, child: Process, witness: &Witness) {
        if self.has_no_slot(process, witness) {
            return self.returns(process, FAILED);
        }
        if witness.excused_return(process, FAILED) {
            self.excused(process, Outcome::Returns(Answer::Exactly(FAILED)));
            return;
        }
        let above = self.last_pid;
        let answer = Answer::NewPid { above };
        let pid = match witness.returned(process) {
            Some(value) if answer.admits(value) => value,
            _ => above + 1,
        };
        self.last_pid = pid;
        let files = self.of(process).files;
        for number in files.into_iter().flatten() {
            self.open_files[number].holders += 1;
        }
        let [parent, newborn] = self
            .processes
            .get_disjoint_mut([process.index(), child.index()])
            .expect("a name that was never used is not the parent's");
        newborn.reset();
        newborn.state = ProcessState::Ready;
        newborn.born = true;
        newborn.pid = pid;
        newborn.parent = Some(process);
        newborn.files = files;
        newborn.directory = parent.directory;
        newborn.program_file = parent.program_file;
        newborn.high_half = parent.high_half;
        newborn.space.copy_from(&mut parent.space);
        self.reply(process, Outcome::Returns(answer));
        self.reply(child, Outcome::Born);
    }

    /// The process ends. Wakes nobody yet: a process that waits for it wakes later.
    pub(super) fn end(&mut self, process: Process, status: i32, death: Death) {
        let ended = Ended {
            step: self.step,
            death,
        };
        let model = self.of_mut(process);
        model.state = ProcessState::Zombie;
        model.waiting = None;
        model.status = status;
        model.ended = Some(ended);
        let files = std::mem::take(&mut model.files);
        for number in files.into_iter().flatten() {
            self.release(number);
        }
        for child in &mut self.processes {
            if child.parent == Some(process) {
                child.parent = None;
            }
        }
        if let Some(crowd) = &mut self.crowd
            && crowd.founder == Some(process)
        {
            crowd.founder = None;
        }
    }

    pub(super) fn kill(&mut self, process: Process, target: Target) {
        let Target::Process(target) = target else {
            return self.returns(process, FAILED);
        };
        match self.state_of(target) {
            ProcessState::Gone => return self.returns(process, FAILED),
            // It can still be found, until its parent waits for it.
            ProcessState::Zombie => return self.returns(process, 0),
            ProcessState::Ready | ProcessState::Blocked => {}
        }
        if target != process {
            self.returns(process, 0);
        }
        self.end(target, KILLED_STATUS, Death::Killed);
        self.reply(target, Outcome::Dies(Death::Killed));
    }

    /// Waits for a child; its status goes to that virtual address, if to any.
    pub(super) fn wait(&mut self, process: Process, status: Option<u64>, witness: &Witness) {
        // A null pointer asks for no status.
        let tells = self.world.dialect.wait.status != ExitStatus::Untold;
        let status = status.filter(|address| *address != 0 && tells);
        self.wait_for(process, Waiting::Child { status }, witness);
        let bytes = Reach::STATUS_BYTES;
        if let Some(address) = status
            && self.state_of(process) == ProcessState::Blocked
            && self.finds_no_frame(process, address, bytes, Access::Store, witness)
        {
            self.wakes(process);
        }
    }

    /// Sleeps for something; what is there already wakes it at once.
    pub(super) fn wait_for(&mut self, process: Process, waiting: Waiting, witness: &Witness) {
        let model = self.of_mut(process);
        model.state = ProcessState::Blocked;
        model.waiting = Some(waiting);
        self.try_to_wake(process, witness);
    }

    /// Wakes every process that can go on, and those that these processes wake in turn.
    pub(super) fn wake_up(&mut self, witness: &Witness) {
        loop {
            let mut woken = false;
            for process in Process::all() {
                woken |= self.of(process).waiting.is_some() && self.try_to_wake(process, witness);
            }
            if !woken {
                return;
            }
        }
    }

    /// Lets a sleeper complete its operation, if it can now.
    fn try_to_wake(&mut self, process: Process, witness: &Witness) -> bool {
        match self.of(process).waiting {
            None => false,
            Some(Waiting::Child { status }) => self.try_to_reap(process, status, witness),
            Some(Waiting::Byte {
                pipe,
                address,
                length,
            }) => self.try_to_read(process, pipe, address, length, witness),
            Some(Waiting::Room { .. }) => self.try_to_write(process, witness),
            Some(Waiting::Line { address, length }) => {
                self.try_to_read_line(process, address, length, witness)
            }
            Some(Waiting::Ticks) => {
                let up = witness.is_ideal() || witness.returned(process).is_some();
                if up {
                    self.wakes(process);
                    self.returns(process, 0);
                }
                up
            }
        }
    }

    pub(super) fn wakes(&mut self, process: Process) {
        let model = self.of_mut(process);
        model.state = ProcessState::Ready;
        model.waiting = None;
    }

    fn try_to_reap(&mut self, process: Process, status: Option<u64>, witness: &Witness) -> bool {
        let children = || Process::all().filter(|child| self.of(*child).parent == Some(process));
        let zombies = || children().filter(|child| self.state_of(*child) == ProcessState::Zombie);
        if !self.has_children(process) {
            self.wakes(process);
            self.returns(process, FAILED);
            return true;
        }
        // Any zombie will do.
        let seen = zombies().find(|child| Some(self.of(*child).pid) == witness.returned(process));
        let Some(child) = seen.or_else(|| zombies().next()) else {
            return false;
        };
        let told = |child| match self.world.dialect.wait.status {
            ExitStatus::Told => self.of(child).status,
            ExitStatus::Zero | ExitStatus::Untold => 0,
        };
        let bytes = told(child).to_le_bytes();
        let zombies_differ = zombies().any(|other| told(other).to_le_bytes() != bytes);
        self.wakes(process);
        if let Some(address) = status
            && !self.hand_out(process, address, &bytes, zombies_differ, witness)
        {
            return true;
        }
        let pid = self.of(child).pid;
        let gone = self.of_mut(child);
        gone.state = ProcessState::Gone;
        gone.parent = None;
        self.returns(process, pid);
        true
    }

    /// Copies the answer of a system call to user memory: all of it, or what comes before memory that
    /// may not be stored to. In that case the call fails, and this adds the reply. `ambiguous`: a
    /// kernel might have chosen other bytes.
    pub(super) fn hand_out(
        &mut self,
        process: Process,
        address: u64,
        bytes: &[u8],
        ambiguous: bool,
        witness: &Witness,
    ) -> bool {
        let length = bytes.len() as u64;
        let space = &self.of(process).space;
        let (least, most) = space.reach(address, length, Access::Store, &self.world);
        let refused = witness.returned(process) == Some(FAILED);
        let excusable = witness.out_of_frames && space.may_need_frame(address, most, Access::Store);
        if excusable && (refused || witness.silent(process)) {
            // It may have been refused for both reasons, or for the bad address only, while the
            // frame was refused to the process that woke it.
            let other_reason = most > 0 && most < length && process != self.actor;
            self.unknown |= straddles(address, most) || other_reason;
            if refused {
                self.excused(process, Outcome::Returns(Answer::Exactly(FAILED)));
            } else {
                self.dies_out_of_frames(process);
            }
            return false;
        }
        let written = if refused { least } else { most };
        if written < length {
            // Refused either way: how much was written before that is not known.
            let cannot_be_told = least != most && most < length;
            self.unknown |= cannot_be_told || (ambiguous && written > 0);
            let written = &bytes[..written as usize];
            self.of_mut(process).space.write(address, written);
            self.returns(process, FAILED);
            return false;
        }
        self.of_mut(process).space.write(address, bytes);
        true
    }

    /// The kernel has put other bytes there, which is known: memory is what it is.
    pub(crate) fn take_over(&mut self, process: Process, address: u64, bytes: &[u8]) {
        self.of_mut(process).space.overwrite(address, bytes);
    }
}

/// Whether bytes lie in two pages: if a frame is refused on the way, it is not known how many
/// of them were written. In one page, none were.
pub(super) fn straddles(address: u64, length: u64) -> bool {
    PAGE_SIZE - address % PAGE_SIZE < length
}
