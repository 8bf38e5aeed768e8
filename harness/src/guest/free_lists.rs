//! Lists of free frames that are linked through the first words of the frames, as the C kernels keep them: one list,
//! or one for each hart (MIT's lab on locks asks for that).
//!
//! A list is recognised by its shape and not by its name: from a word of the kernel's data, links lead from frame to
//! frame until one is zero.

use super::symbols::{Place, Symbols};
use emulator::Machine;

/// Bytes of a frame.
pub const FRAME_BYTES: u64 = 4096;
/// Where RAM begins on the `virt` board.
pub const RAM_START: u64 = 0x8000_0000;

/// A free list longer than this is a loop: RAM has fewer frames.
const LONGEST_LIST: u64 = 1 << 20;
/// A list of this many frames is the free list, whatever its name. No other list in a kernel that has just booted is as
/// long.
const LONG_LIST: u64 = 1_000;

/// Bytes at the start of an object that are searched for lists.
const FARTHEST_LIST: u64 = 8192;
/// The most harts that a kernel has a list for. xv6 has eight.
const MOST_HARTS: u64 = 16;
const USUAL_HARTS: u64 = 8;
/// Bytes from one list to the next, if each has its lock beside it: a lock has at least 24.
const BESIDE_LOCKS: std::ops::RangeInclusive<u64> = 32..=512;
/// Bytes from one list to the next, if they have an array of their own.
const ALONE: u64 = 8;

/// The places of a kernel's free lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FreeLists {
    /// Where the address of the first list's first frame is stored.
    first: u64,
    /// Bytes from there to the same place of the next list.
    stride: u64,
    /// How many lists there are.
    count: u64,
}

/// What was cut off the lists: for each list the first frame, or 0.
pub(super) type Rests = [u64; MOST_HARTS as usize];

impl FreeLists {
    /// One list, whose first frame's address is stored at `place`.
    pub(super) fn single(place: u64) -> Self {
        Self {
            first: place,
            stride: ALONE,
            count: 1,
        }
    }

    /// Finds the lists of the kernel that has booted on `machine`. `None` if there is none, or if it is not clear where
    /// the others are.
    pub(super) fn discover(symbols: &Symbols, machine: &Machine) -> Option<Self> {
        let object = symbols
            .place("kmem")
            .or_else(|| object_with_a_long_list(symbols, machine))?;
        in_object(machine, object)
    }

    fn places(self) -> impl Iterator<Item = u64> {
        (0..self.count).map(move |at| self.first + at * self.stride)
    }

    /// How many frames are on the lists. `known` are the lists as they were at the snapshot. `None` if a list leads
    /// outside RAM, or has no end.
    pub(super) fn length(self, machine: &Machine, known: &KnownLists) -> Option<u64> {
        // The last frames of each list, fewer than this, have not changed.
        let unchanged = known.unchanged(machine);
        let lengths = self.places();
        lengths
            .map(|list| known.length(machine, list, unchanged))
            .sum()
    }

    /// How many frames are on the lists, counted up to `limit`. `None` as for [`length`](Self::length).
    pub(super) fn length_up_to(self, machine: &Machine, limit: u64) -> Option<u64> {
        let mut count = 0;
        for list in self.places() {
            let left = (limit - count).min(LONGEST_LIST - 1);
            count += walk(machine, list, left)?.1;
        }
        Some(count)
    }

    /// The frames on the lists, in their order. `None` as for [`length`](Self::length).
    pub(super) fn frames(self, machine: &Machine) -> Option<Vec<u64>> {
        let mut frames = Vec::new();
        for list in self.places() {
            let mut link = machine.read_u64(list)?;
            while link != 0 {
                if frames.len() as u64 == LONGEST_LIST {
                    return None;
                }
                frames.push(link);
                link = machine.read_u64(link)?;
            }
        }
        Some(frames)
    }

    /// Takes a frame out of its list. `None` if it is on no list, or if one leads outside RAM.
    pub(super) fn take_out(self, machine: &mut Machine, frame: u64) -> Option<()> {
        for list in self.places() {
            let mut link = list;
            for _ in 0..LONGEST_LIST {
                match machine.read_u64(link)? {
                    0 => break,
                    next if next == frame => {
                        let rest = machine.read_u64(frame)?;
                        return machine.write_u64(link, rest);
                    }
                    next => link = next,
                }
            }
        }
        None
    }

    /// Leaves `keep` frames on the lists, those of the first list first. Returns what was cut off, and how many frames
    /// are left. `None` if a list leads outside RAM. Then nothing has changed.
    pub(super) fn cut(self, machine: &mut Machine, keep: u64) -> Option<(Rests, u64)> {
        let mut links = Rests::default();
        let mut left = 0;
        for (link, list) in links.iter_mut().zip(self.places()) {
            let (last, count) = walk(machine, list, (keep - left).min(LONGEST_LIST - 1))?;
            *link = last;
            left += count;
        }
        let mut rests = Rests::default();
        for (rest, link) in rests.iter_mut().zip(links).take(self.count as usize) {
            *rest = machine.read_u64(link)?;
            machine.write_u64(link, 0)?;
        }
        Some((rests, left))
    }

