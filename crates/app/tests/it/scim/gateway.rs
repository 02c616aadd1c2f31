//! The gateway between Asgardeo's `callChoreo` and Sterna: it wants the organisation's token and passes calls on with the proof
//! that Sterna takes. Polls come from browsers, without a token, and get none.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    thread,
};

/// Starts one; its address. It ends with the process.
pub(super) fn start(service: &str, proof: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (service, proof) = (service.strip_prefix("http://").unwrap().to_owned(), proof.to_owned());
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let (service, proof) = (service.clone(), proof.clone());
            thread::spawn(move || pass_on(client, &service, &proof));
        }
    });
    address
}

/// Passes one request on, and its answer back.
fn pass_on(mut client: TcpStream, service: &str, proof: &str) {
    let mut reader = BufReader::new(client.try_clone().unwrap());
    let (mut head, mut length, mut has_token) = (String::new(), 0, false);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or_default() == 0 {
            return;
        }
        let lower = line.to_ascii_lowercase();
        if line == "\r\n" {
            break;
        } else if let Some(token) = lower.strip_prefix("authorization: bearer ") {
            // a JWT of the organisation
            has_token = token.starts_with("ey");
        } else if !lower.starts_with("connection:") {
            if let Some(text) = lower.strip_prefix("content-length:") {
                length = text.trim().parse().unwrap();
            }
            head.push_str(&line);
        }
    }
    if head.starts_with("POST") && !has_token {
        client.write_all(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
        return;
    }
    let proof = if has_token { format!("Authorization: Bearer {proof}\r\n") } else { String::new() };
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let mut upstream = TcpStream::connect(service).unwrap();
    upstream.write_all(format!("{head}{proof}Connection: close\r\n\r\n").as_bytes()).unwrap();
    upstream.write_all(&body).unwrap();
    let mut answer = Vec::new();
    upstream.read_to_end(&mut answer).unwrap();
    client.write_all(&answer).unwrap();
}
