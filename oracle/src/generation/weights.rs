//! How often each fuzz target takes each idiom, operation, address and amount: one line for each.
//!
//! A weight is relative to the others of its column; 0 is never. To add an idiom: write its function
//! in a module of [`super::idioms`], and its line here.

use super::idioms::{
    Idiom, any_operation, files, forks, memory, paths, pipes, processes, programs, races, scarcity,
    stack, tables, turns,
};
use super::{Profile, addresses, amounts, operations};

/// Something to choose, and its weight for each profile, in the order of [`Profile::ALL`].
pub(super) type Row<T> = (T, [u8; Profile::COUNT]);

#[rustfmt::skip]
pub(super) const IDIOMS: &[Row<Idiom>] = &[
    //                               sbrk_faults
    //                               |   fork_cow
    //                               |   |   syscall_buffers
    //                               |   |   |   out_of_memory
    //                               |   |   |   |   stack_growth
    //                               |   |   |   |   |   processes
    //                               |   |   |   |   |   |   files
    //                               |   |   |   |   |   |   |   exec_images
    //                               |   |   |   |   |   |   |   |   schedules
    (any_operation,                 [29, 20, 20, 20, 16, 16, 14, 16, 20]),
    (memory::grow_and_touch,        [ 9,  6,  6,  6,  2,  2,  2,  1,  4]),
    (memory::grow_far_and_touch,    [ 3,  1,  1,  2,  1,  0,  0,  0,  0]),
    (memory::grow_far,              [ 3,  1,  1,  1,  1,  0,  0,  0,  0]),
    (memory::store_and_look,        [ 6,  3,  3,  2,  3,  1,  1,  2,  2]),
    (memory::shrink_and_regrow,     [ 3,  2,  1,  2,  0,  0,  0,  0,  1]),
    (memory::break_in_a_page,       [ 3,  1,  4,  0,  1,  0,  0,  0,  0]),
    (memory::shrink_by_bytes,       [ 3,  1,  1,  0,  0,  0,  0,  0,  0]),
    (memory::shrink_by_many,        [ 3,  2,  0,  1,  0,  0,  0,  0,  1]),
    (tables::across_tables,         [ 4,  3,  2,  1,  0,  0,  0,  0,  1]),
    (tables::table_given_back,      [ 4,  2,  0,  1,  0,  0,  0,  0,  0]),
    (tables::up_to_the_trapframe,   [ 2,  4,  0,  1,  1,  0,  0,  0,  0]),
    (forks::child,                  [ 3,  4,  1,  3,  2,  6,  2,  2,  8]),
    (forks::share_and_store,        [ 2, 12,  1,  2,  2,  1,  1,  3,  2]),
    (forks::last_holder,            [ 0,  6,  0,  2,  1,  2,  0,  1,  1]),
    (forks::shared_buffer,          [ 0, 12,  4,  2,  0,  0,  1,  1,  1]),
    (forks::shrink_shared,          [ 1,  4,  0,  1,  0,  0,  0,  0,  0]),
    (forks::three_generations,      [ 0,  4,  0,  1,  0,  2,  0,  0,  1]),
    (pipes::through_a_pipe,         [ 6,  5,  6,  2,  1,  2,  2,  1,  2]),
    (pipes::across_a_page_end,      [ 1,  2, 10,  2,  2,  0,  1,  1,  1]),
    (pipes::between_processes,      [ 1,  3,  4,  2,  1,  4,  2,  0,  6]),
    (pipes::fill_a_pipe,            [ 0,  0,  3,  1,  0,  3,  1,  0,  4]),
    (processes::wait,               [ 3,  3,  1,  2,  1,  5,  1,  1,  4]),
    (processes::kill,               [ 3,  2,  1,  1,  1,  5,  0,  1,  3]),
    (processes::birth_and_death,    [ 0,  3,  1,  2,  1,  8,  0,  1,  3]),
    (processes::orphan,             [ 0,  1,  0,  1,  0,  6,  0,  0,  1]),
    (processes::inheritance,        [ 0,  1,  0,  0,  0,  5,  0,  0,  1]),
    (processes::kill_the_family,    [ 0,  0,  0,  0,  0,  4,  0,  0,  2]),
    (processes::kill_a_sleeper,     [ 0,  0,  0,  1,  0,  6,  0,  0,  2]),
    (processes::kill_and_go_on,     [ 0,  1,  0,  0,  0,  4,  0,  0,  3]),
    (processes::many_children,      [ 0,  1,  0,  1,  0,  4,  0,  0,  1]),
    (scarcity::needy,               [ 3,  2,  2, 12,  2,  1,  1,  2,  1]),
    (scarcity::scarce,              [ 1,  1,  1,  4,  1,  0,  0,  1,  0]),
    (scarcity::one_frame_more,      [ 0,  0,  0,  6,  1,  0,  0,  0,  0]),
    (scarcity::half_of_a_large_call,[ 0,  1,  1, 10,  1,  1,  1,  3,  0]),
    (scarcity::refuse_one,          [ 2,  2,  1,  8,  1,  2,  1,  2,  1]),
    (scarcity::refuse_each,         [ 0,  0,  0,  6,  0,  1,  0,  1,  0]),
    (scarcity::frames_for_pages_only,[1,  0,  0,  5,  0,  0,  0,  0,  0]),
    (scarcity::forks_without_frames,[ 0,  1,  0,  5,  0,  2,  0,  0,  0]),
    (scarcity::last_holder_without_frames,
                                    [ 0,  2,  1,  5,  0,  0,  0,  0,  0]),
    (scarcity::use_up_descriptors,  [ 0,  0,  1,  2,  0,  2,  2,  0,  0]),
    (scarcity::compete,             [ 0,  1,  0,  5,  0,  1,  0,  0,  1]),
    (scarcity::copy_without_a_frame,[ 0,  2,  0,  6,  0,  0,  0,  0,  0]),
    (stack::grow_downwards,         [ 0,  0,  0,  1,  8,  0,  0,  2,  0]),
    (stack::jump_downwards,         [ 0,  0,  0,  1,  8,  0,  0,  2,  0]),
    (stack::down_to_the_guard,      [ 0,  0,  0,  0,  6,  0,  0,  1,  0]),
    (stack::call_into_a_hole,       [ 0,  0,  3,  1, 10,  0,  1,  1,  0]),
    (stack::child_with_a_stack,     [ 0,  2,  0,  1,  6,  0,  0,  1,  0]),
    (stack::one_stack_after_another,[ 0,  0,  0,  0,  4,  0,  0,  1,  0]),
    (stack::grow_without_frames,    [ 0,  0,  0,  1,  4,  0,  0,  0,  0]),
    (paths::path_and_use,           [ 3,  1,  4,  2,  1,  0,  6,  4,  1]),
    (paths::path_across_a_page_end, [ 0,  0,  6,  0,  1,  0,  4,  3,  0]),
    (files::open_and_read,          [ 3,  1,  5,  2,  1,  1,  8,  2,  1]),
    (files::shared_offset,          [ 0,  0,  1,  0,  0,  1,  8,  0,  2]),
    (files::reopen,                 [ 0,  0,  0,  0,  0,  0,  6,  0,  0]),
    (files::write_and_read_back,    [ 0,  0,  4,  1,  0,  0, 16,  0,  1]),
    (files::write_over,             [ 0,  0,  2,  1,  0,  0,  8,  0,  0]),
    (files::unlink_while_open,      [ 0,  0,  0,  0,  0,  1,  8,  0,  1]),
    (files::link_and_unlink,        [ 0,  0,  1,  0,  0,  0,  8,  0,  1]),
    (files::truncate,               [ 0,  0,  0,  0,  0,  0,  6,  0,  0]),
    (files::directories,            [ 0,  0,  0,  0,  0,  0, 10,  0,  1]),
    (files::removed_directory,      [ 0,  0,  0,  0,  0,  0,  4,  0,  0]),
    (files::device,                 [ 0,  0,  0,  0,  0,  0,  2,  0,  0]),
    (files::change_a_running_program,[0,  0,  0,  1,  0,  0,  6,  2,  0]),
    (files::written_together,       [ 0,  0,  1,  0,  0,  1,  6,  0,  2]),
    (paths::new_path_across_pages,  [ 0,  0,  4,  1,  0,  0,  3,  0,  0]),
    (programs::start_with_arguments,[ 3,  1,  4,  2,  3,  1,  2, 10,  1]),
    (programs::start_and_look,      [ 0,  1,  0,  2,  2,  0,  1, 10,  0]),
    (programs::call_into_an_unloaded_page,
                                    [ 0,  0,  5,  1,  0,  0,  0,  5,  0]),
    (programs::child_starts,        [ 0,  2,  0,  1,  1,  2,  0,  6,  1]),
    (programs::odd_program,         [ 0,  0,  0,  0,  2,  0,  0, 24,  0]),
    (programs::look_into_a_gap,     [ 0,  0,  0,  0,  0,  0,  0,  8,  0]),
    (programs::forge,               [ 0,  0,  0,  0,  0,  0,  1,  4,  0]),
    (programs::start_without_frames,[ 0,  0,  0,  2,  1,  0,  0,  4,  0]),
    (programs::most_arguments,      [ 0,  0,  1,  0,  0,  0,  0,  5,  0]),
    (programs::long_arguments,      [ 0,  0,  1,  0,  0,  0,  0,  6,  0]),
    (programs::argument_at_a_page_end,[ 0, 0,  2,  0,  1,  0,  0,  6,  0]),
    (turns::rounds,                 [ 0,  0,  0,  0,  0,  1,  0,  0,  6]),
    (turns::in_turn,                [ 0,  2,  0,  0,  0,  0,  0,  0, 10]),
    (turns::everybody,              [ 0,  1,  0,  0,  0,  2,  1,  0,  8]),
    (turns::sleep_meanwhile,        [ 0,  0,  0,  0,  0,  3,  0,  0,  6]),
    (races::of_anything,            [ 0,  1,  0,  1,  0,  2,  0,  0, 10]),
    (races::for_shared_pages,       [ 0,  4,  0,  1,  0,  0,  0,  0, 20]),
    (races::of_sharers,             [ 0,  2,  0,  0,  0,  0,  0,  0, 12]),
    (races::of_births_and_deaths,   [ 0,  0,  0,  0,  0,  4,  0,  0, 16]),
    (races::of_kill_and_sleep,      [ 0,  0,  0,  0,  0,  3,  0,  0, 14]),
    (races::of_breaks,              [ 0,  0,  0,  0,  0,  0,  0,  0, 10]),
    (races::for_the_last_frames,    [ 0,  0,  0,  3,  0,  0,  0,  0,  4]),
    (races::move_to_another_hart,   [ 0,  0,  0,  0,  0,  0,  0,  0,  8]),
];

