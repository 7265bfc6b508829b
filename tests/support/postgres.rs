//! A throw-away PostgreSQL server for tests, from Debian's package `postgresql`.
//!
//! Every test process that needs one shares a cluster, and each test makes an own database in it.
//! The cluster lives as long as any process uses it: each holds a shared lock on a file, and a
//! guard outside of the processes waits until it gets that lock alone, then stops the server and removes its folder. So
//! it goes away whatever way the tests end. It listens on a Unix socket only.
//!
//! It does not sync to disk: no test of durability may use it.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

/// Makes an empty database and returns its URL.
pub(crate) async fn database() -> String {
    let cluster = CLUSTER.get_or_init(|| Cluster::join().unwrap_or_else(|e| panic!("{e}")));
    let name = format!("t{}", parlour::id::random());
    let options = PgConnectOptions::new()
        .socket(&cluster.socket)
        .username(USER)
        .database("postgres");
    let mut admin = Box::pin(options.connect())
        .await
        .expect("the test cluster accepts connections");
    sqlx::query(AssertSqlSafe(format!("create database {name}")))
        .execute(&mut admin)
        .await
        .expect("the test cluster makes a database");
    admin.close().await.expect("the test cluster says goodbye");
    let socket = cluster.socket.display();
    format!("postgres:///{name}?host={socket}&user={USER}")
}

static CLUSTER: OnceLock<Cluster> = OnceLock::new();

const USER: &str = "parlour";

struct Cluster {
    socket: PathBuf,
    /// Held as long as this process lives.
    _in_use: File,
}

impl Cluster {
    /// Uses the running cluster, or starts one.
    fn join() -> io::Result<Self> {
        let locks = Path::new(env!("CARGO_TARGET_TMPDIR"));
        fs::create_dir_all(locks)?;
        let open = |name: &str| {
            File::options()
                .create(true)
                .append(true)
                .open(locks.join(name))
        };
        // One process at a time finds out whether there is a cluster.
        let starting = open("postgres.starting")?;
        starting.lock()?;
        let in_use = open("postgres.in-use")?;
        in_use.lock_shared()?;

        let place = locks.join("postgres.folder");
        let folder = match fs::read_to_string(&place) {
            Ok(folder) if listens(Path::new(&folder)) => folder.into(),
            _ => {
                let folder = start()?;
                fs::write(&place, folder.to_str().ok_or(io::ErrorKind::InvalidData)?)?;
                guard(&locks.join("postgres.in-use"), &place, &folder)?;
                folder
            }
        };
        starting.unlock()?;
        Ok(Self {
            socket: folder,
            _in_use: in_use,
        })
    }
}

/// Whether a server still answers there.
fn listens(folder: &Path) -> bool {
    UnixStream::connect(folder.join(".s.PGSQL.5432")).is_ok()
}

/// Makes a cluster in a new folder, which also holds its socket, and starts it.
fn start() -> io::Result<PathBuf> {
    // A short path: that of a Unix socket has at most 107 bytes.
    let folder = tempfile::Builder::new()
        .prefix("parlour-postgres-")
        .tempdir()?
        .keep();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700))?;
    if is_root()? {
        run(Command::new("chown").arg("postgres:").arg(&folder))?;
    }
    let data = folder.join("data");
    run(as_owner("initdb")?
        .args(["--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"])
        .arg(format!("--username={USER}"))
        .arg("--pgdata")
        .arg(&data))?;
    let options = format!(
        "-c listen_addresses='' -c unix_socket_directories='{}' -c max_connections=300 \
         -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c shared_buffers=64MB",
        folder.display()
    );
    run(as_owner("pg_ctl")?
        .args(["start", "--wait", "--timeout=60", "--log"])
        .arg(folder.join("log"))
        .arg("--pgdata")
        .arg(&data)
        .args(["--options", &options]))?;
    Ok(folder)
}

/// Leaves a shell behind that ends the cluster once no process uses it. The pause lets the next test
/// process of a runner take over instead of starting its own.
fn guard(in_use: &Path, place: &Path, folder: &Path) -> io::Result<()> {
    const SCRIPT: &str = r#"
        exec 9>>"$1"
        while :; do
            flock --exclusive 9
            flock --unlock 9
            sleep 2
            if flock --exclusive --nonblock 9; then break; fi
        done
        server="$(head -n 1 "$3/data/postmaster.pid")"
        kill -INT "$server"
        while kill -0 "$server"; do sleep 0.1; done
        rm -rf "$2" "$3"
    "#;
    Command::new("sh")
        .args(["-c", SCRIPT, "sh"])
        .args([in_use, place, folder])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .map(drop)
}

/// A program of the newest installed PostgreSQL; run by the user `postgres` when the tests are run by
/// root, because PostgreSQL refuses to be.
fn as_owner(program: &str) -> io::Result<Command> {
    let program = programs()?.join(program);
    let mut command = if is_root()? {
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid=postgres", "--regid=postgres", "--clear-groups"])
            .arg(program);
        command
    } else {
        Command::new(program)
    };
    command.current_dir("/");
    Ok(command)
}

fn programs() -> io::Result<PathBuf> {
    let missing = || io::Error::other("PostgreSQL is missing: install the package `postgresql`");
    fs::read_dir("/usr/lib/postgresql")
        .map_err(|_| missing())?
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|bin| bin.join("initdb").exists())
        .max()
        .ok_or_else(missing)
}

fn is_root() -> io::Result<bool> {
    Ok(fs::metadata("/proc/self")?.uid() == 0)
}

fn run(command: &mut Command) -> io::Result<()> {
    // To files, not pipes: the server inherits them and would keep a pipe open.
    let output = tempfile::tempfile()?;
    let status = command
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output.try_clone()?)
        .status()?;
    if status.success() {
        return Ok(());
    }
    let mut said = String::new();
    let mut output = output;
    io::Seek::rewind(&mut output)?;
    io::Read::read_to_string(&mut output, &mut said)?;
    Err(io::Error::other(format!("{command:?}: {status}: {said}")))
}