    /// Puts back what was cut off, each part at the end of its list.
    pub(super) fn join(self, machine: &mut Machine, rests: Rests) -> Option<()> {
        for (rest, list) in rests.into_iter().zip(self.places()) {
            if rest != 0 {
                let (last, _) = walk(machine, list, LONGEST_LIST)?;
                machine.write_u64(last, rest)?;
            }
        }
        Some(())
    }
}

/// The lists in one object of the kernel's data. If there are several, each belongs to a hart: the places between
/// them are equally far apart, and each holds a list or nothing.
fn in_object(machine: &Machine, object: Place) -> Option<FreeLists> {
    let places = object.address..object.address + object.bytes.min(FARTHEST_LIST);
    let begins_list = |at: &u64| list_length(machine, *at).is_some_and(|length| length > 0);
    let heads: Vec<u64> = places.step_by(8).filter(begins_list).collect();
    let is_list = |at: u64| list_length(machine, at).is_some();
    let fits = |lists: &FreeLists| {
        let has = |head: &u64| lists.places().any(|place| place == *head);
        heads.iter().all(has) && lists.places().all(is_list)
    };
    let first = *heads.first()?;
    let harts = [USUAL_HARTS].into_iter().chain(2..=MOST_HARTS);
    let shapes = harts.flat_map(|harts| shapes_for(harts, object, first));
    let array = shapes.into_iter().find(|lists| fits(lists));
    let single = (heads.len() == 1).then(|| FreeLists::single(first));
    array.or(single)
}

/// How lists for `harts` harts may lie in an object with a list at `head`.
fn shapes_for(harts: u64, object: Place, head: u64) -> Vec<FreeLists> {
    let mut shapes = Vec::new();
    let stride = object.bytes / harts;
    let is_even = object.bytes.is_multiple_of(harts) && stride.is_multiple_of(8);
    if is_even && BESIDE_LOCKS.contains(&stride) {
        shapes.push(FreeLists {
            first: object.address + (head - object.address) % stride,
            stride,
            count: harts,
        });
    }
    // All locks, and then all lists.
    let lists = harts * ALONE;
    if object.bytes >= lists + harts * (BESIDE_LOCKS.start() - ALONE) {
        shapes.push(FreeLists {
            first: object.address + object.bytes - lists,
            stride: ALONE,
            count: harts,
        });
    }
    shapes
}

/// The object that holds a list which is too long to be anything else.
fn object_with_a_long_list(symbols: &Symbols, machine: &Machine) -> Option<Place> {
    let is_long = |at: &u64| list_length(machine, *at).is_some_and(|length| length >= LONG_LIST);
    let at = symbols.extent().step_by(8).find(is_long)?;
    symbols.object_at(at)
}

/// The length of the list that begins at `list`. `None` if there is none.
fn list_length(machine: &Machine, list: u64) -> Option<u64> {
    let first = machine.read_u64(list)?;
    let is_frame = first >= RAM_START && first.is_multiple_of(FRAME_BYTES);
    if first != 0 && !is_frame {
        return None;
    }
    walk(machine, list, LONGEST_LIST).map(|(_, count)| count)
}

/// Follows at most `limit` links of the list whose first link is at `list`. Returns the address of the link that it
/// came to, and how many frames are before it. `None` if a link leads outside RAM, or if the list has no end.
fn walk(machine: &Machine, list: u64, limit: u64) -> Option<(u64, u64)> {
    let mut link = list;
    for count in 0..limit {
        match machine.read_u64(link)? {
            0 => return Some((link, count)),
            next => link = next,
        }
    }
    (limit < LONGEST_LIST).then_some((link, limit))
}

/// The free lists as they were at the snapshot. Parts that have not changed since need not be walked.
///
/// The list of a C kernel leads through every free frame of RAM. Walking all of it twice for each operation takes as
/// long as the operations themselves.
#[derive(Clone, Debug, Default)]
pub struct KnownLists {
    /// For each frame of RAM, how many frames its list had from this frame to the end; 0 if it was on no list.
    left: Box<[u32]>,
}

impl KnownLists {
    /// The lists of a machine at its snapshot; empty if one is broken.
    pub(super) fn of(lists: FreeLists, machine: &Machine) -> Self {
        Self::read(lists, machine).unwrap_or_default()
    }

    fn read(lists: FreeLists, machine: &Machine) -> Option<Self> {
        let frames = lists.frames(machine)?;
        let numbers: Option<Vec<usize>> = frames.into_iter().map(number_of).collect();
        let numbers = numbers?;
        let frames = numbers.iter().max().map_or(0, |last| last + 1);
        let mut left = vec![0; frames].into_boxed_slice();
        let mut numbers = numbers.into_iter();
        for list in lists.places() {
            let (_, length) = walk(machine, list, LONGEST_LIST)?;
            for (before, number) in (0..length as u32).zip(numbers.by_ref()) {
                left[number] = length as u32 - before;
            }
        }
        Some(Self { left })
    }

    /// How many frames its list had from the one at `address` to its end.
    fn left(&self, address: u64) -> Option<u32> {
        let number = number_of(address)?;
        self.left.get(number).copied().filter(|left| *left > 0)
    }

