//! The parser of one line of text.
//!
//! ```text
//! line      = [ operation ] [ "#" comment ]
//! operation = "frames" ( number | "all" | "fail" number ) | "together" schedule
//!           | process ":" call
//! call      = "sbrk" amount [ "lazy" | "eager" | "flavour" number ]
//!           | "load" width address | "store" width address value | "fetch" address
//!           | ( "touch" | "touch-write" ) address count [ "stride" bytes ]
//!           | process "=" "fork" | "exit" number | "wait" [ address ]
//!           | "kill" ( process | "pid" number ) | "getpid" | "pipe" address
//!           | ( "read" | "write" ) fd address length | ( "close" | "dup" ) fd
//!           | "string" address text [ "unterminated" ] | "point" address address
//!           | "open" address [ "read" | "write" | "read-write" ] [ "create" ] [ "truncate" ]
//!           | "link" address address | ( "unlink" | "mkdir" ) address | "mknod" address number
//!           | "fstat" fd address | "chdir" address | "exec" address address
//!           | "yield" [ number ] | "uptime" | "pause" number
//! text      = '"' { character } '"' | "path" bytes
//! schedule  = harts ( "hart" | "harts" ) "," "order" rank rank [ rank ]
//!             [ "," "switch" number { number } ] [ "," "pre-empt" ]
//! address   = region [ "[" page "]" ] [ ( "+" | "-" ) bytes ]    (no blank before the sign)
//! amount    = ( "to" place | term ) { term }        term = [ sign ] ( number [ "p" ] | "2^" number )
//! ```

mod memory;
mod schedule;
mod token;

use super::text_error::{Complaint, meant};
use super::{
    Call, DESCRIPTORS, Flavour, Kind, OpenFlags, OpenMode, Operation, Process, Stride, Target,
    Width,
};
use memory::{address, amount, near_address, stored_value, text};
use std::num::NonZeroU8;
use std::ops::Range;
use token::{Input, Parsed, blanks, expect_symbol, found, integer, keyword, signed, symbol, word};
use winnow::stream::LocatingSlice;

/// Parses an operation that fills the whole of `line`, but for blanks.
pub(in crate::case) fn operation(line: &str) -> Parsed<Operation> {
    let mut input = LocatingSlice::new(line);
    blanks(&mut input)?;
    let operation = any_operation(&mut input)?;
    blanks(&mut input)?;
    match input.is_empty() {
        true => Ok(operation),
        false => Err(found(&mut input, "the end of the line")),
    }
}

fn process_named(word: &str, at: Range<usize>) -> Parsed<Process> {
    let mut letters = word.chars();
    match (
        letters.next().and_then(Process::from_letter),
        letters.next(),
    ) {
        (Some(process), None) => Ok(process),
        _ => Err(Complaint::new(
            at,
            format!("expected a process, `a` to `h`, found `{word}`"),
        )),
    }
}

fn any_operation(input: &mut Input<'_>) -> Parsed<Operation> {
    if keyword(input, "frames")? {
        return Ok(Operation::new(Process::FIRST, frames(input)?));
    }
    if keyword(input, "together")? {
        let schedule = schedule::schedule(input)?;
        return Ok(Operation::new(Process::FIRST, Call::Together { schedule }));
    }
    let (name, at) = word(input)?;
    if name.is_empty() {
        return Err(found(
            input,
            "a process, `a` to `h`, or `frames`, or `together`",
        ));
    }
    if Kind::ALL.iter().any(|kind| name.starts_with(kind.word())) && name.len() > 1 {
        let complaint = Complaint::new(at, format!("`{name}` needs to know who does it"));
        return Err(complaint.help(format!("write `a: {name} …`")));
    }
    let process = process_named(name, at)?;
    expect_symbol(input, ':', "`:` after the process")?;
    Ok(Operation::new(process, call(input)?))
}

/// What follows `frames`.
fn frames(input: &mut Input<'_>) -> Parsed<Call> {
    if keyword(input, "all")? {
        let free = Call::ALL_FRAMES;
        return Ok(Call::Frames { free });
    }
    if keyword(input, "fail")? {
        let nth = at_least_one(integer(input, 1..=255, "which request fails")?);
        return Ok(Call::FailFrame { nth });
    }
    let range = 0..=i64::from(u16::MAX) - 1;
    let free = integer(input, range, "a number of frames, `all`, or `fail`")? as u16;
    Ok(Call::Frames { free })
}

