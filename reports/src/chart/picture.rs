//! Charts under each other, as one picture.

use super::canvas::{Area, Canvas, Drawn};
use super::paint::Paint;
use super::shapes::words;
use super::tenths;
use crate::memory::words::{html, short};
use plotters::drawing::IntoDrawingArea;
use plotters::style::text_anchor::{HPos, VPos};

/// Units of a picture's width.
pub const WIDTH: f64 = 960.0;

/// A chart, or a line between charts.
pub trait Chart {
    /// Units of its height.
    fn height(&self) -> f64;

    /// Draws it on an area of that height.
    ///
    /// # Errors
    /// There is no room.
    fn draw(&self, area: &Area<'_>) -> Drawn;
}

/// A line of text before charts.
pub struct Heading {
    /// The text.
    pub text: String,
    /// [`Paint::HEADING`] or [`Paint::TITLE`].
    pub paint: Paint,
}

impl Heading {
    /// The heading of one chart.
    pub fn new(text: impl Into<String>) -> Self {
        Heading { text: text.into(), paint: Paint::HEADING }
    }
}

impl Chart for Heading {
    fn height(&self) -> f64 {
        36.0
    }

    fn draw(&self, area: &Area<'_>) -> Drawn {
        let at = (tenths(16.0), tenths(22.0));
        area.draw(&words(self.text.as_str(), at, self.paint, (HPos::Left, VPos::Bottom)))
    }
}

/// The picture of `charts`; nothing if there are none. `style` is its own style
/// sheet, for a picture that stands in no page with [`STYLE`](super::STYLE).
pub fn picture(label: &str, style: &str, charts: &[Box<dyn Chart + '_>]) -> String {
    const END: f64 = 12.0;
    if charts.is_empty() {
        return String::new();
    }
    let height = charts.iter().map(|chart| chart.height()).sum::<f64>() + END;
    let mut body = String::new();
    if let Err(error) = draw(&mut body, height, charts) {
        body = format!("<text x=\"16\" y=\"22\">cannot be drawn: {}</text>", html(&error));
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         width=\"{WIDTH}\" height=\"{height}\" role=\"img\" aria-label=\"{}\">\n{style}\
         <rect class=\"ground\" width=\"{WIDTH}\" height=\"{height}\"/>\n{body}</svg>\n",
        html(&short(label)),
    )
}

fn draw(body: &mut String, height: f64, charts: &[Box<dyn Chart + '_>]) -> Result<(), String> {
    let size = (tenths(WIDTH).unsigned_abs(), tenths(height).unsigned_abs());
    let mut rest = Canvas::new(body, size).into_drawing_area();
    for chart in charts {
        let (here, below) = rest.split_vertically(tenths(chart.height()));
        chart.draw(&here).map_err(|e| e.to_string())?;
        rest = below;
    }
    Ok(())
}
