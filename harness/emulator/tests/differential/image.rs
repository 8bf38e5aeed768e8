//! The bare-metal image: a runtime, page tables, descriptors, and the programs.

use super::generate::{Mode, Sequence};
use crate::support::assembler::Program;
use crate::support::names;
use crate::support::rig::{FINISH, RAM};

/// RAM of both machines.
pub(crate) const RAM_BYTES: u64 = 16 << 20;

const TABLES: u64 = RAM + 0x1_0000;
/// Four pages that programs work on.
const SCRATCH: u64 = RAM + 0x2_0000;
const DESCRIPTORS: u64 = RAM + 0x4_0000;
const PROGRAMS: u64 = RAM + 0x20_0000;
/// Added to a code address, the user's view of it.
const USER_ALIAS: u64 = 1 << 32;
/// Where the scratch pages are under translation.
const SCRATCH_VIRTUAL: u64 = 0x10_0000_0000;
const SATP: u64 = 8 << 60 | TABLES >> 12;
const LEAVES: u64 = TABLES + 0x4000;

/// Dwords of a descriptor: entry, end, mstatus, satp, medeleg, four page-table entries, 32 registers.
const DESCRIPTOR_DWORDS: u64 = 9 + 32;

/// Traps after which a program is ended.
const TRAP_LIMIT: u64 = 200;

/// A bootable image at the start of RAM.
pub(crate) struct Image {
    pub(crate) bytes: Vec<u8>,
}

impl Image {
    /// An image that prints one line a program; in detail, one line an observation.
    pub(crate) fn new(sequences: &[Sequence], detail: bool) -> Image {
        let mut memory = Memory(Vec::new());
        let runtime = Program::new(RAM, &runtime(sequences.len(), detail), &[]);
        assert!(runtime.code.len() < (TABLES - RAM) as usize);
        memory.write(RAM, &runtime.code);
        place_tables(&mut memory);

        let mut at = PROGRAMS;
        for (number, sequence) in sequences.iter().enumerate() {
            let program = Program::new(at, &sequence.text, &[]);
            let end = at + program.code.len() as u64;
            memory.write(at, &program.code);
            // The end is a call that the runtime knows by its address.
            memory.write(end, &0x0000_0073_u32.to_le_bytes());
            let alias = if sequence.mode == Mode::UserTranslated {
                USER_ALIAS
            } else {
                0
            };
            let scratch = if sequence.mode.is_translated() {
                SCRATCH_VIRTUAL
            } else {
                SCRATCH
            };
            let mut fields = vec![
                at + alias,
                end,
                sequence.mode.status(),
                if sequence.mode.is_translated() {
                    SATP
                } else {
                    0
                },
                sequence.delegated,
            ];
            fields.extend(
                (0..4).map(|page| {
                    (SCRATCH + 0x1000 * page) >> 2 | sequence.page_flags[page as usize]
                }),
            );
            let mut registers = sequence.registers;
            registers[8] = scratch + 0x1000;
            registers[9] = scratch + 0x3000;
            fields.extend(registers);
            assert_eq!(fields.len() as u64, DESCRIPTOR_DWORDS);
            for (index, field) in fields.iter().enumerate() {
                let place = DESCRIPTORS + 8 * (DESCRIPTOR_DWORDS * number as u64 + index as u64);
                memory.write(place, &field.to_le_bytes());
            }
            at = (end + 4).next_multiple_of(16);
        }
        assert!(DESCRIPTORS + 8 * DESCRIPTOR_DWORDS * sequences.len() as u64 <= PROGRAMS);
        assert!(at < RAM + RAM_BYTES);
        Image { bytes: memory.0 }
    }
}

/// The image under construction, from the start of RAM.
struct Memory(Vec<u8>);

impl Memory {
    fn write(&mut self, address: u64, data: &[u8]) {
        let start = (address - RAM) as usize;
        if self.0.len() < start + data.len() {
            self.0.resize(start + data.len(), 0);
        }
        self.0[start..start + data.len()].copy_from_slice(data);
    }

    fn entry(&mut self, table: u64, index: u64, value: u64) {
        self.write(table + 8 * index, &value.to_le_bytes());
    }
}

