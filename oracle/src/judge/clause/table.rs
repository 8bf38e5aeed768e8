//! The table of clauses.

use super::{Effect, Row, clauses};
use crate::judge::{Severity, Verdict};
use crate::named::named;

clauses! {
    /// A system call returns what the xv6 book promises: `sbrk` the old program break, `read` and
    /// `write` the number of bytes that were moved, and `fork` the child's process identifier. Any call
    /// that fails returns -1.
    ReturnedValue = "returned-value" {
        verdict: Verdict::Divergence,
        severity: Severity::WrongResult,
        effect: Effect::Answer,
        broken: "a system call returns a wrong value",
        mistake: "`copyin` looks the page up with `walkaddr` and gives up because the page is lazy and not \
                  mapped yet, so `write` returns -1 for a good buffer.",
    }

    /// A load returns the bytes that were stored last at its address, or zeros if nobody has stored
    /// there.
    LoadedValue = "loaded-value" {
        verdict: Verdict::Divergence,
        severity: Severity::WrongResult,
        effect: Effect::Memory,
        broken: "a load returns something other than what was stored",
        mistake: "`fork` makes the child's pages read-only but leaves the parent's writable, so the child \
                  sees what the parent stores after the fork.",
    }

    /// A system call that does not have to wait returns to user mode. A trap that the kernel can handle
    /// returns to user mode as well.
    ComesBack = "comes-back" {
        verdict: Verdict::Hang,
        severity: Severity::BreaksTheMachine,
        effect: Effect::Unknown,
        broken: "a process never returns from an operation that should complete",
        mistake: "`pipewrite` fills the pipe and forgets to wake up the reader that sleeps in `piperead`.",
    }

    /// A process that has to wait sleeps until its event: a byte in the pipe, room in the pipe, the
    /// exit of a child, a tick of the clock.
    Blocks = "blocks" {
        verdict: Verdict::Divergence,
        severity: Severity::WrongResult,
        effect: Effect::Answer,
        broken: "a process continues although it has to sleep",
        mistake: "`piperead` mistakes an empty pipe for the end of the data and returns 0, although the write \
                  end is still open.",
    }

    /// `pause` returns after as many ticks of the clock as it was asked for, and not before.
    PauseLasts = "pause-lasts" {
        verdict: Verdict::Divergence,
        severity: Severity::WrongResult,
        effect: Effect::Harmless,
        broken: "a pause is too short",
        mistake: "Every hart adds its own timer interrupts to the same `ticks`, so two harts make the clock run \
                  twice as fast.",
    }

    /// `uptime` counts no more ticks of the clock than have passed.
    ClockKeepsTime = "clock-keeps-time" {
        verdict: Verdict::Divergence,
        severity: Severity::WrongResult,
        effect: Effect::Harmless,
        broken: "uptime counts more ticks than have passed",
        mistake: "The timer interrupt of each hart increments `ticks`, so with three harts the clock is three times \
                  as fast.",
    }

    /// After a successful `fork` the child runs and finds 0 in a0. No other process appears.
    ChildRuns = "child-runs" {
        verdict: Verdict::Divergence,
        severity: Severity::WrongResult,
        effect: Effect::Unknown,
        broken: "after a fork the wrong process runs, or none does",
        mistake: "`freeproc` does not clear `killed`, so the next child that gets the slot dies before it \
                  runs.",
    }

    /// After a successful `exec` the program starts at the entry point of its file. Its arguments are
    /// on its stack, their number is in a0, and the address of the array of arguments is in a1.
    ProgramStarts = "program-starts" {
        verdict: Verdict::Divergence,
        severity: Severity::WrongResult,
        effect: Effect::Answer,
        broken: "exec does not start the program as its file and its arguments say",
        mistake: "`exec` returns 0 instead of the number of arguments, so `main` sees an `argc` of 0.",
    }

    /// A load, a store or a jump to an address that the program must not use kills the process.
    ForbiddenAccessKills = "forbidden-access-kills" {
        verdict: Verdict::Unkilled,
        severity: Severity::BreaksIsolation,
        effect: Effect::Unknown,
        broken: "a process makes a forbidden access and lives on",
        mistake: "The page-fault handler allocates a page for any address. It compares the address neither \
                  with the program break nor with the guard page.",
    }

    /// A process that was killed, or that has exited, executes no further instruction in user mode.
    DeadStayDead = "dead-stay-dead" {
        verdict: Verdict::Unkilled,
        severity: Severity::WrongResult,
        effect: Effect::Unknown,
        broken: "a process runs on after it was killed or has exited",
        mistake: "`usertrap` no longer checks `killed` on its way back to user mode.",
    }

    /// A process lives until it exits, is killed by `kill`, or makes a forbidden access.
    InnocentLive = "innocent-live" {
        verdict: Verdict::WronglyKilled,
        severity: Severity::WrongResult,
        effect: Effect::Answer,
        broken: "a process dies although it did nothing wrong",
        mistake: "The page-fault handler handles stores (scause 15) and forgets loads (scause 13), so a load \
                  from a lazy page kills the process.",
    }

    /// When the kernel kills a process for a page fault, it prints this on the console, as `usertrap` of
    /// xv6 does.
    KillAnnounced = "kill-announced" {
        verdict: Verdict::Divergence,
        severity: Severity::WrongResult,
        effect: Effect::Harmless,
        broken: "the kernel kills a process for a page fault and prints nothing",
        mistake: "The new branch of `usertrap` for page faults sets `killed` without the `printf` of the old \
                  branch.",
    }

    /// `wait` returns the status with which the child ended: the argument of its `exit`, or -1 if it
    /// was killed.
    ExitStatus = "exit-status" {
        verdict: Verdict::Divergence,
        severity: Severity::WrongResult,
        effect: Effect::Unknown,
        broken: "wait returns a wrong exit status",
        mistake: "`wait` calls `freeproc` on the child, which clears `xstate`, before it copies `xstate` out.",
    }

    /// `wait` reaps every process that has ended. Its parent calls `wait`, or the first process does if the
    /// parent is gone.
    EverybodyReaped = "everybody-reaped" {
        verdict: Verdict::Unkilled,
        severity: Severity::WrongResult,
        effect: Effect::Unknown,
        broken: "a process that has ended is never reaped",
        mistake: "`exit` gives its children to the first process but does not wake it up.",
    }

    /// A trap changes no register of the program, except a0, which holds the result of a system call.
    RegistersSurvive = "registers-survive" {
        verdict: Verdict::Divergence,
        severity: Severity::BreaksIsolation,
        effect: Effect::Fatal,
        broken: "a trap changes a register of the program",
        mistake: "`userret` restores a register from the wrong slot of the trapframe.",
    }

    /// Whatever programs do, the kernel does not panic.
    NoPanic = "no-panic" {
        verdict: Verdict::Panic,
        severity: Severity::BreaksTheMachine,
        effect: Effect::Fatal,
        broken: "the kernel panics",
        mistake: "`uvmunmap` expects every page below the program break to be mapped, and panics at the first \
                  lazy page that was never touched.",
    }

    /// Every hart can continue: none waits with interrupts off, and none traps into a trap handler that
    /// traps again.
    NotStuck = "not-stuck" {
        verdict: Verdict::Panic,
        severity: Severity::BreaksTheMachine,
        effect: Effect::Fatal,
        broken: "a hart can never continue",
        mistake: "When no frame is left, the page-fault handler waits for one with interrupts off.",
    }

    /// The kernel does not switch the machine off.
    StaysOn = "stays-on" {
        verdict: Verdict::Panic,
        severity: Severity::BreaksTheMachine,
        effect: Effect::Fatal,
        broken: "the kernel switches the machine off",
        mistake: "`kill` with -1 kills every process, and the kernel shuts down when none is left.",
    }

    /// Every system call and every trap ends. How long it may take depends on how fast the kernel is. Its time
    /// does not grow with memory that nobody has touched.
    EndsInTime = "ends-in-time" {
        verdict: Verdict::Hang,
        severity: Severity::BreaksTheMachine,
        effect: Effect::Fatal,
        broken: "the kernel does not finish an operation in time",
        mistake: "The page-fault handler returns without mapping the page, so the same instruction faults \
                  again and again. Or `uvmunmap` walks every page of a heap of a terabyte.",
    }

    /// When all processes of a case are gone, as many frames are free as before it.
    FramesComeBack = "frames-come-back" {
        verdict: Verdict::Leak,
        severity: Severity::LosesMemory,
        effect: Effect::Unknown,
        broken: "frames are lost",
        mistake: "`mappages` fails because there is no frame for a page table, and the handler does not free \
                  the frame that it wanted to map.",
    }

    /// If a kernel reserves frames for programs, no frame is reserved when every program is gone.
    PromisesEnd = "promises-end" {
        verdict: Verdict::Leak,
        severity: Severity::LosesMemory,
        effect: Effect::Unknown,
        broken: "frames stay reserved when no process is left",
        mistake: "A reservation ends when its frame is taken, but not when the process exits without it.",
    }

    /// When all processes of a case are gone, the process table has as many free slots as before, even if
    /// forks have failed.
    SlotsComeBack = "slots-come-back" {
        verdict: Verdict::Leak,
        severity: Severity::LosesMemory,
        effect: Effect::Unknown,
        broken: "slots of the process table are lost",
        mistake: "`fork` fails after `allocproc` and returns -1 without `freeproc`.",
    }

    /// The reference count of a frame is the number of pages that map it.
    HoldersCounted = "holders-counted" {
        verdict: Verdict::Invariant,
        severity: Severity::LosesMemory,
        effect: Effect::Unknown,
        broken: "the reference count of a frame is wrong",
        mistake: "`fork` fails half way and frees the child's page table, but leaves the counts of the shared \
                  frames as they are.",
    }

    /// When all processes of a case are gone, no more frames are free than before it.
    FramesNotInvented = "frames-not-invented" {
        verdict: Verdict::Invariant,
        severity: Severity::BreaksIsolation,
        effect: Effect::Unknown,
        broken: "a frame is freed twice",
        mistake: "`uvmunmap` frees a shared frame without checking its reference count, and the other process \
                  frees it again.",
    }

    /// An `sbrk` that lowers the program break frees the frames of the pages that it takes away.
    ShrinkGivesBack = "shrink-gives-back" {
        verdict: Verdict::Leak,
        severity: Severity::LosesMemory,
        effect: Effect::Harmless,
        broken: "a heap that shrinks keeps its frames",
        mistake: "`sbrk` lowers `p->sz` and does nothing else.",
    }

    /// In a kernel with lazy allocation, an `sbrk` that raises the program break takes no frame.
    GrowthTakesNothing = "growth-takes-nothing" {
        verdict: Verdict::NotLazy,
        severity: Severity::NotLazy,
        effect: Effect::Harmless,
        broken: "a growth takes frames for pages that nobody has touched",
        mistake: "`sbrk` still calls `uvmalloc`, or allocates page tables for the new range.",
    }

    /// In a kernel with copy-on-write, `fork` takes frames for page tables and for what every process
    /// needs. Parent and child share all other frames.
    ForkShares = "fork-shares" {
        verdict: Verdict::NotLazy,
        severity: Severity::NotLazy,
        effect: Effect::Harmless,
        broken: "a fork takes frames for pages that it should share",
        mistake: "`uvmcopy` shares the heap but still copies the stack.",
    }

    /// A page fault takes one frame for its page, and page tables to reach it. A system call takes
    /// frames only for the pages that it touches.
    TouchTakesOne = "touch-takes-one" {
        verdict: Verdict::NotLazy,
        severity: Severity::NotLazy,
        effect: Effect::Harmless,
        broken: "an operation takes more frames than it touches pages",
        mistake: "The page-fault handler allocates every page from the old end of the heap up to the address \
                  that faulted.",
    }

    /// A successful `exec` frees the frames of the old program. In a kernel that loads on demand it
    /// takes frames only for the pages that the new program touches.
    ExecTakesLittle = "exec-takes-little" {
        verdict: Verdict::NotLazy,
        severity: Severity::NotLazy,
        effect: Effect::Harmless,
        broken: "exec takes more frames than the new program touches",
        mistake: "`exec` frees the old page table with the size of the new program, so the old heap stays \
                  allocated.",
    }

    /// A frame that a page maps is not on the free list.
    MappedNotFree = "mapped-not-free" {
        verdict: Verdict::Invariant,
        severity: Severity::BreaksIsolation,
        effect: Effect::Fatal,
        broken: "a page maps a frame that is free",
        mistake: "A shrinking `sbrk` frees the frame but leaves the page-table entry valid.",
    }

    /// A frame that a program can store to is mapped by one page only.
    WritableAlone = "writable-alone" {
        verdict: Verdict::Invariant,
        severity: Severity::BreaksIsolation,
        effect: Effect::Fatal,
        broken: "two pages share a frame, and one can be stored to",
        mistake: "`fork` clears PTE_W in the child's page table and forgets the parent's.",
    }

    /// No page that user mode can access maps the kernel's memory or a page table.
    KernelHidden = "kernel-hidden" {
        verdict: Verdict::Invariant,
        severity: Severity::BreaksIsolation,
        effect: Effect::Fatal,
        broken: "a program can reach the kernel's memory",
        mistake: "A page table is freed while an entry of the table above it still points to it, and its frame \
                  becomes a user page.",
    }

    /// A page is mapped only where the program has memory: in its segments, in its stack, and in its
    /// heap below the program break.
    MappedInside = "mapped-inside" {
        verdict: Verdict::Invariant,
        severity: Severity::BreaksIsolation,
        effect: Effect::Unknown,
        broken: "a page is mapped where the program has no memory",
        mistake: "A shrinking `sbrk` rounds the wrong way and leaves a page mapped beyond the program break.",
    }

    /// A page has the permission bits of its region: code cannot be stored to, and heap and stack
    /// cannot be executed.
    PermissionBits = "permission-bits" {
        verdict: Verdict::Invariant,
        severity: Severity::BreaksIsolation,
        effect: Effect::Permissions,
        broken: "a page has the wrong permission bits",
        mistake: "The page-fault handler maps every page with PTE_R, PTE_W and PTE_X.",
    }

    /// A page that nobody has stored to holds zeros.
    FreshPageZero = "fresh-page-zero" {
        verdict: Verdict::Invariant,
        severity: Severity::BreaksIsolation,
        effect: Effect::Memory,
        broken: "a fresh page is not zero",
        mistake: "The page-fault handler does not clear the frame that it gets from `kalloc`, so the program \
                  sees what its last owner left there.",
    }

    /// A mapped page holds what the program, or a system call for it, has stored there.
    PageContent = "page-content" {
        verdict: Verdict::Invariant,
        severity: Severity::BreaksIsolation,
        effect: Effect::Memory,
        broken: "memory holds bytes that nobody stored there",
        mistake: "`copyout` stores to a shared frame without copying it first, so the other process sees the \
                  bytes.",
    }

    /// When a case has changed files, the disk holds what was written: contents, sizes, names and
    /// links.
    DiskContent = "disk-content" {
        verdict: Verdict::Divergence,
        severity: Severity::WrongResult,
        effect: Effect::Unknown,
        broken: "the disk holds something other than what was written",
        mistake: "`writei` returns early for a bad buffer and does not store the new size of the inode.",
    }

    /// The inodes and blocks of files that are gone are free, and no two files share a block.
    BlocksComeBack = "blocks-come-back" {
        verdict: Verdict::Leak,
        severity: Severity::LosesMemory,
        effect: Effect::Unknown,
        broken: "inodes or blocks are lost, or two files share a block",
        mistake: "`open` finds no free file descriptor and returns -1 without `iput`.",
    }

    /// After a power cut at any moment, the kernel boots again and starts its first program.
    BootsAgain = "boots-again" {
        verdict: Verdict::Panic,
        severity: Severity::BreaksTheMachine,
        effect: Effect::Fatal,
        broken: "after a power cut, the kernel does not boot any more",
        mistake: "The log is recovered after the root directory was read, so `init` is not found, or is half \
                  of a file.",
    }

    /// After a power cut and a boot, the disk is consistent and holds all that system calls had done when they returned.
    /// The operation that was cut short is there as a whole or not at all. A large `write` is several transactions, and
    /// this holds for each of them.
    SurvivesPowerCut = "survives-power-cut" {
        verdict: Verdict::Divergence,
        severity: Severity::WrongResult,
        effect: Effect::Unknown,
        broken: "a power cut undoes what was done, or leaves half of an operation",
        mistake: "`commit` writes the log's header before the logged blocks, so recovery copies old blocks to \
                  their places.",
    }
}
