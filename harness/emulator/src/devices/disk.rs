//! The disk's content: a read-only image that many machines share, under the sectors one wrote.
//!
//! Going back to a snapshot drops the written sectors: it costs what was written, not what the
//! disk holds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Bytes in a sector, the unit of every request.
pub const SECTOR_BYTES: usize = 512;

/// A sector that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SectorWrite {
    /// The number of the sector.
    pub sector: u64,
    /// The bytes that were written.
    pub content: [u8; SECTOR_BYTES],
    /// The guest's request to write of which it is a part. Requests are counted from 1, since recording began. A sector
    /// that was written from outside counts to the last request before it.
    pub request: u32,
    /// How many requests to write the guest knew to be done when that request began.
    pub known_done: u32,
}

impl SectorWrite {
    /// Does the same to the content of a disk; beyond its end, nothing.
    pub fn apply(&self, disk: &mut [u8]) {
        let start = usize::try_from(self.sector).map(|sector| sector.checked_mul(SECTOR_BYTES));
        let place = start.ok().flatten().and_then(|start| disk.get_mut(start..));
        if let Some(place) = place.and_then(|rest| rest.first_chunk_mut()) {
            *place = self.content;
        }
    }
}

/// The writes to a disk, in order.
#[derive(Clone, Debug, Default)]
struct Journal {
    writes: Vec<SectorWrite>,
    /// Requests to write that have begun.
    requests: u32,
    /// How many of them the guest knows to be done.
    known_done: u32,
}

/// A disk of whole sectors; cheap to clone as long as few were written.
#[derive(Clone, Debug)]
pub struct Disk {
    base: Arc<[u8]>,
    /// Where in `written` a changed sector is.
    slots: BTreeMap<u64, usize>,
    written: Vec<[u8; SECTOR_BYTES]>,
    /// Every write, since recording began.
    journal: Option<Journal>,
    /// The sectors that were read, since recording began.
    read: Option<BTreeSet<u64>>,
}

impl Disk {
    /// A disk holding `image`, filled up with zeroes to a whole sector.
    pub fn new(mut image: Vec<u8>) -> Disk {
        image.resize(image.len().next_multiple_of(SECTOR_BYTES), 0);
        Disk {
            base: image.into(),
            slots: BTreeMap::new(),
            written: Vec::new(),
            journal: None,
            read: None,
        }
    }

    /// Size in sectors.
    pub fn sectors(&self) -> u64 {
        (self.base.len() / SECTOR_BYTES) as u64
    }

    /// One sector's content; `None` beyond the end.
    pub fn sector(&self, sector: u64) -> Option<&[u8; SECTOR_BYTES]> {
        match self.slots.get(&sector) {
            Some(slot) => self.written.get(*slot),
            None => self.base_sector(sector),
        }
    }

    /// Reads one sector as the guest does: it is recorded. `None` beyond the end.
    pub fn read(&mut self, sector: u64) -> Option<&[u8; SECTOR_BYTES]> {
        if let Some(read) = &mut self.read {
            read.insert(sector);
        }
        self.sector(sector)
    }

    /// Writes one sector; `None` beyond the end.
    pub fn write(&mut self, sector: u64, content: &[u8; SECTOR_BYTES]) -> Option<()> {
        match self.slots.get(&sector) {
            Some(slot) => *self.written.get_mut(*slot)? = *content,
            None => {
                self.base_sector(sector)?;
                self.slots.insert(sector, self.written.len());
                self.written.push(*content);
            }
        }
        if let Some(journal) = &mut self.journal {
            journal.writes.push(SectorWrite {
                sector,
                content: *content,
                request: journal.requests,
                known_done: journal.known_done,
            });
        }
        Some(())
    }

    /// Notes that the guest's next request to write begins. `known_done`: it knows that all requests before it are
    /// done.
    pub fn begin_request(&mut self, known_done: bool) {
        if known_done {
            self.note_known_done();
        }
        if let Some(journal) = &mut self.journal {
            journal.requests += 1;
        }
    }

    /// Notes that the guest knows that all its requests so far are done.
    pub fn note_known_done(&mut self) {
        if let Some(journal) = &mut self.journal {
            journal.known_done = journal.requests;
        }
    }

    /// Records every write from now on; what was recorded before is forgotten.
    pub fn record_writes(&mut self) {
        self.journal = Some(Journal::default());
    }

    /// The writes since [`Disk::record_writes`], in order; none without it.
    pub fn writes(&self) -> &[SectorWrite] {
        let journal = self.journal.as_ref();
        journal.map_or(&[], |journal| &journal.writes)
    }

    /// How many requests to write have begun since [`Disk::record_writes`]; 0 without it.
    pub fn write_requests(&self) -> u32 {
        self.journal.as_ref().map_or(0, |journal| journal.requests)
    }

    /// Records from now on which sectors are read.
    pub fn record_reads(&mut self) {
        self.read = Some(BTreeSet::new());
    }

    /// The sectors that were read since [`Disk::record_reads`]; none without it. Recording ends.
    pub fn take_reads(&mut self) -> BTreeSet<u64> {
        self.read.take().unwrap_or_default()
    }

    /// The whole content, copied.
    pub fn content(&self) -> Vec<u8> {
        let mut content = self.base.to_vec();
        for (sector, slot) in &self.slots {
            let start = *sector as usize * SECTOR_BYTES;
            content[start..start + SECTOR_BYTES].copy_from_slice(&self.written[*slot]);
        }
        content
    }

    /// Sectors that differ, or may, from the shared image.
    pub fn written_sectors(&self) -> usize {
        self.slots.len()
    }

