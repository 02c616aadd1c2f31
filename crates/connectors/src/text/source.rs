//! A file as a [`Source`]: opening, encoding, pages, cursors. What records look like is a [`Form`]'s matter.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sterna_core::{
    account::Account,
    code::{Code, Finding},
    port::{Cursor, Page, REJECT_BYTES, Record, Rejected, Source, SourceError},
};
use zeroize::Zeroizing;

use super::{Detected, Encoding, Mark, Mistake, Opened, Place, Reader, Stated, detect, file::unreadable};

/// Most records of a page.
const PAGE_RECORDS: usize = 1_000;

/// A page ends when its records took this much of the file, in bytes.
const PAGE_BYTES: u64 = 4 << 20;

/// The position of a record that was mended: it stands in no file.
pub(crate) const MENDED: &str = "mended record";

/// How records are taken out of text.
pub trait Form: Send + 'static {
    /// What has to be known, besides where, to go on after a crash.
    type State: Clone + PartialEq + Serialize + DeserializeOwned + Send;

    /// Reads what stands before the first record and says where that begins; the reader stands at the beginning.
    ///
    /// # Errors
    /// When it has not the form that is wanted.
    fn begin<R: Read>(&mut self, reader: &mut Reader<R>) -> Result<Place<Self::State>, SourceError>;

    /// Gets ready to go on at `place`; the reader stands at the beginning.
    ///
    /// # Errors
    /// E3006 when what has to be known does not fit the file any more.
    fn resume<R: Read>(&mut self, reader: &mut Reader<R>, place: &Place<Self::State>) -> Result<(), SourceError>;

    /// Takes the next record; `None` at the end. The reader stands at `place`.
    ///
    /// # Errors
    /// When reading cannot go on.
    fn next<R: Read>(
        &mut self,
        reader: &mut Reader<R>,
        place: &mut Place<Self::State>,
    ) -> Result<Option<Record>, SourceError>;

    /// Reads one mended record, which is UTF-8.
    fn mend(&mut self, text: &str) -> Record;

    /// What is good to know of the file, after [`Self::begin`].
    fn notes(&self) -> Vec<Finding>;
}

/// A file of which `F` takes the records.
///
/// [`Source::read`] reads the file inline: a page is at most a few MiB, and the engine runs it on its own task.
pub struct FileSource<F: Form> {
    path: PathBuf,
    stated: Stated,
    form: F,
    open: Option<Reading<F>>,
}

struct Reading<F: Form> {
    file: Opened,
    detected: Detected,
    reader: Reader<File>,
    place: Place<F::State>,
}

#[derive(Serialize, Deserialize)]
struct Stored<X> {
    v: u8,
    file: Mark,
    #[serde(flatten)]
    place: Place<X>,
}

impl<F: Form> FileSource<F> {
    /// A source that opens nothing yet.
    pub fn new(path: PathBuf, stated: Stated, form: F) -> Self {
        Self { path, stated, form, open: None }
    }

    /// The form, for tests.
    pub fn form(&self) -> &F {
        &self.form
    }

    /// The most text that was held at once, in bytes; 0 before the first page.
    pub fn peak(&self) -> usize {
        self.open.as_ref().map_or(0, |reading| reading.reader.peak())
    }

    fn open(&self) -> Result<(Opened, Detected), SourceError> {
        let file = Opened::open(&self.path)?;
        let detected = detected(&file.head, self.stated, &self.path, file.size())?;
        Ok((file, detected))
    }

