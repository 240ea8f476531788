//! Single values: what a string or number of the file means.

use toml::de::DeValue;
use wrack_history::SmolStr;
use wrack_history::duration;

use crate::decimal;
use crate::fields::Item;
use crate::mistake::Mistake;
use crate::secret;
use crate::suggestion::suggest;

/// A value of the wrong type.
pub(crate) fn mismatch(item: &Item, expected: &str) -> Mistake {
    let title = format!("expected {expected}, found {}", found(item.get_ref()));
    Mistake::new(item.span(), title, format!("expected {expected}"))
}

fn found(value: &DeValue) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a decimal number",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}

/// A number as it is written, without its quotes: for people who forgot or added them.
fn digits<'a>(item: &'a Item) -> Option<&'a str> {
    match item.get_ref() {
        DeValue::Integer(integer) => Some(integer.as_str()),
        DeValue::Float(float) => Some(float.as_str()),
        _ => None,
    }
}

/// Any string.
pub(crate) fn text<'a>(item: &'a Item) -> Result<&'a str, Mistake> {
    item.get_ref().as_str().ok_or_else(|| mismatch(item, "a string"))
}

/// A string that says something; it may be marked as a secret, which it then is no more.
pub(crate) fn words(item: &Item) -> Result<String, Mistake> {
    let marked = item.get_ref().as_table().filter(|table| table.len() == 1);
    if let Some(item) = marked.and_then(|table| table.get(secret::KEY)) {
        return words(item);
    }
    match text(item)?.trim() {
        "" => Err(Mistake::new(item.span(), "an empty string", "say something here")),
        words => Ok(words.into()),
    }
}

/// A name.
pub(crate) fn name(item: &Item) -> Result<SmolStr, Mistake> {
    text(item).map(SmolStr::from)
}

/// `true` or `false`.
pub(crate) fn flag(item: &Item) -> Result<bool, Mistake> {
    item.get_ref().as_bool().ok_or_else(|| mismatch(item, "`true` or `false`"))
}

/// A whole number from `min` to `max`, both included.
pub(crate) fn whole(item: &Item, min: i64, max: i64) -> Result<i64, Mistake> {
    let Some(integer) = item.get_ref().as_integer() else {
        let mistake = mismatch(item, "a whole number");
        return Err(match item.get_ref().as_str().map(str::parse::<i64>) {
            Some(Ok(number)) => mistake.help(format!("without quotes: {number}")),
            _ => mistake,
        });
    };
    let number = i64::from_str_radix(integer.as_str(), integer.radix()).ok();
    number.filter(|number| (min..=max).contains(number)).ok_or_else(|| {
        let bounds = bounds(min, max);
        Mistake::new(
            item.span(),
            format!("{integer} is out of bounds"),
            format!("must be {bounds}"),
        )
    })
}

fn bounds(min: i64, max: i64) -> String {
    match max {
        i64::MAX => format!("at least {min}"),
        _ => format!("from {min} to {max}"),
    }
}

/// One of `names`.
pub(crate) fn choice(item: &Item, names: &'static [&'static str]) -> Result<SmolStr, Mistake> {
    let given = text(item)?;
    let found = names.iter().find(|name| **name == given);
    found.map(|name| SmolStr::new_static(name)).ok_or_else(|| {
        let mistake =
            Mistake::new(item.span(), format!("unknown value `{given}`"), "not one of them");
        suggest(mistake, given, names)
    })
}

