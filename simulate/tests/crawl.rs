//! A large service is read as fast as Resource Manager allows, and no faster.

use std::time::Duration;

use apim_dr_simulate::crawl::crawl;

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