/// Code at its own address for the supervisor, 4 GiB higher for the user, scratch pages far away.
fn place_tables(memory: &mut Memory) {
    const POINTER: u64 = 0x01;
    const EXECUTABLE: u64 = 0x4b; // V R X A
    const USER: u64 = 0x10;
    let [supervisor, user, middle] = [TABLES + 0x1000, TABLES + 0x2000, TABLES + 0x3000];
    let index = |address: u64, level: u32| address >> (12 + 9 * level) & 0x1ff;
    memory.entry(TABLES, index(RAM, 2), supervisor >> 2 | POINTER);
    memory.entry(TABLES, index(RAM + USER_ALIAS, 2), user >> 2 | POINTER);
    memory.entry(TABLES, index(SCRATCH_VIRTUAL, 2), middle >> 2 | POINTER);
    for megapage in 0..RAM_BYTES >> 21 {
        let physical = RAM + (megapage << 21);
        memory.entry(supervisor, index(physical, 1), physical >> 2 | EXECUTABLE);
        memory.entry(user, index(physical, 1), physical >> 2 | EXECUTABLE | USER);
    }
    memory.entry(middle, index(SCRATCH_VIRTUAL, 1), LEAVES >> 2 | POINTER);
}

/// What each line of a detailed run means, from the lines themselves: traps come first, four or
/// seven lines each, then the final state.
pub(crate) fn labels(output: &str) -> Vec<String> {
    let count = output.lines().count();
    let mut last: Vec<String> = names::REGISTERS[1..]
        .iter()
        .map(|name| format!("final {name}"))
        .collect();
    last.extend(
        ["mstatus", "sstatus", "sscratch", "scause", "stval", "sepc"]
            .map(|name| format!("final {name}")),
    );
    last.extend((0..4).map(|page| format!("page-table entry {page}")));
    last.extend((0..4).map(|page| format!("memory of page {page}")));
    let traps = count.saturating_sub(last.len());
    let mut labels: Vec<String> = (0..traps)
        .map(|line| format!("trap observation {line}"))
        .collect();
    labels.extend(last);
    labels
}

