//! The binary form: eight bytes an operation, so that byte mutations stay aligned to operations.
//!
//! ```text
//! byte 0      kind (upper 5 bits), process (lower 3)
//! byte 1      region (lower 4 bits), offset form (upper 4)
//! bytes 2, 3  offset (lower 12 bits), page form (upper 4)
//! byte 4      page
//! byte 5      width, descriptor, stride, child or process to kill
//! bytes 6, 7  value, length, count or number
//! ```
//!
//! A second address is in bytes 5 to 7: region (lower 4 bits of byte 5) and, across the other 20
//! bits, offset (lower 12) and page. A string's number is in byte 5, and in byte 6 whether the zero
//! that ends it is left out.
//!
//! `sbrk` has its base in bytes 1 and 2, its flavour in byte 3, its pages in 4 and 5, its bytes in
//! 6 and 7; `exit` and `kill` of a number have it in bytes 4 to 7. `frames` has a number in bytes 6
//! and 7; `frames fail` is its form with 0xff in byte 1 and the number in byte 6.
//!
//! `together` has harts, order, pre-emption and the form of its change points in byte 1, and the
//! change points in bytes 2 to 7; one that is far has the harts in byte 2, and is in bytes 4 to 7.
//!
//! Every record decodes to an operation. The encoder writes one *exact* form of each operation; the
//! other forms exist so that random bytes often mean something interesting: an offset at the end of
//! a page, a page near the start of its region, a descriptor that may be open. A code
//! that the encoder has ever written keeps its meaning: old files stay readable.

use super::{
    Address, Amount, Base, Call, Case, Flavour, OpenFlags, OpenMode, Operation, Order, Place,
    Process, Region, Schedule, StoredValue, Stride, Target, Text, Width,
};
use std::num::NonZeroU8;

/// Bytes of a record.
pub const RECORD_BYTES: usize = 8;

type Record = [u8; RECORD_BYTES];

/// Kind codes that the encoder writes.
mod kind {
    pub(super) const SBRK: u8 = 0;
    pub(super) const LOAD: u8 = 1;
    pub(super) const STORE: u8 = 2;
    pub(super) const FETCH: u8 = 3;
    pub(super) const TOUCH_READ: u8 = 4;
    pub(super) const TOUCH_WRITE: u8 = 5;
    pub(super) const FORK: u8 = 6;
    pub(super) const EXIT: u8 = 7;
    pub(super) const WAIT: u8 = 8;
    pub(super) const KILL: u8 = 9;
    pub(super) const GETPID: u8 = 10;
    pub(super) const PIPE: u8 = 11;
    pub(super) const READ: u8 = 12;
    pub(super) const WRITE: u8 = 13;
    pub(super) const CLOSE: u8 = 14;
    pub(super) const DUP: u8 = 15;
    pub(super) const YIELD: u8 = 16;
    pub(super) const UPTIME: u8 = 17;
    pub(super) const PAUSE: u8 = 18;
    pub(super) const FRAMES: u8 = 19;
    pub(super) const WAIT_STATUS: u8 = 20;
    pub(super) const STRING: u8 = 21;
    pub(super) const POINT: u8 = 22;
    pub(super) const OPEN: u8 = 23;
    pub(super) const FSTAT: u8 = 24;
    pub(super) const CHDIR: u8 = 25;
    pub(super) const EXEC: u8 = 26;
    pub(super) const TOGETHER: u8 = 27;
    pub(super) const LINK: u8 = 28;
    /// Further calls that take a path; [`super::path_call`] says which.
    pub(super) const PATH_CALL: u8 = 29;
    /// What the other codes mean: more of what finds most. The encoder never writes them.
    pub(super) const AGAIN: [u8; 5] = [SBRK, SBRK, LOAD, STORE, TOUCH_WRITE];
}

/// Byte 1 of a `kill` that names a number.
const KILL_NUMBER: u8 = 0xff;
/// Byte 1 of a `frames fail`.
const FAIL_FRAME: u8 = 0xff;
/// Upper bits of byte 3 of an `sbrk` with an odd flavour.
const OTHER_FLAVOUR: u8 = 0xc0;
/// Upper bit of byte 5: a descriptor or stride, exactly.
const EXACT: u8 = 0x80;
/// Lower bits of byte 6 of a string without the zero that ends it.
const UNTERMINATED: u8 = 1;
/// Bits of byte 5 of an `open`, beside its mode.
const OPEN_FLAGS_SHIFT: u32 = 2;
/// Bit of byte 1: change points interrupt.
const PRE_EMPTS: u8 = 0x20;
/// Low bits of byte 1 of `together`: the change point is far, and the number of harts is in byte 2.
const FAR: u8 = 3;
/// Page form from which on the page has eleven bits.
const FAR_PAGE: u8 = 8;

