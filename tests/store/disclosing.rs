//! All that is kept of a customer, taken out by the command line.

use parlour::domain::message_stream::{Message, Stream};
use parlour::store::STREAMS_ABOUT;

use crate::erasing::{Office, romeo};
use crate::{NOW, Place};

/// The ids of the streams in a part.
fn streams(part: &serde_json::Value) -> Vec<String> {
    let streams = part["records"]["message-stream"].as_array().unwrap();
    let ids = streams.iter().map(|it| it["id"].as_str().unwrap());
    ids.map(str::to_owned).collect()
}

/// Part by part, and with the bytes of files.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_disclosed_lies_in_a_folder_with_its_files() {
    let place = Place::sqlite();
    let office = Office::new(&place).await;
    office.fill().await;
    // More than one part holds.
    for id in ["s2", "s3"] {
        let mut stream = Stream::new(id.parse().unwrap());
        stream.version = 1;
        stream.customer = Some("c-own".parse().unwrap());
        stream.messages.push(Message {
            id: "t1".parse().unwrap(),
            author: romeo(),
            at: NOW,
            text: "x".repeat(5 << 20),
            attachments: vec![],
            earlier: vec![],
        });
        office
            .record("message-stream", id, &stream, STREAMS_ABOUT)
            .await;
    }
    office.store().close().await;
    let own = office.folder.path();
    let config = own.join("parlour.toml");
    let text = format!(
        "data_dir = '{}'\n[database]\nurl = 'sqlite:{}'\n[[host]]\ndomain = 'localhost'\n",
        own.display(),
        place.file().unwrap().display()
    );
    std::fs::write(&config, text).unwrap();
    let folder = own.join("disclosed");
    let disclose = async |id: &str| {
        let (config, folder) = (config.to_str().unwrap(), folder.to_str().unwrap());
        let words = ["parlour", "customer", "disclose", id, "--into", folder];
        let words = words.into_iter().chain(["--json", "--config", config]);
        let invocation = parlour::cli::parse(words).unwrap();
        Box::pin(parlour::cli::run(&invocation)).await
    };
    let unknown = disclose("nobody").await.unwrap_err();
    assert!(
        unknown.to_string().contains("no such customer"),
        "{unknown}"
    );
    assert!(!folder.exists() && !own.join("disclosed.partial").exists());
    let told = disclose("c-own").await.unwrap();
    let told: serde_json::Value = serde_json::from_str(&told.text).unwrap();
    let counts = ["parts", "records", "files", "bytes"].map(|it| told[it].as_u64().unwrap());
    assert_eq!(counts, [2, 11, 1, 5], "{told}");
    let part = |number: u32| {
        let part = std::fs::read(folder.join(format!("part-{number:04}.json"))).unwrap();
        serde_json::from_slice::<serde_json::Value>(&part).unwrap()
    };
    let (first, second) = (part(1), part(2));
    let ids = [streams(&first), streams(&second)].concat();
    assert_eq!(ids, ["s1", "s2", "s3"]);
    let file = &first["records"]["message-stream"][0]["files"][0];
    assert_eq!(file["name"], "très privé.png");
    let path = folder.join("files").join(file["file"].as_str().unwrap());
    assert_eq!(path.extension().unwrap(), "png");
    assert_eq!(std::fs::read(path).unwrap(), b"hello");
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&folder).unwrap());
    assert_eq!(mode & 0o777, 0o700);
    let again = disclose("c-own").await.unwrap_err();
    assert!(again.to_string().contains("is there already"), "{again}");
}
