//! How long each function takes from the start of its process to its first answer, beside a
//! function that does nothing; see the README beside this.

mod cpu_share;
mod endpoint;
mod function;
mod process;
mod runtime_api;

use std::{
    fmt::Write as _,
    io::Write as _,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Parser;

use cpu_share::CpuShare;
use endpoint::{Endpoint, Seen};
use function::{FUNCTIONS, Function, HELLO};
use process::Start;

type Error = Box<dyn std::error::Error + Send + Sync>;

/// Measures the functions from the start of their process to their first answer.
#[derive(Parser)]
struct Options {
    /// Folders of binaries, `api` or `api/bootstrap` and so on; the folder of this one if none is
    /// named. Those of several folders take turns.
    #[arg(long, value_name = "DIR")]
    binaries: Vec<PathBuf>,
    /// How often each one is started.
    #[arg(long, default_value_t = 30)]
    runs: usize,
    /// The part of one CPU that a function may use, as 0.0724 for one of 128 MB; needs root.
    #[arg(long)]
    cpu_share: Option<f64>,
    /// A variable besides in every function's environment, as `MIMALLOC_ALLOW_THP=0`.
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    env: Vec<(String, String)>,
    /// Only these functions.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
}

/// One line of the table.
struct Row {
    name: String,
    binary: PathBuf,
    function: &'static Function,
    event: String,
    starts: Vec<(Start, Seen)>,
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let options = Options::parse();
    let mut rows = rows(&options)?;
    let endpoint = Endpoint::start().await?;
    let share = options.cpu_share.map(CpuShare::new).transpose()?;
    let key_file = tempfile::NamedTempFile::new()?;
    std::fs::write(key_file.path(), [7; 32])?;
    let mut environment = function::environment(&endpoint, key_file.path());
    let besides = options.env.iter();
    environment.extend(besides.map(|(name, value)| (name.as_str(), value.clone())));

    for run in 0..=options.runs {
        for row in &mut rows {
            let expected = row.function.answers;
            let start = process::start(
                &row.binary,
                &environment,
                &row.event,
                expected,
                share.as_ref(),
            );
            let start = start.await?;
            let seen = endpoint.take_seen();
            // The first one reads its binary from the disk.
            if run > 0 {
                row.starts.push((start, seen));
            }
        }
    }
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(table(&rows).as_bytes())?;
    Ok(())
}

fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("not of the form NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn rows(options: &Options) -> Result<Vec<Row>, Error> {
    let mut folders = options.binaries.clone();
    let own = std::env::current_exe()?;
    let own = own.parent().ok_or("this program is in no folder")?;
    if folders.is_empty() {
        folders.push(own.to_owned());
    }
    let first = folders.first().map_or(own, PathBuf::as_path);
    let hello = HELLO.binary(first).or_else(|_| HELLO.binary(own))?;
    let mut rows = vec![row("hello".to_owned(), hello, &HELLO)?];
    for function in &FUNCTIONS {
        let is_wanted =
            options.only.is_empty() || options.only.iter().any(|name| name == function.name);
        for folder in folders.iter().filter(|_| is_wanted) {
            let label = match folders.len() {
                1 => function.name.to_owned(),
                _ => format!("{} {}", function.name, last_part(folder)),
            };
            rows.push(row(label, function.binary(folder)?, function)?);
        }
    }
    Ok(rows)
}

fn row(name: String, binary: PathBuf, function: &'static Function) -> Result<Row, Error> {
    Ok(Row {
        name,
        binary,
        function,
        event: function.event()?,
        starts: Vec::new(),
    })
}

fn last_part(folder: &Path) -> String {
    let name = folder.file_name().unwrap_or(folder.as_os_str());
    name.to_string_lossy().into_owned()
}

/// The figures as a table in Markdown.
fn table(rows: &[Row]) -> String {
    let mut table = String::from(
        "| function | connects: median (ms) | first poll: min, median (ms) | to hello | first answer: min, median (ms) | to hello | CPU: min, median (ms) | to hello | peak (MB) | calls |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |\n",
    );
    let Some(hello) = rows.first() else {
        return table;
    };
    for row in rows {
        let peak = row.starts.iter().map(|(start, _)| start.peak_memory).max();
        let calls = row.starts.last().map(|(_, seen)| seen.calls.join(", "));
        // Writing into a string does not fail.
        let _ = writeln!(
            table,
            "| {} | {} | {} | {} | {} | {:.1} | {} |",
            row.name,
            row.connects(),
            row.compared(hello, |start| start.first_poll),
            row.compared(hello, |start| start.first_response),
            row.compared(hello, |start| start.cpu),
            peak.unwrap_or_default() as f64 / 1e6,
            calls.unwrap_or_default(),
        );
    }
    table
}

impl Row {
    /// The least, the median, and the median beside that of another row.
    fn compared(&self, other: &Self, of: fn(&Start) -> Duration) -> String {
        let sorted = self.sorted(of);
        let least = sorted.first().copied().unwrap_or_default();
        let middle = median(&sorted);
        let ratio = middle.as_secs_f64() / median(&other.sorted(of)).as_secs_f64();
        format!("{:.2}, {:.2} | {ratio:.2}", in_ms(least), in_ms(middle))
    }

    fn sorted(&self, of: fn(&Start) -> Duration) -> Vec<Duration> {
        let mut all: Vec<Duration> = self.starts.iter().map(|(start, _)| of(start)).collect();
        all.sort_unstable();
        all
    }

    /// When it first connects to AWS, if it does.
    fn connects(&self) -> String {
        let mut all: Vec<Duration> = (self.starts.iter())
            .filter_map(|(start, seen)| Some(seen.connected?.duration_since(start.began)))
            .collect();
        all.sort_unstable();
        match all.is_empty() {
            true => String::new(),
            false => format!("{:.2}", in_ms(median(&all))),
        }
    }
}

/// The middle one of sorted durations.
fn median(sorted: &[Duration]) -> Duration {
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

fn in_ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
