//! States that only a defect of this crate can lead to.
//!
//! The guest may do anything: an access that nothing answers is an access fault, a request that a
//! device cannot serve is a device error. What is left, such as a TLB entry that leads outside RAM,
//! is our own mistake. Then a load must not return zero and a store must not be dropped: the guest
//! would run on with a wrong value, and its kernel would be blamed for it. So code that meets such a
//! state returns a [`Defect`], and the machine stops for good: a debug build panics, a release
//! build ends every run with [`Exit::Defect`](crate::Exit::Defect).

/// A state that must never occur: a mistake of this crate, not of the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{what} ({place:#x}): this is a defect of Faultline's machine, not of the program that runs on \
     it; please report it"
)]
pub struct Defect {
    /// What was met.
    pub what: &'static str,
    /// Where: mostly an offset in RAM, else the number of what is missing.
    pub place: u64,
}

impl Defect {
    /// Makes a defect. It is rare, so it is marked as cold: the usual paths stay short.
    #[cold]
    #[inline(never)]
    pub(crate) fn new(what: &'static str, place: u64) -> Defect {
        Defect { what, place }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, RAM_BASE};
    use crate::exit::Exit;
    use crate::machine::Machine;
    use crate::memory::Reach;
    use crate::test_support::machine;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    const T0: usize = 5;
    const T1: usize = 6;
    /// A page that each program touches twice: the second time, a TLB entry answers.
    const DATA: u64 = RAM_BASE + 0x5000;
    /// No RAM has this offset.
    const OUTSIDE: u64 = 1 << 40;

    /// `j .`
    const SPIN: u32 = 0x0000_006f;
    /// `ld t1, 0(t0)`
    const LOAD: u32 = 0x0002_b303;
    /// `sd t1, 0(t0)`
    const STORE: u32 = 0x0062_b023;
    /// `amoadd.d t1, t1, (t0)`
    const ADD: u32 = 0x0062_b32f;
    /// `addi t0, t0, 8`
    const STEP: u32 = 0x0082_8293;
    /// `bne t0, t2, -8`, to the start of a loop of three.
    const AGAIN: u32 = 0xfe72_9ce3;

    /// A way to break the machine that no guest has: a TLB entry that leads outside RAM.
    #[derive(Clone, Copy)]
    enum Broken {
        Fetch,
        Read,
        Write,
        Guarded,
    }

    /// A machine that is about to execute a program with a broken TLB entry for what it touches.
    fn broken(program: &[u32], what: Broken) -> Machine {
        let mut machine = machine(&Config::default(), program);
        machine.set_x(0, T0, DATA);
        machine.set_x(0, 7, DATA + 0x100);
        let hart = &machine.harts[0];
        let fences = &mut machine.bus.ram.fences;
        let views = (hart.fetch_view, hart.data_view);
        let (tables, _) = machine.translations[0].tables(views.0, views.1, 0, fences);
        let (table, address) = match what {
            Broken::Fetch => (tables.fetch, RAM_BASE),
            Broken::Read => (tables.read, DATA),
            Broken::Write => (tables.write, DATA),
            Broken::Guarded => (tables.guarded, DATA),
        };
        table.insert(address, OUTSIDE, Reach::default());
        machine
    }

    fn breakages() -> [(&'static str, Machine); 6] {
        [
            ("a fetch", broken(&[SPIN], Broken::Fetch)),
            ("a load", broken(&[LOAD, SPIN], Broken::Read)),
            ("a store", broken(&[STORE, SPIN], Broken::Write)),
            ("a guarded store", broken(&[STORE, SPIN], Broken::Guarded)),
            ("an atomic operation", broken(&[ADD, SPIN], Broken::Write)),
            (
                "a bulk loop",
                broken(&[STORE, STEP, AGAIN, SPIN], Broken::Write),
            ),
        ]
    }

    #[test]
    fn a_defect_stops_a_release_build_for_good() {
        for (what, mut machine) in breakages() {
            machine.panics_at_defect = false;
            let exit = machine.run(100);
            let Exit::Defect(defect) = exit else {
                panic!("{what}: {exit:?}");
            };
            assert!(defect.place >= OUTSIDE, "{what}: {defect}");
            assert_eq!(machine.x(0, T1), 0, "{what}: a register was written");
            machine.reset();
            assert_eq!(machine.run(1), exit, "{what}");
            assert_eq!(machine.run_hart(0, 1), exit, "{what}");
        }
    }

    #[test]
    fn a_defect_is_a_panic_in_a_debug_build() {
        for (what, mut machine) in breakages() {
            assert_eq!(machine.panics_at_defect, cfg!(debug_assertions));
            machine.panics_at_defect = true;
            let run = catch_unwind(AssertUnwindSafe(|| machine.run(100)));
            assert!(run.is_err(), "{what}: {run:?}");
        }
    }

    /// A link between blocks is a number. If it leads nowhere, execution must not go on elsewhere.
    #[test]
    fn a_block_that_is_gone_is_a_defect() {
        // addi t1, t1, 1; j -4
        let mut machine = machine(&Config::default(), &[0x0013_0313, 0xffdf_f06f]);
        machine.panics_at_defect = false;
        assert_eq!(machine.run(100), Exit::Budget);
        machine.code.operations.clear();
        assert!(matches!(machine.run(100), Exit::Defect(_)));
    }
}
