//! Specimens: the closed set of program files that cases can start, besides the agent's own. Each is
//! the agent with one odd thing in its file. Some are to be refused, some run, and some are killed at
//! their first instruction.
//!
//! This does not say what becomes of each: [`crate::program_file`] does, from the bytes.

use crate::layout::{PAGE_SIZE, SECOND_ENTRY};
use abi::layout::TRAPFRAME;
use abi::limits::GROWING_STACK_PAGES;

const HEADER_BYTES: usize = 64;
const PROGRAM_HEADER_BYTES: usize = 56;
const TYPE_EXECUTABLE: u16 = 2;
const MACHINE_RISCV: u16 = 243;
/// Kinds of program headers (System V ABI, "Program Header").
const UNUSED: u32 = 0;
const LOAD: u32 = 1;
const NOTE: u32 = 4;
const GNU_STACK: u32 = 0x6474_e551;
/// Their flags.
const EXECUTE: u32 = 1;
const WRITE: u32 = 2;
const READ: u32 = 4;

/// What files hold after the data: it is not part of the program, though a kernel that reads the
/// whole page shows it.
const BEYOND_THE_DATA: u8 = 0xa5;
const BYTES_BEYOND_THE_DATA: usize = 0x180;

/// Bytes of a specimen's data in its file: few, so that files stay small.
const DATA_BYTES: usize = 0x400;
/// Bytes of its text in its file; the second page of the text is zero.
const TEXT_BYTES: usize = PAGE_SIZE as usize;

/// What specimens are made of.
#[derive(Clone, Copy, Debug)]
pub struct Material<'a> {
    /// The agent's text, at least a page.
    pub text: &'a [u8],
    /// The agent's data as files hold it, at least [`DATA_BYTES`].
    pub data: &'a [u8],
}

/// A program header.
#[derive(Clone, Copy, Default)]
struct Header {
    kind: u32,
    flags: u32,
    offset: u64,
    address: u64,
    file_size: u64,
    memory_size: u64,
}

/// A program file in the making.
struct Draft {
    entry: u64,
    /// The program headers.
    headers: Vec<Header>,
    /// Where the file says that they are, if not where they are.
    headers_at: Option<u64>,
    /// Whether they are at the end of the file, and not after its header.
    headers_last: bool,
    /// Text, data, and what follows.
    content: Vec<u8>,
    /// Offset of `content` in the file.
    content_at: u64,
    /// Bytes that are missing at the end of the file.
    missing: usize,
}

const TEXT: usize = 0;
const DATA: usize = 1;

/// Where the data of an ordinary specimen lies: after two pages of text.
const DATA_START: u64 = 2 * PAGE_SIZE;
/// Where it ends.
const DATA_END: u64 = 4 * PAGE_SIZE;

impl Draft {
    /// The agent: text, data and nothing odd.
    fn agent(text: &[u8], data: &[u8], content_at: u64) -> Draft {
        let text_header = Header {
            kind: LOAD,
            flags: READ | EXECUTE,
            offset: content_at,
            address: 0,
            file_size: text.len() as u64,
            memory_size: DATA_START,
        };
        let data_header = Header {
            kind: LOAD,
            flags: READ | WRITE,
            offset: content_at + text.len() as u64,
            address: DATA_START,
            file_size: data.len() as u64,
            memory_size: DATA_END - DATA_START,
        };
        Draft {
            entry: 0,
            headers: vec![text_header, data_header],
            headers_at: None,
            headers_last: false,
            content: [text, data, &[BEYOND_THE_DATA; BYTES_BEYOND_THE_DATA]].concat(),
            content_at,
            missing: 0,
        }
    }

    /// One whose parts lie close together in the file, at offsets that are no multiples of anything.
    fn specimen(material: Material<'_>) -> Draft {
        let (text, data) = (&material.text[..TEXT_BYTES], &material.data[..DATA_BYTES]);
        let room = HEADER_BYTES + 10 * PROGRAM_HEADER_BYTES;
        Draft::agent(text, data, room as u64 + 0x14)
    }

    fn asks_for_stack(&mut self, bytes: u64) {
        self.headers.push(Header {
            kind: GNU_STACK,
            flags: READ | WRITE,
            memory_size: bytes,
            ..Header::default()
        });
    }

    /// One more segment, a copy of the data at `address`.
    fn more_data(&mut self, address: u64, flags: u32) {
        self.headers.push(Header {
            flags,
            address,
            ..self.headers[DATA]
        });
    }

