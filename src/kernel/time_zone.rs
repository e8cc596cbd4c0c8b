//! Time zones of accounts and people, and the timestamps that are read and shown in them.
//!
//! The wire names a zone by a short name such as `Amsterdam`; the IANA name (`Europe/Amsterdam`) is
//! understood as well. Instants are kept as milliseconds since the epoch and shown with whole
//! seconds and the numeric offset of the reader's zone.

use chrono::{
    DateTime, Datelike, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta,
    TimeZone as _, Timelike,
};
use chrono_tz::Tz;

/// First and last second that four digits of year can show: `0001-01-01` to `9999-12-31`, in UTC.
const SECONDS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

/// A time zone under the name it is known by on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimeZone {
    name: &'static str,
    tz: Tz,
}

impl TimeZone {
    /// Coordinated universal time.
    pub const UTC: Self = Self { name: "UTC", tz: Tz::Etc__UTC };

    /// The zone called `name`, which is a short name (`Amsterdam`) or an IANA name
    /// (`Europe/Amsterdam`), spelt exactly.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        if let Some(zone) = Self::all().find(|zone| zone.name == name) {
            return Some(zone);
        }
        let tz: Tz = name.parse().ok()?;
        Some(Self::all().find(|zone| zone.tz == tz).unwrap_or(Self { name: tz.name(), tz }))
    }

    /// The short name: the one it was asked for by, or the usual one of an IANA zone. A zone
    /// without a short name goes by its IANA name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The rules of the zone.
    #[must_use]
    pub fn tz(&self) -> Tz {
        self.tz
    }

    /// Every zone that has a short name, from west to east.
    pub fn all() -> impl Iterator<Item = Self> {
        ZONES.iter().map(|&(name, tz)| Self { name, tz })
    }
}

/// Appends `2026-02-01T09:15:00+01:00`: the instant in the zone, fraction of a second dropped.
///
/// Offsets that were not a whole number of minutes (local mean time, long ago) are shown without
/// their seconds, and the time of day to match, so that the text always means the same instant.
/// Instants outside the years 1 to 9999 are shown as the nearest one inside.
pub fn write_timestamp(out: &mut Vec<u8>, epoch_millis: i64, tz: Tz) {
    let utc = shown(epoch_millis.div_euclid(1000));
    let offset = tz.offset_from_utc_datetime(&utc).fix().local_minus_utc() / 60;
    let local = shown(utc.and_utc().timestamp() + i64::from(offset) * 60);

    let mut text = *b"0000-00-00T00:00:00+00:00";
    fill(&mut text, local);
    if offset < 0 {
        text[19] = b'-';
    }
    let offset = offset.unsigned_abs();
    two_digits(&mut text, 20, offset / 60);
    two_digits(&mut text, 23, offset % 60);
    out.extend_from_slice(&text);
}

/// Appends `2026-02-01T08:15:00Z`: the instant in UTC, otherwise as [`write_timestamp`].
pub fn write_timestamp_utc_z(out: &mut Vec<u8>, epoch_millis: i64) {
    let mut text = *b"0000-00-00T00:00:00Z";
    fill(&mut text, shown(epoch_millis.div_euclid(1000)));
    out.extend_from_slice(&text);
}

/// Date and time of a number of seconds since the epoch, moved into the years that can be shown.
fn shown(seconds: i64) -> NaiveDateTime {
    let seconds = seconds.clamp(*SECONDS.start(), *SECONDS.end());
    DateTime::from_timestamp(seconds, 0).expect("years 1 to 9999 are in chrono's range").naive_utc()
}

/// Overwrites the digits of the leading `0000-00-00T00:00:00`.
fn fill(text: &mut [u8], at: NaiveDateTime) {
    let year = at.year().unsigned_abs();
    two_digits(text, 0, year / 100);
    two_digits(text, 2, year % 100);
    two_digits(text, 5, at.month());
    two_digits(text, 8, at.day());
    two_digits(text, 11, at.hour());
    two_digits(text, 14, at.minute());
    two_digits(text, 17, at.second());
}

