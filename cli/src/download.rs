//! The progress of a download: a bar on a terminal, a line for each file elsewhere.

use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};
use mfnet::data::known::Progress;

use super::console;

/// Two lines, so that both fit a narrow terminal.
const TEMPLATE: &str = "downloading {wide_msg}\n{wide_bar} {bytes} of {total_bytes}";

/// Shows one file after the other, and leaves nothing behind.
#[derive(Debug)]
pub(super) struct DownloadBar {
    quiet: bool,
    url: String,
    bar: ProgressBar,
}

impl DownloadBar {
    pub(super) fn new(quiet: bool) -> Self {
        DownloadBar {
            quiet,
            url: String::new(),
            bar: ProgressBar::hidden(),
        }
    }

    pub(super) fn show(&mut self, progress: Progress<'_>) {
        if self.quiet {
            return;
        }
        if self.url != progress.url {
            progress.url.clone_into(&mut self.url);
            self.bar.finish_and_clear();
            self.bar = ProgressBar::with_draw_target(progress.total, ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
                self.bar.set_style(style.progress_chars("=> "));
            }
            // The name is what tells the files apart, the server what a narrow terminal may leave out.
            let name = progress.url.rsplit('/').next().unwrap_or(progress.url);
            self.bar.set_message(format!("{name} from {}", progress.url));
            if self.bar.is_hidden() {
                let size = progress.total.map(|total| format!(" ({})", HumanBytes(total)));
                console::note(&format!(
                    "downloading {}{}",
                    progress.url,
                    size.unwrap_or_default()
                ));
            }
        }
        self.bar.set_position(progress.done);
    }
}

impl Drop for DownloadBar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