/// Byte 5 of a [`kind::PATH_CALL`].
mod path_call {
    pub(super) const UNLINK: u8 = 0;
    pub(super) const MKDIR: u8 = 1;
    pub(super) const MKNOD: u8 = 2;
}

fn sign_extend(value: u16, bits: u32) -> i16 {
    let unused = 16 - bits;
    ((value << unused) as i16) >> unused
}

fn low_half(record: Record) -> i16 {
    i16::from_le_bytes([record[6], record[7]])
}

fn number(record: Record) -> i32 {
    i32::from_le_bytes([record[4], record[5], record[6], record[7]])
}

/// The operation that a record stands for.
pub(super) fn decode_record(record: Record) -> Operation {
    let process = Process::from_bits(record[0] & 7);
    let code = record[0] >> 3;
    let code = match code {
        0..=kind::TOGETHER | kind::LINK | kind::PATH_CALL => code,
        other => kind::AGAIN[usize::from(other) % kind::AGAIN.len()],
    };
    let address = || decode_address(record);
    let at_least_one = |byte: u8| NonZeroU8::new(byte).unwrap_or(NonZeroU8::MIN);
    let width = Width::ALL[usize::from(record[5] & 3)];
    let fd = match record[5] & EXACT {
        0 => (record[5] & 3) as i8,
        _ => ((record[5] << 1) as i8) >> 1,
    };
    let touch = |write| {
        let stride = match (record[5] & EXACT, record[5] & 7) {
            (EXACT, _) => Stride::power(record[5] & !EXACT),
            (_, 6) => Stride::power(9),
            (_, 7) => Stride::power(21),
            _ => Stride::PAGE,
        };
        let count = if record[7] & 1 == 0 {
            record[6]
        } else {
            record[6] % 16
        };
        Call::Touch {
            address: address(),
            count: at_least_one(count),
            stride,
            write,
        }
    };
    let call = match code {
        kind::SBRK => decode_sbrk(record),
        kind::LOAD => Call::Load {
            width,
            address: address(),
        },
        kind::STORE => Call::Store {
            width,
            address: address(),
            value: match record[5] & 4 {
                0 => StoredValue::number(low_half(record)),
                _ => StoredValue::repeated(low_half(record) as u16),
            },
        },
        kind::FETCH => Call::Fetch { address: address() },
        kind::TOUCH_READ => touch(false),
        kind::TOUCH_WRITE => touch(true),
        kind::FORK => Call::Fork {
            child: Process::from_bits(record[5]),
        },
        kind::EXIT => Call::Exit {
            status: number(record),
        },
        kind::WAIT => Call::Wait { status: None },
        kind::WAIT_STATUS => Call::Wait {
            status: Some(address()),
        },
        kind::KILL => Call::Kill {
            target: match record[1] {
                KILL_NUMBER => Target::Pid(number(record)),
                _ => Target::Process(Process::from_bits(record[5])),
            },
        },
        kind::PIPE => Call::Pipe { address: address() },
        kind::READ => Call::Read {
            fd,
            address: address(),
            length: decode_length(record),
        },
        kind::WRITE => Call::Write {
            fd,
            address: address(),
            length: decode_length(record),
        },
        kind::CLOSE => Call::Close { fd },
        kind::DUP => Call::Dup { fd },
        kind::STRING => Call::String {
            address: address(),
            text: Text::from_code(record[5]),
            terminated: record[6] & 7 != UNTERMINATED,
        },
        kind::POINT => Call::Point {
            address: address(),
            target: decode_near_address(record),
        },
        kind::OPEN => Call::Open {
            address: address(),
            mode: OpenMode::ALL[usize::from(record[5] & 3) % OpenMode::ALL.len()],
            flags: OpenFlags::from_bits_truncate(record[5] >> OPEN_FLAGS_SHIFT),
        },
        kind::LINK => Call::Link {
            address: address(),
            new: decode_near_address(record),
        },
        // Larger numbers are never written: they mean the same over and over.
        kind::PATH_CALL => match record[5] & 3 {
            path_call::MKDIR => Call::Mkdir { address: address() },
            path_call::MKNOD => Call::Mknod {
                address: address(),
                major: record[6],
            },
            _ => Call::Unlink { address: address() },
        },
        kind::FSTAT => Call::Fstat {
            fd,
            address: address(),
        },
        kind::CHDIR => Call::Chdir { address: address() },
        kind::EXEC => Call::Exec {
            address: address(),
            arguments: decode_near_address(record),
        },
        kind::YIELD => Call::Yield {
            ticks: at_least_one(record[6]),
        },
        kind::UPTIME => Call::Uptime,
        kind::PAUSE => Call::Pause {
            ticks: record[6] as i8,
        },
        kind::FRAMES if record[1] == FAIL_FRAME => Call::FailFrame {
            nth: match record[7] {
                0 => at_least_one(record[6]),
                _ => at_least_one(record[6] % 16),
            },
        },
        kind::FRAMES => Call::Frames {
            free: match record[1] {
                0 => low_half(record) as u16,
                _ => u16::from(record[6] % 16),
            },
        },
        kind::TOGETHER => Call::Together {
            schedule: decode_schedule(record),
        },
        _ => Call::Getpid,
    };
    Operation::new(process, call)
}

