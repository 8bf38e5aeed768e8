//! Writing to files: how many bytes are written if memory, or the largest file, ends a write early.

use super::open_file::{OpenNode, Target};
use super::strings::UserPath;
use super::{Access, Answer, FAILED, Model, Outcome, Witness};
use crate::case::{Address, OpenFlags, Process};
use crate::dialect::{Bound, FileRules, RefusedBlock, RefusedTransaction};
use crate::layout::PAGE_SIZE;
use abi::file_system::{BLOCK_SIZE, Kind, MAX_FILE_SIZE};

/// How much of a write is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Arrival {
    /// Bytes that count as written: the offset moves by so many.
    counted: usize,
    /// Bytes after these that were read, and lie in a block that could not be filled, or in one that
    /// does not count because of that.
    in_part: usize,
}

impl Arrival {
    const NOTHING: Arrival = Arrival {
        counted: 0,
        in_part: 0,
    };

    /// What arrives of `length` bytes that go to `offset` of a file of `size` bytes in blocks of `block_bytes`, if
    /// only the first `readable` can be read.
    fn of(
        length: usize,
        readable: usize,
        offset: usize,
        size: usize,
        block_bytes: usize,
        rules: &FileRules,
    ) -> Arrival {
        let transaction = rules.transaction_bytes as usize;
        let mut done = 0;
        while done < length {
            let end = length.min(done + transaction);
            if offset > size || offset + end > MAX_FILE_SIZE {
                break;
            }
            while done < end {
                let block_left = block_bytes - (offset + done) % block_bytes;
                let part = block_left.min(end - done);
                if done + part > readable {
                    let counted = match rules.refused_transaction {
                        RefusedTransaction::CountsBlocks | RefusedTransaction::CountsAll => done,
                        RefusedTransaction::CountsNothing => done - done % transaction,
                    };
                    return Arrival {
                        counted,
                        in_part: readable - counted,
                    };
                }
                done += part;
            }
        }
        Arrival {
            counted: done,
            in_part: 0,
        }
    }

    fn read(self) -> usize {
        self.counted + self.in_part
    }
}

impl Model {
    /// Whether a write is predicted: in a file that is larger than any of xv6 it is not.
    pub(super) fn write_is_known(&self, process: Process, fd: i8, length: i16) -> bool {
        match self.file(process, fd) {
            Some(Target::File(node)) if node.writable => {
                let length = usize::try_from(length).unwrap_or(0);
                let end = node.offset as usize + length;
                // A kernel of larger files has a direct block less: the last one is elsewhere.
                let most = match self.world.dialect.files.larger_files {
                    Bound::Granted => MAX_FILE_SIZE - BLOCK_SIZE,
                    Bound::Refused => usize::MAX,
                };
                end <= most
            }
            _ => true,
        }
    }

    /// Whether writing to a descriptor may change a running program: a kernel that reads
    /// programs on demand must first keep what its file holds, which takes frames.
    pub(crate) fn writes_program(&self, process: Process, fd: i8) -> bool {
        let node = self.open_node(process, fd);
        node.is_some_and(|node| self.is_program_file(node.inode))
    }

    /// Whether opening the path at `address` so may do the same.
    pub(crate) fn truncates_program(
        &self,
        process: Process,
        address: Address,
        flags: OpenFlags,
    ) -> bool {
        let mut buffer = UserPath::buffer();
        let path = self.path(process, self.resolve(process, address), &mut buffer);
        let node = self.find(process, path.bytes);
        flags.contains(OpenFlags::TRUNCATE)
            && self.world.dialect.files.truncates
            && node.is_some_and(|node| self.is_program_file(node.inode))
    }

    /// Writes to the open file with that number, which is at `node`.
    pub(super) fn write_node(
        &mut self,
        process: Process,
        number: Option<usize>,
        node: OpenNode,
        address: u64,
        length: i16,
        witness: &Witness,
    ) {
        let file = self.files.node(node.inode);
        let size = file.filter(|file| file.kind == Kind::File);
        let size = size.map(|file| file.bytes.len());
        let (Some(size), Ok(length)) = (size, usize::try_from(length)) else {
            return self.returns(process, FAILED);
        };
        let rules = &self.world.dialect.files;
        let offset = node.offset as usize;
        self.written_from = Some((node.inode, offset));
        let block_bytes = self.files.block_bytes();
        let arrival = |readable| Arrival::of(length, readable, offset, size, block_bytes, rules);
        let space = &self.of(process).space;
        let (least, most) = space.reach(address, length as u64, Access::Load, &self.world);
        let (least, most) = (arrival(least as usize), arrival(most as usize));
        let seen = witness.returned(process);
        let excusable = witness.out_of_frames && (seen == Some(FAILED) || witness.silent(process));
        let keeps = self.is_program_file(node.inode);
        if excusable && (keeps || space.may_need_frame(address, length as u64, Access::Load)) {
            if witness.silent(process) {
                // How much it wrote before it was killed is not known.
                self.unknown = true;
                return self.dies_out_of_frames(process);
            }
            // There was no frame for the next page of the buffer, or for the old contents of a running
            // program; or the write failed as it must. How much was written is not known.
            let mut stops = pages(address, length as u64).filter(|at| {
                let page = address.wrapping_add(*at) / PAGE_SIZE;
                space.page_may_need_frame(page, Access::Load)
            });
            let fails = most.counted < length;
            self.unknown |= stops.any(|at| at > 0) || (fails && most != Arrival::NOTHING);
            let space = &mut self.of_mut(process).space;
            space.note_perhaps(address, length as u64);
            let failed = Outcome::Returns(Answer::Exactly(FAILED));
            return self.excused(process, failed);
        }
        if offset <= size && witness.found_no_room(process, self.files.blocks_for_bytes(length)) {
            let arrived = (address, most.read());
            return self.stops_at_the_last_block(process, (number, node), arrived, witness);
        }
        let stops = most.counted < length && arrival(length).counted == length;
        let counts_all = rules.refused_transaction == RefusedTransaction::CountsAll;
        // A kernel that has this defect elsewhere is right here if it fails.
        if stops && counts_all && seen != Some(FAILED) {
            // A second transaction would begin beyond the end of the file, and fail.
            let whole = length <= rules.transaction_bytes as usize;
            let answer = if whole {
                Answer::Exactly(length as u64)
            } else {
                Answer::Anything
            };
            self.unknown = true;
            return self.reply(process, Outcome::Returns(answer));
        }
        let refused = seen == Some(FAILED) && least.counted < length;
        let arrival = if refused { least } else { most };
        // If the kernel chooses whether there is memory, it may have stopped at either end.
        self.unknown |= refused && least != most && most.counted < length;
        self.arrive(process, number, node, address, arrival);
        if arrival.counted < length {
            let space = &mut self.of_mut(process).space;
            space.note_perhaps(address, length as u64);
            return self.returns(process, FAILED);
        }
        self.returns(process, length as u64);
    }

