//! Charts of rows of the table: dots on a logarithmic scale.

use crate::figure::{self, Figure};
use crate::results::Results;
use crate::rows::{Row, rows};
use anyhow::{Result, ensure};
use plotters::prelude::*;
use plotters::style::text_anchor::HPos::{self, Left, Right};
use plotters::style::text_anchor::{Pos, VPos};

/// Shows the rows of some groups of a benchmark that have a name for charts.
pub(crate) struct Chart {
    pub(crate) path: &'static str,
    title: &'static str,
    /// What the values are.
    note: &'static str,
    /// Its name.
    pub(crate) bench: &'static str,
    /// Groups, with their titles.
    groups: &'static [(&'static str, &'static str)],
}

pub(crate) const CHARTS: [Chart; 2] = [
    Chart {
        path: "docs/src/check.svg",
        title: "What a check costs",
        note: "The time of a check of a token that is not cancelled, as a multiple of a load of an Arc<AtomicBool>",
        bench: "core",
        groups: &[
            ("check", "one thread checks"),
            ("check, a second thread too", "two threads check one token"),
        ],
    },
    Chart {
        path: "docs/src/rayon.svg",
        title: "What a token costs in a parallel iterator of rayon",
        note: "The time of an item, as a multiple of plain rayon's: the worst of three builds, and for u64 of eight computations",
        bench: "rayon",
        groups: &[
            ("* from cache", "u64 from the cache"),
            ("* from memory", "u64 from memory"),
            ("20 ns", "20 ns of work for each item"),
        ],
    },
];

const KEY: &str = "A dot is the median of the runs, its line goes from the least to the greatest. A red mark is the limit.";

const PAPER: RGBColor = RGBColor(255, 255, 255);
const INK: RGBColor = RGBColor(31, 35, 40);
const PALE: RGBColor = RGBColor(89, 99, 110);
const GRID: RGBColor = RGBColor(209, 217, 224);
const OURS: RGBColor = RGBColor(9, 105, 218);
const LIMIT: RGBColor = RGBColor(207, 34, 46);

/// What replaces these colours on dark pages.
const DARK: [(RGBColor, &str); 6] = [
    (PAPER, "#0d1117"),
    (INK, "#e6edf3"),
    (PALE, "#9198a1"),
    (GRID, "#3d444d"),
    (OURS, "#58a6ff"),
    (LIMIT, "#ff7b72"),
];

const WIDTH: i32 = 840;
const MARGIN: i32 = 24;
/// The ends of the scale, and the right ends of the columns beside it.
const SCALE: [i32; 2] = [252, 648];
const MEASURED: i32 = 736;
const MOST: i32 = WIDTH - MARGIN;
/// The ends of the scale, from the top and from the bottom.
const ABOVE: i32 = 96;
const BELOW: i32 = 88;
const LINE: i32 = 24;

impl Chart {
    /// Returns the names and the rows of a group.
    fn rows(&self, group: &str) -> Result<Vec<(&'static str, Row)>> {
        let rows = rows()?.into_iter();
        let rows = rows.filter(|row| row.bench == self.bench && row.group == group);
        let rows: Vec<_> = rows.filter_map(|row| Some((row.name?, row))).collect();
        ensure!(!rows.is_empty(), "{}: no rows for '{group}'", self.path);
        Ok(rows)
    }

    /// Draws the chart on a background of its own, since not all pages follow the system's colours.
    pub(crate) fn draw(&self, results: &Results) -> Result<String> {
        let mut lines = Vec::new();
        for (group, title) in self.groups {
            lines.push((*title, None));
            for (name, row) in self.rows(group)? {
                lines.push((name, Some((row, Figure::of(&row, results)?))));
            }
        }
        let shown = lines.iter().filter_map(|(_, line)| line.as_ref());
        let shown = shown.flat_map(|(row, figure)| figure.values.iter().chain(&row.most));
        let (least, greatest) = shown.fold((f64::INFINITY, 0.0_f64), |(least, greatest), value| {
            (value.min(least), value.max(greatest))
        });
        let bottom = ABOVE + LINE * lines.len() as i32;

        let mut svg = String::new();
        let size = (WIDTH as u32, (bottom + BELOW) as u32);
        let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        root.fill(&PAPER)?;
        let write = |text: &str, at, style| root.draw_text(text, &style, at);
        let small = |side| style(15, PALE, side);
        write(self.title, (MARGIN, 30), bold(21))?;
        write(self.note, (MARGIN, 56), small(Left))?;
        write("measured", (MEASURED, ABOVE - 8), small(Right))?;
        write("at most", (MOST, ABOVE - 8), small(Right))?;
        write(KEY, (MARGIN, bottom + 50), small(Left))?;
        let mut source = format!("{}: {}", results.command, results.machine);
        if results.is_provisional {
            source += ", provisional";
        }
        write(&source, (MARGIN, bottom + 70), small(Left))?;

        // Heights are pixels from the top, in the chart as well.
        let mut chart = ChartBuilder::on(&root)
            .margin_left(SCALE[0])
            .margin_right(WIDTH - SCALE[1])
            .margin_top(ABOVE)
            .margin_bottom(BELOW - LINE)
            .x_label_area_size(LINE)
            .build_cartesian_2d((least / 1.2..greatest * 1.2).log_scale(), bottom..ABOVE)?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .disable_y_axis()
            .axis_style(GRID)
            .bold_line_style(GRID)
            .light_line_style(TRANSPARENT)
            .x_label_style(small(Left))
            .x_label_formatter(&|value| format!("{value} ×"))
            .draw()?;
        let area = chart.plotting_area();
        for (y, (name, line)) in (ABOVE + LINE / 2..).step_by(LINE as usize).zip(&lines) {
            let Some((row, figure)) = line else {
                write(name, (MARGIN, y), bold(16))?;
                continue;
            };
            let is_ours = name.starts_with("cantok");
            let colour = if is_ours { OURS } else { INK };
            let column = style(16, colour, Right);
            write(name, (SCALE[0] - 12, y), column.clone())?;
            write(&figure.show(figure.median()), (MEASURED, y), column)?;
            if let (Some(most), Some(shown)) = (row.most, figure::limit(row)) {
                write(&shown, (MOST, y), style(16, LIMIT, Right))?;
                let mark = [(most, y - 8), (most, y + 8)];
                area.draw(&PathElement::new(mark, LIMIT.stroke_width(2)))?;
            }
            let range = [(figure.least(), y), (figure.greatest(), y)];
            area.draw(&PathElement::new(range, colour.stroke_width(3)))?;
            area.draw(&Circle::new((figure.median(), y), 5, colour.filled()))?;
        }
        root.present()?;
        drop((chart, root));
        let head = format!(">\n<title>{}</title>\n{}", self.title, css());
        Ok(svg.replacen('>', &head, 1))
    }
}

