//! The fuzz targets: what each of them looks for.

use crate::named::named;
use std::str::FromStr;

named! {
    /// A fuzz target: it prefers some idioms, operations, addresses and amounts to others
    /// (`weights.rs`).
    ///
    /// Every case is an input of every target: a profile says only what is generated often.
    pub enum Profile {
        /// a moving program break and page faults around it, with a bit of everything
        SbrkFaults = "sbrk_faults",
        /// pages that parents and children share until one of them stores
        ForkCow = "fork_cow",
        /// buffers and paths of system calls across page ends, in holes, beyond the break
        SyscallBuffers = "syscall_buffers",
        /// every way to need a frame when few or none are left
        OutOfMemory = "out_of_memory",
        /// stacks that grow on demand, and the guard pages below them
        StackGrowth = "stack_growth",
        /// fork, sleep, kill, exit and orphans, with up to eight processes
        Processes = "processes",
        /// files and directories that are made, read, written, linked and removed
        Files = "files",
        /// programs that are loaded page by page, and their arguments
        ExecImages = "exec_images",
        /// operations that race on up to three harts, and processes that are pre-empted
        Schedules = "schedules",
    }
}

impl Default for Profile {
    /// The first, which has a bit of everything.
    fn default() -> Profile {
        Profile::ALL[0]
    }
}

/// No target has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no target {name:?}; there are: {}", Profile::ALL.map(Profile::name).join(", "))]
pub struct UnknownProfile {
    name: String,
}

impl FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(name: &str) -> Result<Profile, UnknownProfile> {
        Profile::named(name).ok_or_else(|| UnknownProfile { name: name.into() })
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
