//! The tests' own assembler against GNU's.

use crate::support::assembler::assemble;
use libtest_mimic::Trial;
use peers::{ASSEMBLER, Missing, OBJCOPY, trial};
use std::fmt::Write as _;
use std::process::Command;

/// GNU's assembler, and what makes a flat image of its output.
type Tools = (Command, Command);

fn tools() -> Result<Tools, Missing> {
    Ok((ASSEMBLER.command()?, OBJCOPY.command()?))
}

/// The test.
pub(crate) fn trials() -> Vec<Trial> {
    vec![trial(
        "assembler::agrees_with_gnu_as",
        tools,
        agrees_with_gnu_as,
    )]
}

/// One line for each instruction and operand shape.
const PROGRAM: &str = "
    start:
    lui a0, 0xfffff
    auipc t6, 0x12345
    jal ra, start
    jal zero, end
    jalr s0, s1, -2048
    beq a0, a1, start
    bne a0, a1, end
    blt s2, s3, start
    bge s4, s5, end
    bltu s6, s7, start
    bgeu s8, s9, end
    lb a0, -1(a1)
    lh a0, 2047(a1)
    lw a0, -2048(a1)
    ld a0, 8(a1)
    lbu a0, 1(a1)
    lhu a0, 2(a1)
    lwu a0, 4(a1)
    sb t0, -1(t1)
    sh t0, 2047(t1)
    sw t0, -2048(t1)
    sd t0, 31(t1)
    addi a0, a1, -1
    slti a0, a1, 2047
    sltiu a0, a1, -2048
    xori a0, a1, 5
    ori a0, a1, 6
    andi a0, a1, 7
    slli a0, a1, 63
    srli a0, a1, 33
    srai a0, a1, 1
    add a0, a1, a2
    sub a0, a1, a2
    sll a0, a1, a2
    slt a0, a1, a2
    sltu a0, a1, a2
    xor a0, a1, a2
    srl a0, a1, a2
    sra a0, a1, a2
    or a0, a1, a2
    and a0, a1, a2
    addiw a0, a1, -7
    slliw a0, a1, 31
    srliw a0, a1, 1
    sraiw a0, a1, 17
    addw a0, a1, a2
    subw a0, a1, a2
    sllw a0, a1, a2
    srlw a0, a1, a2
    sraw a0, a1, a2
    mul a0, a1, a2
    mulh a0, a1, a2
    mulhsu a0, a1, a2
    mulhu a0, a1, a2
    div a0, a1, a2
    divu a0, a1, a2
    rem a0, a1, a2
    remu a0, a1, a2
    mulw a0, a1, a2
    divw a0, a1, a2
    divuw a0, a1, a2
    remw a0, a1, a2
    remuw a0, a1, a2
    lr.w a0, (a1)
    lr.d.aq a0, (a1)
    sc.w.rl a0, a2, (a1)
    sc.d a0, a2, (a1)
    amoswap.w.aqrl a0, a2, (a1)
    amoadd.w a0, a2, (a1)
    amoxor.w a0, a2, (a1)
    amoand.w a0, a2, (a1)
    amoor.w a0, a2, (a1)
    amomin.w a0, a2, (a1)
    amomax.w a0, a2, (a1)
    amominu.w a0, a2, (a1)
    amomaxu.w a0, a2, (a1)
    amoswap.d a0, a2, (a1)
    amoadd.d a0, a2, (a1)
    amoxor.d a0, a2, (a1)
    amoand.d a0, a2, (a1)
    amoor.d a0, a2, (a1)
    amomin.d a0, a2, (a1)
    amomax.d a0, a2, (a1)
    amominu.d a0, a2, (a1)
    amomaxu.d a0, a2, (a1)
    fence
    fence.i
    fence.tso
    ecall
    ebreak
    sret
    mret
    wfi
    sfence.vma
    sfence.vma a0, a1
    csrrw a0, mstatus, a1
    csrrs a0, 0x180, a1
    csrrc a0, mepc, a1
    csrrwi a0, mie, 31
    csrrsi a0, stvec, 1
    csrrci a0, scause, 0
    nop
    mv a0, a1
    not a0, a1
    neg a0, a1
    sext.w a0, a1
    seqz a0, a1
    snez a0, a1
    beqz a0, start
    bnez a0, start
    bltz a0, start
    bgez a0, start
    bgtz a0, start
    blez a0, start
    j end
    jr a0
    ret
    csrr a0, satp
    csrw satp, a0
    csrs sie, a0
    csrc sip, a0
    csrwi sie, 1
    csrsi sie, 2
    csrci sie, 3
    c.addi4spn s0, sp, 4
    c.addi4spn a5, sp, 1020
    c.lw s1, 4(a5)
    c.lw s1, 124(a5)
    c.ld a0, 8(s0)
    c.ld a0, 248(s0)
    c.sw a1, 64(a2)
    c.sd a3, 192(a4)
    c.nop
    c.addi t6, -32
    c.addi t6, 31
    c.addiw a0, 0
    c.li a0, -17
    c.addi16sp sp, -512
    c.addi16sp sp, 496
    c.lui a0, 1
    c.lui a0, 31
    c.lui a0, 0xfffe0
    c.srli a0, 63
    c.srai a1, 1
    c.andi a2, -1
    c.sub a3, a4
    c.xor a3, a4
    c.or a3, a4
    c.and a3, a4
    c.subw a3, a4
    c.addw a3, a4
    c.slli t0, 33
    c.lwsp ra, 252(sp)
    c.ldsp t6, 504(sp)
    c.swsp zero, 128(sp)
    c.sdsp t6, 256(sp)
    c.jr ra
    c.mv a0, t6
    c.ebreak
    c.jalr t0
    c.add a0, t6
    here:
    c.j here
    c.beqz a0, here
    c.bnez a5, end
    c.j end
    end:
    .byte 1, 2
    .half 3
    .word 4
    .dword 0x123456789abcdef0
