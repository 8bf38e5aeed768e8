//! The content of a memory, kept as the history of its changes.
//!
//! A byte holds what the latest change that covers it says, and what the program's initial memory holds
//! there (zero elsewhere) if none does. Cases are short, so histories are; nothing here depends on
//! how large the memory is.

use crate::layout::InitialMemory;
use std::ops::Range;

/// What happened to a memory since the case began.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    changes: Vec<Change>,
    /// The bytes of all [`Change::Bytes`].
    content: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
enum Change {
    /// `length` bytes were written, kept in `content` from `at`.
    Bytes { address: u64, length: u32, at: u32 },
    /// Bytes `count`, `count - 1`, … 1 were written, `2^stride` bytes apart.
    Touches { address: u64, stride: u8, count: u8 },
    /// The pages were given back: zero from now on.
    Erased { start: u64, end: u64 },
}

impl Change {
    /// What the change says about the byte at `address`, if anything.
    fn byte(self, address: u64, content: &[u8]) -> Option<u8> {
        match self {
            Change::Bytes {
                address: start,
                length,
                at,
            } => {
                let distance = address.wrapping_sub(start);
                (distance < u64::from(length)).then(|| content[at as usize + distance as usize])
            }
            Change::Touches {
                address: start,
                stride,
                count,
            } => {
                let distance = address.wrapping_sub(start);
                let step = distance >> stride;
                let exact = step << stride == distance;
                (exact && step < u64::from(count)).then(|| count - step as u8)
            }
            Change::Erased { start, end } => (start..end).contains(&address).then_some(0),
        }
    }
}

impl History {
    pub(crate) fn clear(&mut self) {
        self.changes.clear();
        self.content.clear();
    }

    pub(crate) fn copy_from(&mut self, other: &History) {
        self.changes.clone_from(&other.changes);
        self.content.clone_from(&other.content);
    }

    /// `bytes` were written at `address`.
    pub(crate) fn write(&mut self, address: u64, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.changes.push(Change::Bytes {
            address,
            length: bytes.len() as u32,
            at: self.content.len() as u32,
        });
        self.content.extend_from_slice(bytes);
    }

    /// A run of touches stored `count`, `count - 1`, … 1, each `2^stride` bytes after the last.
    pub(crate) fn touch(&mut self, address: u64, stride: u8, count: u8) {
        self.changes.push(Change::Touches {
            address,
            stride,
            count,
        });
    }

    /// The addresses were given back.
    pub(crate) fn erase(&mut self, addresses: Range<u64>) {
        if !addresses.is_empty() {
            self.changes.push(Change::Erased {
                start: addresses.start,
                end: addresses.end,
            });
        }
    }

    /// The byte at `address`.
    pub(crate) fn byte(&self, address: u64, initial: &InitialMemory) -> u8 {
        let latest = self.changes.iter().rev();
        latest
            .filter_map(|change| change.byte(address, &self.content))
            .next()
            .unwrap_or_else(|| initial.byte(address))
    }

    /// Fills `bytes` with what lies at `address`: the initial memory, and then every change in the order in
    /// which they happened.
    pub(crate) fn read(&self, address: u64, bytes: &mut [u8], initial: &InitialMemory) {
        initial.read(address, bytes);
        let addresses = address..address.saturating_add(bytes.len() as u64);
        for change in &self.changes {
            match *change {
                Change::Bytes {
                    address: start,
                    length,
                    at,
                } => {
                    let from = start.max(addresses.start);
                    let to = start.saturating_add(u64::from(length)).min(addresses.end);
                    if from < to {
                        let content = at as usize + (from - start) as usize;
                        let length = (to - from) as usize;
                        bytes[(from - address) as usize..][..length]
                            .copy_from_slice(&self.content[content..content + length]);
                    }
                }
                Change::Touches {
                    address: start,
                    stride,
                    count,
                } => {
                    for step in 0..count {
                        let place = start.wrapping_add(u64::from(step) << stride);
                        if addresses.contains(&place) {
                            bytes[(place - address) as usize] = count - step;
                        }
                    }
                }
                Change::Erased { start, end } => {
                    let from = start.max(addresses.start);
                    let to = end.min(addresses.end);
                    if from < to {
                        bytes[(from - address) as usize..(to - address) as usize].fill(0);
                    }
                }
            }
        }
    }

