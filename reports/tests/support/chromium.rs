//! Chromium, headless, where it is installed.

#![allow(dead_code, reason = "not every test uses all of it")]

use std::path::{Path, PathBuf};
use std::process::Command;

/// The browser; `None` where there is none.
pub fn chromium() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let found = std::env::split_paths(&path)
        .flat_map(|folder| names.map(|name| folder.join(name)))
        .find(|file| file.is_file());
    if found.is_none() {
        eprintln!("there is no Chromium here: the pages are not opened");
    }
    found
}

/// What the browser makes of a page: the document after its script, and its log.
pub struct Opened {
    pub document: String,
    pub log: String,
}

/// Opens a page.
pub fn open(browser: &Path, name: &str, page: &str) -> Opened {
    open_with(browser, name, page, &[])
}

/// Opens a page in a browser with more options.
pub fn open_with(browser: &Path, name: &str, page: &str, options: &[&str]) -> Opened {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let file = folder.join(format!("browser_{name}.html"));
    std::fs::write(&file, page).expect("a folder to write to");
    let profile = folder.join(format!("browser_{name}"));
    let ran = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"])
        .args(["--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .args(options)
        .arg("--dump-dom")
        .arg(format!("file://{}", file.display()))
        .output()
        .expect("a browser");
    let _ = std::fs::remove_dir_all(profile);
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Opened { document: text(ran.stdout), log: text(ran.stderr) }
}

impl Opened {
    /// What scripts of the page told with `mark` before it.
    pub fn told(&self, mark: &str) -> Vec<String> {
        let lines = self.log.lines().filter(|line| line.contains("CONSOLE"));
        // The browser adds where it was told, and escapes quotes.
        let told = lines.filter_map(|line| {
            let text = &line[line.find(mark)? + mark.len()..];
            let text = text.rfind("\", source: ").map_or(text, |end| &text[..end]);
            Some(text.trim().to_owned())
        });
        told.collect()
    }

    /// Fails if the browser had something to say, or nothing to show.
    #[track_caller]
    pub fn assert_quiet(&self, name: &str) {
        let said: Vec<&str> = self.log.lines().filter(|l| l.contains("CONSOLE")).collect();
        assert!(said.is_empty(), "{name}: {said:?}");
        assert!(self.document.contains("</html>"), "{name} did not open: {}", self.log);
    }
}

/// The page with one more script, which its policy then lets run, and any style.
pub fn with_script(page: &str, script: &str) -> String {
    let mut page = page.to_owned();
    for source in ["style-src", "script-src"] {
        let start = page.find(&format!("{source} 'sha256-")).expect("a policy");
        let end = start + page[start..].find(';').expect("its end");
        page.replace_range(start..end, &format!("{source} 'unsafe-inline'"));
    }
    page.replace("</body>\n</html>", &format!("<script>{script}</script></body>\n</html>"))
}
