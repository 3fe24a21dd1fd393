use std::sync::Mutex as Shared;

use tokio_util::sync::CancellationToken;

use super::*;

/// When calls go that all come at once, in milliseconds.
fn schedule(quota: Quota, burst: u32, calls: usize) -> Vec<u128> {
    let (mut bucket, start) = (Bucket::new(quota, burst, 1.0), Instant::now());
    let go = |_| {
        let at = bucket.next(start);
        bucket.take(at);
        (at - start).as_millis()
    };
    (0..calls).map(go).collect()
}

fn quota(operation: &str) -> Quota {
    *QUOTAS.iter().find(|quota| quota.operation == operation).expect("it is in the table")
}

#[test]
fn calls_go_evenly_and_a_little_slower_than_allowed() {
    assert_eq!(schedule(quota("DeleteRestApi"), 1, 3), [0, 31_500, 63_000]);
    assert_eq!(schedule(quota("CreateRestApi"), 1, 3), [0, 3_150, 6_300]);
    assert_eq!(schedule(quota(EDGE), 1, 2), [0, 31_500]);
    assert_eq!(schedule(quota("GetResources"), 1, 3), [0, 420, 840]);
}

#[test]
fn a_burst_goes_at_once() {
    assert_eq!(schedule(TOTAL, 3, 5), [0, 0, 0, 105, 210]);
}

#[test]
fn rest_fills_the_burst_again_and_no_more() {
    let (mut bucket, start) = (Bucket::new(TOTAL, 2, 1.0), Instant::now());
    bucket.take(start);
    bucket.take(start);
    let later = start + Duration::from_secs(60);
    for expected in [0, 0, 105] {
        let at = bucket.next(later);
        assert_eq!((at - later).as_millis(), expected);
        bucket.take(at);
    }
}

#[test]
fn what_has_no_quota_of_its_own_counts_in_the_total() {
    let pace = Pace::new(1.0);
    assert!(pace.lane("GetRestApi").is_none());
    assert_eq!(
        pace.words("GetRestApi"),
        "waiting: API Gateway allows 10 management calls in 1 s for an account and Region"
    );
    assert_eq!(
        pace.words("DeleteRestApi"),
        "waiting: API Gateway allows one DeleteRestApi in 30 s for an account and Region"
    );
}

#[test]
fn one_place_has_one_pace() {
    let place = |region: &str| ("123456789012".to_owned(), region.to_owned(), None);
    assert!(Arc::ptr_eq(&Pace::of(place("one"), 1.0), &Pace::of(place("one"), 1.0)));
    assert!(!Arc::ptr_eq(&Pace::of(place("one"), 1.0), &Pace::of(place("two"), 1.0)));
}

/// A turn of `DeleteRestApi` for somebody who may give up.
fn in_turn(pace: &Arc<Pace>, cancel: &CancellationToken, deadline: Option<Instant>) -> InTurn {
    let stop = Stop { cancel: cancel.clone(), deadline };
    InTurn::new(pace.clone(), Some(Waiting { stop, tell: Box::new(|_| {}) }))
}

#[tokio::test]
async fn whoever_comes_first_goes_first() {
    let pace = Arc::new(Pace::new(0.0005));
    let order = Arc::new(Shared::new(Vec::new()));
    let start = Instant::now();
    let tasks = futures_util::stream::FuturesUnordered::new();
    for number in 0..8 {
        let (pace, order) = (pace.clone(), order.clone());
        tasks.push(async move {
            pace.turn("DeleteRestApi").await;
            order.lock().expect("nothing panics").push(number);
        });
    }
    futures_util::StreamExt::collect::<Vec<()>>(tasks).await;
    assert_eq!(*order.lock().expect("nothing panics"), (0..8).collect::<Vec<_>>());
    assert!(start.elapsed() >= Duration::from_millis(7 * 15));
}

#[tokio::test]
async fn a_cancel_ends_the_wait_and_leaves_the_turn_to_the_next() {
    let pace = Arc::new(Pace::new(1.0));
    let cancel = CancellationToken::new();
    let turn = in_turn(&pace, &cancel, None);
    assert!(turn.wait("DeleteRestApi").await.is_ok());
    let (waited, ()) = tokio::join!(turn.wait("DeleteRestApi"), async { cancel.cancel() });
    assert_eq!(waited.expect_err("the turn is far off").0, "the operation was cancelled");
    let (_, bucket) = pace.lane("DeleteRestApi").expect("it is in the table");
    let next = bucket.try_lock().expect("nobody waits any more").next(Instant::now());
    assert!(next - Instant::now() <= Duration::from_millis(31_500));
}

#[tokio::test]
async fn a_timeout_ends_the_wait() {
    let pace = Arc::new(Pace::new(1.0));
    let cancel = CancellationToken::new();
    let turn = in_turn(&pace, &cancel, Some(Instant::now() + Duration::from_millis(20)));
    assert!(turn.wait("DeleteRestApi").await.is_ok());
    let reason = turn.wait("DeleteRestApi").await.expect_err("the turn is far off").0;
    assert_eq!(reason, "the time given by `customTimeouts` is up");
}
