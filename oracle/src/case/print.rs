//! The text form of an operation.

use super::{Call, Case, Flavour, OpenMode, Operation, Target};
use std::fmt;

/// The version line that opens every text case.
pub const VERSION_LINE: &str = "faultline 1";

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = self.kind().word();
        match *self {
            Call::Sbrk { amount, flavour } => {
                write!(f, "{word} {amount}")?;
                match flavour {
                    Flavour::Lazy => Ok(()),
                    Flavour::Eager => write!(f, " eager"),
                    Flavour::Other(number) => write!(f, " flavour {number}"),
                }
            }
            Call::Load { width, address } => write!(f, "{word}{} {address}", width.bytes()),
            Call::Store {
                width,
                address,
                value,
            } => write!(f, "{word}{} {address} {value}", width.bytes()),
            Call::Fetch { address } | Call::Pipe { address } => write!(f, "{word} {address}"),
            Call::Touch {
                address,
                count,
                stride,
                ..
            } => {
                write!(f, "{word} {address} {count}")?;
                match stride.bytes() {
                    4096 => Ok(()),
                    bytes => write!(f, " stride {bytes:#x}"),
                }
            }
            Call::Fork { child } => write!(f, "{child} = {word}"),
            Call::Exit { status } => write!(f, "{word} {status}"),
            Call::Wait { status: None } => f.write_str(word),
            Call::Wait {
                status: Some(address),
            } => write!(f, "{word} {address}"),
            Call::Kill {
                target: Target::Process(target),
            } => write!(f, "{word} {target}"),
            Call::Kill {
                target: Target::Pid(pid),
            } => write!(f, "{word} pid {pid}"),
            Call::Getpid | Call::Uptime => f.write_str(word),
            Call::Read {
                fd,
                address,
                length,
            }
            | Call::Write {
                fd,
                address,
                length,
            } => write!(f, "{word} {fd} {address} {length}"),
            Call::Close { fd } | Call::Dup { fd } => write!(f, "{word} {fd}"),
            Call::String {
                address,
                text,
                terminated,
            } => {
                write!(f, "{word} {address} {text}")?;
                match terminated {
                    true => Ok(()),
                    false => write!(f, " unterminated"),
                }
            }
            Call::Point { address, target } => write!(f, "{word} {address} {target}"),
            Call::Chdir { address } | Call::Unlink { address } | Call::Mkdir { address } => {
                write!(f, "{word} {address}")
            }
            Call::Open {
                address,
                mode,
                flags,
            } => {
                write!(f, "{word} {address}")?;
                if mode != OpenMode::Read {
                    write!(f, " {}", mode.word())?;
                }
                flags.words().try_for_each(|word| write!(f, " {word}"))
            }
            Call::Link { address, new } => write!(f, "{word} {address} {new}"),
            Call::Mknod { address, major } => write!(f, "{word} {address} {major}"),
            Call::Fstat { fd, address } => write!(f, "{word} {fd} {address}"),
            Call::Exec { address, arguments } => write!(f, "{word} {address} {arguments}"),
            Call::Yield { ticks } => write!(f, "{word} {ticks}"),
            Call::Pause { ticks } => write!(f, "{word} {ticks}"),
            Call::Frames {
                free: Call::ALL_FRAMES,
            } => write!(f, "{word} all"),
            Call::Frames { free } => write!(f, "{word} {free}"),
            Call::FailFrame { nth } => write!(f, "{word} {nth}"),
            Call::Together { schedule } => write!(f, "{word} {schedule}"),
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.call.is_done_to_all() {
            true => write!(f, "{}", self.call),
            false => write!(f, "{}: {}", self.process, self.call),
        }
    }
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{VERSION_LINE}")?;
        for operation in &self.operations {
            writeln!(f, "{operation}")?;
        }
        Ok(())
    }
}

/// The text form, so that whatever prints a case prints a file that can be run.
impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