    /// Small segments of a page each, until there are `count` in all.
    fn segments(&mut self, count: u64) {
        for at in 0..count - self.headers.len() as u64 {
            self.more_data(DATA_END + at * PAGE_SIZE, READ | WRITE);
            if let Some(last) = self.headers.last_mut() {
                last.memory_size = PAGE_SIZE;
            }
        }
    }

    /// One more segment, empty in the file, that leaves `pages` pages up to the trapframe.
    fn reaches_up(&mut self, pages: u64) {
        self.headers.push(Header {
            kind: LOAD,
            flags: READ | WRITE,
            address: DATA_END,
            memory_size: TRAPFRAME - pages * PAGE_SIZE - DATA_END,
            ..Header::default()
        });
    }

    fn write(&self) -> Vec<u8> {
        let table: Vec<u8> = self.headers.iter().flat_map(Header::encode).collect();
        let mut content = self.content.clone();
        let mut table_at = HEADER_BYTES as u64;
        let mut file = vec![0; self.content_at as usize];
        if self.headers_last {
            table_at = self.content_at + content.len() as u64;
            content.extend_from_slice(&table);
        } else {
            file[HEADER_BYTES..][..table.len()].copy_from_slice(&table);
        }
        file.append(&mut content);

        let mut header = Vec::with_capacity(HEADER_BYTES);
        header.extend_from_slice(b"\x7fELF\x02\x01\x01");
        header.resize(16, 0);
        header.extend_from_slice(&TYPE_EXECUTABLE.to_le_bytes());
        header.extend_from_slice(&MACHINE_RISCV.to_le_bytes());
        header.extend_from_slice(&1_u32.to_le_bytes());
        header.extend_from_slice(&self.entry.to_le_bytes());
        header.extend_from_slice(&self.headers_at.unwrap_or(table_at).to_le_bytes());
        header.extend_from_slice(&0_u64.to_le_bytes()); // no section headers
        header.extend_from_slice(&0_u32.to_le_bytes()); // flags: no compressed, soft float
        let count = self.headers.len() as u16;
        let [header_bytes, entry_bytes] = [HEADER_BYTES, PROGRAM_HEADER_BYTES].map(|n| n as u16);
        for number in [header_bytes, entry_bytes, count, 64, 0, 0] {
            header.extend_from_slice(&number.to_le_bytes());
        }
        file[..HEADER_BYTES].copy_from_slice(&header);
        file.truncate(file.len() - self.missing);
        file
    }
}

impl Header {
    fn encode(&self) -> Vec<u8> {
        let words = [
            self.offset,
            self.address,
            self.address,
            self.file_size,
            self.memory_size,
            PAGE_SIZE,
        ];
        let halves = [self.kind, self.flags].into_iter().map(u32::to_le_bytes);
        let words = words.into_iter().map(u64::to_le_bytes);
        halves.flatten().chain(words.flatten()).collect()
    }
}

/// One kind of odd program file.
#[derive(Clone, Copy)]
pub struct Specimen {
    /// What the file is called; a [`Text`](crate::Text) is spelled so.
    pub name: &'static str,
    alter: fn(&mut Draft),
}

impl Specimen {
    /// The file.
    pub fn file(&self, material: Material<'_>) -> Vec<u8> {
        let mut draft = Draft::specimen(material);
        (self.alter)(&mut draft);
        draft.write()
    }

