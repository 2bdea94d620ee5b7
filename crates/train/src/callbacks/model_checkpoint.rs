//! [`ModelCheckpoint`]: the whole state of training in a file, again and again.

use super::monitor::{Monitor, number, numbers};
use super::{Callback, Context, Mode};
use crate::checkpoint;
use cotangent_core::{Error, Result, Tensor};
use std::path::{Path, PathBuf};

/// Writes a checkpoint after each epoch: Keras's `ModelCheckpoint`. [`Fit::resume`](crate::Fit::resume) goes on from it as
/// if training had never been interrupted, bit for bit, and [`Model::load`](crate::Model::load) takes the parameters
/// alone.
///
/// ```
/// # use cotangent_core::{Device, Tensor};
/// # use cotangent_nn::*;
/// # use cotangent_train::{ModelCheckpoint, Seed, Sequential};
/// # let path = std::env::temp_dir().join(format!("cotangent-doc-run-{}.safetensors", std::process::id()));
/// # let (x, y) = (Tensor::zeros([8, 2]), Tensor::zeros([8, 1]));
/// # let build = || Sequential::new([2]).add(Dense::new(1)).build(&Device::Cpu, Seed(0));
/// # let mut model = build()?;
/// # model.compile(Adam::default(), MeanSquaredError, [] as [Accuracy; 0]);
/// model.fit(&x, &y).epochs(2).callback(ModelCheckpoint::new(&path)).verbose(0).run()?;
/// # let mut model = build()?;
/// # model.compile(Adam::default(), MeanSquaredError, [] as [Accuracy; 0]);
/// let history = model.fit(&x, &y).epochs(5).resume(&path).verbose(0).run()?;
/// assert_eq!(history.epochs(), 5);
/// # std::fs::remove_file(&path).unwrap();
/// # Ok::<(), cotangent_core::Error>(())
/// ```
///
/// The file is a safetensors file. It holds the parameters under their paths; the optimizer's state and learning rate; the
/// random numbers; epoch, step and running sums; the history; and what other callbacks remember. It is replaced in one
/// step: at any moment the old content is there or the new one, whole. After Ctrl-C it is written once more, where
/// training stopped.
///
/// In the path, `{epoch}` stands for the number of the epoch, from 1 on, and `{val_loss}` for the number of that name;
/// `{epoch:02}` has at least two digits, `{val_loss:.4}` four behind the point.
#[derive(Clone)]
pub struct ModelCheckpoint {
    path: PathBuf,
    best: Option<Monitor>,
    mode: Mode,
    weights_only: bool,
    freq: Option<usize>,
}

const NAME: &str = "model_checkpoint";

impl ModelCheckpoint {
    /// Into the file of this name.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), best: None, mode: Mode::Auto, weights_only: false, freq: None }
    }

    /// Only after an epoch in which the number of that name, such as `val_loss`, was better than ever before.
    pub fn save_best_only(mut self, monitor: impl Into<String>) -> Self {
        self.best = Some(Monitor::new(monitor, 0.0));
        self
    }

    /// Which values are better. Default: by the name.
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// Whether to write the parameters alone, as [`Model::save`](crate::Model::save) does.
    pub fn save_weights_only(mut self, weights_only: bool) -> Self {
        self.weights_only = weights_only;
        self
    }

    /// Also within epochs, after every `steps` steps.
    pub fn save_freq(mut self, steps: usize) -> Self {
        self.freq = Some(steps);
        self
    }

    /// Fails before the first step where the first checkpoint would fail: an epoch may take hours.
    fn check_folder(&self) -> Result<()> {
        match self.path.parent() {
            Some(folder) if folder.as_os_str().is_empty() || folder.is_dir() => Ok(()),
            // one that is named after the epoch
            Some(folder) if folder.to_string_lossy().contains('{') => Ok(()),
            Some(folder) => {
                let hint = format!("there is no folder {}: make it first", folder.display());
                Err(Error::new(NAME, format!("no checkpoint can be written to {}", self.path.display())).hint(hint))
            }
            None => Err(Error::new(NAME, format!("{:?} names no file", self.path))),
        }
    }

    fn save(&self, context: &Context) -> Result<()> {
        let number = |name: &str| match name {
            "epoch" => Some(context.epoch() as f64 + 1.0),
            name => context.logs.get(name),
        };
        let path = match self.path.to_str() {
            Some(pattern) => PathBuf::from(expand(pattern, number)?),
            None => self.path.clone(),
        };
        self.write(&path, context)
    }

    fn write(&self, path: &Path, context: &Context) -> Result<()> {
        match self.weights_only {
            true => context.model.save(path),
            false => checkpoint::write(path, context.model, context.cursor),
        }
    }
}

