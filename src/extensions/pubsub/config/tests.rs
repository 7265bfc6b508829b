use super::*;

fn submit(fields: &[(&str, &str)]) -> Form {
    let field = |(var, value): &(&str, &str)| Field {
        var: Some((*var).to_owned()),
        values: vec![(*value).to_owned()],
        ..Field::default()
    };
    Form {
        fields: fields.iter().map(field).collect(),
        ..Form::new(FormType::Submit)
    }
}

#[test]
fn what_is_stored_is_read_back() {
    for face in [Face::Account, Face::Service] {
        for config in [
            NodeConfig::of(face),
            NodeConfig {
                title: Some("Tunes".to_owned()),
                publish: PublishModel::Open,
                item_expire: Some(60),
                notify_config: true,
                delivery: Delivery::Normal,
                ..NodeConfig::of(face)
            },
        ] {
            let bytes = config.to_bytes(face);
            assert_eq!(NodeConfig::from_bytes(&bytes, face), Ok(config));
        }
    }
}

#[test]
fn a_form_of_wrong_values_changes_nothing() {
    for (var, value, condition, own) in [
        ("pubsub#max_items", "many", Condition::BadRequest, None),
        ("pubsub#max_items", "-1", Condition::BadRequest, None),
        ("pubsub#max_items", "0", Condition::BadRequest, None),
        (
            "pubsub#max_items",
            "101",
            Condition::NotAcceptable,
            Some("max-items-exceeded"),
        ),
        ("pubsub#persist_items", "maybe", Condition::BadRequest, None),
        (
            "pubsub#node_type",
            "collection",
            Condition::BadRequest,
            None,
        ),
        (
            "pubsub#send_last_published_item",
            "always",
            Condition::BadRequest,
            None,
        ),
        (
            "pubsub#access_model",
            "everybody",
            Condition::NotAcceptable,
            Some("unsupported-access-model"),
        ),
        (
            "pubsub#access_model",
            "telepathy",
            Condition::NotAcceptable,
            Some("unsupported-access-model"),
        ),
    ] {
        let error = NodeConfig::of(Face::Account)
            .filled(Face::Account, &submit(&[(var, value)]), 100)
            .unwrap_err();
        assert_eq!(error.condition, condition, "{var} {value}");
        let told = error.application.map(|own| own.name().to_owned());
        assert_eq!(told.as_deref(), own, "{var} {value}");
    }
    let service = NodeConfig::of(Face::Service);
    let presence = submit(&[("pubsub#access_model", "presence")]);
    assert!(service.filled(Face::Service, &presence, 100).is_err());
}

#[test]
fn the_most_items_go_by_their_number_or_by_max() {
    let config = NodeConfig::of(Face::Account);
    let with = |value| {
        config
            .filled(Face::Account, &submit(&[("pubsub#max_items", value)]), 100)
            .unwrap()
            .max_items
    };
    assert_eq!(with("max"), None);
    assert_eq!(with("100"), None);
    assert_eq!(with("99"), Some(99));
}
