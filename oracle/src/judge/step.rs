//! What the driver has to do next: addresses and numbers, without their meaning.

use crate::case::{Cut, Keys, Process, Text, Variation, Width};

/// One step for the driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The acting process.
    pub process: Process,
    /// What it does.
    pub action: Action,
    /// Full rounds of the scheduler to let pass afterwards: 0 unless others must run.
    pub rounds: u32,
    /// The most pages that the kernel may have to fill, copy or give back for it, which takes time.
    pub pages: u64,
    /// Whether the disk is to be read afterwards, because it may have no room for what the operation does.
    pub looks_at_disk: bool,
}

/// What a process does in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A system call.
    SystemCall {
        /// `a7`.
        number: u64,
        /// `a0` to `a2`.
        arguments: [u64; 3],
        /// For `fork`: the name of the child.
        child: Option<Process>,
    },
    /// A load.
    Load {
        /// Virtual address.
        address: u64,
        /// How many bytes.
        width: Width,
    },
    /// A store.
    Store {
        /// Virtual address.
        address: u64,
        /// How many bytes.
        width: Width,
        /// The value. Its low bytes are stored.
        value: u64,
    },
    /// Stores of a string's bytes.
    StoreString {
        /// Virtual address of the first.
        address: u64,
        /// The string.
        text: Text,
        /// Whether the zero that ends it is stored as well.
        terminated: bool,
    },
    /// A jump to an address.
    Fetch {
        /// Virtual address.
        address: u64,
    },
    /// One-byte accesses at `address`, `address + stride`, …: `count` of them. Addresses wrap around.
    Touch {
        /// The first virtual address.
        address: u64,
        /// Bytes from one access to the next.
        stride: u64,
        /// How many, at least 1.
        count: u64,
        /// Whether the accesses are stores or loads. A store stores how many accesses are left, including itself.
        write: bool,
    },
    /// Forks so many children that only live, or until `fork` fails.
    Gather {
        /// How many.
        members: u8,
    },
    /// Lets each child of the crowd load a byte and exit, and waits for all.
    Disperse {
        /// Virtual address of the byte.
        address: u64,
        /// How many children there are.
        members: u64,
    },
    /// Moves the stack pointer to this virtual address, where it stays until the next program starts.
    MoveStack(u64),
    /// Nothing: only rounds of the scheduler pass.
    Yield,
    /// The environment leaves this many frames free. `u64::MAX` gives all frames back.
    LeaveFrames(u64),
    /// The environment makes one request for frames fail: the one with this number, from 1,
    /// counted from now on.
    FailFrame(u8),
    /// The environment leaves this many blocks of the disk free, which the kernel has not used yet.
    LeaveBlocks(u16),
    /// The environment types at the console, and rounds of the scheduler pass.
    Type(Keys),
    /// From now to the end of the case, the machine does this as well.
    Vary(Variation),
    /// The power is cut, at once or later.
    CutPower(Cut),
    /// Nothing, and no round passes.
    Nothing,
}
