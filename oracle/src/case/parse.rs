//! The parser of one line of text.
//!
//! ```text
//! line      = [ operation ] [ "#" comment ]
//! operation = "frames" ( number | "all" ) | process ":" call
//! call      = "sbrk" amount [ "lazy" | "eager" | "flavour" number ]
//!           | "load" width address | "store" width address value | "fetch" address
//!           | ( "touch" | "touch-write" ) address count [ "stride" bytes ]
//!           | process "=" "fork" | "exit" number | "wait" [ address ]
//!           | "kill" ( process | "pid" number ) | "getpid" | "pipe" address
//!           | ( "read" | "write" ) fd address length | ( "close" | "dup" ) fd
//!           | "yield" [ number ] | "uptime" | "pause" number
//! address   = region [ "[" page "]" ] [ ( "+" | "-" ) bytes ]    (no blank before the sign)
//! amount    = ( "to" place | term ) { term }        term = [ sign ] ( number [ "p" ] | "2^" number )
//! ```

use super::text_error::{Complaint, meant};
use super::{
    Address, Amount, Base, Call, DESCRIPTORS, Flavour, Kind, Operation, Place, Process, Region,
    StoredValue, Stride, Target, Width,
};
use std::num::NonZeroU8;
use std::ops::{Range, RangeInclusive};
use winnow::Parser;
use winnow::combinator::opt;
use winnow::error::ParserError;
use winnow::stream::{LocatingSlice, Location, Stream};
use winnow::token::{one_of, take_while};

type Input<'a> = LocatingSlice<&'a str>;
type Parsed<T> = Result<T, Complaint>;

impl<'a> ParserError<Input<'a>> for Complaint {
    type Inner = Complaint;

    fn from_input(input: &Input<'a>) -> Complaint {
        let at = input.current_token_start();
        let length = input.chars().next().map_or(0, char::len_utf8);
        Complaint::new(at..at + length, "this is not expected here")
    }

    fn into_inner(self) -> Result<Complaint, Complaint> {
        Ok(self)
    }
}

/// Parses an operation that fills the whole of `line`, but for blanks.
pub(super) fn operation(line: &str) -> Parsed<Operation> {
    let mut input = LocatingSlice::new(line);
    blanks(&mut input)?;
    let operation = any_operation(&mut input)?;
    blanks(&mut input)?;
    match input.is_empty() {
        true => Ok(operation),
        false => Err(found(&mut input, "the end of the line")),
    }
}

fn blanks(input: &mut Input<'_>) -> Parsed<()> {
    take_while(0.., [' ', '\t']).void().parse_next(input)
}

/// The complaint that something else was expected than what follows.
fn found(input: &mut Input<'_>, expected: &str) -> Complaint {
    let start = input.current_token_start();
    let rest: &str = input;
    let length = rest.find([' ', '\t']).unwrap_or(rest.len());
    let message = match &rest[..length] {
        "" => format!("expected {expected}, but the line ends here"),
        word => format!("expected {expected}, found `{word}`"),
    };
    Complaint::new(start..start + length, message)
}

/// A word, and where it stands; empty if there is none.
fn word<'a>(input: &mut Input<'a>) -> Parsed<(&'a str, Range<usize>)> {
    blanks(input)?;
    take_while(0.., |c: char| {
        c.is_ascii_alphanumeric() || c == '-' || c == '_'
    })
    .with_span()
    .parse_next(input)
}

/// A word of letters only, and where it stands: what `-8` may follow at once.
fn name<'a>(input: &mut Input<'a>) -> Parsed<(&'a str, Range<usize>)> {
    blanks(input)?;
    take_while(0.., |c: char| c.is_ascii_alphabetic())
        .with_span()
        .parse_next(input)
}

/// The word that follows, if it is `wanted`.
fn keyword(input: &mut Input<'_>, wanted: &str) -> Parsed<bool> {
    let start = input.checkpoint();
    let (word, _) = word(input)?;
    if word != wanted {
        input.reset(&start);
    }
    Ok(word == wanted)
}

fn symbol(input: &mut Input<'_>, wanted: char) -> Parsed<bool> {
    blanks(input)?;
    opt(one_of(wanted))
        .map(|seen| seen.is_some())
        .parse_next(input)
}

