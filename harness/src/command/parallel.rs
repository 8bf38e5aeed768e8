//! What commands that try many things at once share: the number of threads, a progress bar.

use indicatif::{ProgressBar, ProgressStyle};

/// How many threads to use.
#[derive(clap::Args)]
pub(crate) struct Threads {
    /// Threads [default: one a processor]
    #[arg(long, short, value_name = "N")]
    jobs: Option<usize>,
}

impl Threads {
    /// The threads, started.
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