    /// Opens the file and stands where `cursor` says.
    fn start(&mut self, cursor: Option<&Cursor>) -> Result<Reading<F>, SourceError> {
        let (file, detected) = self.open()?;
        let mark = detected.mark as u64;
        let mut front = Reader::new(file.at(mark).map_err(unreadable)?, detected.encoding, mark, 1);
        let place = match cursor {
            None => self.form.begin(&mut front)?,
            Some(cursor) => {
                let stored: Stored<F::State> = serde_json::from_str(&cursor.0).map_err(|error| {
                    SourceError::new(Code::E3006, "where the last extract stopped cannot be read").caused_by(error)
                })?;
                let Place { at, line, records, .. } = stored.place;
                // neither lines nor records are more than bytes
                if stored.file != file.mark || at > file.size() || line.max(records) > file.size() + 1 {
                    return Err(changed(&self.path));
                }
                self.form.resume(&mut front, &stored.place)?;
                stored.place
            }
        };
        let input = file.at(place.at).map_err(unreadable)?;
        let reader = Reader::new(input, detected.encoding, place.at, place.line);
        Ok(Reading { file, detected, reader, place })
    }

    /// The open file if it stands where `cursor` says, else the file opened anew.
    fn reading(&mut self, cursor: Option<&Cursor>) -> Result<Reading<F>, SourceError> {
        match (self.open.take(), cursor) {
            (Some(open), Some(cursor)) if stored(&open).is_ok_and(|at| at == *cursor) => Ok(open),
            _ => self.start(cursor),
        }
    }

    fn page(&mut self, reading: &mut Reading<F>) -> Result<Page, SourceError> {
        let mut records = Vec::new();
        let begun = reading.place.at;
        let next = loop {
            if records.len() >= PAGE_RECORDS || reading.place.at - begun >= PAGE_BYTES {
                break Some(stored(reading)?);
            }
            let mut place = reading.place.clone();
            match self.form.next(&mut reading.reader, &mut place) {
                Ok(Some(record)) => {
                    place.at = reading.reader.offset();
                    place.line = reading.reader.line();
                    place.records += 1;
                    reading.place = place;
                    records.push(record);
                }
                Ok(None) => break None,
                Err(error) if records.is_empty() => return Err(error),
                Err(_) => break Some(stored(reading)?), // what is good goes first; the next page meets the error again
            }
        };
        if !reading.file.is_unchanged().map_err(unreadable)? {
            return Err(changed(&self.path));
        }
        let size = reading.file.size().max(1);
        #[expect(clippy::cast_precision_loss, reason = "a share for the progress line")]
        let done = if next.is_none() { 1.0 } else { reading.place.at as f64 / size as f64 };
        Ok(Page { records, next, done: Some(done) })
    }
}

#[async_trait]
impl<F: Form> Source for FileSource<F> {
    async fn preflight(&mut self) -> Vec<Finding> {
        match self.start(None) {
            Err(error) => {
                let mut finding = Finding::error(error.code, error.message);
                finding.hints.extend(error.hint);
                vec![finding]
            }
            Ok(reading) => {
                let Detected { encoding, why, .. } = reading.detected;
                let text = format!("{} is read as {}, {why}", self.path.display(), encoding.name());
                let mut findings = vec![Finding::note(Code::E3003, text)];
                findings.extend(self.form.notes());
                findings
            }
        }
    }

    async fn read(&mut self, cursor: Option<&Cursor>) -> Result<Page, SourceError> {
        let mut reading = self.reading(cursor)?;
        let page = self.page(&mut reading)?;
        // After an error the reader may stand behind the place: then the next page opens the file anew.
        if reading.reader.offset() == reading.place.at {
            self.open = Some(reading);
        }
        Ok(page)
    }

    fn mend(&mut self, raw: &[u8]) -> Record {
        if self.open.is_none() {
            // A CSV file's header says what the fields of a row mean; the other forms do without the file.
            self.open = self.start(None).ok();
        }
        match plain_text(raw) {
            Ok(text) => self.form.mend(text),
            Err(mistake) => rejected(MENDED.to_owned(), mistake, raw),
        }
    }
}

