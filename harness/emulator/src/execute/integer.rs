//! Integer arithmetic: each operation as a function of its two operands, register or immediate
//! alike (unprivileged specification, chapters "RV64I" and "M").

macro_rules! operations {
    ($($(#[$about:meta])* $name:ident($a:ident, $b:ident) = $value:expr;)*) => {
        $(
            $(#[$about])*
            #[inline(always)]
            pub(super) fn $name($a: u64, $b: u64) -> u64 {
                $value
            }
        )*
    };
}

operations! {
    add(a, b) = a.wrapping_add(b);
    subtract(a, b) = a.wrapping_sub(b);
    and(a, b) = a & b;
    or(a, b) = a | b;
    exclusive_or(a, b) = a ^ b;
    /// Shifts use the low six bits of the amount, those of words the low five.
    shift_left(a, b) = a << (b & 63);
    shift_right(a, b) = a >> (b & 63);
    shift_right_signed(a, b) = ((a as i64) >> (b & 63)) as u64;
    less(a, b) = u64::from((a as i64) < b as i64);
    less_unsigned(a, b) = u64::from(a < b);
    multiply(a, b) = a.wrapping_mul(b);
    add_word(a, b) = word((a as u32).wrapping_add(b as u32));
    subtract_word(a, b) = word((a as u32).wrapping_sub(b as u32));
    shift_left_word(a, b) = word((a as u32) << (b & 31));
    shift_right_word(a, b) = word(a as u32 >> (b & 31));
    shift_right_signed_word(a, b) = word((a as i32 >> (b & 31)) as u32);
    multiply_word(a, b) = word((a as u32).wrapping_mul(b as u32));
}

pub(super) fn high_signed(a: u64, b: u64) -> u64 {
    ((i128::from(a as i64) * i128::from(b as i64)) >> 64) as u64
}

pub(super) fn high_signed_unsigned(a: u64, b: u64) -> u64 {
    (i128::from(a as i64).wrapping_mul(i128::from(b)) >> 64) as u64
}

pub(super) fn high_unsigned(a: u64, b: u64) -> u64 {
    ((u128::from(a) * u128::from(b)) >> 64) as u64
}

pub(super) fn divide(a: u64, b: u64) -> u64 {
    match b {
        0 => u64::MAX,
        _ => (a as i64).wrapping_div(b as i64) as u64,
    }
}

pub(super) fn divide_unsigned(a: u64, b: u64) -> u64 {
    a.checked_div(b).unwrap_or(u64::MAX)
}

pub(super) fn remainder(a: u64, b: u64) -> u64 {
    match b {
        0 => a,
        _ => (a as i64).wrapping_rem(b as i64) as u64,
    }
}

pub(super) fn remainder_unsigned(a: u64, b: u64) -> u64 {
    a.checked_rem(b).unwrap_or(a)
}

/// The low word, sign-extended: what every 32-bit operation leaves.
#[inline(always)]
pub(super) fn word(value: u32) -> u64 {
    i64::from(value as i32) as u64
}

pub(super) fn divide_word(a: u64, b: u64) -> u64 {
    match b as i32 {
        0 => u64::MAX,
        b => word((a as i32).wrapping_div(b) as u32),
    }
}

pub(super) fn divide_unsigned_word(a: u64, b: u64) -> u64 {
    word((a as u32).checked_div(b as u32).unwrap_or(u32::MAX))
}

pub(super) fn remainder_word(a: u64, b: u64) -> u64 {
    match b as i32 {
        0 => word(a as u32),
        b => word((a as i32).wrapping_rem(b) as u32),
    }
}

pub(super) fn remainder_unsigned_word(a: u64, b: u64) -> u64 {
    word((a as u32).checked_rem(b as u32).unwrap_or(a as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn division_never_traps() {
        assert_eq!(divide(7, 0), u64::MAX);
        assert_eq!(remainder(7, 0), 7);
        assert_eq!(divide(i64::MIN as u64, u64::MAX), i64::MIN as u64);
        assert_eq!(remainder(i64::MIN as u64, u64::MAX), 0);
        assert_eq!(divide_word(0x1_8000_0000, u64::MAX), word(0x8000_0000));
        assert_eq!(remainder_word(0x8000_0000, u64::MAX), 0);
        assert_eq!(divide_unsigned_word(1, 1 << 32), u64::MAX);
        assert_eq!(remainder_unsigned_word(0xffff_ffff, 0), u64::MAX);
        assert_eq!(remainder_word(0x8000_0000, 0), word(0x8000_0000));
    }

    #[test]
    fn high_halves_of_products() {
        assert_eq!(high_signed(u64::MAX, u64::MAX), 0);
        assert_eq!(high_unsigned(u64::MAX, u64::MAX), u64::MAX - 1);
        assert_eq!(high_signed_unsigned(u64::MAX, u64::MAX), u64::MAX);
        assert_eq!(high_signed_unsigned(1 << 63, 2), u64::MAX);
    }
}
