//! The binary form: eight bytes an operation, so that byte mutations stay aligned to operations.
//!
//! Byte 0 has the operation's code in its upper five bits, and the process in the lower three. Where
//! in the others an argument is, its type says ([`super::argument`]):
//!
//! ```text
//! byte 1      region (lower 4 bits), offset form (upper 4)
//! bytes 2, 3  offset (lower 12 bits), page form (upper 4)
//! byte 4      page
//! byte 5      width, descriptor, stride, child or process to kill
//! bytes 6, 7  value, length, count or number
//! bytes 5-7   a second address
//! ```
//!
//! Every record decodes to an operation. The encoder writes one *exact* form of each operation; the
//! other forms exist so that random bytes often mean something interesting: an offset at the end of
//! a page, a page near the start of its region, a descriptor that may be open. A code
//! that the encoder has ever written keeps its meaning: old files stay readable.

use super::argument::{self, Argument};
use super::operations::for_each_operation;
use super::{Call, Case, Kind, Operation, Process};

/// Bytes of a record.
pub const RECORD_BYTES: usize = 8;

pub(crate) type Record = [u8; RECORD_BYTES];

/// Upper bit of byte 5: a descriptor or stride, exactly.
pub(super) const EXACT: u8 = 0x80;

/// The code of what makes something scarce: `frames fail` if byte 1 is [`FAILS`], `blocks` if its upper bit is set
/// otherwise, as in [`BLOCKS`], and else `frames`.
const SCARCITY: u8 = 19;
const FAILS: u8 = 0xff;
const BLOCKS: u8 = 0x80;
/// The code of further calls that take a path: the lower two bits of byte 5 say which.
const PATH_CALL: u8 = 29;
/// The code of operations that were added later: the lower three bits of byte 5 say which.
const FURTHER: u8 = 31;
/// The second code of `wait`.
pub(super) const WAIT_WITH_STATUS: u8 = 20;

/// Whether a record has that code.
pub(super) fn has_code(record: &Record, code: u8) -> bool {
    record[0] >> 3 == code
}

/// Gives a record another code; the process stays.
pub(super) fn put_code(code: u8, record: &mut Record) {
    record[0] = code << 3 | record[0] & 7;
}

/// Which of the operations that share its code a record means.
fn form(record: &Record) -> u8 {
    match record[0] >> 3 {
        SCARCITY => match record[1] {
            FAILS => 1,
            BLOCKS.. => 2,
            _ => 0,
        },
        PATH_CALL => record[5] & 3,
        FURTHER => record[5] & 7,
        _ => 0,
    }
}

fn put_form(form: u8, record: &mut Record) {
    match record[0] >> 3 {
        SCARCITY if form == 1 => record[1] = FAILS,
        SCARCITY if form == 2 => record[1] = BLOCKS,
        PATH_CALL | FURTHER => record[5] = form,
        _ => {}
    }
}

/// The first of the forms that a row of the table names, or 0 if it names no form.
macro_rules! first_form {
    () => {
        0
    };
    ($form:literal $(| $more:literal)*) => {
        $form
    };
}

/// The pattern of the forms that a row of the table names, or any form if it names none.
macro_rules! any_form {
    () => {
        _
    };
    ($form:literal $(| $more:literal)*) => {
        $form $(| $more)*
    };
}

macro_rules! define_records {
    ($($name:ident $word:literal [$code:literal $(| $again:literal)* $(, $($form:literal)|+)?]
       $family:ident $cost:ident $work:literal $says:ident
       ($($argument:ident: $type:ident),*) {$($reach:expr),*};)*) => {
        /// The operation that a record encodes.
        fn decode_record(record: &Record) -> Operation {
            let call = match (record[0] >> 3, form(record)) {
                $(($code $(| $again)*, any_form!($($($form)|+)?)) => Call::$name {
                    $($argument: <argument::$type as Argument>::decode(record),)*
                },)*
                // Five bits have no other codes: the test below checks that.
                _ => Call::Getpid,
            };
            Operation::new(Process::from_bits(record[0] & 7), call)
        }

        /// The exact record of an operation.
        fn encode_record(operation: &Operation) -> Record {
            let mut record = [operation.process.index() as u8, 0, 0, 0, 0, 0, 0, 0];
            match operation.call {
                $(Call::$name { $($argument),* } => {
                    put_code($code, &mut record);
                    put_form(first_form!($($($form)|+)?), &mut record);
                    $(<argument::$type as Argument>::encode($argument, &mut record);)*
                })*
            }
            record
        }

        impl Kind {
            /// The operation of the kind whose record is all zeros except for its code.
            pub fn plainest(self) -> Call {
                let zeros = &[0; RECORD_BYTES];
                match self {
                    $(Kind::$name => Call::$name {
                        $($argument: <argument::$type as Argument>::decode(zeros),)*
                    },)*
                }
            }
        }

        /// All codes with the forms that rows of the table name for them.
        #[cfg(test)]
        const CODES: &[(&[u8], &[u8])] = &[
            $((&[$code $(, $again)*], &[$($($form),+)?])),*
        ];
    };
}

for_each_operation!(define_records);

impl Case {
    /// The case that `bytes` encode. All bytes are a case. A last record that is cut short is filled
    /// up with zeros; what follows [`Case::MAX_OPERATIONS`] operations is ignored. Nothing is
    /// repaired: an operation may not apply when its turn comes.
    pub fn decode(bytes: &[u8]) -> Case {
        let records = bytes.chunks(RECORD_BYTES).take(Case::MAX_OPERATIONS);
        let operations = records.map(|chunk| {
            let mut record = [0; RECORD_BYTES];
            record[..chunk.len()].copy_from_slice(chunk);
            decode_record(&record)
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

#[cfg(test)]
mod tests {
    use super::CODES;

    /// How many rows of the table take a record of this code and form.
    fn takers(code: u8, form: u8) -> usize {
        let takes = |(codes, forms): &&(&[u8], &[u8])| {
            codes.contains(&code) && (forms.is_empty() || forms.contains(&form))
        };
        CODES.iter().filter(takes).count()
    }

    #[test]
    fn each_code_has_one_meaning() {
        for code in 0..32 {
            let forms = match code {
                super::SCARCITY => 0..3,
                super::PATH_CALL => 0..4,
                super::FURTHER => 0..8,
                _ => 0..1,
            };
            for form in forms {
                assert_eq!(takers(code, form), 1, "code {code}, form {form}");
            }
        }
    }
}
