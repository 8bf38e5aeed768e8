//! From guest bytes to a block.

use super::compressed::expand;
use super::decode::{Decoded, decode, raw};
use super::operation::{Block, Code, Exit, Mark, NO_LINK, Operation};
use crate::coverage::{Map, edge};
use crate::memory::PAGE_MASK;

/// Most instructions of a block.
const MOST_INSTRUCTIONS: u16 = 64;

/// A block being written.
#[derive(Default)]
pub(crate) struct Draft {
    pub(crate) operations: Vec<Operation>,
    pub(crate) marks: Vec<Mark>,
    count: u16,
    bytes: u16,
    exits: Option<[Exit; 2]>,
}

/// Where and how to read guest code.
pub(crate) struct Source<'a> {
    /// Virtual address of the first instruction.
    pub(crate) address: u64,
    /// The bytes from there to the end of the page, or the whole of a straddling instruction.
    pub(crate) bytes: &'a [u8],
    /// Most instructions to take.
    pub(crate) limit: u64,
    /// Whether hint calls are known.
    pub(crate) hints: bool,
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
    /// Decodes a block. Answers its number of instructions: 0 if even the first is not whole.
    pub(crate) fn translate(&mut self, source: &Source<'_>) -> u16 {
        self.operations.clear();
        self.marks.clear();
        self.count = 0;
        self.bytes = 0;
        self.exits = None;
        while self.exits.is_none() {
            let limit = source.limit.min(u64::from(MOST_INSTRUCTIONS));
            let next = source
                .instruction(usize::from(self.bytes))
                .filter(|_| u64::from(self.count) < limit);
            let Some((instruction, length, illegal)) = next else {
                self.end(source, Code::Next);
                break;
            };
            let address = source.address.wrapping_add(u64::from(self.bytes));
            if source.breakpoints.contains(&address) {
                if self.count > 0 {
                    self.end(source, Code::Next);
                    break;
                }
                self.push(raw(Code::Breakpoint, 0));
            }
            let decoded = match instruction {
                Some(word) => decode(word, source.hints),
                None => Decoded::End(raw(Code::Illegal, illegal)),
            };
            self.append(source, decoded, length);
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
        let start = self.bytes;
        let exit = |bytes: i32, is_edge: bool| self::exit(source.address, start, bytes, is_edge);
        match decoded {
            Decoded::Nothing => {}
            Decoded::Plain(mut operation) => {
                if operation.code == Code::Auipc {
                    [operation.rs1, operation.rs2] = start.to_le_bytes();
                }
                if !self.fold_address(&operation) {
                    self.push(operation);
                }
            }
            Decoded::Branch(operation, over) => {
                self.push(operation);
                self.exits = Some([exit(i32::from(length), true), exit(over, true)]);
            }
            Decoded::Jump(mut operation, over) => {
                if over == 0 && operation.rd == crate::hart::X_DISCARD {
                    operation.code = Code::Spin;
                }
                self.push(operation);
                self.exits = Some([Exit::NONE, exit(over, true)]);
            }
            Decoded::End(mut operation) => match self.fold_jump(&operation) {
                Some(target) => {
                    self.exits = Some([Exit::NONE, exit(target - i32::from(start), true)]);
                }
                None => {
                    if operation.code == Code::JumpRegister {
                        operation.rs2 = length as u8;
                    }
                    self.push(operation);
                    self.exits = Some([exit(i32::from(length), false), Exit::NONE]);
                }
            },
        }
        self.bytes += length;
        self.count += 1;
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

    /// `auipc` followed by `jalr` through its register is a jump to a known place: answers where,
    /// in bytes from the block's start.
    fn fold_jump(&mut self, operation: &Operation) -> Option<i32> {
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
        // Room to count from any place in the page.
        target.checked_sub(PAGE_MASK as i32)?;
        if operation.rd == last.rd {
            // Nobody sees what `auipc` computed.
            self.operations.pop();
            let mark = self.marks.pop()?;
            self.push_at(
                Operation {
                    code: Code::Jump,
                    ..*operation
                },
                mark,
            );
        } else {
            self.push(Operation {
                code: Code::Jump,
                ..*operation
            });
        }
        Some(target)
    }

    /// Ends the block where no instruction ends it.
    fn end(&mut self, source: &Source<'_>, code: Code) {
        let next = self::exit(source.address, self.bytes, 0, false);
        self.push(raw(code, 0));
        self.exits = Some([next, Exit::NONE]);
    }

    fn push(&mut self, operation: Operation) {
        let mark = Mark {
            offset: self.bytes,
            before: self.count,
        };
        self.push_at(operation, mark);
    }

    fn push_at(&mut self, operation: Operation, mark: Mark) {
        self.operations.push(operation);
        self.marks.push(mark);
    }

    /// Bytes of guest code.
    pub(crate) fn bytes(&self) -> u64 {
        u64::from(self.bytes)
    }

    /// Tells the coverage map where the edges out of the block lead.
    pub(crate) fn name_edges(&self, address: u64, map: &mut Map) {
        for exit in self.exits.iter().flatten().filter(|exit| exit.edge != 0) {
            map.targets.name(
                exit.edge,
                address.wrapping_add(i64::from(exit.target) as u64),
            );
        }
    }

    /// The block's record; its operations are to be put at `first`.
    pub(crate) fn block(&self, address: u64, offset: u64, first: u32) -> Block {
        Block {
            address,
            offset,
            first,
            count: self.count,
            bytes: self.bytes,
            exits: self.exits.unwrap_or([Exit::NONE; 2]),
            indirect: NO_LINK,
        }
    }
}

/// The way out of the instruction `start` bytes into the block at `address`, over `bytes` bytes.
fn exit(address: u64, start: u16, bytes: i32, is_edge: bool) -> Exit {
    let from = address.wrapping_add(u64::from(start));
    let to = from.wrapping_add(i64::from(bytes) as u64);
    Exit {
        target: i32::from(start) + bytes,
        link: NO_LINK,
        remote: NO_LINK,
        edge: if is_edge { edge(from, to) } else { 0 },
        is_local: (address ^ to) & !PAGE_MASK == 0,
    }
}