fn two_digits(text: &mut [u8], at: usize, value: u32) {
    text[at] = b'0' + (value / 10) as u8;
    text[at + 1] = b'0' + (value % 10) as u8;
}

/// Reads an ISO 8601 date or timestamp as milliseconds since the epoch, always whole seconds.
///
/// | Text | Meaning |
/// |---|---|
/// | `2026-01-01T09:15:00Z`, `…+01:00`, `…+0100`, `…+01` | that instant |
/// | `2026-01-01T09:15:00`, `2026-01-01T09:15` | that time in `tz` |
/// | `2026-01-01` | midnight in `tz` |
///
/// A fraction of a second is dropped. `t` and `z` may be lower case, a space may stand for the `T`,
/// and also for the `+` of an offset, which is what an unescaped `+` in a query turns into.
///
/// A time that `tz` skips, when clocks are put forward, is taken as if they had not been yet: half
/// past two becomes half past three. A time that happens twice is the first of the two.
#[must_use]
pub fn parse_timestamp(text: &str, tz: Tz) -> Option<i64> {
    let (date, rest) = text.split_at_checked(10)?;
    let date = parse_date(date)?;
    let seconds = if rest.is_empty() {
        local_seconds(date.and_time(NaiveTime::MIN), tz)
    } else {
        let rest = rest.strip_prefix(['T', 't', ' '])?;
        let (time, zone) =
            rest.split_at(rest.find(['Z', 'z', '+', '-', ' ']).unwrap_or(rest.len()));
        let local = date.and_time(parse_time(time)?);
        if zone.is_empty() {
            local_seconds(local, tz)
        } else {
            local.and_utc().timestamp() - parse_offset(zone)?
        }
    };
    SECONDS.contains(&seconds).then_some(seconds * 1000)
}

/// Seconds since the epoch at which the clocks of the zone show `local`.
fn local_seconds(local: NaiveDateTime, tz: Tz) -> i64 {
    let offset = match tz.offset_from_local_datetime(&local) {
        MappedLocalTime::Single(offset) | MappedLocalTime::Ambiguous(offset, _) => offset,
        // No zone is more than a day from UTC: a day earlier, read as UTC, is before the gap.
        MappedLocalTime::None => tz.offset_from_utc_datetime(&(local - TimeDelta::days(1))),
    };
    local.and_utc().timestamp() - i64::from(offset.fix().local_minus_utc())
}

/// `2026-01-31`
fn parse_date(text: &str) -> Option<NaiveDate> {
    let (year, rest) = text.split_once('-')?;
    let (month, day) = rest.split_once('-')?;
    let year = i32::try_from(number(year, 4)?).ok().filter(|&year| year > 0)?;
    NaiveDate::from_ymd_opt(year, number(month, 2)?, number(day, 2)?)
}

/// `09:15`, `09:15:00`, `09:15:00.123`
fn parse_time(text: &str) -> Option<NaiveTime> {
    let (hour, rest) = text.split_once(':')?;
    let (minute, second) = rest.split_once(':').unwrap_or((rest, "00"));
    let second = match second.split_once('.') {
        Some((second, fraction)) => {
            number(fraction.get(..1)?, 1)?;
            fraction.bytes().all(|byte| byte.is_ascii_digit()).then_some(second)?
        }
        None => second,
    };
    NaiveTime::from_hms_opt(number(hour, 2)?, number(minute, 2)?, number(second, 2)?)
}

/// `Z`, `+01:00`, `-0130`, `+01`, and ` 01:00` for `+01:00`: seconds to the east.
fn parse_offset(text: &str) -> Option<i64> {
    if text.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, text) = text.split_at_checked(1)?;
    let (hours, minutes) = match text.len() {
        2 => (text, "00"),
        4 => text.split_at_checked(2)?,
        _ => text.split_once(':')?,
    };
    let (hours, minutes) = (number(hours, 2)?, number(minutes, 2)?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    let seconds = i64::from(hours * 3600 + minutes * 60);
    Some(if sign == "-" { -seconds } else { seconds })
}