    /// Makes the present content the shared image, so that clones and resets have nothing to copy.
    pub fn freeze(&mut self) {
        if !self.slots.is_empty() {
            self.base = self.content().into();
            self.slots.clear();
            self.written.clear();
        }
    }

    /// Becomes identical to `base`, its records included. The cost follows the sectors
    /// that either has written.
    pub fn restore(&mut self, base: &Disk) {
        if !Arc::ptr_eq(&self.base, &base.base) {
            self.base = Arc::clone(&base.base);
        }
        if !(self.slots.is_empty() && base.slots.is_empty()) {
            self.slots.clone_from(&base.slots);
            self.written.clone_from(&base.written);
        }
        self.journal.clone_from(&base.journal);
        self.read.clone_from(&base.read);
    }

    fn base_sector(&self, sector: u64) -> Option<&[u8; SECTOR_BYTES]> {
        let start = usize::try_from(sector).ok()?.checked_mul(SECTOR_BYTES)?;
        self.base.get(start..)?.first_chunk()
    }
}

/// Disks are equal if their contents are equal. Where the content is kept does not matter.
impl PartialEq for Disk {
    fn eq(&self, other: &Disk) -> bool {
        if Arc::ptr_eq(&self.base, &other.base) {
            self.slots
                .keys()
                .chain(other.slots.keys())
                .all(|sector| self.sector(*sector) == other.sector(*sector))
        } else {
            self.sectors() == other.sectors()
                && (0..self.sectors()).all(|sector| self.sector(sector) == other.sector(sector))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Disk, SECTOR_BYTES, SectorWrite};

    fn disk() -> Disk {
        Disk::new(
            (0..3 * SECTOR_BYTES)
                .map(|index| (index / SECTOR_BYTES) as u8)
                .collect(),
        )
    }

    fn filled(byte: u8) -> [u8; SECTOR_BYTES] {
        [byte; SECTOR_BYTES]
    }

    #[test]
    fn a_record_of_writes_leads_from_content_to_content() {
        let mut disk = disk();
        disk.write(0, &filled(1)).unwrap();
        assert_eq!(disk.writes(), []);
        disk.record_writes();
        let mut content = disk.content();
        disk.write(2, &filled(2)).unwrap();
        disk.write(0, &filled(3)).unwrap();
        disk.write(2, &filled(4)).unwrap();
        assert_eq!(disk.write(3, &filled(5)), None);
        let sectors: Vec<u64> = disk.writes().iter().map(|write| write.sector).collect();
        assert_eq!(sectors, [2, 0, 2]);
        disk.freeze();
        for write in disk.writes() {
            write.apply(&mut content);
        }
        assert_eq!(content, disk.content());
        for sector in [3, u64::MAX] {
            let beyond = SectorWrite {
                sector,
                content: filled(6),
                request: 0,
                known_done: 0,
            };
            beyond.apply(&mut content);
        }
        assert_eq!(content, disk.content());
    }

    #[test]
    fn a_record_says_which_request_wrote_a_sector_and_what_was_known_then() {
        let mut disk = disk();
        disk.record_writes();
        disk.write(0, &filled(1)).unwrap();
        for known_done in [false, true, false] {
            disk.begin_request(known_done);
            disk.write(1, &filled(2)).unwrap();
        }
        disk.note_known_done();
        disk.begin_request(false);
        disk.write(2, &filled(3)).unwrap();
        let notes: Vec<(u32, u32)> = disk
            .writes()
            .iter()
            .map(|write| (write.request, write.known_done))
            .collect();
        assert_eq!(notes, [(0, 0), (1, 0), (2, 1), (3, 1), (4, 3)]);
        assert_eq!(disk.write_requests(), 4);
    }

    #[test]
    fn a_partial_last_sector_is_filled_with_zeroes() {
        let disk = Disk::new(vec![7; 513]);
        assert_eq!(disk.sectors(), 2);
        assert_eq!(disk.sector(1).unwrap()[..2], [7, 0]);
        assert_eq!(Disk::new(Vec::new()).sectors(), 0);
        assert_eq!(Disk::new(Vec::new()).sector(0), None);
    }

    #[test]
    fn written_sectors_lie_over_the_image() {
        let mut disk = disk();
        disk.write(1, &filled(99)).unwrap();
        assert_eq!(disk.sector(1), Some(&filled(99)));
        assert_eq!(disk.sector(2).unwrap()[0], 2);
        assert_eq!(disk.content()[SECTOR_BYTES - 1..][..2], [0, 99]);
        assert_eq!(disk.written_sectors(), 1);
        for beyond in [3, u64::MAX, u64::MAX / 512, 1 << 55] {
            assert_eq!(disk.sector(beyond), None);
            assert_eq!(disk.write(beyond, &filled(1)), None);
        }
    }

    #[test]
    fn restore_goes_back_and_leaves_the_image_shared() {
        let mut base = disk();
        base.write(0, &filled(50)).unwrap();
        let before = base.content();
        let mut copy = base.clone();
        copy.write(0, &filled(51)).unwrap();
        copy.write(2, &filled(52)).unwrap();
        assert!(copy != base);
        copy.restore(&base);
        assert!(copy == base);
        assert_eq!(copy.content(), before);
    }

    #[test]
    fn freezing_keeps_the_content() {
        let mut disk = disk();
        disk.write(2, &filled(77)).unwrap();
        let before = disk.clone();
        disk.freeze();
        assert_eq!(disk.written_sectors(), 0);
        assert!(disk == before);
        assert_eq!(disk.content(), before.content());
    }
}
