//! The machine's public face.
#![allow(clippy::todo, unused_variables, missing_docs)]

use crate::{BuildError, Config, Exit, OutOfRange, Trap};
use std::sync::Arc;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Privilege {
    User = 0,
    Supervisor = 1,
    Machine = 3,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapping {
    pub virtual_address: u64,
    pub physical: u64,
    pub pte: u64,
    pub level: u8,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResetStats {
    pub dirty_pages: usize,
}
pub struct Snapshot {}
pub struct Machine {}

impl Machine {
    pub fn new(config: &Config, elf: &[u8], disk_image: Vec<u8>) -> Result<Machine, BuildError> {
        todo!()
    }
    pub fn run(&mut self, budget: u64) -> Exit {
        todo!()
    }
    pub fn run_hart(&mut self, hart: usize, budget: u64) -> Exit {
        todo!()
    }
    pub fn snapshot(&mut self) -> Arc<Snapshot> {
        todo!()
    }
    pub fn from_snapshot(base: &Arc<Snapshot>) -> Machine {
        todo!()
    }
    pub fn reset(&mut self) -> ResetStats {
        todo!()
    }
    pub fn pc(&self, hart: usize) -> u64 {
        todo!()
    }
    pub fn set_pc(&mut self, hart: usize, pc: u64) {
        todo!()
    }
    pub fn x(&self, hart: usize, register: usize) -> u64 {
        todo!()
    }
    pub fn set_x(&mut self, hart: usize, register: usize, value: u64) {
        todo!()
    }
    pub fn csr(&self, hart: usize, number: u16) -> Option<u64> {
        todo!()
    }
    pub fn set_csr(&mut self, hart: usize, number: u16, value: u64) -> Option<()> {
        todo!()
    }
    pub fn privilege(&self, hart: usize) -> Privilege {
        todo!()
    }
    pub fn set_privilege(&mut self, hart: usize, privilege: Privilege) {
        todo!()
    }
    pub fn read_physical(&self, address: u64, out: &mut [u8]) -> Result<(), OutOfRange> {
        todo!()
    }
    pub fn write_physical(&mut self, address: u64, data: &[u8]) -> Result<(), OutOfRange> {
        todo!()
    }
    pub fn read_u64(&self, address: u64) -> Option<u64> {
        todo!()
    }
    pub fn write_u64(&mut self, address: u64, value: u64) -> Option<()> {
        todo!()
    }
    pub fn translate(&self, satp: u64, address: u64) -> Option<Mapping> {
        todo!()
    }
    pub fn mappings(&self, satp: u64, each: &mut dyn FnMut(Mapping)) {
        todo!()
    }
    pub fn page_table_pages(&self, satp: u64, each: &mut dyn FnMut(u64)) {
        todo!()
    }
    pub fn console_output(&mut self) -> Vec<u8> {
        todo!()
    }
    pub fn console_input(&mut self, bytes: &[u8]) -> usize {
        todo!()
    }
    pub fn retired(&self) -> u64 {
        todo!()
    }
    pub fn raise_timer(&mut self, hart: usize) -> bool {
        todo!()
    }
    pub fn last_user_trap(&self, hart: usize) -> Option<Trap> {
        todo!()
    }
    pub fn clear_last_user_trap(&mut self, hart: usize) {
        todo!()
    }
    pub fn set_breakpoint(&mut self, pc: u64) {
        todo!()
    }
    pub fn clear_breakpoint(&mut self, pc: u64) {
        todo!()
    }
    pub fn edges(&self) -> &[u8] {
        todo!()
    }
    pub fn edges_mut(&mut self) -> &mut [u8] {
        todo!()
    }
    pub fn edge_location(&self, index: usize) -> Option<u64> {
        todo!()
    }
    pub fn disk(&self) -> Vec<u8> {
        todo!()
    }
}
