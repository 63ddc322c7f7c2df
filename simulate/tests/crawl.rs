//! A large service is read as fast as Resource Manager allows, and no faster.

use std::time::Duration;

use apim_dr_simulate::crawl::{crawl, verify};

#[test]
fn a_crawl_uses_what_it_is_allowed_and_is_never_turned_away() {
    for apis in [100, 300] {
        let crawled = crawl(apis, Duration::from_millis(50)).unwrap();
        assert_eq!(crawled.throttled, 0, "{crawled:?}");
        assert!(crawled.seconds <= 1.1 * crawled.least_seconds(), "{crawled:?}");
    }
}

/// Twelve reads at a time are enough for the answers of a distant region.
#[test]
fn slow_answers_do_not_slow_a_crawl_down() {
    let crawled = crawl(300, Duration::from_millis(250)).unwrap();
    assert_eq!(crawled.throttled, 0, "{crawled:?}");
    assert!(crawled.seconds <= 1.2 * crawled.least_seconds(), "{crawled:?}");
}

/// The target is read at the same pace, over several invocations, and merged with both inventories meanwhile.
#[test]
fn a_service_of_a_thousand_apis_is_compared_at_the_same_pace() {
    let compared = verify(1_000, Duration::from_millis(50)).unwrap();
    assert_eq!(compared.throttled, 0, "{compared:?}");
    assert!(compared.ticks > 1 && compared.reads > 3_000, "{compared:?}");
    assert!(compared.seconds <= 1.1 * compared.least_seconds(), "{compared:?}");
}
