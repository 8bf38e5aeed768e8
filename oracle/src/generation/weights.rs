//! How often each fuzz target takes what: the idioms, operations, addresses and amounts of a case.
//!
//! A row is a thing to choose and its usual weight, and after `but` the targets with another weight. A
//! weight is relative to the others of its target; 0 is never. To add an idiom, write its function in a
//! module of [`super::idioms`], and its row here. A new target has the usual weights; name it in the rows
//! that it prefers or avoids.

use super::idioms::{
    Idiom, any_operation, crashes, crowds, files, forks, full_disk, leaks, memory, paths, pipes,
    processes, programs, races, scarcity, stack, tables, turns,
};
use super::{Profile, addresses, amounts, operations};

/// Something to choose, and its weight for each profile, in the order of [`Profile::ALL`].
pub(super) type Row<T> = (T, [u8; Profile::COUNT]);

macro_rules! preferences {
    (
        $(#[$about:meta])*
        $TABLE:ident: $Thing:ty {
            $( $thing:path: $usual:literal $(but $($Target:ident $weight:literal),+)?; )+
        }
    ) => {
        $(#[$about])*
        pub(super) const $TABLE: &[Row<$Thing>] = &[
            $( ($thing, weights($usual, &[$($((Profile::$Target, $weight)),+)?])), )+
        ];
    };
}

/// The weights of a row: the usual one, except for the targets with another weight.
const fn weights(usual: u8, others: &[(Profile, u8)]) -> [u8; Profile::COUNT] {
    let mut weights = [usual; Profile::COUNT];
    let mut at = 0;
    while at < others.len() {
        let (target, weight) = others[at];
        weights[target as usize] = weight;
        at += 1;
    }
    weights
}

preferences! {
    /// Idioms: a few operations that belong together. An idiom is used only by targets that give it a weight.
    IDIOMS: Idiom {
        any_operation: 16 but SbrkFaults 29, ForkCow 20, SyscallBuffers 20, OutOfMemory 20,
            Files 14, Schedules 20;
        memory::grow_and_touch: 0 but SbrkFaults 9, ForkCow 6, SyscallBuffers 6, OutOfMemory 6,
            StackGrowth 2, Processes 2, Files 2, ExecImages 1, Schedules 4;
        memory::grow_far_and_touch: 0 but SbrkFaults 3, ForkCow 1, SyscallBuffers 1, OutOfMemory 2,
            StackGrowth 1;
        memory::grow_far: 0 but SbrkFaults 3, ForkCow 1, SyscallBuffers 1, OutOfMemory 1,
            StackGrowth 1;
        memory::store_and_look: 0 but SbrkFaults 6, ForkCow 3, SyscallBuffers 3, OutOfMemory 2,
            StackGrowth 3, Processes 1, Files 1, ExecImages 2, Schedules 2;
        memory::shrink_and_regrow: 0 but SbrkFaults 3, ForkCow 2, SyscallBuffers 1, OutOfMemory 2,
            Schedules 1;
        memory::break_in_a_page: 0 but SbrkFaults 3, ForkCow 1, SyscallBuffers 4, StackGrowth 1;
        memory::shrink_by_bytes: 0 but SbrkFaults 3, ForkCow 1, SyscallBuffers 1;
        memory::shrink_by_many: 0 but SbrkFaults 3, ForkCow 2, OutOfMemory 1, Schedules 1;
        tables::across_tables: 0 but SbrkFaults 4, ForkCow 3, SyscallBuffers 2, OutOfMemory 1,
            Schedules 1;
        tables::table_given_back: 0 but SbrkFaults 4, ForkCow 2, OutOfMemory 1;
        tables::up_to_the_trapframe: 0 but SbrkFaults 2, ForkCow 4, OutOfMemory 1, StackGrowth 1;
        forks::child: 0 but SbrkFaults 3, ForkCow 4, SyscallBuffers 1, OutOfMemory 3,
            StackGrowth 2, Processes 6, Files 2, ExecImages 2, Schedules 8;
        forks::share_and_store: 0 but SbrkFaults 2, ForkCow 12, SyscallBuffers 1, OutOfMemory 2,
            StackGrowth 2, Processes 1, Files 1, ExecImages 3, Schedules 2;
        forks::last_holder: 0 but ForkCow 6, OutOfMemory 2, StackGrowth 1, Processes 2,
            ExecImages 1, Schedules 1;
        forks::shared_buffer: 0 but ForkCow 12, SyscallBuffers 4, OutOfMemory 2, Files 1,
            ExecImages 1, Schedules 1;
        forks::shrink_shared: 0 but SbrkFaults 1, ForkCow 4, OutOfMemory 1;
        forks::three_generations: 0 but ForkCow 4, OutOfMemory 1, Processes 2, Schedules 1;
        pipes::through_a_pipe: 0 but SbrkFaults 6, ForkCow 5, SyscallBuffers 6, OutOfMemory 2,
            StackGrowth 1, Processes 2, Files 2, ExecImages 1, Schedules 2;
        pipes::across_a_page_end: 0 but SbrkFaults 1, ForkCow 2, SyscallBuffers 10, OutOfMemory 2,
            StackGrowth 2, Files 1, ExecImages 1, Schedules 1;
        pipes::between_processes: 0 but SbrkFaults 1, ForkCow 3, SyscallBuffers 4, OutOfMemory 2,
            StackGrowth 1, Processes 4, Files 2, Schedules 6;
        pipes::fill_a_pipe: 0 but SyscallBuffers 3, OutOfMemory 1, Processes 3, Files 1,
            Schedules 4;
        processes::wait: 0 but SbrkFaults 3, ForkCow 3, SyscallBuffers 1, OutOfMemory 2,
            StackGrowth 1, Processes 5, Files 1, ExecImages 1, Schedules 4;
        processes::kill: 0 but SbrkFaults 3, ForkCow 2, SyscallBuffers 1, OutOfMemory 1,
            StackGrowth 1, Processes 5, ExecImages 1, Schedules 3;
        processes::birth_and_death: 0 but ForkCow 3, SyscallBuffers 1, OutOfMemory 2,
            StackGrowth 1, Processes 8, ExecImages 1, Schedules 3;
        processes::orphan: 0 but ForkCow 1, OutOfMemory 1, Processes 6, Schedules 1;
        processes::inheritance: 0 but ForkCow 1, Processes 5, Schedules 1;
        processes::kill_the_family: 0 but Processes 4, Schedules 2;
        processes::kill_a_sleeper: 0 but OutOfMemory 1, Processes 6, Schedules 2;
        processes::kill_and_go_on: 0 but ForkCow 1, Processes 4, Schedules 3;
        processes::many_children: 0 but ForkCow 1, OutOfMemory 1, Processes 4, Schedules 1;
        crowds::share_with_many: 1;
        crowds::fill_the_table: 0 but Processes 1;
        scarcity::needy: 0 but SbrkFaults 3, ForkCow 2, SyscallBuffers 2, OutOfMemory 12,
            StackGrowth 2, Processes 1, Files 1, ExecImages 2, Schedules 1;
        scarcity::scarce: 0 but SbrkFaults 1, ForkCow 1, SyscallBuffers 1, OutOfMemory 4,
            StackGrowth 1, ExecImages 1;
        scarcity::one_frame_more: 0 but OutOfMemory 6, StackGrowth 1;
        scarcity::half_of_a_large_call: 0 but ForkCow 1, SyscallBuffers 1, OutOfMemory 11,
            StackGrowth 1, Processes 1, Files 1, ExecImages 3;
        scarcity::refuse_one: 0 but SbrkFaults 2, ForkCow 2, SyscallBuffers 1, OutOfMemory 8,
            StackGrowth 1, Processes 2, Files 1, ExecImages 2, Schedules 1;
        scarcity::refuse_each: 0 but OutOfMemory 6, Processes 1, ExecImages 1;
        scarcity::frames_for_pages_only: 0 but SbrkFaults 1, OutOfMemory 5;
        scarcity::refused_growth_within_a_page: 0 but SbrkFaults 1, OutOfMemory 4;
        scarcity::forks_without_frames: 0 but ForkCow 1, OutOfMemory 5, Processes 2;
        scarcity::last_holder_without_frames: 0 but ForkCow 2, SyscallBuffers 1, OutOfMemory 5;
        scarcity::use_up_descriptors: 0 but SyscallBuffers 1, OutOfMemory 2, Processes 2, Files 2;
        scarcity::compete: 0 but ForkCow 1, OutOfMemory 5, Processes 1, Schedules 1;
        scarcity::copy_without_a_frame: 0 but ForkCow 2, OutOfMemory 6;
        stack::grow_downwards: 0 but OutOfMemory 1, StackGrowth 8, ExecImages 2;
        stack::jump_downwards: 0 but OutOfMemory 1, StackGrowth 8, ExecImages 2;
        stack::down_to_the_guard: 0 but StackGrowth 6, ExecImages 1;
        stack::call_into_a_hole: 0 but SyscallBuffers 3, OutOfMemory 1, StackGrowth 10, Files 1,
            ExecImages 1;
        stack::child_with_a_stack: 0 but ForkCow 2, OutOfMemory 1, StackGrowth 6, ExecImages 1;
        stack::one_stack_after_another: 0 but StackGrowth 4, ExecImages 1;
        stack::grow_without_frames: 0 but OutOfMemory 1, StackGrowth 4;
        stack::elsewhere: 0 but SbrkFaults 2, ForkCow 1, SyscallBuffers 1, OutOfMemory 1,
            StackGrowth 3, ExecImages 1;
        paths::path_and_use: 0 but SbrkFaults 3, ForkCow 1, SyscallBuffers 4, OutOfMemory 2,
            StackGrowth 1, Files 6, ExecImages 4, Schedules 1;
        paths::path_across_a_page_end: 0 but SyscallBuffers 6, StackGrowth 1, Files 4,
            ExecImages 3;
        files::open_and_read: 0 but SbrkFaults 3, ForkCow 1, SyscallBuffers 5, OutOfMemory 2,
            StackGrowth 1, Processes 1, Files 8, ExecImages 2, Schedules 1;
        files::shared_offset: 0 but SyscallBuffers 1, Processes 1, Files 8, Schedules 2;
        files::reopen: 0 but Files 6;
        files::write_and_read_back: 0 but SyscallBuffers 4, OutOfMemory 1, Files 16, Schedules 1;
        files::write_over: 0 but SyscallBuffers 2, OutOfMemory 1, Files 8;
        files::unlink_while_open: 0 but Processes 1, Files 8, Schedules 1;
        files::link_and_unlink: 0 but SyscallBuffers 1, Files 8, Schedules 1;
        files::truncate: 0 but Files 6;
        files::directories: 0 but Files 10, Schedules 1;
        files::removed_directory: 0 but Files 4;
        files::device: 0 but Files 2;
        files::change_a_running_program: 0 but OutOfMemory 1, Files 6, ExecImages 2;
        files::written_together: 0 but SyscallBuffers 1, Processes 1, Files 6, Schedules 2;
        files::console: 0 but SyscallBuffers 2, OutOfMemory 1, Processes 1, Files 3;
        full_disk::few_blocks: 0 but SyscallBuffers 1, Files 6;
        full_disk::few_inodes: 0 but Files 2;
        crashes::cut_short: 0 but Files 2;
        leaks::fail_until_full: 0 but SyscallBuffers 1, Processes 1, Files 2;
        leaks::fail_on_a_new_file: 0 but SyscallBuffers 1, OutOfMemory 1, Files 4;
        paths::new_path_across_pages: 0 but SyscallBuffers 4, OutOfMemory 1, Files 3;
        programs::start_with_arguments: 0 but SbrkFaults 3, ForkCow 1, SyscallBuffers 4,
            OutOfMemory 2, StackGrowth 3, Processes 1, Files 2, ExecImages 10, Schedules 1;
        programs::start_and_look: 0 but ForkCow 1, OutOfMemory 2, StackGrowth 2, Files 1,
            ExecImages 10;
        programs::call_into_an_unloaded_page: 0 but SyscallBuffers 5, OutOfMemory 1, ExecImages 5;
        programs::child_starts: 0 but ForkCow 2, OutOfMemory 1, StackGrowth 1, Processes 2,
            ExecImages 6, Schedules 1;
        programs::odd_program: 0 but StackGrowth 2, ExecImages 24;
        programs::look_into_a_gap: 0 but ExecImages 8;
        programs::forge: 0 but Files 1, ExecImages 4;
        programs::start_without_frames: 0 but OutOfMemory 2, StackGrowth 1, ExecImages 4;
        programs::most_arguments: 0 but SyscallBuffers 1, ExecImages 5;
        programs::long_arguments: 0 but SyscallBuffers 1, ExecImages 6;
        programs::argument_at_a_page_end: 0 but SyscallBuffers 2, StackGrowth 1, ExecImages 6;
        turns::rounds: 0 but Processes 1, Schedules 6;
        turns::in_turn: 0 but ForkCow 2, Schedules 10;
        turns::everybody: 0 but ForkCow 1, Processes 2, Files 1, Schedules 8;
        turns::sleep_meanwhile: 0 but Processes 3, Schedules 6;
        races::of_anything: 0 but ForkCow 1, OutOfMemory 1, Processes 2, Schedules 10;
        races::for_shared_pages: 0 but ForkCow 4, OutOfMemory 1, Schedules 20;
        races::of_sharers: 0 but ForkCow 2, Schedules 12;
        races::of_births_and_deaths: 0 but Processes 4, Schedules 16;
        races::of_kill_and_sleep: 0 but Processes 3, Schedules 14;
        races::of_breaks: 0 but Schedules 10;
        races::for_the_last_frames: 0 but OutOfMemory 3, Schedules 4;
        races::of_files: 0 but Files 6, Schedules 12;
        races::move_to_another_hart: 0 but Schedules 8;
    }
}

preferences! {
    /// Operations on their own. Every target makes each of them now and then: a corpus of one target may seed
    /// another.
    OPERATIONS: operations::Maker {
        operations::access: 3 but SbrkFaults 11, ForkCow 12, SyscallBuffers 6, OutOfMemory 8,
            StackGrowth 14, ExecImages 10, Schedules 6;
        operations::touch: 6 but SbrkFaults 4, SyscallBuffers 2, StackGrowth 8, Processes 1,
            Files 1, Schedules 2;
        operations::fetch: 1 but ExecImages 4;
        operations::sbrk: 4 but SbrkFaults 7, StackGrowth 2, Processes 2, Files 1, ExecImages 1,
            Schedules 3;
        operations::sbrk_far: 1;
        operations::fork: 2 but ForkCow 4, SyscallBuffers 1, OutOfMemory 3, Processes 5, Files 1,
            Schedules 4;
        operations::exit: 1 but ForkCow 2, Processes 4;
        operations::wait: 2 but SyscallBuffers 3, Processes 5, Files 1, ExecImages 1, Schedules 3;
        operations::kill: 1 but ForkCow 2, Processes 5, Schedules 2;
        operations::getpid: 1 but Processes 2;
        operations::pipe: 1 but SyscallBuffers 3, OutOfMemory 2, Processes 2, Files 2;
        operations::read: 2 but SyscallBuffers 6, OutOfMemory 5, Files 6, Schedules 3;
        operations::write: 2 but SyscallBuffers 6, Files 4, Schedules 3;
        operations::close: 1 but SyscallBuffers 2, Files 3;
        operations::dup: 1 but SyscallBuffers 2, Files 3;
        operations::fstat: 1 but SyscallBuffers 3, Files 4;
        operations::string: 1 but SyscallBuffers 3, Files 4, ExecImages 3;
        operations::point: 1 but SyscallBuffers 2, ExecImages 4;
        operations::path_call: 1 but SyscallBuffers 3, Files 6, ExecImages 4;
        operations::link: 1 but Files 3;
        operations::uptime: 1 but Processes 2, Schedules 3;
        operations::pause: 1 but Processes 4, Schedules 4;
        operations::unknown_call: 1;
        operations::high_half: 1 but SyscallBuffers 2, Processes 2, Files 2;
        operations::stack: 1 but SbrkFaults 2, StackGrowth 2;
        operations::type_keys: 1;
        operations::give_way: 1 but Processes 2, Schedules 6;
        operations::machine: 1;
        operations::frames: 1 but OutOfMemory 6;
        operations::fail_frame: 1 but OutOfMemory 6;
        operations::blocks: 1;
        operations::power_cut: 1;
        operations::together: 1 but Schedules 4;
    }
}

preferences! {
    /// Where operations act.
    ADDRESSES: addresses::Maker {
        addresses::heap: 6 but SyscallBuffers 3, StackGrowth 2, Processes 3, Files 4, ExecImages 1;
        addresses::near_break: 4 but ForkCow 3, StackGrowth 1, Processes 2, Files 2, ExecImages 1,
            Schedules 3;
        addresses::memory: 3 but SbrkFaults 4, ForkCow 6, StackGrowth 2, Processes 8, Files 8,
            ExecImages 4, Schedules 6;
        addresses::page_end: 1 but SbrkFaults 0, SyscallBuffers 8, StackGrowth 2, Files 4,
            ExecImages 2;
        addresses::middle: 0 but ForkCow 1, SyscallBuffers 1, OutOfMemory 2;
        addresses::stack: 1 but SbrkFaults 0, StackGrowth 12, Processes 0, ExecImages 2;
        addresses::guard: 0 but SyscallBuffers 1, StackGrowth 4;
        addresses::image: 1 but SbrkFaults 0, ForkCow 3, SyscallBuffers 2, Processes 0,
            ExecImages 8;
        addresses::anywhere: 1 but SbrkFaults 2, SyscallBuffers 3;
    }
}

preferences! {
    /// By how much the program break moves.
    AMOUNTS: amounts::Maker {
        amounts::small: 4 but SyscallBuffers 6, OutOfMemory 5;
        amounts::fewer_pages: 1 but SbrkFaults 2, ForkCow 3, OutOfMemory 2, Schedules 2;
        amounts::fewer_bytes: 1;
        amounts::nothing: 1;
        amounts::back: 1;
        amounts::large: 1 but Files 0, ExecImages 0;
    }
}

#[cfg(test)]
mod tests {
    use super::{ADDRESSES, AMOUNTS, IDIOMS, OPERATIONS, Profile, Row};

    fn each_row_serves_somebody<T>(rows: &[Row<T>]) {
        assert!(
            rows.iter()
                .all(|(_, weights)| weights.iter().any(|weight| *weight > 0))
        );
        for profile in Profile::ALL {
            let column = profile as usize;
            assert!(
                rows.iter().any(|(_, weights)| weights[column] > 0),
                "{profile}"
            );
        }
    }

    #[test]
    fn no_row_and_no_column_is_empty() {
        each_row_serves_somebody(IDIOMS);
        each_row_serves_somebody(OPERATIONS);
        each_row_serves_somebody(ADDRESSES);
        each_row_serves_somebody(AMOUNTS);
        // A corpus of one target may seed another: each can make every operation.
        assert!(
            OPERATIONS
                .iter()
                .all(|(_, weights)| weights.iter().all(|weight| *weight > 0))
        );
    }
}