    /// All of them.
    pub const ALL: [Specimen; 39] = [
        // There is no memory between the segments.
        odd("gap", |draft| draft.headers[DATA].address = 5 * PAGE_SIZE),
        odd("islands", |draft| {
            draft.headers[DATA].address = 3 * PAGE_SIZE;
            draft.more_data(7 * PAGE_SIZE, READ);
            draft.more_data(12 * PAGE_SIZE, READ | WRITE);
        }),
        // Far more memory than file.
        odd("bss", |draft| {
            draft.headers[DATA].memory_size = 40 * PAGE_SIZE;
        }),
        odd("vast", |draft| draft.headers[DATA].memory_size = 1 << 37),
        // The stack ends where the trapframe begins.
        odd("brim", |draft| draft.reaches_up(2)),
        // Stacks of other sizes; ten pages are the most that grows.
        odd("eleven", |draft| {
            draft.asks_for_stack(GROWING_STACK_PAGES * PAGE_SIZE + 1);
        }),
        odd("endless", |draft| draft.asks_for_stack(u64::MAX)),
        odd("six", |draft| draft.asks_for_stack(5 * PAGE_SIZE + 1)),
        odd("two", |draft| draft.asks_for_stack(2 * PAGE_SIZE)),
        odd("one", |draft| draft.asks_for_stack(1)),
        // Flags: none at all, all of them, and bits that mean nothing.
        odd("sealed", |draft| draft.headers[DATA].flags = 0),
        odd("open", |draft| {
            draft.headers[DATA].flags = READ | WRITE | EXECUTE;
        }),
        odd("flags", |draft| {
            draft.headers[TEXT].flags = !(READ | WRITE);
            draft.headers[DATA].flags = !EXECUTE;
        }),
        // Other entry points. Bit 0 of a program counter is always zero.
        odd("middle", |draft| draft.entry = SECOND_ENTRY),
        odd("odd", |draft| draft.entry |= 1),
        // Headers that are not to be loaded, and would be refused.
        odd("notes", |draft| {
            let nonsense = Header {
                kind: NOTE,
                flags: !0,
                offset: !0,
                address: !0,
                file_size: !0,
                memory_size: 7,
            };
            let unused = Header {
                kind: UNUSED,
                ..nonsense
            };
            draft.headers.insert(DATA, nonsense);
            draft.headers.insert(0, unused);
            draft.headers.push(nonsense);
        }),
        odd("last", |draft| draft.headers_last = true),
        // A segment without bytes in the file may give any offset.
        odd("bare-bss", |draft| {
            draft.more_data(DATA_END, READ | WRITE);
            let bare = &mut draft.headers[DATA + 1];
            (bare.offset, bare.file_size) = (1 << 40, 0);
        }),
        // A segment without memory moves the stack.
        odd("empty", |draft| {
            draft.more_data(9 * PAGE_SIZE, READ | WRITE);
            let empty = &mut draft.headers[DATA + 1];
            (empty.file_size, empty.memory_size) = (0, 0);
        }),
        odd("eight", |draft| draft.segments(8)),
        // These have no first instruction.
        odd("none", |draft| draft.headers.clear()),
        odd("astray", |draft| draft.entry = 1 << 40),
        odd("into-data", |draft| draft.entry = DATA_START),
        odd("into-zeros", |draft| draft.entry = PAGE_SIZE + 0x10),
        // Not every kernel takes these.
        odd("nine", |draft| draft.segments(9)),
        odd("reversed", |draft| draft.headers.swap(TEXT, DATA)),
        odd("overlap", |draft| draft.headers[DATA].address = PAGE_SIZE),
        // Something is missing.
        odd("short", |draft| draft.missing = BYTES_BEYOND_THE_DATA + 1),
        odd("header", |draft| {
            draft.missing = draft.content_at as usize + draft.content.len() - (HEADER_BYTES - 1);
        }),
        odd("cut", |draft| {
            draft.headers_last = true;
            draft.missing = 1;
        }),
        odd("beyond", |draft| draft.headers_at = Some(1 << 20)),
        // Sizes and addresses that contradict each other.
        odd("swollen", |draft| {
            draft.headers[DATA].memory_size = draft.headers[DATA].file_size - 1;
        }),
        odd("wrap", |draft| {
            draft.headers[DATA].memory_size = DATA_START.wrapping_neg();
        }),
        odd("unaligned", |draft| draft.headers[DATA].address += 0x800),
        // No room for a stack, or for its guard page.
        odd("full", |draft| draft.reaches_up(0)),
        odd("over", |draft| draft.reaches_up(1)),
        // More than 32 bits can hold.
        odd("wide", |draft| draft.headers[TEXT].offset += 1 << 32),
        odd("wide-headers", |draft| {
            draft.headers_at = Some((1 << 32) + HEADER_BYTES as u64);
        }),
        odd("wide-bytes", |draft| {
            draft.headers[DATA].file_size += 1 << 32;
            draft.headers[DATA].memory_size += 1 << 32;
        }),
    ];
}

const fn odd(name: &'static str, alter: fn(&mut Draft)) -> Specimen {
    Specimen { name, alter }
}

/// The agent's own file, of whole pages; `stack` is how many bytes of stack it asks for, if it asks.
pub fn agent_file(material: Material<'_>, stack: Option<u64>) -> Vec<u8> {
    let mut draft = Draft::agent(material.text, material.data, PAGE_SIZE);
    if let Some(bytes) = stack {
        draft.asks_for_stack(bytes);
    }
    draft.write()
}

#[cfg(test)]
mod tests {
    use super::Specimen;
    use crate::case::Text;

    #[test]
    fn cases_know_their_names() {
        let texts = Text::all().skip(usize::from(Text::FIRST_SPECIMEN));
        let names = Specimen::ALL
            .iter()
            .map(|specimen| specimen.name.as_bytes());
        assert!(texts.map(Text::bytes).eq(names));
    }
}
