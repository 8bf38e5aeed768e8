//! One campaign of a fuzz engine on a kernel with a seeded bug.

use super::catalogue::Bug;
use super::{Engine, Plan, Trouble};
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// AFL++ needs a case to begin with. This is the shortest.
const LEAST_CASE: &str = "faultline 1\na: getpid\n";

/// Hundredths of a second: the unit in which Linux counts the time of a process.
const TICKS_PER_SECOND: u64 = 100;

/// The result of one campaign.
#[derive(Clone, Debug, Default)]
pub(super) struct Campaign {
    /// Cases that ran, if the engine says how many.
    pub(super) executions: Option<u64>,
    /// Processor time, which does not depend on other work on the machine.
    pub(super) time: Duration,
    /// Whether the changed code ran in a case.
    pub(super) reached: bool,
    /// Whether it did harm in a case.
    pub(super) triggered: bool,
    /// The rules of its findings.
    pub(super) rules: Vec<String>,
}

impl Campaign {
    /// Whether the first finding is by a rule that the bug breaks.
    pub(super) fn detects(&self, bug: &Bug) -> bool {
        self.rules.first().is_some_and(|rule| bug.breaks(rule))
    }
}

/// Builds the program that fuzzes a bug, unless it is this one.
pub(super) fn prepare(bug: &Bug, plan: &Plan) -> Result<(), Trouble> {
    let target = bug.target.name();
    let mut command = match plan.engine {
        Engine::Campaign => return Ok(()),
        Engine::Libfuzzer => {
            let mut command = Command::new("cargo");
            command.args(["fuzz", "build", target]);
            command
        }
        Engine::Afl => {
            let mut command = Command::new(plan.root.join("scripts/afl"));
            command.arg("--build");
            command
        }
    };
    let status = command.current_dir(&plan.root).status();
    match status.map_err(|source| Trouble::io(&plan.root, source))? {
        status if status.success() => Ok(()),
        _ => Err(Trouble::Fuzzer { target }),
    }
}

/// Runs one campaign in an empty `folder`, on the kernel and the image in `guest`. It ends at the first finding, or at
/// the end of its budget if the plan has to find out whether a rule is the only one that reports the bug.
pub(super) fn run(
    bug: &Bug,
    guest: &Path,
    seed: u32,
    plan: &Plan,
    folder: &Path,
) -> Result<Campaign, Trouble> {
    let io = |source| Trouble::io(folder, source);
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(io)?;
    }
    fs::create_dir_all(folder).map_err(io)?;
    let log = File::create(folder.join("log")).map_err(io)?;
    let summary = folder.join("summary");
    let (kernel, image) = (guest.join("kernel.elf"), guest.join("fs.img"));
    let mut command = match plan.engine {
        Engine::Campaign => own_engine(bug, seed, plan),
        Engine::Libfuzzer => libfuzzer(bug, seed, plan, folder)?,
        Engine::Afl => afl(bug, seed, plan, folder).map_err(io)?,
    };
    if plan.engine == Engine::Campaign {
        command.arg("--kernel").arg(&kernel).arg("--fs").arg(&image);
        command.arg("--findings").arg(folder);
        command.stdout(File::create(&summary).map_err(io)?);
    } else {
        command
            .env("FAULTLINE_KERNEL", &kernel)
            .env("FAULTLINE_FS", &image);
        command
            .env("FAULTLINE_FINDINGS", folder)
            .env("FAULTLINE_STATUS", &summary);
        command.stdout(log.try_clone().map_err(io)?);
    }
    command
        .current_dir(&plan.root)
        .stdin(Stdio::null())
        .stderr(log);
    let (is_success, time) = timed(&mut command).map_err(io)?;
    let rules = rules(folder).map_err(io)?;
    if !is_success && rules.is_empty() {
        return Err(Trouble::BrokeOff {
            bug: bug.patch.name.clone(),
            log: tail(&folder.join("log")),
        });
    }
    let said = fs::read_to_string(&summary).unwrap_or_default();
    let executions = if plan.engine == Engine::Afl {
        let statistics = fs::read_to_string(folder.join("out/default/fuzzer_stats"));
        // If it stopped before it wrote statistics, it ran at least the case that it began with.
        Some(afl_executions(&statistics.unwrap_or_default()).unwrap_or(1))
    } else {
        count("executions", &said)
    };
    Ok(Campaign {
        executions,
        time,
        reached: count("seeded bug reached", &said).is_some_and(|count| count > 0),
        triggered: count("seeded bug triggered", &said).is_some_and(|count| count > 0),
        rules,
    })
}

