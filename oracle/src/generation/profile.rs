//! The fuzz targets: what each of them looks for.

use std::fmt;
use std::str::FromStr;

/// A fuzz target: it prefers some idioms, operations, addresses and amounts to others.
///
/// Every case is an input of every target: a profile says only what is generated often.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Profile {
    /// A break that moves, and faults around it: a bit of everything.
    #[default]
    SbrkFaults,
    /// Pages that parents and children share until one of them stores.
    ForkCow,
    /// System calls whose buffers and paths lie across page ends, in holes, beyond the break.
    SyscallBuffers,
    /// Every way to need a frame, when few or none are left.
    OutOfMemory,
    /// Stacks that grow on demand, and the guard pages below them.
    StackGrowth,
    /// Births, sleeps, deaths and orphans of up to eight processes.
    Processes,
    /// Files that are opened, read and asked about.
    Files,
    /// Programs that are loaded page by page, and their arguments.
    ExecImages,
    /// Several processes that act in turn, wait for one another, and are pre-empted.
    Schedules,
}

impl Profile {
    /// How many there are.
    pub const COUNT: usize = 9;

    /// All of them, in the order of the table of weights.
    pub const ALL: [Profile; Self::COUNT] = [
        Profile::SbrkFaults,
        Profile::ForkCow,
        Profile::SyscallBuffers,
        Profile::OutOfMemory,
        Profile::StackGrowth,
        Profile::Processes,
        Profile::Files,
        Profile::ExecImages,
        Profile::Schedules,
    ];

    /// The target's name.
    pub fn name(self) -> &'static str {
        match self {
            Profile::SbrkFaults => "sbrk_faults",
            Profile::ForkCow => "fork_cow",
            Profile::SyscallBuffers => "syscall_buffers",
            Profile::OutOfMemory => "out_of_memory",
            Profile::StackGrowth => "stack_growth",
            Profile::Processes => "processes",
            Profile::Files => "files",
            Profile::ExecImages => "exec_images",
            Profile::Schedules => "schedules",
        }
    }

    /// What it looks for, in a line.
    pub fn about(self) -> &'static str {
        match self {
            Profile::SbrkFaults => {
                "a moving program break and page faults around it, with a bit of everything"
            }
            Profile::ForkCow => "pages that parents and children share until one of them stores",
            Profile::SyscallBuffers => {
                "buffers and paths of system calls across page ends, in holes, beyond the break"
            }
            Profile::OutOfMemory => "every way to need a frame, when few or none are left",
            Profile::StackGrowth => "stacks that grow on demand, and the guard pages below them",
            Profile::Processes => "fork, sleep, kill, exit and orphans, with up to eight processes",
            Profile::Files => {
                "files and directories that are made, read, written, linked and removed"
            }
            Profile::ExecImages => "programs that are loaded page by page, and their arguments",
            Profile::Schedules => {
                "operations that race on up to three harts, and processes that are pre-empted"
            }
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// No target is called so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no target {name:?}; there are: {}", Profile::ALL.map(Profile::name).join(", "))]
pub struct UnknownProfile {
    name: String,
}

impl FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(name: &str) -> Result<Profile, UnknownProfile> {
        let mut all = Profile::ALL.into_iter();
        all.find(|profile| profile.name() == name)
            .ok_or_else(|| UnknownProfile { name: name.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::Profile;

    #[test]
    fn names_and_profiles_agree() {
        for (at, profile) in Profile::ALL.into_iter().enumerate() {
            assert_eq!(profile as usize, at);
            assert_eq!(profile.to_string().parse(), Ok(profile));
        }
        let error = "nothing".parse::<Profile>().unwrap_err();
        assert!(error.to_string().contains("fork_cow"), "{error}");
    }
}
