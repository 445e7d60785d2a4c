//! The command line.

use std::{
    net::{IpAddr, Ipv4Addr},
    path::PathBuf,
    time::Duration,
};

use clap::{Args, Parser, Subcommand};
use clientele::{
    config::{DEFAULT_RATE_LIMIT, MAX_RATE_LIMIT},
    identity::{DataOrigin, OrganizationId},
};
use clientele_local::{Options, server::Port};
use jiff::{Span, SpanRelativeTo};

const HTTP_PORT: u16 = 8080;
const DYNAMODB_PORT: u16 = 8000;
const S3_PORT: u16 = 9000;

/// Clientele on this machine. Without a command it serves until Ctrl-C.
#[derive(Parser)]
#[command(name = "clientele", version)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) stack: StackFlags,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Args)]
pub(crate) struct StackFlags {
    /// The folder that everything is kept in
    #[arg(long, global = true, value_name = "DIR", default_value = ".clientele")]
    data: PathBuf,
    /// The address to listen on; Docker's bridge, 172.17.0.1, is where containers reach it
    #[arg(long, global = true, value_name = "ADDRESS", default_value_t = Ipv4Addr::LOCALHOST.into())]
    address: IpAddr,
    /// The HTTP API's port; 0 for any free one [default: 8080]
    #[arg(long, global = true)]
    port: Option<u16>,
    /// DynamoDB's port; 0 for any free one [default: 8000]
    #[arg(long, global = true, value_name = "PORT")]
    dynamodb_port: Option<u16>,
    /// S3's port; 0 for any free one [default: 9000]
    #[arg(long, global = true, value_name = "PORT")]
    s3_port: Option<u16>,
    /// Another DynamoDB server to use
    #[arg(
        long,
        global = true,
        value_name = "URL",
        conflicts_with = "dynamodb_port"
    )]
    dynamodb_endpoint: Option<String>,
    /// Another S3 server to use; files put there are imported only if it notifies
    #[arg(long, global = true, value_name = "URL", conflicts_with = "s3_port")]
    pub(crate) s3_endpoint: Option<String>,
    /// The requests that a caller may make in any 60 seconds
    #[arg(
        long,
        global = true,
        value_name = "REQUESTS",
        default_value_t = DEFAULT_RATE_LIMIT,
        value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_RATE_LIMIT))
    )]
    rate_limit: u32,
}

impl StackFlags {
    /// To serve: on the usual ports, because that is where clients look.
    pub(crate) fn options(&self) -> Options {
        self.options_with(Port::Exactly)
    }

    /// To run one command: a usual port that is taken is no obstacle.
    pub(crate) fn options_for_one_command(&self) -> Options {
        self.options_with(Port::Preferably)
    }

    fn options_with(&self, usual: fn(u16) -> Port) -> Options {
        let port = |flag: Option<u16>, default| flag.map_or(usual(default), Port::Exactly);
        Options {
            data: self.data.clone(),
            address: self.address,
            port: port(self.port, HTTP_PORT),
            dynamodb_port: port(self.dynamodb_port, DYNAMODB_PORT),
            s3_port: port(self.s3_port, S3_PORT),
            dynamodb_endpoint: self.dynamodb_endpoint.clone(),
            s3_endpoint: self.s3_endpoint.clone(),
            rate_limit_per_minute: self.rate_limit,
            provider: None,
        }
    }
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Import one file and show what became of it
    Import(ImportArguments),
    /// Show how a file is read, without a stack
    Preview(PreviewArguments),
    /// Show what an encrypted value says
    Decrypt(DecryptArguments),
    /// Print a token that the local stack believes
    Token(TokenArguments),
    /// Check the counts against the records
    Verify {
        /// Mend what differs
        #[arg(long, conflicts_with = "receipt")]
        repair: bool,
        /// Instead, look for what is left of the customers of an erasure's receipt
        #[arg(long, value_name = "JSON")]
        receipt: Option<PathBuf>,
    },
    /// Erase again whom a table restored from a backup has brought back
    ApplyFences,
    /// Delete the data folder
    Reset {
        /// Really
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Args)]
pub(crate) struct ImportArguments {
    /// A csv, xlsx, json or ndjson file
    pub(crate) file: PathBuf,
    /// What the rows are: customers, meters, …
    #[arg(long, value_parser = key_segment)]
    pub(crate) dataset: String,
    /// Where the rows come from; the dataset's own, or generic, if not said
    #[arg(long)]
    pub(crate) source: Option<DataOrigin>,
    /// A group to put the records in, made if need be
    #[arg(long, value_parser = key_segment)]
    pub(crate) group: Option<String>,
    /// Tell what would happen, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Import nothing if one row is refused
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) all_or_nothing: bool,
    /// Where to write the rejected rows, to be corrected and imported again as they are
    #[arg(long, value_name = "CSV")]
    pub(crate) rejected: Option<PathBuf>,
    /// Keep serving afterwards, until Ctrl-C
    #[arg(long)]
    pub(crate) wait: bool,
}

#[derive(Args)]
pub(crate) struct PreviewArguments {
    /// A csv, xlsx, json or ndjson file, or one of text in gzip
    pub(crate) file: PathBuf,
    /// Show nothing but the header and the rows, as csv
    #[arg(long)]
    pub(crate) csv: bool,
    /// The dataset that the columns are told for
    #[arg(long, default_value = "customers")]
    pub(crate) dataset: String,
    /// How many rows to show [default: 20; all with --csv]
    #[arg(long)]
    pub(crate) rows: Option<usize>,
}

#[derive(Args)]
pub(crate) struct DecryptArguments {
    /// The record that the value is of, as the API names it
    #[arg(long, required_unless_present = "json")]
    pub(crate) uid: Option<String>,
    /// The field that the value is of
    #[arg(long)]
    pub(crate) field: String,
    /// The organisation's id
    #[arg(long, default_value = "1")]
    pub(crate) organization: OrganizationId,
    /// Decrypt the field of every customer of a page, a reply of POST /v1/customer
    #[arg(long, conflicts_with = "uid")]
    pub(crate) json: bool,
    /// The value as the API gives it; - reads it, or the page, from the input
    #[arg(default_value = "-")]
    pub(crate) value: String,
}

#[derive(Args)]
pub(crate) struct TokenArguments {
    /// The organisation's id
    #[arg(long, default_value = "1")]
    pub(crate) organization: OrganizationId,
    /// Scopes, separated by spaces [default: all]
    #[arg(long)]
    pub(crate) scope: Option<String>,
    /// The user's id
    #[arg(long)]
    pub(crate) user: Option<String>,
    /// How long the token is valid: 30s, 15m, 1h, 30d [default: 30d]
    #[arg(long, value_parser = time_to_live)]
    pub(crate) ttl: Option<Duration>,
    /// The only groups that the token may see [default: all]
    #[arg(long, value_delimiter = ',')]
    pub(crate) groups: Option<Vec<String>>,
}

/// A slash would make another key of it.
fn key_segment(text: &str) -> Result<String, String> {
    if text.is_empty() || text.contains('/') {
        return Err("it must be a name without slashes".to_owned());
    }
    Ok(text.to_owned())
}

fn time_to_live(text: &str) -> Result<Duration, String> {
    let span: Span = text
        .parse()
        .map_err(|error: jiff::Error| error.to_string())?;
    let duration = span
        .to_duration(SpanRelativeTo::days_are_24_hours())
        .map_err(|error| error.to_string())?;
    match Duration::try_from(duration) {
        Ok(duration) if duration >= Duration::from_secs(1) => Ok(duration),
        _ => Err("it must be at least one second".to_owned()),
    }
}
