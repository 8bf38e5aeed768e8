//! Every way in which a run ends, and what holds at that moment.

use crate::support::rig::{self, CODE, RAM, bench, boot, config, csr, set_csr, set_x, step, x};
use emulator::{Config, DiskFlavour, Exit, Machine, Privilege};

fn hinting() -> Config {
    Config {
        hints: true,
        ..config()
    }
}

/// A hint call stops before it retires, again and again, until the harness moves on.
#[test]
fn hint_calls_stop_in_user_mode() {
    for code in [-2048, -1, 0, 1, 42, 2047] {
        let mut machine = bench(
            &hinting(),
            &format!("addi a0, zero, 5\nslti zero, zero, {code}\naddi a1, zero, 6\nnop\nnop"),
        );
        machine.set_privilege(0, Privilege::User);
        for _ in 0..3 {
            assert_eq!(machine.run(100), Exit::Hint { hart: 0, code });
            assert_eq!(
                (machine.pc(0), machine.retired(), x(&machine, "a0")),
                (CODE + 4, 1, 5)
            );
        }
        machine.set_pc(0, CODE + 8);
        step(&mut machine);
        assert_eq!((x(&machine, "a1"), machine.retired()), (6, 2));
    }
}

#[test]
fn hints_elsewhere_are_hints() {
    for (config, mode, text) in [
        (hinting(), Privilege::Machine, "slti zero, zero, 7"),
        (hinting(), Privilege::Supervisor, "slti zero, zero, 7"),
        (config(), Privilege::User, "slti zero, zero, 7"),
        (hinting(), Privilege::User, "slti zero, a0, 7"),
        (hinting(), Privilege::User, "sltiu zero, zero, 7"),
        (hinting(), Privilege::User, "addi zero, zero, 7"),
    ] {
        let mut machine = bench(&config, text);
        machine.set_privilege(0, mode);
        step(&mut machine);
        assert_eq!(machine.pc(0), CODE + 4, "{text} in {mode:?}");
    }
}

/// A pending interrupt comes before the hint; a timer raised at a hint preempts the process.
#[test]
fn interrupts_come_before_hints() {
    let mut machine = bench(&hinting(), "slti zero, zero, 7\nnop");
    machine.set_privilege(0, Privilege::User);
    assert_eq!(machine.run(10), Exit::Hint { hart: 0, code: 7 });
    for (name, value) in [
        ("mideleg", 0x20),
        ("mie", 0x20),
        ("menvcfg", 1 << 63),
        ("stimecmp", u64::MAX - 1),
    ] {
        set_csr(&mut machine, name, value);
    }
    assert_eq!(machine.run(10), Exit::Hint { hart: 0, code: 7 });
    assert!(machine.raise_timer(0));
    machine.run(1);
    assert_eq!(
        (machine.privilege(0), csr(&machine, "sepc")),
        (Privilege::Supervisor, CODE)
    );
    assert!(
        machine
            .last_user_trap(0)
            .is_some_and(|trap| trap.is_interrupt && trap.cause == 5)
    );
}

#[test]
fn breakpoints_stop_before_and_pass_once() {
    let mut machine = bench(
        &config(),
        "again: addi a0, a0, 1\naddi a1, a1, 1\naddi a2, a2, 1\nj again",
    );
    for register in ["a0", "a1", "a2"] {
        set_x(&mut machine, register, 0);
    }
    assert_eq!(
        machine.run(4000),
        Exit::Budget,
        "the loop is decoded by now"
    );
    machine.set_breakpoint(CODE + 4);
    machine.set_breakpoint(CODE + 8);
    for round in 1001..1010 {
        assert_eq!(
            machine.run(100),
            Exit::Breakpoint {
                hart: 0,
                pc: CODE + 4
            }
        );
        assert_eq!(
            ["a0", "a1", "a2"].map(|name| x(&machine, name)),
            [round, round - 1, round - 1]
        );
        assert_eq!(
            machine.run(100),
            Exit::Breakpoint {
                hart: 0,
                pc: CODE + 8
            }
        );
        assert_eq!(x(&machine, "a1"), round);
    }
    machine.clear_breakpoint(CODE + 4);
    assert_eq!(
        machine.run(100),
        Exit::Breakpoint {
            hart: 0,
            pc: CODE + 8
        }
    );
    machine.clear_breakpoint(CODE + 8);
    assert_eq!(machine.run(100), Exit::Budget);
}