#[rustfmt::skip]
pub(super) const OPERATIONS: &[Row<operations::Maker>] = &[
    //                      sbrk_faults
    //                      |   fork_cow
    //                      |   |   syscall_buffers
    //                      |   |   |   out_of_memory
    //                      |   |   |   |   stack_growth
    //                      |   |   |   |   |   processes
    //                      |   |   |   |   |   |   files
    //                      |   |   |   |   |   |   |   exec_images
    //                      |   |   |   |   |   |   |   |   schedules
    (operations::access,    [11, 12,  6,  8, 14,  3,  3, 10,  6]),
    (operations::touch,     [ 4,  6,  2,  6,  8,  1,  1,  6,  2]),
    (operations::fetch,     [ 1,  1,  1,  1,  1,  1,  1,  4,  1]),
    (operations::sbrk,      [ 7,  4,  4,  4,  2,  2,  1,  1,  3]),
    (operations::sbrk_far,  [ 1,  1,  1,  1,  1,  1,  1,  1,  1]),
    (operations::fork,      [ 2,  4,  1,  3,  2,  5,  1,  2,  4]),
    (operations::exit,      [ 1,  2,  1,  1,  1,  4,  1,  1,  1]),
    (operations::wait,      [ 2,  2,  3,  2,  2,  5,  1,  1,  3]),
    (operations::kill,      [ 1,  2,  1,  1,  1,  5,  1,  1,  2]),
    (operations::getpid,    [ 1,  1,  1,  1,  1,  2,  1,  1,  1]),
    (operations::pipe,      [ 1,  1,  3,  2,  1,  2,  2,  1,  1]),
    (operations::read,      [ 2,  2,  6,  5,  2,  2,  6,  2,  3]),
    (operations::write,     [ 2,  2,  6,  2,  2,  2,  4,  2,  3]),
    (operations::close,     [ 1,  1,  2,  1,  1,  1,  3,  1,  1]),
    (operations::dup,       [ 1,  1,  2,  1,  1,  1,  3,  1,  1]),
    (operations::fstat,     [ 1,  1,  3,  1,  1,  1,  4,  1,  1]),
    (operations::string,    [ 1,  1,  3,  1,  1,  1,  4,  3,  1]),
    (operations::point,     [ 1,  1,  2,  1,  1,  1,  1,  4,  1]),
    (operations::path_call, [ 1,  1,  3,  1,  1,  1,  6,  4,  1]),
    (operations::link,      [ 1,  1,  1,  1,  1,  1,  3,  1,  1]),
    (operations::uptime,    [ 1,  1,  1,  1,  1,  2,  1,  1,  3]),
    (operations::pause,     [ 1,  1,  1,  1,  1,  4,  1,  1,  4]),
    (operations::give_way,  [ 1,  1,  1,  1,  1,  2,  1,  1,  6]),
    (operations::frames,    [ 1,  1,  1,  6,  1,  1,  1,  1,  1]),
    (operations::fail_frame,[ 1,  1,  1,  6,  1,  1,  1,  1,  1]),
    (operations::together,  [ 1,  1,  1,  1,  1,  1,  1,  1,  4]),
];

