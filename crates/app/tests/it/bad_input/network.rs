//! Servers that are not what they should be: nobody there, silence, nonsense, other shapes, another clock.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    thread,
    time::Duration,
};

use super::compare_kept;
use crate::{
    scenario::{World, local},
    support::{Folder, Run},
};

/// A token as the login service gives it.
const TOKEN: &str = r#"{"token_type":"Bearer","expires_in":3599,"access_token":"e30.e30.e30"}"#;

/// A server that does this with each connection; its port. It ends with the test.
fn server(serve: fn(TcpStream)) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || listener.incoming().flatten().for_each(|stream| drop(thread::spawn(move || serve(stream)))));
    port
}

/// Reads a request's head, and gives its first line.
fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
        head.push(byte[0]);
    }
    String::from_utf8_lossy(&head).lines().next().unwrap_or_default().to_owned()
}

fn answer(stream: &mut TcpStream, kind: &str, body: &str) {
    let length = body.len();
    let text = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    drop(stream.write_all(text.as_bytes()));
    drop(stream.shutdown(Shutdown::Write));
    drop(stream.read_to_end(&mut Vec::new()));
}

/// Gives tokens, and says this to everything else.
fn graph_says(mut stream: TcpStream, kind: &str, body: &str) {
    if head(&mut stream).contains("/oauth2/v2.0/token") {
        answer(&mut stream, "application/json", TOKEN);
    } else {
        answer(&mut stream, kind, body);
    }
}

fn project(port: u16) -> Folder {
    let folder = Folder::project(&format!(
        "[migration]\nname = \"bad\"\n[sources.legacy]\nconnector = \"json-lines\"\npath = \"people.jsonl\"\n[target]\n\
         connector = \"entra-external-id\"\ntenant = \"contoso.onmicrosoft.com\"\n\
         client_id = \"00001111-aaaa-4222-bbbb-3333cccc4444\"\nclient_secret = {{ env = \"BAD_SECRET\" }}\n\
         graph_url = \"http://127.0.0.1:{port}\"\nlogin_url = \"http://127.0.0.1:{port}\"\nrequest_timeout_secs = 1\n"
    ));
    folder.write("people.jsonl", &["a", "b", "c"].map(local).join("\n"));
    folder
}

/// Plans against the server on `port`; the error has this code and these words.
fn check(name: &str, port: u16, code: &str, words: &str) {
    let folder = project(port);
    folder.run("extract").exits(0);
    let output = folder.command("plan -vvv").env("BAD_SECRET", "hunter2-hunter2").output().unwrap();
    let run = Run {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    };
    let told = format!("{name}: {} {}{}", run.code, run.stdout, run.stderr);
    assert_eq!(run.code, 1, "{told}");
    assert!(run.stderr.contains(&format!("error[{code}]: ")) && run.stderr.contains(words), "{told}");
    assert!(run.stderr.contains("hint: ") && !told.contains("panicked"), "{told}");
    assert!(!told.contains("hunter2") && !told.contains("e30.e30") && !told.contains("secret-of-the-server"), "{told}");
    compare_kept(&folder, name, 3, &[]);
}

#[test]
fn nobody_at_the_port() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    check("nobody there", port, "E2001", "cannot be connected to");
}

#[test]
fn a_server_that_never_answers() {
    check("silence", server(|_stream| thread::sleep(Duration::from_secs(20))), "E2001", "took too long");
}

#[test]
fn a_server_that_closes_at_once() {
    check("closes", server(drop), "E2001", "login service gave no answer");
}

#[test]
fn a_server_that_speaks_another_protocol() {
    let nonsense = |mut stream: TcpStream| drop(stream.write_all(b"220 secret-of-the-server ESMTP\r\n"));
    check("another protocol", server(nonsense), "E2001", "login service gave no answer");
}

#[test]
fn a_login_service_that_answers_with_a_page() {
    let page = |mut stream: TcpStream| {
        head(&mut stream);
        answer(&mut stream, "text/html", "<html>secret-of-the-server</html>");
    };
    check("a page in place of a token", server(page), "E2001", "login service");
}

#[test]
fn a_graph_that_answers_with_a_page() {
    let page = |stream| graph_says(stream, "text/html", "<html>secret-of-the-server</html>");
    check("a page in place of JSON", server(page), "E2009", "unknown form");
}

