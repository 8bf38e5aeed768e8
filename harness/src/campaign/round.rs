//! One round of a campaign: all threads work on its tasks.

use super::course::Course;
use super::task::{Done, Task, Worker};
use crate::fuzzing::{Progress, Session};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Does `tasks`, each on one of `sessions`, and gives the result of each. `None`: the campaign was
/// interrupted, or its time was over, before the task was begun.
pub(super) fn run(
    course: &Course<'_>,
    sessions: &mut [Session],
    tasks: &[Task],
    tell: &(impl Fn(&Progress<'_>) + Sync),
) -> Vec<Option<Done>> {
    let results: Vec<OnceLock<Done>> = tasks.iter().map(|_| OnceLock::new()).collect();
    let numbers = numbers(course, tasks);
    let (next, executions) = (AtomicUsize::new(0), AtomicU64::new(0));
    rayon::scope(|scope| {
        for session in sessions {
            scope.spawn(|_| {
                let mut worker = Worker::new(session);
                while course.may_go_on() {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(task) = tasks.get(at) else { break };
                    let done = worker.perform(task, numbers[at], course);
                    let more = done.totals.executions;
                    let mut totals = course.totals;
                    totals.executions += executions.fetch_add(more, Ordering::Relaxed) + more;
                    // No other thread has this task.
                    let _ = results[at].set(done);
                    tell(&course.progress(&totals));
                }
            });
        }
    });
    results.into_iter().map(OnceLock::into_inner).collect()
}

/// For each task, how many executions are begun before it.
fn numbers(course: &Course<'_>, tasks: &[Task]) -> Vec<u64> {
    let runs = |task: &Task| matches!(task, Task::Run(..) | Task::Open(_) | Task::Make(_));
    let before = tasks.iter().scan(course.totals.executions, |begun, task| {
        let number = *begun;
        *begun += u64::from(runs(task));
        Some(number)
    });
    before.collect()
}
