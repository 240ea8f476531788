//! Durations as people write and read them; inside Wrack time is `u64` virtual nanoseconds.

/// Nanoseconds in a microsecond.
pub const MICROSECOND: u64 = 1_000;
/// Nanoseconds in a millisecond.
pub const MILLISECOND: u64 = 1_000_000;
/// Nanoseconds in a second.
pub const SECOND: u64 = 1_000_000_000;
/// Nanoseconds in a minute.
pub const MINUTE: u64 = 60 * SECOND;

const UNITS: [(&str, u64); 6] = [
    ("ns", 1),
    ("us", MICROSECOND),
    ("ms", MILLISECOND),
    ("s", SECOND),
    ("m", MINUTE),
    ("h", 3_600 * SECOND),
];

/// Reads `10s`, `1.5ms` or `250us` as nanoseconds.
///
/// Bounds: below 2^63 ns (292 years), so that a signed duration always fits.
/// Errors: a text that says what is wrong with the number or the unit.
pub fn parse(text: &str) -> Result<u64, String> {
    let split = text
        .find(|c: char| !(c.is_ascii_digit() || c == '.'))
        .ok_or_else(|| format!("a duration needs a unit: \"{text}s\" or \"{text}ms\""))?;
    let (number, unit) = (&text[..split], text[split..].trim());
    let (_, scale) = UNITS
        .iter()
        .find(|(name, _)| *name == unit)
        .ok_or_else(|| format!("unknown unit \"{unit}\": use ns, us, ms, s, m or h"))?;
    scaled(number, *scale).ok_or_else(|| {
        format!("\"{text}\" is not a duration: write a number and a unit, such as \"150ms\"")
    })
}

/// Reads a decimal number times `scale` without floating point, rounded down.
fn scaled(number: &str, scale: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let mut total = whole.parse::<u64>().ok()?.checked_mul(scale)?;
    if fraction.is_empty() || fraction.len() > 18 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let part = fraction.parse::<u128>().ok()? * u128::from(scale);
    total = total.checked_add((part / 10u128.pow(fraction.len() as u32)) as u64)?;
    (total < 1 << 63).then_some(total)
}

/// Reads a duration that may carry a sign: `-2s`, `+250ms`, `1s`.
pub fn parse_signed(text: &str) -> Result<i64, String> {
    match text.strip_prefix('-') {
        Some(rest) => parse(rest).map(|ns| -(ns as i64)),
        None => parse(text.strip_prefix('+').unwrap_or(text)).map(|ns| ns as i64),
    }
}

/// Writes a duration in the largest unit that shows it exactly: `1.5s`, `150ms`, `0s`.
pub fn format(ns: u64) -> String {
    let (number, unit) = in_largest_unit(ns);
    number + unit
}

/// A duration as a decimal number and the largest unit that shows it exactly.
pub fn in_largest_unit(ns: u64) -> (String, &'static str) {
    let (unit, scale) = match ns {
        0 | SECOND.. => ("s", SECOND),
        1..MICROSECOND => ("ns", 1),
        MICROSECOND..MILLISECOND => ("us", MICROSECOND),
        MILLISECOND..SECOND => ("ms", MILLISECOND),
    };
    let (whole, rest) = (ns / scale, ns % scale);
    if rest == 0 {
        return (whole.to_string(), unit);
    }
    let digits = scale.ilog10() as usize;
    let fraction = format!("{rest:0digits$}");
    (format!("{whole}.{}", fraction.trim_end_matches('0')), unit)
}

/// Writes a point in time for a sentence, to the millisecond: `12.031 s`.
pub fn seconds(ns: u64) -> String {
    let ms = ns / MILLISECOND;
    format!("{}.{:03} s", ms / 1_000, ms % 1_000)
}

#[cfg(test)]
mod tests {
    use super::{format, parse, parse_signed, seconds};

    #[test]
    fn a_duration_reads_back_as_it_was_written() {
        for text in ["0s", "1ns", "1.5ms", "150ms", "10s", "90s", "2.000000001s", "7us"] {
            assert_eq!(format(parse(text).unwrap()), text);
        }
        assert_eq!(format(parse("2m").unwrap()), "120s");
        assert_eq!(parse_signed("-250ms"), Ok(-250_000_000));
    }

    #[test]
    fn a_duration_without_unit_or_number_is_refused_with_the_reason() {
        assert!(parse("10").unwrap_err().contains("needs a unit"));
        assert!(parse("10 parsecs").unwrap_err().contains("unknown unit \"parsecs\""));
        assert!(parse("1.2.3s").is_err());
        assert!(parse("ms").is_err());
        assert!(parse("99999999999h").is_err());
    }

    #[test]
    fn a_point_in_time_is_written_to_the_millisecond() {
        assert_eq!(seconds(12_031_900_000), "12.031 s");
    }
}
