//! The eager model: simple, and obviously correct.
//!
//! Memory is there from the moment it is asked for, frames never run out, nothing is shared. The
//! model performs an operation and says what must become of every process concerned. Where the
//! envelope leaves the kernel a choice, it takes the one that a [`Witness`] saw, if that is legal;
//! without a witness it foretells the ideal.

mod file_calls;
mod file_system;
mod file_writes;
mod history;
mod lifecycle;
mod memory_calls;
mod open_file;
mod page_state;
mod pages;
mod path_calls;
mod pipe;
mod pipe_calls;
mod process;
mod program_calls;
mod race;
mod space;
mod strings;
mod witness;

pub use page_state::PageState;
pub use process::{Death, Ended, ProcessState};
pub use witness::{Answer, FAILED, Outcome, Reply, Witness};

pub(crate) use memory_calls::{BreakMove, EAGER_PAGES};
pub(crate) use pages::{PageSet, pages_of};
pub(crate) use pipe::Way;
pub(crate) use process::Waiting;
pub(crate) use space::{Access, AddressSpace, Leave};

use crate::case::{Call, Operation, Process, Target};
use crate::dialect::{BadBuffer, Dialect};
use crate::layout::{AGENT_CODE, Layout, PAGE_SIZE, Permissions};
use crate::program_file::Program;
use crate::setting::Setting;
use abi::file_system::Kind;
use file_system::FileSystem;
use open_file::OpenFile;
use pipe::Pipe;
use process::ProcessModel;
use program_calls::NewStack;
use std::ops::Range;
use std::sync::Arc;

/// Bytes of the two descriptors that `pipe` answers with.
const ENDS_BYTES: i16 = 8;

/// What does not change during a case.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) dialect: Dialect,
    pub(crate) first_pid: u64,
    pub(crate) booted: Arc<Program>,
    /// The inode of the file that the supervisor runs from, and process `a` when a case starts.
    pub(crate) supervisor_file: u32,
}

/// The eager model of one kernel and the processes of one case.
#[derive(Clone, Debug)]
pub struct Model {
    pub(crate) world: Arc<World>,
    pub(crate) files: FileSystem,
    processes: Vec<ProcessModel>,
    open_files: Vec<OpenFile>,
    pipes: Vec<Pipe>,
    last_pid: u64,
    last_uptime: u64,
    /// Index of the operation in hand.
    step: usize,
    /// Whose operation it is.
    actor: Process,
    replies: Vec<Reply>,
    /// After a legal difference that leaves memory or pipes unknown: nothing can be compared.
    unknown: bool,
    /// Memory that is used again and again.
    new_stack: NewStack,
    /// The same, for bytes on their way between a file and user memory.
    transferred: Vec<u8>,
}

impl Model {
    /// The start of a case in `setting`.
    pub fn new(dialect: &Dialect, setting: &Setting) -> Model {
        let Setting {
            first_pid,
            booted,
            files,
        } = setting.clone();
        let supervisor_file = setting.supervisor_file();
        let processes = vec![ProcessModel::new(&booted); Process::COUNT];
        let mut model = Model {
            world: Arc::new(World {
                dialect: dialect.clone(),
                first_pid,
                booted,
                supervisor_file,
            }),
            files: FileSystem::new(files, dialect.files.removed_directory),
            processes,
            open_files: Vec::new(),
            pipes: Vec::new(),
            last_pid: first_pid,
            last_uptime: 0,
            step: 0,
            actor: Process::FIRST,
            replies: Vec::new(),
            unknown: false,
            new_stack: NewStack::default(),
            transferred: Vec::new(),
        };
        model.reset();
        model
    }

    /// Back to the start of a case; keeps allocations.
    pub fn reset(&mut self) {
        self.processes.iter_mut().for_each(ProcessModel::reset);
        let first = &mut self.processes[Process::FIRST.index()];
        first.state = ProcessState::Ready;
        first.born = true;
        first.pid = self.world.first_pid;
        first.program_file = self.world.supervisor_file;
        first.space.reset(&self.world);
        for pipe in &mut self.pipes {
            pipe.content.clear();
            (pipe.read_end, pipe.write_end) = (false, false);
        }
        self.open_files.clear();
        self.files.reset();
        self.last_pid = self.world.first_pid;
        self.last_uptime = 0;
        self.step = 0;
        self.replies.clear();
        self.unknown = false;
    }