    /// Whether anything was written to `addresses` since they were last given back, or lies there in
    /// the initial memory.
    pub(crate) fn was_written(&self, addresses: Range<u64>, initial: &InitialMemory) -> bool {
        let written = |change: &Change| match *change {
            Change::Bytes {
                address, length, ..
            } => (address < addresses.end && address + u64::from(length) > addresses.start)
                .then_some(true),
            Change::Touches {
                address,
                stride,
                count,
            } => (0..u64::from(count))
                .any(|step| addresses.contains(&address.wrapping_add(step << stride)))
                .then_some(true),
            Change::Erased { start, end } => {
                (start <= addresses.start && addresses.end <= end).then_some(false)
            }
        };
        let latest = self.changes.iter().rev().find_map(written);
        latest.unwrap_or_else(|| initial.segment(addresses.start).is_some())
    }

    /// Whether anything was ever written to `addresses`.
    pub(crate) fn was_changed(&self, addresses: Range<u64>) -> bool {
        let nothing = InitialMemory {
            segments: Vec::new(),
        };
        self.was_written(addresses, &nothing)
    }
}

#[cfg(test)]
mod tests {
    use super::History;
    use crate::layout::InitialMemory;
    use proptest::prelude::{Just, Strategy, any, prop, prop_oneof, proptest};

    #[derive(Clone, Debug)]
    enum Act {
        Write(u64, Vec<u8>),
        Touch(u64, u8, u8),
        Erase(u64, u64),
    }

    fn act() -> impl Strategy<Value = Act> {
        prop_oneof![
            (0u64..200, prop::collection::vec(any::<u8>(), 0..20))
                .prop_map(|(a, b)| Act::Write(a, b)),
            (0u64..200, 0u8..6, 1u8..20).prop_map(|(a, s, c)| Act::Touch(a, s, c)),
            (0u64..200, 0u64..50).prop_map(|(a, n)| Act::Erase(a, a + n)),
            Just(Act::Erase(0, 0)),
        ]
    }

    #[test]
    fn what_was_given_back_is_not_written_any_more() {
        let initial = InitialMemory {
            segments: Vec::new(),
        };
        let mut history = History::default();
        history.write(0x1ffe, &[1, 2, 3, 4]);
        assert!(history.was_written(0x1000..0x2000, &initial));
        history.erase(0x2000..0x3000);
        assert!(history.was_written(0x1000..0x2000, &initial));
        assert!(!history.was_written(0x2000..0x3000, &initial));
        history.touch(0x2000, 12, 1);
        assert!(history.was_written(0x2000..0x3000, &initial));
    }

    proptest! {
        #[test]
        fn reads_what_was_written_last(acts in prop::collection::vec(act(), 0..20)) {
            let initial = InitialMemory { segments: Vec::new() };
            let mut history = History::default();
            let mut plain = vec![0u8; 2000];
            for act in acts {
                match act {
                    Act::Write(address, bytes) => {
                        history.write(address, &bytes);
                        plain[address as usize..][..bytes.len()].copy_from_slice(&bytes);
                    }
                    Act::Touch(address, stride, count) => {
                        history.touch(address, stride, count);
                        for step in 0..usize::from(count) {
                            plain[address as usize + (step << stride)] = count - step as u8;
                        }
                    }
                    Act::Erase(start, end) => {
                        history.erase(start..end);
                        plain[start as usize..end as usize].fill(0);
                    }
                }
            }
            let mut bytes = vec![0; plain.len()];
            history.read(0, &mut bytes, &initial);
            assert_eq!(bytes, plain);
            let mut part = vec![0xff; 70];
            history.read(90, &mut part, &initial);
            assert_eq!(part, plain[90..160]);
            assert_eq!(history.byte(99, &initial), plain[99]);
        }
    }
}
