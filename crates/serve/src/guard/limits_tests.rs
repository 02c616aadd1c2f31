//! Guessing in every way that somebody thought of, and honest mornings.

use super::*;

fn digest(number: u32) -> Digest {
    let mut digest = [0; 16];
    digest[..4].copy_from_slice(&number.to_be_bytes());
    digest
}

fn from(who: u32, address: u32) -> From {
    From { who: digest(who), address: Some(digest(address)), range: Some(digest(address / 256)), tenant: digest(0) }
}

fn without_address(who: u32) -> From {
    From { address: None, range: None, ..from(who, 0) }
}

fn guard() -> (Guard, Instant) {
    (Guard::new(Limits::default()), Instant::now())
}

/// Tries, and tells how it ended; whether it got through.
fn attempt(guard: &Guard, from: From, outcome: Outcome, now: Instant) -> bool {
    guard.begin(&from, now).map(|receipt| guard.end(&receipt, outcome, now)).is_ok()
}

/// Wrong passwords that get through when `attempts` are made at one instant.
fn through(guard: &Guard, attempts: impl Iterator<Item = From>, now: Instant) -> usize {
    attempts.filter(|from| attempt(guard, *from, Outcome::Wrong, now)).count()
}

fn limit(guard: &Guard, from: From, now: Instant) -> Option<Limited> {
    match guard.begin(&from, now) {
        Ok(receipt) => {
            guard.end(&receipt, Outcome::Neither, now);
            None
        }
        Err(limited) => Some(limited),
    }
}

#[test]
fn ten_thousand_guesses_at_one_account_end_after_ten_from_wherever_they_come() {
    let (guard, now) = guard();
    assert_eq!(through(&guard, (0..10_000).map(|n| from(1, n)), now), 10);
    assert_eq!(limit(&guard, from(1, 99_999), now), Some(Limited::Account));
    assert_eq!(limit(&guard, from(2, 99_999), now), None, "another account from elsewhere goes on");
}

#[test]
fn an_account_that_is_named_in_several_ways_is_one() {
    let (guard, now) = guard();
    let mut reached = 0;
    for n in 0..1_000 {
        let Ok(mut receipt) = guard.begin(&from(n % 5, n * 256), now) else { continue };
        let outcome = guard.meant(&mut receipt, digest(77), now).map_or(Outcome::Neither, |()| Outcome::Wrong);
        reached += usize::from(outcome == Outcome::Wrong);
        guard.end(&receipt, outcome, now);
    }
    assert_eq!(reached, 10);
}

#[test]
fn over_a_day_the_wait_grows_so_that_guessing_stays_hopeless() {
    let (guard, start) = guard();
    let tries: usize = (0..24 * 60)
        .map(|minute| through(&guard, (0..10).map(|n| from(1, n * 256)), start + Duration::from_mins(minute)))
        .sum();
    assert!((40..80).contains(&tries), "{tries} guesses in a day");
}

#[test]
fn a_thousand_accounts_from_one_address_end_at_the_addresses_limit() {
    let (guard, now) = guard();
    assert_eq!(through(&guard, (0..1_000).map(|n| from(n, 7)), now), 30);
    assert_eq!(limit(&guard, from(1, 7), now), Some(Limited::Address));
    assert_eq!(limit(&guard, from(1, 8), now), None);
}

#[test]
fn a_spray_from_a_thousand_addresses_ends_at_the_tenants_limit_and_known_addresses_go_on() {
    let (guard, now) = guard();
    assert!(attempt(&guard, from(1_000_000, 5_000_000), Outcome::Accepted, now));
    let spray = (0..10_000).map(|n| From { range: Some(digest(n % 1_000)), ..from(n, n % 1_000 + 1) });
    let got = through(&guard, spray, now);
    assert!((1_990..=2_070).contains(&got), "{got}");
    assert_eq!(limit(&guard, from(20_000, 1), now), Some(Limited::Flood));
    assert_eq!(limit(&guard, from(1_000_001, 5_000_000), now), None);
    assert_eq!(limit(&guard, from(30_000, 6_000_000), now + Duration::from_secs(30)), None, "a fresh address");
}

