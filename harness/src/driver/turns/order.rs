//! The order in which a scheduler runs processes that are all runnable.

use crate::guest::processes::Slot;
use std::fmt;

/// The order in which a scheduler runs processes that are all runnable, as seen at one timer interrupt after another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Each interrupt brings the next one, in turn.
    InTurn,
    /// One after another, each for this many ticks.
    Slices(usize),
    /// Some of them never run: there are priorities, or the first runnable one always runs.
    Starves {
        /// How many of them run.
        run: usize,
        /// How many there are.
        of: usize,
    },
    /// All of them run, in another order: there are levels, or a lottery.
    Own {
        /// The most interrupts in a row that did not end a turn.
        longest: usize,
    },
}

impl Order {
    /// The order of `turns`, which says which process was at the front after each tick. There are `processes` of them.
    pub(super) fn of(turns: &[Slot], processes: usize) -> Self {
        let mut seen: Vec<Slot> = Vec::new();
        for slot in turns {
            if !seen.contains(slot) {
                seen.push(*slot);
            }
        }
        if seen.len() < processes {
            return Order::Starves {
                run: seen.len(),
                of: processes,
            };
        }
        let runs: Vec<&[Slot]> = turns.chunk_by(|one, next| one == next).collect();
        let in_turn = runs.windows(processes).all(|runs| {
            let others = |at: usize| runs[at + 1..].iter().all(|other| other[0] != runs[at][0]);
            (0..runs.len()).all(others)
        });
        let longest = runs.iter().map(|run| run.len()).max().unwrap_or(0);
        // Perhaps only a part of the first and of the last run was seen.
        let inner = runs.get(1..runs.len() - 1).unwrap_or(&[]);
        let even = inner.iter().all(|run| run.len() == longest);
        match (in_turn && even, longest) {
            (true, 1) => Order::InTurn,
            (true, ticks) => Order::Slices(ticks),
            (false, longest) => Order::Own { longest },
        }
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Order::InTurn => write!(f, "timer interrupts bring one process after another"),
            Order::Slices(ticks) => {
                write!(
                    f,
                    "a timer interrupt brings the next process every {ticks} ticks"
                )
            }
            Order::Starves { run, of } => write!(
                f,
                "of {of} runnable processes, timer interrupts bring only {run}"
            ),
            Order::Own { longest } => write!(
                f,
                "timer interrupts do not bring processes in turn (longest turn in ticks: {longest})"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Order;
    use crate::guest::processes::{SUPERVISOR, Slot};
    use oracle::Process;

    /// The order of these turns: the letters of the processes, `-` for the supervisor.
    fn order(turns: &str) -> Order {
        let slot = |letter| match Process::from_letter(letter) {
            Some(process) => Slot::of(process).unwrap(),
            None => SUPERVISOR,
        };
        Order::of(&turns.chars().map(slot).collect::<Vec<_>>(), 4)
    }

    #[test]
    fn a_scheduler_is_known_by_the_order_of_turns() {
        assert_eq!(order("abc-abc-abc-abc-"), Order::InTurn);
        assert_eq!(order("b-cab-cab-cab-ca"), Order::InTurn);
        assert_eq!(order("aabbcc--aabbcc--"), Order::Slices(2));
        assert_eq!(order("abbbccc---aaabbb"), Order::Slices(3));
        assert_eq!(order("aaaaaaaaaaaaaaaa"), Order::Starves { run: 1, of: 4 });
        assert_eq!(order("abababababababab"), Order::Starves { run: 2, of: 4 });
        assert_eq!(order("abc-aaaabbbbcccc"), Order::Own { longest: 4 });
        assert_eq!(order("abcbc-abacb-abab"), Order::Own { longest: 1 });
        assert_eq!(order("aabb-cc--aabbcc-"), Order::Own { longest: 2 });
    }
}
