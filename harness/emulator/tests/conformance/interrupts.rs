//! Interrupts: enables, delegation, priority, vectors, `wfi`, and the timers.

use crate::support::rig::{self, boot, config, run_to_end};
use crate::support::table::check;
use emulator::{Clock, Config, Exit};

const INTERRUPT: u64 = 1 << 63;

/// II:3.1.9: an interrupt for M-mode is taken in M-mode if MIE is set, and in lesser modes always.
#[test]
fn machine_interrupts_and_the_global_enable() {
    check(
        "
        mode=M mstatus=8 mie=2 mip=2      | nop => mtrap=0x8000000000000001,0
        mode=M mstatus=0 mie=2 mip=2      | nop =>
        mode=M mstatus=8 mie=0 mip=2      | nop =>
        mode=M mstatus=8 mie=2 mip=0      | nop =>
        mode=S mstatus=0 mie=2 mip=2      | nop => mtrap=0x8000000000000001,0
        mode=U mstatus=0 mie=2 mip=2      | nop => mtrap=0x8000000000000001,0
        mode=M mstatus=8 mie=0x20 mip=0x20   | nop => mtrap=0x8000000000000005,0
        mode=M mstatus=8 mie=0x200 mip=0x200 | nop => mtrap=0x8000000000000009,0
        ",
    );
}

/// A delegated interrupt is taken in S-mode if SIE is set, in U-mode always, in M-mode never.
#[test]
fn delegated_interrupts() {
    check(
        "
        mode=S mideleg=2 mstatus=2 mie=2 mip=2 | nop => strap=0x8000000000000001,0
        mode=S mideleg=2 mstatus=0 mie=2 mip=2 | nop =>
        mode=U mideleg=2 mstatus=0 mie=2 mip=2 | nop => strap=0x8000000000000001,0
        mode=U mideleg=2 mstatus=2 mie=2 mip=2 | nop => strap=0x8000000000000001,0
        mode=M mideleg=2 mstatus=0xa mie=2 mip=2 | nop =>
        mode=S mideleg=0x222 mstatus=2 mie=0x20 mip=0x222 | nop => strap=0x8000000000000005,0
        ",
    );
}

/// II:3.1.9: external before software before timer; what goes to M-mode before what goes to S-mode.
#[test]
fn priorities() {
    check(
        "
        mstatus=8 mie=0x222 mip=0x222          | nop => mtrap=0x8000000000000009,0
        mstatus=8 mie=0x222 mip=0x022          | nop => mtrap=0x8000000000000001,0
        mstatus=8 mie=0x222 mip=0x020          | nop => mtrap=0x8000000000000005,0
        mode=U mideleg=0x222 mie=0x222 mip=0x222 | nop => strap=0x8000000000000009,0
        mode=U mideleg=0x222 mie=0x222 mip=0x022 | nop => strap=0x8000000000000001,0
        mode=U mideleg=0x200 mie=0x222 mip=0x222 | nop => mtrap=0x8000000000000001,0
        mode=S mideleg=0x202 mie=0x222 mip=0x222 mstatus=2 | nop => mtrap=0x8000000000000005,0
        ",
    );
}

#[test]
fn interrupts_are_vectored_if_asked() {
    check(
        "
        mtvec=mtvec_base+1 mstatus=8 mie=2 mip=2 | nop => mtrap=0x8000000000000001,0 pc=mtvec_base+4
        mtvec=mtvec_base+1 mstatus=8 mie=0x200 mip=0x200 | nop => mtrap=0x8000000000000009,0 pc=mtvec_base+36
        stvec=stvec_base+1 mode=U mideleg=0x20 mie=0x20 mip=0x20 | nop => strap=0x8000000000000005,0 pc=stvec_base+20
        ",
    );
}