#[rustfmt::skip]
pub(super) const ADDRESSES: &[Row<addresses::Maker>] = &[
    //                      sbrk_faults
    //                      |   fork_cow
    //                      |   |   syscall_buffers
    //                      |   |   |   out_of_memory
    //                      |   |   |   |   stack_growth
    //                      |   |   |   |   |   processes
    //                      |   |   |   |   |   |   files
    //                      |   |   |   |   |   |   |   exec_images
    //                      |   |   |   |   |   |   |   |   schedules
    (addresses::heap,       [ 6,  6,  3,  6,  2,  3,  4,  1,  6]),
    (addresses::near_break, [ 4,  3,  4,  4,  1,  2,  2,  1,  3]),
    (addresses::memory,     [ 4,  6,  3,  3,  2,  8,  8,  4,  6]),
    (addresses::page_end,   [ 0,  1,  8,  1,  2,  1,  4,  2,  1]),
    (addresses::middle,     [ 0,  1,  1,  2,  0,  0,  0,  0,  0]),
    (addresses::stack,      [ 0,  1,  1,  1, 12,  0,  1,  2,  1]),
    (addresses::guard,      [ 0,  0,  1,  0,  4,  0,  0,  0,  0]),
    (addresses::image,      [ 0,  3,  2,  1,  1,  0,  1,  8,  1]),
    (addresses::anywhere,   [ 2,  1,  3,  1,  1,  1,  1,  1,  1]),
];

