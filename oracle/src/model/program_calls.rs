//! `exec`: a new program in place of the old one.

use super::strings::UserPath;
use super::{Access, Death, FAILED, KILLED_STATUS, Leave, Model, Outcome, Witness};
use crate::case::Process;
use crate::dialect::{Growth, Tail};
use crate::layout::{Layout, PAGE_SIZE};
use crate::program_file::{self, Beginning, Program, Refused};
use abi::file_system::Kind;
use abi::limits::ARGUMENTS;
use std::sync::Arc;

/// Bytes of an address in the array of arguments.
const SLOT: u64 = 8;
/// The longest argument, its zero included.
const LONGEST_ARGUMENT: usize = PAGE_SIZE as usize;

/// The stack of a new program: strings from the top downwards, each at a multiple of 16, and below
/// them the array of their addresses, which ends with a null. All of it fits the stack of a program
/// that asks for none, even if this one grows.
#[derive(Clone, Debug, Default)]
pub(super) struct NewStack {
    /// The top of the stack, as large as arguments can get.
    bytes: Vec<u8>,
    /// Address of the first of `bytes`.
    start: u64,
    /// The stack pointer.
    pointer: u64,
    /// Addresses of the strings.
    arguments: [u64; ARGUMENTS],
    count: usize,
}

impl NewStack {
    fn reset(&mut self, layout: &Layout, pages: u64) {
        self.bytes.clear();
        let size = pages * PAGE_SIZE;
        self.bytes.resize(size as usize, 0);
        self.start = layout.stack.end - size;
        self.pointer = layout.stack.end;
        self.arguments = [0; ARGUMENTS];
        self.count = 0;
    }

    /// Puts `bytes` below what is there; `None` if they do not fit.
    fn push(&mut self, bytes: &[u8]) -> Option<()> {
        let place = self.pointer.checked_sub(bytes.len() as u64)? & !15;
        let at = place.checked_sub(self.start)? as usize;
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
        self.pointer = place;
        Some(())
    }

    /// Whether a program starts with what is there: a kernel may have room for a page of arguments, however
    /// large the stack is.
    fn leave(&self) -> Leave {
        let end = self.start + self.bytes.len() as u64;
        if end - self.pointer > PAGE_SIZE {
            Leave::Either
        } else {
            Leave::Granted
        }
    }

    /// Puts an argument there.
    fn push_argument(&mut self, bytes: &[u8]) -> Option<()> {
        // The last slot is the null's.
        if self.count + 1 >= ARGUMENTS {
            return None;
        }
        self.push(bytes)?;
        self.arguments[self.count] = self.pointer;
        self.count += 1;
        Some(())
    }

    /// Puts the array of addresses there.
    fn finish(&mut self) -> Option<()> {
        let mut array = [0; ARGUMENTS * SLOT as usize];
        for (slot, address) in array.chunks_exact_mut(SLOT as usize).zip(self.arguments) {
            slot.copy_from_slice(&address.to_le_bytes());
        }
        self.push(&array[..(self.count + 1) * SLOT as usize])
    }
}

impl Model {
    /// Whether the model predicts what executing the file at `address` gives, and the harness can wait
    /// for it: of programs that live, only those that continue as the agent are known.
    pub(super) fn exec_is_known(&self, process: Process, address: u64) -> bool {
        let mut buffer = UserPath::buffer();
        let path = self.path(process, address, &mut buffer);
        let known = match self.program(process, path.bytes) {
            Ok((program, _)) => program.beginning(&self.world.booted) != Beginning::Unknown,
            Err(refused) => refused != Refused::TooSlow,
        };
        known && self.has_room_for_inodes()
    }

    /// The program that `exec` of the path at `address` starts, if it starts one.
    pub(crate) fn program_at(&self, process: Process, address: u64) -> Option<Program> {
        let mut buffer = UserPath::buffer();
        let path = self.path(process, address, &mut buffer);
        let program = self.program(process, path.bytes).ok()?;
        Some(program.0)
    }

    /// The program in the file at `path`, and the file's inode.
    fn program(&self, process: Process, path: &[u8]) -> Result<(Program, u32), Refused> {
        let node = self.find(process, path);
        let file = node.filter(|node| node.kind == Kind::File);
        let file = file.ok_or(Refused::NoProgram)?;
        let program = program_file::parse(&file.bytes, &self.world.dialect)?;
        Ok((program, file.inode))
    }