    /// How a process stands.
    pub fn state_of(&self, process: Process) -> ProcessState {
        self.of(process).state
    }

    /// The identifier of a process that was born.
    pub fn pid_of(&self, process: Process) -> Option<u64> {
        let model = self.of(process);
        model.born.then_some(model.pid)
    }

    /// The program break of a process.
    pub fn program_break(&self, process: Process) -> u64 {
        self.of(process).space.program_break()
    }

    /// When and why a process ended, if it has.
    pub fn ended(&self, process: Process) -> Option<Ended> {
        self.of(process).ended
    }

    /// The status with which a process ended.
    pub fn status_of(&self, process: Process) -> i32 {
        self.of(process).status
    }

    /// Whether a legal difference has left memory or pipes unknown.
    pub fn is_unknown(&self) -> bool {
        self.unknown
    }

    /// Who made a process that lives; `None` if that has ended, or was the supervisor.
    pub(crate) fn parent_of(&self, process: Process) -> Option<Process> {
        self.of(process).parent
    }

    /// Whether a process has children that have ended.
    pub(crate) fn has_zombies(&self, process: Process) -> bool {
        Process::all().any(|child| {
            self.parent_of(child) == Some(process) && self.state_of(child) == ProcessState::Zombie
        })
    }

    /// Whether the parent of a process sleeps until a child ends.
    pub(crate) fn is_waited_for(&self, process: Process) -> bool {
        let parent = self.of(process).parent;
        let waiting = parent.and_then(|parent| self.of(parent).waiting);
        matches!(waiting, Some(Waiting::Child { .. }))
    }

    /// Performs an operation that [`Model::applies`]: what must become of whom.
    pub fn perform(&mut self, index: usize, operation: &Operation, witness: &Witness) -> &[Reply] {
        self.step = index;
        self.actor = operation.process;
        self.replies.clear();
        let refused = self.refuses_buffer(operation.process, &operation.call)
            || self.refuses_no_bytes(operation.process, &operation.call, witness);
        if !refused {
            self.dispatch(operation.process, &operation.call, witness);
        }
        self.wake_up(witness);
        self.free_nameless_files();
        if self.state_of(operation.process) == ProcessState::Blocked {
            self.reply(operation.process, Outcome::Blocks);
        }
        &self.replies
    }

    /// The replies of the latest [`Model::perform`].
    pub fn replies(&self) -> &[Reply] {
        &self.replies
    }

    /// Refuses a system call whose buffer is bad in part, on a kernel that looks at all of it first;
    /// whether it has done so.
    fn refuses_buffer(&mut self, process: Process, call: &Call) -> bool {
        if self.world.dialect.files.bad_buffer == BadBuffer::DoneInPart {
            return false;
        }
        let (address, length, access) = match *call {
            Call::Read {
                address, length, ..
            } => (address, length, Access::Store),
            Call::Write {
                address, length, ..
            } => (address, length, Access::Load),
            Call::Pipe { address } => (address, ENDS_BYTES, Access::Store),
            _ => return false,
        };
        let address = self.resolve(process, address);
        let length = u64::try_from(length).unwrap_or(0);
        let space = &self.of(process).space;
        let refused = space.leave(address, length, access, &self.world) == Leave::Refused;
        let (_, good) = space.reach(address, length.max(1), access, &self.world);
        // To look is to touch, whatever becomes of the call.
        self.of_mut(process).space.note_perhaps(address, good);
        if refused {
            self.returns(process, FAILED);
        }
        refused
    }

