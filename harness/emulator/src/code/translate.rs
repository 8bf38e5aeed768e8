//! From guest bytes to a block.

use super::codes::Code;
use super::decode::{Decoded, Known, decode, raw};
use super::loops::Loop;
use super::operation::{Block, Exit, Mark, NO_LINK, Operation};
use crate::coverage::{Map, edge};
use crate::hart::X_DISCARD;
use crate::isa::compressed::expand;

/// Most instructions of a block.
const MOST_INSTRUCTIONS: u16 = 64;
/// The most branches of a block. Code after more of them is seldom reached.
const MOST_BRANCHES: usize = 6;

/// A block being written.
#[derive(Default)]
pub(crate) struct Draft {
    pub(crate) operations: Vec<Operation>,
    pub(crate) marks: Vec<Mark>,
    pub(crate) exits: Vec<Exit>,
    /// The edges of the block, each with its target.
    edges: Vec<(u16, u64)>,
    /// The loop that the block is, if it is one that can be executed in bulk.
    pub(crate) bulk: Option<Loop>,
    count: u16,
    bytes: u16,
    is_complete: bool,
}

/// Where and how to read guest code.
pub(crate) struct Source<'a> {
    /// Virtual address of the first instruction.
    pub(crate) address: u64,
    /// The bytes from there to the end of the page, or the whole of a straddling instruction.
    pub(crate) bytes: &'a [u8],
    /// Most instructions to take.
    pub(crate) limit: u64,
    /// What instructions mean that have no effect on some machines.
    pub(crate) known: Known,
    /// Virtual addresses at which to stop.
    pub(crate) breakpoints: &'a [u64],
}

impl Source<'_> {
    /// The instruction at `at`, expanded, with its length and what it reads as when illegal;
    /// `None` if it is not whole.
    fn instruction(&self, at: usize) -> Option<(Option<u32>, u16, u32)> {
        let half = u16::from_le_bytes(*self.bytes.get(at..)?.first_chunk()?);
        if half & 3 != 3 {
            return Some((expand(half), 2, u32::from(half)));
        }
        let word = u32::from_le_bytes(*self.bytes.get(at..)?.first_chunk()?);
        Some((Some(word), 4, word))
    }
}

impl Draft {
    /// Decodes a block. Returns its number of instructions: 0 if even the first is not whole.
    pub(crate) fn translate(&mut self, source: &Source<'_>) -> u16 {
        self.operations.clear();
        self.marks.clear();
        self.count = 0;
        self.bytes = 0;
        self.exits.clear();
        self.edges.clear();
        self.is_complete = false;
        while !self.is_complete {
            let limit = source.limit.min(u64::from(MOST_INSTRUCTIONS));
            let next = source
                .instruction(usize::from(self.bytes))
                .filter(|_| u64::from(self.count) < limit);
            let Some((instruction, length, illegal)) = next else {
                self.end();
                break;
            };
            let address = source.address.wrapping_add(u64::from(self.bytes));
            if source.breakpoints.contains(&address) {
                if self.count > 0 {
                    self.end();
                    break;
                }
                self.push(raw(Code::Breakpoint, 0));
            }
            let decoded = match instruction {
                Some(word) => decode(word, source.known),
                None => Decoded::End(raw(Code::Illegal, illegal)),
            };
            self.append(source, decoded, length);
        }
        for exit in &mut self.exits {
            exit.unused = self.count - exit.unused;
        }
        self.bulk = Loop::recognise(&self.operations, &self.exits);
        if self.bulk.is_some() {
            // The number is known once the block is kept.
            self.operations.insert(0, raw(Code::Bulk, 0));
            let start = Mark {
                offset: 0,
                before: 0,
            };
            self.marks.insert(0, start);
        }
        self.pair();
        self.count
    }

    /// Makes pairs of neighbours that are executed as one.
    fn pair(&mut self) {
        let mut rest = self.operations.as_mut_slice();
        while let [first, second, ..] = rest {
            let taken = match first.code.paired_with(second.code) {
                Some(pair) => {
                    first.code = pair;
                    2
                }
                None => 1,
            };
            rest = &mut rest[taken..];
        }
    }