    pub(super) fn exec(
        &mut self,
        process: Process,
        address: u64,
        arguments: u64,
        witness: &Witness,
    ) {
        let mut stack = std::mem::take(&mut self.new_stack);
        let (leave, program) = self.prepare(process, address, arguments, &mut stack);
        let refused = match leave {
            Leave::Refused => true,
            Leave::Either => witness.returned(process) == Some(FAILED),
            Leave::Granted => false,
        };
        match program.filter(|_| !refused) {
            // There may be no frame for the new program, nor for its first page when it is touched.
            _ if self.gives_way(process, witness) => {}
            None => self.returns(process, FAILED),
            Some((program, file)) => {
                self.of_mut(process).program_file = file;
                match program.beginning(&self.world.booted) {
                    Beginning::Death => {
                        self.end(process, KILLED_STATUS, Death::ForbiddenAccess);
                        self.reply(process, Outcome::Dies(Death::ForbiddenAccess));
                    }
                    Beginning::Agent | Beginning::Unknown => {
                        self.start(process, program, &stack);
                    }
                }
            }
        }
        self.new_stack = stack;
    }

    /// The process continues as `program`.
    fn start(&mut self, process: Process, program: Program, stack: &NewStack) {
        let content = &stack.bytes[(stack.pointer - stack.start) as usize..];
        let entry = program.entry & !1;
        let space = &mut self.of_mut(process).space;
        space.start(&Arc::new(program), stack.pointer, content);
        let outcome = Outcome::Starts {
            arguments: stack.count as u64,
            stack: stack.pointer,
            entry,
        };
        self.reply(process, outcome);
    }

    /// Whether user memory lets a program start, which one, from which file, and what is on its
    /// stack.
    fn prepare(
        &mut self,
        process: Process,
        address: u64,
        arguments: u64,
        stack: &mut NewStack,
    ) -> (Leave, Option<(Program, u32)>) {
        let mut buffer = UserPath::buffer();
        let path = self.path(process, address, &mut buffer);
        let (leave, looked_at) = (path.leave, path.looked_at);
        let program = self.program(process, path.bytes).ok();
        self.of_mut(process).space.note_perhaps(address, looked_at);
        // The kernel may read the arguments before it finds that the path does not exist: any stack will do.
        let layout = program.as_ref().map(|(program, _)| &program.layout);
        let pages = self.world.dialect.exec.stack_pages;
        stack.reset(layout.unwrap_or(&self.world.booted.layout), pages);
        let pushed = match leave {
            Leave::Refused => Leave::Refused,
            Leave::Either | Leave::Granted => self.push_arguments(process, arguments, stack),
        };
        (leave.min(pushed), program)
    }

    fn push_arguments(&mut self, process: Process, array: u64, stack: &mut NewStack) -> Leave {
        let mut leave = Leave::Granted;
        let mut string = [0; LONGEST_ARGUMENT];
        for slot in 0..ARGUMENTS as u64 {
            let Some(slot) = array.checked_add(slot * SLOT) else {
                return Leave::Refused;
            };
            leave = leave.min(self.slot_leave(process, slot));
            self.of_mut(process).space.note_perhaps(slot, SLOT);
            if leave == Leave::Refused {
                return Leave::Refused;
            }
            let mut word = [0; SLOT as usize];
            self.of(process).space.peek(slot, &mut word);
            let address = u64::from_le_bytes(word);
            if address == 0 {
                return match stack.finish() {
                    Some(()) => leave.min(stack.leave()),
                    None => Leave::Refused,
                };
            }
            let (readable, looked_at) = self.string(process, address, &mut string);
            self.of_mut(process).space.note_perhaps(address, looked_at);
            leave = leave.min(readable);
            if leave == Leave::Refused
                || stack.push_argument(&string[..looked_at as usize]).is_none()
            {
                return Leave::Refused;
            }
        }
        Leave::Refused
    }

    /// Whether a slot of the array may be read. A kernel that may refuse bytes beyond the break may
    /// refuse a whole word although its page is there. So may a kernel that maps all memory at once,
    /// although its programs may touch all of the break's page: xv6's `fetchaddr` compares with the
    /// break.
    fn slot_leave(&self, process: Process, slot: u64) -> Leave {
        let space = &self.of(process).space;
        let leave = space.leave(slot, SLOT, Access::Load, &self.world);
        let dialect = &self.world.dialect;
        let compares =
            dialect.heap.tail != Tail::Accessible || dialect.sbrk.growth == Growth::AtOnce;
        let beyond = slot.saturating_add(SLOT) > space.program_break();
        if compares && beyond {
            leave.min(Leave::Either)
        } else {
            leave
        }
    }
}