    /// Lets a kernel refuse to move no bytes where not even one could be, and less than none through a
    /// pipe: POSIX leaves it open whether such a call finds the error. Whether it has done so.
    fn refuses_no_bytes(&mut self, process: Process, call: &Call, witness: &Witness) -> bool {
        let (fd, address, length, access) = match *call {
            Call::Read {
                fd,
                address,
                length,
            } => (fd, address, length, Access::Store),
            Call::Write {
                fd,
                address,
                length,
            } => (fd, address, length, Access::Load),
            _ => return false,
        };
        let address = self.resolve(process, address);
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

    fn dispatch(&mut self, process: Process, call: &Call, witness: &Witness) {
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
            Call::Touch {
                address,
                count,
                stride,
                write,
            } => {
                let address = self.resolve(process, address);
                self.touch(process, address, count.get(), stride, write, witness);
            }
            Call::Fork { child } => self.fork(process, child, witness),
            Call::Exit { status } => {
                self.end(process, status, Death::Exited);
                self.reply(process, Outcome::Dies(Death::Exited));
            }
            Call::Wait { status } => {
                let address = status.map(|address| self.resolve(process, address));
                // A null pointer asks for no status.
                let status = address.filter(|address| *address != 0);
                self.wait_for(process, Waiting::Child { status }, witness);
                if let Some(address) = status
                    && self.state_of(process) == ProcessState::Blocked
                    && self.finds_no_frame(process, address, 4, Access::Store, witness)
                {
                    self.wakes(process);
                }
            }
            Call::Kill { target } => self.kill(process, target),
            Call::Getpid => {
                let pid = self.of(process).pid;
                self.returns(process, pid);
            }
            Call::Pipe { address } => {
                let address = self.resolve(process, address);
                self.pipe(process, address, witness);
            }
            Call::Read {
                fd,
                address,
                length,
            } => {
                let address = self.resolve(process, address);
                self.read(process, fd, address, length, witness);
            }
            Call::Write {
                fd,
                address,
                length,
            } => {
                let address = self.resolve(process, address);
                self.write(process, fd, address, length, witness);
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
            Call::Yield { .. }
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

    /// Whether an operation can be performed now, with an outcome that does not hang on the order
    /// in which others happen to run.
    pub fn applies(&self, operation: &Operation) -> bool {
        let process = operation.process;
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
            Call::Kill {
                target: Target::Process(target),
            } => self.of(target).born,
            Call::Kill {
                target: Target::Pid(pid),
            } => !PIDS.contains(&pid),
            Call::Fetch { address } => self.fetch_is_known(process, self.resolve(process, address)),
            Call::Sbrk { amount, flavour } => self.sbrk_can_be_driven(process, amount, flavour),
            Call::Read { fd, .. } => !self.would_queue(process, fd, Way::Read),
            Call::Write { fd, length, .. } => {
                self.write_is_known(process, fd, length)
                    && !self.would_queue(process, fd, Way::Write)
            }
            Call::Open {
                address,
                mode,
                flags,
            } => self.open_is_known(process, self.resolve(process, address), mode, flags),
            Call::Link { .. } | Call::Mkdir { .. } | Call::Mknod { .. } => self.files.has_room(0),
            Call::Exec { address, .. } => {
                self.exec_is_known(process, self.resolve(process, address))
            }
            _ => true,
        }
    }

    /// Whether `address` lies in a page that the kernel has for every program.
    pub(crate) fn is_shared_page(&self, process: Process, address: u64) -> bool {
        let trapframe = self.layout(process).trapframe;
        let bytes = self.world.dialect.exec.shared_pages * PAGE_SIZE;
        (trapframe - bytes..trapframe).contains(&address)
    }

    /// Whether an operation may change the agent's own code, as it can where a program may store to
    /// its text: nobody would know what the process does next.
    fn may_change_agent(&self, operation: &Operation) -> bool {
        let (process, call) = (operation.process, operation.call);
        let text = self.space(process).permissions(0, &self.world);
        let stores = matches!(
            call,
            Call::Store { .. }
                | Call::String { .. }
                | Call::Point { .. }
                | Call::Touch { write: true, .. }
                | Call::Read { .. }
                | Call::Pipe { .. }
                | Call::Fstat { .. }
                | Call::Wait { status: Some(_) }
        );
        let hit = |address| self.resolve(process, address) < AGENT_CODE as u64;
        stores
            && text.is_some_and(|text| text.contains(Permissions::WRITE))
            && call.address().is_some_and(hit)
    }

    /// Whether it is plain, without performing it, that a process comes back from an operation on a
    /// perfect kernel. False says nothing.
    pub(crate) fn surely_completes(&self, operation: &Operation) -> bool {
        let process = operation.process;
        let may = |address: u64, length, access| {
            self.space(process)
                .leave(address, length, access, &self.world)
                == Leave::Granted
        };
        match operation.call {
            Call::Load { width, address } => {
                may(self.resolve(process, address), width.bytes(), Access::Load)
            }
            Call::Store { width, address, .. } => {
                may(self.resolve(process, address), width.bytes(), Access::Store)
            }
            Call::String {
                address,
                text,
                terminated,
            } => {
                let length = text.bytes().len() as u64 + u64::from(terminated);
                may(self.resolve(process, address), length, Access::Store)
            }
            Call::Point { address, .. } => may(self.resolve(process, address), 8, Access::Store),
            Call::Touch {
                address,
                count,
                stride,
                write,
            } => {
                let access = if write { Access::Store } else { Access::Load };
                let first = self.resolve(process, address);
                (0..u64::from(count.get()))
                    .all(|step| may(first.wrapping_add(step * stride.bytes()), 1, access))
            }
            Call::Kill { target } => target != Target::Process(process),
            Call::Wait { .. } => self
                .processes
                .iter()
                .all(|child| child.parent != Some(process)),
            Call::Read { fd, .. } | Call::Write { fd, .. } => !self.is_pipe(process, fd),
            // A program may have no first instruction.
            Call::Fetch { .. } | Call::Exit { .. } | Call::Exec { .. } => false,
            _ => true,
        }
    }

    /// The most pages that a kernel may have to fill, copy or give back for an operation: those that
    /// it asks for, and those that somebody holds, for a process may end.
    pub(crate) fn pages_at_stake(&self, operation: &Operation) -> u64 {
        let there = |process: &&ProcessModel| process.state != ProcessState::Gone;
        let there = self.processes.iter().filter(there);
        let held: u64 = there.map(|process| process.space.touched().count()).sum();
        let asked = match operation.call {
            Call::Touch { count, .. } => count.get().into(),
            Call::Sbrk { amount, flavour } => self.eager_pages(operation.process, amount, flavour),
            _ => 0,
        };
        held + asked
    }

    /// The virtual address that a case's address stands for in a process.
    pub fn resolve(&self, process: Process, address: crate::case::Address) -> u64 {
        address.resolve(self.layout(process), self.program_break(process))
    }

    /// What lies at an address of a process.
    pub fn page_state(&self, process: Process, address: crate::case::Address) -> PageState {
        let address = self.resolve(process, address);
        self.space(process).page_state(address)
    }

    /// Where things lie in the memory of a process.
    pub(crate) fn layout(&self, process: Process) -> &Layout {
        self.space(process).layout()
    }

    pub(crate) fn space(&self, process: Process) -> &AddressSpace {
        &self.of(process).space
    }

    /// Whether somebody sleeps.
    pub(crate) fn anybody_blocked(&self) -> bool {
        self.processes
            .iter()
            .any(|process| process.state == ProcessState::Blocked)
    }

    fn of(&self, process: Process) -> &ProcessModel {
        &self.processes[process.index()]
    }

    fn of_mut(&mut self, process: Process) -> &mut ProcessModel {
        &mut self.processes[process.index()]
    }

    fn reply(&mut self, process: Process, outcome: Outcome) {
        self.replies.push(Reply {
            process,
            outcome,
            excused: false,
        });
    }

    fn excused(&mut self, process: Process, outcome: Outcome) {
        self.replies.push(Reply {
            process,
            outcome,
            excused: true,
        });
    }

    fn returns(&mut self, process: Process, value: u64) {
        self.reply(process, Outcome::Returns(Answer::Exactly(value)));
    }

    /// Whether a system call that needs frames was refused one: then it fails, or takes its process
    /// with it, which is replied here.
    fn gives_way(&mut self, process: Process, witness: &Witness) -> bool {
        if witness.excused_return(process, FAILED) {
            self.excused(process, Outcome::Returns(Answer::Exactly(FAILED)));
            return true;
        }
        let dies = witness.excused_silence(process);
        if dies {
            self.dies_out_of_frames(process);
        }
        dies
    }

    /// Whether a system call fails at once because there is no frame for memory that it may come to
    /// need: a kernel may see to that before anything else. Replied here.
    fn finds_no_frame(
        &mut self,
        process: Process,
        address: u64,
        length: u64,
        access: Access,
        witness: &Witness,
    ) -> bool {
        let space = &self.of(process).space;
        let fails = witness.excused_return(process, FAILED)
            && space.may_need_frame(address, length, access);
        if fails {
            self.excused(process, Outcome::Returns(Answer::Exactly(FAILED)));
        }
        fails
    }

    /// The process touched what needs a frame, and there was none: it dies.
    fn dies_out_of_frames(&mut self, process: Process) {
        self.end(process, KILLED_STATUS, Death::OutOfFrames);
        self.excused(process, Outcome::Dies(Death::OutOfFrames));
    }
}

/// Identifiers that processes may have: cases make a few, and a fork that fails may use one up.
pub(crate) const PIDS: Range<i32> = 1..1000;

/// The exit status of a process that was killed.
pub(crate) const KILLED_STATUS: i32 = -1;
