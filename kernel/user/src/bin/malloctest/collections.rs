//! Rust's collections, which take their memory from the same heap.

use alloc::alloc::{alloc, dealloc};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::alloc::Layout;

use user::testing::memory::heap_end;
use user::testing::random::Random;
use user::testing::{Group, Verdict};
use user::{ensure, ensure_equal, need, rules};

/// The rules.
pub const GROUP: Group = Group {
    name: "collections",
    quick: rules![
        a_vector_grows,
        a_map_keeps_what_it_is_given,
        text_is_put_together,
        any_alignment,
        what_alignment_skips_is_used,
    ],
    slow: &[],
};

fn a_vector_grows() -> Verdict {
    let mut vector = Vec::new();
    for number in 0..20_000_u64 {
        vector.push(number * number);
    }
    for (number, &square) in (0..).zip(&vector) {
        ensure_equal!(square, number * number);
    }
    let before = heap_end();
    for _ in 0..20 {
        let copy = vector.clone();
        ensure!(copy == vector);
    }
    // One copy fits into what the next one leaves.
    ensure!(heap_end() - before <= 2 * 20_000 * 8);
    Ok(())
}

fn a_map_keeps_what_it_is_given() -> Verdict {
    const KEYS: usize = 300;
    let mut random = Random::new(11);
    let mut map = BTreeMap::new();
    let mut expected = vec![None; KEYS];
    for _ in 0..5000 {
        let key = random.below(KEYS as u64);
        let slot = &mut expected[key as usize];
        if random.below(3) == 0 {
            ensure!(map.remove(&key) == slot.take());
        } else {
            let value = random.below(u64::MAX);
            ensure!(map.insert(key, value) == slot.replace(value));
        }
    }
    ensure_equal!(map.len(), expected.iter().flatten().count());
    for (key, value) in (0..).zip(&expected) {
        ensure!(map.get(&key) == value.as_ref());
    }
    Ok(())
}

fn text_is_put_together() -> Verdict {
    let mut text = String::new();
    for number in 0..1000 {
        text += &format!("{number},");
    }
    ensure_equal!(text.len(), 10 * 2 + 90 * 3 + 900 * 4);
    let numbers = text.trim_end_matches(',').split(',');
    let sum: u32 = numbers
        .filter_map(|number| number.parse::<u32>().ok())
        .sum();
    ensure_equal!(sum, 999 * 1000 / 2);
    Ok(())
}

/// Memory with a given layout, filled with a value.
struct Aligned {
    memory: *mut u8,
    layout: Layout,
    value: u8,
}

impl Aligned {
    fn new(size: usize, alignment: usize, value: u8) -> Option<Aligned> {
        let layout = Layout::from_size_align(size, alignment).ok()?;
        // SAFETY: no caller asks for nothing.
        let memory = unsafe { alloc(layout) };
        if memory.is_null() {
            return None;
        }
        // SAFETY: the memory is this large.
        unsafe { memory.write_bytes(value, size) };
        Some(Aligned {
            memory,
            layout,
            value,
        })
    }

    fn is_intact(&self) -> bool {
        // SAFETY: `new` wrote all of it.
        let bytes = unsafe { core::slice::from_raw_parts(self.memory, self.layout.size()) };
        bytes.iter().all(|&byte| byte == self.value)
    }
}

impl Drop for Aligned {
    fn drop(&mut self) {
        // SAFETY: it is `alloc`'s, by this layout.
        unsafe { dealloc(self.memory, self.layout) };
    }
}

fn any_alignment() -> Verdict {
    for round in 0..20 {
        let mut kept = Vec::new();
        for power in 0..=16 {
            for size in [1, 24, 1000] {
                let aligned = need!(Aligned::new(size, 1 << power, power as u8));
                ensure_equal!(aligned.memory.addr() % (1 << power), 0);
                kept.push(aligned);
            }
        }
        ensure!(kept.iter().all(Aligned::is_intact));
        if round % 2 == 0 {
            kept.reverse();
        }
    }
    Ok(())
}

/// What lies before an aligned block is free for others.
fn what_alignment_skips_is_used() -> Verdict {
    let first = Box::new([1_u8; 100]);
    let aligned = Aligned::new(100, 4096, 2);
    let before = heap_end();
    let others: Vec<Box<[u8; 100]>> = (0..20).map(|value| Box::new([value; 100])).collect();
    let between = others.iter().filter(|other| {
        let address = other.as_ptr().addr();
        let limit = aligned.as_ref().map_or(0, |aligned| aligned.memory.addr());
        first.as_ptr().addr() < address && address < limit
    });
    ensure_equal!(between.count(), others.len());
    ensure_equal!(heap_end(), before);
    ensure!(aligned.is_some_and(|aligned| aligned.is_intact()));
    Ok(())
}
