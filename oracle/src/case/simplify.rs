//! Simpler operations than a given one, for minimising.

use super::{
    Address, Amount, Base, Call, Flavour, OpenFlags, OpenMode, Operation, Order, Region, Schedule,
    StoredValue, Stride, Target, Text, Width,
};
use std::num::NonZeroU8;

/// Operations like this one but simpler in one respect each, the simplest first; none when nothing
/// can be simpler. Following them always ends.
pub fn simplifications(operation: &Operation) -> Vec<Operation> {
    let mut calls = Vec::new();
    if let Some(address) = operation.call.address() {
        let simpler = simpler_addresses(address);
        calls.extend(simpler.map(|address| operation.call.with_address(address)));
    }
    if let Some(second) = operation.call.second_address() {
        let simpler = simpler_addresses(second);
        calls.extend(simpler.map(|address| operation.call.with_second_address(address)));
    }
    match operation.call {
        Call::Sbrk { amount, flavour } => {
            let amounts = simpler_amounts(amount);
            calls.extend(amounts.map(|amount| Call::Sbrk { amount, flavour }));
            if flavour != Flavour::Lazy {
                let flavour = Flavour::Lazy;
                calls.push(Call::Sbrk { amount, flavour });
            }
        }
        Call::Load { width, address } => {
            calls.extend(narrower(width).map(|width| Call::Load { width, address }));
        }
        Call::Store {
            width,
            address,
            value,
        } => {
            let store = |width, value| Call::Store {
                width,
                address,
                value,
            };
            let values = [StoredValue::number(0), StoredValue::number(1)].into_iter();
            let simpler = values.take_while(|simpler| *simpler != value);
            calls.extend(simpler.map(|value| store(width, value)));
            calls.extend(narrower(width).map(|width| store(width, value)));
        }
        Call::Touch {
            address,
            count,
            stride,
            write,
        } => {
            let touch = |count: u8, stride| {
                let count = NonZeroU8::new(count).unwrap_or(NonZeroU8::MIN);
                Call::Touch {
                    address,
                    count,
                    stride,
                    write,
                }
            };
            match (count.get(), write) {
                (1, true) => calls.push(Call::Store {
                    width: Width::One,
                    address,
                    value: StoredValue::number(1),
                }),
                (1, false) => calls.push(Call::Load {
                    width: Width::One,
                    address,
                }),
                (many, _) => {
                    calls.push(touch(1, stride));
                    calls.push(touch(many / 2, stride));
                    calls.push(touch(many - 1, stride));
                }
            }
            if stride != Stride::PAGE {
                calls.push(touch(count.get(), Stride::PAGE));
            }
        }
        Call::Exit { status } => {
            let simpler = [0, 1].into_iter().take_while(|simpler| *simpler != status);
            calls.extend(simpler.map(|status| Call::Exit { status }));
        }
        Call::Wait { status: Some(_) } => calls.insert(0, Call::Wait { status: None }),
        Call::Kill {
            target: Target::Pid(pid),
        } if pid != -1 => calls.push(Call::Kill {
            target: Target::Pid(-1),
        }),
        Call::Read {
            fd,
            address,
            length,
        } => calls.extend(shorter(length).map(|length| Call::Read {
            fd,
            address,
            length,
        })),
        Call::Write {
            fd,
            address,
            length,
        } => calls.extend(shorter(length).map(|length| Call::Write {
            fd,
            address,
            length,
        })),
        Call::String {
            address,
            text,
            terminated,
        } => {
            let string = |text, terminated| Call::String {
                address,
                text,
                terminated,
            };
            let simpler = (0..text.code()).map(Text::from_code);
            calls.extend(simpler.map(|text| string(text, terminated)));
            calls.push(string(text, true));
        }
        Call::Open {
            address,
            mode,
            flags,
        } => {
            let open = |mode, flags| Call::Open {
                address,
                mode,
                flags,
            };
            calls.push(open(OpenMode::Read, OpenFlags::empty()));
            calls.push(open(OpenMode::Read, flags));
            calls.extend(flags.iter().map(|flag| open(mode, flags - flag)));
        }
        Call::Mknod { address, .. } => calls.push(Call::Mknod { address, major: 0 }),
        Call::Yield { ticks } if ticks > NonZeroU8::MIN => calls.push(Call::Yield {
            ticks: NonZeroU8::MIN,
        }),
        Call::Pause { ticks } => {
            let simpler = [0, 1].into_iter().take_while(|simpler| *simpler != ticks);
            calls.extend(simpler.map(|ticks| Call::Pause { ticks }));
        }
        Call::Frames { free } => calls.extend(more(free).map(|free| Call::Frames { free })),
        Call::FailFrame { nth } => {
            let sooner = smaller(nth.get().into()).filter_map(|nth| NonZeroU8::new(nth as u8));
            calls.extend(sooner.map(|nth| Call::FailFrame { nth }));
        }
        Call::Together { schedule } => {
            let simpler = simpler_schedules(schedule);
            calls.extend(simpler.map(|schedule| Call::Together { schedule }));
        }
        _ => {}
    }
    let process = operation.process;
    calls.retain(|call| *call != operation.call);
    calls
        .into_iter()
        .map(|call| Operation { process, call })
        .collect()
}

fn narrower(width: Width) -> impl Iterator<Item = Width> {
    Width::ALL
        .into_iter()
        .take_while(move |other| *other != width)
}

/// Less pressure: more frames, as long as a person can count them.
fn more(frames: u16) -> impl Iterator<Item = u16> {
    const MOST: u16 = 64;
    let candidates = [frames.saturating_mul(2), frames.saturating_add(1)];
    let larger = move |more: &u16| *more > frames && *more <= MOST;
    candidates.into_iter().filter(larger)
}

