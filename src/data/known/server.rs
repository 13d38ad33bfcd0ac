//! A small HTTP server on this machine, well or badly behaved, for the tests of the download.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What the server does with every request.
#[derive(Clone)]
pub(super) enum Reply {
    /// Sends this.
    Whole(Vec<u8>),
    /// Answers with this status.
    Status(u16),
    /// Sends these bytes as they are, head and all.
    Raw(Vec<u8>),
    /// Announces this, sends half of it and hangs up.
    Cut(Vec<u8>),
    /// Announces this, sends half of it and then nothing more.
    Stall(Vec<u8>),
    /// Sends without end and without saying how much.
    Endless,
    /// Sends a byte now and then, without end.
    Drip,
    /// Takes the request and never answers.
    Silence,
    /// Is not there.
    Refusal,
}

/// A server that runs until the test process ends.
pub(super) struct Server {
    /// Its address, ending in a slash.
    pub(super) base: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(super) fn start(reply: Reply) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}/", listener.local_addr().unwrap());
        let requests = Arc::default();
        let server = Server {
            base,
            requests: Arc::clone(&requests),
        };
        if !matches!(reply, Reply::Refusal) {
            thread::spawn(move || {
                for stream in listener.incoming() {
                    let (reply, requests) = (reply.clone(), Arc::clone(&requests));
                    thread::spawn(move || answer(stream.unwrap(), &reply, &requests));
                }
            });
        }
        server
    }

    /// The first lines of the requests so far.
    pub(super) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

/// A client that hangs up early is no concern of the server's: results of writing are dropped.
fn answer(mut stream: TcpStream, reply: &Reply, requests: &Mutex<Vec<String>>) {
    let mut lines = BufReader::new(&stream)
        .lines()
        .map(|line| line.unwrap_or_default());
    requests.lock().unwrap().push(lines.next().unwrap_or_default());
    while lines.next().is_some_and(|line| !line.is_empty()) {}
    let head = |status, length: usize| {
        format!("HTTP/1.1 {status} As told\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")
    };
    match reply {
        Reply::Whole(body) => {
            let _ = stream.write_all(&[head(200, body.len()).as_bytes(), body].concat());
        }
        Reply::Raw(bytes) => {
            let _ = stream.write_all(bytes);
        }
        Reply::Status(status) => {
            let _ = stream.write_all(head(*status, 0).as_bytes());
        }
        Reply::Cut(body) | Reply::Stall(body) => {
            let half = &body[..body.len() / 2];
            let _ = stream.write_all(&[head(200, body.len()).as_bytes(), half].concat());
            if matches!(reply, Reply::Stall(_)) {
                thread::sleep(Duration::from_secs(30));
            }
        }
        Reply::Endless | Reply::Drip => {
            let (bytes, pause) = match reply {
                Reply::Drip => (1, Duration::from_millis(50)),
                _ => (1000, Duration::ZERO),
            };
            let mut sent = stream.write_all(b"HTTP/1.1 200 As told\r\nConnection: close\r\n\r\n");
            while sent.is_ok() {
                thread::sleep(pause);
                sent = stream.write_all(&vec![7; bytes]);
            }
        }
        Reply::Silence => thread::sleep(Duration::from_secs(30)),
        Reply::Refusal => {}
    }
}
