//! Text for cells: safe, and as wide as there is room.
//!
//! Widths are those of grapheme clusters, as ratatui draws them: an emoji that
//! is made of several characters takes two columns, a combining mark none.

pub use et_inspector::text::{bytes, escape, thousands};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// The beginning of `text` that fits into `width` columns, with a mark if
/// something is left out, and filled up with blanks.
pub fn fit(text: &str, width: usize) -> String {
    let full = text.width();
    if full <= width {
        let mut whole = String::with_capacity(text.len() + width - full);
        whole.push_str(text);
        whole.extend(std::iter::repeat_n(' ', width - full));
        return whole;
    }
    let mut cut = String::with_capacity(width + 2);
    let mut used = 0;
    for cluster in text.graphemes(true) {
        let own = cluster.width();
        if used + own > width.saturating_sub(1) {
            break;
        }
        cut.push_str(cluster);
        used += own;
    }
    if width > 0 {
        cut.push('…');
        used += 1;
    }
    cut.extend(std::iter::repeat_n(' ', width.saturating_sub(used)));
    cut
}

/// As [`fit`], at the right end of the columns.
pub fn fit_right(text: &str, width: usize) -> String {
    let full = text.width();
    if full >= width { fit(text, width) } else { format!("{}{text}", " ".repeat(width - full)) }
}

/// The end of `text`, which of a path says most, at the right end of `width` columns.
pub fn fit_end(text: &str, width: usize) -> String {
    if text.width() <= width {
        return fit_right(text, width);
    }
    let mut used = 1;
    let kept = text.graphemes(true).rev().take_while(|cluster| {
        used += cluster.width();
        used <= width
    });
    let mut kept: Vec<&str> = kept.collect();
    if width > 0 {
        kept.push("…");
    }
    fit_right(&kept.into_iter().rev().collect::<String>(), width)
}

/// The beginning and the end of `text`, in exactly `width` columns: names of the same
/// kind often differ at their end.
pub fn fit_middle(text: &str, width: usize) -> String {
    if text.width() <= width || width < 8 {
        return fit(text, width);
    }
    let tail = (width - 1) / 2;
    let mut used = 0;
    let kept = text.graphemes(true).rev().take_while(|cluster| {
        used += cluster.width();
        used <= tail
    });
    let kept: Vec<&str> = kept.collect();
    let tail: String = kept.into_iter().rev().collect();
    // What is cut has its mark, with or without a blank of half a character.
    format!("{}{tail}", fit(text, width - tail.width()))
}

/// Columns that `text` takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// Bytes in a few columns: exact below 10,000.
pub fn short_bytes(count: u64) -> String {
    match count {
        0..10_000 => format!("{count} B"),
        10_000..10_485_760 => format!("{} KiB", count / 1024),
        _ => format!("{} MiB", count / (1024 * 1024)),
    }
}

/// How many of something: `1 call`, `2 calls`.
pub fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {what}{plural}", thousands(number as u64))
}

/// A text in lines of at most `width` columns, broken between words.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is always a line");
        if !line.is_empty() && line.width() + 1 + word.width() > width.max(1) {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

/// A picture of a character for terminals that know ASCII only.
pub fn ascii(symbol: &str) -> &'static str {
    match symbol {
        "…" => "~",
        "·" | "•" => ".",
        "↑" | "▲" | "△" => "^",
        "↓" | "▼" | "▾" | "▽" => "v",
        "←" | "◀" => "<",
        "→" | "▶" | "▸" => ">",
        "µ" | "μ" => "u",
        "×" => "x",
        "─" | "━" => "-",
        "│" | "┃" | "▌" | "▏" => "|",
        "┌" | "┐" | "└" | "┘" | "├" | "┤" | "┬" | "┴" | "┼" | "╵" => "+",
        "◆" => "*",
        "█" | "▇" | "▆" => "#",
        "▅" | "▄" => "|",
        "▃" | "▂" => ":",
        "▁" => ".",
        _ => "?",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_cut_keep_their_end() {
        assert_eq!(fit_middle("Convolution (NHWC, F32) IGEMM #2", 20), "Convolutio… IGEMM #2");
        assert_eq!(fit_middle("add.out", 10), "add.out   ");
        assert_eq!(fit_middle("日本語の畳み込み演算子", 9).width(), 9);
        assert_eq!(fit_middle("a long name", 4), "a l…");
    }

    #[test]
    fn cells_are_as_wide_as_they_should_be() {
        let texts = [
            "short",
            "日本語のモデル",
            "e\u{301}te\u{301}",
            "a long name that is cut",
            "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467} family",
            "\u{2764}\u{fe0f} heart",
            "\u{1f1e9}\u{1f1ea}\u{1f1eb}\u{1f1f7} flags",
            "\u{1100}\u{1161}\u{11a8} hangul",
        ];
        for text in texts {
            for width in [0, 1, 2, 3, 5, 9, 40] {
                assert_eq!(fit(text, width).width(), width, "{text:?} in {width}");
                assert_eq!(fit_end(text, width).width(), width, "{text:?} in {width}");
            }
        }
        assert_eq!(fit_right("42", 5), "   42");
        assert_eq!(fit_end("models/mv2/model.pte", 12), "…2/model.pte");
    }

    #[test]
    fn what_cannot_be_seen_is_spelled_out() {
        assert_eq!(escape("a\u{1b}[31mb\u{202e}"), "a\\u{1b}[31mb\\u{202e}");
        assert_eq!(escape("a\u{200b}b\u{feff}"), "a\\u{200b}b\\u{feff}");
        let family = "\u{1f468}\u{200d}\u{1f469}";
        assert_eq!(escape(family), family, "emoji stay together");
    }
}
