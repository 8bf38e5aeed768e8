//! The machine's public face.

use crate::clock::Time;
use crate::code::{CodeCache, Draft};
use crate::config::Config;
use crate::coverage::Map;
use crate::defect::Defect;
use crate::devices::{Devices, Disk, GuestMemory, MAX_HARTS, SECTOR_BYTES, SectorWrite};
use crate::exit::{BuildError, OutOfRange, Trap};
use crate::hart::{Hart, X_DISCARD};
use crate::isa::{Privilege, csr};
use crate::memory::{Bus, Kept, Mapping, PageTables, Ram};
use crate::snapshot::{ResetStats, Snapshot, Turn};
use crate::translations::Translations;
use crate::variations::Variations;
use crate::{device_tree, elf};
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

/// Puts the device tree into RAM; returns its physical address.
fn put_device_tree(config: &Config, line: &str, ram: &mut Ram) -> Result<u64, BuildError> {
    let blob = device_tree::blob(config, line)?;
    let place = device_tree::place(config, blob.len()).ok_or(BuildError::CommandLine)?;
    if ram.write(place, &blob) {
        Ok(place)
    } else {
        Err(BuildError::CommandLine)
    }
}

/// A whole computer: harts, RAM, devices and time.
///
/// Methods that take a hart's number panic if there is no such hart, as indexing does.
pub struct Machine {
    pub(crate) config: Config,
    pub(crate) harts: Vec<Hart>,
    pub(crate) translations: Vec<Translations>,
    pub(crate) bus: Bus,
    pub(crate) code: CodeCache,
    /// Code as it is decoded while stores are delayed, or the other way round.
    pub(crate) other_code: CodeCache,
    pub(crate) draft: Draft,
    pub(crate) map: Map,
    pub(crate) breakpoints: Vec<u64>,
    pub(crate) turn: Turn,
    base: Option<Arc<Snapshot>>,
    /// The mistake of ours that has stopped the machine for ever.
    pub(crate) defect: Option<Defect>,
    /// Whether such a mistake panics at once.
    pub(crate) panics_at_defect: bool,
}

impl Machine {
    /// Builds a machine, with `elf` loaded and every hart about to execute its entry in M-mode.
    ///
    /// `disk_image` is the content of the virtio disk, padded with zeros to whole sectors.
    ///
    /// # Errors
    /// The configuration is out of range, the ELF file is not one that fits into this machine, or
    /// the command line cannot be passed to it.
    pub fn new(config: &Config, elf: &[u8], disk_image: Vec<u8>) -> Result<Machine, BuildError> {
        if !config.is_valid() {
            return Err(BuildError::Config);
        }
        let mut ram = Ram::new(config.ram_bytes, config.harts, config.strict_tlb);
        let entry = elf::load(elf, &mut ram)?;
        let tree = match &config.command_line {
            Some(line) => put_device_tree(config, line, &mut ram)?,
            None => 0,
        };
        let harts = (0..config.harts)
            .map(|number| Hart::new(number as u64, entry, tree, config.identifier_bits))
            .collect();
        let bus = Bus {
            ram,
            devices: Devices::new(config.harts, config.disk, disk_image),
            time: Time::new(config.clock),
            reservations: [None; MAX_HARTS],
            uncounted: 0,
            device_accessed: false,
            bits_set: 0,
            variations: Variations::default(),
            kept: Default::default(),
            late: Default::default(),
        };
        Ok(Machine::assemble(config.clone(), harts, bus))
    }

    /// A machine in the state of a snapshot, and based on it. A page of RAM is copied from the
    /// snapshot when it is first used.
    pub fn from_snapshot(base: &Arc<Snapshot>) -> Machine {
        let bus = Bus {
            ram: Ram::from_image(&base.image, base.config.harts, base.config.strict_tlb),
            devices: base.devices.clone(),
            time: base.time.clone(),
            reservations: base.reservations,
            uncounted: 0,
            device_accessed: false,
            bits_set: 0,
            variations: Variations::default(),
            kept: Default::default(),
            late: Default::default(),
        };
        let mut machine = Machine::assemble(base.config.clone(), base.harts.clone(), bus);
        machine.turn = base.turn;
        machine.base = Some(Arc::clone(base));
        machine
    }

    fn assemble(config: Config, harts: Vec<Hart>, bus: Bus) -> Machine {
        Machine {
            translations: harts.iter().map(|_| Translations::new()).collect(),
            harts,
            bus,
            code: CodeCache::new(),
            other_code: CodeCache::new(),
            draft: Draft::default(),
            map: Map::new(config.coverage),
            breakpoints: Vec::new(),
            turn: Turn {
                hart: 0,
                left: u64::from(config.quantum),
                running: 0,
            },
            base: None,
            defect: None,
            panics_at_defect: cfg!(debug_assertions),
            config,
        }
    }

