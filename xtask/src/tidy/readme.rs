//! The README shows exactly two commands, and they do all the set-up on a machine with a Rust toolchain.

use super::{tree::Tree, violation::Violation};

const README: &str = "README.md";
/// The two.
const COMMANDS: &[&str] = &["cargo run --release -- demo", "cargo xtask test"];
/// Fences that hold what a reader types.
const SHELLS: &[&str] = &["sh", "bash", "shell", "console"];
/// First words that install or build something.
const SETS_UP: &[&str] =
    &["cargo", "rustup", "sudo", "apt", "apt-get", "brew", "docker", "npm", "pip", "make", "git"];

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    let shown = commands(tree.text(README).unwrap_or_default());
    let missing =
        COMMANDS.iter().filter(|command| !shown.iter().any(|(_, line)| line == *command)).map(|command| {
            Violation::at(README, 1, format!("does not show `{command}`, add it in a `sh` block"))
        });
    let mut seen = Vec::new();
    let further = shown.iter().filter_map(|(line, command)| {
        let known = COMMANDS.contains(&command.as_str()) && !seen.contains(&command);
        seen.push(command);
        let what = format!("`{command}` is more than the two commands, move it to the guide");
        (!known).then(|| Violation::at(README, *line, what))
    });
    missing.chain(further.collect::<Vec<_>>()).collect()
}

/// Line and text of each command that sets something up.
fn commands(text: &str) -> Vec<(usize, String)> {
    let mut fence: Option<&str> = None;
    let mut commands = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if let Some(mark) = line.trim_start().strip_prefix("```") {
            fence = if fence.is_some() { None } else { Some(mark.trim()) };
            continue;
        }
        let command = line.trim().trim_start_matches("$ ");
        let command = command.split(" #").next().unwrap_or_default().trim();
        let first = command.split_whitespace().next().unwrap_or_default();
        if fence.is_some_and(|fence| SHELLS.contains(&fence)) && SETS_UP.contains(&first) {
            commands.push((index + 1, command.to_owned()));
        }
    }
    commands
}

#[cfg(test)]
mod tests {
    use super::*;

    fn violations(text: &str) -> Vec<String> {
        check(&Tree::of(&[(README, text)])).iter().map(ToString::to_string).collect()
    }

    const TWO: &str = "```sh\ncargo run --release -- demo   # look\n$ cargo xtask test\n```\n";

    #[test]
    fn the_two_commands_pass() {
        let with_others = format!("{TWO}```sh\ncurl localhost\n```\n```toml\ncargo = 1\n```\n");
        assert_eq!(violations(TWO).len() + violations(&with_others).len(), 0);
    }

    #[test]
    fn a_missing_command_is_caught() {
        assert_eq!(
            violations("```sh\ncargo run --release -- demo\n```\ncargo xtask test\n"),
            ["README.md:1: does not show `cargo xtask test`, add it in a `sh` block"]
        );
    }

    #[test]
    fn a_third_command_is_caught() {
        let third = violations(&format!("{TWO}```console\n$ sudo apt install protoc\n```\n"));
        assert_eq!(
            third,
            ["README.md:6: `sudo apt install protoc` is more than the two commands, move it to the guide"]
        );
        assert_eq!(violations(&format!("{TWO}{TWO}")).len(), 2);
    }
}
