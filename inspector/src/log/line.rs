//! The lines of a log, without what consoles and loggers put before the text.
//!
//! ```text
//! I [executorch:arm_executor_runner.cpp:485] text              Arm runner, 2024
//! I [executorch:arm_executor_runner.cpp:926 run_model()] text  Arm runner
//! I 00:00:00.004885 executorch:executor_runner.cpp:314] text   host runners
//! I executorch:ModelExecutor.cpp:324] text                     users' own
//! [00:00:01.250,000] <inf> app: text                           Zephyr
//! 11-24 09:35:11.518  4913  4929 I ExecuTorch: text            logcat
//! I ExecuTorch: text                                           logcat -v tag
//! I (307) executorch: text                                     ESP-IDF, milliseconds
//! E: text                                                      Ethos-U's driver
//! ```

/// Severity letter of ExecuTorch's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// `D`
    Debug,
    /// `I`
    Info,
    /// `E`
    Error,
    /// `F`
    Fatal,
}

impl Level {
    fn of(letter: &str) -> Option<Self> {
        match letter {
            "D" | "D:" | "<dbg>" => Some(Level::Debug),
            "I" | "I:" | "<inf>" => Some(Level::Info),
            "E" | "E:" | "<err>" => Some(Level::Error),
            "F" => Some(Level::Fatal),
            _ => None,
        }
    }
}

/// One message of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Number of the line in the log, from 1. Messages that run into each
    /// other on one line share it.
    pub number: usize,
    /// Microseconds since the device's start or midnight, where the line says so.
    pub micros: Option<u64>,
    /// Severity.
    pub level: Option<Level>,
    /// Source file and line that logged it.
    pub source: Option<(String, u32)>,
    /// The text, with single blanks between its words and without escapes.
    pub text: String,
    /// Whether the log ends in this line before the end of the line.
    pub last: bool,
}

/// How Ethos-U's driver begins what it says of an error.
const OF_DRIVER: [&str; 3] = ["NPU ", "npu.", "Failed to invoke"];

impl Line {
    /// Whether it is an error of ExecuTorch's or of the Ethos-U driver's, and not
    /// one of another part of the system.
    pub(super) fn is_error(&self) -> bool {
        let of_driver = OF_DRIVER.iter().any(|word| self.text.starts_with(word));
        let error = matches!(self.level, Some(Level::Error | Level::Fatal));
        error && (self.source.is_some() || of_driver) || self.text.starts_with("Check failed (")
    }
}

/// The lines of `text`.
pub fn lines(text: &str) -> impl Iterator<Item = Line> + '_ {
    let unfinished = !text.ends_with(['\n', '\r']);
    let count = text.split(['\n', '\r']).count();
    // A carriage return alone ends a line too; `\r\n` makes an empty one that is skipped.
    let mut number = 1;
    text.split_inclusive(['\n', '\r']).enumerate().flat_map(move |(index, raw)| {
        let this = number;
        number += usize::from(raw.ends_with('\n'));
        let clean = without_escapes(raw);
        let messages = split_messages(&clean);
        let last = unfinished && index + 1 == count;
        messages
            .into_iter()
            .map(|message| parse(message, this, last))
            .filter(|line| !line.text.is_empty())
            .collect::<Vec<_>>()
    })
}

/// Drops terminal escapes and other control characters.
fn without_escapes(raw: &str) -> String {
    let mut clean = String::with_capacity(raw.len());
    let mut chars = raw.chars();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            // `ESC [ parameters letter`; any other escape is two characters.
            if chars.next() == Some('[') {
                let _ = chars.by_ref().find(|c| ('@'..='~').contains(c));
            }
        } else if c == '\t' {
            clean.push(' ');
        } else if !c.is_control() {
            clean.push(c);
        }
    }
    clean
}

/// Where a message of ExecuTorch begins within a line: at its severity letter.
fn split_messages(line: &str) -> Vec<&str> {
    let mut starts = vec![0];
    for (at, _) in line.match_indices("executorch:") {
        if let Some(start) = header_start(line, at)
            && start > 0
            && source(&line[at..]).is_some()
            // What stands before the first header is another logger's prefix, not a message.
            && (starts.len() > 1 || line[..start].contains("executorch:"))
        {
            starts.push(start);
        }
    }
    starts.push(line.len());
    starts.windows(2).map(|w| &line[w[0]..w[1]]).collect()
}