    /// Takes a snapshot, which [`Machine::reset`] then goes back to.
    pub fn snapshot(&mut self) -> Arc<Snapshot> {
        // A machine made from the snapshot starts with empty TLBs and without variations, so this one must go on so.
        self.vary(Variations::default());
        self.bus.devices.disk.disk_mut().freeze();
        let snapshot = Arc::new(Snapshot {
            config: self.config.clone(),
            image: self.bus.ram.snapshot(),
            harts: self.harts.clone(),
            devices: self.bus.devices.clone(),
            time: self.bus.time.clone(),
            reservations: self.bus.reservations,
            turn: self.turn,
        });
        self.base = Some(Arc::clone(&snapshot));
        snapshot
    }

    /// Goes back to the snapshot this machine is based on; without one, does nothing.
    ///
    /// The cost follows what was written since. Breakpoints, coverage counters and decoded code
    /// stay.
    pub fn reset(&mut self) -> ResetStats {
        let Some(base) = self.base.clone() else {
            return ResetStats::default();
        };
        self.vary(Variations::default());
        let dirty_pages = self.bus.ram.reset();
        self.settle();
        self.harts.clone_from(&base.harts);
        self.bus.devices.restore(&base.devices);
        self.bus.time = base.time.clone();
        self.bus.reservations = base.reservations;
        self.turn = base.turn;
        ResetStats { dirty_pages }
    }

    /// Physical addresses of the pages that may differ from the snapshot that this machine is based
    /// on, in no order; without one, of all that were ever written.
    pub fn dirty_pages(&self) -> impl Iterator<Item = u64> {
        self.bus.ram.dirty_pages()
    }

    /// Makes every hart forget the translations that it remembers: after a page table was changed from
    /// outside.
    pub fn forget_translations(&mut self) {
        for translations in &mut self.translations {
            translations.release();
        }
        self.bus.kept.iter_mut().for_each(Kept::clear);
        self.bus.ram.fences.clear();
    }

    /// Every hart sees all stores.
    fn end_delays(&mut self) {
        let running = self.turn.running;
        for (hart, late) in self.bus.late.iter_mut().enumerate() {
            if hart != running {
                late.show(&mut self.bus.ram);
            }
            late.order();
        }
    }

    /// The liberties of the specification that the machine takes now.
    pub fn variations(&self) -> Variations {
        self.bus.variations
    }

    /// How often the machine has set a bit A or D of a page-table entry since it was built. Resets do not count.
    pub fn bits_set(&self) -> u64 {
        self.bus.bits_set
    }

    /// Takes these liberties of the specification from now on, and no others. Every hart forgets what it remembers of
    /// page tables and of overwritten code. A reset goes back to none.
    pub fn vary(&mut self, variations: Variations) {
        self.end_delays();
        if variations.delays_stores != self.bus.variations.delays_stores {
            std::mem::swap(&mut self.code, &mut self.other_code);
        }
        self.bus.variations = variations;
        let strict = self.config.strict_tlb || variations.keep_entries();
        self.bus.ram.fences.set_strict(strict);
        self.bus.ram.old_code.is_kept = variations.keeps_code;
        self.bus.ram.old_code.clear();
        self.forget_translations();
    }

    /// The defect that has stopped this machine for ever, if there is one: see [`Exit::Defect`].
    ///
    /// [`Exit::Defect`]: crate::Exit::Defect
    pub fn defect(&self) -> Option<Defect> {
        self.defect
    }

    /// Number of harts.
    pub fn harts(&self) -> usize {
        self.harts.len()
    }

    /// Program counter of a hart.
    pub fn pc(&self, hart: usize) -> u64 {
        self.harts[hart].pc
    }

    /// Moves the program counter of a hart; bit 0 is ignored. A hart asleep in `wfi` wakes.
    pub fn set_pc(&mut self, hart: usize, pc: u64) {
        self.harts[hart].pc = pc & !1;
        self.harts[hart].is_waiting = false;
    }

    /// Integer register 0 to 31 of a hart; 0 beyond.
    pub fn x(&self, hart: usize, register: usize) -> u64 {
        let registers = &self.harts[hart].x[..usize::from(X_DISCARD)];
        registers.get(register).copied().unwrap_or(0)
    }

    /// Sets integer register 1 to 31 of a hart; ignored for others.
    pub fn set_x(&mut self, hart: usize, register: usize, value: u64) {
        if (1..usize::from(X_DISCARD)).contains(&register) {
            self.harts[hart].x[register] = value;
        }
    }

    /// All integer registers of a hart, by number.
    pub fn registers(&self, hart: usize) -> [u64; 32] {
        std::array::from_fn(|register| self.x(hart, register))
    }

