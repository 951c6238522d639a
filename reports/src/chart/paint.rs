//! Classes of shapes and texts. plotters knows colours only; ours are the numbers of
//! classes, which [`STYLE`] colours for light and dark.

use plotters::style::Color;
use plotters_backend::BackendColor;

/// Names of the classes; the first is of what is not drawn.
const CLASSES: [&str; 37] = [
    "",
    "ground",
    "grid",
    "bar",
    "bar over",
    "room",
    "live",
    "limit planned",
    "limit peak",
    "limit budget",
    "mark",
    "whisker",
    "spark",
    "tensor",
    "input",
    "output",
    "state",
    "text",
    "faint",
    "heading",
    "title",
    "strong",
    "name",
    "measured",
    "layer0",
    "layer1",
    "layer2",
    "layer3",
    "layer4",
    "layer5",
    "layer6",
    "layer7",
    "legend",
    "hit",
    "field",
    "capacity",
    "missing",
];

/// The class of a shape or a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paint(u8);

impl Paint {
    pub const NOTHING: Paint = Paint(0);
    pub const GROUND: Paint = Paint(1);
    pub const GRID: Paint = Paint(2);
    pub const BAR: Paint = Paint(3);
    pub const OVER: Paint = Paint(4);
    pub const ROOM: Paint = Paint(5);
    pub const LIVE: Paint = Paint(6);
    pub const PLANNED: Paint = Paint(7);
    pub const PEAK: Paint = Paint(8);
    pub const BUDGET: Paint = Paint(9);
    pub const MARK: Paint = Paint(10);
    pub const WHISKER: Paint = Paint(11);
    pub const SPARK: Paint = Paint(12);
    pub const TENSOR: Paint = Paint(13);
    pub const INPUT: Paint = Paint(14);
    pub const OUTPUT: Paint = Paint(15);
    pub const STATE: Paint = Paint(16);
    pub const TEXT: Paint = Paint(17);
    pub const FAINT: Paint = Paint(18);
    pub const HEADING: Paint = Paint(19);
    pub const TITLE: Paint = Paint(20);
    pub const STRONG: Paint = Paint(21);
    pub const NAME: Paint = Paint(22);
    pub const MEASURED: Paint = Paint(23);
    pub const LEGEND: Paint = Paint(32);
    /// What is not seen until it is pointed at.
    pub const HIT: Paint = Paint(33);
    /// The place of a field with axes, for the script of a page.
    pub const FIELD: Paint = Paint(34);
    pub const CAPACITY: Paint = Paint(35);
    pub const MISSING: Paint = Paint(36);

    /// The paint of a layer, of eight that repeat.
    pub fn layer(index: usize) -> Paint {
        Paint(24 + (index % 8) as u8)
    }

    /// The class that plotters' colour stands for; `None` for what is not drawn.
    pub fn class(color: BackendColor) -> Option<&'static str> {
        let class = CLASSES.get(usize::from(color.rgb.0)).copied().unwrap_or_default();
        (color.alpha > 0.0 && !class.is_empty()).then_some(class)
    }
}

impl Color for Paint {
    fn to_backend_color(&self) -> BackendColor {
        BackendColor { alpha: if *self == Paint::NOTHING { 0.0 } else { 1.0 }, rgb: (self.0, 0, 0) }
    }
}

/// Colours of the classes, in light and dark. Fills are of Paul Tol's light scheme
/// (<https://personal.sron.nl/~pault/>), which the colour-blind can tell apart and
/// which carries dark texts.
pub const STYLE: &str = include_str!("style.css");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_is_coloured() {
        for class in CLASSES.iter().flat_map(|class| class.split(' ')) {
            // The planned limit looks as any limit, and a text as any text.
            let is_plain = ["", "planned", "text", "legend"].contains(&class);
            assert!(is_plain || STYLE.contains(&format!(".{class}")), "{class}");
        }
        assert_eq!(Paint::class(Paint::MEASURED.to_backend_color()), Some("measured"));
        assert_eq!(Paint::class(Paint::layer(9).to_backend_color()), Some("layer1"));
        assert_eq!(Paint::class(Paint::NOTHING.to_backend_color()), None);
    }
}
