//! The boot after a power cut: the kernel starts again, the disk holds nothing half, and what was done is there.

use super::compare::panic_words;
use super::disk::{seen_in_words, state_in_words};
use super::{Clause, CutMoment, DiskContent, Finding, Judge, Reboot, words};
use crate::case::Process;
use crate::files::FileNode;
use crate::model::{FIRST_PROGRAM, FileSystem};
use abi::file_system::ROOT_INODE;

impl Judge {
    /// Compares what was seen after a power cut with what the kernel has promised by then.
    pub(super) fn compare_reboot(&mut self, reboot: &Reboot) -> Result<(), Finding> {
        self.meter.compared += 1;
        if let Some(failure) = &reboot.failure
            && self.holds_first_program(&reboot.disk)
        {
            let expected = "after the power cut, the kernel boots and starts its first program";
            let mut finding = self.after_cut(
                Clause::BootsAgain,
                expected.into(),
                words::failure_words(failure),
            );
            finding.signature.words = panic_words(failure);
            finding.signature.functions = reboot.stopped_in.clone();
            return Err(finding);
        }
        if let Some(damage) = &reboot.disk.damage {
            return Err(self.inconsistent(damage));
        }
        if self.model.is_unknown() || reboot.moment == CutMoment::WithinRace {
            return match &reboot.disk.wrong_name {
                None => Ok(()),
                Some((_, problem)) => Err(self.inconsistent(problem)),
            };
        }
        let states = match reboot.moment {
            CutMoment::Within => self.model.files_on_the_way(),
            CutMoment::After | CutMoment::WithinRace => vec![self.model.files.clone()],
        };
        self.compare_states(&states, &reboot.disk)
    }

    /// Whether the program that the kernel starts first is on the disk as it was before the case. A case may remove or
    /// overwrite it, and then a boot cannot end well. If it had to be there, the comparison of the files says so.
    fn holds_first_program(&self, disk: &DiskContent) -> bool {
        let Some(wanted) = self.model.files.first_program() else {
            return true;
        };
        let root = disk.node(ROOT_INODE);
        let entry = root.and_then(|root| root.entry(FIRST_PROGRAM));
        let seen = entry.and_then(|(_, entry)| disk.node(entry.inode.into()));
        seen.is_some_and(|seen| (seen.kind, &seen.bytes) == (wanted.kind, &wanted.bytes))
    }

    /// Compares the disk with the states of which it must hold one. The last state is that after all operations.
    fn compare_states(&self, states: &[FileSystem], disk: &DiskContent) -> Result<(), Finding> {
        let mut differences = Vec::new();
        for state in states {
            match self.first_difference(state, disk) {
                None => return Ok(()),
                Some(inode) => differences.push(inode),
            }
        }
        let is_settled = |inode: &u32| {
            let mut wanted = states.iter().map(|state| state.node(*inode));
            let first = wanted.next().flatten();
            wanted.all(|other| other == first)
        };
        let undone = differences.iter().copied().find(is_settled);
        if let Some((inode, state)) = undone.zip(states.last()) {
            let expected = format!(
                "on the disk, after the power cut and a boot, inode {inode} is {}",
                state_in_words(state.node(inode))
            );
            let seen = seen_in_words(state.node(inode), disk.node(inode));
            return Err(self.after_cut(Clause::SurvivesPowerCut, expected, seen));
        }
        let inode = differences.last().copied().unwrap_or(0);
        let mut ways: Vec<String> = Vec::new();
        for state in states {
            let way = state_in_words(state.node(inode));
            if !ways.contains(&way) {
                ways.push(way);
            }
        }
        let expected = format!(
            "on the disk, after the power cut and a boot, there is all of this operation or nothing: inode {inode} is {}",
            ways.join(", or ")
        );
        let wanted = states.last().and_then(|state| state.node(inode));
        let seen = seen_in_words(wanted, disk.node(inode));
        Err(self.after_cut(Clause::SurvivesPowerCut, expected, seen))
    }

    /// The first inode that is another one on the disk than in that state.
    fn first_difference(&self, state: &FileSystem, disk: &DiskContent) -> Option<u32> {
        let is_wrong = |wanted: &&FileNode| match disk.node(wanted.inode) {
            // Nobody holds it any more.
            None => wanted.links > 0,
            Some(seen) => seen != *wanted,
        };
        let wrong = state.nodes().find(is_wrong).map(|wanted| wanted.inode);
        let is_left = |node: &&FileNode| {
            let is_nameless = node.links == 0 && self.model.may_be_nameless(node.inode);
            state.node(node.inode).is_none() && !is_nameless
        };
        wrong.or_else(|| disk.nodes.iter().find(is_left).map(|left| left.inode))
    }

    fn inconsistent(&self, problem: &str) -> Finding {
        let expected = "after the power cut and a boot, the disk is consistent";
        self.after_cut(
            Clause::SurvivesPowerCut,
            expected.into(),
            problem.to_owned(),
        )
    }

    /// A finding about the last operation before the power was cut.
    fn after_cut(&self, clause: Clause, expected: String, seen: String) -> Finding {
        let acting = |planned: &&super::Planned| !planned.operation.call.is_done_to_all();
        let last = self.done.iter().rfind(acting).copied();
        let process = last.map_or(Process::FIRST, |last| last.operation.process);
        self.finding_at(last, clause, process, expected, seen)
    }
}
