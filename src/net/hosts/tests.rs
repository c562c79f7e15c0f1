use std::{future::pending, pin::pin};

use super::*;

fn hosts(per_host: usize, all: usize) -> Hosts {
    Hosts::new(Widths { per_host, all, first_rest: Duration::from_millis(50) })
}

async fn enter<'a>(hosts: &'a Hosts, host: &'a str) -> Result<Place<'a>, Refusal> {
    hosts.enter(host, pin!(pending())).await
}

/// Enters if that needs no waiting.
async fn enter_at_once<'a>(hosts: &'a Hosts, host: &'a str) -> Option<Place<'a>> {
    tokio::select! {
        biased;
        place = enter(hosts, host) => Some(place.unwrap()),
        () = async {} => None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_that_asked_for_silence_is_left_alone_and_others_are_not() {
    let hosts = hosts(2, 2);
    let wait = Some(Duration::from_mins(5));
    enter(&hosts, "a").await.unwrap().leave(Ending::Throttled { wait }, 0);
    let start = Instant::now();
    let quiet = enter(&hosts, "a");

    // Both places of all are free while the quiet host is waited for.
    let others = [enter(&hosts, "b").await.unwrap(), enter(&hosts, "b").await.unwrap()];
    let other = start.elapsed();
    drop(others);
    drop(quiet.await.unwrap());

    assert_eq!((other, start.elapsed().as_secs()), (Duration::ZERO, 300));
    assert!((hosts.traffic().hosts["a"].waited_s - 300.0).abs() < 0.01);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_does_not_say_how_long_is_left_alone_longer_each_time() {
    let hosts = hosts(2, 2);
    let mut waits = Vec::new();
    for _ in 0..8 {
        enter(&hosts, "a").await.unwrap().leave(Ending::Throttled { wait: None }, 0);
        let start = Instant::now();
        drop(enter(&hosts, "a").await.unwrap());
        waits.push(start.elapsed().as_secs());
    }

    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
}

#[tokio::test]
async fn a_throttled_host_gets_half_the_places_and_no_more() {
    let hosts = hosts(4, 64);
    let wait = Some(Duration::ZERO);
    let mut places = Vec::new();
    for _ in 0..4 {
        places.push(enter(&hosts, "a").await.unwrap());
    }
    for place in places {
        place.leave(Ending::Throttled { wait }, 0);
    }

    let first = enter_at_once(&hosts, "a").await;
    let second = enter_at_once(&hosts, "a").await;
    let third = enter_at_once(&hosts, "a").await;

    assert_eq!([first.is_some(), second.is_some(), third.is_some()], [true, true, false]);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_is_down_is_waited_for_and_then_given_up_without_holding_others() {
    let hosts = hosts(8, 2);
    for _ in 0..5 {
        enter(&hosts, "down").await.unwrap().leave(Ending::Unreachable, 0);
    }
    let mut n_tries = 0;
    let end = loop {
        match enter(&hosts, "down").await {
            Ok(place) => place.leave(Ending::Unreachable, 0),
            Err(refusal) => break refusal,
        }
        n_tries += 1;
    };

    assert_eq!((end, n_tries), (Refusal::HostDown, 3));
    assert!(enter_at_once(&hosts, "up").await.is_some());
    assert_eq!(hosts.traffic().hosts["down"].breaker_openings, 4);
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_go_on_when_the_host_is_back() {
    let hosts = hosts(8, 8);
    for _ in 0..5 {
        enter(&hosts, "a").await.unwrap().leave(Ending::Unreachable, 0);
    }
    let visit = async || enter(&hosts, "a").await.unwrap().leave(Ending::Answered, 7);

    tokio::join!(visit(), visit(), visit());

    assert_eq!(hosts.traffic().hosts["a"].received_bytes, 21);
}

#[tokio::test]
async fn a_stop_ends_the_waiting() {
    let hosts = hosts(1, 1);
    let wait = Some(Duration::from_mins(10));
    enter(&hosts, "quiet").await.unwrap().leave(Ending::Throttled { wait }, 0);
    let _taken = enter(&hosts, "other").await.unwrap();

    let quiet = hosts.enter("quiet", pin!(async {})).await;
    let full = hosts.enter("other", pin!(async {})).await;
    let all_full = hosts.enter("third", pin!(async {})).await;

    let refusals = [quiet.err(), full.err(), all_full.err()];
    assert_eq!(refusals, [Some(Refusal::Stopped); 3]);
}

#[tokio::test]
async fn whoever_stood_in_line_while_a_host_went_down_finds_out_whether_it_is_back() {
    let hosts = hosts(4, 1);
    let (first, second) = (pin!(pending::<()>()), pin!(pending::<()>()));
    let other = hosts.enter("other", first).await.unwrap();
    let standing = hosts.enter("down", second);
    let meanwhile = async {
        tokio::time::sleep(Duration::from_millis(10)).await;
        {
            let mut known = hosts.known();
            let host = hosts.host(&mut known, "down");
            while host.breaker.failed(Role::Ordinary, Instant::now()) != Turn::Opened {}
        }
        // Longer than the host is left alone.
        tokio::time::sleep(Duration::from_millis(80)).await;
        other.leave(Ending::Answered, 0);
    };

    let both = async { tokio::join!(standing, meanwhile) };
    let (place, ()) = tokio::time::timeout(Duration::from_secs(5), both).await.unwrap();

    assert!(place.is_ok_and(|it| it.stay.as_ref().is_some_and(|it| it.role == Role::Trial)));
}

#[tokio::test]
async fn a_place_among_all_lasts_until_what_came_is_dealt_with() {
    let hosts = hosts(4, 1);
    let mut place = enter(&hosts, "a").await.unwrap();

    let held = place.held();
    place.leave(Ending::Answered, 7);

    assert!(enter_at_once(&hosts, "b").await.is_none());
    drop(held);
    drop(enter_at_once(&hosts, "b").await.unwrap());
    let known = hosts.known();
    assert_eq!(known.values().map(|host| host.under_way).collect::<Vec<_>>(), [0, 0]);
}