fn expect_symbol(input: &mut Input<'_>, wanted: char, expected: &str) -> Parsed<()> {
    match symbol(input, wanted)? {
        true => Ok(()),
        false => Err(found(input, expected)),
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
        let free = match keyword(input, "all")? {
            true => Call::ALL_FRAMES,
            false => integer(
                input,
                0..=i64::from(u16::MAX) - 1,
                "a number of frames, or `all`",
            )? as u16,
        };
        return Ok(Operation::new(Process::FIRST, Call::Frames { free }));
    }
    let (name, at) = word(input)?;
    if name.is_empty() {
        return Err(found(input, "a process, `a` to `h`, or `frames`"));
    }
    if Kind::ALL.iter().any(|kind| name.starts_with(kind.word())) && name.len() > 1 {
        let complaint = Complaint::new(at, format!("`{name}` needs to know who does it"));
        return Err(complaint.help(format!("write `a: {name} …`")));
    }
    let process = process_named(name, at)?;
    expect_symbol(input, ':', "`:` after the process")?;
    Ok(Operation::new(process, call(input)?))
}

/// The words that a call can begin with.
fn call_words() -> impl Iterator<Item = &'static str> {
    let plain = Kind::ALL.iter().map(|kind| kind.word());
    let plain = plain.filter(|word| !["load", "store", "frames"].contains(word));
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

/// The digits of a number, decimal or `0x…`, without sign.
fn magnitude(input: &mut Input<'_>, expected: &str) -> Parsed<u64> {
    let (digits, at) = take_while(0.., |c: char| c.is_ascii_alphanumeric())
        .with_span()
        .parse_next(input)?;
    let number = match digits.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => digits.parse(),
    };
    number.map_err(|_| match digits {
        "" => found(input, expected),
        _ => Complaint::new(at, format!("expected {expected}, found `{digits}`")),
    })
}

fn signed(input: &mut Input<'_>, expected: &str) -> Parsed<(i128, Range<usize>)> {
    blanks(input)?;
    let start = input.current_token_start();
    let sign: Option<char> = opt(one_of(['+', '-'])).parse_next(input)?;
    let number = i128::from(magnitude(input, expected)?);
    let number = if sign == Some('-') { -number } else { number };
    Ok((number, start..input.current_token_start()))
}

