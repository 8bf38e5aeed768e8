//! The parts that all parallel commands use: threads, progress bars, and Control-C.

use indicatif::{ProgressBar, ProgressStyle};
use signal_hook::consts::SIGINT;
use signal_hook::flag;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// How many threads to use.
#[derive(clap::Args)]
pub(crate) struct Threads {
    /// The number of threads [default: one for each processor]
    #[arg(long, short, value_name = "N")]
    jobs: Option<usize>,
}

impl Threads {
    /// Starts the threads.
    pub(crate) fn start(&self) -> miette::Result<rayon::ThreadPool> {
        rayon::ThreadPoolBuilder::new()
            .num_threads(self.jobs.unwrap_or(0))
            .build()
            .map_err(|error| miette::miette!("cannot start threads: {error}"))
    }
}

/// A bar that shows how many of `count` things are done; `what` names them.
pub(crate) fn bar(count: usize, what: &str) -> ProgressBar {
    let template = format!("{{bar:40}} {{pos}}/{{len}} {what}, {{eta}} left");
    let style = ProgressStyle::with_template(&template);
    ProgressBar::new(count as u64)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// A line that changes on a terminal; it prints nothing anywhere else.
pub(crate) fn line() -> ProgressBar {
    let style = ProgressStyle::with_template("{msg}");
    ProgressBar::new_spinner()
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
}

/// A flag that Control-C sets: the campaign then ends with its summary. A second Control-C ends the
/// program at once.
pub(crate) fn interrupt() -> miette::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let conclusion = 128 + SIGINT;
    flag::register_conditional_shutdown(SIGINT, conclusion, Arc::clone(&stop))
        .and_then(|_| flag::register(SIGINT, Arc::clone(&stop)))
        .map_err(|error| miette::miette!("cannot listen for Control-C: {error}"))?;
    Ok(stop)
}
