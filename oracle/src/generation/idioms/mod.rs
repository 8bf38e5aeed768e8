//! Idioms: a few operations that belong together, one function each, by theme.
//!
//! An idiom adds operations to a scene by [`Scene::does`]; how often each profile takes it is a row
//! of [`super::weights`].

pub(super) mod crashes;
pub(super) mod crowds;
pub(super) mod files;
pub(super) mod forks;
pub(super) mod full_disk;
pub(super) mod leaks;
pub(super) mod memory;
pub(super) mod paths;
pub(super) mod pipes;
pub(super) mod processes;
pub(super) mod programs;
pub(super) mod races;
pub(super) mod scarcity;
pub(super) mod stack;
pub(super) mod tables;
pub(super) mod turns;

use super::Scene;

/// Adds a few operations to a scene.
pub(super) type Idiom = fn(&mut Scene<'_>);

/// A single operation.
pub(super) fn any_operation(scene: &mut Scene<'_>) {
    let call = scene.operation();
    scene.does(call);
}
