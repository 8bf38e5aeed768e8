//! How each operation is tried: the table of the battery.

use crate::case::Kind;

/// One way to try an operation, in the words of the language of cases.
///
/// `@` stands for the address that is tried, `child` for a new process. Lines are separated by semicolons. A line that
/// names no process is the actor's own.
#[derive(Clone, Copy)]
pub(super) struct Use {
    /// What the actor needs before the page is prepared.
    pub(super) before: &'static str,
    /// The operation.
    pub(super) line: &'static str,
    /// What takes back what the operation has taken, so that it can be tried often.
    pub(super) after: &'static str,
    /// The path that should lie at the address, where something can lie there.
    path: Option<&'static str>,
    /// The path with which it is refused at once: to change a directory takes a C kernel as long as a hundred other
    /// operations.
    brief: Option<&'static str>,
}

impl Use {
    /// Whether it tries an address.
    pub(super) fn has_address(&self) -> bool {
        self.line.contains('@')
    }

    /// The path that should lie at the address: one that leads to something, or one for which the operation is short.
    pub(super) fn path(&self, how: Paths) -> Option<&'static str> {
        match how {
            Paths::Whole => self.path,
            Paths::Brief => self.brief,
        }
    }

    const fn before(self, before: &'static str) -> Use {
        Use { before, ..self }
    }

    const fn after(self, after: &'static str) -> Use {
        Use { after, ..self }
    }
}

/// Which paths are tried.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Paths {
    /// Those that lead to something.
    Whole,
    /// Those for which the operation is short.
    Brief,
}

/// A directory that is there, so it is neither made nor removed nor executed.
const THERE: &str = "..";

const fn plain(line: &'static str) -> Use {
    Use {
        before: "",
        line,
        after: "",
        path: None,
        brief: None,
    }
}

const fn path(path: &'static str, line: &'static str) -> Use {
    Use {
        path: Some(path),
        brief: Some(path),
        ..plain(line)
    }
}

/// The same, for an operation that takes long if the path leads to something.
const fn long(name: &'static str, line: &'static str) -> Use {
    Use {
        brief: Some(THERE),
        ..path(name, line)
    }
}

/// What every actor has at hand: descriptor 0 reads from a pipe with enough in it, 1 writes to that pipe, 2 is a file;
/// the next one is 3. The first page of the heap is good memory: the path `init` at 0x400, two paths that lead nowhere at
/// 0x440 and 0x480, and zeros from 0x800 on.
pub(super) const AT_HAND: &str = "sbrk +1p; pipe heap[0]; write 1 heap[0]+0x800 256; \
    string heap[0]+0x400 \"init\"; string heap[0]+0x440 \"other\"; open heap[0]+0x400";

/// The ways to try operations of a kind. There is none for what is done to all processes.
pub(super) fn uses(kind: Kind) -> &'static [Use] {
    match kind {
        Kind::Load => const { &[plain("load8 @")] },
        Kind::Store => const { &[plain("store8 @ 0x77")] },
        Kind::Fetch => const { &[plain("fetch @")] },
        Kind::TouchRead => const { &[plain("touch @ 2 stride 0x1")] },
        Kind::TouchWrite => const { &[plain("touch-write @ 2 stride 0x1")] },
        Kind::String => const { &[plain("string @ \"new\"")] },
        Kind::Point => const { &[plain("point @ heap[0]+0x400")] },
        Kind::Read => const { &[plain("read 0 @ 4"), plain("read 2 @ 4")] },
        Kind::Write => const { &[plain("write 1 @ 4")] },
        Kind::Pipe => const { &[plain("pipe @").after("close 3; close 4")] },
        Kind::Fstat => const { &[plain("fstat 2 @")] },
        Kind::Wait => {
            const {
                &[Use {
                    before: "child = fork; child: exit 3",
                    ..plain("wait @")
                }]
            }
        }
        Kind::Open => const { &[path("init", "open @").after("close 3")] },
        Kind::Link => {
            const {
                &[
                    long("init", "link @ heap[0]+0x440"),
                    long("new", "link heap[0]+0x400 @"),
                ]
            }
        }
        Kind::Unlink => const { &[long("new", "unlink @")] },
        Kind::Mkdir => const { &[long("dir", "mkdir @")] },
        Kind::Mknod => const { &[long("dir/new", "mknod @ 7")] },
        Kind::Chdir => const { &[path("..", "chdir @")] },
        Kind::Exec => {
            const {
                &[
                    long("init", "exec @ heap[0]+0x900"),
                    plain("exec heap[0]+0x400 @"),
                ]
            }
        }
        Kind::Stack => const { &[plain("stack @")] },
        Kind::Sbrk => {
            const {
                &[Use {
                    before: "sbrk +1p; store1 break[-1] 7",
                    ..plain("sbrk -1p").after("sbrk +1p; load1 break[-1]")
                }]
            }
        }
        Kind::Fork => const { &[plain("child = fork")] },
        Kind::Exit => const { &[plain("exit 3")] },
        Kind::Kill => {
            const {
                &[
                    Use {
                        before: "child = fork",
                        ..plain("kill child").after("wait")
                    },
                    plain("kill pid 0"),
                    plain("kill pid -1"),
                    plain("kill pid 1000"),
                ]
            }
        }
        Kind::Getpid => const { &[plain("getpid")] },
        Kind::Close => const { &[plain("close 9")] },
        Kind::Dup => const { &[plain("dup 0").after("close 3")] },
        Kind::Yield => const { &[plain("yield")] },
        Kind::Uptime => const { &[plain("uptime")] },
        Kind::Pause => const { &[plain("pause 0")] },
        Kind::Unknown => {
            const {
                &[
                    plain("call 64"),
                    plain("call -1"),
                    plain("call 0"),
                    plain("call 2^8+11"),
                    plain("call 2^16+11"),
                    plain("call 2^31-1"),
                    plain("call 2^63"),
                ]
            }
        }
        Kind::Crowd => const { &[plain("crowd 1").after("disperse text[0]")] },
        Kind::Disperse => const { &[plain("disperse data[0]").before("crowd 1")] },
        Kind::HighHalf => const { &[plain("high-half 0xdeadbeef")] },
        Kind::Type
        | Kind::Machine
        | Kind::Frames
        | Kind::FailFrame
        | Kind::Blocks
        | Kind::PowerCut
        | Kind::Together => &[],
    }
}

/// All ways to try something without an address.
pub(super) fn of_no_address() -> impl Iterator<Item = &'static Use> {
    let all = Kind::ALL.into_iter().flat_map(uses);
    all.filter(|one| !one.has_address())
}

/// All ways to try an address.
pub(super) fn of_addresses() -> impl Iterator<Item = &'static Use> {
    let all = Kind::ALL.into_iter().flat_map(uses);
    all.filter(|one| one.has_address())
}