/// An interrupt that an instruction enables is taken before the next one.
#[test]
fn enabling_takes_effect_at_once() {
    for text in [
        "csrsi mstatus, 8\n nop",
        "csrw mie, a1\n nop",
        "csrw mip, a1\n nop",
        "mret\n nop",
    ] {
        let mut machine = rig::bench(&config(), text);
        let (status, enabled, pending) = match text.split_whitespace().next() {
            Some("csrsi") => (0, 2, 2),
            Some("mret") => (0x1880, 2, 2),
            _ if text.contains("mie") => (8, 0, 2),
            _ => (8, 2, 0),
        };
        for (name, value) in [
            ("mstatus", status),
            ("mie", enabled),
            ("mip", pending),
            ("mepc", rig::CODE + 4),
        ] {
            rig::set_csr(&mut machine, name, value);
        }
        rig::set_x(&mut machine, "a1", 2);
        rig::step(&mut machine);
        assert_eq!(machine.pc(0), rig::CODE + 4, "{text}");
        rig::step(&mut machine);
        let seen = (
            machine.pc(0),
            rig::csr(&machine, "mepc"),
            rig::csr(&machine, "mcause"),
        );
        assert_eq!(seen, (rig::MTVEC, rig::CODE + 4, INTERRUPT | 1), "{text}");
    }
}

/// A machine-mode program gets all three of its interrupts from the devices, in order of priority:
/// external (a byte on the console), software, timer; and each goes away where it came from.
#[test]
fn device_interrupts_reach_machine_mode() {
    let text = format!(
        "
        la t0, handler
        csrw mtvec, t0
        li s0, 0x2000000        # CLINT
        li s1, 0x0c000000       # PLIC
        li s2, 0x10000000       # serial port
        li s3, 0                # causes seen, one byte each
        li t0, 1
        sw t0, 40(s1)           # priority of the serial port's interrupt
        li t1, 0x0c002000
        li t0, 1024
        sw t0, 0(t1)            # enabled for M-mode of hart 0
        li t0, 2
        sb t0, 1(s2)            # transmitter interrupt: it is idle, so at once
        li t0, 1
        sw t0, 0(s0)            # software interrupt
        li t1, 0x2004000
        sd zero, 0(t1)          # timer: long ago
        li t0, 0x888
        csrw mie, t0
        csrsi mstatus, 8
        nop
        csrr t0, mip
        andi t0, t0, 0x88
        bnez t0, fail
        li t0, 0x0b0307
        bne s3, t0, fail
        {FINISH}
        fail:
        li t5, 0x100000
        li t6, 0x00013333
        sw t6, 0(t5)
        j 0

        .align 4
        handler:
        csrr t2, mcause
        slli s3, s3, 8
        andi t3, t2, 0xff
        or s3, s3, t3
        li t4, 11
        beq t3, t4, external
        li t4, 3
        beq t3, t4, software
        li t1, 0x2004000
        li t4, -1
        sd t4, 0(t1)
        mret
        software:
        sw zero, 0(s0)
        mret
        external:
        li t1, 0x0c200004
        lw t4, 0(t1)            # claim
        li t6, 10
        bne t4, t6, fail
        sw t4, 0(t1)            # complete; the line is still high, but that is no new request
        mret
        ",
        FINISH = rig::FINISH
    );
    let mut machine = boot(&config(), &text);
    assert_eq!(run_to_end(&mut machine, 1000), 0);
}

/// Sstc: `stimecmp` raises STIP by itself when time has come, and only writing it takes it back.
#[test]
fn the_supervisor_timer() {
    let mut machine = rig::bench(
        &config(),
        "nop\nnop\nnop\nnop\nnop\nnop\nnop\nnop\nnop\nnop\nnop\nnop",
    );
    rig::set_csr(&mut machine, "menvcfg", 1 << 63);
    assert_eq!(rig::csr(&machine, "menvcfg") >> 63, 1, "STCE can be set");
    let now = rig::csr(&machine, "time");
    rig::set_csr(&mut machine, "stimecmp", now + 4);
    assert_eq!(rig::csr(&machine, "mip") & 0x20, 0);
    rig::step(&mut machine);
    rig::step(&mut machine);
    assert_eq!(rig::csr(&machine, "mip") & 0x20, 0, "not before its time");
    for _ in 0..3 {
        rig::step(&mut machine);
    }
    assert_eq!(rig::csr(&machine, "mip") & 0x20, 0x20);
    rig::set_csr(&mut machine, "mip", 0);
    assert_eq!(
        rig::csr(&machine, "mip") & 0x20,
        0x20,
        "not writable while STCE is set"
    );
    rig::set_csr(&mut machine, "stimecmp", u64::MAX);
    assert_eq!(rig::csr(&machine, "mip") & 0x20, 0);
}

