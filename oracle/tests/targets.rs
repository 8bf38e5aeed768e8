//! Each fuzz target is a program of `fuzz/Cargo.toml`, with its sentence above it, and there is no other.

use oracle::Profile;
use std::path::Path;
use std::{fs, io};

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz")
}

#[test]
fn the_programs_of_cargo_fuzz_are_the_targets() {
    let text = fs::read_to_string(folder().join("Cargo.toml")).unwrap();
    let manifest: toml::Table = text.parse().unwrap();
    let programs = manifest["bin"].as_array().unwrap();
    let names: Vec<&str> = programs
        .iter()
        .map(|program| program["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, Profile::ALL.map(Profile::name));
    for (target, program) in Profile::ALL.into_iter().zip(programs) {
        let path = format!("fuzz_targets/{target}.rs");
        assert_eq!(program["path"].as_str(), Some(&*path));
        let entry = format!("# {}\n[[bin]]\nname = \"{target}\"\n", target.about());
        assert!(text.contains(&entry), "fuzz/Cargo.toml lacks:\n{entry}");
    }
}

#[test]
fn the_files_of_the_targets_are_one_file() -> io::Result<()> {
    let body = fs::read_to_string(folder().join("fuzz_targets/target.rs"))?;
    for target in Profile::ALL {
        let file = folder().join(format!("fuzz_targets/{target}.rs"));
        let link = format!("ln -s target.rs fuzz/fuzz_targets/{target}.rs");
        assert_eq!(
            fs::read_to_string(file).ok().as_deref(),
            Some(&*body),
            "{link}"
        );
    }
    Ok(())
}
