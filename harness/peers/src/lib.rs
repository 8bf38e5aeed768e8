//! What our tests compare us with: QEMU, GNU's assembler, other people's kernels.
//!
//! A test that needs one of them is a [`trial`]. If it is missing, the test counts as ignored, with
//! the reason, and not as passed. Continuous integration installs what it can, so there a missing
//! program is a failure.

use libtest_mimic::{Completion, Trial};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fmt};

/// QEMU for 64-bit RISC-V.
pub const QEMU: Program = Program {
    name: "qemu-system-riscv64",
    package: "qemu-system-misc",
    is_set_up: true,
};
/// GNU's assembler for RISC-V.
pub const ASSEMBLER: Program = Program {
    name: "riscv64-linux-gnu-as",
    package: "binutils-riscv64-linux-gnu",
    is_set_up: true,
};
/// The program that makes a flat image of the assembler's output.
pub const OBJCOPY: Program = Program {
    name: "riscv64-linux-gnu-objcopy",
    package: "binutils-riscv64-linux-gnu",
    is_set_up: true,
};
/// GNU's C compiler for RISC-V.
pub const COMPILER: Program = Program {
    name: "riscv64-linux-gnu-gcc",
    package: "gcc-riscv64-linux-gnu",
    is_set_up: false,
};

/// Where `./scripts/setup --for-tests` puts programs that cannot be installed on the system.
const UNPACKED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/tools/bin");

/// A program that is not ours.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    name: &'static str,
    /// Debian's package.
    package: &'static str,
    /// Whether `./scripts/setup --for-tests` installs it.
    is_set_up: bool,
}

impl Program {
    /// A command that starts the program: the system's, else the one that set-up unpacked.
    ///
    /// # Errors
    /// The program is in neither place.
    pub fn command(self) -> Result<Command, Missing> {
        let unpacked = Path::new(UNPACKED).join(self.name);
        let places = [PathBuf::from(self.name), unpacked];
        let found = places.into_iter().find(|place| starts(place));
        found.map(Command::new).ok_or_else(|| Missing {
            what: if self.is_set_up {
                format!("no {}; run ./scripts/setup --for-tests", self.name)
            } else {
                format!("no {}; Debian's package {} has it", self.name, self.package)
            },
            is_set_up: self.is_set_up,
        })
    }
}

fn starts(program: &Path) -> bool {
    let status = Command::new(program)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

/// The folder that the environment variable `name` gives; `what` says what has to be there.
///
/// # Errors
/// The variable is not set.
pub fn folder(name: &str, what: &str) -> Result<PathBuf, Missing> {
    env::var_os(name).map(PathBuf::from).ok_or_else(|| Missing {
        what: format!("{name} does not name {what}"),
        is_set_up: false,
    })
}

/// Something that a test needs and that is not on this machine.
#[derive(Clone, Debug)]
pub struct Missing {
    what: String,
    is_set_up: bool,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

/// A test that needs what `needs` finds. It is ignored, with the reason, if something is missing; it fails if
/// that is something that set-up installs and the environment says `CI=true`.
pub fn trial<T, N, F>(name: &str, needs: N, test: F) -> Trial
where
    N: FnOnce() -> Result<T, Missing> + Send + 'static,
    F: FnOnce(T) + Send + 'static,
{
    let in_ci = env::var_os("CI").is_some_and(|value| value == "true");
    Trial::ignorable_test(name, move || match needs() {
        Ok(found) => {
            test(found);
            Ok(Completion::Completed)
        }
        Err(missing) if in_ci && missing.is_set_up => Err(missing.to_string().into()),
        Err(missing) => Ok(Completion::ignored_with(missing)),
    })
}

/// Marks a test as long: it runs only with `--ignored`. The list of tests shows `command`, which runs it.
pub fn long(test: Trial, command: &str) -> Trial {
    test.with_ignored_flag(true)
        .with_kind(format!("long, run it with: {command}"))
}

/// A test that needs no other program, in a list with tests that do.
pub fn own_trial(name: &str, test: impl FnOnce() + Send + 'static) -> Trial {
    trial(name, || Ok(()), |()| test())
}