fn decode_schedule(record: Record) -> Schedule {
    let order = Order::from_code(record[1] >> 2);
    let pre_empts = record[1] & PRE_EMPTS != 0;
    // Races are short: most of random change points are small.
    let shift = 2 * (record[1] >> 6);
    if record[1] & FAR == FAR {
        let far = number(record) as u32 >> shift;
        return Schedule::new(1 + record[2] % 3, order, pre_empts, &[far]);
    }
    let near = |at| u32::from(u16::from_le_bytes([record[at], record[at + 1]]) >> shift);
    let switches = [2, 4, 6].map(near);
    Schedule::new(1 + record[1] % 4, order, pre_empts, &switches)
}

fn encode_schedule(schedule: Schedule, record: &mut Record) {
    let flag = if schedule.pre_empts() { PRE_EMPTS } else { 0 };
    let harts = schedule.harts() - 1;
    let common = schedule.order().code() << 2 | flag;
    match *schedule.switches() {
        [far] if far > Schedule::LAST_NEAR => {
            (record[1], record[2]) = (common | FAR, harts);
            record[4..].copy_from_slice(&far.to_le_bytes());
        }
        _ => {
            record[1] = common | harts;
            for (place, at) in record[2..].chunks_exact_mut(2).zip(schedule.switches()) {
                place.copy_from_slice(&(*at as u16).to_le_bytes());
            }
        }
    }
}

fn decode_sbrk(record: Record) -> Call {
    let base = match record[1] & 0xf {
        1 => Base::Power(record[2]),
        2 => Base::MinusPower(record[2]),
        code @ 3..=7 => Base::Distance(Place::ALL[usize::from(code) - 3]),
        _ => Base::Nothing,
    };
    let pages = i16::from_le_bytes([record[4], record[5]]);
    let bytes = low_half(record);
    let few = sign_extend(u16::from(record[4]), 4);
    let amount = match record[1] >> 4 {
        1..=9 => Amount::new(base, few, 0),
        10 | 11 => Amount::new(base, few, sign_extend(u16::from(record[6]), 8)),
        12 | 13 => Amount::new(base, 0, bytes),
        _ => Amount::new(base, pages, bytes),
    };
    let flavour = match record[3] {
        odd if odd >= OTHER_FLAVOUR => Flavour::from_number(odd & !OTHER_FLAVOUR),
        eager if eager & 7 == 1 => Flavour::Eager,
        _ => Flavour::Lazy,
    };
    Call::Sbrk { amount, flavour }
}

