//! What all pages have in common: one file that loads nothing and can be read without
//! its script.
//!
//! ```text
//! table.rs   tables, of which numbers and names are told apart
//! page.css   the style of all pages
//! page.js    sorts and filters tables, shows details
//! ```
//!
//! Everything from files is escaped. The content security policy allows a page's own
//! style and script only, by their hashes.

mod table;

pub use table::{Cell, Table};

use crate::chart::STYLE as CHARTS;
use crate::memory::words::{html, short};
use sha2::{Digest, Sha256};
use std::fmt::Write;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Text from a file, cut and safe.
pub fn escape(text: &str) -> String {
    html(&short(text))
}

/// The whole page; `body` stands as it is between its tags.
pub fn document(title: &str, body: &str) -> String {
    let style = format!("\n{STYLE}{CHARTS}");
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>{}</title>\n<style>{style}</style>\n</head>\n\
         <body>\n{body}<script>{SCRIPT}</script>\n</body>\n</html>\n",
        policy_hash(style.as_bytes()),
        policy_hash(SCRIPT.as_bytes()),
        escape(title)
    )
}

/// Appends a picture. Narrow screens show one of class `chart` at a width that can be read.
pub fn chart(page: &mut String, svg: &str, class: &str) {
    if !svg.is_empty() {
        let _ = write!(page, "<div class=\"scroll {class}\" tabindex=\"0\">\n{svg}</div>\n");
    }
}

/// SHA-256 as a content security policy names it, in base64 (RFC 4648).
pub fn policy_hash(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::from("sha256-");
    for group in Sha256::digest(bytes).chunks(3) {
        let bits = (0..3).fold(0u32, |bits, i| bits << 8 | u32::from(*group.get(i).unwrap_or(&0)));
        for digit in 0..4 {
            let is_padding = digit > group.len();
            let index = (bits >> (18 - 6 * digit) & 63) as usize;
            text.push(if is_padding { '=' } else { char::from(DIGITS[index]) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The hash of nothing as browsers print it.
    #[test]
    fn hashes_are_those_of_browsers() {
        assert_eq!(policy_hash(b""), "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    }

    #[test]
    fn a_page_loads_nothing_and_allows_no_other_script() {
        let page = document("<b>", "<main></main>\n");
        assert!(page.contains("<title>&lt;b&gt;</title>") && page.contains("default-src 'none'"));
        for source in [STYLE, SCRIPT, CHARTS] {
            assert!(!source.contains("url(") && !source.contains("@import"));
            // It would end its element.
            assert!(!source.contains("</"));
        }
    }
}