impl Callback for ModelCheckpoint {
    fn watches_steps(&self) -> bool {
        self.freq.is_some()
    }

    fn on_train_begin(&mut self, context: &mut Context) -> Result<()> {
        if self.freq == Some(0) {
            return Err(Error::new(NAME, "save_freq is 0").hint("use at least 1: after every step"));
        }
        if self.freq.is_some() && self.best.is_some() {
            let message = "what is best is known after an epoch, not amid one";
            return Err(Error::new(NAME, message).hint("use `save_best_only` or `save_freq`, or a callback for each"));
        }
        self.check_folder()?;
        match &mut self.best {
            Some(best) => {
                best.mode = self.mode;
                best.begin(NAME, context)
            }
            None => Ok(()),
        }
    }

    fn on_batch_end(&mut self, context: &mut Context) -> Result<()> {
        match self.freq {
            Some(steps) if context.step().is_multiple_of(steps) => self.save(context),
            _ => Ok(()),
        }
    }

    fn on_epoch_end(&mut self, context: &mut Context) -> Result<()> {
        if let Some(best) = &mut self.best {
            let value = best.value(context.logs);
            if !best.improve(value) {
                return Ok(());
            }
        }
        self.save(context)
    }

    fn on_train_end(&mut self, context: &mut Context) -> Result<()> {
        let wanted = context.interrupted() && self.best.is_none() && !self.weights_only;
        if wanted { self.save(context) } else { Ok(()) }
    }

    fn state(&self) -> Vec<(String, Tensor)> {
        match &self.best {
            Some(best) => numbers(&[("best", best.best.unwrap_or(f64::NAN))]),
            None => Vec::new(),
        }
    }

    fn restore(&mut self, state: Vec<(String, Tensor)>) -> Result<()> {
        if let Some(best) = &mut self.best {
            best.best = Some(number(NAME, &state, "best")?).filter(|best| !best.is_nan());
        }
        Ok(())
    }

    fn runs_last(&self) -> bool {
        true
    }
}

/// The path with numbers in place of the names in braces.
fn expand(pattern: &str, number: impl Fn(&str) -> Option<f64>) -> Result<String> {
    let refuse = |what: String| {
        let hint = "write it as `{epoch}`, `{epoch:02}` or `{val_loss:.4}`";
        Error::new(NAME, format!("{what} in the path {pattern:?}")).hint(hint)
    };
    let mut parts = pattern.split('{');
    let mut path = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (inner, rest) = part.split_once('}').ok_or_else(|| refuse("no closing brace".into()))?;
        let (name, format) = inner.split_once(':').unwrap_or((inner, ""));
        let value = number(name).ok_or_else(|| refuse(format!("nothing reports {name:?} here, named")))?;
        path += &formatted(value, format).ok_or_else(|| refuse(format!("a format {format:?}")))?;
        path += rest;
    }
    Ok(path)
}

/// `04` and `04d` are at least four digits, `.4` and `.4f` four behind the point.
fn formatted(value: f64, format: &str) -> Option<String> {
    let (width, precision) = format
        .trim_end_matches(['d', 'f'])
        .split_once('.')
        .map_or_else(|| (format.trim_end_matches('d'), None), |(width, precision)| (width, Some(precision)));
    let width: usize = if width.is_empty() { 0 } else { width.parse().ok()? };
    Some(match precision {
        Some(precision) => format!("{value:0width$.precision$}", precision = precision.parse::<usize>().ok()?),
        None => format!("{value:0width$}"),
    })
}

#[cfg(test)]
mod tests {
    use super::expand;

    fn path(pattern: &str) -> Result<String, String> {
        let number = |name: &str| match name {
            "epoch" => Some(7.0),
            "val_loss" => Some(0.123456),
            _ => None,
        };
        expand(pattern, number).map_err(|e| e.to_string())
    }

    #[test]
    fn names_in_braces_become_numbers() {
        for (pattern, wanted) in [
            ("run.safetensors", "run.safetensors"),
            ("a/{epoch}.npz", "a/7.npz"),
            ("{epoch:03}-{val_loss:.2}", "007-0.12"),
            ("{epoch:03d}-{val_loss:.2f}", "007-0.12"),
            ("{val_loss}", "0.123456"),
        ] {
            assert_eq!(path(pattern).unwrap(), wanted);
        }
        for (pattern, wanted) in
            [("{epoch", "no closing brace"), ("{loss}", "nothing reports \"loss\""), ("{epoch:x}", "a format \"x\"")]
        {
            let text = path(pattern).unwrap_err();
            assert!(text.contains(wanted) && text.contains("{val_loss:.4}"), "{text}");
        }
    }
}
