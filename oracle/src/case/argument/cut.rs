//! When the power is cut: a write to the disk, and how much of it is done then.

use super::Argument;
use crate::case::binary::Record;
use crate::case::parse::{Line, Parsed};
use std::fmt;

/// The moment at which the power is cut, in writes to the disk. They are counted from the operation that cuts the power:
/// write 1 is the next one. If the operations of the case make fewer, the power is not cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cut {
    /// The last write, 0 to 255. If it is 0, the power is cut at once.
    pub write: u8,
    /// What is done of it and of those before it.
    pub remains: Remains,
}

/// What a power cut leaves of the last writes to a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Remains {
    /// All of them.
    Whole,
    /// The first half of the last one, and all before it.
    Half,
    /// The last one, and those before it that the kernel knew to be done when it began. A disk may do others in any
    /// order, so it has not done them yet.
    Alone,
}

impl Remains {
    const ALL: [Remains; 3] = [Remains::Whole, Remains::Half, Remains::Alone];
}

impl Cut {
    /// After that write.
    pub fn after(write: u8) -> Cut {
        Cut {
            write,
            remains: Remains::Whole,
        }
    }
}

/// Byte 6: the write, modulo 16 unless byte 7 says the remains exactly. Byte 7: the remains, modulo 3.
impl Argument for Cut {
    type Value = Cut;

    fn decode(record: &Record) -> Cut {
        let count = Remains::ALL.len();
        let form = usize::from(record[7]);
        let write = if form < count {
            record[6]
        } else {
            record[6] % 16
        };
        match Remains::ALL[form % count] {
            Remains::Whole => Cut::after(write),
            remains => Cut {
                write: write.max(1),
                remains,
            },
        }
    }

    fn encode(cut: Cut, record: &mut Record) {
        record[6] = cut.write;
        record[7] = super::position(&Remains::ALL, &cut.remains);
    }

    fn parse(line: &mut Line<'_>) -> Parsed<Cut> {
        const WRITE: &str = "the number of a write";
        let is_half = line.keyword("in")?;
        if !is_half && !line.keyword("after")? {
            return Err(line.found("`after write` or `in write`"));
        }
        if !line.keyword("write")? {
            return Err(line.found("`write`"));
        }
        let least = i64::from(is_half);
        let write = line.integer(least..=255, WRITE)? as u8;
        let remains = if is_half {
            Remains::Half
        } else if write > 0 && line.keyword("alone")? {
            Remains::Alone
        } else {
            Remains::Whole
        };
        Ok(Cut { write, remains })
    }

    fn print(cut: Cut, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Cut { write, remains } = cut;
        match remains {
            Remains::Whole => write!(f, " after write {write}"),
            Remains::Half => write!(f, " in write {write}"),
            Remains::Alone => write!(f, " after write {write} alone"),
        }
    }

    /// After a whole write, or sooner.
    fn simpler(cut: Cut) -> Vec<Cut> {
        let whole = (cut.remains != Remains::Whole).then_some(Cut::after(cut.write));
        let least = u8::from(cut.remains != Remains::Whole);
        let sooner = [0, 1, cut.write / 2, cut.write.saturating_sub(1)];
        let sooner = sooner
            .into_iter()
            .filter(|sooner| (least..cut.write).contains(sooner));
        let sooner = sooner.map(|write| Cut { write, ..cut });
        whole.into_iter().chain(sooner).collect()
    }
}
