//! The table of rooms and of what each may use.

use serde::Deserialize;
use std::collections::BTreeSet;

/// The whole table.
#[derive(Deserialize)]
pub(crate) struct Table {
    /// The crates, from the ground up.
    pub(crate) packages: Vec<Package>,
    /// Those that have rooms inside.
    pub(crate) houses: Vec<House>,
}

/// A crate and the crates of ours that it depends on.
#[derive(Deserialize)]
pub(crate) struct Package {
    /// What Cargo calls it.
    pub(crate) name: String,
    /// Its folder.
    pub(crate) folder: String,
    /// What is in it.
    pub(crate) holds: String,
    /// The crates that it depends on.
    pub(crate) uses: Vec<String>,
}

/// A crate with rooms: the files and folders right below its `src`.
#[derive(Deserialize)]
pub(crate) struct House {
    /// What Cargo calls it.
    pub(crate) name: String,
    /// Its folder of sources.
    pub(crate) folder: String,
    /// What its own code calls it besides `crate`.
    #[serde(default)]
    pub(crate) names: Vec<String>,
    /// Its rooms, from the ground up: each uses only rooms above it in this list.
    pub(crate) rooms: Vec<Room>,
    /// Uses that look odd, and why they are right.
    #[serde(default)]
    pub(crate) odd: Vec<Argued>,
    /// Uses that go against the order, and why they stay.
    #[serde(default)]
    pub(crate) against: Vec<Argued>,
}

/// A room and the rooms of the same house that it uses.
#[derive(Deserialize)]
pub(crate) struct Room {
    /// Name of its file or folder.
    pub(crate) name: String,
    /// What it uses.
    pub(crate) uses: Vec<String>,
}

/// A use that needs an argument.
#[derive(Deserialize)]
pub(crate) struct Argued {
    /// The room.
    pub(crate) room: String,
    /// The room that it uses.
    pub(crate) uses: String,
    /// The argument.
    pub(crate) because: String,
}

/// A use of one room by another.
pub(crate) type Arrow = (String, String);

impl House {
    /// Everything that the table allows.
    pub(crate) fn allowed(&self) -> BTreeSet<Arrow> {
        let down = self.rooms.iter().flat_map(|room| {
            let uses = room.uses.iter();
            uses.map(|used| (room.name.clone(), used.clone()))
        });
        let against = self.against.iter();
        down.chain(against.map(|row| (row.room.clone(), row.uses.clone())))
            .collect()
    }

    /// Rows that are out of order: uses of a room that does not stand above in the list, rows of
    /// `against` that do not go against the order, and arguments for what is not in the list.
    pub(crate) fn disorder(&self) -> Vec<String> {
        let place = |name: &String| self.rooms.iter().position(|room| room.name == *name);
        let goes_down = |room: &String, used: &String| match (place(room), place(used)) {
            (Some(room), Some(used)) => used < room,
            _ => false,
        };
        let mut disorder = Vec::new();
        for room in &self.rooms {
            for used in &room.uses {
                if !goes_down(&room.name, used) {
                    disorder.push(format!("{} -> {used} is not downwards", room.name));
                }
            }
        }
        for Argued { room, uses, .. } in &self.against {
            if goes_down(room, uses) {
                disorder.push(format!("{room} -> {uses} does not go against the order"));
            }
        }
        let allowed = self.allowed();
        for Argued { room, uses, .. } in &self.odd {
            if !allowed.contains(&(room.clone(), uses.clone())) {
                disorder.push(format!(
                    "{room} -> {uses} is argued for and not in the list"
                ));
            }
        }
        disorder
    }
}
