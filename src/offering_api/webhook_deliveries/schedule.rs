//! When a message that was not delivered is tried again (contract 4.5).
use std::time::UNIX_EPOCH;

use http::{HeaderMap, StatusCode, header};
use rand::RngExt;

use crate::kernel::delivery::entity::Model as Delivery;
use crate::kernel::delivery::{Outcome, Verdict};

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Pauses between attempts, in milliseconds; who fails once more after the last is given up.
const PAUSES: [i64; 6] = [MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 6 * HOUR, DAY];
/// How much pauses vary, so that what failed together does not come back together.
const JITTER: f64 = 0.1;
/// Longest pause that a receiver can ask for, in milliseconds.
const LONGEST: i64 = DAY;

/// Failures in a row after which a webhook is disabled, when they lasted longer than [`TOO_LONG`].
pub const TOO_MANY: i64 = 20;
/// A week, in milliseconds.
pub const TOO_LONG: i64 = 7 * DAY;

/// What becomes of a delivery after its attempt of this number, counted from 1.
pub fn judge(delivery: &Delivery, attempt: i64, outcome: &Outcome) -> Verdict {
    let jitter = rand::rng().random_range(-JITTER..=JITTER);
    judge_with(delivery, attempt, outcome, jitter)
}

fn judge_with(delivery: &Delivery, attempt: i64, outcome: &Outcome, jitter: f64) -> Verdict {
    let ended_at = outcome.started_at + outcome.duration;
    let mut wanted = 0;
    if let Ok(answer) = &outcome.answer {
        if answer.status.is_success() {
            return Verdict::Delivered;
        }
        if answer.status == StatusCode::GONE {
            return Verdict::Gone;
        }
        wanted = retry_after(&answer.headers, ended_at).unwrap_or_default().min(LONGEST);
    }
    // No event made these two, and only what verifies holds a secret, the code.
    let is_verification = delivery.event_id.is_none() && delivery.secrets.is_some();
    // Who tests a webhook looks at once what came of it.
    if delivery.event_id.is_none() && !is_verification {
        return Verdict::Failed;
    }
    let number = usize::try_from(attempt - 1).unwrap_or_default();
    let Some(&pause) = PAUSES.get(number) else { return Verdict::Failed };
    // Of a day at most, which a float holds exactly.
    let pause = pause + (pause as f64 * jitter) as i64;
    let pause = pause.max(wanted);
    // The code in it expires.
    if is_verification && ended_at + pause >= delivery.created_at + DAY {
        return Verdict::Failed;
    }
    Verdict::Retry(pause)
}

/// The pause that an answer asks for, in milliseconds: seconds, or the time until a date (RFC 9110,
/// 10.2.3). `None` for what is neither.
fn retry_after(headers: &HeaderMap, now: i64) -> Option<i64> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than a number has are a long time.
        return Some(text.parse::<i64>().unwrap_or(i64::MAX).saturating_mul(SECOND));
    }
    // All three forms that receivers may write (RFC 9110, 5.6.7). None is before 1970.
    let date = httpdate::parse_http_date(text).ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(i64::try_from(date.as_millis()).unwrap_or(i64::MAX).saturating_sub(now).max(0))
}

