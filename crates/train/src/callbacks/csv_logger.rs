//! [`CsvLogger`]: a line in a file for each epoch.

use super::{Callback, Context};
use cotangent_core::{Error, Result};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;

/// Writes the number of each epoch (from 0 on) and what it reports to a CSV file, a line as soon as the epoch is over:
/// Keras's `CSVLogger`. The columns are the names in alphabetical order.
pub struct CsvLogger {
    path: PathBuf,
    separator: char,
    append: bool,
    file: Option<File>,
    columns: Vec<String>,
}

impl CsvLogger {
    /// A new file, in place of one that is there.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), separator: ',', append: false, file: None, columns: Vec::new() }
    }

    /// What stands between the columns. Default: a comma.
    pub fn separator(mut self, separator: char) -> Self {
        self.separator = separator;
        self
    }

    /// Whether lines are added to a file that is there, under its headline. Default: no.
    pub fn append(mut self, append: bool) -> Self {
        self.append = append;
        self
    }

    fn refuse(&self, error: io::Error) -> Error {
        Error::new("csv_logger", format!("cannot write {}", self.path.display()))
            .hint("the folder must exist and be writable")
            .because(error)
    }

    fn line(&mut self, cells: impl Iterator<Item = String>) -> Result<()> {
        let line = cells.collect::<Vec<_>>().join(&self.separator.to_string());
        let Some(file) = &mut self.file else { unreachable!("opened before the first epoch") };
        writeln!(file, "{line}").map_err(|e| self.refuse(e))
    }
}

impl Callback for CsvLogger {
    fn watches_steps(&self) -> bool {
        false
    }

    fn on_train_begin(&mut self, _: &mut Context) -> Result<()> {
        let mut options = OpenOptions::new();
        options.create(true).append(self.append).write(true).truncate(!self.append);
        self.file = Some(options.open(&self.path).map_err(|e| self.refuse(e))?);
        self.columns.clear();
        Ok(())
    }

    fn on_epoch_end(&mut self, context: &mut Context) -> Result<()> {
        if self.columns.is_empty() {
            self.columns = context.logs.iter().map(|(name, _)| name.to_owned()).collect();
            self.columns.sort();
            let written = self.file.as_ref().and_then(|file| file.metadata().ok()).map_or(0, |meta| meta.len());
            if written == 0 {
                let names = self.columns.clone();
                self.line(std::iter::once("epoch".to_owned()).chain(names))?;
            }
        }
        let number = |name: &String| context.logs.get(name).map_or("NA".to_owned(), |value| value.to_string());
        let cells: Vec<String> = self.columns.iter().map(number).collect();
        self.line(std::iter::once(context.epoch().to_string()).chain(cells))
    }

    fn on_train_end(&mut self, _: &mut Context) -> Result<()> {
        self.file = None;
        Ok(())
    }
}
