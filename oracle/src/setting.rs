//! What every case starts from: the first process, its program, the files.

use crate::case::{FULL_LENGTH_NAME, Variation};
use crate::dialect::Dialect;
use crate::files::Files;
use crate::layout::{AGENT_CODE, Layout, PAGE_SIZE, RETURN};
use crate::program_file::{self, Program};
use crate::specimens::{Material, Specimen, agent_file};
use std::sync::Arc;

/// The name of the agent that a kernel starts first.
const PLAIN_AGENT: &str = "init";
/// The agent in a file that asks for a stack that grows.
const GROWING_AGENT: &str = "grow";
/// Bytes of the file that is not a program: more than two blocks, and not a multiple of a block.
const NO_PROGRAM_BYTES: usize = 3000;

/// What the harness found on the booted kernel, and what it planted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Process `a`'s identifier.
    pub first_pid: u64,
    /// The most processes besides the supervisor that there can be at once, if that is known.
    pub most_processes: Option<u64>,
    /// What process `a` runs when a case starts.
    pub booted: Arc<Program>,
    /// What paths lead to.
    pub files: Files,
    /// The variations of the machine that the kernel was written for. No other one is asked of it.
    pub variations: Vec<Variation>,
    /// Whether cases may cut the power: the kernel can be booted again in short time.
    pub can_reboot: bool,
}

/// The files that cases work with, by their names in the root directory: the agent, specimens of
/// odd program files, and one that is not a program.
pub fn planted_files(material: Material<'_>) -> Vec<(&'static str, Vec<u8>)> {
    let growing = Some(abi::limits::GROWING_STACK_PAGES * PAGE_SIZE);
    let no_program = (0..NO_PROGRAM_BYTES).map(|at| (at % 251) as u8);
    let agents = [
        (PLAIN_AGENT, agent_file(material, None)),
        (GROWING_AGENT, agent_file(material, growing)),
        (FULL_LENGTH_NAME, no_program.collect()),
    ];
    let specimens = Specimen::ALL.iter();
    let specimens = specimens.map(|specimen| (specimen.name, specimen.file(material)));
    agents.into_iter().chain(specimens).collect()
}

impl Setting {
    /// A setting where no kernel was booted, for tests and for repair: files of the size of the
    /// real ones, with a text that does not hold the agent's code.
    pub fn nominal(dialect: &Dialect, first_pid: u64) -> Setting {
        let layout = Layout::nominal();
        let mut text = ECALL.to_le_bytes().repeat(AGENT_CODE / ECALL_BYTES);
        let returns = (layout.text.end as usize - AGENT_CODE) / 2;
        text.extend(RETURN.to_le_bytes().repeat(returns));
        let data: Vec<u8> = (0..NOMINAL_DATA_BYTES).map(|at| (at % 251) as u8).collect();
        let material = Material {
            text: &text,
            data: &data,
        };
        let planted = planted_files(material);
        let agent = program_file::parse(&planted[0].1, dialect);
        Setting {
            first_pid,
            most_processes: Some(abi::limits::PROCESSES as u64 - 1),
            booted: Arc::new(agent.expect("the agent's own file has nothing odd about it")),
            files: Files::flat(&planted),
            variations: Variation::ALL.to_vec(),
            can_reboot: true,
        }
    }

    /// The inode of the agent's file that the kernel starts first; 0 if there is none.
    pub fn supervisor_file(&self) -> u32 {
        let found = self.files.find(PLAIN_AGENT.as_bytes());
        found.map_or(0, |node| node.inode)
    }
}

/// A placeholder for the agent's code where it is not known: environment calls.
const ECALL: u32 = 0x73;
const ECALL_BYTES: usize = size_of::<u32>();
/// Bytes of the agent's data in its file, about.
const NOMINAL_DATA_BYTES: usize = PAGE_SIZE as usize - 0x180;
