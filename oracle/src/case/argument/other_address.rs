//! Addresses besides the first one that an operation touches: its second one, that of a status, and one that others touch.

use super::Argument;
use super::address::{Address, Region};
use crate::case::binary::{Record, WAIT_WITH_STATUS, has_code, put_code};
use crate::case::parse::{Line, Parsed};
use crate::case::text_error::Complaint;
use std::fmt;

/// An operation's second address, whose page is one of [`Address::NEAR_PAGES`]. Bytes 5 to 7: region
/// in the lower half of byte 5, offset in the upper half and byte 6, page in byte 7. (In random bytes
/// all pages are equally likely: most are near.)
pub(crate) enum NearAddress {}

impl Argument for NearAddress {
    type Value = Address;

    const IS_ADDRESS: bool = true;

    fn decode(record: &Record) -> Address {
        let offset = u16::from_le_bytes([record[5], record[6]]) >> 4;
        let page = i16::from(record[7] as i8);
        Address::new(Region::from_code(record[5]), page, offset)
    }

    fn encode(address: Address, record: &mut Record) {
        let low = address.offset() << 4 | u16::from(address.region().code());
        record[5..7].copy_from_slice(&low.to_le_bytes());
        record[7] = address.page() as u8;
    }

    fn parse(line: &mut Line<'_>) -> Parsed<Address> {
        line.blanks()?;
        let start = line.position();
        let address = Address::parse(line)?;
        let near = Some(address).filter(|address| address.near() == *address);
        near.ok_or_else(|| {
            let (low, high) = (Address::NEAR_PAGES.start(), Address::NEAR_PAGES.end());
            let message = format!("pages of a second address are {low} to {high}");
            Complaint::new(start..line.position(), message)
        })
    }

    fn print(address: Address, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Address::print(address, f)
    }

    fn simpler(address: Address) -> Vec<Address> {
        let simpler = Address::simpler(address).into_iter();
        simpler.map(Address::near).collect()
    }

    fn second_address(address: Address) -> Option<Address> {
        Some(address)
    }

    fn with_second_address(_address: Address, new: Address) -> Address {
        new.near()
    }
}

/// Where others load a byte, in memory of their own: the operation's process does not touch it. As [`Address`].
pub(crate) enum TheirAddress {}

impl Argument for TheirAddress {
    type Value = Address;

    fn decode(record: &Record) -> Address {
        Address::decode(record)
    }

    fn encode(address: Address, record: &mut Record) {
        Address::encode(address, record);
    }

    fn parse(line: &mut Line<'_>) -> Parsed<Address> {
        Address::parse(line)
    }

    fn print(address: Address, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Address::print(address, f)
    }

    fn simpler(address: Address) -> Vec<Address> {
        Address::simpler(address)
    }
}

/// Where a status is stored, if anywhere; nowhere is the default, and is not written. As [`Address`],
/// in a record with a code of its own.
pub(crate) enum StatusAddress {}

impl Argument for StatusAddress {
    type Value = Option<Address>;

    const IS_ADDRESS: bool = true;

    fn decode(record: &Record) -> Option<Address> {
        has_code(record, WAIT_WITH_STATUS).then(|| Address::decode(record))
    }

    fn encode(status: Option<Address>, record: &mut Record) {
        if let Some(address) = status {
            put_code(WAIT_WITH_STATUS, record);
            Address::encode(address, record);
        }
    }

    fn parse(line: &mut Line<'_>) -> Parsed<Option<Address>> {
        if line.is_at_end()? {
            return Ok(None);
        }
        Address::parse(line).map(Some)
    }

    fn print(status: Option<Address>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        status.map_or(Ok(()), |address| Address::print(address, f))
    }

    fn simpler(status: Option<Address>) -> Vec<Option<Address>> {
        let simpler = status.map(Address::simpler).unwrap_or_default();
        let nowhere = [None].into_iter();
        nowhere.chain(simpler.into_iter().map(Some)).collect()
    }

    fn address(status: Option<Address>) -> Option<Address> {
        status
    }

    fn with_address(status: Option<Address>, new: Address) -> Option<Address> {
        status.and(Some(new))
    }
}
