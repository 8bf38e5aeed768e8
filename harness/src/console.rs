//! A guest's console, used by a program in place of a person: it waits for a text, types lines, and returns what
//! they print.

use emulator::{BuildError, Config, Exit, Machine};

use crate::guest::location::{GuestFiles, MissingGuest};

/// What the shell shows when it waits for a line.
pub const PROMPT: &str = "$ ";

/// Instructions within which something waited for has to appear, unless
/// [`Console::set_budget`] was called.
const BUDGET: u64 = 2_000_000_000;
/// Instructions between two looks at the console.
const STEP: u64 = 100_000;

/// A machine whose console is read and typed on.
pub struct Console {
    machine: Machine,
    budget: u64,
    /// What was printed and not yet waited for.
    shown: String,
}

/// Why a console did not show what was waited for.
#[derive(Debug, thiserror::Error)]
pub enum ConsoleError {
    /// There is no kernel or no image.
    #[error(transparent)]
    Missing(#[from] MissingGuest),
    /// The machine cannot be built.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// What was waited for did not appear.
    #[error("the console does not show {wanted:?} ({exit:?}); it shows:\n{shown}")]
    NotShown {
        /// What was waited for.
        wanted: String,
        /// Why the machine stopped; [`Exit::Budget`] also when the kernel panicked.
        exit: Exit,
        /// What the console shows instead.
        shown: String,
    },
    /// The shell did not repeat the line that was typed.
    #[error("{line:?} was typed, but the console shows:\n{shown}")]
    NoEcho {
        /// The line.
        line: String,
        /// What the console shows instead.
        shown: String,
    },
}

impl Console {
    /// Boots the kernel and the image that [`GuestFiles::find`] finds, to the shell's prompt.
    ///
    /// # Errors
    /// There is no guest, or no prompt.
    pub fn boot(config: &Config) -> Result<Console, ConsoleError> {
        Console::boot_files(config, GuestFiles::find(None, None)?)
    }

    /// Boots a kernel and an image to the shell's prompt.
    ///
    /// # Errors
    /// There is no prompt.
    pub fn boot_files(config: &Config, files: GuestFiles) -> Result<Console, ConsoleError> {
        let machine = Machine::new(config, &files.kernel, files.file_system)?;
        let mut console = Console::new(machine);
        console.wait_for(PROMPT)?;
        Ok(console)
    }

    /// The console of a machine.
    pub fn new(machine: Machine) -> Console {
        Console {
            machine,
            budget: BUDGET,
            shown: String::new(),
        }
    }

    /// Sets how many instructions everything that is waited for from now on may take.
    pub fn set_budget(&mut self, instructions: u64) {
        self.budget = instructions;
    }

    /// Back to the snapshot that the machine is based on, with nothing shown.
    pub fn start_over(&mut self) {
        self.machine.reset();
        self.shown.clear();
    }

    /// The machine, to be looked at or changed.
    pub fn machine_mut(&mut self) -> &mut Machine {
        &mut self.machine
    }

    /// The machine, to be taken away.
    pub fn into_machine(self) -> Machine {
        self.machine
    }

    /// Instructions retired since power-on, by all harts.
    pub fn instructions(&self) -> u64 {
        self.machine.retired()
    }

    /// Types `text` as it is.
    pub fn type_text(&mut self, text: &str) {
        self.machine.console_input(text.as_bytes());
    }

    /// Types a line at the prompt, waits for the next prompt, and returns what was printed in between.
    ///
    /// # Errors
    /// The prompt does not come back.
    pub fn run(&mut self, line: &str) -> Result<String, ConsoleError> {
        self.run_until(line, |_| false)
    }

    /// The same, but returns as soon as what was printed is `enough`.
    ///
    /// # Errors
    /// The prompt does not come back, and it is not enough.
    pub fn run_until(
        &mut self,
        line: &str,
        enough: impl Fn(&str) -> bool,
    ) -> Result<String, ConsoleError> {
        self.type_text(line);
        self.type_text("\n");
        let shown = self.wait(PROMPT, |shown| shown.ends_with(PROMPT) || enough(shown))?;
        let output = shown
            .strip_prefix(line)
            .and_then(|rest| rest.strip_prefix('\n'))
            .map(|rest| rest.strip_suffix(PROMPT).unwrap_or(rest));
        match output {
            Some(output) => Ok(output.to_owned()),
            None => Err(ConsoleError::NoEcho {
                line: line.to_owned(),
                shown,
            }),
        }
    }

    /// Waits until `wanted` is shown, and returns everything printed so far and not returned yet.
    ///
    /// # Errors
    /// It does not appear within the budget, or the kernel panicked or stopped.
    pub fn wait_for(&mut self, wanted: &str) -> Result<String, ConsoleError> {
        self.wait(wanted, |shown| shown.contains(wanted))
    }

    fn wait(
        &mut self,
        wanted: &str,
        is_there: impl Fn(&str) -> bool,
    ) -> Result<String, ConsoleError> {
        let end = self.machine.steps().saturating_add(self.budget);
        loop {
            let exit = self.machine.run(STEP);
            self.shown
                .push_str(&String::from_utf8_lossy(&self.machine.console_output()));
            let shown = &self.shown;
            if is_there(shown) {
                return Ok(std::mem::take(&mut self.shown));
            }
            let goes_on = exit == Exit::Budget && self.machine.steps() < end;
            if !goes_on || shown.contains("panic:") {
                return Err(ConsoleError::NotShown {
                    wanted: wanted.to_owned(),
                    exit,
                    shown: shown.clone(),
                });
            }
        }
    }
}
