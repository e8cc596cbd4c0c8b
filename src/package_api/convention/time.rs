//! Dates (contract 1.2): UTC with three fractional digits, without which one client does not see that a
//! text is a date.
use serde::{Serialize, Serializer};

use crate::kernel::time_zone::{parse_timestamp, write_timestamp_utc_z};

/// An instant, in milliseconds since the epoch; `2026-03-04T09:15:00.000Z` on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, utoipa::ToSchema)]
#[schema(value_type = String, format = DateTime, example = "2026-03-04T09:15:00.000Z")]
pub struct Time(pub i64);

impl Time {
    /// Reads an ISO 8601 date and time: with or without a fraction of a second, of which milliseconds
    /// count, with `Z`, an offset, or neither, which is UTC.
    pub fn parse(text: &str) -> Option<Self> {
        let (_, fraction) = text.split_once('.').unwrap_or((text, ""));
        // A day is no instant.
        if !text.get(10..11).is_some_and(|sign| ["T", "t", " "].contains(&sign)) {
            return None;
        }
        let seconds = parse_timestamp(text, chrono_tz::Tz::UTC)?;
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).chain(std::iter::repeat(b'0'));
        let millis = digits.take(3).fold(0, |millis, digit| millis * 10 + i64::from(digit - b'0'));
        Some(Self(seconds + millis))
    }

    /// Appends the text, without quotes.
    pub fn write(self, out: &mut Vec<u8>) {
        write_timestamp_utc_z(out, self.0);
        let millis = self.0.rem_euclid(1000);
        // What was written ends in `Z`.
        out.pop();
        out.push(b'.');
        out.extend([millis / 100, millis / 10 % 10, millis % 10].map(|digit| b'0' + digit as u8));
        out.push(b'Z');
    }
}

impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = Vec::with_capacity(24);
        self.write(&mut text);
        f.write_str(&String::from_utf8_lossy(&text))
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_in_every_form_and_shown_in_one() {
        let table = [
            ("2026-03-04T09:15:00.000Z", "2026-03-04T09:15:00.000Z"),
            ("2023-11-07T05:31:56Z", "2023-11-07T05:31:56.000Z"),
            ("2026-03-04T09:15:00", "2026-03-04T09:15:00.000Z"),
            ("2026-03-04T09:15:00.5", "2026-03-04T09:15:00.500Z"),
            ("2026-03-04T09:15:00.1234567Z", "2026-03-04T09:15:00.123Z"),
            ("2026-03-04T09:15:00.999999+01:00", "2026-03-04T08:15:00.999Z"),
            ("2026-03-04T09:15:00-05:30", "2026-03-04T14:45:00.000Z"),
            // An offset whose `+` was not escaped in a query.
            ("2026-03-04T09:15:00.25 01:00", "2026-03-04T08:15:00.250Z"),
            ("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"),
            ("0001-01-01T00:00:00", "0001-01-01T00:00:00.000Z"),
            ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
            ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z"),
        ];
        for (given, shown) in table {
            assert_eq!(Time::parse(given).map(|time| time.to_string()).as_deref(), Some(shown));
        }
        assert_eq!(Time::parse("1970-01-01T00:00:01.002Z"), Some(Time(1_002)));
        assert_eq!(Time::parse("1969-12-31T23:59:59.999Z"), Some(Time(-1)));
        assert_eq!(serde_json::to_string(&Time(0)).unwrap(), "\"1970-01-01T00:00:00.000Z\"");
    }

    #[test]
    fn what_is_no_date_is_not_read() {
        let wrong = [
            "",
            "now",
            "2026-03-04",
            "04.03.2026 09:15",
            "2026-13-04T09:15:00Z",
            "2026-02-29T09:15:00Z",
            "2026-03-04T25:15:00Z",
            "2026-03-04T09:15:00.Z",
            "2026-03-04T09:15:00.12xZ",
            "2026-03-04T09:15:00ZZ",
            "2026-03-04T09:15:00+",
            "2026-03-04T09:15:00Z.5",
            "1772615700000",
            "2026-03-04T09:15:00é",
            "é026-03-04T09:15:00Z",
            "10000-01-01T00:00:00Z",
        ];
        for text in wrong {
            assert_eq!(Time::parse(text), None, "{text}");
        }
    }
}
