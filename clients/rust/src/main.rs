//! Sends events to a Laneway hub with Rust's standard library alone; with `ureq` or `reqwest` it is three lines.
//! LOGGING_URL is the hub's `http://HOST:PORT/log`, LANEWAY_TOKEN a token of scope `ingest`.

use std::io::{Error, Read, Result, Write};
use std::net::TcpStream;
use std::time::Duration;

fn send(lines: &str) -> Result<()> {
    let url = std::env::var("LOGGING_URL").map_err(Error::other)?;
    let token = std::env::var("LANEWAY_TOKEN").map_err(Error::other)?;
    let rest = url.strip_prefix("http://").ok_or_else(|| Error::other("http:// is wanted"))?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, "log"));
    let mut link = TcpStream::connect(host)?;
    link.set_read_timeout(Some(Duration::from_secs(10)))?;
    write!(
        link,
        "POST /{path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/x-ndjson\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{lines}",
        lines.len()
    )?;
    let mut answer = String::new();
    link.read_to_string(&mut answer)?;
    match answer.starts_with("HTTP/1.1 200") {
        true => Ok(()),
        false => Err(Error::other(answer.lines().next().unwrap_or("no answer").to_string())),
    }
}

fn main() -> Result<()> {
    send(concat!(
        r#"{"agent": "rust", "event": "decision", "content": "go by train", "session_id": "s1"}"#, "\n",
        r#"{"agent": "rust", "event": "tool_invocation", "tool": "timetable", "input": {"to": "Bergen"}, "span_id": "00f067aa0ba902b7"}"#, "\n",
        r#"{"agent": "rust", "event": "tool_result", "tool": "timetable", "output": "08:25", "span_id": "00f067aa0ba902b7", "duration_ms": 12}"#, "\n",
    ))
}
