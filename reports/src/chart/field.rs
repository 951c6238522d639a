//! Bytes over instructions: a field with both axes.

use super::axis::Axis;
use super::canvas::{Area, Canvas};
use super::paint::Paint;
use super::shapes::style;
use super::tenths;
use crate::memory::words::{bytes, number};
use plotters::chart::{ChartBuilder, ChartContext, LabelAreaPosition};
use plotters::coord::cartesian::Cartesian2d;
use plotters::drawing::DrawingAreaErrorKind;
use plotters::style::text_anchor::{HPos, VPos};
use std::convert::Infallible;

/// Units to the left of a chart, for the numbers of its axis.
pub const LEFT: f64 = 110.0;

/// Units to the right of a chart.
pub const RIGHT: f64 = 20.0;

/// Units below a chart, for the numbers of its axis.
pub const BOTTOM: f64 = 34.0;

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
    let mut field = ChartBuilder::on(area)
        .margin_top(tenths(TOP))
        .margin_right(tenths(RIGHT))
        .x_label_area_size(tenths(BOTTOM))
        .y_label_area_size(tenths(LEFT))
        .build_cartesian_2d(Axis::to(instructions), Axis::to(most))?;
    field
        .configure_mesh()
        .disable_x_mesh()
        .max_light_lines(0)
        .axis_style(Paint::NOTHING)
        .bold_line_style(Paint::GRID)
        .x_labels(LABELS.1)
        .y_labels(LABELS.0)
        .x_label_formatter(&|instruction| number(*instruction))
        .y_label_formatter(&|size| bytes(*size))
        .x_label_style(style(Paint::FAINT, (HPos::Center, VPos::Top)))
        .y_label_style(style(Paint::FAINT, (HPos::Right, VPos::Center)))
        .set_tick_mark_size(LabelAreaPosition::Left, tenths(4.0))
        .set_tick_mark_size(LabelAreaPosition::Bottom, tenths(2.0))
        .draw()?;
    Ok(field)
}
