//! Replays every case of the corpus, one named test a file: seeds and regressions alike must show
//! nothing wrong on the kernel as it stands.

use faultline::case_file;
use faultline::guest::Guest;
use faultline::guest::location::GuestFiles;
use faultline::guest::origin::Origin;
use faultline::runner::Runner;
use libtest_mimic::{Arguments, Failed, Trial};
use oracle::Dialect;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus");
    let guest = match boot() {
        Ok(guest) => guest,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::FAILURE;
        }
    };
    let mut trials = Vec::new();
    for folder in ["seeds", "regressions"] {
        let root = corpus.join(folder);
        // A folder without cases is allowed (no regression yet); a missing one is not.
        assert!(root.is_dir(), "{} is missing", root.display());
        for path in case_file::list(&root).unwrap_or_default() {
            let name = path.strip_prefix(&corpus).unwrap_or(&path);
            let (name, guest) = (name.display().to_string(), Arc::clone(&guest));
            trials.push(Trial::test(name, move || replay(&guest, path)));
        }
    }
    assert!(trials.len() >= 30, "the corpus has lost its seeds");
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn boot() -> Result<Arc<Guest>, String> {
    let files = GuestFiles::find(None, None).map_err(|error| error.to_string())?;
    faultline::boot(&files, Dialect::faultline()).map_err(|error| error.to_string())
}

fn replay(guest: &Arc<Guest>, path: PathBuf) -> Result<(), Failed> {
    let case =
        case_file::read(&path).map_err(|error| format!("{:?}", miette::Report::new(error)))?;
    // It runs on every kernel that is built here, and names no file of the machine that found it.
    let text = std::fs::read_to_string(&path)?;
    if !matches!(Origin::in_text(&text), Ok(None)) {
        return Err("take out the lines that begin with #|: they name another kernel".into());
    }
    let outcome = Runner::new(guest).run(&case);
    if let Some(finding) = outcome.first() {
        return Err(finding.to_string().into());
    }
    if outcome.meter.compared == 0 {
        return Err("the oracle compared nothing".into());
    }
    Ok(())
}
