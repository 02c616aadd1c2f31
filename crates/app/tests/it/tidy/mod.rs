//! The repository's rules (ARCHITECTURE.md, "Invariants") as tests: what may depend on what, which words stand where,
//! and that documentation does not point to nothing.

mod layers;
mod pages;
mod words;

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The repository's root.
fn root() -> PathBuf {
    fs::canonicalize(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).unwrap()
}

/// A text file of the repository.
struct Page {
    /// Its path from the root, with `/`.
    path: String,
    text: String,
}

impl Page {
    /// Its lines with their numbers, without those that are comments, and without tests at the end of the file.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let end = self.text.find("#[cfg(test)]\nmod tests").unwrap_or(self.text.len());
        let lines = self.text[..end].lines().enumerate();
        lines.filter(|(_, line)| !line.trim_start().starts_with("//")).map(|(at, line)| (at + 1, line))
    }
}

/// Every text file with one of the endings, under `folder` of the root; what is built or installed is left out.
fn pages(folder: &str, endings: &[&str]) -> Vec<Page> {
    let root = root();
    let mut found = Vec::new();
    walk(&root.join(folder), &mut |path| {
        let name = path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
        if endings.iter().any(|ending| name.ends_with(ending)) {
            found.extend(fs::read_to_string(path).ok().map(|text| Page { path: name, text }));
        }
    });
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn walk(folder: &Path, each: &mut dyn FnMut(&Path)) {
    const SKIPPED: &[&str] = &["target", ".git", "node_modules", "venv", ".sterna", "corpus", "artifacts"];
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && !SKIPPED.iter().any(|skipped| name == *skipped) => walk(&path, each),
            Ok(kind) if kind.is_file() => each(&path),
            _ => {}
        }
    }
}

/// Fails with every place at once.
fn none(wrong: &[String], rule: &str) {
    assert!(wrong.is_empty(), "{rule}:\n  {}", wrong.join("\n  "));
}
