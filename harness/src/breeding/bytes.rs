//! Mutations of bytes, as AFL's "havoc" stage stacks them, which know nothing of what they change.

use oracle::Case;
use oracle::case::RECORD_BYTES;

/// Values at which programs behave otherwise.
const INTERESTING: [u8; 9] = [0x80, 0xff, 0, 1, 16, 32, 64, 100, 127];
/// The most that a byte is raised or lowered by.
const MOST_ADDED: u8 = 35;
/// The largest block that is copied, inserted or taken out.
const BLOCK: usize = 4 * RECORD_BYTES;
/// The largest binary form.
const MOST: usize = Case::MAX_OPERATIONS * RECORD_BYTES;

/// Changes `bytes` in 1, 2, 4, … or 16 places.
pub(super) fn havoc(bytes: &mut Vec<u8>, random: &mut fastrand::Rng) {
    for _ in 0..1 << random.u32(..5) {
        change(bytes, random);
    }
    bytes.truncate(MOST);
}

/// Has `bytes` go on as `other` from some place on.
pub(super) fn splice(bytes: &mut Vec<u8>, other: &[u8], random: &mut fastrand::Rng) {
    let at = random.usize(..=bytes.len().min(other.len()));
    bytes.truncate(at);
    bytes.extend_from_slice(&other[at..]);
}

fn change(bytes: &mut Vec<u8>, random: &mut fastrand::Rng) {
    if bytes.is_empty() {
        return insert(bytes, random);
    }
    let at = random.usize(..bytes.len());
    match random.u32(..10) {
        0 => bytes[at] ^= 1 << random.u32(..8),
        1 => bytes[at] = INTERESTING[random.usize(..INTERESTING.len())],
        2 => bytes[at] = bytes[at].wrapping_add(random.u8(1..=MOST_ADDED)),
        3 => bytes[at] = bytes[at].wrapping_sub(random.u8(1..=MOST_ADDED)),
        4 => bytes[at] = random.u8(..),
        5 | 6 => {
            bytes.drain(block(bytes, random));
        }
        7 => insert(bytes, random),
        8 => {
            let copied = bytes[block(bytes, random)].to_vec();
            bytes.splice(at..at, copied);
        }
        _ => {
            let from = block(bytes, random);
            let to = random.usize(..=bytes.len() - from.len());
            bytes.copy_within(from, to);
        }
    }
}

/// Puts a block of one random byte, or of many, somewhere.
fn insert(bytes: &mut Vec<u8>, random: &mut fastrand::Rng) {
    let at = random.usize(..=bytes.len());
    let mut new = vec![random.u8(..); random.usize(1..=BLOCK)];
    if random.bool() {
        random.fill(&mut new);
    }
    bytes.splice(at..at, new);
}

/// A part of `bytes`, which are not none.
fn block(bytes: &[u8], random: &mut fastrand::Rng) -> std::ops::Range<usize> {
    let length = random.usize(1..=BLOCK.min(bytes.len()));
    let start = random.usize(..=bytes.len() - length);
    start..start + length
}
