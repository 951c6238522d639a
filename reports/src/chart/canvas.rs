//! What plotters draws on: SVG elements with a class instead of a colour.

use super::paint::Paint;
use crate::memory::words::{html, short};
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind};
use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind,
};
use std::convert::Infallible;
use std::fmt::Write;

/// A part of a canvas, in tenths of a unit from its upper left corner.
pub type Area<'c> = DrawingArea<Canvas<'c>, Shift>;

/// Writing to a text cannot fail, so that only a layout without room is an error.
pub type Drawn = Result<(), DrawingAreaErrorKind<Infallible>>;

type Result<T, E = DrawingErrorKind<Infallible>> = std::result::Result<T, E>;

/// Tenths that a filled box has at least: less cannot be seen or pointed at.
const LEAST: i32 = 5;

/// Tenths of a letter's width, and of its height.
const LETTER: (u32, u32) = (60, 120);

/// Elements of a picture, in the making.
pub struct Canvas<'c> {
    body: &'c mut String,
    size: (u32, u32),
}

impl<'c> Canvas<'c> {
    /// A canvas of `size` tenths, whose elements are added to `body`.
    pub fn new(body: &'c mut String, size: (u32, u32)) -> Self {
        Canvas { body, size }
    }

    /// Begins a group that names itself when pointed at; `value` links it with what
    /// else of the page is of the same value.
    pub fn open(&mut self, title: &str, value: Option<u32>) {
        let value = value.map(|value| format!(" data-value=\"{value}\"")).unwrap_or_default();
        let _ = write!(self.body, "<g{value}><title>{}</title>", html(&short(title)));
    }

    /// Ends the group.
    pub fn close(&mut self) {
        self.body.push_str("</g>\n");
    }

    fn element(&mut self, name: &str, color: BackendColor, attributes: &str) -> Result<()> {
        if let Some(class) = Paint::class(color) {
            let _ = write!(self.body, "<{name} class=\"{class}\" {attributes}/>");
        }
        Ok(())
    }

    fn path(
        &mut self,
        points: impl IntoIterator<Item = BackendCoord>,
        color: BackendColor,
        end: &str,
    ) -> Result<()> {
        let mut path = String::new();
        let mut last = None;
        for (x, y) in points {
            let _ = match last {
                None => write!(path, "M{} {}", units(x), units(y)),
                Some((_, before)) if before == y => write!(path, "H{}", units(x)),
                Some((before, _)) if before == x => write!(path, "V{}", units(y)),
                Some(_) => write!(path, "L{} {}", units(x), units(y)),
            };
            last = Some((x, y));
        }
        self.element("path", color, &format!("d=\"{path}{end}\""))
    }
}

/// Tenths as units, short.
fn units(tenths: i32) -> String {
    match (tenths / 10, tenths % 10) {
        (whole, 0) => whole.to_string(),
        _ => format!("{:.1}", f64::from(tenths) / 10.0),
    }
}

impl DrawingBackend for Canvas<'_> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        self.size
    }

    fn ensure_prepared(&mut self) -> Result<()> {
        Ok(())
    }

    fn present(&mut self) -> Result<()> {
        Ok(())
    }

    fn draw_pixel(&mut self, at: BackendCoord, color: BackendColor) -> Result<()> {
        self.draw_rect(at, at, &color, true)
    }

    fn draw_line<S: BackendStyle>(
        &mut self,
        from: BackendCoord,
        to: BackendCoord,
        style: &S,
    ) -> Result<()> {
        self.path([from, to], style.color(), "")
    }

    /// A box; a frame has a class whose style fills nothing.
    fn draw_rect<S: BackendStyle>(
        &mut self,
        (left, top): BackendCoord,
        (right, bottom): BackendCoord,
        style: &S,
        _fill: bool,
    ) -> Result<()> {
        let width = right.saturating_sub(left).max(LEAST);
        let height = bottom.saturating_sub(top).max(LEAST);
        let [x, y, width, height] = [left, top, width, height].map(units);
        let place = format!("x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"");
        self.element("rect", style.color(), &place)
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Result<()> {
        self.path(path, style.color(), "")
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        corners: I,
        style: &S,
    ) -> Result<()> {
        self.path(corners, style.color(), "Z")
    }

    fn draw_circle<S: BackendStyle>(
        &mut self,
        (x, y): BackendCoord,
        radius: u32,
        style: &S,
        _fill: bool,
    ) -> Result<()> {
        let radius = units(i32::try_from(radius).unwrap_or(i32::MAX));
        let place = format!("cx=\"{}\" cy=\"{}\" r=\"{radius}\"", units(x), units(y));
        self.element("circle", style.color(), &place)
    }

    fn draw_text<S: BackendTextStyle>(
        &mut self,
        text: &str,
        style: &S,
        (x, y): BackendCoord,
    ) -> Result<()> {
        let Some(class) = Paint::class(style.color()) else { return Ok(()) };
        let anchor = match style.anchor().h_pos {
            HPos::Left => "",
            HPos::Center => " text-anchor=\"middle\"",
            HPos::Right => " text-anchor=\"end\"",
        };
        let down = match style.anchor().v_pos {
            VPos::Top => 100,
            VPos::Center => 40,
            VPos::Bottom => -30,
        };
        let _ = writeln!(
            self.body,
            "<text class=\"{class}\"{anchor} x=\"{}\" y=\"{}\">{}</text>",
            units(x),
            units(y.saturating_add(down)),
            html(text)
        );
        Ok(())
    }

    fn estimate_text_size<S: BackendTextStyle>(&self, text: &str, _: &S) -> Result<(u32, u32)> {
        let letters = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
        Ok((letters.saturating_mul(LETTER.0), LETTER.1))
    }
}
