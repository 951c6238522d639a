//! The verdict as a badge: a small picture for a README.

use super::Report;
use crate::memory::words::html as escape;
use et_inspector::findings::Severity;

/// Units of a letter, of the space beside a text, and of the picture's height.
const LETTER: usize = 7;
const SPACE: usize = 6;
const HEIGHT: usize = 20;

/// Letters of the longest text: names of boards are the user's own.
const MOST: usize = 60;

/// The picture.
pub fn badge(report: &Report<'_>) -> String {
    let (text, is_good) = conclusion(report);
    let text: String = text.chars().take(MOST).collect();
    let label = "etinspect";
    let length = |text: &str| text.chars().count() * LETTER;
    let left = length(label) + 2 * SPACE;
    let right = length(&text) + 2 * SPACE;
    let width = left + right;
    // White on both has a contrast of more than 4.5.
    let colour = if is_good { "#1f7a3a" } else { "#b32626" };
    let (shown, all) = (escape(&text), escape(&format!("{label}: {text}")));
    let word = |x: usize, text: &str, length: usize| {
        format!("<text x=\"{x}\" y=\"14\" textLength=\"{length}\">{text}</text>")
    };
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{HEIGHT}\" \
         role=\"img\" aria-label=\"{all}\">\n<title>{all}</title>\n\
         <rect width=\"{left}\" height=\"{HEIGHT}\" fill=\"#444c56\"/>\n\
         <rect x=\"{left}\" width=\"{right}\" height=\"{HEIGHT}\" fill=\"{colour}\"/>\n\
         <g fill=\"#fff\" font-family=\"Verdana,DejaVu Sans,sans-serif\" font-size=\"11\">\n\
         {}\n{}\n</g>\n</svg>\n",
        word(SPACE, label, left - 2 * SPACE),
        word(left + SPACE, &shown, right - 2 * SPACE),
    )
}

/// The worst of what is known, or the peak, and whether it is good.
fn conclusion(report: &Report<'_>) -> (String, bool) {
    let worse = report.changes.as_ref().map_or(0, |changes| changes.regressions().count());
    let errors = report.count(Severity::Error);
    let target = report.memory.target.map(|target| target.name.as_str());
    match (report.fits(), target) {
        (Some(false), Some(target)) => return (format!("does not fit {target}"), false),
        _ if !report.meets_budget() => return ("over budget".to_owned(), false),
        _ if errors > 0 => return (format!("{errors} errors"), false),
        _ if worse > 0 => return (format!("{worse} worse"), false),
        _ => {}
    }
    let peaks = report.memory.methods.iter().map(|page| page.memory.plan.peak.bytes);
    let kib = peaks.max().unwrap_or(0) as f64 / 1024.0;
    let fits = target.map(|target| format!("fits {target}, ")).unwrap_or_default();
    (format!("{fits}peak {kib:.1} KiB"), true)
}