#[test]
fn a_spray_from_addresses_that_are_always_new_or_from_none_is_rationed() {
    for spray in [(|n| from(n, n * 256)) as fn(u32) -> From, without_address] {
        let (guard, now) = guard();
        let got = through(&guard, (0..100_000).map(spray), now);
        assert!((2_000..=2_070).contains(&got), "{got}");
        let later = through(&guard, (200_000..300_000).map(spray), now + Duration::from_mins(1));
        assert!(later <= 61, "{later} a minute");
    }
}

#[test]
fn an_honest_morning_with_typos_is_no_flood_and_a_spray_in_its_midst_costs_it_little() {
    for wrong_per_second in [0, 20] {
        let (guard, start) = guard();
        let (mut refused, mut honest, mut person) = (0, 0, 0);
        for second in 0..1_200_u32 {
            let now = start + Duration::from_secs(u64::from(second));
            for _ in 0..50 {
                person += 1;
                let home = from(person, 1_000_000 + person);
                // every sixth mistypes once
                let tries =
                    if person % 6 == 0 { vec![Outcome::Wrong, Outcome::Accepted] } else { vec![Outcome::Accepted] };
                for outcome in tries {
                    honest += 1;
                    refused += u32::from(!attempt(&guard, home, outcome, now));
                }
            }
            for n in 0..wrong_per_second {
                attempt(
                    &guard,
                    from(50_000_000 + second * 20 + n, 90_000_000 + second * 5_120 + n * 256),
                    Outcome::Wrong,
                    now,
                );
            }
        }
        assert!(refused * 20 <= honest, "{refused} of {honest} refused beside {wrong_per_second}/s");
        assert!(wrong_per_second > 0 || refused == 0, "{refused}");
    }
}

#[test]
fn what_is_given_back_is_what_was_counted() {
    let (guard, now) = guard();
    assert!(attempt(&guard, from(9, 77), Outcome::Accepted, now));
    let mut got = 0;
    for n in 0..1_000 {
        got += usize::from(attempt(&guard, from(1, n * 256), Outcome::Wrong, now));
        // an outage beside it, at home
        attempt(&guard, from(1, 77), Outcome::Neither, now);
    }
    assert_eq!(got, 10, "an outage elsewhere gives a stranger no more guesses");
}

#[test]
fn an_own_account_buys_no_guesses_at_others() {
    for outcome in [Outcome::Accepted, Outcome::Right] {
        let (guard, now) = guard();
        let mut got = 0;
        for n in 0..10_000 {
            got += usize::from(attempt(&guard, from(n, 7), Outcome::Wrong, now));
            if n % 4 == 3 {
                attempt(&guard, from(1_000_000, 7), outcome, now);
            }
        }
        assert!(got <= 36, "{got} with {outcome:?}");
    }
}

#[test]
fn attempts_at_once_are_counted_before_they_end_and_outages_are_given_back() {
    let (guard, now) = guard();
    let one = from(1, 1);
    let begun: Vec<Receipt> = (0..50).filter_map(|_| guard.begin(&one, now).ok()).collect();
    assert_eq!(begun.len(), 10);
    for receipt in &begun {
        guard.end(receipt, Outcome::Neither, now);
    }
    assert_eq!(limit(&guard, one, now), None, "an outage never counts");
}

#[test]
fn a_stranger_who_guesses_does_not_lock_the_person_out_at_home() {
    let (guard, now) = guard();
    assert!(attempt(&guard, from(2, 77), Outcome::Accepted, now));
    through(&guard, (0..100).map(|n| from(1, n * 256)), now);
    assert_eq!(limit(&guard, from(1, 1), now), Some(Limited::Account));
    assert_eq!(limit(&guard, from(1, 77), now), None);
}

#[test]
fn a_restart_forgets_no_wait_and_remembers_that_somebody_got_in() {
    let (guard, now) = guard();
    (0..10).for_each(|_| guard.recall(&from(1, 1), Some(digest(70)), false, now));
    assert_eq!(limit(&guard, from(1, 2), now), Some(Limited::Account));
    (0..9).for_each(|_| guard.recall(&from(5, 9), Some(digest(75)), false, now));
    guard.recall(&from(5, 9), Some(digest(75)), true, now);
    assert!(guard.knows(Some(&digest(9))));
    assert!(attempt(&guard, from(5, 3), Outcome::Wrong, now), "what was before the success is over");
    assert!(attempt(&guard, from(5, 3), Outcome::Wrong, now));
}