/// A string that `parse` understands; for a bare number the help shows it as it should be.
fn spelled<T>(
    item: &Item,
    (what, example, unit): (&str, &str, &str),
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<T, Mistake> {
    let Some(text) = item.get_ref().as_str() else {
        let mistake = mismatch(item, &format!("{what} such as \"{example}\""));
        return Err(match digits(item) {
            Some(number) => mistake.help(format!("a number needs its unit: \"{number}{unit}\"")),
            None => mistake,
        });
    };
    parse(text).map_err(|reason| {
        Mistake::new(item.span(), reason, format!("expected {what} such as \"{example}\""))
    })
}

/// `"150ms"`, in nanoseconds.
pub(crate) fn duration(item: &Item) -> Result<u64, Mistake> {
    spelled(item, ("a duration", "150ms", "ms"), duration::parse)
}

/// `"-2s"`, in nanoseconds.
pub(crate) fn offset(item: &Item) -> Result<i64, Mistake> {
    spelled(item, ("a signed duration", "-2s", "ms"), duration::parse_signed)
}

/// `"2%"`, in millionths.
pub(crate) fn share(item: &Item) -> Result<u32, Mistake> {
    spelled(item, ("a share", "2%", "%"), decimal::share)
}

/// `"50/s"`, per 1,000 seconds.
pub(crate) fn rate(item: &Item) -> Result<u64, Mistake> {
    spelled(item, ("a rate", "50/s", "/s"), decimal::rate)
}

/// `"p99"`, in millionths.
pub(crate) fn quantile(item: &Item) -> Result<u32, Mistake> {
    spelled(item, ("a quantile", "p99", ""), decimal::quantile)
}

/// A positive number in thousandths, up to ten.
pub(crate) fn milli(item: &Item) -> Result<u32, Mistake> {
    let number = digits(item).ok_or_else(|| mismatch(item, "a number"))?;
    decimal::milli(number).map_err(|reason| Mistake::new(item.span(), reason, "from 0.001 to 10"))
}

#[cfg(test)]
mod tests {
    use crate::testing::check;

    fn client(line: &str, expected: &str) {
        check(&format!("[client]\n{line}"), expected);
    }

    #[test]
    fn a_value_of_the_wrong_type_says_what_was_expected() {
        client(
            "attempts = «\"3\"»",
            "`client.attempts`: expected a whole number, found a string\nwithout quotes: 3",
        );
        client(
            "attempts = «1.5»",
            "`client.attempts`: expected a whole number, found a decimal number",
        );
        client(
            "timeout = «500»",
            "`client.timeout`: expected a duration such as \"150ms\", found a whole number\na number needs its unit: \"500ms\"",
        );
        client("key = «true»", "`client.key`: expected a string, found a boolean");
        check(
            "[phases]\nbeyond_model = «\"yes\"»",
            "`phases.beyond_model`: expected `true` or `false`, found a string",
        );
    }

    #[test]
    fn a_number_out_of_bounds_says_the_bounds() {
        client("attempts = «0»", "`client.attempts`: 0 is out of bounds\nmust be from 1 to 1000");
        client(
            "attempts = «99999999999999999999»",
            "`client.attempts`: 99999999999999999999 is out of bounds",
        );
        check("tier = «4»", "`tier`: 4 is out of bounds\nmust be from 1 to 3");
        check(
            "[minimum]\nreads = «-1»",
            "`minimum.reads`: -1 is out of bounds\nmust be at least 0",
        );
    }

    #[test]
    fn a_duration_or_share_that_does_not_parse_says_why() {
        client(
            "timeout = «\"500 parsecs\"»",
            "`client.timeout`: unknown unit \"parsecs\": use ns, us, ms, s, m or h",
        );
        client(
            "timeout = «\"500\"»",
            "`client.timeout`: a duration needs a unit: \"500s\" or \"500ms\"",
        );
        client(
            "jitter = «\"20\"»",
            "`client.jitter`: \"20\" is not a share: a share ends with `%`",
        );
        client(
            "jitter = «\"120%\"»",
            "`client.jitter`: \"120%\" is not a share from 0% to 100%, with at most four decimals",
        );
        client(
            "jitter = «0.2»",
            "`client.jitter`: expected a share such as \"2%\", found a decimal number",
        );
    }

    #[test]
    fn a_choice_is_one_of_the_names_that_exist() {
        client(
            "key = «\"uniqe\"»",
            "`client.key`: unknown value `uniqe`\ndid you mean `unique`?\nthere are: `unique`, `none`, `colliding`",
        );
    }
}
