//! The kernel's rooms import each other as the table in its README says, and only downwards.
//!
//! The kernel does not build for the host, so this test of its sources is here.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// A row of the table: a room, and the rooms that it imports.
struct Room {
    name: String,
    imports: BTreeSet<String>,
}

/// The crate's root, which may import everything.
const ROOTS: [&str; 2] = ["boot", "main"];

#[test]
fn imports_are_as_the_table_says() {
    let seen = imports(&kernel().join("src"));
    let table = table();
    for room in &table {
        let seen = seen.get(&room.name);
        let seen = seen.unwrap_or_else(|| panic!("there is no room {}", room.name));
        assert_eq!(&room.imports, seen, "the imports of {}", room.name);
    }
    let listed: BTreeSet<_> = table.iter().map(|room| room.name.as_str()).collect();
    let others = seen.keys().map(String::as_str);
    let others: Vec<_> = others.filter(|name| !listed.contains(name)).collect();
    assert_eq!(others, ROOTS, "rooms that the table does not list");
}

#[test]
fn a_room_imports_only_rooms_above_it() {
    let mut above = BTreeSet::new();
    for room in table() {
        for import in &room.imports {
            assert!(above.contains(import), "{} imports {import}", room.name);
        }
        above.insert(room.name);
    }
    assert!(above.len() > 10, "the table has only {} rooms", above.len());
}

fn kernel() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The table of rooms in the README, without the last row, which is the root's.
fn table() -> Vec<Room> {
    let readme = fs::read_to_string(kernel().join("README.md")).unwrap();
    let (_, section) = readme.split_once("\n## Rooms\n").unwrap();
    let rows = section
        .lines()
        .skip_while(|line| !line.starts_with("| `"))
        .take_while(|line| line.starts_with("| `"));
    let rooms = rows.map(|row| {
        let cells: Vec<&str> = row.split('|').collect();
        let name = quoted(cells[1]).next().unwrap();
        Room {
            name: name
                .trim_end_matches(".rs")
                .trim_end_matches('/')
                .to_owned(),
            imports: quoted(cells[3]).map(str::to_owned).collect(),
        }
    });
    rooms
        .filter(|room| !ROOTS.contains(&room.name.as_str()))
        .collect()
}

/// What stands between backquotes.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// What each room in `folder`, a file or a folder, imports of the others.
fn imports(folder: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let entries = fs::read_dir(folder).unwrap();
    let rooms = entries.map(|entry| {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let mut found = BTreeSet::new();
        collect(&path, &mut found);
        found.remove(&name);
        (name, found)
    });
    rooms.collect()
}

/// Adds the rooms that the sources at `path` name.
fn collect(path: &Path, found: &mut BTreeSet<String>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            collect(&entry.unwrap().path(), found);
        }
        return;
    }
    let text = fs::read_to_string(path).unwrap();
    let code: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect();
    for rest in code.join("\n").split("crate::").skip(1) {
        match rest.strip_prefix('{') {
            Some(list) => {
                let (list, _) = list.split_once('}').unwrap();
                found.extend(list.split(',').map(first_word));
            }
            None => _ = found.insert(first_word(rest)),
        }
    }
}

fn first_word(text: &str) -> String {
    let is_part = |letter: &char| letter.is_ascii_lowercase() || *letter == '_';
    text.trim().chars().take_while(is_part).collect()
}
