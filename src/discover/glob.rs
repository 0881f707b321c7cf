//! Patterns, where the shell does not expand them.

use std::path::{Path, PathBuf};

use globset::GlobBuilder;
use walkdir::WalkDir;

use super::DiscoverError;
use crate::shown;

/// Whether a path, shown with `/`, holds `*` or `?` beyond the prefix `\\?\` of long paths.
pub(super) fn is_pattern(shown: &str) -> bool {
    shown.strip_prefix("//?/").unwrap_or(shown).contains(['*', '?'])
}

/// The files and directories that a pattern matches, without regard to case, sorted.
///
/// `*` and `?` stay within one component, `**` stands for any number of them; brackets and braces, which Windows allows
/// in names, are ordinary characters.
pub(super) fn expand(pattern: &str) -> Result<Vec<PathBuf>, DiscoverError> {
    let (prefix, rest) = match pattern.strip_prefix("//?/") {
        Some(rest) => ("//?/", rest),
        None => ("", pattern),
    };
    let wild = rest.find(['*', '?']).unwrap_or(rest.len());
    // `D:*.log` is what lies in the current folder of that drive.
    let (base, tail) = match rest[..wild].rfind(['/', ':']) {
        Some(end) => rest.split_at(end + 1),
        None => ("", rest),
    };
    let fails = |error: globset::Error| DiscoverError::Pattern {
        path: pattern.to_owned(),
        reason: error.kind().to_string(),
    };
    let tail = tail.trim_end_matches('/');
    let matcher = GlobBuilder::new(&literal_brackets(tail))
        .case_insensitive(true)
        .literal_separator(true)
        .backslash_escape(false)
        .build()
        .map_err(fails)?
        .compile_matcher();
    let depth = if tail.contains("**") { usize::MAX } else { tail.split('/').count() };
    let base = format!("{prefix}{base}");
    let root = if base.is_empty() { Path::new(".") } else { Path::new(&base) };
    let mut found = Vec::new();
    for entry in WalkDir::new(root).min_depth(1).max_depth(depth).follow_links(true) {
        // What cannot be listed matches nothing; a folder that does match is walked again, and reported there.
        let Ok(entry) = entry else { continue };
        let Ok(below) = entry.path().strip_prefix(root) else { continue };
        if matcher.is_match(shown::path(below)) {
            found.push(Path::new(&base).join(below));
        }
    }
    if found.is_empty() {
        return Err(DiscoverError::NoMatch { path: pattern.to_owned() });
    }
    found.sort();
    Ok(found)
}

fn literal_brackets(pattern: &str) -> String {
    let mut literal = String::with_capacity(pattern.len());
    for char in pattern.chars() {
        match char {
            '[' | ']' | '{' | '}' => literal.extend(['[', char, ']']),
            _ => literal.push(char),
        }
    }
    literal
}