";

/// Machine code as GNU `as` makes it.
fn gnu((mut assembler, mut objcopy): Tools, text: &str) -> Vec<u8> {
    let folder = std::env::temp_dir().join(format!("faultline-assembler-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the temporary folder is writable");
    let [source, object, binary] =
        ["s", "o", "bin"].map(|extension| folder.join(format!("text.{extension}")));
    std::fs::write(
        &source,
        format!(".option norelax\n.option norvc\n{}", with_rvc(text)),
    )
    .expect("writable");
    let done = assembler
        .args(["-march=rv64imac_zicsr_zifencei", "-mabi=lp64", "-o"])
        .args([&object, &source])
        .output()
        .expect("the assembler was there a moment ago");
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    let done = objcopy
        .args(["-O", "binary", "-j", ".text"])
        .args([&object, &binary])
        .output()
        .expect("objcopy was there a moment ago");
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    let code = std::fs::read(&binary).expect("objcopy wrote it");
    std::fs::remove_dir_all(&folder).expect("the folder is ours");
    code
}

/// GNU `as` takes compressed instructions only where they are switched on.
fn with_rvc(text: &str) -> String {
    text.lines().fold(String::new(), |mut out, line| {
        let compressed = line.trim().starts_with("c.");
        let _ = if compressed {
            writeln!(out, ".option rvc\n{line}\n.option norvc")
        } else {
            writeln!(out, "{line}")
        };
        out
    })
}

fn agrees_with_gnu_as(tools: Tools) {
    let ours = assemble(0, PROGRAM);
    let theirs = gnu(tools, PROGRAM);
    assert_eq!(ours.len(), theirs.len());
    let first = ours
        .iter()
        .zip(&theirs)
        .position(|(ours, theirs)| ours != theirs);
    assert_eq!(first, None, "the first byte that differs");
}
