//! Whatever a driver claims to have seen, the judge gives a result and does not panic.

use oracle::generation::generate;
use oracle::{
    Dialect, DiskContent, End, Event, Failure, FrameKind, Judge, Nap, Observation, PageFlags,
    PageMapping, Process, ProcessState, Profile, RefusedStore, Setting, UserTrap, bucket, describe,
};
use proptest::prelude::{
    Just, Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest,
};

fn process() -> impl Strategy<Value = Process> {
    (0usize..Process::COUNT).prop_map(|index| Process::from_index(index).unwrap())
}

fn value() -> impl Strategy<Value = u64> {
    prop_oneof![
        any::<u64>(),
        0u64..8,
        Just(u64::MAX),
        Just(512),
        Just(0x6000)
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let trap = (any::<u64>(), any::<u64>(), any::<u64>());
    let trap = trap.prop_map(|(cause, value, pc)| UserTrap { cause, value, pc });
    prop_oneof![
        4 => (process(), value()).prop_map(|(process, value)| Event::Returned { process, value }),
        1 => (process(), value(), value(), value()).prop_map(|(process, arguments, stack, entry)| {
            Event::Started { process, arguments, array: stack, stack, entry }
        }),
        1 => process().prop_map(|child| Event::Born { child }),
        2 => (process(), prop::option::of(trap), any::<bool>()).prop_map(
            |(process, trap, killed_message)| Event::Silent { process, trap, killed_message }
        ),
        1 => (value(), any::<i32>()).prop_map(|(pid, status)| Event::Reaped { pid, status }),
        1 => process().prop_map(|process| Event::Appeared { process }),
    ]
}

fn mapping() -> impl Strategy<Value = PageMapping> {
    let kind = prop_oneof![
        Just(FrameKind::Ordinary),
        Just(FrameKind::Free),
        Just(FrameKind::PageTable),
        Just(FrameKind::Kernel),
        Just(FrameKind::OutsideMemory),
    ];
    let sharers = prop::option::of(any::<u16>());
    (process(), value(), value(), 0u8..16, sharers, kind).prop_map(
        |(process, address, frame, flags, sharers, kind)| PageMapping {
            process,
            address,
            frame,
            flags: PageFlags::from_bits_truncate(flags),
            sharers,
            kind,
        },
    )
}

fn refused_store(events: &[Event]) -> Option<RefusedStore> {
    let store = |event: &Event| match *event {
        Event::Returned { process, value } => Some(RefusedStore {
            process,
            holders_before: value as u16,
            holders: (value >> 16) as u16,
        }),
        _ => None,
    };
    events.iter().find_map(store)
}

fn observation() -> impl Strategy<Value = Observation> {
    (
        prop::collection::vec(event(), 0..5),
        any::<bool>(),
        prop::option::of((value(), value())),
        prop::option::of(prop::collection::vec(mapping(), 0..4)),
        prop::option::weighted(0.05, Just(Failure::Hang)),
    )
        .prop_map(
            |(events, out_of_frames, frames, mappings, failure)| Observation {
                available: frames.map(|(before, _)| before),
                refused_store: refused_store(&events),
                turns: Vec::new(),
                crowd: frames.map_or_else(Vec::new, |(before, after)| vec![before, after]),
                loaded_by_crowd: frames.map_or_else(Vec::new, |(before, _)| vec![before as u8]),
                events,
                failure,
                stopped_in: None,
                out_of_frames,
                frames,
                mappings,
                disk: frames.map(|(before, after)| DiskContent {
                    nodes: Vec::new(),
                    damage: None,
                    wrong_name: None,
                    free_blocks: before.wrapping_add(after) as usize,
                }),
                instructions: 0,
            },
        )
}

proptest! {
    #[test]
    fn hostile_observations_are_judged(
        seed: u64,
        observations in prop::collection::vec(observation(), 1..30),
        reaped in prop::collection::vec((value(), any::<i32>()), 0..6),
        all_reaped: bool,
        naps in prop::collection::vec((0..8usize, any::<bool>()), 0..6),
        page in prop::collection::vec(any::<u8>(), 0..5000),
        address in value(),
    ) {
        for dialect in [Dialect::faultline(), Dialect::xv6_2025()] {
            let setting = Setting::nominal(&dialect, 3);
            let mut judge = Judge::new(&dialect, &setting);
            let case = generate(seed, observations.len() as u32, Profile::default());
            // The test goes on after a finding, which no driver does.
            for (operation, observation) in case.operations.iter().zip(&observations) {
                let Some(step) = judge.plan(operation) else { continue };
                let _ = describe(&step, observation);
                if let Err(finding) = judge.observe(&step, observation) {
                    prop_assert!(!bucket(&finding).to_string().is_empty());
                    prop_assert!(!finding.to_string().is_empty());
                }
                for process in Process::all() {
                    let compared = judge.compare_page(process, address, &page);
                    prop_assert!(compared.is_ok() || judge.state_of(process) != ProcessState::Gone);
                }
            }
            let nap = |&(at, woken)| Process::from_index(at).map(|process| Nap { process, woken });
            let naps = naps.iter().filter_map(nap).collect();
            let end = End { reaped: reaped.clone(), all_reaped, naps, ..End::default() };
            let _ = judge.finish(&end);
            judge.reset();
            prop_assert_eq!(judge.state_of(Process::FIRST), ProcessState::Ready);
            let mut fresh = Judge::new(&dialect, &setting);
            for operation in &case.operations {
                prop_assert_eq!(judge.plan(operation), fresh.plan(operation));
            }
        }
    }
}
