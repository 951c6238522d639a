//! Classes of shapes and texts. plotters knows colours only; ours are the numbers of
//! classes, which [`STYLE`] colours for light and dark.

use plotters::style::Color;
use plotters_backend::BackendColor;

/// Names of the classes; the first is of what is not drawn.
const CLASSES: [&str; 32] = [
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

/// Colours of the classes, in light and dark.
pub const STYLE: &str = "\
svg{--tone:72%;--text:#1b1f24;--faint:#6a737d;--grid:#d8dee4;--ground:#ffffff;--bar:#3572b0;--over:#c62f2f;\
--room:#e9edf1;--tensor:#8fb7de;--input:#9ccf9c;--output:#f0b678;--state:#c9a6dd;--measured:#b07a1e;\
--edge:#ffffff;font:12px system-ui,sans-serif}
@media (prefers-color-scheme:dark){svg{--tone:40%;--text:#e6e9ec;--faint:#9aa4ae;--grid:#3a424b;\
--ground:#14181c;--bar:#5a9bdc;--over:#f0625f;--room:#2a3138;--tensor:#2f5d8c;--input:#2f6b39;\
--output:#8a5a1c;--state:#5f3d7a;--measured:#d9a441;--edge:#14181c}}
svg text{fill:var(--text);pointer-events:none}
svg text.faint{fill:var(--faint)}
svg text.heading{font-size:14px;font-weight:600}
svg text.title{font-size:17px;font-weight:600}
svg text.strong{font-weight:600}
svg text.name{font-size:10px}
.ground{fill:var(--ground)}
.grid{stroke:var(--grid)}
.bar,.mark{fill:var(--bar)}
.measured{fill:var(--measured)}
.room{fill:var(--room)}
.over{fill:var(--over)}
.live{fill:none;stroke:var(--text);stroke-width:.7}
.spark{fill:none;stroke:var(--bar);stroke-width:1.5}
.whisker{fill:none;stroke:var(--text);stroke-width:1.5}
.layer0{fill:hsl(210 55% var(--tone))}
.layer1{fill:hsl(30 65% var(--tone))}
.layer2{fill:hsl(140 35% var(--tone))}
.layer3{fill:hsl(280 35% var(--tone))}
.layer4{fill:hsl(350 50% var(--tone))}
.layer5{fill:hsl(180 40% var(--tone))}
.layer6{fill:hsl(60 50% var(--tone))}
.layer7{fill:hsl(0 0% var(--tone))}
.limit{fill:none;stroke:var(--faint);stroke-dasharray:5 4}
.limit.peak{stroke:var(--bar)}
.limit.budget{stroke:var(--over);stroke-width:1.5}
.tensor,.input,.output,.state,.edge{stroke:var(--edge);stroke-width:.3}
.tensor{fill:var(--tensor)}
.input{fill:var(--input)}
.output{fill:var(--output)}
.state{fill:var(--state)}
svg.line{display:inline-block;vertical-align:middle;margin:0}
g:hover>rect{stroke:var(--text)}
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_is_coloured() {
        for class in CLASSES.iter().flat_map(|class| class.split(' ')) {
            // The planned limit looks as any limit, and a text as any text.
            let is_plain = ["", "planned", "text"].contains(&class);
            assert!(is_plain || STYLE.contains(&format!(".{class}")), "{class}");
        }
        assert_eq!(Paint::class(Paint::MEASURED.to_backend_color()), Some("measured"));
        assert_eq!(Paint::class(Paint::layer(9).to_backend_color()), Some("layer1"));
        assert_eq!(Paint::class(Paint::NOTHING.to_backend_color()), None);
    }
}
