//! What a machine may do otherwise than most: the specification leaves it open, and a kernel has to be right on all.

use super::Argument;
use crate::case::binary::Record;
use crate::case::parse::{Line, Parsed};
use crate::case::text_error::Complaint;
use crate::named::named;
use std::fmt;

named! {
    /// A liberty that the privileged or unprivileged specification gives to hardware. It lasts from its operation to the
    /// end of the case. The sentences continue "The machine".
    pub enum Variation {
        /// keeps an entry of a page table with its permissions in the TLB: an access that these refuse faults until
        /// `sfence.vma`, whatever the page table says by then
        KeepsPermissions = "keeps-permissions",
        /// keeps in the TLB that a page was not mapped: an access faults until `sfence.vma`, even if the page is
        /// mapped by then
        KeepsAbsences = "keeps-absences",
        /// executes the old instructions of a page that was overwritten, until `fence.i`
        KeepsCode = "keeps-code",
        /// does not set the bits A and D of a page-table entry: an access that needs them faults (Svade)
        LeavesBits = "leaves-bits",
        /// shows the stores of one hart to the others late, and not in their order, until a fence, a release or an
        /// atomic operation orders them
        DelaysStores = "delays-stores",
    }
}

/// Byte 1: its place in the list of all, which only ever grows.
impl Argument for Variation {
    type Value = Variation;

    fn decode(record: &Record) -> Variation {
        Variation::ALL[usize::from(record[1]) % Variation::COUNT]
    }

    fn encode(variation: Variation, record: &mut Record) {
        record[1] = variation as u8;
    }

    fn parse(line: &mut Line<'_>) -> Parsed<Variation> {
        let (word, at) = line.word()?;
        Variation::named(word).ok_or_else(|| {
            let message = format!("no machine varies like that: `{word}`");
            let names = Variation::ALL.map(Variation::name).join(", ");
            Complaint::new(at, message).help(format!("a machine {names}"))
        })
    }

    fn print(variation: Variation, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " {variation}")
    }

    fn simpler(_variation: Variation) -> Vec<Variation> {
        Vec::new()
    }
}
