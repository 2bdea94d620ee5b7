//! A program that trains, is killed at a random moment and goes on from its checkpoint, a hundred times over, ends with
//! the same bytes as one that nobody has killed; and whoever reads the checkpoint meanwhile finds it whole.
//!
//! This file is both programs: `killed train FILE` is the one that trains.

#[path = "../crates/train/tests/common/folder.rs"]
mod folder;

use cotangent::prelude::*;
use cotangent::train::Context;
use folder::Folder;
use sha2::{Digest, Sha256};
use std::cell::RefCell;
use std::collections::HashSet;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const KILLS: usize = 100;
const EPOCHS: usize = 3;
const SAMPLES: usize = 90;
const BATCH: usize = 16;

fn main() {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    match &arguments[1..] {
        [train, path] if train == "train" => end_with(train_to_the_end(Path::new(path))),
        [interrupted, path] if interrupted == "interrupted" => end_with(train_until_interrupted(Path::new(path))),
        arguments if is_asked_for(arguments) => {
            a_killed_run_ends_like_any_other();
            an_interrupted_run_goes_on_amid_its_epoch();
            a_full_disk_leaves_the_old_checkpoint();
            println!("killed: ok");
        }
        _ => {}
    }
}

fn end_with(result: Result<()>) {
    if let Err(e) = result {
        eprintln!("{e}");
        std::process::exit(1);
    }
}

/// Whether `cargo test` wants this test: not if it asks for a list, or for others by name.
fn is_asked_for(arguments: &[OsString]) -> bool {
    let words: Vec<_> = arguments.iter().map(|word| word.to_string_lossy()).collect();
    let mut names = words.iter().filter(|word| !word.starts_with('-')).peekable();
    !words.iter().any(|word| word == "--list")
        && (names.peek().is_none() || names.any(|name| "killed".contains(&**name)))
}

fn network(seed: u64) -> Result<Model> {
    let mut model = Sequential::new([8])
        .add(Dense::new(12).activation(Relu))
        .add(BatchNorm::new())
        .add(Dropout::new(0.3))
        .add(Dense::new(3).activation(Softmax))
        .build(&Device::Cpu, Seed(seed))?;
    model.compile(Adam::new(0.01), SparseCategoricalCrossentropy, [Accuracy]);
    Ok(model)
}

fn samples() -> (Tensor, Tensor) {
    let x = Tensor::uniform([SAMPLES, 8], -1.0, 1.0, DType::F32, &mut Rng::new(1));
    let y = Tensor::from_vec((0..SAMPLES as i64).map(|i| i * 7 % 3).collect());
    (x, y)
}

/// What a user's program does: trains, writes a checkpoint at every step, goes on from one that is there.
fn train_to_the_end(path: &Path) -> Result<()> {
    let (x, y) = samples();
    let mut model = network(3)?;
    let fit = model.fit(&x, &y).batch_size(BATCH).epochs(EPOCHS).validation(&x, &y).verbose(0);
    let fit = fit.callback(ModelCheckpoint::new(path).save_freq(1));
    let fit = if path.exists() { fit.resume(path) } else { fit };
    fit.run()?;
    Ok(())
}

/// The same, with a checkpoint after each epoch alone, and Ctrl-C in the second step of the second one.
fn train_until_interrupted(path: &Path) -> Result<()> {
    let (x, y) = samples();
    let mut model = network(3)?;
    let interrupt = LambdaCallback::on_batch_end(|context: &mut Context| {
        if (context.epoch(), context.step()) == (1, 2) {
            let sent = Command::new("kill").args(["-INT", &std::process::id().to_string()]).status();
            assert!(sent.expect("there is a kill").success());
        }
        Ok(())
    });
    let fit = model.fit(&x, &y).batch_size(BATCH).epochs(EPOCHS).validation(&x, &y).verbose(0);
    let history = fit.callback(ModelCheckpoint::new(path)).callback(interrupt).run()?;
    assert!(history.interrupted() && history.epochs() == 1);
    Ok(())
}

/// The same program in a process of its own, on some number of threads.
fn child(path: &Path, threads: u32) -> Child {
    start("train", path, threads)
}

fn start(what: &str, path: &Path, threads: u32) -> Child {
    let this = std::env::current_exe().expect("the test knows its own file");
    let mut command = Command::new(this);
    command.arg(what).arg(path).env("RAYON_NUM_THREADS", threads.to_string());
    command.spawn().expect("the test starts itself")
}

fn a_killed_run_ends_like_any_other() {
    let folder = Folder::new("killed");
    let states = uninterrupted(&folder.file("whole.run"));
    let last = *states.last().expect("a last state");
    let start = Instant::now();
    assert!(child(&folder.file("child.run"), 2).wait().unwrap().success());
    let longest = start.elapsed() / 4;
    assert_eq!(end(&folder.file("child.run")), last, "another process");

    let path = folder.file("killed.run");
    let stop = AtomicBool::new(false);
    let (reads, ends) = thread::scope(|scope| {
        let _stop_at_last = Stop(&stop);
        let reader = scope.spawn(|| read_in_a_loop(&path, &states, &stop));
        let (mut rng, mut kills, mut ends) = (Rng::new(9), 0, 0);
        while kills < KILLS {
            if run_and_kill(&path, longest, &mut rng) {
                kills += 1;
                let stale = folder.names().len() - 2 - usize::from(path.exists());
                assert!(stale <= 1, "{:?}: each run cleans up after the one before", folder.names());
                continue;
            }
            ends += 1;
            assert_eq!(end(&path), last, "after {kills} kills");
            fs::remove_file(&path).unwrap();
        }
        assert!(child(&path, 3).wait().unwrap().success(), "the last run ends");
        assert_eq!(end(&path), last, "after all kills");
        stop.store(true, Ordering::Relaxed);
        (reader.join().expect("the reader has found nothing wrong"), ends + 1)
    });
    println!("{KILLS} kills in {ends} runs, {reads} reads, {} states", states.len());
    assert!(reads > KILLS, "{reads} reads");
    assert_eq!(folder.names(), ["child.run", "killed.run", "whole.run"], "no temporary file is left");
}

