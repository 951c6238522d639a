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
}

impl Default for Theme {
    fn default() -> Self {
        Theme { color: true, unicode: true }
    }
}

impl Theme {
    fn colored(self, color: Color) -> Style {
        if self.color { Style::new().fg(color) } else { Style::new() }
    }

    /// Headings.
    pub fn heading(self) -> Style {
        self.colored(Color::Cyan).add_modifier(Modifier::BOLD)
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
        self.colored(Color::Blue)
    }

    /// What one should see first.
    pub fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// What is worse than it was, or spoils what follows.
    pub fn alarm(self) -> Style {
        self.colored(Color::Red).add_modifier(Modifier::BOLD)
    }

    /// What is better than it was.
    pub fn good(self) -> Style {
        self.colored(Color::Green)
    }

    /// Everything else.
    pub fn plain(self) -> Style {
        Style::new()
    }

    /// A finding's severity. Blue and yellow can be told apart by everyone.
    pub fn severity(self, severity: Severity) -> Style {
        match severity {
            Severity::Error => self.colored(Color::Red).add_modifier(Modifier::BOLD),
            Severity::Warning => self.colored(Color::Yellow),
            Severity::Info => self.colored(Color::Blue),
        }
    }

    /// One of a few colours for neighbours.
    pub fn neighbour(self, index: usize) -> Style {
        const COLORS: [Color; 5] =
            [Color::Blue, Color::Yellow, Color::Cyan, Color::Magenta, Color::Green];
        self.colored(COLORS[index % COLORS.len()])
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
