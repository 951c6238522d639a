//! All charts of a document as one picture. Colours follow the reader's
//! light or dark scheme; each part names itself when pointed at.

use super::axis::{Axis, coordinate};
use super::words::{bytes, html, number, short};
use super::{Document, Page, bars, live, map};
use et_inspector::memory::plan::Role;

/// Units of a picture's width.
pub const WIDTH: f64 = 960.0;

/// Units to the left of a chart, for the numbers of its axis.
pub const LEFT: f64 = 110.0;

/// Units to the right of a chart.
pub const RIGHT: f64 = 20.0;

/// Units below a chart, for the numbers of its axis.
pub const BOTTOM: f64 = 34.0;

/// Colours, in light and dark, and what has which.
pub const STYLE: &str = "\
svg{--tone:72%;--text:#1b1f24;--faint:#6a737d;--grid:#d8dee4;--ground:#ffffff;--bar:#3572b0;--over:#c62f2f;\
--room:#e9edf1;--tensor:#8fb7de;--input:#9ccf9c;--output:#f0b678;--state:#c9a6dd;--edge:#ffffff;\
font:12px system-ui,sans-serif}
@media (prefers-color-scheme:dark){svg{--tone:40%;--text:#e6e9ec;--faint:#9aa4ae;--grid:#3a424b;\
--ground:#14181c;--bar:#5a9bdc;--over:#f0625f;--room:#2a3138;--tensor:#2f5d8c;--input:#2f6b39;\
--output:#8a5a1c;--state:#5f3d7a;--edge:#14181c}}
svg text{fill:var(--text)}
svg text.faint{fill:var(--faint)}
svg text.heading{font-size:14px;font-weight:600}
svg text.title{font-size:17px;font-weight:600}
svg text.strong{font-weight:600}
svg text.name{font-size:10px}
.ground{fill:var(--ground)}
.grid{stroke:var(--grid)}
.bar,.mark{fill:var(--bar)}
.room{fill:var(--room)}
.over{fill:var(--over)}
.live{fill:none;stroke:var(--text);stroke-width:.7}
.layer0{fill:hsl(210 55% var(--tone))}
.layer1{fill:hsl(30 65% var(--tone))}
.layer2{fill:hsl(140 35% var(--tone))}
.layer3{fill:hsl(280 35% var(--tone))}
.layer4{fill:hsl(350 50% var(--tone))}
.layer5{fill:hsl(180 40% var(--tone))}
.layer6{fill:hsl(60 50% var(--tone))}
.layer7{fill:hsl(0 0% var(--tone))}
.limit.budget{stroke:var(--over);stroke-width:1.5}
.limit{stroke:var(--faint);stroke-dasharray:5 4}
.limit.peak{stroke:var(--bar)}
.tensor,.input,.output,.state{stroke:var(--edge);stroke-width:.3}
.tensor{fill:var(--tensor)}
.input{fill:var(--input)}
.output{fill:var(--output)}
.state{fill:var(--state)}
g:hover>rect{stroke:var(--text)}
";

/// A picture in the making: drawn from the top down.
pub struct Svg {
    body: String,
    /// The next free place.
    pub y: f64,
}

impl Svg {
    /// Appends elements.
    pub fn push(&mut self, elements: &str) {
        self.body.push_str(elements);
    }

    /// A heading before a chart.
    pub fn heading(&mut self, text: &str) {
        self.line("heading", text, 30.0);
        self.y += 6.0;
    }

    /// A line of text, `height` high.
    fn line(&mut self, class: &str, text: &str, height: f64) {
        self.y += height;
        let y = coordinate(self.y - 8.0);
        self.push(&format!("<text class=\"{class}\" x=\"16\" y=\"{y}\">{}</text>\n", html(text)));
    }

    /// What the colours of tensors mean.
    pub fn legend(&mut self) {
        let mut x = LEFT;
        for role in [Role::Intermediate, Role::Input, Role::Output, Role::State] {
            self.push(&format!(
                "<rect class=\"{}\" x=\"{}\" y=\"{}\" width=\"12\" height=\"12\"/>\
                 <text x=\"{}\" y=\"{}\">{}</text>\n",
                map::class(role),
                coordinate(x),
                coordinate(self.y),
                coordinate(x + 17.0),
                coordinate(self.y + 10.0),
                role.name()
            ));
            x += 110.0;
        }
        self.y += 18.0;
    }

    /// Bytes at the left of a chart that ends at `bottom`, with lines across.
    pub fn byte_ticks(&mut self, up: Axis, bottom: f64, right: f64) {
        for tick in up.ticks(5) {
            let y = bottom - up.at(tick);
            self.push(&format!(
                "<line class=\"grid\" x1=\"{left}\" x2=\"{right}\" y1=\"{y}\" y2=\"{y}\"/>\
                 <text class=\"faint\" text-anchor=\"end\" x=\"{}\" y=\"{}\">{}</text>\n",
                coordinate(LEFT - 8.0),
                coordinate(y + 4.0),
                bytes(tick),
                left = coordinate(LEFT),
                right = coordinate(right),
                y = coordinate(y),
            ));
        }
    }

    /// Instructions below a chart that ends at `bottom`.
    pub fn instruction_ticks(&mut self, across: Axis, bottom: f64) {
        for tick in across.ticks(8) {
            self.push(&format!(
                "<text class=\"faint\" text-anchor=\"middle\" x=\"{}\" y=\"{}\">{}</text>\n",
                coordinate(LEFT + across.at(tick)),
                coordinate(bottom + 16.0),
                number(tick)
            ));
        }
    }

    fn finish(self, label: &str, style: &str) -> String {
        let height = coordinate(self.y + 12.0);
        let width = coordinate(WIDTH);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
             width=\"{width}\" height=\"{height}\" role=\"img\" aria-label=\"{}\">\n{style}\
             <rect class=\"ground\" width=\"{width}\" height=\"{height}\"/>\n{}</svg>\n",
            html(&short(label)),
            self.body
        )
    }
}

/// The charts of every method, as a file of its own.
pub fn svg(document: &Document<'_>) -> String {
    let mut svg = Svg { body: String::new(), y: 0.0 };
    for page in &document.methods {
        let method = page.memory.method.name();
        let (model, abi) = (&document.model, document.abi);
        svg.line("title", &format!("{model}, method {method}, {abi}"), 36.0);
        bars::draw(&mut svg, document, page);
        plan(&mut svg, page);
    }
    let label = format!("Memory of {}", document.model);
    svg.finish(&label, &format!("<style>{STYLE}</style>\n"))
}

/// The charts of the plan of `page`, to stand in a page that has [`STYLE`].
pub fn plan_charts(page: &Page<'_>) -> String {
    let mut svg = Svg { body: String::new(), y: 0.0 };
    plan(&mut svg, page);
    if svg.body.is_empty() {
        return String::new();
    }
    svg.finish(&format!("Memory plan of method {}", page.memory.method.name()), "")
}

/// The bars of `page`, to stand in a page that has [`STYLE`].
pub fn bar_chart(document: &Document<'_>, page: &Page<'_>) -> String {
    let mut svg = Svg { body: String::new(), y: 0.0 };
    bars::draw(&mut svg, document, page);
    svg.finish(&format!("Needs of method {}", page.memory.method.name()), "")
}

fn plan(svg: &mut Svg, page: &Page<'_>) {
    live::draw(svg, page);
    for buffer in &page.memory.plan.buffers {
        map::draw(svg, page.memory, buffer);
    }
}
