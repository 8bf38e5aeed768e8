//! System calls that name files by their paths: `open`, `link`, `unlink`, `mkdir`, `mknod`, `chdir`.

use super::open_file::{OpenNode, Target};
use super::strings::UserPath;
use super::{FAILED, Leave, Model, ProcessState, Witness};
use crate::case::{OpenFlags, OpenMode, Process};
use crate::dialect::Loading;
use crate::files::FileNode;
use abi::file_system::Kind;
use abi::limits::{CONSOLE, DEVICES, INODES, PATH};

/// Inodes that cases leave to the kernel: what it looks at on the way to a file.
const SPARE_INODES: usize = 8;

/// The paths that a system call was given.
struct Paths<'b, const COUNT: usize> {
    bytes: [&'b [u8]; COUNT],
    /// Whether some kernel may read them and another may not.
    leave: Leave,
}

impl Model {
    pub(super) fn find(&self, process: Process, path: &[u8]) -> Option<&FileNode> {
        self.files.find(self.of(process).directory, path)
    }

    /// The paths at `addresses`, which a kernel reads before it does anything. `None`: the call
    /// fails because there is no path or no frame, and this adds the reply.
    fn paths<'b, const COUNT: usize>(
        &mut self,
        process: Process,
        addresses: [u64; COUNT],
        buffers: &'b mut [[u8; PATH]; COUNT],
        witness: &Witness,
    ) -> Option<Paths<'b, COUNT>> {
        self.files.note_path();
        let mut bytes: [&[u8]; COUNT] = [&[]; COUNT];
        let mut looked_at = [0; COUNT];
        let mut leave = Leave::Granted;
        for (at, buffer) in buffers.iter_mut().enumerate() {
            let path = self.path(process, addresses[at], buffer);
            (bytes[at], looked_at[at]) = (path.bytes, path.looked_at);
            leave = leave.min(path.leave);
        }
        let refused = match leave {
            Leave::Refused => true,
            Leave::Either => witness.returned(process) == Some(FAILED),
            Leave::Granted => false,
        };
        let gives_way = self.gives_way(process, witness);
        // A call that fails may have failed before it read the paths.
        let failed = witness.returned(process) == Some(FAILED);
        let space = &mut self.of_mut(process).space;
        for (address, length) in addresses.into_iter().zip(looked_at) {
            if refused || gives_way || failed {
                space.note_perhaps(address, length)
            } else {
                space.note_load(address, length)
            }
        }
        if gives_way {
            return None;
        }
        if refused {
            self.returns(process, FAILED);
            return None;
        }
        Some(Paths { bytes, leave })
    }

    /// Whether it is predicted what opening the path at `address` gives. Not predicted are devices
    /// with an unknown driver, more files in use than every kernel has room for, and changes of the file that
    /// the supervisor runs from: keeping its old contents costs frames that are never given back.
    pub(super) fn open_is_known(
        &self,
        process: Process,
        address: u64,
        mode: OpenMode,
        flags: OpenFlags,
    ) -> bool {
        let mut buffer = UserPath::buffer();
        let path = self.path(process, address, &mut buffer);
        let node = self.find(process, path.bytes);
        let driven = |node: &FileNode| {
            let others = self.world.dialect.files.other_devices;
            let unknown = if node.major == CONSOLE {
                !self.knows_console()
            } else {
                others
            };
            node.kind == Kind::Device && unknown
        };
        let changes = mode != OpenMode::Read || flags.contains(OpenFlags::TRUNCATE);
        let supervisors = |node: &FileNode| changes && node.inode == self.world.supervisor_file;
        node.is_none_or(|node| !driven(node) && !supervisors(node)) && self.has_room_for_inodes()
    }

    /// Whether a kernel has room in memory for a few inodes more, in any case.
    pub(super) fn has_room_for_inodes(&self) -> bool {
        let files = self.open_files.iter().filter(|file| file.holders > 0);
        let files = files.filter(|file| matches!(file.target, Target::File(_)));
        let living = self.processes.iter().filter(|process| process.born);
        // Each may have a current directory and a program of its own; so has the supervisor.
        files.count() + 2 * living.count() + 2 + SPARE_INODES <= INODES
    }

    pub(super) fn open(
        &mut self,
        process: Process,
        address: u64,
        mode: OpenMode,
        flags: OpenFlags,
        witness: &Witness,
    ) {
        let free = self.free_descriptor(process, 0);
        let free = free.filter(|_| self.has_room_for(1));
        let creates = flags.contains(OpenFlags::CREATE);
        let fails_late = creates && free.is_none();
        // A failure may have two reasons, and with one of them there is a new file.
        self.unknown |= fails_late && witness.out_of_frames;
        let mut buffers = [UserPath::buffer()];
        let Some(paths) = self.paths(process, [address], &mut buffers, witness) else {
            return;
        };
        self.unknown |= fails_late && paths.leave == Leave::Either;
        let [path] = paths.bytes;
        let directory = self.of(process).directory;
        let is_new = creates && self.find(process, path).is_none();
        if is_new && self.finds_no_room_for_name(process, witness) {
            // With no descriptor free, the call fails whether it has made the file or not.
            self.unknown |= free.is_none();
            return;
        }
        let inode = if creates {
            self.files.create(directory, path, Kind::File, 0)
        } else {
            self.find(process, path).map(|node| node.inode)
        };
        let node = inode.and_then(|inode| self.files.node(inode));
        let allowed = node.filter(|node| match node.kind {
            Kind::Directory => mode == OpenMode::Read && flags.is_empty(),
            Kind::Device => usize::from(node.major) < DEVICES,
            Kind::File | Kind::Free => true,
        });
        let (Some(node), Some(fd)) = (allowed, free) else {
            return self.returns(process, FAILED);
        };
        let target = Target::File(OpenNode {
            inode: node.inode,
            offset: 0,
            is_lost: false,
            readable: mode != OpenMode::Write,
            writable: mode != OpenMode::Read,
        });
        let truncates = flags.contains(OpenFlags::TRUNCATE) && self.world.dialect.files.truncates;
        if node.kind == Kind::File && truncates {
            let inode = node.inode;
            self.files.truncate(inode);
        }
        self.add_file(process, fd, target);
        self.returns(process, fd as u64);
    }

    pub(super) fn link(&mut self, process: Process, old: u64, new: u64, witness: &Witness) {
        let mut buffers = [UserPath::buffer(); 2];
        let Some(paths) = self.paths(process, [old, new], &mut buffers, witness) else {
            return;
        };
        let [old, new] = paths.bytes;
        if self.finds_no_room_for_name(process, witness) {
            return;
        }
        let directory = self.of(process).directory;
        let done = self.files.link(directory, old, new);
        self.returns(process, done.map_or(FAILED, |()| 0));
    }

    pub(super) fn unlink(&mut self, process: Process, address: u64, witness: &Witness) {
        let mut buffers = [UserPath::buffer()];
        let Some(paths) = self.paths(process, [address], &mut buffers, witness) else {
            return;
        };
        let directory = self.of(process).directory;
        let done = self.files.unlink(directory, paths.bytes[0]);
        self.returns(process, done.map_or(FAILED, |()| 0));
    }

    /// `mkdir` and `mknod`.
    pub(super) fn make_node(
        &mut self,
        process: Process,
        address: u64,
        kind: Kind,
        major: u8,
        witness: &Witness,
    ) {
        let mut buffers = [UserPath::buffer()];
        let Some(paths) = self.paths(process, [address], &mut buffers, witness) else {
            return;
        };
        if self.finds_no_room_for_name(process, witness) {
            return;
        }
        let directory = self.of(process).directory;
        let [path] = paths.bytes;
        let made = self.files.create(directory, path, kind, major.into());
        self.returns(process, made.map_or(FAILED, |_| 0));
    }

    pub(super) fn chdir(&mut self, process: Process, address: u64, witness: &Witness) {
        let mut buffers = [UserPath::buffer()];
        let Some(paths) = self.paths(process, [address], &mut buffers, witness) else {
            return;
        };
        let found = self.find(process, paths.bytes[0]);
        let directory = found.filter(|node| node.kind == Kind::Directory);
        match directory.map(|node| node.inode) {
            None => self.returns(process, FAILED),
            Some(inode) => {
                self.of_mut(process).directory = inode;
                self.returns(process, 0);
            }
        }
    }

    /// Whether a file stays because the supervisor runs from it, page by page.
    pub(crate) fn supervisor_holds(&self, inode: u32) -> bool {
        let loading = self.world.dialect.exec.loading;
        loading == Loading::OnDemand && self.world.supervisor_file == inode
    }

    /// Files without names are freed when no process holds them any more.
    pub(super) fn free_nameless_files(&mut self) {
        let (processes, open_files, world) = (&self.processes, &self.open_files, &self.world);
        let runs_on_demand = world.dialect.exec.loading == Loading::OnDemand;
        self.files.free_nameless(|inode| {
            let is_open = open_files.iter().any(|file| {
                let leads = matches!(file.target, Target::File(node) if node.inode == inode);
                leads && file.holders > 0
            });
            let mut living = processes.iter().filter(|process| {
                matches!(process.state, ProcessState::Ready | ProcessState::Blocked)
            });
            is_open
                || (runs_on_demand && world.supervisor_file == inode)
                || living.any(|process| {
                    process.directory == inode || (runs_on_demand && process.program_file == inode)
                })
        });
    }
}