fn stored<F: Form>(reading: &Reading<F>) -> Result<Cursor, SourceError> {
    let stored = Stored { v: 1, file: reading.file.mark.clone(), place: reading.place.clone() };
    let text = serde_json::to_string(&stored);
    text.map(Cursor).map_err(|error| SourceError::new(Code::E3001, "the place cannot be stored").caused_by(error))
}

fn detected(head: &[u8], stated: Stated, path: &Path, size: u64) -> Result<Detected, SourceError> {
    let detected = detect(head, stated).map_err(|why| {
        SourceError::new(Code::E3003, format!("{}: {why}", path.display())).hint("set `encoding` to what it really is")
    })?;
    let mut text = Zeroizing::new(Vec::new());
    let mut raw = Zeroizing::new(head.get(detected.mark..).unwrap_or_default().to_vec());
    detected.encoding.decode(&mut raw, &mut text, true);
    if size <= head.len() as u64 && text.iter().all(u8::is_ascii_whitespace) {
        return Err(SourceError::new(Code::E3004, format!("{} holds nothing at all", path.display())));
    }
    Ok(detected)
}

fn changed(path: &Path) -> SourceError {
    SourceError::new(Code::E3006, format!("{} is not the file that reading began with", path.display()))
        .hint("extract again with --from-start")
}

/// The head of a rejected record, at most [`REJECT_BYTES`].
pub fn cut(raw: &[u8]) -> Vec<u8> {
    raw[..raw.len().min(REJECT_BYTES)].to_vec()
}

/// Adds a further piece to the head of a record that is too large to be kept whole.
pub(crate) fn keep_head(head: &mut Vec<u8>, piece: &[u8]) {
    head.extend_from_slice(&piece[..piece.len().min(REJECT_BYTES - head.len().min(REJECT_BYTES))]);
}

/// A record that cannot be read.
pub fn rejected(position: String, mistake: Mistake, raw: &[u8]) -> Record {
    Record::Rejected(Rejected { position, code: mistake.code, reason: mistake.reason, raw: cut(raw) })
}

/// An account, or why not.
pub fn account_or_rejected(read: Result<Account, Mistake>, position: impl FnOnce() -> String, raw: &[u8]) -> Record {
    match read {
        Ok(account) => Record::Account(Box::new(account)),
        Err(mistake) => rejected(position(), mistake, raw),
    }
}

/// The bytes as text.
///
/// # Errors
/// E3106 when they are not, or hold NUL.
pub fn plain_text(raw: &[u8]) -> Result<&str, Mistake> {
    let text = std::str::from_utf8(raw).map_err(|error| {
        let at = error.valid_up_to();
        Mistake::new(
            Code::E3106,
            format!("the bytes from byte {at} of the record on are no text in the file's encoding"),
        )
    })?;
    match memchr::memchr(0, raw) {
        Some(at) => Err(Mistake::new(Code::E3106, format!("byte {at} of the record is NUL"))),
        None => Ok(text),
    }
}

/// Reads a whole file that is in memory: what tests and fuzzers call.
pub fn read_all<F: Form>(form: &mut F, bytes: &[u8], chunk: usize) -> (Vec<Record>, Option<SourceError>) {
    let detected = detect(bytes, Stated::Auto);
    let detected = detected.unwrap_or(Detected { encoding: Encoding::Utf8, mark: 0, why: "" });
    let from = |at: u64, line| {
        let rest = usize::try_from(at).ok().and_then(|at| bytes.get(at..)).unwrap_or_default();
        Reader::new(rest, detected.encoding, at, line).with_chunk(chunk)
    };
    let mut records = Vec::new();
    let mut place = match form.begin(&mut from(detected.mark as u64, 1)) {
        Ok(place) => place,
        Err(error) => return (records, Some(error)),
    };
    let mut reader = from(place.at, place.line);
    loop {
        match form.next(&mut reader, &mut place) {
            Ok(Some(record)) => {
                place.records += 1;
                records.push(record);
            }
            Ok(None) => return (records, None),
            Err(error) => return (records, Some(error)),
        }
    }
}
