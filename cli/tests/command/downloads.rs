//! Downloads by the command from a server that misbehaves: one message says what each mirror did, and the cache holds
//! nothing but whole files.
//!
//! One of the mirrors is asked without encryption, so that a proxy on this machine can stand for it; the others it
//! refuses. What a sound server sends is tested beside `data::known`'s download, where mirrors can be anything.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::command::{assert_has, mfnet, parts};
use crate::disk::on_small_disk;
use crate::folder::folder_with;

const MIRROR: &str = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/train-images-idx3-ubyte.gz";

/// What the proxy sends in a mirror's name: this, so many times the other, and then the end; or nothing more.
#[derive(Clone)]
struct Answer {
    head: String,
    body: Vec<u8>,
    times: usize,
    stalls: bool,
}

fn answer(head: &str, body: &[u8]) -> Answer {
    Answer {
        head: head.replace('\n', "\r\n"),
        body: body.to_vec(),
        times: 1,
        stalls: false,
    }
}

/// A proxy that runs until the test process ends; its address.
fn proxy(answer: Answer) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let answer = answer.clone();
            thread::spawn(move || serve(stream.unwrap(), &answer));
        }
    });
    address
}

/// A client that hangs up early is no concern of the server's: results of writing are dropped.
fn serve(mut stream: TcpStream, answer: &Answer) {
    if let Some(host) = request(&stream).strip_prefix("CONNECT ") {
        if !host.contains(":80 ") {
            let _ = stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
            return;
        }
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        request(&stream);
    }
    let mut sent = stream.write_all(answer.head.as_bytes());
    for _ in 0..answer.times {
        sent = sent.and_then(|()| stream.write_all(&answer.body));
    }
    if answer.stalls {
        thread::sleep(Duration::from_secs(60));
    }
}

/// The first line of a request.
fn request(stream: &TcpStream) -> String {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let first = lines.next().unwrap_or_default();
    lines.find(String::is_empty);
    first
}

/// The command that fetches the data set, by this proxy alone.
fn fetching(folder: &Path, proxy: &str) -> Command {
    by(
        mfnet(folder, &["datasets", "fashion-mnist", "--fetch", "--quiet"]),
        proxy,
    )
}

fn by(mut command: Command, proxy: &str) -> Command {
    for name in [
        "all_proxy",
        "HTTPS_PROXY",
        "https_proxy",
        "HTTP_PROXY",
        "http_proxy",
        "NO_PROXY",
        "no_proxy",
    ] {
        command.env_remove(name);
    }
    command.env("ALL_PROXY", proxy);
    command
}

/// The names in the cache's folder, which may not be there.
fn cached(cache: &Path) -> Vec<String> {
    let entries = fs::read_dir(cache.join("mfnet/fashion_mnist"))
        .into_iter()
        .flatten();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn what_goes_wrong_is_told_and_nothing_is_kept() {
    let sound = "HTTP/1.1 200 OK\nContent-Length: 1000\n\n";
    let chunk = [b"10000\r\n", &vec![7; 1 << 16][..], b"\r\n"].concat();
    let endless = Answer {
        times: 1000,
        ..answer("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n", &chunk)
    };
    for (answer, part) in [
        (
            answer("HTTP/1.1 404 Not Found\nContent-Length: 0\n\n", b""),
            "http status: 404",
        ),
        (
            answer("HTTP/1.1 500 No\nContent-Length: 0\n\n", b""),
            "http status: 500",
        ),
        (
            answer("HTTP/1.1 503 Later\nContent-Length: 0\n\n", b""),
            "http status: 503",
        ),
        (answer(sound, &[7; 400]), "it broke off after"),
        (answer(sound, &[7; 1000]), "its MD5 sum is"),
        (answer(sound, &[7; 2000]), "its MD5 sum is"),
        (
            answer("HTTP/1.1 200 OK\nContent-Length: 99999999999\n\n", b""),
            "it offers 99999999999 bytes",
        ),
        (
            answer("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n", &chunk),
            "it broke off after 65536 bytes",
        ),
        (
            answer("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n", b"zz\r\n"),
            "it broke off after 0 bytes",
        ),
        (endless, "it does not end after"),
        (
            answer(
                &format!("HTTP/1.1 302 There\nLocation: {MIRROR}\nContent-Length: 0\nConnection: close\n\n"),
                b"",
            ),
            "redirect",
        ),
        (answer("SSH-2.0-OpenSSH_9.2\n", b""), MIRROR),
        (answer("", b""), MIRROR),
    ] {
        let at = &folder_with(&[]);
        let (code, out, err) = parts(&mut fetching(at, &proxy(answer)));
        assert_eq!((code, out.as_str()), (Some(1), ""), "{part}: {err}");
        assert!(err.starts_with("error: the data set fashion"), "{err}");
        assert!(err.contains(MIRROR) && err.contains(part), "{part}: {err}");
        assert!(err.contains("put train-images-idx3-ubyte.gz"), "{err}");
        assert_eq!(cached(&at.join("cache")), [""; 0], "{part}");
    }
}

#[test]
fn a_killed_download_is_none() {
    let at = &folder_with(&[]);
    let begun = Answer {
        stalls: true,
        ..answer("HTTP/1.1 200 OK\nContent-Length: 1000000\n\n", &[7; 70_000])
    };
    let mut child = fetching(at, &proxy(begun)).stderr(Stdio::null()).spawn().unwrap();
    while cached(&at.join("cache")).is_empty() {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // What is left has a name that nobody looks for, and is in nobody's way.
    assert_eq!(cached(&at.join("cache")).len(), 1);
    let (code, out, _) = parts(&mut mfnet(at, &["datasets", "fashion-mnist", "--json"]));
    let result: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (code, &result["datasets"][0]["state"]),
        (Some(0), &"missing".into())
    );
    let missing = answer("HTTP/1.1 404 Not Found\nContent-Length: 0\n\n", b"");
    let (code, _, err) = parts(&mut fetching(at, &proxy(missing)));
    assert!(code == Some(1) && err.contains("http status: 404"), "{err}");
}

#[test]
fn a_full_disk_is_told_and_nothing_is_kept() {
    let folder = folder_with(&[]);
    let large = answer("HTTP/1.1 200 OK\nContent-Length: 1000000\n\n", &[7; 1_000_000]);
    let script = r#"XDG_CACHE_HOME="$PWD/full" "$1" datasets fashion-mnist --fetch --quiet"#;
    let Some(command) = on_small_disk(&folder, "size=64k", script) else {
        return;
    };
    let (code, out, err) = parts(&mut by(command, &proxy(large)));
    assert_eq!((code, out.as_str()), (Some(1), ""), "{err}");
    assert_has(&err, &["cannot write into ", "No space left on device"]);
    assert_eq!(cached(&folder.join("kept")), [""; 0]);
}