fn smaller(number: u16) -> impl Iterator<Item = u16> {
    let halves = [0, 1, number / 2, number.saturating_sub(1)];
    halves.into_iter().filter(move |smaller| *smaller < number)
}

fn shorter(length: i16) -> impl Iterator<Item = i16> {
    let candidates = [0, 1, 8, length / 2, length - length.signum()];
    let size = length.unsigned_abs();
    candidates
        .into_iter()
        .filter(move |shorter| shorter.unsigned_abs() < size)
}

/// Fewer change points, rounder and earlier ones; no pre-emption; fewer harts; in sequence; fewer
/// that race.
fn simpler_schedules(schedule: Schedule) -> impl Iterator<Item = Schedule> {
    let (harts, order) = (schedule.harts(), schedule.order());
    let (pre_empts, switches) = (schedule.pre_empts(), schedule.switches());
    let mut simpler = Vec::new();
    for left_out in 0..switches.len() {
        let mut fewer = switches.to_vec();
        fewer.remove(left_out);
        simpler.push(schedule.with_switches(&fewer));
    }
    if let [first, others @ ..] = switches {
        // Who gives way at once might as well go last.
        let others: Vec<u32> = others.iter().map(|at| at - first).collect();
        let length = order.ranks().len();
        let orders = Order::all().filter(|order| order.ranks().len() == length);
        simpler.extend(orders.map(|order| Schedule::new(harts, order, pre_empts, &others)));
    }
    if pre_empts && harts > 1 {
        simpler.push(Schedule::new(harts, order, false, switches));
    }
    let fewer_harts = (1..harts).map(|harts| Schedule::new(harts, order, pre_empts, switches));
    simpler.extend(fewer_harts);
    let orders = (0..order.code()).map(Order::from_code);
    simpler.extend(orders.map(|order| Schedule::new(harts, order, pre_empts, switches)));
    for at in 0..switches.len() {
        let old = switches[at];
        for rounder in rounder(old) {
            let mut other = switches.to_vec();
            other[at] = rounder;
            simpler.push(schedule.with_switches(&other));
        }
    }
    simpler.into_iter()
}

/// Numbers of fewer digits that are not zeros at their end, and smaller ones of as many: 2869 becomes
/// 2000 or 3000 before 2900.
fn rounder(number: u32) -> impl Iterator<Item = u32> {
    let digits = |mut number: u32| {
        while number > 0 && number.is_multiple_of(10) {
            number /= 10;
        }
        number.checked_ilog10()
    };
    let around = [100_000, 10_000, 1000, 100, 10]
        .into_iter()
        .flat_map(move |unit| {
            let below = number - number % unit;
            [Some(below), below.checked_add(unit)]
        });
    let smaller = [number / 2, number - 1].map(Some);
    let rank = move |number: u32| (digits(number), number);
    let candidates = around.chain(smaller).flatten();
    candidates.filter(move |other| *other > 0 && rank(*other) < rank(number))
}

/// Pages and offsets nearer to 0, and the heap instead of what lies near it or moves.
fn simpler_addresses(address: Address) -> impl Iterator<Item = Address> {
    let (region, page, offset) = (address.region(), address.page(), address.offset());
    let mut simpler = Vec::new();
    if matches!(region, Region::Middle | Region::Stack | Region::Data) {
        simpler.push(Address::new(Region::Heap, page, offset));
    }
    if region == Region::Break {
        simpler.extend((0..3).map(|page| Address::new(Region::Heap, page, offset)));
    }
    if region != Region::Anywhere {
        for nearer in [0, page / 2, page - page.signum()] {
            if nearer.unsigned_abs() < page.unsigned_abs() {
                simpler.push(Address::new(region, nearer, offset));
            }
        }
    }
    for rounder in [0, offset & !0xff, offset & !7] {
        if rounder < offset {
            simpler.push(Address::new(region, page, rounder));
        }
    }
    simpler.into_iter()
}

/// Amounts of less: no base, fewer pages, no bytes.
fn simpler_amounts(amount: Amount) -> impl Iterator<Item = Amount> {
    let (base, pages, bytes) = (amount.base(), amount.extra_pages(), amount.extra_bytes());
    let mut simpler = Vec::new();
    if base != Base::Nothing {
        simpler.push(Amount::pages(if matches!(base, Base::MinusPower(_)) {
            -1
        } else {
            1
        }));
        if (pages, bytes) != (0, 0) {
            simpler.push(Amount::new(base, 0, 0));
        }
    }
    for fewer in [0, pages.signum(), pages / 2, pages - pages.signum()] {
        if fewer.unsigned_abs() < pages.unsigned_abs() {
            simpler.push(Amount::new(base, fewer, bytes));
        }
    }
    for fewer in [0, bytes.signum(), bytes / 2] {
        if fewer.unsigned_abs() < bytes.unsigned_abs() {
            simpler.push(Amount::new(base, pages, fewer));
        }
    }
    simpler.into_iter()
}

#[cfg(test)]
mod tests {
    use super::simplifications;
    use crate::case::Case;
    use proptest::prelude::{any, prop, prop_assert, proptest};

    proptest! {
        #[test]
        fn simplifying_ends(
            record in any::<[u8; 8]>(),
            choices in prop::collection::vec(0usize..9, 400),
        ) {
            let mut operation = Case::decode(&record).operations[0];
            let mut simpler = simplifications(&operation);
            for choice in choices {
                prop_assert!(!simpler.contains(&operation));
                if simpler.is_empty() {
                    break;
                }
                operation = simpler[choice % simpler.len()];
                simpler = simplifications(&operation);
            }
            prop_assert!(simpler.is_empty(), "still not simple: {}", operation);
        }
    }
}
