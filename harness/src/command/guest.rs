//! Which kernel a command runs: the one that is named, the one that a case was found on, or ours.

use faultline::case_file;
use faultline::check;
use faultline::guest::Guest;
use faultline::guest::location::GuestFiles;
use faultline::guest::origin::Origin;
use faultline::runner::Runner;
use oracle::Dialect;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Which kernel to run.
#[derive(clap::Args)]
pub(crate) struct GuestArguments {
    /// The kernel's ELF file [default: the one that the case file names, or that ./scripts/setup built]
    #[arg(long, value_name = "ELF")]
    kernel: Option<PathBuf>,
    /// The kernel's file-system image [default: the one that belongs to the kernel]
    #[arg(long, value_name = "IMAGE")]
    fs: Option<PathBuf>,
    /// How the kernel may differ: `faultline`, `xv6-2025`, or a TOML file [default: what the case file or
    /// the kernel says, or else what the kernel shows when it is asked]
    #[arg(long, value_name = "NAME|FILE")]
    dialect: Option<PathBuf>,
}

impl GuestArguments {
    /// Reads the kernel and its image.
    pub(crate) fn files(&self) -> miette::Result<GuestFiles> {
        GuestFiles::find(self.kernel.as_deref(), self.fs.as_deref())
            .map_err(|error| miette::miette!("{error}"))
    }

    /// Boots the kernel to the start of a case.
    pub(crate) fn boot(&self) -> miette::Result<Arc<Guest>> {
        self.boot_files(&self.files()?)
    }

    /// Boots `files`, which [`GuestArguments::files`] read, to the start of a case.
    pub(crate) fn boot_files(&self, files: &GuestFiles) -> miette::Result<Arc<Guest>> {
        self.boot_as(files, None, None)
    }

    /// A runner for the case in the file `case`: unless another kernel is named, on the one that the case was
    /// found on. If it is not the same any more, that is said. The case shows its own finding first, even
    /// if it meets another bug of that kernel on its way.
    pub(crate) fn runner_for(&self, case: &Path) -> miette::Result<Runner> {
        let origin = case_file::origin(case)?;
        let (files, is_same) = self.files_for(case, origin.as_ref())?;
        let same = origin.as_ref().filter(|_| is_same);
        let known = same.map(|origin| origin.dialect.clone());
        let earlier = origin.as_ref().map(|origin| &origin.dialect);
        let mut runner = Runner::new(&self.boot_as(&files, known, earlier)?);
        if let Some(origin) = same {
            runner.avoid(&origin.avoided);
        }
        Ok(runner)
    }

    /// Reads the kernel and the image for a case with that origin, and says whether the kernel is the one
    /// that the case was found on.
    pub(crate) fn files_for(
        &self,
        case: &Path,
        origin: Option<&Origin>,
    ) -> miette::Result<(GuestFiles, bool)> {
        let Some(origin) = origin else {
            return Ok((self.files()?, false));
        };
        let (case, was) = (case.display(), origin.kernel.path.display());
        let is_named = self.kernel.is_some() || self.fs.is_some();
        if is_named || GuestFiles::are_named_by_environment() {
            let files = self.files()?;
            let is_same = origin.is_kernel(&files);
            if !is_same {
                eprintln!("note: {case} was found on another kernel, {was}");
            }
            return Ok((files, is_same));
        }
        let Some(files) = origin.files() else {
            miette::bail!(
                help = "name a kernel and its image with --kernel ELF and --fs IMAGE",
                "{case} was found on {was}, which is not there any more"
            );
        };
        let is_same = origin.is_kernel(&files);
        if !is_same {
            eprintln!("note: {was} has changed since {case} was found on it");
        }
        Ok((files, is_same))
    }

    fn boot_as(
        &self,
        files: &GuestFiles,
        known: Option<Dialect>,
        earlier: Option<&Dialect>,
    ) -> miette::Result<Arc<Guest>> {
        let asked = self.dialect.as_deref().map(dialect).transpose()?;
        check::boot(files, asked.or(known), earlier)
            .map_err(|error| miette::miette!("{}: {error}", files.kernel_path.display()))
    }
}

/// The dialect of that name, or the one in that file.
pub(crate) fn dialect(name: &Path) -> miette::Result<Dialect> {
    if let Some(dialect) = name.to_str().and_then(Dialect::named) {
        return Ok(dialect);
    }
    let place = name.display();
    let text = std::fs::read_to_string(name)
        .map_err(|error| miette::miette!("cannot read the dialect {place}: {error}"))?;
    Dialect::parse(&text).map_err(|error| miette::miette!("{place}: {error}"))
}
