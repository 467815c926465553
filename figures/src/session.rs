//! Draws a recorded session of a terminal as SVG.

use crate::root;
use anyhow::{Context, Result};
use std::fmt::Write;
use std::fs;

/// Recorded by `examples/treehash/session/record`.
const TEXT: &str = "examples/treehash/session.txt";

pub(crate) const PICTURE: &str = "examples/treehash/session.svg";

const CHARACTER: f64 = 7.8;
const LINE: f64 = 18.0;
const MARGIN: f64 = 20.0;
const TITLE: f64 = 34.0;

/// Draws the session.
pub(crate) fn picture() -> Result<String> {
    let text = fs::read_to_string(root().join(TEXT)).context(TEXT)?;
    Ok(draw(&text))
}

fn draw(text: &str) -> String {
    let columns = text.lines().map(|line| line.chars().count()).max();
    let width = columns.unwrap_or(0) as f64 * CHARACTER + 2.0 * MARGIN;
    let height = text.lines().count() as f64 * LINE + TITLE + MARGIN;
    let mut body = String::new();
    for (place, colour) in (0..).zip(["#ff5f57", "#febc2e", "#28c840"]) {
        let x = MARGIN + 20.0 * f64::from(place);
        let _ = writeln!(body, r#"<circle cx="{x}" cy="17" r="6" fill="{colour}"/>"#);
    }
    let mut y = TITLE + LINE / 2.0 + 5.0;
    for line in text.lines() {
        // Typed lines stand out.
        let class = if line.starts_with("$ ") {
            "typed"
        } else {
            "shown"
        };
        let line = line.replace('&', "&amp;").replace('<', "&lt;");
        let _ = writeln!(
            body,
            r#"<text x="{MARGIN}" y="{y}" class="{class}">{line}</text>"#
        );
        y += LINE;
    }
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0}" height="{height:.0}" viewBox="0 0 {width:.0} {height:.0}" role="img" aria-label="treehash in a terminal">
<style>
text {{ font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; white-space: pre; }}
.typed {{ fill: #ffffff; font-weight: 600; }}
.shown {{ fill: #b9c1cc; }}
</style>
<rect width="100%" height="100%" rx="8" fill="#1c2128"/>
{body}</svg>
"##
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_stands_out_and_marks_are_escaped() {
        let picture = draw("$ a < b && c\n<d>\n");
        assert!(picture.contains(r#"class="typed">$ a &lt; b &amp;&amp; c</text>"#));
        assert!(picture.contains(r#"class="shown">&lt;d></text>"#));
    }
}
