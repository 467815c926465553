//! Over HTTP/1, the right tokens are cancelled and no others: keep-alive, pipelining, clients that hang up, upgrades.

use crate::support::server::{Protocol, read_until, serve};
use crate::support::service::{assert_gone, run};
use cantok_core::SimpleToken;
use cantok_tower::TokenLayer;
use tokio::io::AsyncWriteExt as _;

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n")
}

#[test]
fn keep_alive_makes_a_token_for_each_request() {
    run("keep-alive", async || {
        let shutdown = SimpleToken::new();
        let (mut client, mut tokens) = serve(&TokenLayer::new(&shutdown), Protocol::Http1);
        let mut answered = Vec::new();
        for number in 0..100 {
            client
                .write_all(get(&format!("/{number}")).as_bytes())
                .await
                .unwrap();
            read_until(&mut client, "\r\n\r\ntext").await;
            let (path, token) = tokens.recv().await.unwrap();
            assert_eq!(path, format!("/{number}"));
            answered.push(token);
        }
        client.write_all(get("/never").as_bytes()).await.unwrap();
        let (_, last) = tokens.recv().await.unwrap();
        assert!(last.keep_on());
        drop(client);
        last.cancelled().await;
        assert_gone(&last);
        // None of the others, and all of them are different.
        assert!(answered.iter().all(|token| token.keep_on()));
        answered[0].cancel();
        assert!(answered[1..].iter().all(|token| token.keep_on()));
        assert!(shutdown.keep_on());
    });
}

#[test]
fn pipelined_requests_have_their_own_tokens() {
    run("pipelining", async || {
        let (mut client, mut tokens) = serve(&TokenLayer::new(SimpleToken::new()), Protocol::Http1);
        let requests = [get("/1"), get("/2"), get("/never")].concat();
        client.write_all(requests.as_bytes()).await.unwrap();
        for _ in 0..2 {
            read_until(&mut client, "\r\n\r\ntext").await;
        }
        let (_, first) = tokens.recv().await.unwrap();
        let (_, second) = tokens.recv().await.unwrap();
        let (path, last) = tokens.recv().await.unwrap();
        assert_eq!(path, "/never");
        assert!(last.keep_on());
        drop(client);
        last.cancelled().await;
        assert_gone(&last);
        assert!(first.keep_on() && second.keep_on());
    });
}

#[test]
fn a_client_that_hangs_up_in_the_middle_of_a_body_is_gone() {
    run("a body without an end", async || {
        let (mut client, mut tokens) = serve(&TokenLayer::new(SimpleToken::new()), Protocol::Http1);
        client.write_all(get("/stream").as_bytes()).await.unwrap();
        read_until(&mut client, "first\r\n").await;
        let (_, token) = tokens.recv().await.unwrap();
        assert!(token.keep_on());
        drop(client);
        token.cancelled().await;
        assert_gone(&token);
    });
}

#[test]
fn an_answer_to_head_has_ended() {
    run("HEAD", async || {
        let (mut client, mut tokens) = serve(&TokenLayer::new(SimpleToken::new()), Protocol::Http1);
        let head = get("/stream").replace("GET", "HEAD");
        client.write_all(head.as_bytes()).await.unwrap();
        read_until(&mut client, "\r\n\r\n").await;
        // After another request over the same connection, the first is done with.
        client.write_all(get("/").as_bytes()).await.unwrap();
        read_until(&mut client, "\r\n\r\ntext").await;
        let (_, token) = tokens.recv().await.unwrap();
        assert!(token.keep_on());
    });
}

#[test]
fn an_upgraded_connection_keeps_its_token() {
    run("an upgrade", async || {
        let shutdown = SimpleToken::new();
        let (mut client, mut tokens) = serve(&TokenLayer::new(&shutdown), Protocol::Http1);
        let upgrade = get("/upgrade").replace(
            "\r\n\r\n",
            "\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n",
        );
        client.write_all(upgrade.as_bytes()).await.unwrap();
        let head = read_until(&mut client, "\r\n\r\n").await;
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        client.write_all(b"hello").await.unwrap();
        read_until(&mut client, "hello").await;
        let (_, token) = tokens.recv().await.unwrap();
        assert!(token.keep_on());
        shutdown.cancel();
        assert!(token.cancellation().unwrap().is_from(&shutdown));
    });
}

#[test]
fn a_deadline_in_the_middle_of_a_body_closes_the_connection() {
    run("a deadline", async || {
        let layer = TokenLayer::new(SimpleToken::new());
        let (mut client, mut tokens) = serve(&layer, Protocol::Http1);
        let request = get("/stream").replace("\r\n\r\n", "\r\nx-request-timeout: 0.05\r\n\r\n");
        client.write_all(request.as_bytes()).await.unwrap();
        let mut read = Vec::new();
        tokio::io::AsyncReadExt::read_to_end(&mut client, &mut read)
            .await
            .unwrap();
        // No last chunk: the client knows that something is missing.
        assert!(read.ends_with(b"first\r\n"));
        let (_, token) = tokens.recv().await.unwrap();
        let error = token.cancellation().unwrap();
        assert_eq!(error.to_string(), "the timeout of 50ms has expired");
    });
}