/// The number that `text` writes with exactly `width` digits.
fn number(text: &str, width: usize) -> Option<u32> {
    let is_number = text.len() == width && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

/// Short names and their zones, from west to east. Where several names mean one zone, the first is
/// what the zone is called when it was given by its IANA name.
const ZONES: &[(&str, Tz)] = &[
    ("Midway Island", Tz::Pacific__Midway),
    ("International Date Line West", Tz::Pacific__Midway),
    ("American Samoa", Tz::Pacific__Pago_Pago),
    ("Hawaii", Tz::Pacific__Honolulu),
    ("Alaska", Tz::America__Juneau),
    ("Pacific Time (US & Canada)", Tz::America__Los_Angeles),
    ("Tijuana", Tz::America__Tijuana),
    ("Mountain Time (US & Canada)", Tz::America__Denver),
    ("Arizona", Tz::America__Phoenix),
    ("Chihuahua", Tz::America__Chihuahua),
    ("Mazatlan", Tz::America__Mazatlan),
    ("Central Time (US & Canada)", Tz::America__Chicago),
    ("Saskatchewan", Tz::America__Regina),
    ("Mexico City", Tz::America__Mexico_City),
    ("Guadalajara", Tz::America__Mexico_City),
    ("Monterrey", Tz::America__Monterrey),
    ("Central America", Tz::America__Guatemala),
    ("Eastern Time (US & Canada)", Tz::America__New_York),
    ("Indiana (East)", Tz::America__Indiana__Indianapolis),
    ("Bogota", Tz::America__Bogota),
    ("Lima", Tz::America__Lima),
    ("Quito", Tz::America__Lima),
    ("Atlantic Time (Canada)", Tz::America__Halifax),
    ("Caracas", Tz::America__Caracas),
    ("La Paz", Tz::America__La_Paz),
    ("Santiago", Tz::America__Santiago),
    ("Georgetown", Tz::America__Guyana),
    ("Puerto Rico", Tz::America__Puerto_Rico),
    ("Newfoundland", Tz::America__St_Johns),
    ("Brasilia", Tz::America__Sao_Paulo),
    ("Buenos Aires", Tz::America__Argentina__Buenos_Aires),
    ("Montevideo", Tz::America__Montevideo),
    ("Greenland", Tz::America__Nuuk),
    ("Mid-Atlantic", Tz::Atlantic__South_Georgia),
    ("Azores", Tz::Atlantic__Azores),
    ("Cape Verde Is.", Tz::Atlantic__Cape_Verde),
    ("UTC", Tz::Etc__UTC),
    ("Dublin", Tz::Europe__Dublin),
    ("London", Tz::Europe__London),
    ("Edinburgh", Tz::Europe__London),
    ("Lisbon", Tz::Europe__Lisbon),
    ("Casablanca", Tz::Africa__Casablanca),
    ("Monrovia", Tz::Africa__Monrovia),
    ("Amsterdam", Tz::Europe__Amsterdam),
    ("Belgrade", Tz::Europe__Belgrade),
    ("Berlin", Tz::Europe__Berlin),
    ("Zurich", Tz::Europe__Zurich),
    ("Bern", Tz::Europe__Zurich),
    ("Bratislava", Tz::Europe__Bratislava),
    ("Brussels", Tz::Europe__Brussels),
    ("Budapest", Tz::Europe__Budapest),
    ("Copenhagen", Tz::Europe__Copenhagen),
    ("Ljubljana", Tz::Europe__Ljubljana),
    ("Madrid", Tz::Europe__Madrid),
    ("Paris", Tz::Europe__Paris),
    ("Prague", Tz::Europe__Prague),
    ("Rome", Tz::Europe__Rome),
    ("Sarajevo", Tz::Europe__Sarajevo),
    ("Skopje", Tz::Europe__Skopje),
    ("Stockholm", Tz::Europe__Stockholm),
    ("Vienna", Tz::Europe__Vienna),
    ("Warsaw", Tz::Europe__Warsaw),
    ("West Central Africa", Tz::Africa__Algiers),
    ("Zagreb", Tz::Europe__Zagreb),
    ("Athens", Tz::Europe__Athens),
    ("Bucharest", Tz::Europe__Bucharest),
    ("Cairo", Tz::Africa__Cairo),
    ("Harare", Tz::Africa__Harare),
    ("Helsinki", Tz::Europe__Helsinki),
    ("Jerusalem", Tz::Asia__Jerusalem),
    ("Kaliningrad", Tz::Europe__Kaliningrad),
    ("Kyiv", Tz::Europe__Kyiv),
    ("Pretoria", Tz::Africa__Johannesburg),
    ("Riga", Tz::Europe__Riga),
    ("Sofia", Tz::Europe__Sofia),
    ("Tallinn", Tz::Europe__Tallinn),
    ("Vilnius", Tz::Europe__Vilnius),
    ("Baghdad", Tz::Asia__Baghdad),
    ("Istanbul", Tz::Europe__Istanbul),
    ("Kuwait", Tz::Asia__Kuwait),
    ("Minsk", Tz::Europe__Minsk),
    ("Moscow", Tz::Europe__Moscow),
    ("St. Petersburg", Tz::Europe__Moscow),
    ("Nairobi", Tz::Africa__Nairobi),
    ("Riyadh", Tz::Asia__Riyadh),
    ("Volgograd", Tz::Europe__Volgograd),
    ("Tehran", Tz::Asia__Tehran),
    ("Muscat", Tz::Asia__Muscat),
    ("Abu Dhabi", Tz::Asia__Muscat),
    ("Baku", Tz::Asia__Baku),
    ("Samara", Tz::Europe__Samara),
    ("Tbilisi", Tz::Asia__Tbilisi),
    ("Yerevan", Tz::Asia__Yerevan),
    ("Kabul", Tz::Asia__Kabul),
    ("Almaty", Tz::Asia__Almaty),
    ("Astana", Tz::Asia__Almaty),
    ("Ekaterinburg", Tz::Asia__Yekaterinburg),
    ("Karachi", Tz::Asia__Karachi),
    ("Islamabad", Tz::Asia__Karachi),
    ("Tashkent", Tz::Asia__Tashkent),
    ("Kolkata", Tz::Asia__Kolkata),
    ("Chennai", Tz::Asia__Kolkata),
    ("Mumbai", Tz::Asia__Kolkata),
    ("New Delhi", Tz::Asia__Kolkata),
    ("Sri Jayawardenepura", Tz::Asia__Colombo),
    ("Kathmandu", Tz::Asia__Kathmandu),
    ("Dhaka", Tz::Asia__Dhaka),
    ("Urumqi", Tz::Asia__Urumqi),
    ("Rangoon", Tz::Asia__Yangon),
    ("Bangkok", Tz::Asia__Bangkok),
    ("Hanoi", Tz::Asia__Bangkok),
    ("Jakarta", Tz::Asia__Jakarta),
    ("Krasnoyarsk", Tz::Asia__Krasnoyarsk),
    ("Novosibirsk", Tz::Asia__Novosibirsk),
    ("Beijing", Tz::Asia__Shanghai),
    ("Chongqing", Tz::Asia__Chongqing),
    ("Hong Kong", Tz::Asia__Hong_Kong),
    ("Irkutsk", Tz::Asia__Irkutsk),
    ("Kuala Lumpur", Tz::Asia__Kuala_Lumpur),
    ("Perth", Tz::Australia__Perth),
    ("Singapore", Tz::Asia__Singapore),
    ("Taipei", Tz::Asia__Taipei),
    ("Ulaanbaatar", Tz::Asia__Ulaanbaatar),
    ("Seoul", Tz::Asia__Seoul),
    ("Tokyo", Tz::Asia__Tokyo),
    ("Osaka", Tz::Asia__Tokyo),
    ("Sapporo", Tz::Asia__Tokyo),
    ("Yakutsk", Tz::Asia__Yakutsk),
    ("Adelaide", Tz::Australia__Adelaide),
    ("Darwin", Tz::Australia__Darwin),
    ("Brisbane", Tz::Australia__Brisbane),
    ("Guam", Tz::Pacific__Guam),
    ("Hobart", Tz::Australia__Hobart),
    ("Melbourne", Tz::Australia__Melbourne),
    ("Canberra", Tz::Australia__Melbourne),
    ("Port Moresby", Tz::Pacific__Port_Moresby),
    ("Sydney", Tz::Australia__Sydney),
    ("Vladivostok", Tz::Asia__Vladivostok),
    ("Magadan", Tz::Asia__Magadan),
    ("New Caledonia", Tz::Pacific__Noumea),
    ("Solomon Is.", Tz::Pacific__Guadalcanal),
    ("Srednekolymsk", Tz::Asia__Srednekolymsk),
    ("Auckland", Tz::Pacific__Auckland),
    ("Wellington", Tz::Pacific__Auckland),
    ("Fiji", Tz::Pacific__Fiji),
    ("Kamchatka", Tz::Asia__Kamchatka),
    ("Marshall Is.", Tz::Pacific__Majuro),
    ("Chatham Is.", Tz::Pacific__Chatham),
    ("Nuku'alofa", Tz::Pacific__Tongatapu),
    ("Samoa", Tz::Pacific__Apia),
    ("Tokelau Is.", Tz::Pacific__Fakaofo),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const AMSTERDAM: Tz = Tz::Europe__Amsterdam;

    fn written(epoch_millis: i64, tz: Tz) -> String {
        let mut out = Vec::new();
        write_timestamp(&mut out, epoch_millis, tz);
        String::from_utf8(out).unwrap()
    }

    fn written_z(epoch_millis: i64) -> String {
        let mut out = Vec::new();
        write_timestamp_utc_z(&mut out, epoch_millis);
        String::from_utf8(out).unwrap()
    }

    /// What `text` means, shown in UTC.
    fn read(text: &str, tz: Tz) -> Option<String> {
        parse_timestamp(text, tz).map(written_z)
    }

    #[test]
    fn a_zone_is_known_by_its_short_and_its_iana_name() {
        let short = TimeZone::parse("Amsterdam").unwrap();
        assert_eq!((short.name(), short.tz()), ("Amsterdam", AMSTERDAM));
        assert_eq!(TimeZone::parse("Europe/Amsterdam"), Some(short));
        assert_eq!(TimeZone::parse("UTC"), Some(TimeZone::UTC));
        assert_eq!(TimeZone::parse("Etc/UTC"), Some(TimeZone::UTC));
    }

    #[test]
    fn a_zone_keeps_the_short_name_it_was_given_by() {
        assert_eq!(TimeZone::parse("Mumbai").unwrap().name(), "Mumbai");
        assert_eq!(TimeZone::parse("Edinburgh").unwrap().name(), "Edinburgh");
        assert_eq!(TimeZone::parse("Asia/Kolkata").unwrap().name(), "Kolkata");
        assert_eq!(TimeZone::parse("Europe/London").unwrap().name(), "London");
        assert_eq!(TimeZone::parse("Europe/Zurich").unwrap().name(), "Zurich");
    }

    #[test]
    fn a_zone_without_a_short_name_goes_by_its_iana_name() {
        let zone = TimeZone::parse("Europe/Luxembourg").unwrap();
        assert_eq!((zone.name(), zone.tz()), ("Europe/Luxembourg", Tz::Europe__Luxembourg));
    }

    #[test]
    fn other_names_are_refused() {
        for name in ["", "amsterdam", "Amsterdam ", "Atlantis", "Europe/", "+01:00"] {
            assert_eq!(TimeZone::parse(name), None, "{name:?}");
        }
    }

    #[test]
    fn every_short_name_is_unique_and_leads_back_to_its_zone() {
        let names: HashSet<_> = TimeZone::all().map(|zone| zone.name()).collect();
        assert_eq!(names.len(), TimeZone::all().count());
        assert_eq!(names.len(), 151);
        for zone in TimeZone::all() {
            assert_eq!(TimeZone::parse(zone.name()), Some(zone));
            assert_eq!(TimeZone::parse(zone.tz().name()).unwrap().tz(), zone.tz());
        }
    }

    #[test]
    fn zones_go_from_west_to_east() {
        // A day in northern winter; zones of the southern hemisphere are an hour off then.
        let winter = shown(1_768_000_000);
        let offsets = TimeZone::all()
            .map(|zone| zone.tz().offset_from_utc_datetime(&winter).fix().local_minus_utc());
        let mut furthest = -12 * 3600;
        for (zone, offset) in TimeZone::all().zip(offsets) {
            assert!(offset >= furthest - 2 * 3600, "{} stands too far down", zone.name());
            furthest = furthest.max(offset);
        }
    }

    #[test]
    fn a_timestamp_has_seconds_and_a_numeric_offset() {
        let millis = 1_769_933_700_999;
        assert_eq!(written(millis, AMSTERDAM), "2026-02-01T09:15:00+01:00");
        assert_eq!(written(millis, Tz::Etc__UTC), "2026-02-01T08:15:00+00:00");
        assert_eq!(written(millis, Tz::America__St_Johns), "2026-02-01T04:45:00-03:30");
        assert_eq!(written(millis, Tz::Asia__Kathmandu), "2026-02-01T14:00:00+05:45");
        assert_eq!(written_z(millis), "2026-02-01T08:15:00Z");
    }

    #[test]
    fn a_fraction_before_the_epoch_is_dropped_downwards() {
        assert_eq!(written_z(-1), "1969-12-31T23:59:59Z");
        assert_eq!(written_z(-1000), "1969-12-31T23:59:59Z");
        assert_eq!(written_z(-1001), "1969-12-31T23:59:58Z");
    }

    #[test]
    fn instants_that_cannot_be_shown_are_moved_to_the_nearest_that_can() {
        assert_eq!(written_z(i64::MAX), "9999-12-31T23:59:59Z");
        assert_eq!(written_z(i64::MIN), "0001-01-01T00:00:00Z");
        assert_eq!(written(i64::MAX, Tz::Pacific__Auckland), "9999-12-31T23:59:59+13:00");
        assert!(written(i64::MIN, Tz::Pacific__Honolulu).starts_with("0001-01-01T00:00:00-"));
    }

    #[test]
    fn what_is_written_is_what_chrono_writes_and_reads_back_as_the_same_instant() {
        for (index, zone) in TimeZone::all().enumerate() {
            // From February 1972 on every offset is a whole number of minutes.
            let first = 65_750_400 + 7_919 * index as i64;
            for seconds in (first..4_000_000_000).step_by(30_000_001) {
                let theirs =
                    DateTime::from_timestamp(seconds, 0).unwrap().with_timezone(&zone.tz());
                let ours = written(seconds * 1000, zone.tz());
                assert_eq!(ours, theirs.format("%Y-%m-%dT%H:%M:%S%:z").to_string());
                assert_eq!(parse_timestamp(&ours, Tz::UTC), Some(seconds * 1000), "{ours}");
            }
        }
    }

    #[test]
    fn local_mean_time_is_written_as_the_same_instant() {
        // Paris was 9 minutes and 21 seconds from Greenwich.
        let millis = -3_000_000_000_000;
        let text = written(millis, Tz::Europe__Paris);
        assert_eq!(text, "1874-12-07T18:49:00+00:09");
        assert_eq!(parse_timestamp(&text, Tz::UTC), Some(millis));
    }

    #[test]
    fn a_timestamp_with_a_zone_is_that_instant() {
        for text in [
            "2026-01-01T00:00:00+01:00",
            "2026-01-01T00:00:00+0100",
            "2026-01-01T00:00:00+01",
            "2026-01-01T00:00:00 01:00",
            "2026-01-01T00:00:00 0100",
            "2026-01-01T00:00+01:00",
            "2025-12-31T23:00:00Z",
            "2025-12-31t23:00:00z",
            "2025-12-31 23:00:00Z",
            "2025-12-31T23:00:00.999999999Z",
            "2025-12-31T19:30:00-03:30",
            "2025-12-31T23:00:00-00:00",
        ] {
            let instant = read(text, Tz::Asia__Tokyo);
            assert_eq!(instant.as_deref(), Some("2025-12-31T23:00:00Z"), "{text}");
        }
    }

    #[test]
    fn a_timestamp_without_a_zone_is_in_the_given_zone() {
        for text in
            ["2026-07-01T00:00:00", "2026-07-01T00:00", "2026-07-01", "2026-07-01 00:00:00.5"]
        {
            let instant = read(text, AMSTERDAM);
            assert_eq!(instant.as_deref(), Some("2026-06-30T22:00:00Z"), "{text}");
        }
    }

    #[test]
    fn a_skipped_time_moves_on_by_the_length_of_the_gap() {
        let instant = read("2026-03-29T02:30:00", AMSTERDAM);
        assert_eq!(instant.as_deref(), Some("2026-03-29T01:30:00Z"));
        // Midnight itself is skipped.
        let instant = read("2018-11-04", Tz::America__Sao_Paulo);
        assert_eq!(instant.as_deref(), Some("2018-11-04T03:00:00Z"));
        // Samoa skipped a whole day.
        let instant = read("2011-12-30T12:00:00", Tz::Pacific__Apia).unwrap();
        assert_eq!(instant, read("2011-12-31T12:00:00", Tz::Pacific__Apia).unwrap());
    }

    #[test]
    fn a_time_that_happens_twice_is_the_first_of_the_two() {
        let instant = read("2026-10-25T02:30:00", AMSTERDAM);
        assert_eq!(instant.as_deref(), Some("2026-10-25T00:30:00Z"));
        let instant = read("2026-11-01T01:30:00", Tz::America__New_York);
        assert_eq!(instant.as_deref(), Some("2026-11-01T05:30:00Z"));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "now",
            "2026",
            "2026-1-01",
            "2026-01-1",
            "2026-02-29",
            "2026-13-01",
            "2026-00-10",
            "20260101",
            "0000-01-01",
            "10000-01-01",
            "+2026-01-01",
            "-2026-01-01",
            "2026-01-01x",
            "2026-01-01Z",
            "2026-01-01T",
            "2026-01-01T00",
            "2026-01-01T00:",
            "2026-01-01T00:00:",
            "2026-01-01T00:00:00.",
            "2026-01-01T00:00:00.x",
            "2026-01-01T00:00:00.1x",
            "2026-01-01T00:00.5",
            "2026-01-01T0:00:00",
            "2026-01-01T24:00:00",
            "2026-01-01T00:60:00",
            "2026-01-01T00:00:60",
            "2026-01-01T00:00:00:00",
            "2026-01-01T+1:00:00",
            "2026-01-01T00:00:00+",
            "2026-01-01T00:00:00+1",
            "2026-01-01T00:00:00+1:00",
            "2026-01-01T00:00:00+01:",
            "2026-01-01T00:00:00+01:0",
            "2026-01-01T00:00:00+24:00",
            "2026-01-01T00:00:00+01:60",
            "2026-01-01T00:00:00++1:00",
            "2026-01-01T00:00:00ZZ",
            "2026-01-01T00:00:00 Z",
            "2026-01-01T00:00:00 ",
            " 2026-01-01",
            "2026-01-01 ",
            "2026-01-0é",
            "2026-01-01T00:00:0é",
            "２０２６-01-01",
            // The written year, or that of the instant, is outside those that can be shown.
            "0000-12-31T23:00:00-05:00",
            "0001-01-01T00:00:00+01:00",
            "9999-12-31T23:59:59-01:00",
        ] {
            assert_eq!(parse_timestamp(text, AMSTERDAM), None, "{text:?}");
        }
    }

    #[test]
    fn the_first_and_the_last_second_are_accepted() {
        assert_eq!(read("0001-01-01", Tz::UTC).as_deref(), Some("0001-01-01T00:00:00Z"));
        assert_eq!(read("9999-12-31T23:59:59Z", Tz::UTC).as_deref(), Some("9999-12-31T23:59:59Z"));
    }
}