fn own_engine(bug: &Bug, seed: u32, plan: &Plan) -> Command {
    let mut command = Command::new(&plan.faultline);
    command.arg("campaign").args(seeds(bug, plan));
    command.args(["--target", bug.target.name(), "--jobs", "1", "--as-found"]);
    command.args([
        "--seed",
        &seed.to_string(),
        "--seconds",
        &plan.seconds.to_string(),
    ]);
    if let Some(most) = plan.executions {
        command.args(["--executions", &most.to_string()]);
    }
    if !plan.alone {
        command.arg("--until-finding");
    }
    command
}

fn libfuzzer(bug: &Bug, seed: u32, plan: &Plan, folder: &Path) -> Result<Command, Trouble> {
    let corpus = folder.join("corpus");
    fs::create_dir(&corpus).map_err(|source| Trouble::io(&corpus, source))?;
    let mut command = Command::new(libfuzzer_program(bug, plan)?);
    command
        .arg(format!("-seed={seed}"))
        .arg(format!("-max_total_time={}", plan.seconds));
    if let Some(most) = plan.executions {
        command.arg(format!("-runs={most}"));
    }
    command.arg(format!("-artifact_prefix={}/", folder.display()));
    command.arg(corpus).args(seeds(bug, plan));
    Ok(command)
}

/// Where `cargo fuzz build` puts a target: in a folder that is named for the host.
fn libfuzzer_program(bug: &Bug, plan: &Plan) -> Result<PathBuf, Trouble> {
    let target = bug.target.name();
    let missing = || Trouble::Fuzzer { target };
    let said = Command::new("rustc")
        .arg("-vV")
        .output()
        .map_err(|_| missing())?;
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    let folder = plan.root.join("target").join(host.ok_or_else(missing)?);
    Ok(folder.join("release").join(target))
}

fn afl(bug: &Bug, seed: u32, plan: &Plan, folder: &Path) -> std::io::Result<Command> {
    let start = folder.join("seeds");
    fs::create_dir(&start)?;
    fs::write(start.join("least.case"), LEAST_CASE)?;
    if let Some(corpus) = seeds(bug, plan) {
        for entry in fs::read_dir(corpus)? {
            let entry = entry?;
            fs::copy(entry.path(), start.join(entry.file_name()))?;
        }
    }
    let mut command = Command::new(plan.root.join("scripts/afl"));
    command
        .arg(bug.target.name())
        .arg("-i")
        .arg(start)
        .arg("-o")
        .arg(folder.join("out"));
    command.args(["-s", &seed.to_string(), "-V", &plan.seconds.to_string()]);
    if let Some(most) = plan.executions {
        command.args(["-E", &most.to_string()]);
    }
    if !plan.alone {
        command.env("AFL_BENCH_UNTIL_CRASH", "1");
    }
    Ok(command)
}

/// The folder of cases to start from, if the plan has seeds.
fn seeds(bug: &Bug, plan: &Plan) -> Option<PathBuf> {
    let folder = plan.root.join("corpus/seeds").join(bug.target.name());
    plan.with_seeds.then_some(folder)
}

