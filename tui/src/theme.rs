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
    /// How many of them there are to choose from.
    pub depth: Depth,
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

/// How many colours a terminal shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Its own sixteen.
    Sixteen,
    /// The 256 of xterm.
    Indexed,
    /// All that 24 bits can say.
    True,
}

impl Depth {
    /// That of the terminal which says of itself what is in `COLORTERM` and `TERM`.
    pub fn of(colorterm: &str, term: &str) -> Self {
        if matches!(colorterm, "truecolor" | "24bit") || term.ends_with("-direct") {
            return Depth::True;
        }
        if term.contains("256color") { Depth::Indexed } else { Depth::Sixteen }
    }

    /// The nearest colour that the terminal shows.
    fn nearest(self, color: Color) -> Color {
        let Color::Rgb(red, green, blue) = color else { return color };
        match self {
            Depth::True => color,
            Depth::Indexed => {
                // A cube of six levels a side, from index 16 on.
                const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];
                let of = |value: u8| {
                    let near = |(_, level): &(usize, u8)| level.abs_diff(value);
                    let levels = LEVELS.into_iter().enumerate();
                    levels.min_by_key(near).map_or(0, |(index, _)| index as u8)
                };
                Color::Indexed(16 + 36 * of(red) + 6 * of(green) + of(blue))
            }
            Depth::Sixteen => {
                const BASIC: [(Color, [u8; 3]); 6] = [
                    (Color::Red, [205, 49, 49]),
                    (Color::Green, [13, 188, 121]),
                    (Color::Yellow, [229, 159, 16]),
                    (Color::Blue, [36, 114, 200]),
                    (Color::Magenta, [188, 63, 188]),
                    (Color::Cyan, [80, 180, 225]),
                ];
                let far = |(_, [r, g, b]): &(Color, [u8; 3])| {
                    let square = |a: u8, b: u8| u32::from(a.abs_diff(b)).pow(2);
                    square(*r, red) + square(*g, green) + square(*b, blue)
                };
                BASIC.into_iter().min_by_key(far).map_or(Color::Reset, |(color, _)| color)
            }
        }
    }
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
    pub const NAMES: [&'static str; 3] = ["terminal", "colour-blind", "high-contrast"];

    /// Names of single colours.
    pub(crate) const COLORS: [&'static str; 6] =
        ["heading", "bar", "alarm", "good", "warning", "info"];

    /// A palette by its name. The colours of `colour-blind` are those that Okabe
    /// and Ito chose so that people with any kind of colour vision tell them apart.
    pub fn named(name: &str) -> Option<Self> {
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
            // The bright half of the sixteen, which no theme of a terminal dims.
            "high-contrast" => Some(Palette {
                heading: Color::LightCyan,
                bar: Color::LightCyan,
                alarm: Color::LightRed,
                good: Color::LightGreen,
                warning: Color::LightYellow,
                info: Color::LightCyan,
                neighbours: [
                    Color::LightBlue,
                    Color::LightYellow,
                    Color::LightCyan,
                    Color::LightMagenta,
                    Color::LightGreen,
                ],
            }),
            _ => None,
        }
    }

    /// The same in colours that a terminal shows.
    pub fn for_depth(mut self, depth: Depth) -> Self {
        let colors = [
            &mut self.heading,
            &mut self.bar,
            &mut self.alarm,
            &mut self.good,
            &mut self.warning,
            &mut self.info,
        ];
        for color in colors.into_iter().chain(&mut self.neighbours) {
            *color = depth.nearest(*color);
        }
        self
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
        Theme { color: true, unicode: true, palette: Palette::default(), depth: Depth::True }
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

    /// Letters that were searched for.
    pub fn found(self) -> Style {
        self.colored(self.palette.heading).add_modifier(Modifier::BOLD | Modifier::UNDERLINED)
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

    /// A block of one of a few colours; without them, blocks are told apart by
    /// where they begin.
    pub fn block(self, index: usize) -> Style {
        let color = self.palette.neighbours[index % self.palette.neighbours.len()];
        if !self.color {
            return Style::new();
        }
        Style::new().bg(color).fg(if is_dark(color) { Color::White } else { Color::Black })
    }

    /// A column of a curve that is `rows` high: its part in row `row` from above.
    pub fn level_in(self, share: f64, row: usize, rows: usize) -> char {
        let below = (rows - 1 - row) as f64;
        let part = share.clamp(0.0, 1.0) * rows as f64 - below;
        // What is small is still not nothing, and shown at the bottom.
        if part <= 0.0 && !(share > 0.0 && row + 1 == rows) {
            return ' ';
        }
        self.level(part.max(f64::MIN_POSITIVE))
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

/// Whether white is easier to read on it than black.
fn is_dark(color: Color) -> bool {
    match color {
        Color::Blue | Color::Red | Color::Magenta | Color::Black | Color::DarkGray => true,
        // Luma of ITU-R BT.601, of 255.
        Color::Rgb(red, green, blue) => {
            u32::from(red) * 299 + u32::from(green) * 587 + u32::from(blue) * 114 < 110_000
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_what_the_terminal_shows() {
        assert_eq!(Depth::of("truecolor", "xterm"), Depth::True);
        assert_eq!(Depth::of("", "screen-256color"), Depth::Indexed);
        assert_eq!(Depth::of("", "linux"), Depth::Sixteen);
        let palette = Palette::named("colour-blind").expect("a palette");
        assert_eq!(palette.for_depth(Depth::True), palette);
        for depth in [Depth::Indexed, Depth::Sixteen] {
            let shown = palette.for_depth(depth);
            let all = shown.neighbours;
            for (index, color) in all.iter().enumerate() {
                assert!(!matches!(color, Color::Rgb(..)));
                assert!(!all[..index].contains(color), "{depth:?}: {all:?}");
            }
            assert_ne!(shown.alarm, shown.good);
        }
    }

    #[test]
    fn a_curve_of_several_rows_is_as_high_as_its_share() {
        let theme = Theme::default();
        let column = |share| (0..3).map(|row| theme.level_in(share, row, 3)).collect::<String>();
        assert_eq!(column(0.0), "   ");
        assert_eq!(column(0.001), "  ▁");
        assert_eq!(column(0.5), " ▄█");
        assert_eq!(column(1.0), "███");
    }
}
