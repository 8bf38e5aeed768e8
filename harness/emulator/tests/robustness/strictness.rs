//! The fine bookkeeping of translations against forgetting all of them: page tables edited at
//! random, with the fences that the specification asks for, must look the same either way. (Nothing
//! is global here: the fence of one address space would have to spare it.)

use crate::support::assembler::assemble;
use crate::support::rig::{self, CODE, RAM, bench, config};
use emulator::{Config, Machine, Privilege};
use proptest::prelude::*;

const TABLES: u64 = rig::TABLES;
const PAGES: u64 = RAM + 0x20_0000;
const STORE: u64 = RAM + 0x6000;
const FENCE: u64 = RAM + 0x6100;
const SWITCH: u64 = RAM + 0x6200;

/// Three address spaces, each of eight pages at two places far apart; all pointers are below these
/// tables: root, middle and last for each place.
fn table(space: u64, place: u64, level: u64) -> u64 {
    let per_space = 0x1_0000;
    match level {
        2 => TABLES + space * per_space,
        _ => TABLES + space * per_space + 0x1000 + place * 0x2000 + (1 - level) * 0x1000,
    }
}

fn address(place: u64, page: u64) -> u64 {
    [0x4000_0000, 0x20_0000_0000][place as usize] + 0x1000 * page
}

#[derive(Clone, Debug)]
enum Step {
    /// A leaf gets another frame and other flags; then the fence of the given form.
    Edit {
        space: u64,
        place: u64,
        page: u64,
        frame: u64,
        flags: u64,
        form: u8,
    },
    /// The pointer to a last table is taken away or put back.
    Unlink {
        space: u64,
        place: u64,
        present: bool,
    },
    /// A megapage instead of a last table, or back.
    Mega {
        space: u64,
        place: u64,
        present: bool,
    },
    /// Another address space, with or without a fence of everything.
    Switch { space: u64, fenced: bool },
    Load {
        place: u64,
        page: u64,
        user: bool,
        sum: bool,
    },
    Store {
        place: u64,
        page: u64,
        user: bool,
        value: u64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let (space, place, page) = (0..3_u64, 0..2_u64, 0..8_u64);
    let flags = prop_oneof![
        Just(0x0),
        Just(0x1),
        Just(0x7),
        Just(0x17),
        Just(0xd7),
        Just(0x13),
        Just(0x3),
        (0..256_u64).prop_map(|flags| flags & !0x20)
    ];
    prop_oneof![
        3 => (space.clone(), place.clone(), page.clone(), 0..8_u64, flags, 0..4_u8)
            .prop_map(|(space, place, page, frame, flags, form)| Step::Edit { space, place, page, frame, flags, form }),
        1 => (space.clone(), place.clone(), any::<bool>())
            .prop_map(|(space, place, present)| Step::Unlink { space, place, present }),
        1 => (space.clone(), place.clone(), any::<bool>())
            .prop_map(|(space, place, present)| Step::Mega { space, place, present }),
        2 => (space, any::<bool>()).prop_map(|(space, fenced)| Step::Switch { space, fenced }),
        6 => (place.clone(), page.clone(), any::<bool>(), any::<bool>())
            .prop_map(|(place, page, user, sum)| Step::Load { place, page, user, sum }),
        4 => (place, page, any::<bool>(), any::<u64>())
            .prop_map(|(place, page, user, value)| Step::Store { place, page, user, value }),
    ]
}

struct Rig {
    machine: Machine,
    space: u64,
}

impl Rig {
    fn new(strict_tlb: bool) -> Rig {
        let mut machine = bench(
            &Config {
                strict_tlb,
                ..config()
            },
            "ld a0, 0(a1)\n sd a2, 0(a1)",
        );
        for (place, text) in [(STORE, "sd a2, 0(a3)"), (SWITCH, "csrw satp, a2")] {
            machine.write_physical(place, &assemble(0, text)).unwrap();
        }
        for (form, text) in [
            "sfence.vma",
            "sfence.vma a4, zero",
            "sfence.vma zero, a5",
            "sfence.vma a4, a5",
        ]
        .iter()
        .enumerate()
        {
            machine
                .write_physical(FENCE + 4 * form as u64, &assemble(0, text))
                .unwrap();
        }
        for frame in 0..8 {
            rig::write(&mut machine, PAGES + 0x1000 * frame, 100 + frame);
        }
        for space in 0..3 {
            // Code for the supervisor and for the user, in the gigabytes of RAM and of RAM + 4 GiB.
            rig::write(&mut machine, table(space, 0, 2) + 8 * 2, RAM >> 2 | 0x4b);
            rig::write(&mut machine, table(space, 0, 2) + 8 * 6, RAM >> 2 | 0x5b);
            for place in 0..2 {
                let root = table(space, place, 2) + 8 * (address(place, 0) >> 30);
                rig::write(&mut machine, root, table(space, place, 1) >> 2 | 1);
                rig::write(
                    &mut machine,
                    table(space, place, 1),
                    table(space, place, 0) >> 2 | 1,
                );
            }
        }
        let mut rig = Rig { machine, space: 0 };
        rig.switch(0, true);
        rig
    }

