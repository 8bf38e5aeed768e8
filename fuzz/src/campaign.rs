//! A campaign in one process: the session, its counters, its findings.

use crate::counters::Counters;
use crate::input::Input;
use crate::status::Status;
use faultline::Profile;
use faultline::check::open_session;
use faultline::fuzzing::{Alarm, Execution, Progress, Session};
use faultline::triage::Found;
use faultline::triage::finding_file::{self, Destination};
use libfuzzer_sys::Corpus;
use std::env;
use std::process::{abort, exit};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// Set to `1`: continue after a finding and collect more, where libFuzzer would stop at the first.
const KEEP_GOING_VARIABLE: &str = "FAULTLINE_KEEP_GOING";

/// The exit code of a campaign that collected findings.
const EXIT_FINDINGS: i32 = 1;

/// Set by `cargo fuzz fmt`: the input is printed, not run.
const FORMAT_VARIABLE: &str = "RUST_LIBFUZZER_DEBUG_PATH";

static CAMPAIGN: OnceLock<Mutex<Campaign>> = OnceLock::new();

struct Campaign {
    target: Profile,
    session: Session,
    counters: Counters,
    started: Option<Instant>,
    status: Status,
    keep_going: bool,
    findings: Vec<Found>,
}

unsafe extern "C" {
    safe fn atexit(callback: extern "C" fn()) -> i32;
    safe fn _exit(code: i32) -> !;
}

/// Boots the kernel and registers the counters; libFuzzer calls it before the first execution.
///
/// Ends the process with a message if there is no kernel to fuzz.
pub fn open(target: Profile) {
    if env::var_os(FORMAT_VARIABLE).is_some() {
        return;
    }
    let session = open_session().unwrap_or_else(|error| {
        eprintln!("cannot fuzz {target}: {error}");
        exit(2);
    });
    let campaign = Campaign {
        target,
        session,
        counters: Counters::register(),
        started: None,
        status: Status::new(),
        keep_going: env::var_os(KEEP_GOING_VARIABLE).is_some_and(|value| value == "1"),
        findings: Vec::new(),
    };
    if CAMPAIGN.set(Mutex::new(campaign)).is_ok() {
        atexit(end);
    }
}

/// Runs one case, and stops the process if something is wrong that was not known before.
pub fn execute(input: &Input) -> Corpus {
    let Some(campaign) = CAMPAIGN.get() else {
        return Corpus::Reject;
    };
    campaign
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .execute(input)
}

/// Runs when libFuzzer is done, but not after a crash, which was already reported.
extern "C" fn end() {
    if let Some(campaign) = CAMPAIGN.get() {
        let campaign = campaign.lock().unwrap_or_else(PoisonError::into_inner);
        if campaign.started.is_some() {
            campaign.status.end(&campaign.progress());
        }
        if !campaign.findings.is_empty() {
            // libFuzzer does not know of the findings, because they were collected: the exit code must tell.
            _exit(EXIT_FINDINGS);
        }
    }
}

impl Campaign {
    fn execute(&mut self, input: &Input) -> Corpus {
        self.started.get_or_insert_with(Instant::now);
        let (edges, features) = self.counters.for_execution();
        let result = self.session.execute(&input.0, edges, features);
        let machine = self.session.runner().driver().machine();
        self.counters
            .note_locations(|index| machine.edge_location(index));
        let corpus = match result {
            Ok(Execution::Clean) => Corpus::Keep,
            // Otherwise the corpus would fill with ways to the same bug.
            Ok(Execution::KnownFinding) => Corpus::Reject,
            Err(alarm) => self.raise(alarm),
        };
        if self.status.is_due(self.session.totals().executions) {
            self.status.write(&self.progress());
        }
        corpus
    }

    fn raise(&mut self, alarm: Alarm) -> Corpus {
        eprintln!("\n{alarm}\n");
        let Alarm::Findings(reports) = alarm else {
            abort();
        };
        let executions = self.session.totals().executions;
        let to = Destination::new(finding_file::folder(), self.session.guest());
        let origin = self.target.to_string();
        for report in reports {
            match Found::keep(report, &to, origin.clone(), executions, self.elapsed()) {
                Ok(found) => {
                    eprintln!("written to {}", found.path.display());
                    self.findings.push(found);
                }
                Err(error) => eprintln!("cannot write the case file: {error}"),
            }
        }
        if self.keep_going {
            return Corpus::Reject;
        }
        self.status.end(&self.progress());
        abort();
    }

    fn elapsed(&self) -> Duration {
        self.started
            .map(|start| start.elapsed())
            .unwrap_or_default()
    }

    fn progress(&self) -> Progress<'_> {
        Progress {
            target: self.target.name(),
            elapsed: self.elapsed(),
            totals: self.session.totals(),
            edges: self.counters.covered(),
            findings: &self.findings,
        }
    }
}
