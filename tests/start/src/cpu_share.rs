//! A share of a CPU, as Lambda gives a function according to its memory.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::Error;

/// How often the kernel gives a group its time anew. Lambda's functions see pauses of this length.
const PERIOD: Duration = Duration::from_millis(20);
/// Where version 1 of control groups keeps CPUs.
const VERSION_1: &str = "/sys/fs/cgroup/cpu";
const VERSION_2: &str = "/sys/fs/cgroup";

/// A control group of the kernel, gone when this is dropped.
pub(crate) struct CpuShare {
    group: PathBuf,
}

impl CpuShare {
    /// A group with this part of one CPU. Only root may make one.
    pub(crate) fn new(share: f64) -> Result<Self, Error> {
        let quota = PERIOD.mul_f64(share).as_micros();
        // The kernel gives nobody less.
        if quota < 1000 {
            return Err(
                format!("a share must be at least {}", 0.001 / PERIOD.as_secs_f64()).into(),
            );
        }
        let has_version_2 = Path::new(VERSION_2).join("cgroup.controllers").exists();
        let parent = if has_version_2 { VERSION_2 } else { VERSION_1 };
        let group = Path::new(parent).join(format!("clientele-start-{}", std::process::id()));
        fs::create_dir(&group).map_err(|error| {
            format!(
                "{} cannot be made (are you root?): {error}",
                group.display()
            )
        })?;
        let share = Self { group };
        let period = PERIOD.as_micros();
        if has_version_2 {
            fs::write(Path::new(VERSION_2).join("cgroup.subtree_control"), "+cpu")?;
            share.write("cpu.max", format!("{quota} {period}"))?;
        } else {
            share.write("cpu.cfs_period_us", period.to_string())?;
            share.write("cpu.cfs_quota_us", quota.to_string())?;
        }
        Ok(share)
    }

    /// The file that a process writes its id to, to come into the group.
    pub(crate) fn members(&self) -> PathBuf {
        self.group.join("cgroup.procs")
    }

    /// Waits until a process is in the group and has its time unspent.
    pub(crate) async fn until_member(&self, pid: u32) -> Result<(), Error> {
        let pid = pid.to_string();
        loop {
            let members = fs::read_to_string(self.members())?;
            if members.lines().any(|member| member == pid) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::time::sleep(PERIOD * 5).await;
        Ok(())
    }

    fn write(&self, file: &str, value: String) -> io::Result<()> {
        fs::write(self.group.join(file), value)
    }
}

impl Drop for CpuShare {
    fn drop(&mut self) {
        // The kernel refuses it while a process is in there; an empty group does no harm.
        let _ = fs::remove_dir(&self.group);
    }
}
