//! `--rejected`: the rejected rows in a file, or in several when there are many.

use std::{
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
        std::fs::write(&path, csv).map_err(failed)?;
        let line = format!("rejected rows are in {}", path.display());
        writeln!(io::stdout(), "{line}").map_err(failed)?;
        if !has_next {
            break;
        }
    }
    Ok(())
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
