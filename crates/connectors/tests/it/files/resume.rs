//! Going on where a page ended gives the same records as one go, in bounded memory.

use std::io::{Read, Write};

use sterna_connectors::{
    b2c_users_file::UsersFile,
    json_lines::{JsonLines, Shape},
    text::{Encoding, FileSource, Form, Reader, Stated},
};
use sterna_core::port::Source;

use super::{File, page, print, utf16, wait};

/// 2,500 records with every fourth one wrong, in each form and encoding.
fn files() -> Vec<File> {
    let each = |wrong: &dyn Fn(usize) -> String, right: &dyn Fn(usize) -> String, between: &str| {
        let records: Vec<_> = (0..2_500).map(|id| if id % 4 == 3 { wrong(id) } else { right(id) }).collect();
        records.join(between)
    };
    let lines = each(&|id| format!("{{\"id\":{id},"), &|id| format!("{{\"id\":\"é{id}\"}}\r\n"), "\n");
    let rows = each(&|id| format!("{id},\"x"), &|id| format!("{id},\"a\n{id}@x.org\""), "\r\n");
    let users = each(&|id| format!("{{\"a\" {id}}}"), &|id| format!("/* ] */ {{\"signInName\":\"é{id}\",}}"), ",\n");
    let users = format!("// x\n{{\"Users\":[{users},],\"userType\":\"userName\"}}");
    let rows = format!("id,email\r\n{rows}");
    let mut files = Vec::new();
    for (kind, text) in [("json-lines", lines), ("csv", rows), ("b2c-users-file", users)] {
        files.push(File::new(kind, &text));
        files.push(File::new(kind, utf16(&text)));
    }
    files
}

#[test]
fn every_page_can_be_the_last_before_a_crash() {
    for file in files() {
        let whole: Vec<String> = file.read().records.iter().map(print).collect();
        assert_eq!(whole.len(), 2_500);
        let (mut resumed, mut cursor) = (Vec::new(), None);
        loop {
            // A new source for every page: nothing is known but the cursor, as it was stored.
            let page = page(&mut *file.open(), cursor.as_ref()).unwrap();
            resumed.extend(page.records.iter().map(print));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(resumed, whole);
    }
}

#[test]
fn a_page_can_be_read_again() {
    for file in files() {
        let mut source = file.open();
        let first = page(&mut *source, None).unwrap();
        let once: Vec<_> = page(&mut *source, first.next.as_ref()).unwrap().records.iter().map(print).collect();
        let again: Vec<_> = page(&mut *source, first.next.as_ref()).unwrap().records.iter().map(print).collect();
        assert_eq!(once, again);
    }
}

/// A unit of text, over and over, without ever being in memory as a whole.
struct Repeat {
    unit: Vec<u8>,
    at: usize,
    times: usize,
}

impl Read for Repeat {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.at == self.unit.len() && self.times > 0 {
            (self.at, self.times) = (0, self.times - 1);
        }
        let count = (&self.unit[self.at..]).read(buffer)?;
        self.at += count;
        Ok(count)
    }
}

fn long(head: &'static str, unit: impl Into<Vec<u8>>, times: usize, tail: &'static str) -> impl Read {
    head.as_bytes().chain(Repeat { unit: unit.into(), at: 0, times: times - 1 }).chain(tail.as_bytes())
}

fn peak<F: Form, R: Read>(mut form: F, text: impl Fn(usize) -> R, times: usize) -> (u64, usize) {
    let mut place = form.begin(&mut Reader::new(text(2), Encoding::Utf8, 0, 1)).unwrap();
    let mut reader = Reader::new(text(times), Encoding::Utf8, 0, 1);
    while reader.offset() < place.at {
        reader.peek().unwrap();
        let step = usize::try_from(place.at - reader.offset()).unwrap().min(reader.held().len());
        reader.take(step);
    }
    while form.next(&mut reader, &mut place).unwrap().is_some() {
        place.records += 1;
    }
    (place.records, reader.peak())
}

#[test]
fn memory_does_not_grow_with_the_file() {
    let limit = 64 * 1024;
    let user = || UsersFile::new(None, limit);
    let users = |times| {
        let unit = "{\"signInName\":\"a@x.org\",\"displayName\":\"Ana\"},\n".repeat(80);
        long("{\"userType\":\"emailAddress\",\"Users\":[\n", unit, times, "]}")
    };
    let (few, small) = peak(user(), users, 100);
    let (many, large) = peak(user(), users, 5_000); // 18 MB
    assert_eq!((few, many), (8_000, 400_000));
    assert!(large <= small + 1_024, "about the same buffer for fifty times the file: {small}, {large}");
    assert!(large <= 2 * 128 * 1024 + limit, "{large}");

    let oversized = |times| long("[\"", "x".repeat(4_096), times, "\",7]");
    let (records, held) = peak(user(), oversized, 5_000); // one string of 20 MB
    assert_eq!(records, 2);
    assert!(held <= 2 * 128 * 1024 + limit, "{held}");

    let line = || JsonLines::new(Shape::Account, limit);
    let lines = |times| long("", "x".repeat(4_096), times, "\n{\"id\":1}\n");
    let (records, held) = peak(line(), lines, 5_000);
    assert_eq!(records, 2);
    assert!(held <= 2 * 128 * 1024 + limit, "{held}");
}

#[test]
fn a_file_source_holds_little_more_than_its_longest_record() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users.jsonl");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&path).unwrap());
    for id in 0..60_000 {
        writeln!(file, "{{\"id\":{id},\"display_name\":\"{}\"}}", "x".repeat(100)).unwrap();
    }
    drop(file);
    let mut source = FileSource::new(path, Stated::Auto, JsonLines::new(Shape::Account, 1 << 20));
    let (mut cursor, mut records, mut peak) = (None, 0, 0);
    loop {
        let page = wait(source.read(cursor.as_ref())).unwrap();
        records += page.records.len();
        peak = peak.max(source.peak());
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(records, 60_000);
    assert!(peak < 300 * 1024, "{peak} bytes held of a file of 8 MB");
}
