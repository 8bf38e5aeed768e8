//! The table of `docs/bugs.md`: how each engine and the test programs did on each bug, side by side.

use super::catalogue::Bug;
use super::{Engine, ProgramRow, Row};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

const HEAD: &str = "| bug | reached, triggered | campaign | libFuzzer | AFL++ | test programs |\n\
                    |---|---|---|---|---|---|\n";

/// The table in Markdown, made from the files with tab-separated values in `folder`. A cell is empty if nothing is
/// known.
pub fn table(bugs: &[Bug], folder: &Path) -> String {
    let lines = |name: &str| {
        let file = folder.join(name).with_extension("tsv");
        let text = fs::read_to_string(file).unwrap_or_default();
        text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    let engines = [Engine::Campaign, Engine::Libfuzzer, Engine::Afl];
    let engines = engines.map(|engine| rows(&lines(&engine.to_string())));
    let programs: BTreeMap<String, ProgramRow> = lines("programs")
        .iter()
        .filter_map(|line| ProgramRow::parse(line))
        .map(|row| (row.bug().to_owned(), row))
        .collect();
    bugs.iter().fold(HEAD.to_owned(), |text, bug| {
        let name = bug.patch.name.as_str();
        let own = engines[0].get(name);
        let canary = own.map_or(String::new(), |row| {
            format!("{}, {}", row.get("reached"), row.get("triggered"))
        });
        let [campaign, libfuzzer, afl] = engines
            .each_ref()
            .map(|rows| rows.get(name).map_or(String::new(), cell));
        let noticed = programs.get(name).map_or(String::new(), |row| {
            row.noticed().unwrap_or_else(|| "unnoticed".to_owned())
        });
        text + &format!("| {name} | {canary} | {campaign} | {libfuzzer} | {afl} | {noticed} |\n")
    })
}

fn rows(lines: &[String]) -> BTreeMap<String, Row> {
    let rows = lines.iter().filter_map(|line| Row::parse(line));
    rows.map(|row| (row.get("bug").to_owned(), row)).collect()
}

fn cell(row: &Row) -> String {
    let of = |column| row.get(column);
    format!(
        "{}/{}; {} ({}); {} ({}) s",
        of("detected"),
        of("campaigns"),
        of("executions"),
        of("worst-executions"),
        of("seconds"),
        of("worst-seconds"),
    )
}

#[cfg(test)]
mod tests {
    use super::{HEAD, table};
    use crate::seeded_bugs::catalogue;
    use std::fs;
    use std::path::Path;

    #[test]
    fn engines_stand_side_by_side() {
        let bugs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus/bugs");
        let bugs = catalogue::read(&bugs).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, line: &str| {
            fs::write(folder.path().join(name), format!("head\n{line}\n")).unwrap();
        };
        let name = &bugs[0].patch.name;
        write(
            "campaign.tsv",
            &format!("{name}\tc\t1\tcampaign\tfiles\t5\t5\t4\t3\t7\t0.10\t-\t-\tr"),
        );
        write("programs.tsv", &format!("{name}\tc\t1\tfailed\t-\t-\t-"));
        let text = table(&bugs[..2], folder.path());
        let rows = text.strip_prefix(HEAD).unwrap();
        let first =
            format!("| {name} | 5, 4 | 3/5; 7 (-); 0.10 (-) s |  |  | lazytests failed |\n");
        let second = format!("| {} |  |  |  |  |  |\n", bugs[1].patch.name);
        assert_eq!(rows, first + &second);
    }
}
