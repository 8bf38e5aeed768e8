//! The agent: the program that becomes `/init`, through which the harness acts in user mode.
//!
//! It has no logic of its own. It is a row of *stubs*, each one instruction of interest (an
//! environment call, a load, a store, a jump, a short loop of touches) followed by the hint call
//! that hands control back to the harness. The harness fills the registers, sets the program
//! counter to a stub and lets the machine run; a real trap or a real access happens, on any
//! kernel, unmodified. The agent never touches memory on its own, so data, stack and heap belong
//! wholly to the case.

use emulator::isa::assemble::{self, COMPRESSED_RETURN};
use emulator::isa::register::{A0, A1, A2, A3, RA, SAVED, T0};
use oracle::Text;
use oracle::specimens::Material;

/// The immediate of the agent's hint call. Any value would do; this one is easy to see in a dump.
pub const HINT_CODE: i32 = 0x4f1;

/// The callee-saved register that names the process (`s11`): a fork copies it, so the harness can
/// tell whose operation reports.
pub const NAME_REGISTER: usize = SAVED[11];

const PAGE: u64 = 4096;

/// First address of the text region.
pub const TEXT_START: u64 = 0;
/// Bytes of text: a page of stubs and returns, and a page of returns alone.
pub const TEXT_BYTES: u64 = 2 * PAGE;
/// From this offset on the text is filled with `ret`, so that a jump to it comes back.
pub const RETURNS_START: u64 = oracle::layout::AGENT_CODE as u64;
/// First address of the data region.
pub const DATA_START: u64 = TEXT_START + TEXT_BYTES;
/// Bytes of initialised data; zeroed bytes (`.bss`) follow, the first of them in the same page.
pub const DATA_FILE_BYTES: u64 = PAGE - 0x180;
/// Bytes of data in memory.
pub const DATA_BYTES: u64 = 2 * PAGE;

/// Where the supervisor's `wait` puts a status: its own data page, made private before the
/// snapshot, so that reaping needs no frame even when none is left.
pub const STATUS_ADDRESS: u64 = DATA_START;

/// Program counters of the agent's stubs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stubs {
    /// Entry point: the first hint.
    pub entry: u64,
    /// Another one, after the strings.
    pub second_entry: u64,
    /// `ecall` with the values that `a0`..`a7` hold.
    pub system_call: u64,
    /// Loads of 1, 2, 4 and 8 bytes from `a1` into `a0`.
    pub load: [u64; 4],
    /// Stores of 1, 2, 4 and 8 bytes of `a2` at `a1`.
    pub store: [u64; 4],
    /// Reads a byte at `a1`, `a2` times, `a3` bytes apart, and adds them up in `a0`.
    pub touch_read: u64,
    /// Writes the low byte of `a2` at `a1`, `a2` times, `a3` bytes apart, `a2` counting down.
    pub touch_write: u64,
    /// Copies `a2` bytes from `a3` to `a1`.
    pub copy: u64,
    /// Jumps to `a1` with `ra` after the jump.
    pub fetch: u64,
}

/// The agent as built: what its files are made of, and where its stubs are.
#[derive(Clone, Debug)]
pub struct Agent {
    /// The address of each stub.
    pub stubs: Stubs,
    /// Where in the text the strings that cases store are, by their codes.
    strings: Vec<u64>,
    /// The text region's bytes, [`TEXT_BYTES`] of them.
    pub text: Vec<u8>,
    /// The data region's bytes, [`DATA_BYTES`] of them.
    pub data: Vec<u8>,
}

impl Agent {
    /// Assembles the agent.
    pub fn assemble() -> Self {
        let mut code = Code::default();
        let stubs = Stubs {
            entry: code.stub(&[]),
            second_entry: TEXT_START + oracle::layout::SECOND_ENTRY,
            system_call: code.stub(&[assemble::ecall()]),
            load: [0, 1, 2, 3].map(|width| code.stub(&[assemble::load(width, A0, A1)])),
            store: [0, 1, 2, 3].map(|width| code.stub(&[assemble::store(width, A2, A1)])),
            touch_read: code.touch_loop(&[assemble::load(0, T0, A1), assemble::add(A0, A0, T0)]),
            touch_write: code.touch_loop(&[assemble::store(0, A2, A1)]),
            copy: code.copy_loop(),
            fetch: code.stub(&[assemble::jump_and_link(RA, A1)]),
        };
        let (text, strings) = code.into_text();
        Self {
            stubs,
            strings,
            text,
            data: initial_data(),
        }
    }

