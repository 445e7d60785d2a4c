//! A process that is killed again and again: the files in its folder end up imported as if
//! it had not been.
//!
//! `KILLS=500 cargo test --release --test integration kills:: -- --nocapture` prints
//! the scorecard's line, `500 kills, 0 differences`; `KILLS_SEED` repeats a run.

use std::{
    fs,
    io::{BufRead, BufReader},
    ops::Range,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use clientele_local::{LocalStack, Options};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::oneshot;

use crate::{
    chance::Chance,
    snapshot::Snapshot,
    stack::{customers, file},
};

/// Tells the process which folder to serve.
const FOLDER: &str = "CLIENTELE_KILLED_FOLDER";
/// How often a test looks at what the process has done.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// A folder's imports may take so long without a kill.
const PATIENCE: Duration = Duration::from_secs(300);

/// Not a test: the process that [`Process::start`] starts and that serves until it is killed.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "the process that other tests kill"]
async fn serve_until_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let options = Options {
        // It is looked at more often than clients may.
        rate_limit_per_minute: 1_000_000,
        ..Options::on_free_ports(Path::new(&folder))
    };
    let stack = LocalStack::start(options).await.unwrap();
    println!("\nready {}", stack.endpoints.http);
    std::future::pending::<()>().await;
}

/// A process that serves a folder. Dropping it kills it.
struct Process {
    child: Child,
    ready: oneshot::Receiver<String>,
    http: Option<String>,
}

