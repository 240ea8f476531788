//! The store: sets of numbers in a log on disk, behind a protocol of lines.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::sync::Mutex;
use tokio::time::Instant;
use wrack_io::fs::{self, File, OpenOptions};
use wrack_io::net::{TcpListener, TcpStream};

use crate::Expiry;

/// A request is shorter than this.
const REQUEST_BYTES_MAX: u64 = 1_000;

/// When an element is gone.
#[derive(Clone, Copy)]
enum Gone {
    /// On the store's own monotonic clock; after a restart its time begins anew.
    At(Instant),
    /// By the wall clock, in milliseconds since 1970.
    After(u64),
}

struct Store {
    log: File,
    sets: BTreeMap<String, BTreeMap<i64, Gone>>,
    expiry: Expiry,
}

/// Serves until something fails: the log is in `folder`.
pub async fn serve(listener: TcpListener, folder: &Path, expiry: Expiry) -> io::Result<()> {
    let store = Arc::new(Mutex::new(Store::open(folder, expiry).await?));
    loop {
        let (stream, _) = listener.accept().await?;
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            // Whoever hangs up in the middle has his reasons.
            let _ = converse(stream, &store).await;
        });
    }
}

/// One request a line, one answer a line.
async fn converse(stream: TcpStream, store: &Mutex<Store>) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if (&mut stream).take(REQUEST_BYTES_MAX).read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let answer = store.lock().await.answer(&line).await?;
        stream.write_all(answer.as_bytes()).await?;
        stream.flush().await?;
    }
}

impl Store {
    async fn open(folder: &Path, expiry: Expiry) -> io::Result<Self> {
        let path: PathBuf = folder.join("kv.log");
        let before = match fs::read(&path).await {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        let log = OpenOptions::new().create(true).append(true).open(&path).await?;
        // The name must survive a crash, too.
        log.sync_all().await?;
        fs::sync_dir(folder).await?;
        // A crash in the middle of a record leaves half of one.
        let whole = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        if whole < before.len() {
            log.set_len(whole as u64).await?;
        }
        let mut store = Self { log, sets: BTreeMap::new(), expiry };
        for line in String::from_utf8_lossy(&before[..whole]).lines() {
            store.insert(line);
        }
        Ok(store)
    }

    async fn answer(&mut self, line: &str) -> io::Result<String> {
        if !line.ends_with('\n') {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(record) = line.strip_prefix("ADD ") {
            self.log.write_all(record.as_bytes()).await?;
            self.log.flush().await?;
            if !cfg!(feature = "no-fsync") {
                self.log.sync_all().await?;
            }
            self.insert(record);
            return Ok("OK\n".into());
        }
        let key = line.trim_start_matches("GET ").trim();
        Ok(self.elements(key).join(" ") + "\n")
    }

    /// Takes in a record: key, element, and when it expires in milliseconds.
    fn insert(&mut self, record: &str) {
        let mut words = record.split_whitespace();
        let (Some(key), Some(element), Some(ms)) = (words.next(), words.next(), words.next())
        else {
            return;
        };
        let (Ok(element), Ok(ms)) = (element.parse(), ms.parse()) else { return };
        let gone = match self.expiry {
            Expiry::Relative => Gone::At(Instant::now() + Duration::from_millis(ms)),
            Expiry::Absolute => Gone::After(ms),
        };
        self.sets.entry(key.into()).or_default().insert(element, gone);
    }

    /// What is in a set and has not expired.
    fn elements(&mut self, key: &str) -> Vec<String> {
        let (now, wall_ms) = (Instant::now(), wall_ms());
        let Some(set) = self.sets.get(key) else { return Vec::new() };
        let lives = |gone: &Gone| match gone {
            Gone::At(at) => now < *at,
            Gone::After(ms) => wall_ms <= *ms,
        };
        let living = set.iter().filter(|(_, gone)| lives(gone));
        living.map(|(element, _)| element.to_string()).collect()
    }
}

/// The machine's wall clock, in milliseconds since 1970.
#[expect(clippy::disallowed_methods, reason = "a service asks the system what time it is")]
pub fn wall_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_millis() as u64
}
