//! Colours: few, from the terminal's own sixteen, so that they fit its
//! background; and none, for `NO_COLOR`. What a colour says is also said by a
//! word, a mark or a place.

use et_inspector::findings::Severity;
use ratatui::style::{Color, Modifier, Style};

/// How things are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    /// Without it there are bold, reverse and dim only.
    pub color: bool,
    /// Without it lines and bars are made of ASCII.
    pub unicode: bool,
    /// The colours.
    pub palette: Palette,
}

/// The colours of things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Palette {
    /// Headings.
    pub heading: Color,
    /// Bars and curves.
    pub bar: Color,
    /// What is worse than it was, and errors.
    pub alarm: Color,
    /// What is better than it was.
    pub good: Color,
    /// Warnings.
    pub warning: Color,
    /// What is only said.
    pub info: Color,
    /// Things side by side.
    pub neighbours: [Color; 5],
}

impl Default for Palette {
    fn default() -> Self {
        Palette {
            heading: Color::Cyan,
            bar: Color::Blue,
            alarm: Color::Red,
            good: Color::Green,
            warning: Color::Yellow,
            info: Color::Blue,
            neighbours: [Color::Blue, Color::Yellow, Color::Cyan, Color::Magenta, Color::Green],
        }
    }
}

impl Palette {
    /// Names of palettes.
    pub(crate) const NAMES: [&'static str; 2] = ["terminal", "colour-blind"];

    /// Names of single colours.
    pub(crate) const COLORS: [&'static str; 6] =
        ["heading", "bar", "alarm", "good", "warning", "info"];

    /// A palette by its name. The colours of `colour-blind` are those that Okabe
    /// and Ito chose so that people with any kind of colour vision tell them apart.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let [orange, sky, green] = [(230, 159, 0), (86, 180, 233), (0, 158, 115)];
        let [vermilion, purple] = [(213, 94, 0), (204, 121, 167)];
        let rgb = |(red, green, blue)| Color::Rgb(red, green, blue);
        match name {
            "terminal" => Some(Palette::default()),
            "colour-blind" => Some(Palette {
                heading: rgb(sky),
                bar: rgb(sky),
                alarm: rgb(vermilion),
                good: rgb(green),
                warning: rgb(orange),
                info: rgb(sky),
                neighbours: [sky, orange, green, purple, vermilion].map(rgb),
            }),
            _ => None,
        }
    }

    /// A single colour by its name.
    pub(crate) fn color(&mut self, name: &str) -> Option<&mut Color> {
        Some(match name {
            "heading" => &mut self.heading,
            "bar" => &mut self.bar,
            "alarm" => &mut self.alarm,
            "good" => &mut self.good,
            "warning" => &mut self.warning,
            "info" => &mut self.info,
            _ => return None,
        })
    }
}

impl Default for Theme {
    fn default() -> Self {
        Theme { color: true, unicode: true, palette: Palette::default() }
    }
}

impl Theme {
    fn colored(self, color: Color) -> Style {
        if self.color { Style::new().fg(color) } else { Style::new() }
    }

    /// Headings.
    pub fn heading(self) -> Style {
        self.colored(self.palette.heading).add_modifier(Modifier::BOLD)
    }

    /// What is selected.
    pub fn selected(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// What matters less.
    pub fn faint(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    /// Bars and curves.
    pub fn bar(self) -> Style {
        self.colored(self.palette.bar)
    }

    /// What one should see first.
    pub fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// What is worse than it was, or spoils what follows.
    pub fn alarm(self) -> Style {
        self.colored(self.palette.alarm).add_modifier(Modifier::BOLD)
    }

    /// What is better than it was.
    pub fn good(self) -> Style {
        self.colored(self.palette.good)
    }

    /// Everything else.
    pub fn plain(self) -> Style {
        Style::new()
    }

    /// A finding's severity. Blue and yellow can be told apart by everyone.
    pub fn severity(self, severity: Severity) -> Style {
        match severity {
            Severity::Error => self.alarm(),
            Severity::Warning => self.colored(self.palette.warning),
            Severity::Info => self.colored(self.palette.info),
        }
    }

    /// One of a few colours for neighbours.
    pub fn neighbour(self, index: usize) -> Style {
        let colors = self.palette.neighbours;
        self.colored(colors[index % colors.len()])
    }

    /// A column of a curve, `share` high.
    pub fn level(self, share: f64) -> char {
        const LEVELS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
        const ASCII: [char; 9] = [' ', '.', '.', ':', ':', '|', '|', '#', '#'];
        let level = (share.clamp(0.0, 1.0) * 8.0).round() as usize;
        // What is small is still not nothing.
        let level = if share > 0.0 { level.max(1) } else { 0 };
        if self.unicode { LEVELS[level] } else { ASCII[level] }
    }

    /// A bar of `width` columns that is `share` full.
    pub fn bar_text(self, share: f64, width: usize) -> String {
        let eighths = (share.clamp(0.0, 1.0) * width as f64 * 8.0).round() as usize;
        let (whole, rest) = (eighths / 8, eighths % 8);
        let mut bar = String::new();
        if !self.unicode {
            bar.extend(std::iter::repeat_n('#', whole));
        } else {
            bar.extend(std::iter::repeat_n('█', whole));
            if rest > 0 {
                bar.push(['▏', '▎', '▍', '▌', '▋', '▊', '▉'][rest - 1]);
            }
        }
        let used = bar.chars().count();
        bar.extend(std::iter::repeat_n(' ', width.saturating_sub(used)));
        bar
    }
}