fn decode_address(record: Record) -> Address {
    let region = region(record[1]);
    let packed = u16::from_le_bytes([record[2], record[3]]);
    let (exact, form) = (packed & 0xfff, (packed >> 12) as u8);
    let offset = match record[1] >> 4 {
        1..=4 => 0,
        // The last eight bytes of a page: a wide access there straddles its end.
        5..=7 => 0xff8 + (exact & 7),
        8 | 9 => 0xfff,
        10 => exact & 0x3f,
        _ => exact,
    };
    let page = if region == Region::Anywhere {
        i16::from(record[4] % 64)
    } else if form < FAR_PAGE {
        sign_extend(u16::from(record[4]), 3)
    } else {
        sign_extend(u16::from(form - FAR_PAGE) << 8 | u16::from(record[4]), 11)
    };
    Address::new(region, page, offset)
}

fn region(code: u8) -> Region {
    match code & 0xf {
        code @ 0..=11 => Region::ALL[usize::from(code)],
        14 => Region::Break,
        _ => Region::Heap,
    }
}

/// The second address of a record. (In random bytes all pages are as likely: most are near.)
fn decode_near_address(record: Record) -> Address {
    let rest = u16::from_le_bytes([record[5], record[6]]) >> 4;
    Address::new(region(record[5]), i16::from(record[7] as i8), rest)
}

fn decode_length(record: Record) -> i16 {
    let exact = low_half(record);
    if record[1] >> 4 == 0 {
        return exact;
    }
    let low = i16::from(record[6]);
    match record[7] {
        0..64 => low % 16,
        64..160 => low % 64,
        // Around what a pipe holds.
        160..224 => 496 + low % 32,
        224.. => exact,
    }
}

/// The exact record of an operation.
pub(super) fn encode_record(operation: &Operation) -> Record {
    let mut record = [0; RECORD_BYTES];
    let mut put_number = |bytes: [u8; 4]| record[4..].copy_from_slice(&bytes);
    match operation.call {
        Call::Exit { status } => put_number(status.to_le_bytes()),
        Call::Kill {
            target: Target::Pid(pid),
        } => put_number(pid.to_le_bytes()),
        _ => {}
    }
    if let Some(address) = operation.call.address() {
        encode_address(address, &mut record);
    }
    let (code, small, large): (u8, u8, [u8; 2]) = match operation.call {
        Call::Sbrk { amount, flavour } => {
            encode_sbrk(amount, flavour, &mut record);
            (kind::SBRK, record[5], [record[6], record[7]])
        }
        Call::Load { width, .. } => (kind::LOAD, width as u8, [0; 2]),
        Call::Store { width, value, .. } => {
            let form = if value.repeated { 4 } else { 0 };
            (kind::STORE, width as u8 | form, value.low.to_le_bytes())
        }
        Call::Fetch { .. } => (kind::FETCH, 0, [0; 2]),
        Call::Touch {
            count,
            stride,
            write,
            ..
        } => {
            let code = if write {
                kind::TOUCH_WRITE
            } else {
                kind::TOUCH_READ
            };
            (code, EXACT | stride.exponent(), [count.get(), 0])
        }
        Call::Fork { child } => (kind::FORK, child.index() as u8, [0; 2]),
        Call::Exit { .. } => (kind::EXIT, record[5], [record[6], record[7]]),
        Call::Wait { status: None } => (kind::WAIT, 0, [0; 2]),
        Call::Wait { status: Some(_) } => (kind::WAIT_STATUS, 0, [0; 2]),
        Call::Kill {
            target: Target::Process(target),
        } => (kind::KILL, target.index() as u8, [0; 2]),
        Call::Kill {
            target: Target::Pid(_),
        } => {
            record[1] = KILL_NUMBER;
            (kind::KILL, record[5], [record[6], record[7]])
        }
        Call::Getpid => (kind::GETPID, 0, [0; 2]),
        Call::Pipe { .. } => (kind::PIPE, 0, [0; 2]),
        Call::Read { fd, length, .. } => (kind::READ, encode_fd(fd), length.to_le_bytes()),
        Call::Write { fd, length, .. } => (kind::WRITE, encode_fd(fd), length.to_le_bytes()),
        Call::Close { fd } => (kind::CLOSE, encode_fd(fd), [0; 2]),
        Call::Dup { fd } => (kind::DUP, encode_fd(fd), [0; 2]),
        Call::String {
            text, terminated, ..
        } => {
            let form = if terminated { 0 } else { UNTERMINATED };
            (kind::STRING, text.code(), [form, 0])
        }
        Call::Point { target, .. } => encode_near_address(kind::POINT, target),
        Call::Open { mode, flags, .. } => {
            let flags = flags.bits() << OPEN_FLAGS_SHIFT;
            (kind::OPEN, mode as u8 | flags, [0; 2])
        }
        Call::Link { new, .. } => encode_near_address(kind::LINK, new),
        Call::Unlink { .. } => (kind::PATH_CALL, path_call::UNLINK, [0; 2]),
        Call::Mkdir { .. } => (kind::PATH_CALL, path_call::MKDIR, [0; 2]),
        Call::Mknod { major, .. } => (kind::PATH_CALL, path_call::MKNOD, [major, 0]),
        Call::Fstat { fd, .. } => (kind::FSTAT, encode_fd(fd), [0; 2]),
        Call::Chdir { .. } => (kind::CHDIR, 0, [0; 2]),
        Call::Exec { arguments, .. } => encode_near_address(kind::EXEC, arguments),
        Call::Yield { ticks } => (kind::YIELD, 0, [ticks.get(), 0]),
        Call::Uptime => (kind::UPTIME, 0, [0; 2]),
        Call::Pause { ticks } => (kind::PAUSE, 0, [ticks as u8, 0]),
        Call::Frames { free } => (kind::FRAMES, 0, free.to_le_bytes()),
        Call::FailFrame { nth } => {
            record[1] = FAIL_FRAME;
            (kind::FRAMES, 0, [nth.get(), 0])
        }
        Call::Together { schedule } => {
            encode_schedule(schedule, &mut record);
            (kind::TOGETHER, record[5], [record[6], record[7]])
        }
    };
    record[0] = code << 3 | operation.process.index() as u8;
    record[5] = small;
    record[6..].copy_from_slice(&large);
    record
}

