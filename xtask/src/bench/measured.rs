//! Takes turns, and keeps the best and the median of the rounds.

use super::group::{Column, Group, Role, Row, Unit};
use super::workers::Workers;

/// A row with its numbers, in seconds, or bytes of memory: best and median.
pub struct Measured {
    pub group: &'static str,
    pub row: Row,
    /// One for each column of the group.
    pub cells: Vec<Option<[f64; 2]>>,
    columns: Vec<Column>,
}

impl Measured {
    /// Ours, of the fastest peer's, or of the row's rival's: by the bests and by the medians.
    pub fn ratio(&self) -> Option<[f64; 2]> {
        let (ours, peer) = (self.least(Role::Ours)?, self.least(Role::Peer)?);
        Some([ours[0] / peer[0], ours[1] / peer[1]])
    }

    /// The least of the columns with this role; of the peers, those that count.
    pub fn least(&self, role: Role) -> Option<[f64; 2]> {
        let rival = if role == Role::Peer { self.row.rival } else { None };
        let counts = |column: &Column| column.role == role && rival.is_none_or(|rival| rival == column.program);
        let cells =
            self.cells.iter().zip(&self.columns).filter(|(_, column)| counts(column)).filter_map(|(cell, _)| *cell);
        cells.reduce(|a, b| [a[0].min(b[0]), a[1].min(b[1])])
    }

    /// Which part of the rate of column `i` ours reaches, by the bests.
    pub fn part_of(&self, i: usize) -> Option<f64> {
        let (ours, limit) = (self.least(Role::Ours)?, self.cells[i]?);
        let amount = self.columns[i].amount.unwrap_or(self.row.amount);
        Some(self.row.amount / ours[0] / (amount / limit[0]))
    }

    /// Whether ours is as fast as the row's goal wants it.
    pub fn meets_goal(&self) -> bool {
        let near_limit = |enough| {
            let limits = (0..self.cells.len()).filter(|&i| self.columns[i].role == Role::Limit);
            limits.filter_map(|i| self.part_of(i)).any(|part| part >= enough)
        };
        self.ratio().zip(self.row.goal).is_none_or(|(ratio, goal)| ratio[0] <= goal)
            || self.row.enough.is_some_and(near_limit)
    }
}

/// Measures every row of the group, all programs in turn, `rounds` times.
pub fn measure(group: &Group, workers: &mut Workers, rounds: usize) -> Vec<Measured> {
    let rows = group.rows.iter();
    rows.map(|row| {
        eprintln!("{}: {}", group.title, row.name);
        let cells = if group.unit == Unit::Mebibytes {
            group.columns.iter().map(|column| held(column, group, row, workers)).collect()
        } else {
            times(group, row, workers, rounds)
        };
        workers.forget();
        Measured { group: group.title, row: row.clone(), cells, columns: group.columns.clone() }
    })
    .collect()
}

fn held(column: &Column, group: &Group, row: &Row, workers: &mut Workers) -> Option<[f64; 2]> {
    workers.peak_memory(column.program, group.seconds, &column.request.of(&row.work)).map(|bytes| [bytes; 2])
}

fn times(group: &Group, row: &Row, workers: &mut Workers, rounds: usize) -> Vec<Option<[f64; 2]>> {
    let mut rounds_of: Vec<Option<Vec<[f64; 2]>>> = vec![Some(Vec::new()); group.columns.len()];
    for _ in 0..rounds {
        for (column, taken) in group.columns.iter().zip(&mut rounds_of) {
            // Who cannot do it once is not asked again.
            let Some(times) = taken else { continue };
            match workers.time(column.program, group.seconds, &column.request.of(&row.work)) {
                Some(time) => times.push(time),
                None => *taken = None,
            }
        }
    }
    rounds_of.into_iter().map(|times| times.map(|times| best_and_median(&times))).collect()
}

/// The best of the bests, and the median of the medians.
fn best_and_median(rounds: &[[f64; 2]]) -> [f64; 2] {
    let mut medians: Vec<f64> = rounds.iter().map(|round| round[1]).collect();
    medians.sort_by(f64::total_cmp);
    [rounds.iter().map(|round| round[0]).fold(f64::INFINITY, f64::min), medians[medians.len() / 2]]
}

#[cfg(test)]
pub mod tests {
    use super::super::group::{Program, Request};
    use super::*;

    /// A row of this name that took ours and a peer so long.
    pub fn measured(name: &str, goal: f64, ours: f64, peer: f64) -> Measured {
        let cells = vec![Some([ours; 2]), Some([peer; 2])];
        Measured {
            group: "Works",
            row: Row::new(name, name, 8e9).goal(goal),
            cells,
            columns: vec![Column::ours(), Column::peer("Other", Program::Torch)],
        }
    }

    #[test]
    fn the_fastest_peer_counts() {
        let mut row = measured("a", 1.0, 1.0, 4.0);
        row.cells.extend([Some([2.0, 5.0]), None]);
        row.columns.extend([Program::Jax, Program::Keras].map(|program| Column::peer("Another", program)));
        assert_eq!(row.ratio(), Some([0.5, 0.25]));
        row.row = row.row.beside(Program::Torch);
        assert_eq!(row.ratio(), Some([0.25, 0.25]));
    }

    #[test]
    fn a_goal_is_met_beside_the_peers_or_near_the_limit() {
        assert!(measured("a", 0.5, 1.0, 2.0).meets_goal());
        let mut row = measured("a", 0.5, 1.0, 1.0);
        row.row = row.row.or_of_limit(0.9);
        assert!(!row.meets_goal());
        // ours does 8e9 in a second, the limit 8.8e9, and then 9e9
        row.cells.push(Some([0.5; 2]));
        row.columns.push(Column::limit("copy", Request::Same, Some(4.4e9)));
        assert!(row.meets_goal());
        row.columns[2].amount = Some(4.5e9);
        assert!(!row.meets_goal());
    }

    #[test]
    fn rounds_are_summed_up_by_best_and_median() {
        assert_eq!(best_and_median(&[[3.0, 4.0], [1.0, 9.0], [2.0, 5.0]]), [1.0, 5.0]);
    }
}