/// What an owner reads of a failed attempt; `None` for a success.
pub fn failure(outcome: &Outcome) -> Option<String> {
    let is_success = outcome.answer.as_ref().is_ok_and(|answer| answer.status.is_success());
    (!is_success).then(|| outcome.told())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::delivery::Answer;

    /// 2026-02-01T08:15:00Z, a Sunday.
    const START: i64 = 1_769_933_700_000;

    fn delivery(event: &str, event_id: Option<i64>) -> Delivery {
        Delivery {
            id: 1,
            lane_id: 1,
            account_id: "acme".to_owned(),
            delivery_id: "d".to_owned(),
            origin_id: None,
            event_id,
            event: event.to_owned(),
            object: "app_instance:1".to_owned(),
            payload: "{}".to_owned(),
            secrets: None,
            state: "waiting".to_owned(),
            attempts: 0,
            next_attempt_at: None,
            finished_at: None,
            created_at: START,
        }
    }

    fn answered(status: u16, retry_after: Option<&str>) -> Outcome {
        let mut headers = HeaderMap::new();
        if let Some(value) = retry_after {
            headers.insert(header::RETRY_AFTER, value.parse().unwrap());
        }
        let status = StatusCode::from_u16(status).unwrap();
        let answer = Ok(Answer { status, headers, body: bytes::Bytes::new() });
        Outcome { answer, started_at: START, duration: 0 }
    }

    fn failed() -> Outcome {
        Outcome { answer: Err("timeout".to_owned()), started_at: START, duration: 10_000 }
    }

    fn verdict(attempt: i64, outcome: &Outcome) -> Verdict {
        judge_with(&delivery("app_instance.create", Some(1)), attempt, outcome, 0.0)
    }

    #[test]
    fn pauses_grow_and_then_it_is_given_up() {
        for (attempt, minutes) in [(1, 1), (2, 5), (3, 30), (4, 120), (5, 360), (6, 1440)] {
            assert_eq!(verdict(attempt, &failed()), Verdict::Retry(minutes * MINUTE));
            assert_eq!(verdict(attempt, &answered(500, None)), Verdict::Retry(minutes * MINUTE));
        }
        for attempt in [7, 8] {
            assert_eq!(verdict(attempt, &failed()), Verdict::Failed);
        }
    }

    #[test]
    fn pauses_vary_by_a_tenth() {
        let delivery = delivery("app_instance.create", Some(1));
        let pause = |jitter| judge_with(&delivery, 3, &failed(), jitter);
        assert_eq!(pause(-JITTER), Verdict::Retry(27 * MINUTE));
        assert_eq!(pause(JITTER), Verdict::Retry(33 * MINUTE));
        let pauses: std::collections::HashSet<String> =
            (0..20).map(|_| format!("{:?}", judge(&delivery, 3, &failed()))).collect();
        assert!(pauses.len() > 1, "{pauses:?}");
        for _ in 0..1000 {
            let Verdict::Retry(pause) = judge(&delivery, 3, &failed()) else { panic!("given up") };
            assert!((27 * MINUTE..=33 * MINUTE).contains(&pause), "{pause}");
        }
    }

    #[test]
    fn every_2xx_and_nothing_else_is_a_success() {
        for status in [200, 201, 202, 204, 299] {
            assert_eq!(verdict(1, &answered(status, None)), Verdict::Delivered);
        }
        for status in [301, 302, 304, 307, 400, 401, 404, 429, 500, 503, 599] {
            assert_eq!(verdict(1, &answered(status, None)), Verdict::Retry(MINUTE), "{status}");
        }
        for attempt in [1, 7] {
            assert_eq!(verdict(attempt, &answered(410, None)), Verdict::Gone);
        }
    }

    #[test]
    fn receivers_can_ask_for_more_time() {
        for (text, pause) in [
            ("120", 2 * MINUTE),
            (" 120 ", 2 * MINUTE),
            ("30", MINUTE),
            ("0", MINUTE),
            ("Sun, 01 Feb 2026 08:25:00 GMT", 10 * MINUTE),
            ("Sunday, 01-Feb-26 08:25:00 GMT", 10 * MINUTE),
            ("Sun Feb  1 08:25:00 2026", 10 * MINUTE),
            ("Sun, 01 Feb 2026 08:15:30 GMT", MINUTE),
            ("Sun, 01 Feb 2025 08:15:00 GMT", MINUTE),
            ("86400", DAY),
            ("86401", DAY),
            ("99999999999999999999999999", DAY),
            ("Mon, 01 Feb 2100 08:15:00 GMT", DAY),
            ("-5", MINUTE),
            ("1.5", MINUTE),
            ("", MINUTE),
            ("soon", MINUTE),
            ("2026-02-01T08:25:00Z", MINUTE),
        ] {
            let outcome = answered(503, Some(text));
            assert_eq!(verdict(1, &outcome), Verdict::Retry(pause), "{text:?}");
        }
        // But there is no attempt after the last one.
        assert_eq!(verdict(7, &answered(503, Some("5"))), Verdict::Failed);
    }

    #[test]
    fn tests_are_not_repeated() {
        let test = delivery("app_instance.create", None);
        assert_eq!(judge_with(&test, 1, &failed(), 0.0), Verdict::Failed);
        assert_eq!(judge_with(&test, 1, &answered(200, None), 0.0), Verdict::Delivered);
        // Nor that of a webhook for verifications.
        let test = delivery("webhook.verify", None);
        assert_eq!(judge_with(&test, 1, &failed(), 0.0), Verdict::Failed);
    }

    #[test]
    fn verifications_are_repeated_as_long_as_their_code_can_be_used() {
        let mut verification = delivery("webhook.verify", None);
        verification.secrets = Some("sealed".to_owned());
        assert_eq!(judge_with(&verification, 5, &failed(), 0.0), Verdict::Retry(6 * HOUR));
        assert_eq!(judge_with(&verification, 6, &failed(), 0.0), Verdict::Failed);
    }

    #[test]
    fn failures_are_told_in_words() {
        for (status, text) in
            [(404, Some("404 Not Found")), (410, Some("410 Gone")), (599, Some("599")), (204, None)]
        {
            assert_eq!(failure(&answered(status, None)).as_deref(), text);
        }
        assert_eq!(failure(&failed()).as_deref(), Some("timeout"));
    }
}
