//! The functions that the decisive step went through, and the caller of each.

use super::calls;
use crate::driver::Recording;
use crate::guest::Frame;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;

/// The functions that a step went through. Functions that only serve others are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Callers {
    /// The caller of each function, if that is known. Of several callers, the last one counts.
    of: BTreeMap<String, Option<String>>,
}

impl Callers {
    /// The callers in a recording. `frames` returns the functions that an address belongs to, inlined ones first.
    pub(super) fn of(recording: &Recording, mut frames: impl FnMut(u64) -> Vec<Frame>) -> Self {
        let mut known: HashMap<u64, Rc<[String]>> = HashMap::new();
        let mut own = |pc: u64| {
            let names = known.entry(pc).or_insert_with(|| {
                let own = frames(pc).into_iter();
                let own = own.filter(|frame| !frame.is_library && !calls::is_housekeeping(frame));
                own.map(|frame| frame.function).collect()
            });
            Rc::clone(names)
        };
        // The innermost function of the kernel's own that made each call.
        let mut made_by: Vec<Option<String>> = Vec::with_capacity(recording.calls.len());
        // Whether the call belongs to the step: other threads run after it.
        let mut is_of_step: Vec<bool> = Vec::with_capacity(recording.calls.len());
        for (index, call) in recording.calls.iter().enumerate() {
            let maker = call.caller.and_then(|(caller, at)| {
                let at = own(at);
                at.first().or(made_by[caller].as_ref()).cloned()
            });
            made_by.push(maker);
            is_of_step.push(match call.caller {
                Some((caller, _)) => is_of_step[caller],
                None => index == 0 || recording.is_race,
            });
        }
        let mut callers = Self::default();
        let mut seen = HashSet::new();
        for (call, pc) in &recording.visits {
            if is_of_step[*call] && seen.insert((*call, *pc)) {
                callers.add(&own(*pc), made_by[*call].as_ref());
            }
        }
        callers
    }

    /// Adds functions of which each was called by the next one, and the last one by `outer`.
    fn add(&mut self, chain: &[String], outer: Option<&String>) {
        for (at, function) in chain.iter().enumerate() {
            let caller = chain.get(at + 1).or(outer);
            let caller = caller.filter(|caller| *caller != function).cloned();
            let known = self.of.entry(function.clone()).or_default();
            *known = caller.or(known.take());
        }
    }

    /// The function that called `function`.
    pub fn caller(&self, function: &str) -> Option<&str> {
        self.of.get(function)?.as_deref()
    }

    /// The functions that the step went through.
    pub fn functions(&self) -> impl Iterator<Item = &str> {
        self.of.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::Callers;
    use crate::driver::{Call, Recording};
    use crate::guest::Frame;

    fn frames(pc: u64) -> Vec<Frame> {
        let functions: &[&str] = match pc {
            1 => &["usertrap"],
            2 => &["argfd", "sys_dup"],
            3 => &["acquire"],
            4 => &["scheduler"],
            _ => &["sys_dup"],
        };
        let frame = |function: &&str| Frame {
            function: (*function).to_owned(),
            file: None,
            line: None,
            address: pc,
            is_library: false,
        };
        functions.iter().map(frame).collect()
    }

    #[test]
    fn inlined_functions_have_callers_and_other_threads_do_not_count() {
        let call = |caller| Call {
            hart: 0,
            caller,
            returned: None,
        };
        let recording = Recording {
            calls: vec![
                call(None),
                call(Some((0, 1))),
                call(Some((1, 2))),
                call(None),
            ],
            visits: vec![(0, 1), (1, 5), (1, 2), (2, 3), (3, 4)],
            ..Recording::default()
        };
        let callers = Callers::of(&recording, frames);
        let functions: Vec<&str> = callers.functions().collect();
        assert_eq!(functions, ["argfd", "sys_dup", "usertrap"]);
        assert_eq!(callers.caller("argfd"), Some("sys_dup"));
        assert_eq!(callers.caller("sys_dup"), Some("usertrap"));
        assert_eq!(callers.caller("usertrap"), None);
    }
}