    /// Sets them; `x0` stays zero.
    pub fn set_registers(&mut self, hart: usize, values: &[u64; 32]) {
        for (register, value) in values.iter().enumerate() {
            self.set_x(hart, register, *value);
        }
    }

    /// A control and status register, as M-mode reads it; `None` if there is no such register.
    pub fn csr(&self, hart: usize, number: u16) -> Option<u64> {
        self.harts[hart].read_csr(number, &self.bus)
    }

    /// Writes a control and status register as M-mode does; `None` if there is no such register.
    pub fn set_csr(&mut self, hart: usize, register: u16, value: u64) -> Option<()> {
        let value = match register {
            // No instruction is under way whose increment the write would replace.
            csr::MCYCLE | csr::MINSTRET => value.wrapping_add(1),
            _ => value,
        };
        self.harts[hart].write_csr(register, value)?;
        self.translations[hart].clear();
        self.harts[hart].update_mode();
        self.harts[hart].update_lines(&self.bus);
        Some(())
    }

    /// Privilege mode of a hart.
    pub fn privilege(&self, hart: usize) -> Privilege {
        self.harts[hart].privilege
    }

    /// Puts a hart into a privilege mode.
    pub fn set_privilege(&mut self, hart: usize, privilege: Privilege) {
        self.harts[hart].privilege = privilege;
        self.harts[hart].update_mode();
    }

    /// Copies guest memory out.
    ///
    /// # Errors
    /// Some of it is outside RAM; `out` is then unspecified.
    pub fn read_physical(&self, address: u64, out: &mut [u8]) -> Result<(), OutOfRange> {
        let length = out.len();
        if self.bus.ram.read(address, out) {
            Ok(())
        } else {
            Err(OutOfRange { address, length })
        }
    }

    /// Writes guest memory, as a device would.
    ///
    /// # Errors
    /// Some of it is outside RAM; nothing is then written.
    pub fn write_physical(&mut self, address: u64, data: &[u8]) -> Result<(), OutOfRange> {
        if !self.bus.write_from_outside(address, data) {
            let length = data.len();
            return Err(OutOfRange { address, length });
        }
        self.settle();
        Ok(())
    }

    /// A doubleword of guest memory; `None` outside RAM.
    pub fn read_u64(&self, address: u64) -> Option<u64> {
        let mut bytes = [0; 8];
        self.read_physical(address, &mut bytes).ok()?;
        Some(u64::from_le_bytes(bytes))
    }

    /// Writes a doubleword of guest memory; `None` outside RAM.
    pub fn write_u64(&mut self, address: u64, value: u64) -> Option<()> {
        self.write_physical(address, &value.to_le_bytes()).ok()
    }

    /// The leaf by which a value of `satp` maps an address, with any permissions; without any
    /// effect on the guest. `None` if nothing maps it, or `satp` does not say Sv39.
    pub fn translate(&self, satp: u64, address: u64) -> Option<Mapping> {
        self.page_tables().translate(satp, address)
    }

    /// The first of `pages`, numbers of virtual pages, without an entry in the page table of a value of `satp`: the last
    /// entry that a walk reads is zero, or not in RAM. An entry that is not zero counts even if it is not valid.
    pub fn first_without_entry(&self, satp: u64, pages: Range<u64>) -> Option<u64> {
        self.page_tables().first_without_entry(satp, pages)
    }

    /// Calls `each` for every valid leaf of a page table, in order of virtual address as an
    /// unsigned index: the lower half of the address space first. A table that points back to
    /// itself is followed up to a limit: at most four leaves for each frame of RAM.
    pub fn mappings(&self, satp: u64, each: &mut dyn FnMut(Mapping)) {
        self.page_tables().mappings(satp, each);
    }

    /// Calls `each` with the physical address of every page that holds a part of a page table.
    pub fn page_table_pages(&self, satp: u64, each: &mut dyn FnMut(u64)) {
        self.page_tables().pages(satp, each);
    }

