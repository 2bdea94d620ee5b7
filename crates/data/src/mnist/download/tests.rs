//! Downloads against a server in this process.

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;
use std::io;

const CONTENT: &[u8] = b"the quick brown fox jumps over the lazy dog";

/// The file `fox.gz`, unpacked the line above.
const FOX: Remote = Remote {
    name: "fox",
    bytes: CONTENT.len() as u64,
    sha256: "0x05c6e08f1d9fdafa03147fcb8f82f124c76d2f70e3d989dc8aadb5e7d7450bec",
};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// What the server answers, by the first folder of the path.
fn answer(path: &str, stream: &mut TcpStream) -> io::Result<()> {
    let (good, other) = (gzip(CONTENT), gzip(&CONTENT[1..]));
    let (status, length, body) = match path.split('/').nth(1) {
        Some("good") => ("200 OK", good.len(), good),
        Some("wrong") => ("200 OK", other.len(), other),
        Some("short") => ("200 OK", good.len(), good[..20].to_vec()),
        Some("huge") => ("200 OK", 1 << 40, good),
        Some("page") => ("200 OK", 6, b"<html>".to_vec()),
        _ => ("404 Not Found", 0, Vec::new()),
    };
    write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")?;
    stream.write_all(&body)
}

/// Answers requests for as long as the tests run, at the address it gives.
fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let lines: Vec<String> =
                BufReader::new(&stream).lines().map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
            let path = lines[0].split(' ').nth(1).unwrap().to_owned();
            // the client may have gone
            let _ = answer(&path, &mut stream);
        }
    });
    address
}

/// Bytes so far and in all.
type Told = (u64, Option<u64>);

/// Asks the server's `folders` in order; the outcome, the names in the cache, and what the progress told.
fn download(test: &str, folders: &[&str]) -> (Result<()>, Vec<String>, Vec<Told>) {
    let cache = std::env::temp_dir().join(format!("cotangent-{test}-{}", std::process::id()));
    let server = serve();
    let mirrors: Vec<String> = folders.iter().map(|folder| format!("{server}/{folder}/")).collect();
    let told = RefCell::new(Vec::new());
    let result = complete(&cache, &[FOX], &mirrors, &|file, done, total| {
        assert_eq!(file, "fox");
        told.borrow_mut().push((done, total));
    });
    let names = fs::read_dir(&cache).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    if result.is_ok() {
        assert!(FOX.check(File::open(cache.join("fox.gz")).unwrap()).is_ok());
        // what is there and sound is not asked for again
        complete(&cache, &[FOX], &[], &|_, _, _| ()).unwrap();
        fs::write(cache.join("fox.gz"), b"spoiled").unwrap();
        complete(&cache, &[FOX], &mirrors, &|_, _, _| ()).unwrap();
        assert!(FOX.check(File::open(cache.join("fox.gz")).unwrap()).is_ok());
    }
    fs::remove_dir_all(&cache).unwrap();
    (result, names, told.into_inner())
}

#[test]
fn a_good_file_is_kept() {
    let (result, names, told) = download("good", &["good"]);
    result.unwrap();
    assert_eq!(names, ["fox.gz"]);
    let size = gzip(CONTENT).len() as u64;
    assert_eq!(told.last(), Some(&(size, Some(size))));
}

#[test]
fn the_next_mirror_is_asked_after_every_kind_of_failure() {
    let (result, names, _) = download("next", &["absent", "wrong", "short", "huge", "page", "good"]);
    result.unwrap();
    assert_eq!(names, ["fox.gz"]);
}

#[test]
fn when_all_fail_each_reason_is_told_and_nothing_stays() {
    let (result, names, _) = download("all", &["absent", "wrong", "short", "huge", "page"]);
    let text = result.unwrap_err().to_string();
    let reasons = [
        "[download] fox: http://127.0.0.1",
        "/absent: http status: 404",
        "/wrong: SHA-256 of the unpacked 42 bytes is 0x",
        "/short: broke off after ",
        "/huge: the server offers 1099511627776 bytes",
        "/page: not the gzip file it should be",
    ];
    for reason in reasons {
        assert!(text.contains(reason), "{reason:?} is not in: {text}");
    }
    assert_eq!(names, [""; 0]);
}

#[test]
fn a_server_that_is_not_there_is_a_reason_too() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let cache = std::env::temp_dir().join(format!("cotangent-gone-{}", std::process::id()));
    let mirrors = [format!("{gone}/a"), format!("{gone}/b/")];
    let text = complete(&cache, &[FOX], &mirrors, &|_, _, _| ()).unwrap_err().to_string();
    assert!(text.starts_with(&format!("[download] fox: {gone}/a, {gone}/b: ")), "one reason for both: {text}");
    assert!(text.to_lowercase().contains("refused"), "{text}");
    let text = complete(&cache, &[FOX], &[], &|_, _, _| ()).unwrap_err().to_string();
    assert!(text.contains("fox: no mirror to ask"), "{text}");
    fs::remove_dir_all(&cache).unwrap();
}