    /// Executes one instruction in M-mode.
    fn execute(&mut self, at: u64) {
        self.machine.set_privilege(0, Privilege::Machine);
        self.machine.set_pc(0, at);
        rig::step(&mut self.machine);
        assert_eq!(self.machine.pc(0), at + 4);
    }

    fn store(&mut self, address: u64, value: u64) {
        rig::set_x(&mut self.machine, "a2", value);
        rig::set_x(&mut self.machine, "a3", address);
        self.execute(STORE);
    }

    /// ASIDs are one more than the space; the root decides nevertheless.
    fn fence(&mut self, form: u8, space: u64, address: u64) {
        rig::set_x(&mut self.machine, "a4", address);
        rig::set_x(&mut self.machine, "a5", space + 1);
        self.execute(FENCE + 4 * u64::from(form));
    }

    fn switch(&mut self, space: u64, fenced: bool) {
        rig::set_x(
            &mut self.machine,
            "a2",
            8 << 60 | (space + 1) << 44 | table(space, 0, 2) >> 12,
        );
        self.execute(SWITCH);
        self.space = space;
        if fenced {
            self.fence(0, space, 0);
        }
    }

    /// Does one step and returns what can be observed of it.
    fn perform(&mut self, step: &Step) -> [u64; 4] {
        match *step {
            Step::Edit {
                space,
                place,
                page,
                frame,
                flags,
                form,
            } => {
                self.store(
                    table(space, place, 0) + 8 * page,
                    (PAGES + 0x1000 * frame) >> 2 | flags,
                );
                self.fence(form, space, address(place, page));
                [0; 4]
            }
            Step::Unlink {
                space,
                place,
                present,
            } => {
                let entry = if present {
                    table(space, place, 0) >> 2 | 1
                } else {
                    0
                };
                self.store(table(space, place, 1), entry);
                self.fence(0, space, 0);
                [1; 4]
            }
            Step::Mega {
                space,
                place,
                present,
            } => {
                let pointer = table(space, place, 0) >> 2 | 1;
                let entry = if present { PAGES >> 2 | 0xd7 } else { pointer };
                self.store(table(space, place, 1), entry);
                self.fence(0, space, 0);
                [2; 4]
            }
            Step::Switch { space, fenced } => {
                self.switch(space, fenced);
                [3; 4]
            }
            Step::Load {
                place,
                page,
                user,
                sum,
            } => self.access(CODE, address(place, page), user, sum),
            Step::Store {
                place,
                page,
                user,
                value,
            } => {
                rig::set_x(&mut self.machine, "a2", value);
                self.access(CODE + 4, address(place, page), user, false)
            }
        }
    }

    fn access(&mut self, code: u64, address: u64, user: bool, sum: bool) -> [u64; 4] {
        let machine = &mut self.machine;
        let code = code + if user { 1 << 32 } else { 0 };
        rig::set_csr(machine, "mstatus", if sum { 1 << 18 } else { 0 });
        machine.set_privilege(
            0,
            if user {
                Privilege::User
            } else {
                Privilege::Supervisor
            },
        );
        machine.set_pc(0, code);
        rig::set_x(machine, "a0", 0);
        rig::set_x(machine, "a1", address);
        rig::step(machine);
        let trapped = machine.pc(0) != code + 4;
        let cause = if trapped {
            rig::csr(machine, "mcause")
        } else {
            0
        };
        [4, u64::from(trapped), cause, rig::x(machine, "a0")]
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn strict_and_fine_translation_agree(steps in prop::collection::vec(step(), 1..120)) {
        let [mut fine, mut strict] = [Rig::new(false), Rig::new(true)];
        for (index, step) in steps.iter().enumerate() {
            prop_assert_eq!(fine.perform(step), strict.perform(step), "step {}: {:?}", index, step);
        }
        let [mut ours, mut theirs] = [vec![0; 0x20_0000], vec![0; 0x20_0000]];
        fine.machine.read_physical(TABLES, &mut ours).unwrap();
        strict.machine.read_physical(TABLES, &mut theirs).unwrap();
        let difference = ours.iter().zip(&theirs).position(|(ours, theirs)| ours != theirs);
        prop_assert_eq!(difference, None, "page tables and pages");
    }
}
