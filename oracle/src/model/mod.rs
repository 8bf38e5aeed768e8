//! The eager model: simple, and obviously correct.
//!
//! Memory is there from the moment it is asked for, frames never run out, nothing is shared. The
//! model performs an operation and says what must happen to every process concerned. If the
//! envelope leaves the kernel a choice, the model follows the [`Witness`], if that is legal. Without
//! a witness it predicts the ideal.

mod console;
mod crowd;
mod file_calls;
mod file_race;
mod file_system;
mod file_writes;
mod full_disk;
mod habits;
mod history;
mod lifecycle;
mod meaning;
mod memory_calls;
mod open_file;
mod otherwise;
mod page_state;
mod pages;
mod path_calls;
mod pipe;
mod pipe_calls;
mod power_cut;
mod process;
mod program_calls;
mod race;
mod reach;
mod space;
mod strings;
mod witness;

pub(crate) use crowd::{Crowd, Look};
pub use page_state::PageState;
pub use process::{Death, Ended, ProcessState};
pub(crate) use witness::DiskSeen;
pub use witness::{Answer, FAILED, Outcome, Reply, Witness};

pub(crate) use crate::case::Access;
pub(crate) use habits::{Int, NO_CALL, is_no_call};
pub(crate) use memory_calls::EAGER_PAGES;
pub(crate) use pages::{PageSet, pages_of};
pub(crate) use pipe::Way;
pub(crate) use process::Waiting;
pub(crate) use space::{AddressSpace, Leave};

use crate::case::{Operation, Process, Variation};
use crate::dialect::Dialect;
use crate::files::FileNode;
use crate::layout::Layout;
use crate::program_file::Program;
use crate::setting::Setting;
use console::Console;
pub(crate) use file_system::{FIRST_PROGRAM, FileSystem};
use open_file::OpenFile;
use pipe::Pipe;
use process::ProcessModel;
use program_calls::NewStack;
use std::ops::Range;
use std::sync::Arc;

/// What does not change during a case.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) dialect: Dialect,
    pub(crate) first_pid: u64,
    /// The most processes besides the supervisor, if that is known.
    pub(crate) most_processes: Option<u64>,
    pub(crate) booted: Arc<Program>,
    /// The inode of the file that the supervisor runs from, and process `a` when a case starts.
    pub(crate) supervisor_file: u32,
    /// The variations of the machine that the kernel was written for.
    pub(crate) variations: Vec<Variation>,
    /// Whether cases may cut the power.
    pub(crate) can_reboot: bool,
}

/// The eager model of one kernel and the processes of one case.
#[derive(Clone, Debug)]
pub struct Model {
    pub(crate) world: Arc<World>,
    pub(crate) files: FileSystem,
    processes: Vec<ProcessModel>,
    /// The crowd that stands, if one does.
    crowd: Option<Box<Crowd>>,
    /// What the members of the crowd that was dispersed last had to find.
    look: Option<Look>,
    open_files: Vec<OpenFile>,
    pipes: Vec<Pipe>,
    console: Console,
    last_pid: u64,
    last_uptime: u64,
    /// How often the power is going to be cut: once while the case runs, and once more while the kernel boots again.
    power_cuts: u8,
    /// The files before the last operation, if the power may be cut in it.
    files_before: Option<Box<FileSystem>>,
    /// The inode of the file that the last operation has written to, and where the write began.
    written_from: Option<(u32, usize)>,
    /// Index of the current operation.
    step: usize,
    /// Whose operation it is.
    actor: Process,
    replies: Vec<Reply>,
    /// After a legal difference that leaves memory or pipes unknown: nothing can be compared.
    unknown: bool,
    /// From which break addresses count, if not from that of their process.
    counted_from: Option<u64>,
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
            most_processes,
            booted,
            files,
            variations,
            can_reboot,
        } = setting.clone();
        let supervisor_file = setting.supervisor_file();
        let processes = vec![ProcessModel::new(&booted); Process::COUNT];
        let mut model = Model {
            world: Arc::new(World {
                dialect: dialect.clone(),
                first_pid,
                most_processes,
                booted,
                supervisor_file,
                variations,
                can_reboot,
            }),
            files: FileSystem::new(files, dialect.files.removed_directory),
            processes,
            crowd: None,
            look: None,
            open_files: Vec::new(),
            pipes: Vec::new(),
            console: Console::default(),
            last_pid: first_pid,
            last_uptime: 0,
            power_cuts: 0,
            files_before: None,
            written_from: None,
            step: 0,
            actor: Process::FIRST,
            replies: Vec::new(),
            unknown: false,
            counted_from: None,
            new_stack: NewStack::default(),
            transferred: Vec::new(),
        };
        model.reset();
        model
    }

    /// Back to the start of a case; keeps allocations.
    pub fn reset(&mut self) {
        self.processes.iter_mut().for_each(ProcessModel::reset);
        (self.crowd, self.look) = (None, None);
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
        self.console.clear();
        self.files.reset();
        self.last_pid = self.world.first_pid;
        self.last_uptime = 0;
        self.power_cuts = 0;
        self.files_before = None;
        self.step = 0;
        self.replies.clear();
        self.unknown = false;
        self.counted_from = None;
    }

    /// The state of a process.
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

    /// The files of a disk that holds what it must hold.
    pub fn files_on_disk(&self) -> Vec<FileNode> {
        self.files.nodes().cloned().collect()
    }

    /// The parent of a living process; `None` if the parent has ended, or is the supervisor.
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

    /// Performs an operation that [`Model::applies`], and says what must happen to each process.
    pub fn perform(&mut self, index: usize, operation: &Operation, witness: &Witness) -> &[Reply] {
        self.step = index;
        self.actor = operation.process;
        self.replies.clear();
        self.remember_files();
        self.dispatch(operation.process, &operation.call, witness);
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

    /// The virtual address that a case's address stands for in a process.
    pub fn resolve(&self, process: Process, address: crate::case::Address) -> u64 {
        address.resolve(self.layout(process), self.counted_from(process))
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

    /// Whether any process sleeps.
    pub(crate) fn is_any_blocked(&self) -> bool {
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

    /// Whether a system call that needs frames was refused one. Then it fails, or its process is
    /// killed, and this adds the reply.
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
    /// need: a kernel may check that before anything else. Adds the reply.
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

    /// The process touched a page that needs a frame, and none was free: it dies.
    fn dies_out_of_frames(&mut self, process: Process) {
        self.end(process, KILLED_STATUS, Death::OutOfFrames);
        self.excused(process, Outcome::Dies(Death::OutOfFrames));
    }
}

/// Identifiers that processes may have: cases make a few, and a fork that fails may use one up.
pub(crate) const PIDS: Range<i32> = 1..1000;

/// The exit status of a process that was killed.
pub(crate) const KILLED_STATUS: i32 = -1;
