//! The M extension: multiplication, and division with its defined results for every operand.

use super::integer::check_pairs;
use crate::support::table::check;

fn word(value: u64) -> u64 {
    value as i32 as u64
}

#[test]
fn products() {
    check_pairs("mul", u64::wrapping_mul);
    check_pairs("mulh", |a, b| {
        ((i128::from(a as i64) * i128::from(b as i64)) >> 64) as u64
    });
    check_pairs("mulhu", |a, b| {
        ((u128::from(a) * u128::from(b)) >> 64) as u64
    });
    check_pairs("mulhsu", |a, b| {
        ((i128::from(a as i64) * i128::from(b)) >> 64) as u64
    });
    check_pairs("mulw", |a, b| word(a.wrapping_mul(b)));
}

#[test]
fn quotients_and_remainders() {
    check_pairs("divu", |a, b| a.checked_div(b).unwrap_or(u64::MAX));
    check_pairs("remu", |a, b| a.checked_rem(b).unwrap_or(a));
    check_pairs("div", |a, b| {
        if b == 0 {
            u64::MAX
        } else {
            (a as i64).wrapping_div(b as i64) as u64
        }
    });
    check_pairs("rem", |a, b| {
        if b == 0 {
            a
        } else {
            (a as i64).wrapping_rem(b as i64) as u64
        }
    });
    check_pairs("divuw", |a, b| {
        word((a as u32).checked_div(b as u32).unwrap_or(u32::MAX).into())
    });
    check_pairs("remuw", |a, b| {
        word((a as u32).checked_rem(b as u32).unwrap_or(a as u32).into())
    });
    check_pairs("divw", |a, b| {
        if b as u32 == 0 {
            u64::MAX
        } else {
            (a as i32).wrapping_div(b as i32) as u64
        }
    });
    check_pairs("remw", |a, b| {
        if b as u32 == 0 {
            word(a)
        } else {
            (a as i32).wrapping_rem(b as i32) as u64
        }
    });
}

/// I: table "Semantics for division by zero and division overflow", in numbers.
#[test]
fn division_by_zero_and_overflow_do_not_trap() {
    check(
        "
        a1=7 a2=0                    | div a0, a1, a2   => a0=-1
        a1=7 a2=0                    | divu a0, a1, a2  => a0=0xffffffffffffffff
        a1=7 a2=0                    | rem a0, a1, a2   => a0=7
        a1=-7 a2=0                   | remu a0, a1, a2  => a0=-7
        a1=0x8000000000000000 a2=-1  | div a0, a1, a2   => a0=0x8000000000000000
        a1=0x8000000000000000 a2=-1  | rem a0, a1, a2   => a0=0
        a1=0x80000000 a2=0xffffffff  | divw a0, a1, a2  => a0=0xffffffff80000000
        a1=0x80000000 a2=0xffffffff  | remw a0, a1, a2  => a0=0
        a1=0x80000000 a2=0x100000000 | divw a0, a1, a2  => a0=-1          # the word is zero
        a1=0x80000000 a2=0x100000000 | divuw a0, a1, a2 => a0=-1
        a1=0x80000000 a2=0x100000000 | remw a0, a1, a2  => a0=0xffffffff80000000
        a1=0x80000000 a2=0x100000000 | remuw a0, a1, a2 => a0=0xffffffff80000000
        a1=-7 a2=2                   | div a0, a1, a2   => a0=-3          # towards zero
        a1=-7 a2=2                   | rem a0, a1, a2   => a0=-1          # the dividend's sign
        a1=7 a2=-2                   | rem a0, a1, a2   => a0=1
        a1=-1 a2=-1                  | mulh a0, a1, a2  => a0=0
        a1=-1 a2=-1                  | mulhu a0, a1, a2 => a0=-2
        a1=-1 a2=-1                  | mulhsu a0, a1, a2 => a0=-1
        ",
    );
}
