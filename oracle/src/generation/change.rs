//! What a mutation and repair make of one argument of an operation, by the argument's type.

use super::Scene;
use super::repair::Companion;
use crate::case::argument::{
    self, Address, Amount, Argument, CallNumber, Child, Count, Cut, Descriptor, Flavour,
    FrameCount, Keys, Length, Major, Members, NearAddress, Nth, OpenFlags, OpenMode, Room, Rounds,
    Schedule, Status, StatusAddress, StoredValue, Stride, Target, Terminated, Text, TheirAddress,
    Ticks, Variation, Width, Word,
};
use crate::case::{Call, Kind, Process, for_each_operation};
use crate::model::{NO_CALL, PIDS, is_no_call};
use std::num::NonZeroU8;

/// The most rounds of the scheduler that are worth waiting for.
const ROUNDS: NonZeroU8 = NonZeroU8::new(4).unwrap();
/// A number that is no process's.
const NOBODY: i32 = i32::MAX;

/// How a type of arguments changes.
trait Change: Argument {
    /// How often it is the one of an operation's arguments that changes, relative to the others.
    const WEIGHT: u32 = 1;

    /// Another value, or now and then the same.
    fn change(old: Self::Value, scene: &mut Scene<'_>) -> Self::Value;

    /// A value with which the operation of `process` can apply, or the same: most types have no other.
    fn repaired(old: Self::Value, _process: Process, _companion: &Companion) -> Self::Value {
        old
    }
}

macro_rules! define_change {
    ($($name:ident $word:literal [$($code:tt)*] $family:ident $cost:ident $work:literal $says:ident
       ($($argument:ident: $type:ident),*) {$($reach:expr),*};)*) => {
        impl Scene<'_> {
            /// Changes one argument of a call. Changes nothing if it has no argument.
            #[allow(unused, reason = "an operation may have no argument")]
            pub(super) fn change(&mut self, call: &mut Call) {
                match call {
                    $(Call::$name { $($argument),* } => {
                        let chosen = self.one_of(&[$(<argument::$type as Change>::WEIGHT),*]);
                        let mut places = 0..;
                        $(if places.next() == chosen {
                            *$argument = argument::$type::change(*$argument, self);
                        })*
                    })*
                }
            }

            /// Changes every argument of a call.
            #[allow(unused, reason = "an operation may have no argument")]
            fn change_all(&mut self, call: &mut Call) {
                match call {
                    $(Call::$name { $($argument),* } => {
                        $(*$argument = argument::$type::change(*$argument, self);)*
                    })*
                }
            }
        }

        impl Companion {
            /// A call of `process` with each of its arguments repaired.
            #[allow(unused, reason = "an operation may have no argument")]
            pub(super) fn with_repaired_arguments(&self, process: Process, call: Call) -> Call {
                match call {
                    $(Call::$name { $($argument),* } => Call::$name {
                        $($argument: argument::$type::repaired($argument, process, self)),*
                    },)*
                }
            }
        }
    };
}

for_each_operation!(define_change);

impl Scene<'_> {
    /// Any operation of the table, with everything about it chosen: also one that the weights do not
    /// know.
    pub(super) fn any_call(&mut self) -> Call {
        let kind = self.pick(&Kind::ALL);
        let mut call = kind.plainest();
        self.change_all(&mut call);
        call
    }
}

impl Scene<'_> {
    /// One of these, as often as their weights say. `None` if there are none.
    fn one_of(&mut self, weights: &[u32]) -> Option<usize> {
        let total = weights.iter().sum();
        let mut at = if total == 0 { 0 } else { self.below(total) };
        weights.iter().position(|weight| {
            let is_here = at < *weight;
            at = at.saturating_sub(*weight);
            is_here
        })
    }
}

impl Change for Address {
    const WEIGHT: u32 = 3;

    fn change(_old: Address, scene: &mut Scene<'_>) -> Address {
        scene.address()
    }
}

impl Change for NearAddress {
    const WEIGHT: u32 = 3;

    fn change(_old: Address, scene: &mut Scene<'_>) -> Address {
        scene.address().near()
    }
}

impl Change for TheirAddress {
    fn change(_old: Address, scene: &mut Scene<'_>) -> Address {
        scene.address()
    }
}

impl Change for StatusAddress {
    fn change(old: Option<Address>, scene: &mut Scene<'_>) -> Option<Address> {
        match old {
            Some(_) if scene.one_in(2) => None,
            Some(_) | None => Some(scene.address()),
        }
    }
}

impl Change for Amount {
    const WEIGHT: u32 = 6;

    fn change(_old: Amount, scene: &mut Scene<'_>) -> Amount {
        scene.amount()
    }
}

impl Change for Flavour {
    fn change(_old: Flavour, scene: &mut Scene<'_>) -> Flavour {
        scene.flavour()
    }
}

impl Change for Width {
    fn change(_old: Width, scene: &mut Scene<'_>) -> Width {
        scene.width()
    }
}

impl Change for StoredValue {
    fn change(_old: StoredValue, scene: &mut Scene<'_>) -> StoredValue {
        scene.value()
    }
}

