//! Charts as SVG, drawn with plotters on a canvas of our own: colours are classes,
//! so that a page shows them in light, dark and print, and shapes name themselves.
//!
//! ```text
//! paint.rs    the classes of shapes and texts, and their colours
//! canvas.rs   what plotters draws on
//! axis.rs     scales from 0 on, with round ticks
//! shapes.rs   shapes with a title, texts, legends
//! field.rs    bytes over instructions: a field with both axes
//! picture.rs  charts under each other, as one picture
//! ```

mod axis;
mod canvas;
mod field;
mod paint;
mod picture;
mod shapes;

pub use axis::Axis;
pub use canvas::{Area, Canvas, Drawn};
pub use field::{Field, LEFT, RIGHT, field};
pub use paint::{Paint, STYLE};
pub use picture::{Chart, Heading, WIDTH, picture};
pub use shapes::{LEGEND_ROW, Titled, corners, legend, words};

/// Coordinates of plotters are whole numbers: ours are tenths of a unit of the picture.
pub fn tenths(units: f64) -> i32 {
    (units * 10.0).round() as i32
}