    fn page_tables(&self) -> PageTables<'_> {
        PageTables { ram: &self.bus.ram }
    }

    /// Takes what the guest printed since the last time.
    pub fn console_output(&mut self) -> Vec<u8> {
        self.bus.devices.uart.take_output()
    }

    /// Types on the guest's console; returns how many bytes were taken.
    pub fn console_input(&mut self, bytes: &[u8]) -> usize {
        self.bus.devices.console_input(bytes)
    }

    /// Instructions retired by all harts. What traps does not retire.
    pub fn retired(&self) -> u64 {
        self.harts
            .iter()
            .fold(0, |sum, hart| sum.wrapping_add(hart.retired()))
    }

    /// Instructions begun by all harts, those that trapped included: what budgets are counted in.
    pub fn steps(&self) -> u64 {
        self.bus.time.steps
    }

    /// Moves time to the next timer deadline of a hart, so that its timer interrupt is pending.
    /// If the clock is held, this may pass deadlines of other harts. Their timers are late: they
    /// wait until they are raised themselves.
    ///
    /// False if it has set none. Deadlines whose interrupt the hart has enabled come first. Time
    /// never moves back.
    pub fn raise_timer(&mut self, hart: usize) -> bool {
        let first = |only_enabled| {
            let deadlines = self.harts[hart].deadlines(&self.bus, only_enabled);
            deadlines.into_iter().flatten().min()
        };
        let Some(deadline) = first(true).or_else(|| first(false)) else {
            return false;
        };
        self.bus.time.reach(hart, deadline);
        true
    }

    /// The last trap that a hart took from U-mode.
    pub fn last_user_trap(&self, hart: usize) -> Option<Trap> {
        self.harts[hart].last_user_trap
    }

    /// Forgets the last trap that a hart took from U-mode.
    pub fn clear_last_user_trap(&mut self, hart: usize) {
        self.harts[hart].last_user_trap = None;
    }

    /// Stops every later run before it executes the instruction at this virtual address, in
    /// whatever mode and address space. False: there is such a breakpoint already.
    pub fn set_breakpoint(&mut self, pc: u64) -> bool {
        let is_new = !self.breakpoints.contains(&pc);
        if is_new {
            self.breakpoints.push(pc);
            self.drop_instruction(pc);
        }
        is_new
    }

    /// Removes a breakpoint.
    pub fn clear_breakpoint(&mut self, pc: u64) {
        let before = self.breakpoints.len();
        self.breakpoints.retain(|at| *at != pc);
        if self.breakpoints.len() != before {
            self.drop_instruction(pc);
        }
    }

    fn drop_instruction(&mut self, pc: u64) {
        self.code.drop_instruction(pc);
        self.other_code.drop_instruction(pc);
    }

    /// The coverage counters: 65536 of them, each stopping at 255. Counter 0 means nothing.
    pub fn edges(&self) -> &[u8] {
        &*self.map.counters
    }

    /// The coverage counters, to be cleared or changed.
    pub fn edges_mut(&mut self) -> &mut [u8] {
        &mut *self.map.counters
    }

    /// A guest address that an edge of this counter leads to, if any was seen.
    pub fn edge_location(&self, index: usize) -> Option<u64> {
        self.map.target(index)
    }

    /// How many requests the disk has completed since its driver began, modulo 2^16. Two values
    /// taken shortly after each other show whether the disk was used.
    pub fn disk_requests(&self) -> u16 {
        self.bus.devices.disk.completed()
    }

    /// Whether the guest has begun to set the disk up.
    pub fn has_claimed_disk(&self) -> bool {
        self.bus.devices.disk.is_claimed()
    }

    /// Whether the disk may differ from the snapshot's.
    pub fn has_written_disk(&self) -> bool {
        self.bus.devices.disk.disk().written_sectors() > 0
    }

    /// The present content of the disk.
    pub fn disk(&self) -> Vec<u8> {
        self.bus.devices.disk.disk().content()
    }

    /// Changes a sector of the disk from outside. Beyond the end, nothing changes.
    pub fn write_disk(&mut self, sector: u64, content: &[u8; SECTOR_BYTES]) {
        // `None` says that there is no such sector.
        let _ = self.bus.devices.disk.disk_mut().write(sector, content);
    }

    /// Gives the disk another content, until the next reset. Nothing that was recorded of it is left.
    pub fn replace_disk(&mut self, content: Vec<u8>) {
        *self.bus.devices.disk.disk_mut() = Disk::new(content);
    }

    /// Records from now on which sectors the guest reads, until [`Machine::take_disk_reads`].
    pub fn record_disk_reads(&mut self) {
        self.bus.devices.disk.disk_mut().record_reads();
    }

    /// The sectors that the guest has read since [`Machine::record_disk_reads`]; none without it.
    pub fn take_disk_reads(&mut self) -> BTreeSet<u64> {
        self.bus.devices.disk.disk_mut().take_reads()
    }

    /// Records every sector that the guest writes from now on, so that the disk can be made as a
    /// power cut at any moment would leave it: a content, and the first few writes to it. The record
    /// grows without bound. Off until asked for; a reset goes back to the snapshot's record.
    pub fn record_disk_writes(&mut self) {
        self.bus.devices.disk.disk_mut().record_writes();
    }

    /// The sectors written since [`Machine::record_disk_writes`], in order; none without it.
    pub fn disk_writes(&self) -> &[SectorWrite] {
        self.bus.devices.disk.disk().writes()
    }

    /// How many requests to write the guest has made since [`Machine::record_disk_writes`]; 0 without it.
    pub fn disk_write_requests(&self) -> u32 {
        self.bus.devices.disk.disk().write_requests()
    }
}
