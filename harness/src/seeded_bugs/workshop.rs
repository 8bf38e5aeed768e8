//! Where kernels with a patch are built: a copy of the kernel, with a separate repository next to it. So cargo builds
//! only what a patch changes, `git read-tree` in the copy takes the patch back, and the developer's own checkout
//! is not changed. Several commands may use one workshop: a lock lets one at a time into the copy.

use super::Trouble;
use super::patch::Patch;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the copy needs of the checkout: the kernel, and the file with the settings of its crates.
const COPIED: [&str; 2] = ["kernel", "Cargo.toml"];

/// A copy of the kernel, with what canaries need.
#[derive(Debug)]
pub(super) struct Workshop {
    /// The checkout.
    root: PathBuf,
    /// Where everything is kept.
    folder: PathBuf,
    /// The name of the state of the checkout that was copied.
    checkout: String,
    canary: PathBuf,
}

impl Workshop {
    /// A workshop in `folder` for the state of the kernel in the checkout `root`.
    pub(super) fn open(root: &Path, folder: &Path) -> Result<Self, Trouble> {
        let mut workshop = Self {
            root: root.to_owned(),
            folder: folder.to_owned(),
            checkout: String::new(),
            canary: root.join("corpus/bugs/canary.rs"),
        };
        let tree = workshop.tree();
        fs::create_dir_all(&tree).map_err(|source| Trouble::io(&tree, source))?;
        let _alone = workshop.lock()?;
        let repository = workshop.repository();
        if !repository.is_dir() {
            said(
                Command::new("git")
                    .args(["init", "--quiet", "--bare"])
                    .arg(&repository),
            )?;
        }
        said(workshop.of_checkout().args(["add", "--all"]).args(COPIED))?;
        let name = said(workshop.of_checkout().arg("write-tree"))?;
        name.trim().clone_into(&mut workshop.checkout);
        Ok(workshop)
    }

    /// Waits until no other command uses the copy. It is free again when the file is closed.
    fn lock(&self) -> Result<File, Trouble> {
        let path = self.folder.join("lock");
        let file = File::create(&path).map_err(|source| Trouble::io(&path, source))?;
        file.lock().map_err(|source| Trouble::io(&path, source))?;
        Ok(file)
    }

    /// Brings the copy to the state of the checkout, whatever another command has left there.
    fn restore(&self) -> Result<(), Trouble> {
        said(
            self.in_tree()
                .args(["read-tree", "--reset", "-u", &self.checkout]),
        )?;
        self.add_canary()
    }

    fn add_canary(&self) -> Result<(), Trouble> {
        let source = self.tree().join("kernel/src");
        let main = source.join("main.rs");
        let text = fs::read_to_string(&main).map_err(|source| Trouble::io(&main, source))?;
        let text = text + "mod canary;\n";
        fs::write(&main, text).map_err(|source| Trouble::io(&main, source))?;
        fs::copy(&self.canary, source.join("canary.rs"))
            .map_err(|source| Trouble::io(&self.canary, source))?;
        Ok(())
    }

    fn tree(&self) -> PathBuf {
        self.folder.join("tree")
    }

    fn repository(&self) -> PathBuf {
        self.folder.join("repository")
    }

    /// A git command that reads the checkout, with an index of our own.
    fn of_checkout(&self) -> Command {
        let mut command = Command::new("git");
        command
            .arg("-C")
            .arg(&self.root)
            .arg("--work-tree")
            .arg(&self.root);
        command.env("GIT_DIR", self.repository());
        command.env("GIT_INDEX_FILE", self.folder.join("checkout.index"));
        command
    }

    /// A git command on the copy.
    fn in_tree(&self) -> Command {
        let mut command = Command::new("git");
        command
            .arg("-C")
            .arg(self.tree())
            .arg("--git-dir")
            .arg(self.repository());
        command.arg("--work-tree").arg(self.tree());
        command.env_remove("GIT_DIR").env_remove("GIT_INDEX_FILE");
        command
    }

    /// The name of the state of the checkout, which changes with the state.
    pub(super) fn checkout(&self) -> &str {
        &self.checkout
    }

    /// The folder of the kernel with a patch, and of its results.
    pub(super) fn folder_of(&self, patch: &Patch) -> PathBuf {
        self.folder.join(&patch.name)
    }

    /// Builds the kernel with a patch, unless it was built before.
    pub(super) fn build(&self, patch: &Patch) -> Result<(), Trouble> {
        let folder = self.folder_of(patch);
        fs::create_dir_all(&folder).map_err(|source| Trouble::io(&folder, source))?;
        let _alone = self.lock()?;
        let (key_file, key) = (folder.join("kernel.key"), self.kernel_key(patch)?);
        if fs::read_to_string(&key_file).is_ok_and(|known| known == key) {
            return Ok(());
        }
        if key_file.exists() {
            fs::remove_file(&key_file).map_err(|source| Trouble::io(&key_file, source))?;
        }
        self.restore()?;
        said(self.in_tree().arg("apply").arg(&patch.path))?;
        let mut build = Command::new(self.root.join("scripts/build-kernel"));
        build
            .arg("--source")
            .arg(self.tree().join("kernel"))
            .arg("--output")
            .arg(&folder);
        said(build.env("CARGO_INCREMENTAL", "1"))?;
        fs::write(&key_file, key).map_err(|source| Trouble::io(&key_file, source))
    }

