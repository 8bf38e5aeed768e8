//! Schedules.

use super::token::{Input, Parsed, blanks, expect_symbol, found, integer, keyword, symbol};
use crate::case::text_error::Complaint;
use crate::case::{Order, Schedule};
use winnow::stream::Location;

/// What follows `together`.
pub(super) fn schedule(input: &mut Input<'_>) -> Parsed<Schedule> {
    let most = i64::from(Schedule::HARTS);
    let harts = integer(input, 1..=most, "a number of harts")? as u8;
    if !keyword(input, "harts")? && !keyword(input, "hart")? {
        blanks(input)?;
        return Err(found(input, "`harts`"));
    }
    expect_symbol(input, ',', "`, order` and who goes first")?;
    if !keyword(input, "order")? {
        blanks(input)?;
        return Err(found(input, "`order`"));
    }
    let order = order(input)?;
    let mut switches = Vec::new();
    let mut pre_empts = false;
    while symbol(input, ',')? {
        if switches.is_empty() && !pre_empts && keyword(input, "switch")? {
            switches = change_points(input)?;
        } else if !pre_empts && keyword(input, "pre-empt")? {
            pre_empts = true;
        } else {
            blanks(input)?;
            return Err(found(input, "`switch` and instructions, or `pre-empt`"));
        }
    }
    Ok(Schedule::new(harts, order, pre_empts, &switches))
}

fn order(input: &mut Input<'_>) -> Parsed<Order> {
    blanks(input)?;
    let start = input.current_token_start();
    let ranks = numbers(input, 1..=3, "a place among the operations that follow")?;
    let ranks: Vec<u8> = ranks.into_iter().map(|rank| rank as u8).collect();
    Order::of(&ranks).ok_or_else(|| {
        let at = start..input.current_token_start();
        Complaint::new(at, "an order has 1 and 2, or 1, 2 and 3, each once")
            .help("`order 2 1`: the second of the next two operations goes first")
    })
}

fn change_points(input: &mut Input<'_>) -> Parsed<Vec<u32>> {
    blanks(input)?;
    let start = input.current_token_start();
    let points = numbers(
        input,
        1..=Schedule::LATEST.into(),
        "a number of instructions",
    )?;
    let at = start..input.current_token_start();
    let ascending = points.windows(2).all(|pair| pair[0] < pair[1]);
    if points.len() > Schedule::SWITCHES || !ascending {
        let most = Schedule::SWITCHES;
        let message = format!("there are at most {most} change points, in ascending order");
        return Err(Complaint::new(at, message)
            .help("each is a number of instructions since the race began, of all harts together"));
    }
    if points.len() > 1
        && points
            .iter()
            .any(|point| *point > Schedule::LAST_NEAR.into())
    {
        let message = format!("a change point after {} is alone", Schedule::LAST_NEAR);
        return Err(Complaint::new(at, message).help("leave the others out"));
    }
    Ok(points.into_iter().map(|point| point as u32).collect())
}

/// One number or more, up to something else.
fn numbers(
    input: &mut Input<'_>,
    range: std::ops::RangeInclusive<i64>,
    expected: &str,
) -> Parsed<Vec<i64>> {
    let mut numbers = Vec::new();
    loop {
        numbers.push(integer(input, range.clone(), expected)?);
        blanks(input)?;
        if !input.starts_with(|c: char| c.is_ascii_digit()) {
            return Ok(numbers);
        }
    }
}