/// The Sstc extension: S-mode reaches `stimecmp` only if M-mode sets STCE and the TM counter enable.
#[test]
fn the_supervisor_timer_needs_permission() {
    check(
        "
        mode=S menvcfg=0 mcounteren=2 a1=5                  | csrw stimecmp, a1 => mtrap=2,0x14d59073
        mode=S menvcfg=0x8000000000000000 mcounteren=0 a1=5 | csrw stimecmp, a1 => mtrap=2,0x14d59073
        mode=S menvcfg=0x8000000000000000 mcounteren=2 stimecmp=9 a1=-1 | csrw stimecmp, a1 => stimecmp=-1
        mode=U menvcfg=0x8000000000000000 mcounteren=2      | csrr a0, stimecmp => mtrap=2,0x14d02573
        mode=M menvcfg=0 stimecmp=-5                        | csrr a0, stimecmp => a0=-5
        ",
    );
}

/// `wfi` sleeps until the deadline, in guest time; the host does not wait.
#[test]
fn wfi_skips_to_the_deadline() {
    let text = format!(
        "
        la t0, woken
        csrw mtvec, t0
        li t1, 0x2004000
        li t0, 1000000000
        sd t0, 0(t1)
        li t0, 0x80
        csrw mie, t0
        csrsi mstatus, 8
        wfi
        j 0
        .align 4
        woken:
        csrr t0, mcause
        csrr a0, time
        {FINISH}
        ",
        FINISH = rig::FINISH
    );
    let mut machine = boot(&config(), &text);
    assert_eq!(run_to_end(&mut machine, 1000), 0);
    let time = rig::x(&machine, "a0");
    assert!((1_000_000_000..1_000_000_100).contains(&time), "{time}");
}

/// II:3.3.3: `wfi` ends when an enabled interrupt is pending, whatever the global enable says.
#[test]
fn wfi_ends_with_interrupts_globally_off() {
    check("mode=M mstatus=0 mie=0x20 mip=0x20 | wfi =>");
    let mut machine = rig::bench(
        &config(),
        "wfi\naddi a0, zero, 7\nspin: addi a1, a1, 1\nj spin",
    );
    rig::set_csr(&mut machine, "mie", 0x222);
    assert_eq!(machine.run(1000), Exit::Idle);
    rig::set_csr(&mut machine, "mip", 0x200);
    assert_eq!(machine.run(5), Exit::Budget);
    assert_eq!(rig::x(&machine, "a0"), 7);
}

#[test]
fn a_machine_that_nothing_can_wake_is_idle() {
    let mut machine = rig::bench(&config(), "wfi\nnop\nwfi\nj 0");
    assert_eq!(machine.run(1000), Exit::Idle);
    assert_eq!(machine.run(1000), Exit::Idle, "and stays so");
    let running = Config {
        harts: 2,
        ..config()
    };
    let mut machine = boot(
        &running,
        "csrr t0, mhartid\n bnez t0, sleep\n spin: addi a0, a0, 1\n j spin\n sleep: wfi\n j sleep",
    );
    assert_eq!(
        machine.run(20_000),
        Exit::Budget,
        "one hart asleep is not idle"
    );
}

/// A held clock moves only when it is told to.
#[test]
fn a_held_clock_stands_still() {
    let held = Config {
        clock: Clock::Held,
        ..config()
    };
    let text = "
        la t0, ticked
        csrw mtvec, t0
        li t1, 0x2004000
        li t0, 12345
        sd t0, 0(t1)
        li t0, 0x80
        csrw mie, t0
        csrsi mstatus, 8
        spin:
        addi s0, s0, 1
        j spin
        .align 4
        ticked:
        csrr a0, time
        csrr a1, mcause
        wfi
        j ticked
    ";
    let mut machine = boot(&held, text);
    assert_eq!(machine.run(10), Exit::Budget);
    let before = rig::csr(&machine, "time");
    assert_eq!(machine.run(100_000), Exit::Budget);
    assert_eq!(rig::csr(&machine, "time"), before);
    assert!(machine.raise_timer(0));
    assert_eq!(machine.run(3), Exit::Budget);
    assert_eq!(
        (rig::x(&machine, "a0"), rig::x(&machine, "a1")),
        (12345, INTERRUPT | 7)
    );
    let mut fresh = boot(&held, "j 0");
    assert!(!fresh.raise_timer(0), "no deadline was set");
}
