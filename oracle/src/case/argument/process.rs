//! The types of arguments about processes: the child of a fork, a status, the process to kill.

use super::{Argument, number};
use crate::case::Process;
use crate::case::binary::Record;
use crate::case::parse::{Line, Parsed, process_named};
use crate::case::text_error::Complaint;
use std::fmt;

/// The process to kill. A process is in byte 5; if byte 1 is [`Target::BY_NUMBER`], a process
/// identifier is in bytes 4 to 7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// A process of the case.
    Process(Process),
    /// The process with this process identifier.
    Pid(i32),
}

impl Target {
    const BY_NUMBER: u8 = 0xff;
}

impl Argument for Target {
    type Value = Target;

    fn decode(record: &Record) -> Target {
        match record[1] {
            Self::BY_NUMBER => Target::Pid(number(record)),
            _ => Target::Process(Process::from_bits(record[5])),
        }
    }

    fn encode(target: Target, record: &mut Record) {
        match target {
            Target::Process(process) => record[5] = process.index() as u8,
            Target::Pid(pid) => {
                record[1] = Self::BY_NUMBER;
                record[4..].copy_from_slice(&pid.to_le_bytes());
            }
        }
    }

    fn parse(line: &mut Line<'_>) -> Parsed<Target> {
        if line.keyword("pid")? {
            let pid = line.integer(EVERY_NUMBER, "a process identifier")?;
            return Ok(Target::Pid(pid as i32));
        }
        let (name, at) = line.word()?;
        match name {
            "" => Err(line.found("a process, or `pid` and a number")),
            _ => process_named(name, at).map(Target::Process),
        }
    }

    fn print(target: Target, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match target {
            Target::Process(process) => write!(f, " {process}"),
            Target::Pid(pid) => write!(f, " pid {pid}"),
        }
    }

    fn simpler(target: Target) -> Vec<Target> {
        match target {
            Target::Process(_) => Vec::new(),
            Target::Pid(_) => vec![Target::Pid(-1)],
        }
    }

    fn process(target: &mut Target) -> Option<&mut Process> {
        match target {
            Target::Process(process) => Some(process),
            Target::Pid(_) => None,
        }
    }
}

/// The numbers that 32 bits hold.
const EVERY_NUMBER: std::ops::RangeInclusive<i64> = i32::MIN as i64..=i32::MAX as i64;

/// The status that a process ends with: any 32 bits. Bytes 4 to 7.
pub(crate) enum Status {}

impl Argument for Status {
    type Value = i32;

    fn decode(record: &Record) -> i32 {
        number(record)
    }

    fn encode(status: i32, record: &mut Record) {
        record[4..].copy_from_slice(&status.to_le_bytes());
    }

    fn parse(line: &mut Line<'_>) -> Parsed<i32> {
        let status = line.integer(EVERY_NUMBER, "a status")?;
        Ok(status as i32)
    }

    fn print(status: i32, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " {status}")
    }

    fn simpler(status: i32) -> Vec<i32> {
        let simpler = [0, 1].into_iter();
        simpler.take_while(|simpler| *simpler != status).collect()
    }
}

/// The name of a child, one that no process had before. It comes before the word. Byte 5.
pub(crate) enum Child {}

impl Argument for Child {
    type Value = Process;

    const IS_NAMED: bool = true;

    fn decode(record: &Record) -> Process {
        Process::from_bits(record[5])
    }

    fn encode(child: Process, record: &mut Record) {
        record[5] = child.index() as u8;
    }

    fn parse(line: &mut Line<'_>) -> Parsed<Process> {
        line.named().ok_or_else(|| {
            let complaint = Complaint::new(line.at(), "a fork names its child");
            complaint.help("write `a: b = fork`")
        })
    }

    fn print(child: Process, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{child} = ")
    }

    fn simpler(_child: Process) -> Vec<Process> {
        Vec::new()
    }

    fn process(child: &mut Process) -> Option<&mut Process> {
        Some(child)
    }
}
