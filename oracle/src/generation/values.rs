//! The other arguments of operations, besides addresses and amounts: values, lengths, descriptors, targets.

use super::Scene;
use crate::case::{
    Amount, Base, Cut, Flavour, Keys, OpenFlags, OpenMode, Process, Remains, StoredValue, Stride,
    Target, Text, Variation, Width,
};
use crate::layout::{Layout, PAGE_SIZE};
use crate::model::NO_CALL;
use abi::file_system::DIRECT_BLOCKS;
use std::num::NonZeroU8;

impl Scene<'_> {
    pub(super) fn width(&mut self) -> Width {
        self.pick(&Width::ALL)
    }

    pub(super) fn value(&mut self) -> StoredValue {
        match self.below(4) {
            0 => StoredValue::number(self.below(256) as i16),
            1 => StoredValue::number(-1),
            _ => StoredValue::repeated(self.below(1 << 16) as u16),
        }
    }

    /// The length of a buffer, in bytes: few, about what a pipe holds, many, zero, negative.
    pub(super) fn length(&mut self) -> i16 {
        match self.below(6) {
            0..=2 => self.below(16) as i16,
            3 => 500 + self.below(24) as i16,
            4 => self.below(2048) as i16,
            _ => -(self.below(2) as i16),
        }
    }

    /// The length of a part of a file, in bytes: few, about a block, about one transaction, many.
    pub(super) fn file_length(&mut self) -> i16 {
        match self.below(8) {
            0..=2 => self.below(64) as i16,
            3 => 1020 + self.below(8) as i16,
            4 => 3068 + self.below(8) as i16,
            5 | 6 => self.below(5000) as i16,
            _ => self.length(),
        }
    }

    pub(super) fn descriptor(&mut self) -> i8 {
        self.below(4) as i8
    }

    /// How many children a crowd has: mostly a few, often about where a count of four or five bits wraps, and seldom as
    /// many as fit.
    pub(super) fn members(&mut self) -> NonZeroU8 {
        let members = match self.below(8) {
            0..=3 => 1 + self.below(4),
            4 | 5 => 14 + self.below(4),
            6 => 30 + self.below(4),
            _ => 55 + self.below(10),
        };
        NonZeroU8::MIN.saturating_add(members as u8 - 1)
    }

    pub(super) fn flavour(&mut self) -> Flavour {
        match self.below(8) {
            0 => Flavour::Eager,
            1 => Flavour::from_number(self.below(64) as u8),
            _ => Flavour::Lazy,
        }
    }

    pub(super) fn open_mode(&mut self) -> OpenMode {
        match self.below(4) {
            0 => self.pick(&OpenMode::ALL),
            _ => OpenMode::Read,
        }
    }

    pub(super) fn open_flags(&mut self) -> OpenFlags {
        match self.below(4) {
            0 => OpenFlags::CREATE,
            1 => self.pick(&[OpenFlags::TRUNCATE, OpenFlags::CREATE | OpenFlags::TRUNCATE]),
            _ => OpenFlags::empty(),
        }
    }

    /// The major number of a device: the console is 1, and xv6 has no room for any from 10 on.
    pub(super) fn major(&mut self) -> u8 {
        self.pick(&[0, 1, 2, 9, 10, 255])
    }

    /// The descriptor that the actor gets next, if it gets one.
    pub(super) fn next_descriptor(&self) -> i8 {
        let next = self.companion.model().next_descriptor(self.process);
        next.unwrap_or(0) as i8
    }

    /// A name for something new: mostly one that needs no directory.
    pub(super) fn new_name(&mut self) -> Text {
        if self.one_in(4) {
            let count = Text::FIRST_SPECIMEN - Text::FIRST_NEW;
            return Text::from_code(Text::FIRST_NEW + self.below(count.into()) as u8);
        }
        let name = self.pick(&["new", "other", "fourteen-bytez"]);
        Text::spelled(name).unwrap_or_else(|| self.text())
    }

    /// A string: mostly a path that exists.
    pub(super) fn text(&mut self) -> Text {
        let code = match self.below(6) {
            0 | 1 => self.below(2),
            2 => self.below(u32::from(Text::COUNT)),
            _ => self.below(u32::from(Text::FIRST_SPECIMEN)),
        };
        Text::from_code(code as u8)
    }

    pub(super) fn status(&mut self) -> i32 {
        self.below(256) as i32 - 128
    }

    /// A few touches.
    pub(super) fn count(&mut self) -> NonZeroU8 {
        NonZeroU8::MIN.saturating_add(self.below(8) as u8)
    }

    pub(super) fn stride(&mut self) -> Stride {
        match self.below(6) {
            0 => Stride::power(self.below(40) as u8),
            _ => Stride::PAGE,
        }
    }

    /// A name for a child. If no name is left, the actor's own, which repair replaces.
    pub(super) fn child(&self) -> Process {
        self.companion.free_name().unwrap_or(self.process)
    }

    /// The names that no process had yet, in order.
    pub(super) fn free_names(&self) -> Vec<Process> {
        let model = self.companion.model();
        let free = |process: &Process| model.pid_of(*process).is_none();
        Process::all().filter(free).collect()
    }

    /// Any process that ever existed, or sometimes a name that no process had.
    pub(super) fn target(&mut self) -> Target {
        let model = self.companion.model();
        let born = Process::all().filter(|other| model.pid_of(*other).is_some());
        match self.below(8) {
            0 => Target::Pid(self.unused_pid()),
            _ => {
                let at = self.below(born.clone().count() as u32) as usize;
                Target::Process({ born }.nth(at).unwrap_or(self.process))
            }
        }
    }

    /// A number that no system call has: near those that one may have, near a power of 2, negative. Repair
    /// makes it one that surely none has.
    pub(super) fn call_number(&mut self) -> Amount {
        match self.below(4) {
            0 => Amount::bytes(-(self.below(3) as i16)),
            1 => Amount::bytes(NO_CALL + self.below(4) as i16),
            2 => Amount::bytes(NO_CALL + self.below(1 << 14) as i16),
            _ => {
                let base = Base::Power(self.below(64) as u8);
                Amount::new(base, 0, self.below(3) as i16 - 1)
            }
        }
    }

    /// A few keys: mostly a line.
    pub(super) fn variation(&mut self) -> Variation {
        self.pick(&Variation::ALL)
    }

    pub(super) fn keys(&mut self) -> Keys {
        let letters = self.below(Keys::MOST as u32 + 1);
        let mut keys: Vec<u8> = (0..letters).map(|_| b'a' + self.below(26) as u8).collect();
        if self.one_in(4) {
            let at = self.below(letters + 1) as usize;
            let key = self.pick(&[Keys::BACKSPACE, Keys::REMOVE_LINE, Keys::END, Keys::LIST]);
            keys.insert(at, key);
        }
        if !self.one_in(4) {
            keys.truncate(Keys::MOST - 1);
            keys.push(Keys::NEWLINE);
        }
        Keys::new(keys)
    }

    /// Half a register: 0, 1, the sign alone, all bits, or any bits.
    pub(super) fn high_half(&mut self) -> u32 {
        match self.below(5) {
            0 => 0,
            1 => 1,
            2 => 1 << 31,
            3 => u32::MAX,
            _ => self.below(u32::MAX),
        }
    }

    /// A process identifier that no process has, below or above all others.
    fn unused_pid(&mut self) -> i32 {
        match self.below(4) {
            0 => 0,
            1 => -1 - self.below(3) as i32,
            2 => 1000 + self.below(9) as i32,
            _ => self.pick(&[i32::MIN, i32::MAX]),
        }
    }

    /// Which request for a frame fails: mostly one that a single operation makes.
    pub(super) fn nth(&mut self) -> NonZeroU8 {
        let most = self.pick(&[1, 4, 16]);
        NonZeroU8::MIN.saturating_add(self.below(most) as u8)
    }

    /// Blocks that are left free of the disk: so few that a case uses them up. Often the last one goes to a file's
    /// block of addresses, or to the first block that needs one.
    pub(super) fn room(&mut self) -> u16 {
        const DIRECT: u16 = DIRECT_BLOCKS as u16;
        if self.one_in(4) {
            return DIRECT + self.below(3) as u16;
        }
        let most = self.pick(&[2, 8, 40]);
        self.below(most) as u16
    }

    /// When the power is cut: mostly within the next change of files.
    pub(super) fn cut(&mut self) -> Cut {
        let most = self.pick(&[4, 12, 24]);
        let write = 1 + self.below(most) as u8;
        let remains = match self.below(8) {
            0 => Remains::Half,
            1 => Remains::Alone,
            _ => Remains::Whole,
        };
        Cut { write, remains }
    }

    /// Another process that can act, if there is one.
    pub(super) fn other(&mut self) -> Option<Process> {
        let me = self.process;
        let others = self.companion.ready().filter(move |other| *other != me);
        let count = others.clone().count() as u32;
        let at = if count == 0 { 0 } else { self.below(count) };
        { others }.nth(at as usize)
    }

    /// Where things lie in the actor's memory.
    pub(super) fn layout(&self) -> &Layout {
        let model = self.companion.model();
        // A child that does not exist yet has none.
        let born = |process: &Process| model.pid_of(*process).is_some();
        let process = Some(self.process).filter(born).unwrap_or(Process::FIRST);
        model.layout(process)
    }

    /// The most pages that the actor's stack may have.
    pub(super) fn stack_pages(&self) -> u64 {
        let stack = &self.layout().stack;
        (stack.end - stack.start) / PAGE_SIZE
    }
}
