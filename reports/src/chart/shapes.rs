//! Shapes with a title, texts, and legends.

use super::canvas::{Area, Canvas, Drawn};
use super::paint::Paint;
use super::tenths;
use plotters::element::{Drawable, PointCollection, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontDesc, FontFamily, FontStyle, TextStyle};
use plotters_backend::{BackendCoord, DrawingBackend, DrawingErrorKind};
use std::convert::Infallible;

/// A shape that names itself when pointed at.
pub struct Titled<Coord> {
    title: String,
    value: Option<u32>,
    points: Vec<Coord>,
    form: Form,
    paint: Paint,
}

#[derive(Clone, Copy)]
enum Form {
    Box,
    Area,
    Line,
}

impl<Coord> Titled<Coord> {
    /// A box between two corners.
    pub fn rectangle(title: String, corners: [Coord; 2], paint: Paint) -> Self {
        Titled { title, value: None, points: corners.into(), form: Form::Box, paint }
    }

    /// What lies between `points`.
    pub fn area(title: String, points: Vec<Coord>, paint: Paint) -> Self {
        Titled { title, value: None, points, form: Form::Area, paint }
    }

    /// A line through `points`.
    pub fn line(title: String, points: Vec<Coord>, paint: Paint) -> Self {
        Titled { title, value: None, points, form: Form::Line, paint }
    }

    /// The same, linked with all else of the page that is of `value`.
    pub fn of_value(self, value: u32) -> Self {
        Titled { value: Some(value), ..self }
    }
}

impl<'a, Coord> PointCollection<'a, Coord> for &'a Titled<Coord> {
    type Point = &'a Coord;
    type IntoIter = &'a [Coord];

    fn point_iter(self) -> Self::IntoIter {
        &self.points
    }
}

impl<'c, Coord> Drawable<Canvas<'c>> for Titled<Coord> {
    fn draw<I: Iterator<Item = BackendCoord>>(
        &self,
        mut points: I,
        canvas: &mut Canvas<'c>,
        _size: (u32, u32),
    ) -> Result<(), DrawingErrorKind<Infallible>> {
        let color = self.paint.to_backend_color();
        canvas.open(&self.title, self.value);
        match self.form {
            Form::Area => canvas.fill_polygon(points, &color)?,
            Form::Line => canvas.draw_path(points, &color)?,
            Form::Box => {
                if let Some((one, other)) = points.next().zip(points.next()) {
                    let left_top = (one.0.min(other.0), one.1.min(other.1));
                    let right_bottom = (one.0.max(other.0), one.1.max(other.1));
                    canvas.draw_rect(left_top, right_bottom, &color, true)?;
                }
            }
        }
        canvas.close();
        Ok(())
    }
}

/// The style of texts of `paint`, which lie at `anchor` of their place.
pub(super) fn style(paint: Paint, anchor: (HPos, VPos)) -> TextStyle<'static> {
    // The size is that of the class.
    let font = FontDesc::new(FontFamily::SansSerif, 120.0, FontStyle::Normal);
    TextStyle { font, color: paint.to_backend_color(), pos: Pos::new(anchor.0, anchor.1) }
}

/// A text at a place.
pub fn words<Coord>(
    text: impl Into<String>,
    at: Coord,
    paint: Paint,
    anchor: (HPos, VPos),
) -> Text<'static, Coord, String> {
    Text::new(text.into(), at, style(paint, anchor))
}

/// The corners of a box from its upper left one on, in units.
pub fn corners(x: f64, y: f64, width: f64, height: f64) -> [BackendCoord; 2] {
    [(tenths(x), tenths(y)), (tenths(x + width), tenths(y + height))]
}

/// What colours mean: `across` of them in a row, from `left` on.
///
/// # Errors
/// There is no room.
pub fn legend(
    area: &Area<'_>,
    left: f64,
    across: usize,
    width: f64,
    names: impl IntoIterator<Item = (Paint, String)>,
) -> Drawn {
    for (index, (paint, name)) in names.into_iter().enumerate() {
        let x = left + (index % across.max(1)) as f64 * width;
        let y = (index / across.max(1)) as f64 * LEGEND_ROW;
        area.draw(&Rectangle::new(corners(x, y, 12.0, 12.0), paint.filled()))?;
        let at = (tenths(x + 17.0), tenths(y + 6.0));
        area.draw(&words(name, at, Paint::LEGEND, (HPos::Left, VPos::Center)))?;
    }
    Ok(())
}

/// Height of a row of a legend.
pub const LEGEND_ROW: f64 = 18.0;
