//! The page that draws the table, `docs/rooms.md`.

use crate::table::{Argued, House, Table};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

const BEGINNING: &str = "\
# The rooms

Each crate and each folder of sources is a room with one idea in it. An arrow says that a room uses another one; arrows go one way. This page
is generated: `harness/tests/rooms/allowed.toml` lists what is allowed, and `cargo test -p faultline --test rooms` reads all sources and fails
if one of them uses what the table does not allow, if a row of the table is used by nobody any more, or if this page is out of date
(`FAULTLINE_BLESS=1` writes it anew). An arrow that follows from two others is not drawn; the lists have them all.
";

/// The page. `words` are what a room, by its house and its name, says that it is.
pub(crate) fn page(table: &Table, words: impl Fn(&House, &str) -> String) -> String {
    let mut page = BEGINNING.to_owned();
    page.push_str("\n## The crates\n\n");
    let arrows: BTreeMap<&str, BTreeSet<&str>> = table
        .packages
        .iter()
        .map(|package| {
            (
                &*package.name,
                package.uses.iter().map(|used| &**used).collect(),
            )
        })
        .collect();
    draw(&mut page, &arrows);
    page.push_str("\n| crate | folder | what is in it | uses |\n|---|---|---|---|\n");
    for package in &table.packages {
        let uses = package.uses.join(", ");
        let (name, folder, holds) = (&package.name, &package.folder, &package.holds);
        let _ = writeln!(page, "| {name} | `{folder}` | {holds} | {uses} |");
    }
    for house in &table.houses {
        let _ = write!(page, "\n## {} (`{}`)\n\n", house.name, house.folder);
        let arrows = house
            .rooms
            .iter()
            .map(|room| (&*room.name, room.uses.iter().map(|used| &**used).collect()))
            .collect();
        draw(&mut page, &arrows);
        page.push_str("\n| room | what it is | uses |\n|---|---|---|\n");
        for room in &house.rooms {
            let words = words(house, &room.name);
            let _ = writeln!(
                page,
                "| {} | {words} | {} |",
                room.name,
                room.uses.join(", ")
            );
        }
        argue(&mut page, "Arrows that look odd", &house.odd);
        argue(&mut page, "Against the arrows", &house.against);
    }
    page
}

fn argue(page: &mut String, heading: &str, rows: &[Argued]) {
    if rows.is_empty() {
        return;
    }
    let _ = write!(page, "\n{heading}:\n\n");
    for row in rows {
        let _ = writeln!(page, "- {} uses {}: {}", row.room, row.uses, row.because);
    }
}

/// A drawing of the arrows that do not follow from others.
fn draw(page: &mut String, arrows: &BTreeMap<&str, BTreeSet<&str>>) {
    page.push_str("```mermaid\nflowchart TD\n");
    for (from, uses) in arrows {
        for to in uses {
            let other_ways = uses.iter().filter(|way| *way != to);
            let follows = other_ways.into_iter().any(|way| reaches(arrows, way, to));
            if !follows {
                let _ = writeln!(page, "    {} --> {}", node(from), node(to));
            }
        }
    }
    page.push_str("```\n");
}

/// The name of a room in a drawing, which may hold no hyphen and no slash.
fn node(name: &str) -> String {
    format!("{}[\"{name}\"]", name.replace(['-', '/'], "_"))
}

/// Whether `from` uses `to`, itself or through others. A table that is wrong may have circles.
fn reaches<'a>(arrows: &BTreeMap<&'a str, BTreeSet<&'a str>>, from: &'a str, to: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![from];
    while let Some(room) = open.pop() {
        if seen.insert(room) {
            open.extend(arrows.get(room).into_iter().flatten());
        }
    }
    from != to && seen.contains(to)
}