    /// The key of everything that the kernel with a patch depends on.
    fn kernel_key(&self, patch: &Patch) -> Result<String, Trouble> {
        let canary = fs::read(&self.canary).map_err(|source| Trouble::io(&self.canary, source))?;
        Ok(key(&(patch.change(), canary, &self.checkout)))
    }
}

/// A short name made from `content`. Another content has another name.
pub(super) fn key(content: &impl Hash) -> String {
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// Runs a command that has to succeed. Returns what it prints.
fn said(command: &mut Command) -> Result<String, Trouble> {
    let program = PathBuf::from(command.get_program());
    let output = command
        .output()
        .map_err(|source| Trouble::io(&program, source))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(Trouble::Command {
        command: format!("{command:?}"),
        said: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::{Workshop, key, said};
    use crate::seeded_bugs::catalogue;
    use std::fs;
    use std::path::Path;
    use std::process::Command;

    const PATCH: &str = "Bug: b\nWhy: w\nClass: c\nFeature: 1\nRules: r\n\n\
        diff --git a/kernel/src/main.rs b/kernel/src/main.rs\n\
        --- a/kernel/src/main.rs\n+++ b/kernel/src/main.rs\n\
        @@ -1,2 +1,2 @@\n-fn main() {}\n+fn main() { loop {} }\n mod canary;\n";

    fn write(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// A checkout with a kernel of one line, a script that builds it by copying it, and two patches, of
    /// which the second does not apply.
    fn checkout(root: &Path) {
        write(&root.join("kernel/src/main.rs"), "fn main() {}\n");
        write(&root.join("Cargo.toml"), "[workspace]\n");
        write(&root.join("corpus/bugs/canary.rs"), "// canary\n");
        write(&root.join("corpus/bugs/1-loop.patch"), PATCH);
        let other = PATCH.replace("-fn main() {}", "-fn other() {}");
        write(&root.join("corpus/bugs/2-stale.patch"), &other);
        let script = root.join("scripts/build-kernel");
        write(
            &script,
            "#!/bin/sh\ncat \"$2/src/main.rs\" >>\"$4/kernel.elf\"\n",
        );
        said(Command::new("chmod").arg("+x").arg(script)).unwrap();
    }

    #[test]
    fn a_kernel_is_built_once_and_the_checkout_stays_as_it_is() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("checkout");
        checkout(&root);
        let bugs = catalogue::read(&root.join("corpus/bugs")).unwrap();
        let folder = place.path().join("bugs");
        for _ in 0..2 {
            let workshop = Workshop::open(&root, &folder).unwrap();
            workshop.build(&bugs[0].patch).unwrap();
            let built = fs::read_to_string(folder.join("1-loop/kernel.elf")).unwrap();
            assert_eq!(built, "fn main() { loop {} }\nmod canary;\n");
        }
        let workshop = Workshop::open(&root, &folder).unwrap();
        let refused = workshop.build(&bugs[1].patch).unwrap_err().to_string();
        assert!(refused.contains("does not apply"), "{refused}");
        assert!(!folder.join("2-stale/kernel.key").exists());
        let own = fs::read_to_string(root.join("kernel/src/main.rs")).unwrap();
        assert_eq!(own, "fn main() {}\n");
        assert!(!root.join(".git").exists());
    }

    #[test]
    fn two_commands_at_once_build_what_each_asked_for() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("checkout");
        checkout(&root);
        let other = PATCH.replace("loop {}", "return");
        write(&root.join("corpus/bugs/2-stale.patch"), &other);
        let bugs = catalogue::read(&root.join("corpus/bugs")).unwrap();
        let folder = place.path().join("bugs");
        std::thread::scope(|scope| {
            for bug in &bugs {
                scope.spawn(|| {
                    let workshop = Workshop::open(&root, &folder).unwrap();
                    workshop.build(&bug.patch).unwrap();
                });
            }
        });
        for (bug, body) in bugs.iter().zip(["loop {}", "return"]) {
            let kernel = folder.join(&bug.patch.name).join("kernel.elf");
            let built = fs::read_to_string(kernel).unwrap();
            assert_eq!(built, format!("fn main() {{ {body} }}\nmod canary;\n"));
        }
    }

    #[test]
    fn another_state_of_the_kernel_has_another_key() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("checkout");
        checkout(&root);
        let folder = place.path().join("bugs");
        let before = Workshop::open(&root, &folder)
            .unwrap()
            .checkout()
            .to_owned();
        write(&root.join("kernel/src/main.rs"), "fn main() {}\n// more\n");
        let after = Workshop::open(&root, &folder).unwrap();
        assert_ne!(after.checkout(), before);
        assert_ne!(key(&1), key(&2));
    }
}