/// Start of `I [`, `I ` or `I 00:00:00.000000 ` before a header at `at`.
fn header_start(line: &str, at: usize) -> Option<usize> {
    let before = line[..at].strip_suffix('[').unwrap_or(&line[..at]);
    let before = before.trim_end();
    let before = match before.rsplit_once(' ') {
        Some((rest, time)) if clock(time).is_some() => rest.trim_end(),
        _ => before,
    };
    let letter = before.len().checked_sub(1)?;
    Level::of(before.get(letter..)?).map(|_| letter)
}

/// `executorch:FILE:LINE ...] text` as file, line and text.
fn source(text: &str) -> Option<((&str, u32), &str)> {
    let (header, rest) = text.strip_prefix("executorch:")?.split_once(']')?;
    let (file, line) = header.split_once(':')?;
    let line = line.split(' ').next()?.parse().ok()?;
    (!file.contains(' ')).then_some(((file, line), rest))
}

fn parse(message: &str, number: usize, last: bool) -> Line {
    let header = message.match_indices("executorch:").find_map(|(at, _)| {
        let (place, text) = source(&message[at..])?;
        Some((&message[..at], place, text))
    });
    let (prefix, place, text) = match header {
        Some((prefix, place, text)) => (prefix, Some(place), text),
        None => {
            let (prefix, text) = foreign_prefix(message);
            (prefix, None, text)
        }
    };
    let words = || prefix.split([' ', '[', ']']).filter(|w| !w.is_empty());
    Line {
        number,
        micros: words().find_map(clock).or_else(|| esp_idf(prefix).map(|(micros, _)| micros)),
        level: words().filter_map(Level::of).next_back(),
        source: place.map(|(file, line)| (file.to_owned(), line)),
        text: text.split_whitespace().collect::<Vec<_>>().join(" "),
        last,
    }
}

/// The prefix of Zephyr's and Android's loggers, and the text behind it.
fn foreign_prefix(message: &str) -> (&str, &str) {
    let trimmed = message.trim_start();
    if let Some((_, text)) = esp_idf(trimmed) {
        return trimmed.split_at(trimmed.len() - text.len());
    }
    if let Some(text) = tail_of_header(trimmed) {
        return ("", text);
    }
    // Ethos-U's driver.
    if ["E: ", "I: ", "D: "].iter().any(|level| trimmed.starts_with(level)) {
        return trimmed.split_at(3);
    }
    let zephyr = ["<inf>", "<err>", "<wrn>", "<dbg>"].iter().find_map(|level| trimmed.find(level));
    let logcat = trimmed.split(' ').filter(|w| !w.is_empty()).take(2).any(|w| clock(w).is_some());
    let brief = trimmed.get(1..2) == Some("/") && trimmed.contains("):");
    let mut words = trimmed.splitn(3, ' ');
    let tagged = words.next().is_some_and(|letter| Level::of(letter).is_some())
        && words.next().is_some_and(|tag| tag.len() > 1 && tag.ends_with(':'));
    if zephyr.is_some() || logcat || brief || tagged {
        let from = zephyr.map_or(0, |at| at + "<inf>".len());
        // The text begins behind the module's or the tag's colon and blank.
        if let Some(colon) = trimmed[from..].find(": ") {
            return trimmed.split_at(from + colon + 2);
        }
    }
    ("", message)
}

/// The microseconds of ESP-IDF's `I (307) tag: text`, and what stands behind the tag.
fn esp_idf(message: &str) -> Option<(u64, &str)> {
    let (level, rest) = message.trim_start().split_once(" (")?;
    let (time, rest) = rest.split_once(") ")?;
    let (tag, text) = rest.split_once(": ")?;
    let micros = match time.parse::<u64>() {
        Ok(millis) => millis.checked_mul(1000)?,
        Err(_) => clock(time)?,
    };
    let known = matches!(level, "E" | "W" | "I" | "D" | "V") && !tag.contains(' ');
    known.then_some((micros, text))
}

