//! A profile as a table.

use super::{Event, Profile};
use crate::inspect::{Bytes, Phase, Time};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The calls of one op in one phase, in one layer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Row {
    /// The op; "all ops" in the rows by layer.
    pub op: &'static str,
    /// What it computed.
    pub phase: Phase,
    /// Where it ran; `None` in the rows by op.
    pub layer: Option<Arc<str>>,
    /// How often it ran.
    pub calls: usize,
    /// How long all calls took.
    pub time: Duration,
    /// Of the time of all ops, from 0 to 1.
    pub share: f64,
    /// Bytes read and written.
    pub moved: u64,
}

impl Profile {
    /// By op and phase, the slowest first.
    pub fn rows(&self) -> Vec<Row> {
        self.grouped(|e| (e.op, None))
    }

    /// By layer and phase, the slowest first; ops outside of any layer are left out.
    pub fn rows_by_layer(&self) -> Vec<Row> {
        let mut rows = self.grouped(|e| ("all ops", e.layer.clone()));
        rows.retain(|row| row.layer.is_some());
        rows
    }

    fn grouped(&self, key: impl Fn(&Event) -> (&'static str, Option<Arc<str>>)) -> Vec<Row> {
        let mut rows: Vec<Row> = Vec::new();
        let mut at = HashMap::new();
        for event in &self.events {
            let (op, layer) = key(event);
            let at = *at.entry((op, event.phase, layer.clone())).or_insert(rows.len());
            if at == rows.len() {
                let (calls, time, share, moved) = (0, Duration::ZERO, 0.0, 0);
                rows.push(Row { op, phase: event.phase, layer, calls, time, share, moved });
            }
            let row = &mut rows[at];
            row.calls += 1;
            row.time += event.time;
            row.moved += event.moved;
        }
        let total = self.time().as_secs_f64().max(f64::MIN_POSITIVE);
        rows.iter_mut().for_each(|row| row.share = row.time.as_secs_f64() / total);
        rows.sort_by_key(|row| std::cmp::Reverse(row.time));
        rows
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let time = self.time();
        let between = self.wall.saturating_sub(time);
        let (count, wall, time, between) = (self.events.len(), Time(self.wall), Time(time), Time(between));
        writeln!(f, "{count} ops took {time} of {wall}; {between} went by between them")?;
        write_table(f, "op", &self.rows(), |row| row.op)?;
        let layers = self.rows_by_layer();
        if layers.is_empty() {
            return Ok(());
        }
        writeln!(f)?;
        write_table(f, "layer", &layers, |row| row.layer.as_deref().unwrap_or_default())
    }
}

fn write_table<'a>(f: &mut fmt::Formatter, head: &str, rows: &'a [Row], name: fn(&'a Row) -> &'a str) -> fmt::Result {
    let width = rows.iter().map(|row| name(row).chars().count()).chain([head.len()]).max().unwrap_or(0);
    writeln!(f, "{head:width$}  phase     {:>6}  {:>10}  {:>6}  {:>10}", "calls", "time", "share", "moved")?;
    for row in rows {
        let (time, share, moved) = (Time(row.time), 100.0 * row.share, Bytes(row.moved));
        write!(f, "{:width$}  {:8}  {:>6}  {time:>10}  ", name(row), row.phase, row.calls)?;
        writeln!(f, "{share:>4.1} %  {moved:>10}")?;
    }
    Ok(())
}
