//! A chart of horizontal bars, as SVG.

use std::fmt::Write;

/// The contents of a chart.
#[derive(Debug)]
pub(crate) struct Chart {
    pub(crate) title: &'static str,
    /// Lines of text below the title.
    pub(crate) notes: Vec<String>,
    /// The meaning of the shades, if there are two.
    pub(crate) legend: Option<[&'static str; 2]>,
    pub(crate) groups: Vec<Group>,
    /// The value at which bars begin.
    pub(crate) origin: f64,
    /// The values of the vertical lines, with their texts.
    pub(crate) lines: Vec<(f64, &'static str)>,
}

#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) title: Option<&'static str>,
    pub(crate) contenders: Vec<Contender>,
}

#[derive(Debug)]
pub(crate) struct Contender {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// A value and its text for each shade.
    pub(crate) values: Vec<(f64, String)>,
}

/// The kind of a contender, which selects its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Cantok,
    Peer,
    Limit,
}

impl Kind {
    /// The colours of both shades.
    fn colours(self) -> [&'static str; 2] {
        match self {
            Kind::Cantok => ["#1f6feb", "#8dbbf5"],
            Kind::Peer => ["#8b929c", "#c8ccd2"],
            Kind::Limit => ["#3f4650", "#9aa1ab"],
        }
    }
}

const WIDTH: f64 = 860.0;
const LEFT: f64 = 276.0;
const RIGHT: f64 = 770.0;
const BAR: f64 = 12.0;
const BETWEEN: f64 = 8.0;
const LINE: f64 = 18.0;