    /// The last frames of each list, fewer than this number, have not changed.
    fn unchanged(&self, machine: &Machine) -> u32 {
        let changed = machine.dirty_pages().filter_map(|page| self.left(page));
        changed.min().unwrap_or(u32::MAX)
    }

    /// How long a list is now; `None` if it leads outside RAM or has no end.
    fn length(&self, machine: &Machine, list: u64, unchanged: u32) -> Option<u64> {
        let mut link = list;
        for count in 0..LONGEST_LIST {
            link = match machine.read_u64(link)? {
                0 => return Some(count),
                next => next,
            };
            if let Some(left) = self.left(link).filter(|left| *left < unchanged) {
                return Some(count + u64::from(left));
            }
        }
        None
    }
}

/// The number of the frame of RAM that begins at an address; `None` if none begins there.
pub(super) fn number_of(address: u64) -> Option<usize> {
    let distance = address.checked_sub(RAM_START)?;
    let is_frame = distance.is_multiple_of(FRAME_BYTES);
    is_frame.then_some((distance / FRAME_BYTES) as usize)
}

#[cfg(test)]
mod tests {
    use super::{FRAME_BYTES, FreeLists, KnownLists, Place, in_object};
    use crate::guest::location::GuestFiles;
    use emulator::{Config, Machine};

    /// Where the object with the lists is, and where the frames begin.
    const OBJECT: u64 = 0x8600_0000;
    const FRAMES: u64 = 0x8700_0000;
    /// A lock's name, which comes after a word that is zero.
    const NAME: u64 = 0x8000_6018;

    /// A machine on which an object of `bytes` has lists of such lengths at these places in it.
    fn machine(bytes: u64, lists: &[(u64, u64)]) -> (Machine, Place) {
        let files = GuestFiles::find(None, None).unwrap();
        let mut machine = Machine::new(&Config::default(), &files.kernel, Vec::new()).unwrap();
        let mut next = FRAMES;
        for (place, length) in lists {
            let mut link = OBJECT + place;
            for _ in 0..*length {
                machine.write_u64(link, next).unwrap();
                link = next;
                next += FRAME_BYTES;
            }
        }
        let object = Place {
            address: OBJECT,
            bytes,
        };
        (machine, object)
    }

    /// Gives the locks at these places in the object their names.
    fn named(machine: &mut Machine, places: impl Iterator<Item = u64>) {
        for place in places {
            machine.write_u64(OBJECT + place, NAME).unwrap();
        }
    }

    #[test]
    fn lists_are_known_by_their_shape() {
        // A lock and a list; with a field after it.
        for bytes in [32, 40] {
            let (mut one, object) = machine(bytes, &[(24, 9)]);
            named(&mut one, [8].into_iter());
            assert_eq!(
                in_object(&one, object),
                Some(FreeLists::single(OBJECT + 24))
            );
        }
        // A lock, a list and perhaps a name for each of eight harts; the first hart has freed everything at boot.
        for stride in [32, 48, 64] {
            let (mut eight, object) = machine(8 * stride, &[(24, 9)]);
            named(&mut eight, (0..8).map(|hart| hart * stride + 8));
            let lists = in_object(&eight, object).unwrap();
            let places: Vec<u64> = lists.places().collect();
            let wanted: Vec<u64> = (0..8).map(|hart| OBJECT + hart * stride + 24).collect();
            assert_eq!(places, wanted);
        }
        // Two lists that are not equally far from all others.
        let (mut odd, object) = machine(48, &[(24, 9), (32, 2)]);
        named(&mut odd, [8].into_iter());
        assert_eq!(in_object(&odd, object), None);
        let (none, object) = machine(256, &[]);
        assert_eq!(in_object(&none, object), None);
    }

    #[test]
    fn frames_of_all_lists_are_counted_cut_and_joined() {
        let (mut machine, object) = machine(256, &[(24, 5), (56, 3), (248, 4)]);
        named(&mut machine, (0..8).map(|hart| hart * 32 + 8));
        machine.snapshot();
        let lists = in_object(&machine, object).unwrap();
        let known = KnownLists::of(lists, &machine);
        let all = lists.frames(&machine).unwrap();
        assert_eq!(all.len(), 12);
        let length = |machine: &Machine| lists.length(machine, &known);
        assert_eq!(length(&machine), Some(12));
        assert_eq!(lists.length_up_to(&machine, 7), Some(7));
        for (keep, left) in [(0, 0), (6, 6), (12, 12), (99, 12)] {
            let (rests, kept) = lists.cut(&mut machine, keep).unwrap();
            assert_eq!((kept, length(&machine)), (left, Some(left)));
            assert_eq!(lists.frames(&machine).unwrap(), all[..left as usize]);
            lists.join(&mut machine, rests).unwrap();
            assert_eq!(lists.frames(&machine).unwrap(), all);
        }
        assert_eq!(lists.take_out(&mut machine, all[6]), Some(()));
        assert_eq!(length(&machine), Some(11));
        assert_eq!(lists.take_out(&mut machine, all[6]), None);
    }
}
