//! Bytes over instructions: a field with both axes.

use super::axis::Axis;
use super::canvas::{Area, Canvas};
use super::paint::Paint;
use super::shapes::{style, words};
use super::tenths;
use crate::memory::words::number;
use plotters::chart::{ChartBuilder, ChartContext, LabelAreaPosition};
use plotters::coord::cartesian::Cartesian2d;
use plotters::drawing::DrawingAreaErrorKind;
use plotters::element::Rectangle;
use plotters::style::Color;
use plotters::style::text_anchor::{HPos, VPos};
use std::convert::Infallible;

/// Units to the left of a chart, for the numbers of its axis.
pub const LEFT: f64 = 80.0;

/// Units to the right of a chart.
pub const RIGHT: f64 = 20.0;

/// Units below a chart, for the numbers of its axis.
pub const BOTTOM: f64 = 40.0;

/// Units above a chart.
pub const TOP: f64 = 14.0;

/// Numbers at the axes: bytes, and instructions.
const LABELS: (usize, usize) = (5, 8);

/// A field that shapes of (instruction, bytes) are drawn on.
pub type Field<'a, 'c> = ChartContext<'a, Canvas<'c>, Cartesian2d<Axis, Axis>>;

/// The field of `area`, to the last instruction and to the most bytes.
///
/// # Errors
/// There is no room.
pub fn field<'a, 'c>(
    area: &'a Area<'c>,
    instructions: u64,
    most: u64,
) -> Result<Field<'a, 'c>, DrawingAreaErrorKind<Infallible>> {
    let up = Axis::bytes(most);
    let mut field = ChartBuilder::on(area)
        .margin_top(tenths(TOP))
        .margin_right(tenths(RIGHT))
        .x_label_area_size(tenths(BOTTOM))
        .y_label_area_size(tenths(LEFT))
        .build_cartesian_2d(Axis::to(instructions), up)?;
    field
        .configure_mesh()
        .disable_x_mesh()
        .max_light_lines(0)
        .axis_style(Paint::NOTHING)
        .bold_line_style(Paint::GRID)
        .x_labels(LABELS.1)
        .y_labels(LABELS.0)
        .x_label_formatter(&|instruction| number(*instruction))
        .y_label_formatter(&|size| up.label(*size))
        .x_label_style(style(Paint::FAINT, (HPos::Center, VPos::Top)))
        .y_label_style(style(Paint::FAINT, (HPos::Right, VPos::Center)))
        .set_tick_mark_size(LabelAreaPosition::Left, tenths(4.0))
        .set_tick_mark_size(LabelAreaPosition::Bottom, tenths(2.0))
        .draw()?;
    let corners = [(0, most), (instructions, 0)];
    field.draw_series([Rectangle::new(corners, Paint::FIELD.filled())])?;
    let under = (area.dim_in_pixel().0 as i32 - tenths(RIGHT), area.dim_in_pixel().1 as i32);
    area.draw(&words("instruction", under, Paint::FAINT, (HPos::Right, VPos::Bottom)))?;
    Ok(field)
}
