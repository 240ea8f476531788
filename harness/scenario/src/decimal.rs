//! Decimal numbers in strings, read exactly: shares, rates, quantiles.

/// The highest rate: a million operations per second, in operations per 1,000 seconds.
const RATE_MAX: u64 = 1_000_000_000;

/// Reads `"12.5"` times `scale`, if that is a whole number.
fn scaled(number: &str, scale: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let plain = |digits: &str| {
        !digits.is_empty() && digits.len() <= 18 && digits.bytes().all(|b| b.is_ascii_digit())
    };
    if !plain(whole) || !plain(fraction) {
        return None;
    }
    let unit = 10u128.pow(fraction.len() as u32);
    let part = fraction.parse::<u128>().ok()? * u128::from(scale);
    let whole = whole.parse::<u64>().ok()?.checked_mul(scale)?;
    let exact = part.is_multiple_of(unit);
    exact.then(|| whole.checked_add((part / unit) as u64)).flatten()
}

/// Reads `2%` or `99.9%` in millionths.
pub(crate) fn share(text: &str) -> Result<u32, String> {
    let Some(number) = text.trim().strip_suffix('%') else {
        return Err(format!("\"{text}\" is not a share: a share ends with `%`"));
    };
    percentage(number.trim_end()).ok_or_else(|| {
        format!("\"{text}\" is not a share from 0% to 100%, with at most four decimals")
    })
}

/// Reads `p99` or `p99.9` in millionths.
pub(crate) fn quantile(text: &str) -> Result<u32, String> {
    let share = text.strip_prefix('p').and_then(percentage);
    let share = share.filter(|share| *share > 0);
    share.ok_or_else(|| format!("\"{text}\" is not a quantile above p0 and up to p100"))
}

fn percentage(number: &str) -> Option<u32> {
    let millionths = scaled(number, 10_000)?;
    (millionths <= 1_000_000).then_some(millionths as u32)
}

/// Reads `50/s`, `10/m` or `2/h` in operations per 1,000 seconds, rounded to the nearest.
pub(crate) fn rate(text: &str) -> Result<u64, String> {
    let (number, unit) = text.split_once('/').ok_or_else(|| {
        format!("\"{text}\" is not a rate: write how many, a slash and `s`, `m` or `h`")
    })?;
    let seconds = match unit.trim() {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        other => {
            return Err(format!("unknown unit \"{other}\" of a rate: use /s, /m or /h"));
        }
    };
    let thousandfold = scaled(number.trim(), 1_000_000).ok_or_else(|| {
        format!("\"{text}\" is not a rate: \"{number}\" is no number with at most six decimals")
    })?;
    let per_kilosecond = (thousandfold / 1_000 + seconds / 2) / seconds;
    match per_kilosecond {
        0 => Err(format!("\"{text}\" is less than one operation in 1,000 seconds")),
        1..=RATE_MAX => Ok(per_kilosecond),
        _ => Err(format!("\"{text}\" is more than a million operations a second")),
    }
}

/// Reads `1.1` in thousandths, above zero and up to ten.
pub(crate) fn milli(number: &str) -> Result<u32, String> {
    let thousandths = scaled(number, 1_000).filter(|milli| (1..=10_000).contains(milli));
    thousandths
        .map(|milli| milli as u32)
        .ok_or_else(|| format!("{number} is out of bounds, or finer than a thousandth"))
}

#[cfg(test)]
mod tests {
    use super::{milli, quantile, rate, share};

    #[test]
    fn a_share_is_read_exactly() {
        assert_eq!(share("2%"), Ok(20_000));
        assert_eq!(share("99.9%"), Ok(999_000));
        assert_eq!(share("0.0001%"), Ok(1));
        for wrong in ["2", "101%", "-1%", "0.00001%", "%", "1.%", "x%", "99999999999999999999%"] {
            assert!(share(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_rate_is_read_per_thousand_seconds() {
        assert_eq!(rate("50/s"), Ok(50_000));
        assert_eq!(rate("10/m"), Ok(167));
        assert_eq!(rate("0.5/s"), Ok(500));
        for wrong in ["50", "0/s", "50/d", "x/s", "9999999999/s", "1/h0", "0.001/h"] {
            assert!(rate(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_quantile_and_an_exponent_are_read_exactly() {
        assert_eq!(quantile("p99.9"), Ok(999_000));
        assert!(quantile("99").is_err());
        assert!(quantile("p0").is_err());
        assert_eq!(milli("1.1"), Ok(1_100));
        assert!(milli("0").is_err());
        assert!(milli("1e3").is_err());
    }
}
