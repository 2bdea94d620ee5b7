//! The command line that the MNIST examples share.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{RangedU64ValueParser, StyledStr, ValueParser};
use clap::{Arg, ArgMatches, Command, value_parser};
use cotangent::MatmulPrecision;

/// In what an example differs from the others.
pub struct Defaults {
    /// One line: what is trained.
    pub about: &'static str,
    /// `--epochs`, where it is not given.
    pub epochs: usize,
    /// `--batch-size`, where it is not given.
    pub batch_size: usize,
}

/// Where the digits come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// Wherever `Mnist::load` finds them.
    Anywhere,
    /// The files in this folder.
    Folder(PathBuf),
    /// Made up on the spot.
    Synthetic,
}

/// Where the computation runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceChoice {
    /// The fastest device there is.
    Auto,
    /// The processor.
    Cpu,
    /// The first NVIDIA GPU.
    Cuda,
}

/// The command line, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arguments {
    /// Where the digits come from.
    pub data: Data,
    /// How often training sees each digit.
    pub epochs: usize,
    /// Digits in a step.
    pub batch_size: usize,
    /// Train on this many digits only.
    pub train_images: Option<usize>,
    /// Test on this many digits only.
    pub test_images: Option<usize>,
    /// Where the computation runs.
    pub device: DeviceChoice,
    /// How exactly products are computed.
    pub precision: MatmulPrecision,
    /// The seed of every random number.
    pub seed: u64,
    /// Images as (1, 28, 28) instead of (28, 28, 1).
    pub channels_first: bool,
    /// Draw the first hundred answers into this PNG.
    pub figure: Option<PathBuf>,
    /// Write a checkpoint here after every epoch.
    pub save: Option<PathBuf>,
    /// Go on from this checkpoint.
    pub resume: Option<PathBuf>,
    /// How many threads may work.
    threads: Option<usize>,
}

impl Arguments {
    /// Reads the command line and sets the number of threads; ends the program with a message if it makes no sense.
    pub fn parse(defaults: Defaults) -> Self {
        let arguments = Self::try_parse_from(defaults, std::env::args_os()).unwrap_or_else(|error| error.exit());
        if let Some(threads) = arguments.threads {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            pool.build_global().expect("no thread works yet");
        }
        arguments
    }

    /// Reads `words`, the first of which is the program's name.
    pub fn try_parse_from<T: Into<OsString> + Clone>(
        defaults: Defaults,
        words: impl IntoIterator<Item = T>,
    ) -> Result<Self, clap::Error> {
        let mut found = command(&defaults).try_get_matches_from(words)?;
        Ok(Self {
            data: match take::<PathBuf>(&mut found, "data") {
                None => Data::Anywhere,
                Some(word) if word.as_os_str() == "synthetic" => Data::Synthetic,
                Some(folder) => Data::Folder(folder),
            },
            epochs: take(&mut found, "epochs").unwrap_or(defaults.epochs),
            batch_size: take(&mut found, "batch-size").unwrap_or(defaults.batch_size),
            train_images: take(&mut found, "train-images"),
            test_images: take(&mut found, "test-images"),
            device: match take::<String>(&mut found, "device").as_deref() {
                Some("cpu") => DeviceChoice::Cpu,
                Some("cuda") => DeviceChoice::Cuda,
                _ => DeviceChoice::Auto,
            },
            precision: match take::<String>(&mut found, "precision").as_deref() {
                Some("tf32") => MatmulPrecision::Tf32,
                Some("bf16") => MatmulPrecision::Bf16,
                _ => MatmulPrecision::Fp32,
            },
            seed: take(&mut found, "seed").unwrap_or(0),
            channels_first: take::<String>(&mut found, "data-format").as_deref() == Some("channels_first"),
            figure: take(&mut found, "figure"),
            save: take(&mut found, "save"),
            resume: take(&mut found, "resume"),
            threads: take(&mut found, "threads"),
        })
    }
}

fn take<T: Clone + Send + Sync + 'static>(found: &mut ArgMatches, name: &str) -> Option<T> {
    found.remove_one(name)
}

fn command(defaults: &Defaults) -> Command {
    let epochs = format!("How often training sees each digit [default: {}]", defaults.epochs);
    let batch_size = format!("Digits in a step [default: {}]", defaults.batch_size);
    let data = "A folder with MNIST's files, or `synthetic`: digits made up on the spot \
                [default: MNIST_DIR, the cache or the network, whichever has it first]";
    let device = "Where to compute: `auto` is the fastest device there is [default: auto]";
    let precision = "How exactly to compute products; tf32 and bf16 need a GPU with tensor cores [default: fp32]";
    let data_format = "Images as (28, 28, 1) or as (1, 28, 28) [default: channels_last]";
    let figure = "Draw the first hundred answers into this PNG (needs the feature `figures`)";
    Command::new("example").about(defaults.about).args([
        option("data", "DIR|synthetic", value_parser!(PathBuf), data),
        option("epochs", "N", count(), epochs),
        option("batch-size", "N", count(), batch_size),
        option("train-images", "N", count(), "Train on the first N digits only [default: all]"),
        option("test-images", "N", count(), "Test on the first N digits only [default: all]"),
        option("device", "DEVICE", ["auto", "cpu", "cuda"], device),
        option("precision", "PRECISION", ["fp32", "tf32", "bf16"], precision),
        option("threads", "N", count(), "How many threads may work [default: one for each core]"),
        option("seed", "N", value_parser!(u64), "The seed of every random number [default: 0]"),
        option("data-format", "FORMAT", ["channels_last", "channels_first"], data_format),
        option("figure", "FILE", value_parser!(PathBuf), figure),
        option("save", "FILE", value_parser!(PathBuf), "Write a checkpoint here after every epoch, and after Ctrl-C"),
        option("resume", "FILE", value_parser!(PathBuf), "Go on from this checkpoint as if never interrupted"),
    ])
}

fn option(name: &'static str, value: &'static str, parser: impl Into<ValueParser>, help: impl Into<StyledStr>) -> Arg {
    Arg::new(name).long(name).value_name(value).value_parser(parser.into()).help(help.into())
}

/// A count of at least one.
fn count() -> ValueParser {
    RangedU64ValueParser::<usize>::new().range(1..).into()
}
