//! Addresses, amounts, values and strings.

use super::token::{
    Input, Parsed, blanks, expect_symbol, found, integer, keyword, name, signed, symbol,
};
use crate::case::text_error::{Complaint, meant};
use crate::case::{Address, Amount, Base, Place, Region, StoredValue, Text, Width};
use winnow::Parser;
use winnow::combinator::opt;
use winnow::stream::Location;
use winnow::token::{one_of, take_while};

pub(super) fn stored_value(input: &mut Input<'_>, width: Width) -> Parsed<StoredValue> {
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

pub(super) fn address(input: &mut Input<'_>) -> Parsed<Address> {
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

/// An address that is the second in its operation.
pub(super) fn near_address(input: &mut Input<'_>) -> Parsed<Address> {
    blanks(input)?;
    let start = input.current_token_start();
    let address = address(input)?;
    let near = Some(address).filter(|address| address.near() == *address);
    near.ok_or_else(|| {
        let (low, high) = (Address::NEAR_PAGES.start(), Address::NEAR_PAGES.end());
        let message = format!("pages of a second address are {low} to {high}");
        Complaint::new(start..input.current_token_start(), message)
    })
}

/// A string in quotes, or a long path by its length.
pub(super) fn text(input: &mut Input<'_>) -> Parsed<Text> {
    if keyword(input, "path")? {
        let (bytes, at) = signed(input, "a number of bytes")?;
        let text = usize::try_from(bytes).ok().and_then(Text::path);
        return text.ok_or_else(|| {
            let lengths: Vec<_> = Text::path_lengths()
                .map(|length| length.to_string())
                .collect();
            let message = format!("there are long paths of {} bytes", lengths.join(", "));
            Complaint::new(at, message)
        });
    }
    if !symbol(input, '"')? {
        return Err(found(input, "a string in quotes, or `path` and a length"));
    }
    let (spelled, at) = take_while(0.., |c: char| c != '"')
        .with_span()
        .parse_next(input)?;
    expect_symbol(input, '"', "`\"` at the end of the string")?;
    Text::spelled(spelled).ok_or_else(|| {
        let complaint = Complaint::new(at, format!("no case stores the string `{spelled}`"));
        match meant(spelled, Text::words()) {
            Some(other) => complaint.help(format!("did you mean `{other}`?")),
            None => {
                let words: Vec<_> = Text::words().collect();
                complaint.help(format!("there are {words:?}"))
            }
        }
    })
}

pub(super) fn amount(input: &mut Input<'_>) -> Parsed<Amount> {
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

pub(super) fn place(input: &mut Input<'_>) -> Parsed<Place> {
    let (name, at) = name(input)?;
    let found = Place::ALL.into_iter().find(|place| place.word() == name);
    found.ok_or_else(|| {
        let words: Vec<_> = Place::ALL.iter().map(|place| place.word()).collect();
        Complaint::new(at, format!("there is no place `{name}`"))
            .help(format!("there are {}", words.join(", ")))
    })
}
