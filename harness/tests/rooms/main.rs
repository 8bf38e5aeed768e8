//! The rooms: a table says which room may use which, and all sources must obey it.

mod imports;
mod page;
mod table;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use table::{Arrow, House, Table};

fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn table() -> Table {
    let path = checkout().join("harness/tests/rooms/allowed.toml");
    toml::from_str(&read(&path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every source file below `folder`, in order.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut sources = Vec::new();
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources.extend(self::sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push(path);
        }
    }
    sources.sort();
    sources
}

/// The module that a source file is, from the root of its crate: none for the root itself.
fn module(folder: &Path, source: &Path) -> Vec<String> {
    let inside = source.strip_prefix(folder).unwrap().with_extension("");
    let mut module: Vec<String> = inside
        .iter()
        .map(|part| part.to_str().unwrap().to_owned())
        .collect();
    let is_root = module.len() == 1 && ["lib", "main"].contains(&&*module[0]);
    if is_root || module.last().is_some_and(|last| last == "mod") {
        module.pop();
    }
    module
}

/// What was found in the sources of a house.
#[derive(Default)]
struct Found {
    rooms: BTreeSet<String>,
    /// The uses of one room by another, each with a file that has it.
    arrows: BTreeMap<Arrow, PathBuf>,
}

/// Names that a crate's root hands on from its rooms, and the rooms.
fn handed_on(root: &str, rooms: &BTreeSet<String>) -> BTreeMap<String, String> {
    // The root's `use` begins with the name of a room, which is what `self::` would say.
    let root = root.replace("pub use ", "use self::");
    let paths = imports::imports(&root, &[], &[]);
    let named = paths.into_iter().filter_map(|path| {
        let name = path.last()?.clone();
        let room = path.into_iter().next()?;
        (rooms.contains(&room) && name != room).then_some((name, room))
    });
    named.collect()
}

fn find(house: &House) -> Found {
    let folder = checkout().join(&house.folder);
    let sources = sources(&folder);
    let mut found = Found::default();
    let rooms = sources.iter().filter_map(|source| {
        let room = module(&folder, source).into_iter().next()?;
        (room != "test_support").then_some(room)
    });
    found.rooms.extend(rooms);
    let root = folder.join("lib.rs");
    let handed_on = if root.exists() {
        handed_on(&read(&root), &found.rooms)
    } else {
        BTreeMap::new()
    };
    for source in &sources {
        let module = module(&folder, source);
        let is_for_tests = module.iter().any(|part| part.starts_with("test"));
        let Some(room) = module.first().filter(|room| found.rooms.contains(*room)) else {
            continue;
        };
        if is_for_tests && !module[0].starts_with("test_programs") {
            continue;
        }
        for path in imports::imports(&read(source), &module, &house.names) {
            let Some(first) = path.first() else {
                continue;
            };
            let used = handed_on.get(first).unwrap_or(first);
            if used != room {
                let arrow = (room.clone(), used.clone());
                found.arrows.entry(arrow).or_insert_with(|| source.clone());
            }
        }
    }
    found
}

#[test]
fn rooms_use_only_what_the_table_allows() {
    let mut wrong = Vec::new();
    for house in table().houses {
        let found = find(&house);
        let listed: BTreeSet<String> = house.rooms.iter().map(|room| room.name.clone()).collect();
        let name = &house.name;
        wrong.extend(
            found
                .rooms
                .difference(&listed)
                .map(|room| format!("{name}: the room {room} is not in the table")),
        );
        wrong.extend(
            listed.difference(&found.rooms).map(|room| {
                format!("{name}: the table has a room {room}, and the sources have none")
            }),
        );
        wrong.extend(
            house
                .disorder()
                .into_iter()
                .map(|row| format!("{name}: {row}")),
        );
        let allowed = house.allowed();
        for ((room, used), source) in &found.arrows {
            if !allowed.contains(&(room.clone(), used.clone())) {
                let source = source.display();
                wrong.push(format!(
                    "{name}: {room} may not use {used}, but {source} does"
                ));
            }
        }
        let unused = allowed
            .iter()
            .filter(|arrow| !found.arrows.contains_key(*arrow));
        wrong.extend(unused.map(|(room, used)| {
            format!("{name}: {room} may use {used}, and does not: take the row away")
        }));
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn crates_depend_only_on_what_the_table_allows() {
    let table = table();
    let ours: BTreeSet<&str> = table
        .packages
        .iter()
        .map(|package| &*package.name)
        .collect();
    let mut above = BTreeSet::new();
    for package in &table.packages {
        let manifest = read(&checkout().join(&package.folder).join("Cargo.toml"));
        let manifest: toml::Table = manifest.parse().unwrap();
        let found: BTreeSet<&str> = ["dependencies", "dev-dependencies"]
            .iter()
            .filter_map(|kind| manifest.get(*kind)?.as_table())
            .flat_map(|dependencies| dependencies.keys().map(String::as_str))
            .filter(|name| ours.contains(name))
            .collect();
        let allowed: BTreeSet<&str> = package.uses.iter().map(String::as_str).collect();
        assert_eq!(found, allowed, "what {} depends on", package.name);
        assert!(
            allowed.is_subset(&above),
            "{} uses a crate that is not above it in the table",
            package.name
        );
        above.insert(&*package.name);
    }
}

/// The first sentence of the room's own words.
fn words(house: &House, room: &str) -> String {
    let folder = checkout().join(&house.folder);
    let file = folder.join(format!("{room}.rs"));
    let file = if file.exists() {
        file
    } else {
        folder.join(room).join("mod.rs")
    };
    let source = read(&file);
    let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
    let paragraph: Vec<&str> = lines
        .map(str::trim)
        .take_while(|line| !line.is_empty())
        .collect();
    let paragraph = paragraph.join(" ").replace('|', "\\|");
    match paragraph.split_once(". ") {
        Some((sentence, _)) => format!("{sentence}."),
        None => paragraph,
    }
}

#[test]
fn the_page_draws_the_table() {
    let page = page::page(&table(), words);
    let path = checkout().join("docs/rooms.md");
    if std::env::var_os("FAULTLINE_BLESS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let drawn = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        drawn == page,
        "docs/rooms.md is out of date: FAULTLINE_BLESS=1 writes it anew"
    );
}
