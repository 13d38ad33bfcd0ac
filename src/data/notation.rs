//! Numbers in another notation than the computer's: decimal commas, thousands separators, percentages, currencies.

/// Says how a text writes a number in another notation, and how to write it instead; `None` for any other text.
pub(super) fn foreign_notation(text: &str) -> Option<String> {
    if let Some(number) = text.strip_suffix('%') {
        let number = number.trim_end();
        let readable = number.parse::<f64>().is_ok() || foreign_notation(number).is_some();
        let part = number.parse::<f64>().map(|number| number / 100.0);
        let instead = part.map_or(String::new(), |part| format!(", as {part}"));
        return readable.then(|| format!("is a percentage: write it as a part of 1{instead}"));
    }
    if let Some(number) = without_currency(text) {
        let plain = number.parse::<f64>().is_ok().then(|| number.to_owned());
        if plain.is_none() {
            foreign_notation(number)?;
        }
        let instead = plain.map_or(String::new(), |number| format!(", as {number}"));
        return Some(format!("has a currency sign: write the number alone{instead}"));
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !digits.starts_with(|letter: char| letter.is_ascii_digit()) {
        return None;
    }
    let plain = |text: String| text.parse::<f64>().is_ok().then_some(text);
    // The separators of digits, in their order.
    let separators: Vec<char> = digits.chars().filter(|letter| !letter.is_ascii_digit()).collect();
    match separators.as_slice() {
        [',', .., '.'] | ['.', .., ','] => {
            let last = separators[separators.len() - 1];
            let (whole, decimals) = text.rsplit_once(last)?;
            let thousands = if last == '.' { ',' } else { '.' };
            let whole = without_thousands(whole, &[thousands])?;
            let number = plain(format!("{whole}.{decimals}"))?;
            let comma = if last == ',' { " and a decimal comma" } else { "" };
            Some(format!("has a thousands separator{comma}: write it as {number}"))
        }
        [','] => {
            let number = plain(text.replace(',', "."))?;
            match without_thousands(text, &[',']) {
                Some(whole) => Some(format!(
                    "has a decimal comma or a thousands separator: write it as {number} or as {whole}"
                )),
                None => Some(format!(
                    "has a decimal comma: write decimals with a point, as {number}"
                )),
            }
        }
        [] => None,
        _ => {
            let whole = without_thousands(text, &[',', '.', ' ', '\u{a0}', '\u{202f}', '\'', '_'])?;
            Some(format!("has a thousands separator: write it as {whole}"))
        }
    }
}

/// The text beside the sign of a currency at its start or end; `None` if there is no such sign.
fn without_currency(text: &str) -> Option<&str> {
    const SIGNS: [char; 6] = ['$', '€', '£', '¥', '₹', '¢'];
    let rest = text.strip_prefix(SIGNS).or_else(|| text.strip_suffix(SIGNS))?;
    Some(rest.trim())
}

/// The digits of a number that is cut into thousands by one of these letters; `None` if it is not.
fn without_thousands(text: &str, separators: &[char]) -> Option<String> {
    let (sign, digits) = match text.strip_prefix(['-', '+']) {
        Some(digits) => (&text[..1], digits),
        None => ("", text),
    };
    let mut groups = digits.split(separators);
    let first = groups.next()?;
    let are_digits = |group: &str| !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_digit());
    let groups: Vec<&str> = groups.collect();
    let is_cut = are_digits(first)
        && first.len() <= 3
        && !groups.is_empty()
        && groups.iter().all(|group| group.len() == 3 && are_digits(group));
    is_cut.then(|| format!("{sign}{first}{}", groups.concat()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notations_are_named() {
        for (text, part) in [
            ("1,5", "decimal comma: write decimals with a point, as 1.5"),
            ("-0,25", "as -0.25"),
            (
                "1.234,5",
                "a thousands separator and a decimal comma: write it as 1234.5",
            ),
            (
                "1,234,567.25",
                "has a thousands separator: write it as 1234567.25",
            ),
            ("1.234.567", "write it as 1234567"),
            ("12 345", "write it as 12345"),
            ("1'000", "write it as 1000"),
            ("1,234", "write it as 1.234 or as 1234"),
            ("20%", "is a percentage: write it as a part of 1, as 0.2"),
            ("2,5 %", "is a percentage"),
            ("$1.50", "has a currency sign: write the number alone, as 1.50"),
            ("1.234,50 €", "has a currency sign"),
        ] {
            let found = foreign_notation(text).unwrap_or_default();
            assert!(found.contains(part), "{text}: {found}");
        }
        for text in [
            "oak", "1;5", "3+", "1.5.2", "12 34", "a,5", "%", "", "1-2", "5 kg", "é", "$", "$AAPL", "€uro",
        ] {
            assert_eq!(foreign_notation(text), None, "{text}");
        }
    }
}