    /// What files with the agent in them are made of.
    pub fn material(&self) -> Material<'_> {
        Material {
            text: &self.text,
            data: &self.data[..DATA_FILE_BYTES as usize],
        }
    }

    /// Where the agent keeps the bytes of `text`, with the zero that ends them.
    pub fn string(&self, text: Text) -> u64 {
        self.strings[usize::from(text.code())]
    }
}

/// Data that differs from byte to byte and from page to page, so that a page mixed up with
/// another shows; what follows is `.bss` and zero.
fn initial_data() -> Vec<u8> {
    let mut data: Vec<u8> = (0..DATA_FILE_BYTES)
        .map(|at| (at ^ (at >> 8)) as u8 | 1)
        .collect();
    data.resize(DATA_BYTES as usize, 0);
    data
}

/// Machine words in the making.
#[derive(Default)]
struct Code {
    words: Vec<u32>,
}

impl Code {
    fn here(&self) -> u64 {
        TEXT_START + 4 * self.words.len() as u64
    }

    /// `body` and then the hint; gives the stub's address.
    fn stub(&mut self, body: &[u32]) -> u64 {
        let start = self.here();
        self.words.extend_from_slice(body);
        self.words.push(assemble::hint(HINT_CODE));
        start
    }

    /// `body` repeated `a2` times with `a1` moving by `a3`, then the hint.
    fn touch_loop(&mut self, body: &[u32]) -> u64 {
        let step = |register: usize, by: usize| assemble::add(register, register, by);
        let mut words = body.to_vec();
        words.push(step(A1, A3));
        words.push(assemble::add_immediate(A2, A2, -1));
        let back = -4 * words.len() as i32;
        words.push(assemble::branch_not_zero(A2, back));
        self.stub(&words)
    }

    /// Nothing if `a2` is 0, else a loop of byte copies; then the hint.
    fn copy_loop(&mut self) -> u64 {
        let start = self.stub(&[assemble::branch_not_zero(A2, 8)]);
        let mut words = vec![
            assemble::load(0, T0, A3),
            assemble::store(0, T0, A1),
            assemble::add_immediate(A1, A1, 1),
            assemble::add_immediate(A3, A3, 1),
            assemble::add_immediate(A2, A2, -1),
        ];
        let back = -4 * words.len() as i32;
        words.push(assemble::branch_not_zero(A2, back));
        self.stub(&words);
        start
    }

    /// The text, and where in it each string is: after the code, each with a terminating zero.
    fn into_text(self) -> (Vec<u8>, Vec<u64>) {
        let mut text: Vec<u8> = self
            .words
            .iter()
            .flat_map(|word| word.to_le_bytes())
            .collect();
        // The longest first: a path that ends as another does needs no place of its own.
        let mut by_length: Vec<Text> = Text::all().collect();
        by_length.sort_by_key(|string| std::cmp::Reverse(string.bytes().len()));
        let mut strings = vec![0; by_length.len()];
        for string in by_length {
            let bytes = [string.bytes(), &[0]].concat();
            let kept = text.windows(bytes.len()).position(|there| there == bytes);
            let at = kept.unwrap_or_else(|| {
                text.extend_from_slice(&bytes);
                text.len() - bytes.len()
            });
            strings[usize::from(string.code())] = TEXT_START + at as u64;
        }
        let second_entry = oracle::layout::SECOND_ENTRY as usize;
        assert!(
            text.len() <= second_entry,
            "stubs and strings outgrew their space"
        );
        text.resize(second_entry, 0);
        text.extend_from_slice(&assemble::hint(HINT_CODE).to_le_bytes());
        while text.len() < TEXT_BYTES as usize {
            text.extend_from_slice(&COMPRESSED_RETURN.to_le_bytes());
        }
        (text, strings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stubs_lie_below_the_returns_and_end_in_hints() {
        let agent = Agent::assemble();
        let word = |at: u64| {
            let at = at as usize;
            u32::from_le_bytes(agent.text[at..at + 4].try_into().unwrap())
        };
        for entry in [agent.stubs.entry, agent.stubs.second_entry] {
            assert_eq!(word(entry), assemble::hint(HINT_CODE));
        }
        assert_eq!(word(agent.stubs.system_call), assemble::ecall());
        assert_eq!(word(agent.stubs.fetch + 4), assemble::hint(HINT_CODE));
        assert!(agent.stubs.fetch + 8 <= RETURNS_START);
        assert_eq!(agent.text.len() as u64, TEXT_BYTES);
        assert_eq!(agent.text[RETURNS_START as usize..][..2], [0x82, 0x80]);
        for text in Text::all() {
            let kept = &agent.text[agent.string(text) as usize..];
            assert!(kept.starts_with(text.bytes()), "{text}");
            assert_eq!(kept[text.bytes().len()], 0, "{text}");
        }
    }
}