/// The words that a call can begin with.
fn call_words() -> impl Iterator<Item = &'static str> {
    let plain = Kind::ALL.iter().map(|kind| kind.word());
    let unusual = ["load", "store", "frames", "frames fail", "together"];
    let plain = plain.filter(move |word| !unusual.contains(word));
    plain.chain([
        "load1", "load2", "load4", "load8", "store1", "store2", "store4", "store8",
    ])
}

fn call(input: &mut Input<'_>) -> Parsed<Call> {
    let (name, at) = word(input)?;
    if name.is_empty() {
        return Err(found(input, "an operation"));
    }
    if let Some(width) = width_after("load", name, &at)? {
        let address = address(input)?;
        return Ok(Call::Load { width, address });
    }
    if let Some(width) = width_after("store", name, &at)? {
        let address = address(input)?;
        let value = stored_value(input, width)?;
        return Ok(Call::Store {
            width,
            address,
            value,
        });
    }
    Ok(match name {
        "sbrk" => Call::Sbrk {
            amount: amount(input)?,
            flavour: flavour(input)?,
        },
        "fetch" => Call::Fetch {
            address: address(input)?,
        },
        "touch" => touch(input, false)?,
        "touch-write" => touch(input, true)?,
        "exit" => Call::Exit {
            status: integer(input, i32::MIN.into()..=i32::MAX.into(), "a status")? as i32,
        },
        "wait" => {
            blanks(input)?;
            let status = match input.is_empty() {
                true => None,
                false => Some(address(input)?),
            };
            Call::Wait { status }
        }
        "kill" => Call::Kill {
            target: target(input)?,
        },
        "getpid" => Call::Getpid,
        "uptime" => Call::Uptime,
        "pipe" => Call::Pipe {
            address: address(input)?,
        },
        "read" => Call::Read {
            fd: descriptor(input)?,
            address: address(input)?,
            length: length(input)?,
        },
        "write" => Call::Write {
            fd: descriptor(input)?,
            address: address(input)?,
            length: length(input)?,
        },
        "close" => Call::Close {
            fd: descriptor(input)?,
        },
        "dup" => Call::Dup {
            fd: descriptor(input)?,
        },
        "string" => Call::String {
            address: address(input)?,
            text: text(input)?,
            terminated: !keyword(input, "unterminated")?,
        },
        "point" => Call::Point {
            address: address(input)?,
            target: near_address(input)?,
        },
        "open" => Call::Open {
            address: address(input)?,
            mode: mode(input)?,
            flags: open_flags(input)?,
        },
        "link" => Call::Link {
            address: address(input)?,
            new: near_address(input)?,
        },
        "unlink" => Call::Unlink {
            address: address(input)?,
        },
        "mkdir" => Call::Mkdir {
            address: address(input)?,
        },
        "mknod" => Call::Mknod {
            address: address(input)?,
            major: integer(input, 0..=255, "a major number")? as u8,
        },
        "fstat" => Call::Fstat {
            fd: descriptor(input)?,
            address: address(input)?,
        },
        "chdir" => Call::Chdir {
            address: address(input)?,
        },
        "exec" => Call::Exec {
            address: address(input)?,
            arguments: near_address(input)?,
        },
        "yield" => {
            blanks(input)?;
            let ticks = match input.is_empty() {
                true => 1,
                false => integer(input, 1..=255, "a number of rounds")?,
            };
            Call::Yield {
                ticks: at_least_one(ticks),
            }
        }
        "pause" => Call::Pause {
            ticks: integer(input, -128..=127, "a number of ticks")? as i8,
        },
        "fork" => {
            let complaint = Complaint::new(at, "a fork names its child");
            return Err(complaint.help("write `a: b = fork`"));
        }
        _ if symbol(input, '=')? => {
            let child = process_named(name, at)?;
            match keyword(input, "fork")? {
                true => Call::Fork { child },
                false => return Err(found(input, "`fork`")),
            }
        }
        _ => {
            let complaint = Complaint::new(at, format!("there is no operation `{name}`"));
            return Err(match meant(name, call_words()) {
                Some(other) => complaint.help(format!("did you mean `{other}`?")),
                None => complaint.help(format!(
                    "there are {}",
                    call_words().collect::<Vec<_>>().join(", ")
                )),
            });
        }
    })
}

