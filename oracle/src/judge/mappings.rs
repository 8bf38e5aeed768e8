//! The page tables, walked from outside: what must hold of every mapped page.

use super::{Clause, Finding, FrameKind, Judge, PageFlags, PageMapping, Spoiled};
use crate::case::{Access, Bytes, Family, Operation, Process, Reach};
use crate::layout::{PAGE_SIZE, Permissions, page_floor};
use crate::model::{ProcessState, pages_of};

/// What must hold of the frames that pages map.
const NOT_FREE: &str = "no page maps a free frame";

impl Judge {
    /// Checks the mapped pages of living processes.
    pub(super) fn compare_mappings(&mut self, mappings: &[PageMapping]) -> Result<(), Finding> {
        let mut frames = std::mem::take(&mut self.scratch.frames);
        let (pages, result) = self.compare_living(mappings, &mut frames);
        self.scratch.frames = frames;
        self.meter.pages += pages;
        result
    }

    /// Checks the mapped pages of living processes outside of a step.
    ///
    /// # Errors
    /// A mapped page is not what it must be.
    pub fn inspect_mappings(&self, mappings: &[PageMapping]) -> Result<(), Finding> {
        self.compare_living(mappings, &mut Vec::new()).1
    }

    /// How many pages were checked, and the first one that is wrong. `frames` is scratch space.
    fn compare_living(
        &self,
        mappings: &[PageMapping],
        frames: &mut Vec<(u64, bool)>,
    ) -> (u64, Result<(), Finding>) {
        frames.clear();
        let mut pages = 0;
        for mapping in mappings {
            let state = self.model.state_of(mapping.process);
            if !matches!(state, ProcessState::Ready | ProcessState::Blocked) {
                continue;
            }
            pages += 1;
            let compared = self.compare_mapping(mapping);
            if compared.is_err() {
                return (pages, compared);
            }
            if mapping.flags.contains(PageFlags::USER) {
                let writable = mapping.flags.contains(PageFlags::WRITE);
                frames.push((mapping.frame, writable));
            }
        }
        frames.sort_unstable();
        let twice = frames
            .windows(2)
            .find(|pair| pair[0].0 == pair[1].0 && pair[1].1);
        let result = match twice {
            Some(pair) => Err(self.shared_writable(mappings, pair[0].0)),
            None => Ok(()),
        };
        (pages, result)
    }

    fn shared_writable(&self, mappings: &[PageMapping], frame: u64) -> Finding {
        let held = mappings.iter().filter(|mapping| mapping.frame == frame);
        let places = held
            .clone()
            .map(|mapping| format!("{} at {:#x}", mapping.process, mapping.address));
        let places = places.collect::<Vec<_>>().join(" and ");
        let mut finding = self.finding(
            Clause::WritableAlone,
            self.acting(),
            "a frame that may be stored to is mapped in one place only",
            format!("frame {frame:#x} may be stored to, and is mapped in {places}"),
        );
        finding.subject = held.map(|mapping| mapping.address).next();
        finding
    }

    fn compare_mapping(&self, mapping: &PageMapping) -> Result<(), Finding> {
        let &PageMapping {
            process,
            address,
            frame,
            flags,
            sharers,
            kind,
        } = mapping;
        let wrong = |clause, expected: &str, seen: String| {
            let seen = format!("{process}'s page {address:#x} {seen}");
            let mut finding = self.finding(clause, process, expected, seen);
            finding.subject = Some(address);
            Err(finding)
        };
        if kind == FrameKind::Free || sharers == Some(0) {
            let seen = format!("maps frame {frame:#x}, which is free");
            return wrong(Clause::MappedNotFree, NOT_FREE, seen);
        }
        if self.model.is_shared_page(process, address) {
            return Ok(());
        }
        let layout = self.model.layout(process);
        let space = self.model.space(process);
        if !flags.contains(PageFlags::USER) {
            let known = [layout.trampoline, layout.trapframe].contains(&address)
                || layout.guard.contains(&address);
            if known {
                return Ok(());
            }
            let seen = "is mapped as a kernel page".to_owned();
            return wrong(Clause::MappedInside, "nothing is mapped there", seen);
        }
        let hidden = match kind {
            FrameKind::Kernel => Some("the kernel's memory"),
            FrameKind::PageTable => Some("a page table"),
            FrameKind::OutsideMemory => Some("something that is not memory"),
            FrameKind::Ordinary | FrameKind::Free => None,
        };
        if let Some(hidden) = hidden {
            let expected = "a user program cannot reach the kernel's own memory";
            let seen = format!("maps {hidden} ({frame:#x}) as a user page");
            return wrong(Clause::KernelHidden, expected, seen);
        }
        let Some(permissions) = space.permissions(address, &self.model.world) else {
            let seen = "is mapped as a user page".to_owned();
            return wrong(Clause::MappedInside, "there is no user memory there", seen);
        };
        let may = |flag: PageFlags, permission: Permissions| {
            !flags.contains(flag) || permissions.contains(permission)
        };
        // A kernel may forbid stores for a while, to share a page or to notice the store. Loads and fetches have to
        // be allowed.
        let right = flags.contains(PageFlags::READ)
            && may(PageFlags::WRITE, Permissions::WRITE)
            && flags.contains(PageFlags::EXECUTE) == permissions.contains(Permissions::EXECUTE);
        if !right && !self.following.forgives(Clause::PermissionBits) {
            let expected = format!(
                "the page's permission bits are those of its region: {}",
                letters(permissions)
            );
            let seen = format!("has {}", flag_letters(flags));
            return wrong(Clause::PermissionBits, &expected, seen);
        }
        match sharers {
            Some(sharers) if sharers > 1 && flags.contains(PageFlags::WRITE) => {
                let expected = "a frame that may be stored to has one holder";
                let seen =
                    format!("may be stored to, and its frame {frame:#x} has {sharers} holders");
                wrong(Clause::WritableAlone, expected, seen)
            }
            _ => Ok(()),
        }
    }

