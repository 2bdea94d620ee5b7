//! Tables in Markdown.

use super::group::{Group, Role, Unit};
use super::measured::Measured;

/// The group's table under its title; cells are best (median).
pub fn render(group: &Group, rows: &[Measured]) -> String {
    let mut head: Vec<String> = vec![heading(group.unit).to_owned()];
    head.extend(group.columns.iter().map(|column| column.label.clone()));
    head.push("of the fastest peer's time".into());
    let mut lines = vec![format!("### {}\n", group.title), line(&head), line(&vec!["---".to_owned(); head.len()])];
    lines.extend(rows.iter().map(|row| line(&cells(group, row))));
    lines.join("\n") + "\n"
}

fn heading(unit: Unit) -> &'static str {
    match unit {
        Unit::Milliseconds => "ms",
        Unit::Nanoseconds => "ns",
        Unit::Giga("B/s") => "GB/s",
        Unit::Giga(_) => "GFLOP/s",
        Unit::Mebibytes => "MiB",
    }
}

/// A row.
pub fn line(cells: &[String]) -> String {
    format!("| {} |", cells.join(" | "))
}

fn cells(group: &Group, row: &Measured) -> Vec<String> {
    let ours = row.least(Role::Ours);
    let numbers = group.columns.iter().zip(&row.cells).enumerate().map(|(i, (column, cell))| {
        let Some(cell) = *cell else { return String::new() };
        let amount = column.amount.unwrap_or(row.row.amount);
        let text = two(cell.map(|x| number(group.unit, x, amount)));
        let beside_ours = match column.role {
            Role::OneThread => ours.map(|ours| format!(", × {:.2}", cell[0] / ours[0])),
            Role::Limit => row.part_of(i).map(|part| format!(", ours {:.0} %", 100.0 * part)),
            _ => None,
        };
        text + &beside_ours.unwrap_or_default()
    });
    let goal = row.row.goal.map_or(String::new(), |goal| format!(", goal {goal}"));
    let rival = group.columns.iter().find(|column| Some(column.program) == row.row.rival);
    let beside = rival.map_or(String::new(), |rival| format!(" of {}'s", rival.label));
    let ratio = row.ratio().map_or(String::new(), |ratio| two(ratio.map(|x| format!("{x:.2}"))) + &beside + &goal);
    [row.row.name.clone()].into_iter().chain(numbers).chain([ratio]).collect()
}

fn two([best, median]: [String; 2]) -> String {
    if best == median { best } else { format!("{best} ({median})") }
}

fn number(unit: Unit, x: f64, amount: f64) -> String {
    let x = match unit {
        Unit::Milliseconds => x * 1e3,
        Unit::Nanoseconds => x * 1e9,
        Unit::Giga(_) => amount / x / 1e9,
        Unit::Mebibytes => x / (1 << 20) as f64,
    };
    let digits = [100.0, 10.0, 1.0].iter().filter(|&&size| x < size).count();
    format!("{x:.digits$}")
}

/// The rows farthest above their goal, and how many miss it.
pub fn worst(rows: &[Measured]) -> String {
    let miss = |row: &Measured| Some((row.ratio()?[0], row.row.goal?));
    let mut misses: Vec<_> = rows.iter().filter_map(|row| Some((miss(row)?, row))).collect();
    let measured = misses.len();
    misses.retain(|(_, row)| !row.meets_goal());
    misses.sort_by(|((a, of_a), _), ((b, of_b), _)| (b / of_b).total_cmp(&(a / of_a)));
    let lines = misses
        .iter()
        .take(20)
        .map(|((ratio, goal), row)| format!("  {ratio:>5.2}, goal {goal}: {} {}\n", row.group, row.row.name));
    format!("{} of {measured} goals missed, by the best times\n{}", misses.len(), lines.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::super::group::{Column, Program};
    use super::super::measured::tests::measured;
    use super::*;

    #[test]
    fn a_row_shows_numbers_and_ratio() {
        let columns = vec![Column::ours(), Column::peer("Other", Program::Torch)];
        let unit = Unit::Giga("FLOP/s");
        let group = Group { name: "work", title: "Works", unit, seconds: 1.0, columns, rows: Vec::new() };
        let table = render(&group, &[measured("a", 0.5, 0.25, 0.5)]);
        assert!(table.contains("| GFLOP/s | Cotangent | Other |"), "{table}");
        assert!(table.ends_with("| a | 32.0 | 16.0 | 0.50, goal 0.5 |\n"), "{table}");
    }

    #[test]
    fn missed_goals_are_told_worst_first() {
        let rows = [measured("a", 1.0, 1.0, 2.0), measured("b", 1.0, 3.0, 2.0), measured("c", 0.2, 1.0, 2.0)];
        let text = worst(&rows);
        assert!(text.starts_with("2 of 3 goals missed"), "{text}");
        assert!(text.find("Works c") < text.find("Works b"), "{text}");
    }

    #[test]
    fn numbers_keep_three_digits() {
        let shown = [123.4, 12.34, 1.234, 0.1234].map(|x| number(Unit::Milliseconds, x * 1e-3, 0.0));
        assert_eq!(shown, ["123", "12.3", "1.23", "0.123"]);
    }
}
