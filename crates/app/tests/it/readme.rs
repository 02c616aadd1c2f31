//! README.md, "Try it with the emulator", followed to the letter: its files, its commands, its exit codes.

use crate::{scenario::Emulator, support::Folder};

/// The fenced blocks of one language, in order, between two headings.
fn blocks<'t>(text: &'t str, language: &str) -> Vec<&'t str> {
    let section = text.split("\n## ").find(|section| section.starts_with("Try it with the emulator")).unwrap();
    let fence = format!("```{language}\n");
    section.split(fence.as_str()).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

#[test]
fn what_the_readme_says_about_the_emulator_works_as_written() {
    let readme = include_str!("../../../../README.md");
    let [scenario, project] = blocks(readme, "toml")[..] else { panic!("two TOML files") };
    let [users] = blocks(readme, "json")[..] else { panic!("one JSON file") };
    let [start, commands] = blocks(readme, "console")[..] else { panic!("the emulator, and the commands") };
    let folder = Folder::new();
    folder.write("scenario.toml", scenario);
    folder.write("UsersData.json", users);
    // a free port instead of the one that is written down
    let words = start.trim().strip_prefix("sterna emulate ").unwrap().replace("--listen 127.0.0.1:8990", "");
    let (kind, rest) = words.split_once(' ').unwrap();
    let emulator = Emulator::start(&folder, kind, rest);
    folder
        .write("sterna.toml", &project.replace("http://127.0.0.1:8990", emulator.ready["graph_url"].as_str().unwrap()));
    let mut lines = commands.lines();
    let (name, secret) = lines.next().unwrap().strip_prefix("export ").unwrap().split_once('=').unwrap();
    for line in lines {
        let (command, comment) = line.strip_prefix("sterna ").unwrap().split_once('#').unwrap();
        let code: i32 = comment.trim().split(':').next().unwrap().parse().unwrap();
        let output = folder.command(command).env(name, secret).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{line}\n{}", String::from_utf8_lossy(&output.stderr));
    }
}
