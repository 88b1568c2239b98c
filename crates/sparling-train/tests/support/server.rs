//! A web server on this machine, with one file and bad habits if wanted.

use std::io::{BufRead, BufReader, Result, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// How a server behaves.
#[derive(Clone, Copy, Default)]
pub struct Habits {
    /// Gives a part of the file where that is asked for.
    pub ranges: bool,
    /// Does not tell the file's length.
    pub chunked: bool,
    /// Does not have the file.
    pub missing: bool,
    /// Closes the first connection after so many bytes of the file.
    pub cut: Option<usize>,
}

/// A server; it runs until the test's process ends.
pub struct Server {
    /// The file's address.
    pub url: String,
    requests: Arc<Mutex<Vec<Option<usize>>>>,
}

impl Server {
    /// Starts one for a file with these contents.
    pub fn start(file: Vec<u8>, habits: Habits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        let address = listener.local_addr().expect("the port is known");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&requests);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // Where the client went away there is nobody left to tell.
                let _ = answer(stream, &file, habits, &heard);
            }
        });
        let url = format!("http://{address}/tiny.tar.gz");
        Self { url, requests }
    }

    /// From which byte on each request so far wanted the file, if it said so.
    pub fn requests(&self) -> Vec<Option<usize>> {
        self.requests.lock().expect("no server panics").clone()
    }
}

fn answer(
    mut stream: TcpStream,
    file: &[u8],
    habits: Habits,
    requests: &Mutex<Vec<Option<usize>>>,
) -> Result<()> {
    let start = wanted(&stream)?;
    let mut requests = requests.lock().expect("no server panics");
    let cut = habits.cut.filter(|_| requests.is_empty());
    requests.push(start);
    drop(requests);
    let length = file.len();
    let (status, body) = match start.filter(|_| habits.ranges) {
        _ if habits.missing => ("404 Not Found".to_owned(), &b"Gone."[..]),
        None => ("200 OK".to_owned(), file),
        Some(start) if start < length => {
            let range = format!("bytes {start}-{}/{length}", length - 1);
            let status = format!("206 Partial Content\r\nContent-Range: {range}");
            (status, &file[start..])
        }
        Some(_) => {
            let range = format!("bytes */{length}");
            let status = format!("416 Range Not Satisfiable\r\nContent-Range: {range}");
            (status, &[][..])
        }
    };
    let length = match habits.chunked {
        true => format!("Transfer-Encoding: chunked\r\n\r\n{:x}", body.len()),
        false => format!("Content-Length: {}\r\n", body.len()),
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nConnection: close\r\n{length}\r\n"
    )?;
    stream.write_all(&body[..cut.unwrap_or(body.len())])?;
    if habits.chunked && cut.is_none() {
        stream.write_all(b"\r\n0\r\n\r\n")?;
    }
    stream.flush()
}

/// Reads a request; gives the first byte that it wants.
fn wanted(stream: &TcpStream) -> Result<Option<usize>> {
    let mut start = None;
    for line in BufReader::new(stream).lines() {
        let line = line?.to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(range) = line.strip_prefix("range: bytes=") {
            start = range.strip_suffix('-').and_then(|start| start.parse().ok());
        }
    }
    Ok(start)
}
