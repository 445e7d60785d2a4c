//! `--rejected`: the rejected rows in a file, or in several when there are many.

use std::{
    fs::OpenOptions,
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::{ImportError, Target, jobs::Jobs, report::Report};

/// Writes the rejected rows; nothing when there are none.
pub(super) async fn save(target: &Target, report: &Report, path: &Path) -> Result<(), ImportError> {
    let job = report.job();
    if job.rejected == 0 {
        return Ok(());
    }
    let jobs = Jobs::new(&target.endpoints.http, &target.token)?;
    for part in 1.. {
        let (csv, has_next) = jobs.rejected(job, part).await?;
        let path = numbered(path, part);
        let failed = |source: io::Error| ImportError::RejectedFile {
            path: path.clone(),
            source,
        };
        write_private(&path, &csv).map_err(failed)?;
        // Whoever reads the output may have gone; the file is there all the same.
        let _ = writeln!(io::stdout(), "rejected rows are in {}", path.display());
        if !has_next {
            break;
        }
    }
    Ok(())
}

/// Personal data in clear, which only its owner may read.
fn write_private(path: &Path, csv: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(csv)
}

/// The path itself, then the path with a number before its extension.
fn numbered(path: &Path, part: usize) -> PathBuf {
    if part == 1 {
        return path.to_owned();
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{stem}-{part}.{extension}"))
}