#[test]
fn a_graph_that_answers_in_another_shape() {
    let other = |stream| graph_says(stream, "application/json", r#"{"value":{"secret-of-the-server":true}}"#);
    check("another shape", server(other), "E2009", "unknown form");
}

#[test]
fn a_graph_whose_answer_never_ends() {
    let endless = |mut stream: TcpStream| {
        if head(&mut stream).contains("/oauth2/v2.0/token") {
            return answer(&mut stream, "application/json", TOKEN);
        }
        drop(stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"));
        while stream.write_all(&[b' '; 8 << 10]).is_ok() {}
    };
    check("without an end", server(endless), "E2001", "no answer");
}

#[test]
fn a_graph_that_breaks_off_within_its_answer() {
    let half = |mut stream: TcpStream| {
        if head(&mut stream).contains("/oauth2/v2.0/token") {
            return answer(&mut stream, "application/json", TOKEN);
        }
        drop(stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n{\"value\":["));
    };
    check("half an answer", server(half), "E2001", "no answer");
}

#[test]
fn an_authority_that_is_not_known_is_told_and_its_file_mends_it() {
    let source = "[sources.legacy]\nconnector = \"json-lines\"\npath = \"people.jsonl\"\n";
    let world = World::of("entra-external-id", source, "", "", "", "--read-delay-ms 0 --tls --ca-file ca.pem");
    world.folder.write("people.jsonl", &local("a"));
    world.run("extract").exits(0);
    let run = world.run("plan").exits(1);
    assert!(run.stderr.contains("error[E2001]") && run.stderr.contains("ca_file"), "{}", run.stderr);
    world.folder.write("empty.pem", "no certificate");
    for (file, words) in [("nowhere.pem", "cannot be read"), ("empty.pem", "holds no PEM certificate")] {
        let toml = world.folder.read("sterna.toml");
        world.reconfigure("graph_url", &format!("ca_file = \"{file}\"\ngraph_url"));
        let run = world.run("plan");
        assert!([1, 2].contains(&run.code) && run.stderr.contains(words), "{file}: {}", run.stderr);
        world.folder.write("sterna.toml", &toml);
    }
    world.reconfigure("graph_url", "ca_file = \"ca.pem\"\ngraph_url");
    assert!([0, 11].contains(&world.run("plan").code));
}

#[test]
fn a_clock_that_differs_is_told() {
    let world = World::with_people(&[local("a")], "", "");
    let url = world.emulator.ready["graph_url"].as_str().unwrap().to_owned();
    let port = through_another_time(url.trim_start_matches("http://").to_owned());
    world.reconfigure(&format!("graph_url = \"{url}\""), &format!("graph_url = \"http://127.0.0.1:{port}\""));
    world.reconfigure(&format!("login_url = \"{url}\""), &format!("login_url = \"http://127.0.0.1:{port}\""));
    let run = world.run("check");
    assert!(run.stderr.contains("warning[E2005]") && run.stderr.contains("set the clock"), "{}", run.stderr);
}

/// A way to a server on which its answers get a date of long ago; its port.
fn through_another_time(to: String) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let server = TcpStream::connect(&to).unwrap();
            let (from, into) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            thread::spawn(move || pump(from, into, |bytes| bytes));
            thread::spawn(move || pump(server, client, dated));
        }
    });
    port
}

fn pump(mut from: TcpStream, mut into: TcpStream, change: fn(Vec<u8>) -> Vec<u8>) {
    let mut bytes = vec![0; 64 << 10];
    while let Ok(read @ 1..) = from.read(&mut bytes) {
        if into.write_all(&change(bytes[..read].to_vec())).is_err() {
            break;
        }
    }
    drop(into.shutdown(Shutdown::Write));
}

/// The same bytes with another year in the date.
fn dated(mut bytes: Vec<u8>) -> Vec<u8> {
    let Some(at) = bytes.windows(6).position(|part| part.eq_ignore_ascii_case(b"date: ")) else { return bytes };
    // Sun, 06 Nov 1994 08:49:37 GMT
    let date = b"Sun, 06 Nov 1994 08:49:37 GMT";
    if bytes.len() >= at + 6 + date.len() {
        bytes[at + 6..at + 6 + date.len()].copy_from_slice(date);
    }
    bytes
}
