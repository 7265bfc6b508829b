//! What colleagues and plain clients see of a state.

use super::*;

/// S0-15, S0-21, S0-22.
#[test]
fn colleagues_see_online_busy_or_offline_with_a_reason() {
    let busy = Desk {
        devices: one_device(Some(Show::Away)),
        ..Desk::new()
    };
    let mut contradicted = busy.clone().with(&[Command::Login, Command::Ready]);
    contradicted.devices = one_device(None);
    let mut lost = Desk::new().with(&[Command::Login]);
    lost.device(Devices::default(), 0);
    let mut client = Desk {
        reasons: ReasonCodes::default(),
        ..busy
    };
    client = client.with(&[Command::Login]);
    for (desk, view, status) in [
        (Desk::new(), View::Offline, "Offline"),
        (Desk::new().with(&[Command::Login]), View::Online, "Online"),
        (
            Desk::new().with(&[Command::Login, not_ready("lunch")]),
            View::Busy,
            "Busy – Mittag",
        ),
        (
            Desk::new().with(&[Command::Login, engage("x")]),
            View::Busy,
            "Busy – In an interaction",
        ),
        (
            Desk::new().with(&[Command::Login, engage("x"), release("x")]),
            View::Busy,
            "Busy – Wrap-up",
        ),
        (contradicted, View::Busy, "Busy – Away"),
        (client, View::Busy, "Busy – Away"),
        (lost, View::Offline, "Offline"),
    ] {
        let seen = desk.agent.view(PresenceDisplay::Shown);
        assert_eq!(seen, view, "{status}");
        assert_eq!(desk.agent.status(view, &desk.reasons, "de"), status);
        assert_eq!(desk.agent.view(PresenceDisplay::Hidden), View::Offline);
        assert_eq!(
            desk.agent.status(View::Offline, &desk.reasons, "de"),
            "Offline"
        );
    }
}

#[test]
fn plain_clients_show_dnd_for_busy_and_what_the_client_itself_says() {
    let shows = [
        None,
        Some(Show::Chat),
        Some(Show::Away),
        Some(Show::Xa),
        Some(Show::Dnd),
    ];
    for own in shows {
        let free = matches!(own, None | Some(Show::Chat));
        let shown = |view, state| show_beside(view, state, own);
        assert_eq!(shown(View::Online, State::Available), own);
        assert_eq!(shown(View::Offline, State::Available), own);
        let away = if free { Some(Show::Xa) } else { own };
        assert_eq!(shown(View::Offline, State::LoggedOut), away);
        let busy = if free { Some(Show::Dnd) } else { own };
        assert_eq!(shown(View::Busy, State::Engaged), busy);
    }
}
