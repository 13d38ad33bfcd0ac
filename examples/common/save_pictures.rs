//! Saves pictures in the folder that the user names.

use mfnet::report::Picture;
use std::path::Path;

/// Writes pictures into a folder, as SVG and PNG, and prints their paths; does nothing without a folder.
pub fn save_pictures(
    folder: Option<&str>,
    pictures: &[(&str, Picture)],
) -> Result<(), Box<dyn std::error::Error>> {
    let Some(folder) = folder else {
        return Ok(());
    };
    std::fs::create_dir_all(folder)?;
    for (name, picture) in pictures {
        let [svg, png] = picture.save(Path::new(folder).join(name))?;
        println!("{}\n{}", svg.display(), png.display());
    }
    Ok(())
}
