//! Plain tables for people: columns as wide as they have to be, numbers to the right.

use std::fmt::{self, Write};

pub(crate) use sterna_engine::words::{counted, grouped};

/// A table that grows row by row.
#[derive(Default)]
pub(crate) struct Table {
    rows: Vec<Vec<Cell>>,
}

enum Cell {
    Text(String),
    Number(String),
}

impl Table {
    /// Adds a row of a label and a count.
    pub(crate) fn count(&mut self, label: &str, count: u64) {
        self.rows.push(vec![Cell::Text(label.to_owned()), Cell::Number(grouped(count))]);
    }

    /// Adds a row for each count that is not zero.
    pub(crate) fn counts<'t>(&mut self, rows: impl IntoIterator<Item = (&'t str, u64)>) {
        for (label, count) in rows.into_iter().filter(|(_, count)| *count > 0) {
            self.count(label, count);
        }
    }

    /// Adds a row of texts.
    pub(crate) fn texts<'t>(&mut self, texts: impl IntoIterator<Item = &'t str>) {
        self.rows.push(texts.into_iter().map(|text| Cell::Text(text.to_owned())).collect());
    }

    /// Whether it has no rows.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table, one row per line, indented by two.
    pub(crate) fn render(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let widths: Vec<usize> = (0..columns)
            .map(|at| self.rows.iter().filter_map(|row| row.get(at)).map(Cell::width).max().unwrap_or_default())
            .collect();
        let lines = self.rows.iter().map(|row| {
            let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| cell.padded(*width)).collect();
            format!("  {}", cells.join("  ").trim_end())
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

impl Cell {
    fn width(&self) -> usize {
        let (Self::Text(text) | Self::Number(text)) = self;
        text.chars().count()
    }

    fn padded(&self, width: usize) -> String {
        let gap = " ".repeat(width.saturating_sub(self.width()));
        match self {
            Self::Text(text) => format!("{text}{gap}"),
            Self::Number(text) => format!("{gap}{text}"),
        }
    }
}

/// Adds to a text what is formatted.
pub(crate) fn add(text: &mut String, what: fmt::Arguments<'_>) {
    // writing to a String cannot fail
    let _ = text.write_fmt(what);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let mut table = Table::default();
        table.count("applied", 612_340);
        table.count("awaiting sign-in", 7);
        insta::assert_snapshot!(table.render(), @r"
          applied           612,340
          awaiting sign-in        7
        ");
    }
}