/// Runs a command to its end. Returns whether it succeeded (`faultline campaign` exits with 1 if it found something),
/// and the processor time that it and its children took.
fn timed(command: &mut Command) -> std::io::Result<(bool, Duration)> {
    let mut child = command.spawn()?;
    let ended = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    waitid(WaitId::Pid(Pid::from_child(&child)), ended)?;
    // The process has ended, but it stays in `/proc` until it is waited for.
    let status = fs::read_to_string(format!("/proc/{}/stat", child.id()))?;
    let code = child.wait()?.code();
    let ticks = ticks(&status).unwrap_or(0);
    Ok((
        matches!(code, Some(0 | 1)),
        Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND),
    ))
}

/// The ticks that a process and its children ran, in user mode and in the kernel, from a line of
/// `/proc/PID/stat`.
fn ticks(status: &str) -> Option<u64> {
    // The fields after the name, which is in parentheses: utime, stime, cutime, cstime.
    let (_, fields) = status.rsplit_once(')')?;
    let fields = fields.split_whitespace().skip(11).take(4);
    fields.map(|field| field.parse::<u64>().ok()).sum()
}

/// The rules that the findings of a campaign name, in the order of its case files.
fn rules(folder: &Path) -> std::io::Result<Vec<String>> {
    let paths: std::io::Result<Vec<PathBuf>> = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect();
    let mut paths = paths?;
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "case"));
    paths.sort();
    let mut rules = Vec::new();
    for path in paths {
        let case = fs::read_to_string(path)?;
        rules.extend(case.lines().filter_map(rule).map(str::to_owned));
    }
    Ok(rules)
}

/// The rule that a comment of a case file names.
fn rule(line: &str) -> Option<&str> {
    let comment = line.strip_prefix('#')?.trim_start();
    comment.strip_prefix("rule:").map(str::trim)
}

/// The number in a row of a campaign's summary.
fn count(row: &str, summary: &str) -> Option<u64> {
    let mut rows = summary.lines().filter_map(|line| line.strip_prefix("  "));
    let rest = rows.find_map(|line| line.strip_prefix(row)?.strip_prefix(' '))?;
    let number = rest.split_whitespace().next()?.replace(',', "");
    number.parse().ok()
}

/// The executions that AFL++ counts in its statistics.
fn afl_executions(statistics: &str) -> Option<u64> {
    let mut lines = statistics.lines().filter_map(|line| line.split_once(':'));
    let (_, number) = lines.find(|(name, _)| name.trim() == "execs_done")?;
    number.trim().parse().ok()
}

/// The last lines of a log.
fn tail(log: &Path) -> String {
    const LINES: usize = 20;
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::{afl_executions, count, rule, ticks, timed};
    use std::process::Command;

    #[test]
    fn rows_of_a_summary_are_read() {
        let summary = "sbrk_faults ran for 1.00 s\n  executions               12,345   9 a second\n  \
                       seeded bug reached            0   cases\n";
        assert_eq!(count("executions", summary), Some(12_345));
        assert_eq!(count("seeded bug reached", summary), Some(0));
        assert_eq!(count("seeded bug triggered", summary), None);
        assert_eq!(
            afl_executions("run_time : 3\nexecs_done        : 71\n"),
            Some(71)
        );
    }

    #[test]
    fn only_a_comment_names_a_rule() {
        assert_eq!(rule("# rule:     loaded-value"), Some("loaded-value"));
        assert_eq!(rule("a: getpid # rule: none"), None);
    }

    #[test]
    fn time_of_children_counts() {
        let status = "7 (a) b) R 1 2 3 4 5 6 7 8 9 10 100 20 3 4 20 0 1";
        assert_eq!(ticks(status), Some(127));
        let mut busy = Command::new("sh");
        busy.args([
            "-c",
            "sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i + 1)); done'; exit 2",
        ]);
        let (is_success, time) = timed(&mut busy).unwrap();
        assert!(!is_success && time.as_millis() > 0, "{time:?}");
    }
}