fn encode_fd(fd: i8) -> u8 {
    EXACT | (fd as u8 & !EXACT)
}

/// The last three bytes of a record of `kind` with a second address.
fn encode_near_address(kind: u8, address: Address) -> (u8, u8, [u8; 2]) {
    let [low, high] = (address.offset() << 4 | region_code(address.region())).to_le_bytes();
    (kind, low, [high, address.page() as u8])
}

fn region_code(region: Region) -> u16 {
    let at = Region::ALL.iter().position(|other| *other == region);
    at.unwrap_or(0) as u16
}

fn encode_address(address: Address, record: &mut Record) {
    record[1] = region_code(address.region()) as u8;
    let page = address.page() as u16;
    let form = u16::from(FAR_PAGE) | (page >> 8 & 7);
    record[2..4].copy_from_slice(&(form << 12 | address.offset()).to_le_bytes());
    record[4] = page as u8;
}

fn encode_sbrk(amount: Amount, flavour: Flavour, record: &mut Record) {
    (record[1], record[2]) = match amount.base() {
        Base::Nothing => (0, 0),
        Base::Power(exponent) => (1, exponent),
        Base::MinusPower(exponent) => (2, exponent),
        Base::Distance(place) => {
            let at = Place::ALL.iter().position(|other| *other == place);
            (3 + at.unwrap_or(0) as u8, 0)
        }
    };
    record[3] = match flavour {
        Flavour::Lazy => 0,
        Flavour::Eager => 1,
        Flavour::Other(number) => OTHER_FLAVOUR | number,
    };
    record[4..6].copy_from_slice(&amount.extra_pages().to_le_bytes());
    record[6..].copy_from_slice(&amount.extra_bytes().to_le_bytes());
}

impl Case {
    /// The case that `bytes` stand for: any bytes will do. A last record that is cut short is filled
    /// up with zeros; what follows [`Case::MAX_OPERATIONS`] operations is ignored. Nothing is
    /// repaired: an operation may not apply when its turn comes.
    pub fn decode(bytes: &[u8]) -> Case {
        let records = bytes.chunks(RECORD_BYTES).take(Case::MAX_OPERATIONS);
        let operations = records.map(|chunk| {
            let mut record = [0; RECORD_BYTES];
            record[..chunk.len()].copy_from_slice(chunk);
            decode_record(record)
        });
        Case {
            operations: operations.collect(),
        }
    }

    /// The binary form.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.operations.len() * RECORD_BYTES);
        for operation in &self.operations {
            bytes.extend_from_slice(&encode_record(operation));
        }
        bytes
    }
}