impl Change for Count {
    fn change(_old: NonZeroU8, scene: &mut Scene<'_>) -> NonZeroU8 {
        scene.count()
    }
}

impl Change for Stride {
    fn change(_old: Stride, scene: &mut Scene<'_>) -> Stride {
        scene.stride()
    }
}

/// Another name of a child changes nothing that matters.
impl Change for Child {
    fn change(old: Process, _scene: &mut Scene<'_>) -> Process {
        old
    }

    fn repaired(old: Process, _process: Process, companion: &Companion) -> Process {
        let taken = companion.model().pid_of(old).is_some();
        let free = || companion.free_name().unwrap_or(old);
        if taken { free() } else { old }
    }
}

impl Change for Status {
    fn change(_old: i32, scene: &mut Scene<'_>) -> i32 {
        scene.below(512) as i32 - 256
    }
}

impl Change for Target {
    fn change(_old: Target, scene: &mut Scene<'_>) -> Target {
        scene.target()
    }

    fn repaired(old: Target, process: Process, companion: &Companion) -> Target {
        let was_born = |other: &Process| companion.model().pid_of(*other).is_some();
        match old {
            Target::Process(target) if !was_born(&target) => {
                Target::Process(Process::all().rfind(was_born).unwrap_or(process))
            }
            Target::Pid(pid) if PIDS.contains(&pid) => Target::Pid(NOBODY - pid),
            Target::Process(_) | Target::Pid(_) => old,
        }
    }
}

impl Change for Descriptor {
    fn change(_old: i8, scene: &mut Scene<'_>) -> i8 {
        scene.below(6) as i8 - 1
    }
}

impl Change for Length {
    const WEIGHT: u32 = 3;

    fn change(_old: i16, scene: &mut Scene<'_>) -> i16 {
        scene.below(1024) as i16
    }
}

impl Change for Text {
    const WEIGHT: u32 = 2;

    fn change(_old: Text, scene: &mut Scene<'_>) -> Text {
        Text::from_code(scene.below(u32::from(Text::COUNT)) as u8)
    }
}

impl Change for Terminated {
    fn change(old: bool, _scene: &mut Scene<'_>) -> bool {
        !old
    }
}

impl Change for OpenMode {
    fn change(_old: OpenMode, scene: &mut Scene<'_>) -> OpenMode {
        scene.open_mode()
    }
}

impl Change for OpenFlags {
    fn change(_old: OpenFlags, scene: &mut Scene<'_>) -> OpenFlags {
        scene.open_flags()
    }
}

impl Change for Major {
    fn change(_old: u8, scene: &mut Scene<'_>) -> u8 {
        scene.major()
    }
}

impl Change for Rounds {
    fn change(_old: NonZeroU8, scene: &mut Scene<'_>) -> NonZeroU8 {
        NonZeroU8::MIN.saturating_add(scene.below(4) as u8)
    }

    fn repaired(old: NonZeroU8, _process: Process, _companion: &Companion) -> NonZeroU8 {
        old.min(ROUNDS)
    }
}

impl Change for Ticks {
    fn change(_old: i8, scene: &mut Scene<'_>) -> i8 {
        scene.below(4) as i8 - 1
    }

    fn repaired(old: i8, _process: Process, _companion: &Companion) -> i8 {
        old.min(ROUNDS.get() as i8)
    }
}

impl Change for CallNumber {
    fn change(_old: Amount, scene: &mut Scene<'_>) -> Amount {
        scene.call_number()
    }

    fn repaired(old: Amount, process: Process, companion: &Companion) -> Amount {
        let layout = companion.model().layout(process);
        if is_no_call(old.resolve(layout, 0) as u64) {
            old
        } else {
            Amount::new(old.base(), 0, NO_CALL)
        }
    }
}

impl Change for Members {
    fn change(_old: NonZeroU8, scene: &mut Scene<'_>) -> NonZeroU8 {
        scene.members()
    }
}

impl Change for Word {
    fn change(_old: u32, scene: &mut Scene<'_>) -> u32 {
        scene.high_half()
    }
}

impl Change for Keys {
    fn change(_old: Keys, scene: &mut Scene<'_>) -> Keys {
        scene.keys()
    }
}

impl Change for Variation {
    fn change(_old: Variation, scene: &mut Scene<'_>) -> Variation {
        scene.variation()
    }
}

impl Change for Cut {
    fn change(_old: Cut, scene: &mut Scene<'_>) -> Cut {
        scene.cut()
    }
}

impl Change for FrameCount {
    fn change(_old: u16, scene: &mut Scene<'_>) -> u16 {
        scene.below(16) as u16
    }
}

impl Change for Room {
    fn change(_old: u16, scene: &mut Scene<'_>) -> u16 {
        scene.room()
    }
}

impl Change for Nth {
    fn change(_old: NonZeroU8, scene: &mut Scene<'_>) -> NonZeroU8 {
        scene.nth()
    }
}

impl Change for Schedule {
    fn change(old: Schedule, scene: &mut Scene<'_>) -> Schedule {
        scene.change_schedule(old)
    }
}
