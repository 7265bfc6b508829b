//! The control socket.

use tokio_util::sync::CancellationToken;

use super::*;
use crate::admin::control::{self, ControlError, ControlSocket};

#[tokio::test]
async fn the_control_socket_carries_operations() {
    let office = Office::new().await;
    let folder = office.folder.path();
    let given = texts(&[("jid", "ann@localhost"), ("password", "p")]);
    let none = control::request(folder, "account add", &given)
        .await
        .unwrap();
    assert!(none.is_none(), "nobody serves");

    let socket = ControlSocket::bind(folder).unwrap();
    assert!(matches!(
        ControlSocket::bind(folder),
        Err(ControlError::InUse(_))
    ));
    let stop = CancellationToken::new();
    let tasks = tokio_util::task::TaskTracker::new();
    let serving = tasks.spawn(socket.serve(office.operator.clone(), stop.clone()));

    assert!(control::is_running(folder).await.unwrap());
    let made = control::request(folder, "account add", &given)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(made.unwrap().data["jid"], "ann@localhost");
    let again = control::request(folder, "account add", &given)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        again,
        Err(Refusal::Conflict(
            "there is an account ann@localhost already".to_owned()
        ))
    );
    let answer = raw(
        folder,
        b"{\"operation\":\"account add\",\"password\":\"secret\"}\n",
    )
    .await;
    assert!(
        answer.contains("\"usage\"") && !answer.contains("secret"),
        "{answer}"
    );
    let answer = raw(folder, b"no json\n").await;
    assert!(answer.contains("\"usage\""), "{answer}");

    stop.cancel();
    serving.await.unwrap();
    assert!(!folder.join(control::FILE).exists());
    assert!(!control::is_running(folder).await.unwrap());
    // What a server left that was killed is no hindrance.
    drop(std::os::unix::net::UnixListener::bind(folder.join(control::FILE)).unwrap());
    assert!(!control::is_running(folder).await.unwrap());
    ControlSocket::bind(folder).unwrap();
}

async fn raw(folder: &std::path::Path, request: &[u8]) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::UnixStream::connect(folder.join(control::FILE))
        .await
        .unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}
