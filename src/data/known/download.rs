//! Fetches the files of a data set from its mirrors.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::NamedTempFile;
use ureq::Agent;
use ureq::config::ConfigBuilder;
use ureq::typestate::AgentScope;

use super::keep::{keep, temporary, unpack, unwritable};
use super::search::find;
use super::source::Progress;
use super::table::{File, KnownSet, Mirror};

/// How long a server may take before the next mirror is tried.
#[derive(Debug, Clone, Copy)]
struct Patience {
    /// To be connected to, after its name was resolved in as long.
    connect: Duration,
    /// To send the next bytes.
    silence: Duration,
    /// To send a whole file, however steadily.
    file: Duration,
}

const PATIENCE: Patience = Patience {
    connect: Duration::from_secs(10),
    silence: Duration::from_secs(30),
    file: Duration::from_secs(15 * 60),
};

/// The paths of the set's files below the cache folder, those fetched that were not there; else what each mirror
/// answered for the first file that cannot be had.
pub(super) fn fetch(
    set: &KnownSet<'_>,
    cache: &Path,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Vec<PathBuf>, Vec<String>> {
    fetch_with(&client(PATIENCE).build().into(), set, cache, progress)
}

/// An HTTP client. It honours the usual proxy variables, and it asks for no content encoding: the sums are of the
/// files as they are stored.
fn client(patience: Patience) -> ConfigBuilder<AgentScope> {
    Agent::config_builder()
        .user_agent(concat!("mfnet/", env!("CARGO_PKG_VERSION")))
        .timeout_resolve(Some(patience.connect))
        .timeout_connect(Some(patience.connect))
        .timeout_per_read(Some(patience.silence))
        .timeout_per_write(Some(patience.silence))
        .timeout_global(Some(patience.file))
}

fn fetch_with(
    agent: &Agent,
    set: &KnownSet<'_>,
    cache: &Path,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Vec<PathBuf>, Vec<String>> {
    let folder = cache.join(set.folder);
    let path = |file| match find(&folder, file).map_err(|answer| vec![answer])? {
        Some(cached) => Ok(cached),
        None => fetch_file(agent, set.mirrors, file, &folder, progress),
    };
    set.files.iter().map(path).collect()
}

/// Tries one mirror after the other.
fn fetch_file(
    agent: &Agent,
    mirrors: &[Mirror<'_>],
    file: &File<'_>,
    folder: &Path,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<PathBuf, Vec<String>> {
    let mut answers = Vec::new();
    for mirror in mirrors {
        let url = match mirror {
            Mirror::Gzipped(base) => format!("{base}{}.gz", file.name),
            Mirror::Plain(base) => format!("{base}{}", file.name),
            Mirror::Archive { url, .. } => (*url).to_owned(),
        };
        let fetched = transfer(agent, &url, file.bytes, folder, progress).and_then(|arrived| {
            let whole = match mirror {
                Mirror::Gzipped(_) | Mirror::Plain(_) => arrived,
                Mirror::Archive { folder: inside, .. } => {
                    unpack(arrived, &format!("{inside}/{}", file.name), file.bytes, folder)?
                }
            };
            keep(whole, file, folder)
        });
        match fetched {
            Ok(path) => return Ok(path),
            Err(answer) => answers.push(format!("{url}: {answer}")),
        }
    }
    Err(answers)
}

/// Brings what the server sends, `limit` bytes at most, into a temporary file, which goes when it is dropped.
fn transfer(
    agent: &Agent,
    url: &str,
    limit: u64,
    folder: &Path,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<NamedTempFile, String> {
    let response = agent.get(url).call().map_err(|error| match error {
        ureq::Error::Io(error) => error.to_string(),
        error => error.to_string(),
    })?;
    let total = response.body().content_length();
    if let Some(total) = total.filter(|&total| total > limit) {
        return Err(format!(
            "it offers {total} bytes, and the file has at most {limit}"
        ));
    }
    let mut file = temporary(folder)?;
    let mut body = response.into_body().into_reader();
    let mut buffer = vec![0; 1 << 16];
    let mut done = 0;
    loop {
        progress(Progress { url, done, total });
        let read = body
            .read(&mut buffer)
            .map_err(|error| format!("it broke off after {done} bytes: {error}"))?;
        if read == 0 {
            break;
        }
        done += read as u64;
        if done > limit {
            return Err(format!(
                "it does not end after {limit} bytes, which the file has at most"
            ));
        }
        file.write_all(&buffer[..read])
            .map_err(|error| unwritable(folder, &error))?;
    }
    if let Some(total) = total.filter(|&total| total != done) {
        return Err(format!("it broke off after {done} of {total} bytes"));
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::super::keep::md5;
    use super::super::server::{Reply, Server};
    use super::super::table::Md5;
    use super::*;
    use flate2::Compression;
    use flate2::read::GzDecoder;
    use flate2::write::GzEncoder;
    use std::fs;
    use std::process::{Child, Command, Stdio};
    use std::time::Instant;

    /// Longer than its gzipped form.
    const CONTENT: &[u8] = b"the content of a small file: 0000000000000000000000000000000000000000000000";

    /// Longer than any good answer takes on a busy machine.
    const LONG: Duration = Duration::from_secs(20);
    const LENIENT: Patience = Patience {
        connect: LONG,
        silence: LONG,
        file: LONG,
    };

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    fn tgz(member: &str, content: &[u8]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, content) in [("other/readme", &b"x"[..]), (member, content)] {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            builder.append_data(&mut header, name, content).unwrap();
        }
        gzip(&builder.into_inner().unwrap())
    }

    /// Fetches the file from these mirrors; gives the answers and the names left in the folder.
    fn fetch_from(md5: Md5<'_>, mirrors: &[Mirror<'_>]) -> (Result<PathBuf, Vec<String>>, Vec<String>) {
        fetch_within(LENIENT, md5, mirrors)
    }

    fn fetch_within(
        patience: Patience,
        md5: Md5<'_>,
        mirrors: &[Mirror<'_>],
    ) -> (Result<PathBuf, Vec<String>>, Vec<String>) {
        let cache = tempfile::tempdir().unwrap();
        let files = file(CONTENT.len(), md5);
        let set = set(&files, mirrors);
        let fetched = fetch_with(&agent(patience), &set, cache.path(), &mut |_| {});
        if let Ok(paths) = &fetched {
            let path = &paths[0];
            let stored = fs::read(path).unwrap();
            let mut content = Vec::new();
            if path.extension().is_some_and(|end| end == "gz") {
                GzDecoder::new(&stored[..]).read_to_end(&mut content).unwrap();
            } else {
                content = stored;
            }
            assert_eq!(content, CONTENT);
        }
        // The folder itself is made only when something arrives.
        let left = fs::read_dir(cache.path().join("set")).into_iter().flatten();
        let left = left.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        (fetched.map(|mut paths| paths.remove(0)), left.collect())
    }

    fn agent(patience: Patience) -> Agent {
        // A proxy of the environment cannot reach this machine's own servers.
        client(patience).proxy(None).build().into()
    }

    /// A file of this size and sum.
    fn file(bytes: usize, md5: Md5<'_>) -> [File<'_>; 1] {
        [File {
            name: "file",
            bytes: bytes as u64,
            md5,
        }]
    }

    fn set<'a>(files: &'a [File<'a>], mirrors: &'a [Mirror<'a>]) -> KnownSet<'a> {
        KnownSet {
            name: "set",
            description: "",
            folder: "set",
            files,
            mirrors,
        }
    }

    /// The one answer of a mirror that fails, which must leave nothing behind.
    fn refusal(reply: Reply) -> String {
        refusal_within(LENIENT, reply)
    }

    fn refusal_within(patience: Patience, reply: Reply) -> String {
        let (server, sum) = (Server::start(reply), md5(CONTENT).unwrap());
        let mirrors = [Mirror::Gzipped(&server.base)];
        let (fetched, left) = fetch_within(patience, Md5::Content(&sum), &mirrors);
        let answers = fetched.unwrap_err();
        assert_eq!(answers.len(), 1);
        assert_eq!(left, [""; 0], "{answers:?}");
        let answer = answers[0].strip_prefix(&format!("{}file.gz: ", server.base));
        answer.unwrap_or_else(|| panic!("{answers:?}")).to_owned()
    }

    #[test]
    fn a_whole_file_arrives_under_its_name() {
        let server = Server::start(Reply::Whole(gzip(CONTENT)));
        let (content, file) = (md5(CONTENT).unwrap(), md5(&gzip(CONTENT)[..]).unwrap());
        for sum in [Md5::Content(&content), Md5::Gzipped(&file)] {
            let (fetched, left) = fetch_from(sum, &[Mirror::Gzipped(&server.base)]);
            assert!(fetched.unwrap().ends_with("set/file.gz"));
            assert_eq!(left, ["file.gz"]);
        }
        assert_eq!(server.requests()[0], "GET /file.gz HTTP/1.1");
    }

    #[test]
    fn an_unpacked_file_is_kept_as_such() {
        let (server, sum) = (
            Server::start(Reply::Whole(CONTENT.to_vec())),
            md5(CONTENT).unwrap(),
        );
        let (fetched, left) = fetch_from(Md5::Content(&sum), &[Mirror::Gzipped(&server.base)]);
        fetched.unwrap();
        assert_eq!(left, ["file"]);
        let (fetched, left) = fetch_from(Md5::Content(&sum), &[Mirror::Plain(&server.base)]);
        fetched.unwrap();
        assert_eq!(left, ["file"]);
        assert_eq!(server.requests()[1], "GET /file HTTP/1.1");
    }

    #[test]
    fn a_member_of_an_archive_arrives_alone() {
        let content = [CONTENT; 100].concat();
        let sum = md5(&content[..]).unwrap();
        let cache = tempfile::tempdir().unwrap();
        let fetch = |archive| {
            let server = Server::start(Reply::Whole(archive));
            let mirrors = [Mirror::Archive {
                url: &server.base,
                folder: "inside",
            }];
            let files = file(content.len(), Md5::Content(&sum));
            let set = set(&files, &mirrors);
            fetch_with(&agent(LENIENT), &set, cache.path(), &mut |_| {})
        };
        let whole = tgz("inside/file", &content);
        for (archive, problem) in [
            (
                tgz("inside/another", &content),
                "the archive holds no inside/file",
            ),
            (whole[..whole.len() / 2].to_vec(), "it is not a whole archive"),
            (content.clone(), "it is not a whole archive"),
        ] {
            let answers = fetch(archive).unwrap_err();
            assert!(answers[0].contains(problem), "{answers:?}");
        }
        let path = fetch(whole).unwrap().remove(0);
        assert_eq!(fs::read(&path).unwrap(), content);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn the_second_mirror_serves_when_the_first_fails() {
        let (first, second) = (
            Server::start(Reply::Status(404)),
            Server::start(Reply::Whole(gzip(CONTENT))),
        );
        let sum = md5(CONTENT).unwrap();
        let mirrors = [Mirror::Gzipped(&first.base), Mirror::Gzipped(&second.base)];
        let (fetched, left) = fetch_from(Md5::Content(&sum), &mirrors);
        fetched.unwrap();
        assert_eq!(left, ["file.gz"]);
        assert_eq!((first.requests().len(), second.requests().len()), (1, 1));
    }

    #[test]
    fn refused_connections_and_missing_files_are_told() {
        assert_eq!(refusal(Reply::Status(404)), "http status: 404");
        assert_eq!(refusal(Reply::Status(503)), "http status: 503");
        let answer = refusal(Reply::Refusal);
        assert!(answer.contains("refused"), "{answer}");
    }

    #[test]
    fn a_wrong_file_is_told_by_its_sum() {
        let answer = refusal(Reply::Whole(gzip(b"something else")));
        let expected = md5(CONTENT).unwrap();
        let found = md5(&b"something else"[..]).unwrap();
        assert_eq!(
            answer,
            format!("its MD5 sum is {found}, that of file is {expected}")
        );
        // Right at first, then one byte too many.
        let answer = refusal(Reply::Whole(gzip(&[CONTENT, b"0"].concat())));
        assert!(answer.starts_with("its MD5 sum is"), "{answer}");
        let mut damaged = gzip(CONTENT);
        damaged[20] ^= 0xff;
        let answer = refusal(Reply::Whole(damaged));
        assert!(
            answer.starts_with("it is damaged") || answer.starts_with("its MD5"),
            "{answer}"
        );
    }

    #[test]
    fn an_interrupted_transfer_is_told() {
        let answer = refusal(Reply::Cut(gzip(CONTENT)));
        assert!(answer.starts_with("it broke off after"), "{answer}");
    }

    #[test]
    fn too_much_is_refused() {
        let limit = CONTENT.len();
        let answer = refusal(Reply::Whole(vec![7; limit + 1]));
        assert_eq!(
            answer,
            format!("it offers {} bytes, and the file has at most {limit}", limit + 1)
        );
        let answer = refusal(Reply::Endless);
        assert!(answer.starts_with("it does not end"), "{answer}");
    }

    #[test]
    fn a_server_that_stalls_or_dawdles_is_left() {
        let (short, start) = (Duration::from_millis(200), Instant::now());
        let stalling = Patience {
            silence: short,
            ..LENIENT
        };
        let dawdling = Patience {
            file: short,
            ..LENIENT
        };
        for (patience, reply) in [
            (stalling, Reply::Silence),
            (stalling, Reply::Stall(gzip(CONTENT))),
            (dawdling, Reply::Drip),
        ] {
            let answer = refusal_within(patience, reply);
            assert!(answer.contains("timeout"), "{answer}");
        }
        assert!(start.elapsed() < LONG, "{:?}", start.elapsed());
    }

    #[test]
    fn content_without_a_length_is_whole_or_refused() {
        let (whole, sum) = (gzip(CONTENT), md5(CONTENT).unwrap());
        let sent = |content: &[u8], end: &str| {
            let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
            let chunk = [format!("{:x}\r\n", content.len()).as_bytes(), content, b"\r\n"].concat();
            Reply::Raw([head.as_bytes(), &chunk, end.as_bytes()].concat())
        };
        for end in [
            "0\r\n\r\n",
            "",
            "0\r\n",
            "7\r\n",
            "-1\r\n\r\n",
            "fffffffffffffffff\r\n",
        ] {
            let server = Server::start(sent(&whole, end));
            let (fetched, left) = fetch_from(Md5::Content(&sum), &[Mirror::Gzipped(&server.base)]);
            match fetched {
                Ok(_) => assert_eq!(left, ["file.gz"], "{end:?}"),
                // All of the content was there, but nothing said that it was all.
                Err(answers) => {
                    assert!(
                        end != "0\r\n\r\n" && answers[0].contains("it broke off after"),
                        "{answers:?}"
                    );
                    assert_eq!(left, [""; 0], "{end:?}");
                }
            }
            let answer = refusal(sent(&whole[..whole.len() / 2], end));
            assert!(
                answer.starts_with("it broke off after") || answer.starts_with("it is damaged"),
                "{end:?}: {answer}"
            );
        }
    }

    #[test]
    fn redirects_end() {
        let around =
            b"HTTP/1.1 302 There\r\nLocation: /file.gz\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        let answer = refusal(Reply::Raw(around.to_vec()));
        assert!(answer.contains("redirect"), "{answer}");
    }

    #[test]
    fn a_cache_that_cannot_be_written_is_told() {
        let (server, sum) = (Server::start(Reply::Whole(gzip(CONTENT))), md5(CONTENT).unwrap());
        let mirrors = [Mirror::Gzipped(&server.base)];
        let blocked = tempfile::NamedTempFile::new().unwrap();
        let files = file(CONTENT.len(), Md5::Content(&sum));
        let set = set(&files, &mirrors);
        let answers = fetch_with(&agent(LENIENT), &set, blocked.path(), &mut |_| {}).unwrap_err();
        assert!(answers[0].contains("cannot write into"), "{answers:?}");
    }

    #[test]
    fn two_downloads_at_once_both_succeed() {
        let (server, sum) = (Server::start(Reply::Whole(gzip(CONTENT))), md5(CONTENT).unwrap());
        let mirrors = [Mirror::Gzipped(&server.base)];
        let files = file(CONTENT.len(), Md5::Content(&sum));
        let (set, cache) = (set(&files, &mirrors), tempfile::tempdir().unwrap());
        let fetch = || fetch_with(&agent(LENIENT), &set, cache.path(), &mut |_| {}).unwrap();
        std::thread::scope(|scope| {
            let threads = [(); 4].map(|()| scope.spawn(fetch));
            for thread in threads {
                thread.join().unwrap();
            }
        });
        let left: Vec<_> = fs::read_dir(cache.path().join("set")).unwrap().collect();
        assert_eq!(left.len(), 1, "{left:?}");
        // Now that it is there, no server is asked.
        let asked = server.requests().len();
        fetch();
        assert_eq!(server.requests().len(), asked);
    }

    /// No test: what those below start as a process of its own.
    #[test]
    #[ignore = "fetches what another test serves"]
    fn a_process_that_fetches() {
        let (Some(base), Some(cache)) = (
            std::env::var_os("MFNET_TEST_SERVER"),
            std::env::var_os("MFNET_TEST_CACHE"),
        ) else {
            return;
        };
        let (base, sum) = (base.into_string().unwrap(), md5(CONTENT).unwrap());
        let mirrors = [Mirror::Gzipped(&base)];
        let files = file(CONTENT.len(), Md5::Content(&sum));
        let set = set(&files, &mirrors);
        fetch_with(&agent(LENIENT), &set, Path::new(&cache), &mut |_| {}).unwrap();
    }

    fn process(server: &Server, cache: &Path) -> Child {
        let name = concat!(module_path!(), "::a_process_that_fetches");
        let (_, name) = name.split_once("::").unwrap();
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name, "--ignored"])
            .env("MFNET_TEST_SERVER", &server.base)
            .env("MFNET_TEST_CACHE", cache)
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    }

    #[test]
    fn two_processes_at_once_both_succeed() {
        let (server, cache) = (
            Server::start(Reply::Whole(gzip(CONTENT))),
            tempfile::tempdir().unwrap(),
        );
        let processes = [(); 3].map(|()| process(&server, cache.path()));
        for mut process in processes {
            assert!(process.wait().unwrap().success());
        }
        assert!(!server.requests().is_empty());
        let left: Vec<_> = fs::read_dir(cache.path().join("set")).unwrap().collect();
        assert_eq!(left.len(), 1, "{left:?}");
    }

    #[test]
    fn a_killed_download_is_begun_anew() {
        let (stalling, cache) = (
            Server::start(Reply::Stall(gzip(CONTENT))),
            tempfile::tempdir().unwrap(),
        );
        let mut process = process(&stalling, cache.path());
        let begun = || fs::read_dir(cache.path().join("set")).is_ok_and(|mut names| names.next().is_some());
        while !begun() {
            assert!(process.try_wait().unwrap().is_none(), "it ended by itself");
            std::thread::yield_now();
        }
        process.kill().unwrap();
        process.wait().unwrap();
        let (sound, sum) = (Server::start(Reply::Whole(gzip(CONTENT))), md5(CONTENT).unwrap());
        let mirrors = [Mirror::Gzipped(&sound.base)];
        let files = file(CONTENT.len(), Md5::Content(&sum));
        let set = set(&files, &mirrors);
        let paths = fetch_with(&agent(LENIENT), &set, cache.path(), &mut |_| {}).unwrap();
        assert_eq!(fs::read(&paths[0]).unwrap(), gzip(CONTENT));
        assert_eq!(sound.requests().len(), 1);
    }

    #[test]
    fn archives_reach_for_no_other_place() {
        let content = [CONTENT; 100].concat();
        let sum = md5(&content[..]).unwrap();
        let around = tempfile::tempdir().unwrap();
        let outside = around.path().join("outside");
        fs::write(&outside, &content).unwrap();
        let outside = outside.to_str().unwrap();
        // A header of its own making, as the archive's writer refuses such names.
        let entry = |kind, name: &str, link: &str, content: &[u8]| {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(kind);
            header.set_mode(0o777);
            header.set_size(content.len() as u64);
            header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
            header.as_gnu_mut().unwrap().linkname[..link.len()].copy_from_slice(link.as_bytes());
            header.set_cksum();
            let padding = content.len().next_multiple_of(512) - content.len();
            [header.as_bytes(), content, &vec![0; padding]].concat()
        };
        let regular = tar::EntryType::Regular;
        let hostile = [
            entry(regular, "../../escaped", "", &content),
            entry(regular, &format!("{outside}-escaped"), "", &content),
            entry(tar::EntryType::Directory, "../folder/", "", &[]),
        ]
        .concat();
        for (kind, link, is_fetched) in [
            (regular, "", true),
            (tar::EntryType::Symlink, outside, false),
            (tar::EntryType::Link, outside, false),
            (tar::EntryType::Directory, "", false),
            (tar::EntryType::Fifo, "", false),
        ] {
            let inside = if is_fetched { &content[..] } else { &[] };
            let member = entry(kind, "inside/file", link, inside);
            let server = Server::start(Reply::Whole(gzip(&[&hostile[..], &member, &[0; 1024]].concat())));
            let mirrors = [Mirror::Archive {
                url: &server.base,
                folder: "inside",
            }];
            let files = file(content.len(), Md5::Content(&sum));
            let set = set(&files, &mirrors);
            let cache = around.path().join("cache");
            let fetched = fetch_with(&agent(LENIENT), &set, &cache, &mut |_| {});
            assert_eq!(fetched.is_ok(), is_fetched, "{kind:?}: {fetched:?}");
            let names = |folder: &Path| fs::read_dir(folder).unwrap().count();
            assert_eq!(names(around.path()), 2, "the cache, and what was there");
            assert_eq!(names(&cache), 1, "the set's folder");
            assert_eq!(names(&cache.join("set")), usize::from(is_fetched));
            fs::remove_dir_all(&cache).unwrap();
        }
    }

    #[test]
    fn progress_runs_from_nothing_to_all() {
        let content = gzip(CONTENT);
        let (server, sum) = (
            Server::start(Reply::Whole(content.clone())),
            md5(CONTENT).unwrap(),
        );
        let (cache, mut seen) = (tempfile::tempdir().unwrap(), Vec::new());
        let mirrors = [Mirror::Gzipped(&server.base)];
        let mut note = |progress: Progress<'_>| seen.push((progress.done, progress.total));
        let files = file(CONTENT.len(), Md5::Content(&sum));
        fetch_with(&agent(LENIENT), &set(&files, &mirrors), cache.path(), &mut note).unwrap();
        let all = content.len() as u64;
        assert_eq!(seen.first(), Some(&(0, Some(all))));
        assert_eq!(seen.last(), Some(&(all, Some(all))));
        assert!(seen.is_sorted());
    }
}
