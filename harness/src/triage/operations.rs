//! What triage knows of each kind of operation: one table.

use oracle::case::Kind;

/// How a kernel serves an operation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Service {
    /// How it comes to user memory.
    pub(crate) memory: Memory,
    /// Whether it moves as many bytes as it is asked to, or fewer.
    pub(crate) moves_bytes: bool,
    /// Whether it frees or copies an address space, or a part of it, page by page.
    pub(crate) walks: bool,
    /// Whether its answer names a place or a process, and another one would do as well.
    pub(crate) names: bool,
    /// About what it costs on a C kernel, whose file system and `exec` take hundreds of thousands of
    /// instructions where others take thousands: 1 for the cheapest.
    pub(crate) cost: u64,
}

/// How an operation comes to user memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Memory {
    /// The program loads, stores or jumps itself.
    Access,
    /// The kernel reads a string from it.
    Path,
    /// The kernel reads other bytes from it.
    CopyIn,
    /// The kernel writes to it.
    CopyOut,
    /// Not at all.
    Untouched,
}

impl Service {
    /// How a kernel serves operations of a kind.
    pub(crate) fn of(kind: Kind) -> Service {
        let of = Service::touching;
        match kind {
            Kind::Load
            | Kind::Store
            | Kind::Fetch
            | Kind::TouchRead
            | Kind::TouchWrite
            | Kind::String
            | Kind::Point => of(Memory::Access),
            Kind::Sbrk => of(Memory::Untouched).walking().naming(),
            Kind::Fork => of(Memory::Untouched).walking().naming().costing(10),
            Kind::Exit => of(Memory::Untouched).walking().costing(10),
            Kind::Wait => of(Memory::CopyOut).walking().naming(),
            Kind::Kill => of(Memory::Untouched).walking(),
            Kind::Exec => of(Memory::Path).walking().costing(40),
            Kind::Getpid => of(Memory::Untouched).naming(),
            Kind::Open | Kind::Link | Kind::Unlink | Kind::Mkdir | Kind::Mknod => {
                of(Memory::Path).costing(100)
            }
            Kind::Chdir => of(Memory::Path).costing(30),
            Kind::Write => of(Memory::CopyIn).moving_bytes().costing(30),
            Kind::Read => of(Memory::CopyOut).moving_bytes(),
            Kind::Fstat | Kind::Pipe => of(Memory::CopyOut),
            Kind::Close
            | Kind::Dup
            | Kind::Yield
            | Kind::Uptime
            | Kind::Pause
            | Kind::Frames
            | Kind::FailFrame
            | Kind::Together => of(Memory::Untouched),
        }
    }

    fn touching(memory: Memory) -> Service {
        Service {
            memory,
            moves_bytes: false,
            walks: false,
            names: false,
            cost: 1,
        }
    }

    fn moving_bytes(self) -> Service {
        let moves_bytes = true;
        Service {
            moves_bytes,
            ..self
        }
    }

    fn walking(self) -> Service {
        let walks = true;
        Service { walks, ..self }
    }

    fn naming(self) -> Service {
        let names = true;
        Service { names, ..self }
    }

    fn costing(self, cost: u64) -> Service {
        Service { cost, ..self }
    }
}