#[rustfmt::skip]
pub(super) const AMOUNTS: &[Row<amounts::Maker>] = &[
    //                      sbrk_faults
    //                      |   fork_cow
    //                      |   |   syscall_buffers
    //                      |   |   |   out_of_memory
    //                      |   |   |   |   stack_growth
    //                      |   |   |   |   |   processes
    //                      |   |   |   |   |   |   files
    //                      |   |   |   |   |   |   |   exec_images
    //                      |   |   |   |   |   |   |   |   schedules
    (amounts::small,        [ 4,  4,  6,  5,  4,  4,  4,  4,  4]),
    (amounts::fewer_pages,  [ 2,  3,  1,  2,  1,  1,  1,  1,  2]),
    (amounts::fewer_bytes,  [ 1,  1,  1,  1,  1,  1,  1,  1,  1]),
    (amounts::nothing,      [ 1,  1,  1,  1,  1,  1,  1,  1,  1]),
    (amounts::back,         [ 1,  1,  1,  1,  1,  1,  1,  1,  1]),
    (amounts::large,        [ 1,  1,  1,  1,  1,  1,  0,  0,  1]),
];

#[cfg(test)]
mod tests {
    use super::{ADDRESSES, AMOUNTS, IDIOMS, OPERATIONS, Profile, Row};

    fn each_row_serves_a_target<T>(rows: &[Row<T>]) {
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
        each_row_serves_a_target(IDIOMS);
        each_row_serves_a_target(OPERATIONS);
        each_row_serves_a_target(ADDRESSES);
        each_row_serves_a_target(AMOUNTS);
        // A corpus of one target may seed another: each can make every operation.
        assert!(
            OPERATIONS
                .iter()
                .all(|(_, weights)| weights.iter().all(|weight| *weight > 0))
        );
    }
}