    fn append(&mut self, source: &Source<'_>, decoded: Decoded, length: u16) {
        let from = source.address.wrapping_add(u64::from(self.bytes));
        let start = i32::from(self.bytes);
        let after = start + i32::from(length);
        match decoded {
            Decoded::Nothing => {}
            Decoded::Plain(mut operation) => {
                if operation.code == Code::Auipc {
                    [operation.rs1, operation.rs2] = self.bytes.to_le_bytes();
                }
                if !self.fold_address(&operation) {
                    self.push(operation);
                }
            }
            Decoded::Branch(mut operation, over) => {
                let missed = self.edge(from, from.wrapping_add(u64::from(length)));
                let taken = self.edge(from, from.wrapping_add(i64::from(over) as u64));
                operation.immediate = i32::from(missed);
                operation.rd = self.exit(start + over, taken);
                self.push(operation);
                // A loop is seldom left.
                self.is_complete = over <= 0 || self.exits.len() >= MOST_BRANCHES;
            }
            Decoded::Jump(mut operation, over) => {
                if over == 0 && operation.rd == X_DISCARD {
                    operation.code = Code::Spin;
                }
                self.jump(operation, from, start + over);
            }
            Decoded::End(mut operation) => match self.fold_jump(&operation) {
                Some((jump, target)) => self.jump(jump, from, target),
                None => {
                    if operation.code == Code::JumpRegister {
                        operation.rs2 = length as u8;
                    } else {
                        operation.rs1 = self.exit(after, 0);
                    }
                    self.push(operation);
                    self.is_complete = true;
                }
            },
        }
        self.bytes += length;
        self.count += 1;
        if self.is_complete && matches!(decoded, Decoded::Branch(..)) {
            self.end();
        }
    }

    /// Ends the block with a jump.
    fn jump(&mut self, mut operation: Operation, from: u64, target: i32) {
        let over = i64::from(target) - i64::from(self.bytes);
        let edge = self.edge(from, from.wrapping_add(over as u64));
        operation.rs1 = self.exit(target, edge);
        self.push(operation);
        self.is_complete = true;
    }

    /// Adds an exit of the present instruction; returns its number.
    fn exit(&mut self, target: i32, edge: u16) -> u8 {
        self.exits.push(Exit {
            target,
            link: NO_LINK,
            remote: NO_LINK,
            edge,
            // Made up once the block's length is known.
            unused: self.count + 1,
        });
        (self.exits.len() - 1) as u8
    }

    fn edge(&mut self, from: u64, to: u64) -> u16 {
        let edge = edge(from, to);
        self.edges.push((edge, to));
        edge
    }

    /// `auipc` followed by `addi` on the same register is one constant.
    fn fold_address(&mut self, operation: &Operation) -> bool {
        if let Some(last) = self.operations.last_mut()
            && last.code == Code::Auipc
            && operation.code == Code::Addi
            && operation.rd == last.rd
            && operation.rs1 == last.rd
            && let Some(sum) = last.immediate.checked_add(operation.immediate)
        {
            last.immediate = sum;
            return true;
        }
        false
    }

    /// `auipc` followed by `jalr` through its register is a jump to a known place: returns it, and
    /// where it goes, in bytes from the block's start.
    fn fold_jump(&mut self, operation: &Operation) -> Option<(Operation, i32)> {
        let last = *self.operations.last()?;
        if last.code != Code::Auipc
            || operation.code != Code::JumpRegister
            || operation.rs1 != last.rd
        {
            return None;
        }
        let place = i32::from(u16::from_le_bytes([last.rs1, last.rs2]));
        let target = last.immediate.checked_add(operation.immediate)?;
        let target = target.checked_add(place)? & !1;
        let jump = Operation {
            code: Code::Jump,
            ..*operation
        };
        Some((jump, target))
    }

    /// Ends the block where no instruction ends it.
    fn end(&mut self) {
        let mut operation = raw(Code::Next, 0);
        operation.rs1 = self.exit(i32::from(self.bytes), 0);
        // No instruction belongs to this exit.
        self.exits[usize::from(operation.rs1)].unused = self.count;
        self.push(operation);
        self.is_complete = true;
    }

    fn push(&mut self, operation: Operation) {
        let mark = Mark {
            offset: self.bytes,
            before: self.count,
        };
        self.operations.push(operation);
        self.marks.push(mark);
    }

    /// Bytes of guest code.
    pub(crate) fn bytes(&self) -> u64 {
        u64::from(self.bytes)
    }

    /// Tells the coverage map where the edges out of the block lead.
    pub(crate) fn name_edges(&self, map: &mut Map) {
        for (edge, target) in &self.edges {
            map.targets.name(*edge, *target);
        }
    }

    /// The block's record. Its operations and exits go to `first` and `exits`.
    pub(crate) fn block(&self, address: u64, offset: u64, first: u32, exits: u32) -> Block {
        Block {
            address,
            offset,
            first,
            exits,
            indirect: NO_LINK,
            count: self.count,
            bytes: self.bytes,
        }
    }
}