/// `load8` and the like: the width that stands behind `prefix`.
fn width_after(prefix: &str, name: &str, at: &Range<usize>) -> Parsed<Option<Width>> {
    let Some(digits) = name.strip_prefix(prefix) else {
        return Ok(None);
    };
    let width = Width::ALL
        .into_iter()
        .find(|width| width.bytes().to_string() == digits);
    match width {
        Some(width) => Ok(Some(width)),
        None => Err(Complaint::new(
            at.clone(),
            format!("`{prefix}` moves 1, 2, 4 or 8 bytes, found `{name}`"),
        )
        .help(format!("write `{prefix}8` for eight bytes"))),
    }
}

fn at_least_one(number: i64) -> NonZeroU8 {
    u8::try_from(number)
        .ok()
        .and_then(NonZeroU8::new)
        .unwrap_or(NonZeroU8::MIN)
}

fn descriptor(input: &mut Input<'_>) -> Parsed<i8> {
    let range = i64::from(*DESCRIPTORS.start())..=i64::from(*DESCRIPTORS.end());
    Ok(integer(input, range, "a file descriptor")? as i8)
}

fn length(input: &mut Input<'_>) -> Parsed<i16> {
    Ok(integer(input, i16::MIN.into()..=i16::MAX.into(), "a length")? as i16)
}

fn target(input: &mut Input<'_>) -> Parsed<Target> {
    if keyword(input, "pid")? {
        let pid = integer(
            input,
            i32::MIN.into()..=i32::MAX.into(),
            "a process identifier",
        )?;
        return Ok(Target::Pid(pid as i32));
    }
    let (name, at) = word(input)?;
    match name {
        "" => Err(found(input, "a process, or `pid` and a number")),
        _ => process_named(name, at).map(Target::Process),
    }
}

fn touch(input: &mut Input<'_>, write: bool) -> Parsed<Call> {
    let address = address(input)?;
    let count = at_least_one(integer(input, 1..=255, "a number of touches")?);
    let stride = match keyword(input, "stride")? {
        false => Stride::PAGE,
        true => {
            let (bytes, at) = signed(input, "a number of bytes")?;
            let stride = u64::try_from(bytes).ok().and_then(Stride::from_bytes);
            stride.ok_or_else(|| {
                Complaint::new(at, "a stride is a power of two below 2^40")
                    .help("0x1000 goes from page to page")
            })?
        }
    };
    Ok(Call::Touch {
        address,
        count,
        stride,
        write,
    })
}

fn mode(input: &mut Input<'_>) -> Parsed<OpenMode> {
    for mode in OpenMode::ALL {
        if keyword(input, mode.word())? {
            return Ok(mode);
        }
    }
    Ok(OpenMode::Read)
}

fn open_flags(input: &mut Input<'_>) -> Parsed<OpenFlags> {
    let mut flags = OpenFlags::empty();
    for flag in OpenFlags::all().iter() {
        for word in flag.words() {
            flags.set(flag, keyword(input, word)?);
        }
    }
    blanks(input)?;
    match input.is_empty() {
        true => Ok(flags),
        false => Err(found(
            input,
            "`read`, `write`, `read-write`, then `create`, then `truncate`, or the end of the line",
        )),
    }
}

fn flavour(input: &mut Input<'_>) -> Parsed<Flavour> {
    blanks(input)?;
    if input.is_empty() || keyword(input, "lazy")? {
        Ok(Flavour::Lazy)
    } else if keyword(input, "eager")? {
        Ok(Flavour::Eager)
    } else if keyword(input, "flavour")? {
        let number = integer(input, 0..=63, "a flavour")?;
        Ok(Flavour::from_number(number as u8))
    } else {
        Err(found(
            input,
            "`lazy`, `eager`, `flavour` and a number, or the end of the line",
        ))
    }
}
