//! Operations: what a process, or the environment, does next.

use super::argument::{self, Argument};
use super::operations::for_each_operation;
use super::{Address, Process};

/// One operation: a line of a case.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Operation {
    /// The acting process; `a` for an operation on all processes: see [`Call::is_done_to_all`].
    pub process: Process,
    /// What is done.
    pub call: Call,
}

impl Operation {
    /// `process` does `call`. An operation on all processes counts as done by `a`.
    pub fn new(process: Process, call: Call) -> Operation {
        let process = if call.is_done_to_all() {
            Process::FIRST
        } else {
            process
        };
        Operation { process, call }
    }
}

/// What operations are about: those of a family go the same way through a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// Instructions of the program itself that touch memory.
    Access,
    /// The program break.
    Break,
    /// System calls that store to the program's memory.
    CopyOut,
    /// System calls that load a buffer from the program's memory.
    CopyIn,
    /// System calls that load a path from the program's memory.
    Path,
    /// System calls about file descriptors alone.
    Descriptor,
    /// System calls about processes alone.
    Process,
    /// System calls that ask for what the process itself cannot change, and change nothing.
    Question,
    /// Turns and time.
    Time,
    /// Habits: how the process performs the operations that follow. Nothing happens now.
    Habit,
    /// What no process does, but the environment, to all of them.
    Environment,
}

/// What bounds the frames that an operation may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cost {
    /// The memory that it touches.
    Touched,
    /// The same, and its process or a child may give back all memory.
    Release,
    /// The same, and another process may give back all memory.
    Victim,
    /// The memory that it touches, and one frame that the kernel keeps.
    OneMore,
    /// How the program break moves.
    Growth,
    /// What a child shares, or gets copies of.
    Child,
    /// What each of many children shares, or gets copies of.
    Crowd,
    /// What the new program touches.
    Program,
    /// Nothing that can be counted: the environment takes it, or others do.
    Outside,
}

/// What the answer of an operation says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Says {
    /// A value that means itself.
    Value,
    /// Where memory lies or what a process is called: another answer would do as well.
    Name,
}

macro_rules! define_call {
    ($($name:ident $word:literal [$($code:tt)*] $family:ident $cost:ident $work:literal $says:ident
       ($($($argument:ident: $type:ident),+)?) {$($reach:expr),*};)*) => {
        /// What an operation does: a variant for each row of the table of operations. The types in
        /// `case/argument` say what arguments mean, with units and ranges.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[allow(missing_docs, reason = "the table of operations in oracle/README.md explains them")]
        pub enum Call {
            $($name $({ $($argument: argument::value_of!($type)),+ })?,)*
        }

        impl Call {
            /// Which kind of operation it is.
            pub fn kind(&self) -> Kind {
                match self {
                    $(Call::$name { .. } => Kind::$name,)*
                }
            }

            /// The address that the operation touches (the first, if there are two), if it touches
            /// one.
            pub fn address(&self) -> Option<Address> {
                match *self {
                    $(Call::$name $({ $($argument),+ })? => {
                        None $($(.or(argument::$type::address($argument)))+)?
                    })*
                }
            }

            /// The same operation at another address. Unchanged if it touches no address.
            pub fn with_address(self, new: Address) -> Call {
                match self {
                    $(Call::$name $({ $($argument),+ })? => Call::$name $({
                        $($argument: argument::$type::with_address($argument, new)),+
                    })?,)*
                }
            }

            /// The process that the operation names, apart from the one that performs it.
            pub(super) fn named_process(&mut self) -> Option<&mut Process> {
                match self {
                    $(Call::$name $({ $($argument),+ })? => {
                        None $($(.or(argument::$type::process($argument)))+)?
                    })*
                }
            }

            /// The operation's second address, if it has one.
            pub fn second_address(&self) -> Option<Address> {
                match *self {
                    $(Call::$name $({ $($argument),+ })? => {
                        None $($(.or(argument::$type::second_address($argument)))+)?
                    })*
                }
            }

            /// The same operation with another second address, brought near; unchanged if it has
            /// none.
            pub fn with_second_address(self, new: Address) -> Call {
                match self {
                    $(Call::$name $({ $($argument),+ })? => Call::$name $({
                        $($argument: argument::$type::with_second_address($argument, new)),+
                    })?,)*
                }
            }
        }

        /// The kinds of operations, for counting and for signatures.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs, reason = "each is named for the call it stands for")]
        pub enum Kind {
            $($name,)*
        }

        impl Kind {
            /// All kinds, in the order of the table.
            pub const ALL: [Kind; [$(Kind::$name),*].len()] = [$(Kind::$name),*];

            /// The word for the kind in text.
            pub fn word(self) -> &'static str {
                match self {
                    $(Kind::$name => $word,)*
                }
            }

            /// What operations of the kind are about.
            pub fn family(self) -> Family {
                match self {
                    $(Kind::$name => Family::$family,)*
                }
            }

            /// What bounds the frames that an operation of the kind may take.
            pub fn cost(self) -> Cost {
                match self {
                    $(Kind::$name => Cost::$cost,)*
                }
            }

            /// About how many times as long as a load an operation of the kind takes on a slow
            /// kernel, whose file system and `exec` take hundreds of thousands of instructions.
            pub fn work(self) -> u64 {
                match self {
                    $(Kind::$name => $work,)*
                }
            }

            /// What the answer of an operation of the kind says.
            pub fn says(self) -> Says {
                match self {
                    $(Kind::$name => Says::$says,)*
                }
            }

            /// Whether operations of the kind move as many bytes as they are asked to, or fewer.
            pub fn moves_bytes(self) -> bool {
                match self {
                    $(Kind::$name => false $($(|| argument::$type::IS_LENGTH)+)?,)*
                }
            }

            /// How many addresses an operation of the kind has.
            pub fn addresses(self) -> usize {
                match self {
                    $(Kind::$name => 0 $($(+ usize::from(argument::$type::IS_ADDRESS))+)?,)*
                }
            }

            /// Whether an argument follows the word directly.
            pub(super) fn has_suffix(self) -> bool {
                match self {
                    $(Kind::$name => false $($(|| argument::$type::IS_SUFFIX)+)?,)*
                }
            }

            /// Whether a process is named before the word.
            pub(crate) fn names_a_child(self) -> bool {
                match self {
                    $(Kind::$name => false $($(|| argument::$type::IS_NAMED)+)?,)*
                }
            }
        }
    };
}

for_each_operation!(define_call);

impl Call {
    /// As [`Call::Frames`]' number: no frame is withheld.
    pub const ALL_FRAMES: u16 = u16::MAX;

    /// Whether no process does it, but the environment, to all of them.
    pub fn is_done_to_all(&self) -> bool {
        self.kind().is_done_to_all()
    }
}

impl Kind {
    /// Whether no process does it, but the environment, to all of them.
    pub fn is_done_to_all(self) -> bool {
        self.family() == Family::Environment
    }
}
