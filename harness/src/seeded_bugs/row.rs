//! The result of the campaigns on one bug: what is counted, and how a row of it is written.

use super::Engine;
use super::campaign::Campaign;
use super::catalogue::Bug;
use std::collections::BTreeSet;
use std::fmt::Display;
use std::time::Duration;

/// The names of the columns of the tab-separated values.
pub const COLUMNS: [&str; 14] = [
    "bug",
    "class",
    "feature",
    "engine",
    "target",
    "campaigns",
    "reached",
    "triggered",
    "detected",
    "executions",
    "seconds",
    "worst-executions",
    "worst-seconds",
    "rules",
];

/// The cell for a number that does not exist.
const NONE: &str = "-";

/// The result of the campaigns on one bug.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    cells: [String; COLUMNS.len()],
}

impl Row {
    /// Sums up all campaigns on a bug, of which there is at least one.
    pub(super) fn new(bug: &Bug, engine: Engine, campaigns: &[Campaign]) -> Self {
        let found: Vec<Option<&Campaign>> = campaigns
            .iter()
            .map(|campaign| Some(campaign).filter(|campaign| campaign.detects(bug)))
            .collect();
        let executions = || {
            found
                .iter()
                .map(|found| found.and_then(|one| one.executions))
        };
        let times = || found.iter().map(|found| found.map(|one| one.time));
        // AFL++ cannot say how often a canary was passed.
        let counts = engine != Engine::Afl && bug.has_canary();
        let canary = |says: fn(&Campaign) -> bool| {
            let count = campaigns.iter().filter(|campaign| says(campaign)).count();
            cell(counts.then_some(count))
        };
        // A finding by a rule that the bug does not break is luck, or a false alarm.
        let rules: BTreeSet<String> = campaigns
            .iter()
            .filter_map(|campaign| campaign.rules.first())
            .map(|rule| {
                if bug.breaks(rule) {
                    rule.clone()
                } else {
                    format!("({rule})")
                }
            })
            .collect();
        let rules: Vec<String> = rules.into_iter().collect();
        Self {
            cells: [
                bug.patch.name.clone(),
                bug.class.clone(),
                bug.feature.to_string(),
                engine.to_string(),
                bug.target.to_string(),
                campaigns.len().to_string(),
                canary(|campaign| campaign.reached),
                canary(|campaign| campaign.triggered),
                found.iter().flatten().count().to_string(),
                cell(median(executions())),
                seconds(median(times())),
                cell(worst(executions())),
                seconds(worst(times())),
                rules.join(" "),
            ],
        }
    }

    /// Reads a row as [`Row::tab_separated`] writes it.
    pub fn parse(line: &str) -> Option<Self> {
        let cells: Vec<String> = line.split('\t').map(str::to_owned).collect();
        let cells = cells.try_into().ok()?;
        Some(Self { cells })
    }

    /// The row as tab-separated values, without the end of the line.
    pub fn tab_separated(&self) -> String {
        self.cells.join("\t")
    }

    /// The cell under one of [`COLUMNS`]; empty if there is no such column.
    pub fn get(&self, column: &str) -> &str {
        let at = COLUMNS.iter().position(|known| *known == column);
        at.map_or("", |at| &self.cells[at])
    }

    /// Whether the bug was detected in most campaigns.
    pub fn is_detected(&self) -> bool {
        let count = |column| self.get(column).parse::<u32>().unwrap_or(0);
        count("detected") * 2 > count("campaigns")
    }

    /// The head of a table of rows for people.
    pub fn head() -> String {
        format!(
            "{:<40} {:>2} {:>8} {:>10} {:>9} {:>11} {:>8} {:>11} {:>8}  rules",
            "bug", "", "reached", "triggered", "detected", "executions", "seconds", "worst", ""
        )
    }

    /// The row for people.
    pub fn text(&self) -> String {
        let [
            bug,
            _,
            feature,
            _,
            _,
            campaigns,
            reached,
            triggered,
            detected,
            ..,
        ] = &self.cells;
        let [.., executions, seconds, worst, worst_seconds, rules] = &self.cells;
        let detected = format!("{detected}/{campaigns}");
        format!(
            "{bug:<40} {feature:>2} {reached:>8} {triggered:>10} {detected:>9} {executions:>11} \
             {seconds:>8} {worst:>11} {worst_seconds:>8}  {rules}"
        )
    }
}

fn cell(number: Option<impl Display>) -> String {
    number.map_or(NONE.to_owned(), |number| number.to_string())
}

/// Seconds with two digits after the point.
fn seconds(time: Option<Duration>) -> String {
    cell(time.map(|time| format!("{:.2}", time.as_secs_f64())))
}

/// The middle one of at least one number; of two in the middle the smaller. `None` is larger than all.
fn median<T: Ord>(numbers: impl Iterator<Item = Option<T>>) -> Option<T> {
    let mut sorted = sorted(numbers);
    sorted.swap_remove((sorted.len() - 1) / 2)
}

/// The largest of at least one number. `None` is larger than all.
fn worst<T: Ord>(numbers: impl Iterator<Item = Option<T>>) -> Option<T> {
    sorted(numbers).pop().flatten()
}

fn sorted<T: Ord>(numbers: impl Iterator<Item = Option<T>>) -> Vec<Option<T>> {
    let (mut some, none): (Vec<_>, Vec<_>) = numbers.partition(Option::is_some);
    some.sort();
    some.extend(none);
    some
}

#[cfg(test)]
mod tests {
    use super::{COLUMNS, Row, median, worst};

    const LINE: &str =
        "15-lost\tthe last page\t1\tcampaign\tsbrk_faults\t5\t5\t4\t3\t7\t0.10\t-\t-\t";

    #[test]
    fn a_campaign_without_a_finding_counts_as_endless() {
        let numbers = [Some(3), None, Some(1), Some(2), None];
        assert_eq!(median(numbers.into_iter()), Some(3));
        assert_eq!(worst(numbers.into_iter()), None);
        assert_eq!(median([None, None, Some(1)].into_iter()), None);
        assert_eq!(median([Some(2), Some(1)].into_iter()), Some(1));
        assert_eq!(worst([Some(2), Some(9)].into_iter()), Some(9));
    }

    #[test]
    fn a_row_is_read_as_it_was_written() {
        let row = Row::parse(LINE).unwrap();
        assert_eq!(row.tab_separated(), LINE);
        assert_eq!((row.get("bug"), row.get("rules")), ("15-lost", ""));
        assert_eq!(COLUMNS.len(), LINE.split('\t').count());
        assert_eq!(Row::parse("15-lost\tthe last page"), None);
    }

    #[test]
    fn most_campaigns_decide() {
        assert!(Row::parse(LINE).unwrap().is_detected());
        let fewer = LINE.replace("\t5\t4\t3\t", "\t5\t4\t2\t");
        assert!(!Row::parse(&fewer).unwrap().is_detected());
    }

    #[test]
    fn text_has_the_columns_of_its_head() {
        let (head, text) = (Row::head(), Row::parse(LINE).unwrap().text());
        assert_eq!(head.find("rules"), Some(text.len()));
        assert!(text.contains(" 3/5 "), "{text}");
    }
}