/// The text behind the end of ExecuTorch's header, `unner_init()] text`, where
/// another task's output took the beginning away.
fn tail_of_header(message: &str) -> Option<&str> {
    let (name, text) = message.split_once("()] ")?;
    let of_header = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':' | ' ');
    (name.len() <= 80 && name.chars().all(of_header)).then_some(text)
}

/// `HH:MM:SS.fraction`, with Zephyr's comma between milliseconds and
/// microseconds, in microseconds.
fn clock(word: &str) -> Option<u64> {
    let mut parts = word.split(':');
    let (hours, minutes) = (parts.next()?.parse::<u64>().ok()?, parts.next()?.parse::<u64>().ok()?);
    let (seconds, fraction) = parts.next()?.split_once('.')?;
    let digits: String = fraction.chars().filter(char::is_ascii_digit).take(6).collect();
    let seconds = seconds.parse::<u64>().ok()?;
    if parts.next().is_some() || digits.is_empty() || hours > 99_999 || minutes > 59 || seconds > 59
    {
        return None;
    }
    let micros: u64 = format!("{digits:0<6}").parse().ok()?;
    Some(((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(text: &str) -> Line {
        let mut all: Vec<Line> = lines(text).collect();
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    #[test]
    fn prefixes_are_taken_off() {
        let same = [
            "I [executorch:arm_executor_runner.cpp:485] Starting  it\n",
            "I [executorch:arm_executor_runner.cpp:926 run_model()] Starting it\n",
            "I 00:00:00.004885 executorch:executor_runner.cpp:314] Starting it\n",
            "I executorch:ModelExecutor.cpp:324] Starting it\n",
            "[00:00:01.250,000] <inf> app: Starting it\n",
            "[00:00:01.250,000] <inf> app: I [executorch:a.cpp:3] Starting it\n",
            "11-24 09:35:11.518  4913  4929 I ExecuTorch: Starting it\n",
            "I/ExecuTorch( 4913): Starting it\n",
            "I ExecuTorch: Starting it\n",
            "I (307) ET: Starting it\n",
            "\u{1b}[0;32mI (307) ET: Starting it\u{1b}[0m\n",
            "I (00:00:00.307) ET: Starting it\n",
            "I (307) ET: I [executorch:a.cpp:3 main()] Starting it\n",
            "E: Starting it\n",
            "_model()] Starting it\n",
            "\u{1b}[0;32mI [executorch:a.cpp:1] Starting it\u{1b}[0m\r\n",
            "Starting it",
        ];
        for text in same {
            assert_eq!(only(text).text, "Starting it", "{text}");
        }
    }

    #[test]
    fn times_and_places_are_read() {
        let line = only("I 00:00:12.400500 executorch:executor_runner.cpp:314] x\n");
        assert_eq!(line.micros, Some(12_400_500));
        assert_eq!(line.level, Some(Level::Info));
        assert_eq!(line.source, Some(("executor_runner.cpp".into(), 314)));
        assert_eq!(only("[00:00:01.250,000] <err> app: x\n").micros, Some(1_250_000));
        assert_eq!(only("[00:00:01.250,000] <err> app: x\n").level, Some(Level::Error));
        assert_eq!(only("E (5321) task_wdt: x\n").micros, Some(5_321_000));
        assert_eq!(only("E (5321) task_wdt: x\n").level, Some(Level::Error));
        assert_eq!(only("I (yes) no: x\n").micros, None);
    }

    #[test]
    fn messages_on_one_line_come_apart() {
        let text = "I [executorch:a.cpp:1] Model inE [executorch:b.h:88] Memory\r\nnext";
        let all: Vec<(usize, String, bool)> =
            lines(text).map(|l| (l.number, l.text, l.last)).collect();
        let expected = [(1, "Model in", false), (1, "Memory", false), (2, "next", true)];
        assert_eq!(all, expected.map(|(n, t, last)| (n, t.to_owned(), last)));
    }
}