/// A breakpoint is a virtual address, and changes nothing that the guest can see.
#[test]
fn breakpoints_do_not_disturb_the_run() {
    let text = "again: addi a0, a0, 1\nmul a1, a1, a0\nsd a1, 64(a2)\nj again";
    let prepare = || {
        let mut machine = bench(&config(), text);
        set_x(&mut machine, "a2", rig::DATA);
        machine
    };
    let (mut plain, mut watched) = (prepare(), prepare());
    plain.run(10_000);
    watched.set_breakpoint(CODE + 8);
    let mut stops = 0;
    while watched.retired() < 10_000 {
        match watched.run(10_000 - watched.retired()) {
            Exit::Breakpoint { hart: 0, pc } if pc == CODE + 8 => stops += 1,
            Exit::Budget => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(stops, 2500);
    assert_eq!(
        (watched.retired(), watched.pc(0)),
        (plain.retired(), plain.pc(0))
    );
    assert_eq!(
        ["a0", "a1"].map(|name| x(&watched, name)),
        ["a0", "a1"].map(|name| x(&plain, name))
    );
}

#[test]
fn the_finisher_ends_the_run() {
    for (value, code) in [
        (0x5555, 0),
        (0x0007_3333, 7),
        (0xffff_3333_u32, 0xffff),
        (0x3333, 1),
        (0x7777, 0),
    ] {
        let mut machine = boot(
            &config(),
            &format!("li t0, 0x100000\nli t1, {value}\nsw t1, 0(t0)\nj 0"),
        );
        assert_eq!(machine.run(100), Exit::Finished { code }, "{value:#x}");
    }
}

/// A hart that can do nothing more is said to be stuck, well before the budget is spent.
#[test]
fn endless_loops_without_a_way_out_are_stuck() {
    let budget = 1 << 40;
    let mut machine = bench(&config(), "nop\nj 0");
    assert_eq!(
        machine.run(budget),
        Exit::Stuck {
            hart: 0,
            pc: CODE + 4
        }
    );
    let mut machine = bench(&config(), "ebreak");
    set_csr(&mut machine, "mtvec", 0x1000);
    assert!(
        matches!(machine.run(budget), Exit::Stuck { hart: 0, .. }),
        "a handler that is not there"
    );
    let mut machine = bench(&config(), ".half 0");
    set_csr(&mut machine, "mtvec", CODE);
    assert!(
        matches!(machine.run(budget), Exit::Stuck { hart: 0, .. }),
        "a handler that traps"
    );
    // With a timer coming, the same loop has an end.
    let mut machine = bench(&config(), "j 0");
    set_csr(&mut machine, "menvcfg", 1 << 63);
    set_csr(&mut machine, "stimecmp", 100_000);
    set_csr(&mut machine, "mie", 0x20);
    set_csr(&mut machine, "mstatus", 8);
    machine.run(200_000);
    assert_eq!(csr(&machine, "mcause"), 1 << 63 | 5);
}

/// What is typed wakes a guest that waits for it.
#[test]
fn typing_wakes_a_waiting_guest() {
    let text = "
        la t0, handler
        csrw mtvec, t0
        li t0, 0x0c000028
        li t1, 1
        sw t1, 0(t0)
        li t0, 0x0c002000
        li t1, 1024
        sw t1, 0(t0)
        li t0, 0x10000000
        li t1, 1
        sb t1, 1(t0)
        li t1, 0x800
        csrw mie, t1
        csrsi mstatus, 8
        wait:
        wfi
        j wait
        .align 4
        handler:
        li t0, 0x0c200004
        lw t2, 0(t0)
        li t1, 0x10000000
        more:
        lbu t3, 5(t1)
        andi t3, t3, 1
        beqz t3, done
        lbu t3, 0(t1)
        addi t3, t3, 1
        sb t3, 0(t1)
        j more
        done:
        sw t2, 0(t0)
        mret
    ";
    let mut machine = boot(&config(), text);
    assert_eq!(machine.run(10_000), Exit::Idle);
    for (typed, printed) in [
        ("HAL", "IBM"),
        ("a", "b"),
        (
            "0123456789012345678901234567890",
            "1234567890123456789012345678901",
        ),
    ] {
        assert_eq!(machine.console_input(typed.as_bytes()), typed.len());
        assert_eq!(machine.run(10_000), Exit::Idle);
        let expected: Vec<u8> = typed.bytes().map(|byte| byte + 1).collect();
        assert_eq!(machine.console_output(), expected, "{printed}");
    }
}

/// A driver for either register layout reads a sector, is interrupted, and writes it back changed.
#[test]
fn both_disk_layouts_serve_a_guest() {
    let driver = |layout: &str| {
        format!(
            "
        li s0, 0x10001000
        li t0, 11
        sw t0, 0x70(s0)
        {layout}
        la s1, descriptors
        la t1, header
        sd t1, 0(s1)
        la s2, buffer
        sd s2, 16(s1)
        la t1, status
        sd t1, 32(s1)
        la s3, available
        li t0, 1
        sh t0, 2(s3)
        sw zero, 0x50(s0)       # read sector 3
        lw s4, 0x60(s0)         # interrupt status
        sw s4, 0x64(s0)
        lw s5, 0(s2)
        addi t0, s5, 1
        sw t0, 0(s2)
        la t1, header
        li t0, 1
        sw t0, 0(t1)            # now write
        sh t0, 28(s1)           # the buffer is read by the device
        li t0, 2
        sh t0, 2(s3)
        sw zero, 0x50(s0)
        la t1, status
        lbu s6, 0(t1)
        {FINISH}
        .align 4096
        descriptors:
        .dword 0
        .word 16
        .half 1, 1
        .dword 0
        .word 512
        .half 3, 2
        .dword 0
        .word 1
        .half 2, 0
        .zero 80
        available: .half 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
        .align 4096
        used: .zero 4096
        header:
        .word 0, 0
        .dword 3
        status: .byte 0xff
        .align 16
        buffer: .zero 512
            ",
            FINISH = rig::FINISH
        )
    };
    let modern = "
        li t0, 8
        sw t0, 0x38(s0)
        la t0, descriptors
        sw t0, 0x80(s0)
        la t0, available
        sw t0, 0x90(s0)
        la t0, used
        sw t0, 0xa0(s0)
        li t0, 1
        sw t0, 0x44(s0)
        li t0, 15
        sw t0, 0x70(s0)
    ";
    let legacy = "
        li t0, 15
        sw t0, 0x70(s0)
        li t0, 4096
        sw t0, 0x28(s0)
        li t0, 8
        sw t0, 0x38(s0)
        la t0, descriptors
        srli t0, t0, 12
        sw t0, 0x40(s0)
    ";
    for (disk, layout) in [(DiskFlavour::Modern, modern), (DiskFlavour::Legacy, legacy)] {
        let mut image = vec![0; 8 * 512];
        image[3 * 512..3 * 512 + 4].copy_from_slice(&77_u32.to_le_bytes());
        let mut machine = rig::boot_with_disk(&Config { disk, ..config() }, &driver(layout), image);
        assert_eq!(rig::run_to_end(&mut machine, 10_000), 0, "{disk:?}");
        assert_eq!(
            ["s4", "s5", "s6"].map(|name| x(&machine, name)),
            [1, 77, 0],
            "{disk:?}"
        );
        let mut expected = vec![0; 8 * 512];
        expected[3 * 512] = 78;
        assert!(machine.disk() == expected, "{disk:?}");
    }
}

/// Widths and offsets at the devices, from the guest: an access fault or an answer.
#[test]
fn device_registers_answer_or_fault() {
    let mut machine = bench(&config(), "nop");
    let mut attempt = |text: &str, address: u64| {
        machine
            .write_physical(CODE, &crate::support::assembler::assemble(0, text))
            .unwrap();
        machine.set_pc(0, CODE);
        set_x(&mut machine, "a1", address);
        step(&mut machine);
        if machine.pc(0) == CODE + 4 {
            Ok(x(&machine, "a0"))
        } else {
            Err(csr(&machine, "mcause"))
        }
    };
    assert_eq!(
        attempt("lw a0, 0(a1)", 0x1000_1000),
        Ok(0x7472_6976),
        "the disk's magic number"
    );
    assert_eq!(attempt("lw a0, 4(a1)", 0x1000_1000), Ok(2));
    assert_eq!(attempt("lw a0, 8(a1)", 0x1000_2000), Ok(0), "an empty slot");
    assert_eq!(
        attempt("lbu a0, 5(a1)", 0x1000_0000),
        Ok(0x60),
        "the serial port is ready to send"
    );
    assert_eq!(
        attempt("ld a0, 0(a1)", 0x200_4000),
        Ok(u64::MAX),
        "the comparator after reset"
    );
    assert_eq!(attempt("lb a0, 0(a1)", 0x200_4000), Err(5));
    assert_eq!(attempt("lh a0, 0(a1)", 0xc00_0004), Err(5));
    assert_eq!(attempt("sd a0, 0(a1)", 0xc00_0008), Err(7));
    assert_eq!(attempt("lw a0, 1(a1)", 0x1000_1000), Err(5), "misaligned");
    assert_eq!(
        attempt("lw a0, 0(a1)", 0x1000_9000),
        Err(5),
        "behind the last slot"
    );
    for atomic in [
        "lr.w a0, (a1)",
        "amoadd.w a0, a0, (a1)",
        "sc.w a0, a0, (a1)",
    ] {
        assert!(
            attempt(atomic, 0x1000_1000).is_err(),
            "{atomic}: devices have no atomics"
        );
    }
}

/// The counts of what was done agree with each other.
#[test]
fn steps_are_what_retired_and_what_trapped() {
    let mut machine: Machine = boot(
        &config(),
        "la t0, on\ncsrw mtvec, t0\non:\naddi s0, s0, 1\necall\nnop",
    );
    assert_eq!(machine.run(4001), Exit::Budget);
    assert_eq!(machine.steps(), 4001);
    let rounds = x(&machine, "s0");
    assert!(rounds > 1500);
    assert!(
        machine.steps() - machine.retired() >= rounds - 1,
        "each round trapped once"
    );
    assert_eq!(machine.read_u64(RAM + rig::RAM_BYTES), None);
}
