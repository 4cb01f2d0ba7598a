//! Files of spans: what a file is, is told by its first bytes, never by its name.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Cursor, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;

/// A file of spans, opened.
pub(super) enum Contents {
    /// A database, as `sidespan sink --data` writes it.
    Database(PathBuf),
    /// OTLP in JSON, a request a line.
    Lines(Box<dyn BufRead + Send>),
}

/// Opens a file, or standard input for `-`.
///
/// # Errors
/// When it cannot be read.
pub(super) fn open(name: &str) -> anyhow::Result<Contents> {
    let mut from: Box<dyn Read + Send> = match name {
        "-" => Box::new(io::stdin()),
        _ => Box::new(File::open(name).with_context(|| format!("reading {name}"))?),
    };
    let mut first = Vec::new();
    let begin = from
        .by_ref()
        .take(SQLITE.len() as u64)
        .read_to_end(&mut first);
    begin.with_context(|| format!("reading {name}"))?;
    if first == SQLITE && name != "-" {
        return Ok(Contents::Database(PathBuf::from(name)));
    }
    let kind = [GZIP, ZSTD]
        .iter()
        .position(|magic| first.starts_with(magic));
    let whole = BufReader::new(Cursor::new(first).chain(from));
    Ok(Contents::Lines(match kind {
        Some(0) => Box::new(BufReader::new(MultiGzDecoder::new(whole))),
        Some(_) => {
            let decoder = zstd::stream::read::Decoder::with_buffer(whole)?;
            Box::new(BufReader::new(decoder))
        }
        None => Box::new(whole),
    }))
}

/// A file that is written, or standard output.
pub(super) enum Out {
    Plain(BufWriter<Box<dyn Write + Send>>),
    Gzip(GzEncoder<BufWriter<Box<dyn Write + Send>>>),
    Zstd(zstd::stream::write::Encoder<'static, BufWriter<Box<dyn Write + Send>>>),
}

impl Out {
    /// Creates a file, compressed if its name ends in `.gz` or `.zst`; `-` is standard output.
    ///
    /// # Errors
    /// When it cannot be created.
    pub(super) fn create(name: &str) -> anyhow::Result<Self> {
        let to: Box<dyn Write + Send> = match name {
            "-" => Box::new(io::stdout()),
            _ => Box::new(File::create(name).with_context(|| format!("writing {name}"))?),
        };
        let to = BufWriter::new(to);
        let ending = Path::new(name).extension().and_then(|it| it.to_str());
        Ok(match ending {
            Some("gz") => Self::Gzip(GzEncoder::new(to, Compression::default())),
            Some("zst") => Self::Zstd(zstd::stream::write::Encoder::new(to, 0)?),
            _ => Self::Plain(to),
        })
    }

    /// Writes the end of the file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn finish(self) -> io::Result<()> {
        match self {
            Self::Plain(mut out) => out.flush(),
            Self::Gzip(out) => out.finish()?.flush(),
            Self::Zstd(out) => out.finish()?.flush(),
        }
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(out) => out.write(bytes),
            Self::Gzip(out) => out.write(bytes),
            Self::Zstd(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(out) => out.flush(),
            Self::Gzip(out) => out.flush(),
            Self::Zstd(out) => out.flush(),
        }
    }
}

const SQLITE: &[u8] = b"SQLite format 3\0";
const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