/// The text of the runtime. Registers are all its own between programs and inside the handler.
fn runtime(count: usize, detail: bool) -> String {
    let save: String = (1..32)
        .filter(|number| *number != 10)
        .map(|number| format!("sd x{number}, {}(a0)\n", 8 * number))
        .collect();
    let restore: String = (1..32)
        .filter(|number| *number != 10)
        .map(|number| format!("ld x{number}, {}(a0)\n", 8 * number))
        .collect();
    let fold_registers: String = (1..32)
        .map(|number| format!("ld a0, {}(s0)\n jal ra, fold\n", 8 * number))
        .collect();
    let fold_csrs: String = ["mstatus", "sstatus", "sscratch", "scause", "stval", "sepc"]
        .map(|name| format!("csrr a0, {name}\n jal ra, fold\n"))
        .concat();
    let observe = if detail { "jal t6, print" } else { "nop" };
    let conclude = if detail {
        "nop"
    } else {
        "mv a0, s11\n jal t6, print"
    };
    format!(
        "
        csrr t0, mhartid
        beqz t0, start
        park:
        wfi
        j park
        start:
        la t0, handler
        csrw mtvec, t0
        la t0, landing
        csrw stvec, t0
        csrw mie, zero
        csrw mideleg, zero
        csrw mcounteren, zero
        csrw scounteren, zero
        li t0, -1
        csrw pmpaddr0, t0
        li t0, 0x1f
        csrw pmpcfg0, t0
        la s0, area
        csrw mscratch, s0
        li s1, {DESCRIPTORS}
        li s2, {count}

        next:                           # s0 save area, s1 descriptor, s2 programs left
        beqz s2, done
        sd s1, 256(s0)
        sd s2, 264(s0)
        sd zero, 280(s0)                # traps so far
        li s11, 0x6a09e667f3bcc908      # the running fold
        sd s11, 272(s0)
        li t0, {SCRATCH}                # fill the scratch pages
        li t1, 2048
        li t2, 0x9e3779b97f4a7c15
        mv t3, t2
        fill:
        sd t3, 0(t0)
        add t3, t3, t2
        addi t0, t0, 8
        addi t1, t1, -1
        bnez t1, fill
        li t0, {LEAVES}
        ld t1, 40(s1)
        sd t1, 0(t0)
        ld t1, 48(s1)
        sd t1, 8(t0)
        ld t1, 56(s1)
        sd t1, 16(t0)
        ld t1, 64(s1)
        sd t1, 24(t0)
        ld t1, 24(s1)
        csrw satp, t1
        sfence.vma
        fence.i
        ld t1, 32(s1)
        csrw medeleg, t1
        csrw sscratch, zero
        csrw scause, zero
        csrw stval, zero
        csrw sepc, zero
        csrw mcause, zero
        csrw mtval, zero
        ld t1, 0(s1)
        csrw mepc, t1
        ld t1, 16(s1)
        csrw mstatus, t1
        addi a0, s1, 72
        {restore}
        ld a0, 80(a0)
        mret

        .align 4
        handler:
        csrrw a0, mscratch, a0
        {save}
        csrr t0, mscratch
        sd t0, 80(a0)
        csrw mscratch, a0
        mv s0, a0
        ld s1, 256(s0)
        ld s11, 272(s0)
        csrr a0, mcause
        mv s3, a0
        jal ra, fold
        csrr a0, mtval
        jal ra, fold
        csrr a0, mepc
        mv s4, a0
        jal ra, fold
        csrr a0, mstatus
        jal ra, fold
        la t0, landing
        bne s4, t0, direct
        csrr a0, scause                 # a delegated trap: S-mode went to its landing
        mv s3, a0
        jal ra, fold
        csrr a0, stval
        jal ra, fold
        csrr a0, sepc
        mv s4, a0
        jal ra, fold
        li t0, 0x1800                   # go on in the mode it came from
        csrc mstatus, t0
        csrr t1, mstatus
        andi t1, t1, 256
        slli t1, t1, 3
        csrs mstatus, t1
        direct:
        ld t0, 280(s0)
        addi t0, t0, 1
        sd t0, 280(s0)
        li t1, {TRAP_LIMIT}
        bltu t1, t0, finish
        li t0, 1                        # where nothing can be fetched nothing can be skipped
        beq s3, t0, finish
        li t0, 12
        beq s3, t0, finish
        mv t0, s4                       # the physical address of the instruction
        li t1, {USER_BASE}
        bltu t0, t1, physical
        li t1, {USER_ALIAS}
        sub t0, t0, t1
        physical:
        li t1, {PROGRAMS}
        bltu t0, t1, finish
        ld t1, 8(s1)
        bgeu t0, t1, finish
        lhu t1, 0(t0)
        andi t1, t1, 3
        li t2, 3
        addi s4, s4, 2
        bne t1, t2, short
        addi s4, s4, 2
        short:
        csrw mepc, s4
        sd s11, 272(s0)
        mv a0, s0
        {restore}
        ld a0, 80(a0)
        mret

        .align 4
        landing:                        # never delegated: M-mode sees it
        ebreak

        finish:
        {fold_registers}
        {fold_csrs}
        li s3, {LEAVES}
        ld a0, 0(s3)
        jal ra, fold
        ld a0, 8(s3)
        jal ra, fold
        ld a0, 16(s3)
        jal ra, fold
        ld a0, 24(s3)
        jal ra, fold
        li s3, {SCRATCH}
        li s5, 4
        pages:
        li s4, 512
        li a0, 0
        li t2, 0x9e3779b97f4a7c15
        memory:
        ld t0, 0(s3)
        xor a0, a0, t0
        mul a0, a0, t2
        srli t0, a0, 29
        xor a0, a0, t0
        addi s3, s3, 8
        addi s4, s4, -1
        bnez s4, memory
        jal ra, fold
        addi s5, s5, -1
        bnez s5, pages
        {conclude}
        ld s1, 256(s0)
        ld s2, 264(s0)
        addi s1, s1, {DESCRIPTOR_BYTES}
        addi s2, s2, -1
        j next

        fold:                           # s11 with a0; keeps a0 and all s registers
        xor s11, s11, a0
        li t0, 0xbf58476d1ce4e5b9
        mul s11, s11, t0
        srli t0, s11, 31
        xor s11, s11, t0
        {observe}
        ret

        print:                          # a0 as hexadecimal digits and a newline; returns to t6
        li t0, 0x10000000
        li t1, 60
        digits:
        srl t2, a0, t1
        andi t2, t2, 15
        addi t2, t2, 48
        li t3, 58
        bltu t2, t3, decimal
        addi t2, t2, 39
        decimal:
        lbu t3, 5(t0)
        andi t3, t3, 32
        beqz t3, decimal
        sb t2, 0(t0)
        addi t1, t1, -4
        bgez t1, digits
        newline:
        lbu t3, 5(t0)
        andi t3, t3, 32
        beqz t3, newline
        li t2, 10
        sb t2, 0(t0)
        jr t6

        done:
        {FINISH}
        .align 16
        area:
        .zero 320
        ",
        USER_BASE = RAM + USER_ALIAS,
        DESCRIPTOR_BYTES = 8 * DESCRIPTOR_DWORDS,
    )
}