fn style(size: i32, colour: RGBColor, side: HPos) -> TextStyle<'static> {
    let style = ("sans-serif", size).into_font().color(&colour);
    style.pos(Pos::new(side, VPos::Center))
}

fn bold(size: i32) -> TextStyle<'static> {
    let mut style = style(size, INK, Left);
    style.font = style.font.style(FontStyle::Bold);
    style
}

/// Replaces the colours on dark pages, in an image as well.
fn css() -> String {
    let mut css = "<style>\ntext { font-family: system-ui, sans-serif; }\n".to_owned();
    css += "@media (prefers-color-scheme: dark) {\n";
    for (RGBColor(red, green, blue), dark) in DARK {
        for attribute in ["fill", "stroke"] {
            css += &format!(
                "[{attribute}=\"#{red:02X}{green:02X}{blue:02X}\"] {{ {attribute}: {dark}; }}\n"
            );
        }
    }
    css + "}\n</style>"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::BENCHES;
    use crate::table::line;

    /// Returns each chart, with its results and its picture.
    fn drawn() -> impl Iterator<Item = (&'static Chart, Results, String)> {
        CHARTS.iter().map(|chart| {
            let bench = BENCHES.iter().find(|bench| bench.name == chart.bench);
            let results = Results::read(bench.unwrap()).unwrap().unwrap();
            let svg = chart.draw(&results).unwrap();
            (chart, results, svg)
        })
    }

    /// Returns the values of an attribute, in the order of the picture.
    fn values<'a>(svg: &'a str, attribute: &str) -> impl Iterator<Item = &'a str> {
        let begin = format!(" {attribute}=\"");
        let ends: Vec<_> = svg.split(&begin).skip(1).collect();
        ends.into_iter().filter_map(|end| end.split('"').next())
    }

    #[test]
    fn a_chart_shows_what_the_table_shows_on_a_logarithmic_scale() {
        for (chart, results, svg) in drawn() {
            let lines: Vec<&str> = svg.lines().collect();
            let texts = lines.windows(2).filter(|pair| pair[0].starts_with("<text"));
            let mut texts = texts.map(|pair| pair[1]);
            let mut logarithms = Vec::new();
            let rows = chart
                .groups
                .iter()
                .flat_map(|(group, _)| chart.rows(group).unwrap());
            for (name, row) in rows {
                let shown = line(&row, Some(&results), &mut Vec::new()).unwrap();
                let columns: Vec<&str> = shown.split(" | ").collect();
                let (limit, measured) = (columns[1], columns[2].split("**").nth(1).unwrap());
                assert!(texts.any(|text| text == name), "{shown}");
                assert_eq!(texts.next(), Some(measured), "{shown}");
                if !limit.is_empty() {
                    assert_eq!(texts.next(), Some(limit), "{shown}");
                }
                let times: f64 = measured.trim_end_matches(" ×").parse().unwrap();
                logarithms.push(times.ln());
            }
            let dots: Vec<f64> = values(&svg, "cx").map(|x| x.parse().unwrap()).collect();
            assert_eq!(dots.len(), logarithms.len());
            let extremes = |values: &[f64]| {
                let least = values.iter().copied().reduce(f64::min).unwrap();
                (least, values.iter().copied().reduce(f64::max).unwrap())
            };
            let (left, right) = extremes(&dots);
            let (least, greatest) = extremes(&logarithms);
            assert!(right > left);
            for (dot, logarithm) in dots.iter().zip(logarithms) {
                let place = left + (right - left) * (logarithm - least) / (greatest - least);
                assert!((dot - place).abs() < 2.0, "{dot} instead of {place}");
            }
        }
    }

    #[test]
    fn every_colour_is_replaced_on_dark_pages() {
        for (_, _, svg) in drawn() {
            let (css, drawing) = svg.split_once("</style>").unwrap();
            for attribute in ["fill", "stroke"] {
                let colours = values(drawing, attribute).filter(|colour| *colour != "none");
                for colour in colours {
                    let selector = format!("[{attribute}=\"{colour}\"]");
                    assert!(css.contains(&selector), "{selector}");
                }
            }
        }
    }
}
