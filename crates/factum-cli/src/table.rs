//! Tables for people: aligned columns, without lines or colours. Text from elsewhere cannot steer the terminal.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets::NOTHING};

/// The rows under their headings; the columns named in `numbers` are set to the right.
pub(crate) fn table(
    headings: &[&str],
    numbers: &[&str],
    rows: impl IntoIterator<Item = Vec<String>>,
) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(headings.iter().copied());
    for row in rows {
        table.add_row(row.iter().map(|cell| plain(cell)).collect::<Vec<_>>());
    }
    for (index, heading) in headings.iter().enumerate() {
        if let Some(column) = table.column_mut(index) {
            column.set_padding((0, 2));
            if numbers.contains(heading) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
    }
    table.trim_fmt() + "\n"
}

/// The text on one line, without characters that are not shown.
pub(crate) fn plain(text: &str) -> String {
    let shown = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_nothing_steers_the_terminal() {
        let rows = [("a", "1", "x\u{1b}[2Jy"), ("lönger", "100", "two\nlines")];
        let rows = rows.map(|(a, b, c)| [a, b, c].map(str::to_owned).to_vec());
        assert_eq!(
            table(&["NAME", "COUNT", "CAUSE"], &["COUNT"], rows),
            "NAME    COUNT  CAUSE\n\
             a           1  x\\u{1b}[2Jy\n\
             lönger    100  two\\nlines\n"
        );
    }
}