    /// The finding that the first process, which takes no part in a case, maps a frame that is free.
    pub fn freed_of_supervisor(&self, frame: u64) -> Finding {
        let seen = format!("the first process maps frame {frame:#x}, which is free");
        self.finding(Clause::MappedNotFree, self.acting(), NOT_FREE, seen)
    }

    /// What a page of `process` holds in the model.
    pub fn wanted_page(&self, process: Process, address: u64) -> [u8; PAGE_SIZE as usize] {
        let mut wanted = [0; PAGE_SIZE as usize];
        let space = self.model.space(process);
        space.peek(page_floor(address), &mut wanted);
        wanted
    }

    /// Compares a mapped page of `process` with the model's memory. `address` is rounded down to its page. `bytes`
    /// are those of the page's frame, at most 4096.
    ///
    /// # Errors
    /// The page holds something else.
    pub fn compare_page(
        &self,
        process: Process,
        address: u64,
        bytes: &[u8],
    ) -> Result<(), Finding> {
        let space = self.model.space(process);
        let world = &self.model.world;
        let living = matches!(
            self.model.state_of(process),
            ProcessState::Ready | ProcessState::Blocked
        );
        let page = page_floor(address);
        if !living || self.model.is_unknown() || space.permissions(page, world).is_none() {
            return Ok(());
        }
        let mut wanted = [0; PAGE_SIZE as usize];
        let length = bytes.len().min(wanted.len());
        space.peek(page, &mut wanted);
        // Almost always equal, and whole slices compare many bytes at a time.
        if bytes[..length] == wanted[..length] {
            return Ok(());
        }
        let Some(at) = (0..length).find(|at| bytes[*at] != wanted[*at]) else {
            return Ok(());
        };
        let clause = if space.was_written(page) || self.may_be_of_a_call(page) {
            Clause::PageContent
        } else {
            Clause::FreshPageZero
        };
        let place = page + at as u64;
        let mut finding = self.finding(
            clause,
            process,
            format!("{process}'s memory holds {:#04x} at {place:#x}", wanted[at]),
            format!("its frame holds {:#04x}", bytes[at]),
        );
        finding.subject = Some(page);
        finding.signature.wrong_byte = Some(place);
        let slept = self.woken_in(process).is_some();
        finding.signature.spoiled = Some(match wanted[at] {
            _ if space.is_in_tail(place) => Spoiled::Tail,
            _ if process != self.acting() && !slept => Spoiled::Others,
            0 => Spoiled::Zeros,
            _ => Spoiled::Own,
        });
        Err(finding)
    }

    /// Whether a system call of this case may have stored to the page at that address. It may have left wrong bytes
    /// there, even if it had to store nothing: then the page is not fresh.
    fn may_be_of_a_call(&self, page: u64) -> bool {
        let number = page / PAGE_SIZE;
        self.done.iter().any(|done| {
            let Operation { process, call, .. } = &done.operation;
            let stores_there = |reach: Reach| {
                let length = match reach.bytes {
                    Bytes::ReadFrom { length, .. } => u64::try_from(length).unwrap_or(0),
                    other => self.model.bytes_of(*process, other),
                };
                let mut places = self.model.places_of(*process, &reach);
                reach.access == Access::Store
                    && places.any(|place| pages_of(place, length).contains(&number))
            };
            call.kind().family() == Family::CopyOut && call.reaches().any(stores_there)
        })
    }

    pub(super) fn acting(&self) -> Process {
        self.planned
            .map_or(Process::FIRST, |planned| planned.operation.process)
    }
}

fn letters(permissions: Permissions) -> String {
    let all = [
        (Permissions::READ, 'R'),
        (Permissions::WRITE, 'W'),
        (Permissions::EXECUTE, 'X'),
    ];
    let held = all
        .into_iter()
        .filter(|(flag, _)| permissions.contains(*flag));
    held.map(|(_, letter)| letter).collect()
}

fn flag_letters(flags: PageFlags) -> String {
    letters(Permissions::from_bits_truncate(flags.bits()))
}