    /// Puts what arrives of a write into the file.
    fn arrive(
        &mut self,
        process: Process,
        number: Option<usize>,
        node: OpenNode,
        address: u64,
        arrival: Arrival,
    ) {
        let mut bytes = std::mem::take(&mut self.transferred);
        bytes.clear();
        bytes.resize(arrival.read(), 0);
        let space = &mut self.processes[process.index()].space;
        space.peek(address, &mut bytes);
        space.note_load(address, arrival.read() as u64);
        let (offset, size) = (node.offset as usize, self.size_of(node.inode));
        // Bytes beyond the file's end that do not count cannot be seen.
        let kept = arrival
            .counted
            .max(arrival.read().min(size.saturating_sub(offset)));
        let rules = &self.world.dialect.files;
        let open = rules.refused_block == RefusedBlock::Open && kept > arrival.counted;
        // If nothing counts, the file may still have grown.
        let none_counts = rules.refused_transaction == RefusedTransaction::CountsNothing;
        self.unknown |= open || (none_counts && arrival.in_part > 0);
        if !bytes.is_empty() {
            self.files.write(node.inode, offset, &bytes[..kept]);
        }
        self.transferred = bytes;
        self.advance(number, node, arrival.counted);
    }

    pub(super) fn size_of(&self, inode: u32) -> usize {
        self.files.node(inode).map_or(0, |file| file.bytes.len())
    }

    /// Whether a process may run from that file.
    fn is_program_file(&self, inode: u32) -> bool {
        let mut processes = self.processes.iter();
        processes.any(|process| process.program_file == inode)
    }
}

/// Where the pages of `length` bytes at `address` begin, in bytes from the first one.
fn pages(address: u64, length: u64) -> impl Iterator<Item = u64> {
    let first_page_left = PAGE_SIZE - address % PAGE_SIZE;
    let others = (first_page_left..length).step_by(PAGE_SIZE as usize);
    std::iter::once(0)
        .chain(others)
        .filter(move |at| *at < length)
}

#[cfg(test)]
mod tests {
    use super::{Arrival, BLOCK_SIZE, MAX_FILE_SIZE, RefusedTransaction};
    use crate::Dialect;

    fn arrival(length: usize, readable: usize, offset: usize, size: usize) -> (usize, usize) {
        let rules = Dialect::faultline().files;
        let arrival = Arrival::of(length, readable, offset, size, BLOCK_SIZE, &rules);
        (arrival.counted, arrival.in_part)
    }

    #[test]
    fn where_a_refused_transaction_counts_nothing_those_before_it_do() {
        let mut rules = Dialect::faultline().files;
        rules.refused_transaction = RefusedTransaction::CountsNothing;
        let arrival = |readable| {
            let arrival = Arrival::of(5000, readable, 0, 0, BLOCK_SIZE, &rules);
            (arrival.counted, arrival.in_part)
        };
        assert_eq!(arrival(2100), (0, 2100));
        assert_eq!(arrival(4500), (3072, 1428));
        assert_eq!(arrival(5000), (5000, 0));
    }

    #[test]
    fn whole_blocks_count_and_parts_arrive() {
        assert_eq!(arrival(100, 100, 0, 0), (100, 0));
        assert_eq!(arrival(100, 60, 0, 0), (0, 60));
        assert_eq!(arrival(5000, 2100, 0, 0), (2048, 52));
        assert_eq!(arrival(5000, 2100, 1000, 1000), (24 + 2048, 28));
        // A transaction may end inside a block.
        assert_eq!(arrival(5000, 3100, 500, 500), (3072, 28));
        assert_eq!(arrival(5000, 0, 0, 0), (0, 0));
    }

    #[test]
    fn no_file_gets_too_large_and_none_has_a_gap() {
        let end = MAX_FILE_SIZE;
        assert_eq!(arrival(3000, 3000, end - 3000, end - 3000), (3000, 0));
        assert_eq!(arrival(3000, 3000, end - 2999, end - 2999), (0, 0));
        assert_eq!(arrival(6000, 6000, end - 5999, end), (3072, 0));
        assert_eq!(arrival(1, 1, 5, 4), (0, 0));
        assert_eq!(arrival(0, 0, 5, 4), (0, 0));
    }
}
