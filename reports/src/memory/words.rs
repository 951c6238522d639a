//! Numbers and texts in documents.

pub(crate) use et_inspector::text::is_deceptive;
pub use et_inspector::text::{bytes, thousands as number};
use std::borrow::Cow;

/// Bytes in KiB, with one decimal; fewer than one KiB exactly, and from 100 MiB on in MiB.
pub fn kib(count: u64) -> String {
    const MIB: u64 = 1 << 20;
    let (unit, name) = match count {
        0..1024 => return bytes(count),
        count if count < 100 * MIB => (1024, "KiB"),
        _ => (MIB, "MiB"),
    };
    let tenths = (u128::from(count) * 10 + u128::from(unit) / 2) / u128::from(unit);
    let whole = number(u64::try_from(tenths / 10).unwrap_or(u64::MAX));
    format!("{whole}.{} {name}", tenths % 10)
}

/// Bytes, exact, and in KiB from one KiB on.
pub fn size(count: u64) -> String {
    if count < 1024 { bytes(count) } else { format!("{} ({})", bytes(count), kib(count)) }
}

/// A number of things, by their name for one.
pub fn count(count: u64, name: &str) -> String {
    let end = if count == 1 { "" } else { "s" };
    format!("{} {name}{end}", number(count))
}

/// Characters of a text from a file that people are shown.
const MOST: usize = 300;

/// A text from a file, cut where nobody would read on: a name of a megabyte
/// stands in many places. Says how much is left out.
pub fn short(text: &str) -> Cow<'_, str> {
    short_to(text, MOST)
}

/// The same with `most` characters.
pub fn short_to(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        None => Cow::Borrowed(text),
        Some((end, _)) => {
            let more = number(text[end..].chars().count() as u64);
            Cow::Owned(format!("{}… ({more} more characters)", &text[..end]))
        }
    }
}

/// The beginning of a text that has room for `letters`, with a mark where it is cut.
pub fn cut(text: &str, letters: usize) -> String {
    if text.chars().nth(letters).is_none() {
        return text.to_owned();
    }
    let kept = text.chars().take(letters.saturating_sub(1));
    kept.chain((letters > 0).then_some('…')).collect()
}

/// Text from a file, safe in HTML and SVG, between tags and in attributes.
pub fn html(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            // Not allowed in XML, not even as a reference.
            '\u{fffe}' | '\u{ffff}' => safe.extend(c.escape_default()),
            c if is_deceptive(c) => safe.extend(c.escape_default()),
            c => safe.push(c),
        }
    }
    safe
}

/// Text from a file, safe in a cell of a Markdown table: nothing in it is
/// markup, a link, a mention or a reference to an issue.
pub fn markdown(text: &str) -> String {
    // GitHub and GitLab look for mentions, references and addresses in the text that is
    // left after escapes: a space of no width keeps their parts apart.
    const APART: &str = "&#8203;";
    let mut safe = String::with_capacity(text.len());
    let (mut before, mut run_of_w) = (' ', 0);
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '@' => safe.extend(["@", APART]),
            '#' | '!' => safe.extend(["\\", c.encode_utf8(&mut [0; 4]), APART]),
            '/' if before == ':' => safe.extend([APART, "/"]),
            '.' if run_of_w >= 3 => safe.extend([APART, "."]),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' => safe.extend(['\\', c]),
            c if is_deceptive(c) => safe.extend(c.escape_default()),
            c => safe.push(c),
        }
        before = c;
        run_of_w = if c.eq_ignore_ascii_case(&'w') { run_of_w + 1 } else { 0 };
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_files_are_no_markup() {
        assert_eq!(html("<b a='\"&'>\u{1b}"), "&lt;b a=&#39;&quot;&amp;&#39;&gt;\\u{1b}");
        let apart = "a\\|b \\[x\\](y) &lt;i&gt; @&#8203;me\\n";
        assert_eq!(markdown("a|b [x](y) <i> @me\n"), apart);
        assert_eq!(markdown("http://x www.y #1"), "http:&#8203;//x www&#8203;.y \\#&#8203;1");
    }

    #[test]
    fn long_names_are_cut_and_say_so() {
        assert_eq!(short("é"), "é");
        let cut = short(&"é".repeat(1_300)).into_owned();
        assert!(cut.ends_with("é… (1,000 more characters)") && cut.chars().count() < 340, "{cut}");
    }

    #[test]
    fn sizes_are_exact_and_in_kib() {
        assert_eq!(size(1023), "1,023 B");
        assert_eq!(size(1_154_688), "1,154,688 B (1,127.6 KiB)");
        assert_eq!(size(3 << 29), "1,610,612,736 B (1,536.0 MiB)");
        assert!(size(u64::MAX).ends_with("MiB)"));
    }

    #[test]
    fn cut_texts_have_a_mark() {
        assert_eq!(
            [cut("éab", 3), cut("éabc", 3), cut("ab", 1), cut("ab", 0)],
            ["éab", "éa…", "…", ""]
        );
    }

    #[test]
    fn digits_are_grouped() {
        assert_eq!([bytes(0), bytes(999), bytes(1_785_600)], ["0 B", "999 B", "1,785,600 B"]);
    }
}