impl Chart {
    /// Draws the chart on a background of its own, since pages may be light or dark.
    pub(crate) fn draw(&self) -> String {
        let mut body = String::new();
        let mut y = 34.0;
        text(&mut body, 24.0, y, "title", self.title);
        for note in &self.notes {
            y += LINE;
            text(&mut body, 24.0, y, "note", note);
        }
        if let Some(legend) = self.legend {
            y += LINE + 6.0;
            let mut x = LEFT;
            for (shade, name) in legend.into_iter().enumerate() {
                for (place, kind) in (0..).zip([Kind::Cantok, Kind::Peer]) {
                    let x = x + f64::from(place) * (BAR + 2.0);
                    rect(&mut body, (x, y - 10.0), (BAR, BAR), kind.colours()[shade]);
                }
                text(&mut body, x + 34.0, y, "note", name);
                x += 160.0;
            }
        }
        y += 16.0;
        let top = y;
        let mut bars = String::new();
        for group in &self.groups {
            y += BETWEEN;
            if let Some(title) = group.title {
                text(&mut bars, 24.0, y + 12.0, "group", title);
                y += LINE + 4.0;
            }
            for contender in &group.contenders {
                y = self.contender(&mut bars, contender, y);
            }
        }
        for (value, name) in &self.lines {
            let x = self.x(*value);
            let class = if *value == self.origin {
                "origin"
            } else {
                "line"
            };
            let _ = writeln!(
                body,
                r#"<path class="{class}" d="M{x:.1} {top:.1}V{y:.1}"/>"#
            );
            text(&mut body, x, y + LINE, "tick", name);
        }
        body += &bars;
        let height = y + LINE + 20.0;
        format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" role="img">
<title>{title}</title>
<style>
text {{ font: 13px system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif; fill: #24292f; }}
.title {{ font-size: 17px; font-weight: 600; }}
.note, .value, .tick {{ font-size: 12px; fill: #57606a; }}
.value {{ stroke: #ffffff; stroke-width: 3px; paint-order: stroke; }}
.group, .cantok {{ font-weight: 600; }}
.name {{ text-anchor: end; }}
.cantok {{ fill: #1a56b8; text-anchor: end; }}
.tick {{ text-anchor: middle; }}
.line {{ stroke: #e3e6ea; }}
.origin {{ stroke: #8b929c; }}
</style>
<rect x="0.5" y="0.5" width="{inner_width}" height="{inner_height}" rx="8" fill="#ffffff" stroke="#d0d7de"/>
{body}</svg>
"##,
            title = escape(self.title),
            inner_width = WIDTH - 1.0,
            inner_height = height - 1.0,
        )
    }

    /// Draws a contender at `y`. Returns the `y` of its end.
    fn contender(&self, body: &mut String, contender: &Contender, y: f64) -> f64 {
        let end = y + contender.values.len() as f64 * (BAR + 2.0);
        let class = if contender.kind == Kind::Cantok {
            "cantok"
        } else {
            "name"
        };
        // The baseline of letters is 4 below the middle.
        text(
            body,
            LEFT - 12.0,
            (y + end) / 2.0 + 4.0,
            class,
            &contender.name,
        );
        for (shade, (value, name)) in contender.values.iter().enumerate() {
            let y = y + shade as f64 * (BAR + 2.0);
            let (origin, x) = (self.x(self.origin), self.x(*value));
            // A bar at the origin is still visible.
            let (from, to) = (origin.min(x), origin.max(x).max(origin.min(x) + 1.5));
            rect(
                body,
                (from, y),
                (to - from, BAR),
                contender.kind.colours()[shade],
            );
            text(body, to + 6.0, y + BAR - 1.5, "value", name);
        }
        end + BETWEEN / 2.0
    }

    /// Returns the `x` of a value, on a logarithmic scale.
    fn x(&self, value: f64) -> f64 {
        let (least, greatest) = self.scale();
        LEFT + (value / least).ln() / (greatest / least).ln() * (RIGHT - LEFT)
    }

    /// Returns the ends of the scale: the origin and the last line, or the values beyond them.
    fn scale(&self) -> (f64, f64) {
        let contenders = self.groups.iter().flat_map(|group| &group.contenders);
        let values = contenders.flat_map(|contender| &contender.values);
        let lines = self.lines.iter().map(|(value, _)| *value);
        let all = lines.chain(values.map(|(value, _)| *value));
        all.fold((self.origin, self.origin), |(least, greatest), value| {
            (least.min(value), greatest.max(value))
        })
    }
}

fn text(body: &mut String, x: f64, y: f64, class: &str, text: &str) {
    let text = escape(text);
    let _ = writeln!(
        body,
        r#"<text class="{class}" x="{x:.1}" y="{y:.1}">{text}</text>"#
    );
}

fn rect(body: &mut String, (x, y): (f64, f64), (width, height): (f64, f64), fill: &str) {
    let _ = writeln!(
        body,
        r#"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" rx="2" fill="{fill}"/>"#
    );
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(values: &[f64]) -> Chart {
        let values = values
            .iter()
            .map(|value| (*value, value.to_string()))
            .collect();
        let name = "Arc<AtomicBool> & more".to_owned();
        let contenders = vec![Contender {
            name,
            kind: Kind::Limit,
            values,
        }];
        Chart {
            title: "A",
            notes: Vec::new(),
            legend: None,
            groups: vec![Group {
                title: None,
                contenders,
            }],
            origin: 1.0,
            lines: vec![(1.0, "1"), (10.0, "10"), (100.0, "100")],
        }
    }

    /// Returns the left ends and lengths of the bars. The first rectangle is the background.
    fn bars(svg: &str) -> Vec<(f64, f64)> {
        let number = |line: &str, key: &str| -> f64 {
            let (_, rest) = line.split_once(&format!(" {key}=\"")).unwrap();
            rest.split('"').next().unwrap().parse().unwrap()
        };
        let rects = svg.lines().filter(|line| line.starts_with("<rect"));
        rects
            .skip(1)
            .map(|line| (number(line, "x"), number(line, "width")))
            .collect()
    }

    #[test]
    fn the_scale_is_logarithmic() {
        let bars = bars(&chart(&[10.0, 100.0]).draw());
        assert_eq!(bars, [(LEFT, (RIGHT - LEFT) / 2.0), (LEFT, RIGHT - LEFT)]);
    }

    #[test]
    fn what_is_beyond_the_lines_ends_the_scale() {
        let bars = bars(&chart(&[100.0, 10_000.0]).draw());
        assert_eq!(bars, [(LEFT, (RIGHT - LEFT) / 2.0), (LEFT, RIGHT - LEFT)]);
    }

    #[test]
    fn what_is_less_than_the_origin_ends_there() {
        let bars = bars(&chart(&[0.5, 10.0]).draw());
        let [(less, width), (origin, _)] = bars[..] else {
            panic!("{bars:?}")
        };
        assert_eq!(less, LEFT);
        assert!(
            width > 0.0 && (less + width - origin).abs() < 0.2,
            "{bars:?}"
        );
    }

    #[test]
    fn names_are_escaped() {
        let svg = chart(&[2.0]).draw();
        assert!(
            svg.contains(">Arc&lt;AtomicBool&gt; &amp; more</text>"),
            "{svg}"
        );
    }
}