impl Process {
    fn start(folder: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "kills::serve_until_killed",
                "--ignored",
                "--nocapture",
            ])
            .env(FOLDER, folder)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, ready) = oneshot::channel();
        std::thread::spawn(move || {
            let lines = output.lines().map_while(Result::ok);
            let url = lines
                .filter_map(|line| line.strip_prefix("ready ").map(str::to_owned))
                .next();
            url.map(|url| sender.send(url))
        });
        Self {
            child,
            ready,
            http: None,
        }
    }

    /// Every job, once the process serves.
    async fn jobs(&mut self, folder: &Path) -> Option<Vec<Value>> {
        if self.http.is_none() {
            self.http = self.ready.try_recv().ok();
        }
        let url = format!("{}/v1/jobs?size=100", self.http.as_ref()?);
        let token = fs::read_to_string(folder.join("token")).ok()?;
        let request = reqwest::Client::new().get(url).bearer_auth(token.trim());
        let answer = request.send().await.ok()?.text().await.ok()?;
        let answer: Value = serde_json::from_str(&answer).unwrap();
        answer["jobs"].as_array().cloned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // SIGKILL: nothing of the process runs any more.
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// A folder whose files are dropped by stages: a stage's files have no record in common, and
/// the next is dropped when it has been imported.
struct Folder {
    directory: TempDir,
    stages: std::vec::IntoIter<Vec<(&'static str, Vec<u8>)>>,
    dropped: usize,
}

impl Folder {
    fn new() -> Self {
        Self {
            directory: TempDir::new().unwrap(),
            stages: stages().into_iter(),
            dropped: 0,
        }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn bucket(&self) -> PathBuf {
        self.path().join("s3/clientele-local")
    }

    /// Drops the next stage when nothing is left to do. Returns whether all is done.
    fn go_on(&mut self, jobs: &[Value]) -> bool {
        let is_ended =
            |job: &&Value| !matches!(job["state"].as_str().unwrap(), "queued" | "running");
        let ended = jobs.iter().filter(is_ended).count();
        if ended < self.dropped || has_files(&self.bucket().join("inbox")) {
            return false;
        }
        let Some(files) = self.stages.next() else {
            return true;
        };
        self.dropped += files.len();
        for (key, content) in files {
            let path = self.bucket().join(key);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        false
    }

    /// Serves until all is imported, or for a while. Returns whether all is done.
    async fn serve(&mut self, limit: Duration) -> bool {
        let began = Instant::now();
        let mut process = Process::start(self.path());
        while began.elapsed() < limit {
            if let Some(jobs) = process.jobs(self.path()).await
                && self.go_on(&jobs)
            {
                return true;
            }
            tokio::time::sleep(LOOK_EVERY.min(limit.saturating_sub(began.elapsed()))).await;
        }
        false
    }

    /// What is stored; it must agree with itself, and no event may have been given up.
    async fn snapshot(&self) -> Snapshot {
        let options = Options::on_free_ports(self.path());
        let stack = LocalStack::start(options).await.unwrap();
        let report = clientele::store::verify::verify(&stack.registry.store, false);
        let report = report.await.unwrap();
        assert!(report.is_clean(), "{report}");
        assert!(!has_files(&self.path().join("failed-events")));
        let snapshot = Snapshot::of_first(&stack.registry, &stack.clients).await;
        stack.stop().await;
        snapshot
    }
}

fn stages() -> Vec<Vec<(&'static str, Vec<u8>)>> {
    let rows = |rows: Range<usize>, prefix: &str| customers(rows, prefix);
    let twice = |range: Range<usize>| {
        let content = rows(range.clone(), "+2567");
        let again = rows(range, "+2569");
        let (_, again) = again.split_once('\n').unwrap();
        format!("{content}{again}").into_bytes()
    };
    vec![
        vec![
            ("inbox/1/generic/customers/large.csv", large()),
            (
                "inbox/1/generic/customers/village.7/small.csv",
                rows(20_000..20_040, "+2567").into(),
            ),
            (
                "inbox/1/generic/customers/customers.csv",
                file("customers.csv"),
            ),
        ],
        vec![
            (
                "inbox/1/generic/customers/changes.csv",
                rows(9_900..10_200, "+2568").into(),
            ),
            ("inbox/1/generic/meters/meters.csv", file("meters.csv")),
            (
                "inbox/1/generic/customers/refused.csv",
                file("customers_near_miss.csv"),
            ),
            ("inbox/1/generic/customers/twice.csv", twice(20_000..20_100)),
        ],
        vec![
            (
                "inbox/1/generic/customers/errors.csv",
                file("customers_with_errors.csv"),
            ),
            (
                "inbox/1/generic/customers/unchanged.csv",
                rows(0..300, "+2567").into(),
            ),
        ],
    ]
}

/// Enough rows for a second part. Few columns make it quick.
fn large() -> Vec<u8> {
    let row = |n| format!("c{n},Person {n},+2567{n:07}\n");
    let rows: String = (0..10_020).map(row).collect();
    format!("external_id,name,phone\n{rows}").into_bytes()
}

fn has_files(folder: &Path) -> bool {
    let Ok(entries) = fs::read_dir(folder) else {
        return false;
    };
    entries
        .map_while(Result::ok)
        .any(|entry| match entry.path() {
            path if path.is_dir() => has_files(&path),
            path => path.exists(),
        })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_killed_at_any_moment_ends_where_an_undisturbed_one_does() {
    let wanted: u32 = std::env::var("KILLS").map_or(5, |kills| kills.parse().unwrap());
    let mut chance = Chance::from_env("KILLS_SEED");
    let began = Instant::now();
    let mut undisturbed = Folder::new();
    assert!(undisturbed.serve(PATIENCE).await, "not imported in time");
    let whole = began.elapsed();
    let expected = undisturbed.snapshot().await;

    let (mut kills, mut differences) = (0, Vec::new());
    while kills < wanted {
        let mut folder = Folder::new();
        // Lives grow, so that even the slowest step ends once.
        let mut longest = whole / wanted.clamp(3, 12);
        loop {
            let share = chance.below(1_000_000) as f64 / 1e6;
            let life = match kills < wanted {
                true => longest.mul_f64(share),
                false => PATIENCE,
            };
            if folder.serve(life).await {
                break;
            }
            assert!(life < PATIENCE, "not imported in time; {chance}");
            kills += 1;
            longest = longest.mul_f64(1.2);
        }
        let difference = folder.snapshot().await.difference(&expected);
        if !difference.is_empty() {
            differences.push(difference);
        }
    }
    println!("{kills} kills, {} differences", differences.len());
    assert!(
        differences.is_empty(),
        "{chance}\n{}",
        differences.join("\n")
    );
}
