//! What every case starts from: the first process, the programs, the files.

use crate::case::FULL_LENGTH_NAME;
use crate::dialect::Dialect;
use crate::files::Files;
use crate::layout::{Image, Layout};

/// A program in memory, as it starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The inode of its file; 0 for one that was started before the case.
    pub inode: u32,
    /// Where it begins.
    pub entry: u64,
    /// Where its parts lie.
    pub layout: Layout,
    /// What they hold.
    pub image: Image,
}

/// What the harness found on the booted kernel, and what it planted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Process `a`'s identifier.
    pub first_pid: u64,
    /// The first is what process `a` runs when a case starts; the others are what `exec` makes of
    /// the agent's files. At least one.
    pub programs: Vec<Program>,
    /// What paths lead to.
    pub files: Files,
}

impl Setting {
    /// The setting of a kernel on which the agent was started with `layout` and `image`, and whose
    /// agents' files have the inodes `plain` and, for the one that asks for a stack that grows,
    /// `growing`.
    pub fn of_agents(
        dialect: &Dialect,
        first_pid: u64,
        booted: Program,
        files: Files,
        [plain, growing]: [u32; 2],
    ) -> Setting {
        let started = |inode, layout: Layout| Program {
            inode,
            entry: booted.entry,
            image: booted.image.with_empty_stack(&layout),
            layout,
        };
        let growing_layout = booted.layout.with_stack(dialect.exec.stack.pages());
        let programs = vec![
            started(plain, booted.layout.clone()),
            started(growing, growing_layout),
        ];
        Setting {
            first_pid,
            programs: [vec![booted], programs].concat(),
            files,
        }
    }

    /// A setting where no kernel was booted, for tests and for repair: the nominal layout, and
    /// files of about the size of the real ones.
    pub fn nominal(dialect: &Dialect, first_pid: u64) -> Setting {
        const AGENT_BYTES: usize = 0x4000;
        let program = |growing: u8| {
            let mut bytes = b"\x7fELF".to_vec();
            bytes.resize(AGENT_BYTES, growing);
            bytes
        };
        let files = Files::flat(&[
            ("init", program(0)),
            ("grow", program(1)),
            (FULL_LENGTH_NAME, vec![b'.'; 3000]),
        ]);
        let inode = |path: &[u8]| {
            let found = files.find(path);
            found.map_or(0, |node| node.inode)
        };
        let agents = [inode(b"init"), inode(b"grow")];
        let layout = Layout::nominal();
        let booted = Program {
            inode: 0,
            entry: layout.text.start,
            layout,
            image: Image::nominal(),
        };
        Setting::of_agents(dialect, first_pid, booted, files, agents)
    }
}