fn integer(input: &mut Input<'_>, range: RangeInclusive<i64>, expected: &str) -> Parsed<i64> {
    let (number, at) = signed(input, expected)?;
    let fitting = i64::try_from(number)
        .ok()
        .filter(|number| range.contains(number));
    fitting.ok_or_else(|| {
        let (low, high) = (range.start(), range.end());
        Complaint::new(
            at,
            format!("{number} is out of range: {expected} is {low} to {high}"),
        )
    })
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

fn stored_value(input: &mut Input<'_>, width: Width) -> Parsed<StoredValue> {
    let (number, at) = signed(input, "a value")?;
    let fits = (-(1 << 63)..1 << 64).contains(&number);
    let bits = number as u64;
    let exact = StoredValue::from_bits(bits);
    // A narrow store does not care what a value says beyond its width.
    let narrow = || {
        let candidates = [
            StoredValue::number(bits as i16),
            StoredValue::repeated(bits as u16),
        ];
        let mut candidates = candidates.into_iter();
        candidates.find(|value| width.truncate(value.bits()) == width.truncate(bits))
    };
    let fitting = exact.or_else(|| (width.truncate(bits) == bits).then(narrow).flatten());
    fitting.filter(|_| fits).ok_or_else(|| {
        Complaint::new(at, "a stored value is -32768 to 32767, or 16 bits repeated").help(format!(
            "write {:#x}",
            StoredValue::repeated(bits as u16).bits()
        ))
    })
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

fn address(input: &mut Input<'_>) -> Parsed<Address> {
    let (name, at) = name(input)?;
    let words = || Region::ALL.iter().map(|region| region.word());
    let Some(region) = Region::ALL.into_iter().find(|region| region.word() == name) else {
        if name.is_empty() {
            return Err(found(input, "an address, such as `heap[1]+0xff8`"));
        }
        let complaint = Complaint::new(at, format!("there is no region `{name}`"));
        return Err(match meant(name, words()) {
            Some(other) => complaint.help(format!("did you mean `{other}`?")),
            None => complaint.help(format!(
                "there are {}",
                words().collect::<Vec<_>>().join(", ")
            )),
        });
    };
    let mut page = 0;
    if symbol(input, '[')? {
        (page, _) = signed(input, "a page number")?;
        expect_symbol(input, ']', "`]`")?;
    }
    let mut offset = 0;
    // No blank before the sign: `store8 heap -1` stores -1.
    if input.starts_with(['+', '-']) {
        (offset, _) = signed(input, "a number of bytes")?;
    }
    let at = at.start..input.current_token_start();
    if region == Region::Anywhere {
        let fits = (0..64).contains(&page) && (0..4096).contains(&offset);
        let complaint = || {
            Complaint::new(
                at,
                "`anywhere[n]` is 2^n, n from 0 to 63, and up to 4095 bytes more",
            )
        };
        return match fits {
            true => Ok(Address::new(region, page as i16, offset as u16)),
            false => Err(complaint()),
        };
    }
    let page = page + offset.div_euclid(4096);
    let offset = offset.rem_euclid(4096);
    let fitting = i16::try_from(page)
        .ok()
        .filter(|page| Address::PAGES.contains(page));
    let page = fitting.ok_or_else(|| {
        let (low, high) = (Address::PAGES.start(), Address::PAGES.end());
        Complaint::new(
            at,
            format!("page {page} is out of range: pages are {low} to {high}"),
        )
        .help("`break`, `middle` and `anywhere[n]` reach further")
    })?;
    Ok(Address::new(region, page, offset as u16))
}

fn amount(input: &mut Input<'_>) -> Parsed<Amount> {
    blanks(input)?;
    let start = input.current_token_start();
    let (mut base, mut pages, mut bytes) = (Base::Nothing, 0i128, 0i128);
    let mut any = false;
    if keyword(input, "to")? {
        base = Base::Distance(place(input)?);
        any = true;
    }
    loop {
        blanks(input)?;
        let sign: Option<char> = opt(one_of(['+', '-'])).parse_next(input)?;
        if sign.is_none() && (any || !input.starts_with(|c: char| c.is_ascii_digit())) {
            break;
        }
        any = true;
        let negative = sign == Some('-');
        if opt("2^").parse_next(input)?.is_some() {
            let exponent = integer(input, 0..=63, "an exponent")? as u8;
            if base != Base::Nothing {
                let at = start..input.current_token_start();
                return Err(Complaint::new(
                    at,
                    "an amount has one `2^n` or `to …`, not two",
                ));
            }
            base = match negative {
                true => Base::MinusPower(exponent),
                false => Base::Power(exponent),
            };
            continue;
        }
        let (digits, at) = take_while(0.., |c: char| c.is_ascii_alphanumeric())
            .with_span()
            .parse_next(input)?;
        let (number, unit) = match digits.strip_suffix('p') {
            Some(number) => (number, &mut pages),
            None => (digits, &mut bytes),
        };
        let parsed = match number.strip_prefix("0x") {
            Some(number) => u64::from_str_radix(number, 16),
            None => number.parse(),
        };
        let Ok(number) = parsed else {
            let what = format!("expected bytes (`24`), pages (`3p`) or `2^n`, found `{digits}`");
            return Err(Complaint::new(at, what));
        };
        *unit += if negative {
            -i128::from(number)
        } else {
            number.into()
        };
    }
    if !any {
        return Err(found(
            input,
            "an amount, such as `+3p`, `-1`, `2^31-1` or `to trapframe+1`",
        ));
    }
    if i16::try_from(bytes).is_err() {
        pages += bytes.div_euclid(4096);
        bytes = bytes.rem_euclid(4096);
    }
    let at = start..input.current_token_start();
    let too_much = |_| {
        Complaint::new(at.clone(), "amounts of pages and bytes reach 128 MiB")
            .help("write larger ones as `2^n` and what differs, such as `2^31-1p`")
    };
    let pages = i16::try_from(pages).map_err(too_much)?;
    let bytes = i16::try_from(bytes).map_err(too_much)?;
    Ok(Amount::new(base, pages, bytes))
}

fn place(input: &mut Input<'_>) -> Parsed<Place> {
    let (name, at) = name(input)?;
    let found = Place::ALL.into_iter().find(|place| place.word() == name);
    found.ok_or_else(|| {
        let words: Vec<_> = Place::ALL.iter().map(|place| place.word()).collect();
        Complaint::new(at, format!("there is no place `{name}`"))
            .help(format!("there are {}", words.join(", ")))
    })
}
