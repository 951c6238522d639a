//! Sizes on the command line and in target profiles: `1024`, `64K`, `1.5MiB`, `0x8000`.

/// Bytes of a size: a number, in hex with `0x`, with an optional unit of 1024
/// bytes (`K`, `KB`, `KiB`) and its powers.
///
/// # Errors
/// What a size looks like.
pub fn parse(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text:?} is no size; write bytes as 1024, 0x400, 64K or 1.5MiB");
    let text_lower = text.trim().to_ascii_lowercase();
    if let Some(hex) = text_lower.strip_prefix("0x") {
        return u64::from_str_radix(&hex.replace('_', ""), 16).map_err(|_| wrong());
    }
    let end = text_lower
        .find(|c: char| !c.is_ascii_digit() && c != '.' && c != '_')
        .unwrap_or(text_lower.len());
    let (number, unit) = text_lower.split_at(end);
    let shift = match unit.trim().trim_end_matches('b').trim_end_matches('i') {
        "" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        _ => return Err(wrong()),
    };
    let number = number.replace('_', "");
    let bytes = match number.parse::<u64>() {
        Ok(whole) => whole.checked_mul(1 << shift).ok_or_else(wrong)?,
        Err(_) => {
            let fraction: f64 = number.parse().map_err(|_| wrong())?;
            let bytes = fraction * (1u64 << shift) as f64;
            if bytes.fract() != 0.0 || bytes >= u64::MAX as f64 {
                return Err(wrong());
            }
            bytes as u64
        }
    };
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn all_spellings_are_understood() {
        for (text, bytes) in [
            ("1024", 1024),
            ("64K", 65536),
            ("64k", 65536),
            ("1.5MiB", 1_572_864),
            ("0x8000", 32768),
            ("2 MB", 2_097_152),
            ("0", 0),
            ("1_785_600", 1_785_600),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "K", "-1", "1.5", "12 parsecs", "0xZZ", "99999999999G", "1e3"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