/// Trains without a break, in this process; gives the digests of all the checkpoints, in their order.
fn uninterrupted(path: &Path) -> Vec<[u8; 32]> {
    let states = RefCell::new(Vec::new());
    let look = |_: &mut Context| {
        // the checkpoint comes last, so this is the one of before
        states.borrow_mut().extend(fs::read(path).ok().map(|bytes| digest(&bytes)));
        Ok(())
    };
    let (x, y) = samples();
    let mut model = network(3).expect("the shapes fit");
    let fit = model.fit(&x, &y).batch_size(BATCH).epochs(EPOCHS).validation(&x, &y).verbose(0);
    let fit = fit.callback(ModelCheckpoint::new(path).save_freq(1));
    let fit = fit.callback(LambdaCallback::on_batch_end(look)).callback(LambdaCallback::on_epoch_end(look));
    fit.run().expect("nothing is wrong");
    let mut states = states.into_inner();
    states.push(end(path));
    // one for each step and each epoch, all different
    assert_eq!(states.iter().collect::<HashSet<_>>().len(), EPOCHS * (SAMPLES.div_ceil(BATCH) + 1));
    states
}

/// The digest of a checkpoint.
fn end(path: &Path) -> [u8; 32] {
    digest(&fs::read(path).expect("a checkpoint at the end"))
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Starts the program and kills it with SIGKILL at a random moment, after the time `longest` at the latest; false if it
/// came to its end before, without an error.
fn run_and_kill(path: &Path, longest: Duration, rng: &mut Rng) -> bool {
    let [moment, threads, ..] = rng.next_stream().block(0);
    let mut running = child(path, 1 + threads % 3);
    thread::sleep(longest.mul_f64(moment as f64 / u32::MAX as f64));
    running.kill().expect("a child can be killed");
    let status = running.wait().expect("a child can be waited for");
    // who is killed has no code; an error of its own has one
    assert!(cfg!(windows) || matches!(status.code(), None | Some(0)), "{status}");
    !status.success()
}

/// Ctrl-C ends training after the step, with a checkpoint of just there.
#[cfg(unix)]
fn an_interrupted_run_goes_on_amid_its_epoch() {
    let folder = Folder::new("interrupted");
    let states = uninterrupted(&folder.file("whole.run"));
    let path = folder.file("interrupted.run");
    assert!(start("interrupted", &path, 2).wait().unwrap().success());
    let at = states.iter().position(|state| *state == end(&path)).expect("one of the states");
    let epoch = SAMPLES.div_ceil(BATCH) + 1;
    assert_eq!(at, epoch + 1, "the second step after the first epoch's end");
    assert!(child(&path, 1).wait().unwrap().success());
    assert_eq!(Some(&end(&path)), states.last());
}

/// Elsewhere there is no such signal to send.
#[cfg(not(unix))]
fn an_interrupted_run_goes_on_amid_its_epoch() {}

/// A limit on the size of files stands for a full disk: the write fails midway.
#[cfg(unix)]
fn a_full_disk_leaves_the_old_checkpoint() {
    let folder = Folder::new("killed-full");
    let path = folder.file("run.safetensors");
    let (x, y) = samples();
    let mut model = network(3).expect("the shapes fit");
    let fit = model.fit(&x, &y).batch_size(BATCH).epochs(EPOCHS - 1).validation(&x, &y).verbose(0);
    fit.callback(ModelCheckpoint::new(&path)).run().expect("there is room enough");
    let old = fs::read(&path).unwrap();

    let limited = "trap '' XFSZ; ulimit -f 2; exec \"$0\" train \"$1\"";
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(limited).arg(std::env::current_exe().expect("its own file")).arg(&path);
    let output = shell.output().expect("there is a shell");
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    for part in ["run.safetensors", "cannot write the file; what was there before is untouched", "File too large"] {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
    assert!(fs::read(&path).unwrap() == old);
    assert_eq!(folder.names(), ["run.safetensors"]);
    // with room again, it goes on to the end
    assert!(child(&path, 1).wait().unwrap().success());
    assert_eq!(folder.names(), ["run.safetensors"]);
}

/// Elsewhere there is no such limit to set.
#[cfg(not(unix))]
fn a_full_disk_leaves_the_old_checkpoint() {}

/// Reads the checkpoint again and again, as bytes and into a model, until told to stop; gives how often.
fn read_in_a_loop(path: &Path, states: &[[u8; 32]], stop: &AtomicBool) -> usize {
    let mut model = network(0).expect("the shapes fit");
    let mut reads = 0;
    while !stop.load(Ordering::Relaxed) {
        // between one run's end and the next one's first step there is none
        let Ok(bytes) = fs::read(path) else { continue };
        assert!(states.contains(&digest(&bytes)), "{} bytes that no checkpoint has", bytes.len());
        match model.load(path) {
            Err(e) if path.exists() => panic!("{e}"),
            _ => reads += 1,
        }
    }
    reads
}

/// Tells the reader to stop, also where an assertion fails.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
