//! Customers out of files and into them.

use super::*;
use crate::store::AuditFilter;

const TABLE: &str = "name,company,telephone,telephone2,email,crm_id,url\r\n\
    Ann Smith,Example,+49 30 12345678,+39 06 12345678,Ann@example.org,1,https://crm.example/1\r\n\
    ,\"Söhne, Ltd\",,,,2,\r\n\
    Bob,,,,bob@example.org,,\r\n";

async fn import(office: &Office, file: &str, dry: bool) -> Result<Outcome, Refusal> {
    let dry = if dry { "true" } else { "false" };
    let given = [("file", file), ("host", "localhost"), ("dry-run", dry)];
    office.perform("customer import", &given).await
}

async fn names(office: &Office, given: &[(&str, &str)]) -> Vec<String> {
    let given = [&[("host", "localhost")], given].concat();
    let listed = office.perform("customer list", &given).await.unwrap();
    let all = listed.data["customers"].as_array().unwrap();
    let name = |it: &serde_json::Value| it["name"].as_str().unwrap().to_owned();
    all.iter().map(name).collect()
}

fn counts(outcome: &Outcome) -> [u64; 5] {
    let count = |name| outcome.data[name].as_u64().unwrap();
    ["made", "changed", "unchanged", "merged", "mistakes"].map(count)
}

#[tokio::test]
async fn a_table_makes_and_changes_customers_after_a_dry_run() {
    let office = Office::new().await;
    let dry = import(&office, TABLE, true).await.unwrap();
    assert_eq!(counts(&dry), [3, 0, 0, 0, 0]);
    assert!(
        dry.text
            .starts_with("Nothing is written. 3 customers would be made")
    );
    assert!(names(&office, &[]).await.is_empty());
    let done = import(&office, TABLE, false).await.unwrap();
    assert_eq!(counts(&done), [3, 0, 0, 0, 0]);
    let mut all = names(&office, &[]).await;
    all.sort();
    assert_eq!(all, ["", "Ann Smith", "Bob"]);
    // By their ids in the CRM two are known, the third by name and address.
    let changed = TABLE.replace("Ann Smith", "Ann Jones");
    let dry = import(&office, &changed, true).await.unwrap();
    assert_eq!(counts(&dry), [0, 1, 2, 0, 0]);
    let done = import(&office, &changed, false).await.unwrap();
    assert_eq!(counts(&done), [0, 1, 2, 0, 0]);
    assert_eq!(names(&office, &[("text", "ann")]).await, ["Ann Jones"]);
    assert_eq!(names(&office, &[("text", "sohn")]).await, [""]);
    assert_eq!(names(&office, &[("text", "+39 06")]).await, ["Ann Jones"]);
    // Of another host they are none.
    let other = [("host", "example.org"), ("text", "ann")];
    let listed = office.perform("customer list", &other).await.unwrap();
    assert!(listed.data["customers"].as_array().unwrap().is_empty());
    // S-J: it is in the trail, without the file.
    let audit = office.operator.store.audit();
    let entries = audit.list(&AuditFilter::default(), 100).await.unwrap();
    let imports: Vec<_> = entries
        .iter()
        .filter(|it| it.operation == "customer import")
        .collect();
    assert_eq!(imports.len(), 4);
    assert!(imports.iter().all(|it| !it.arguments.contains("Ann")));
}

/// Without an id of the CRM it is whoever has the same name and one of the numbers or addresses, who gets what it has not; nobody
/// else is taken for it.
#[tokio::test]
async fn a_table_without_ids_is_imported_twice_without_harm() {
    let office = Office::new().await;
    let header = "name,company,telephone,email\r\n";
    let import = async |rows: &str, dry| {
        let done = import(&office, &format!("{header}{rows}"), dry).await;
        done.map(|it| counts(&it))
    };
    let rows = "Ann,,+493012345678,\r\nBob,Example,,bob@example.org\r\n";
    assert_eq!(import(rows, false).await.unwrap(), [2, 0, 0, 0, 0]);
    for dry in [true, false] {
        assert_eq!(import(rows, dry).await.unwrap(), [0, 0, 2, 0, 0]);
    }
    let more = "Ann,,+49 30 12345678,Ann@Example.org\r\n";
    for dry in [true, false] {
        assert_eq!(import(more, dry).await.unwrap(), [0, 1, 0, 0, 0]);
    }
    assert_eq!(names(&office, &[("text", "+4930")]).await, ["Ann"]);
    // A colleague of the same number, a company of the same name: others.
    let others =
        "Carl,,+493012345678,\r\nBob,Another,,bob@example.org\r\nAnn,,,other@example.org\r\n";
    assert_eq!(import(others, false).await.unwrap(), [3, 0, 0, 0, 0]);
    let twice = "Eve,,+493012345679,\r\nEve,,+493012345679,eve@example.org\r\n";
    let refused = import(twice, false).await.unwrap_err().to_string();
    let expected = "line 3: the same customer stands in line 2 already";
    assert!(refused.contains(expected), "{refused}");
}

#[tokio::test]
async fn everything_wrong_is_told_with_its_line_and_nothing_is_written() {
    let office = Office::new().await;
    for (table, says) in [
        ("", &["line 1", "no column name"][..]),
        ("name,colour\n", &["unknown column \"colour\""]),
        ("name,name\n", &["the column name is there twice"]),
        ("telephone\n1\n", &["no column name"]),
        (
            "name,telephone,email\nAnn,12,\nBob,,bob\n,,x@example.org\nGood,,\n",
            &[
                "line 2: A telephone number",
                "line 3: This is no e-mail",
                "line 4: A customer needs a name",
            ],
        ),
        (
            "name,crm_id\nAnn,1\n\nBob,1\n",
            &["line 4: the id \"1\" stands in line 2 already"],
        ),
        ("name\nAnn,Smith\n", &["line 2: more cells than columns"]),
        ("name,url\nAnn,ftp://x\n", &["line 2: The id or URL"]),
        (
            "BEGIN:VCARD\nFN:Ann\n",
            &["line 2: the card of line 1 does not end"],
        ),
        (
            "BEGIN:VCARD\nVERSION:3.0\nNOTE:x\nEND:VCARD\n",
            &["line 1: A customer needs a name"],
        ),
    ] {
        let done = import(&office, table, false).await;
        let (kind, text) = told(&done);
        assert_eq!(kind, "not acceptable", "{table}: {text}");
        for says in says {
            assert!(text.contains(says), "{table}: {text}");
        }
    }
    assert!(names(&office, &[]).await.is_empty());
    let dry = import(&office, "name,telephone\nAnn,12\nBob,\n", true)
        .await
        .unwrap();
    assert_eq!(counts(&dry), [1, 0, 0, 0, 1]);
    assert!(
        dry.text.contains("\n  line 2: A telephone number"),
        "{}",
        dry.text
    );
    let many: String = (0..=100_000).map(|n| format!("N{n}\n")).collect();
    let done = import(&office, &format!("name\n{many}"), false).await;
    let (_, text) = told(&done);
    assert!(
        text.contains("line 100002: at most 100000 customers"),
        "{text}"
    );
}

#[tokio::test]
async fn vcards_of_others_are_read() {
    let office = Office::new().await;
    let cards = "BEGIN:VCARD\r\nVERSION:3.0\r\nN:Smith;Ann;;;\r\nORG:Example;Sales\r\nUID:u1\r\n\
        item1.TEL;type=WORK:+49 30 12345678\r\nTEL;TYPE=fax:+49 30 87654321\r\nEMAIL;TYPE=INTERNET:ann@example.org\r\n\
        PHOTO;ENCODING=b:AAAA\r\n  BBBB\r\nEND:VCARD\r\n\
        BEGIN:VCARD\r\nVERSION:4.0\r\nKIND:org\r\nFN:Capulet\\, Ltd\r\nTEL;VALUE=uri:tel:+39-06-12345678\r\nEND:VCARD\r\n";
    let done = import(&office, cards, false).await.unwrap();
    assert_eq!(counts(&done), [2, 0, 0, 0, 0]);
    let all = [("host", "localhost"), ("text", "ann@example.org")];
    let listed = office.perform("customer list", &all).await.unwrap();
    let ann = &listed.data["customers"][0];
    assert_eq!(ann["name"], "Ann Smith");
    assert_eq!(ann["company"], "Example");
    assert_eq!(ann["telephones"], serde_json::json!(["+493012345678"]));
    assert_eq!(ann["crm_id"], "u1");
    let all = [("host", "localhost"), ("text", "capulet")];
    let listed = office.perform("customer list", &all).await.unwrap();
    let company = &listed.data["customers"][0];
    assert_eq!(
        (&company["name"], &company["company"]),
        (&"".into(), &"Capulet, Ltd".into())
    );
    assert_eq!(company["telephones"], serde_json::json!(["+390612345678"]));
}

/// What is taken out can be brought in again, in either form.
#[tokio::test]
async fn an_export_is_imported_as_it_was() {
    let office = Office::new().await;
    import(&office, TABLE, false).await.unwrap();
    for format in ["csv", "vcf"] {
        let given = [("host", "localhost"), ("format", format)];
        let text = office
            .perform("customer export", &given)
            .await
            .unwrap()
            .text;
        let again = import(&office, &text, true).await.unwrap();
        assert_eq!(counts(&again), [0, 0, 3, 0, 0], "{text}");
        let elsewhere = [("file", text.as_str()), ("host", "example.org")];
        let done = office.perform("customer import", &elsewhere).await.unwrap();
        assert_eq!(done.data["mistakes"], 0);
    }
    let mut seen = Vec::new();
    let mut after = String::new();
    loop {
        let given = [
            ("host", "localhost"),
            ("max", "2"),
            ("after", after.as_str()),
        ];
        let part = office.perform("customer export", &given).await.unwrap();
        seen.push(part.data["count"].as_u64().unwrap());
        let Some(next) = part.data["next_after"].as_str() else {
            break;
        };
        after = next.to_owned();
    }
    assert_eq!(seen, [2, 1]);
    let mut listed = Vec::new();
    let mut after = String::new();
    loop {
        let given = [
            ("host", "localhost"),
            ("max", "2"),
            ("after", after.as_str()),
        ];
        let part = office.perform("customer list", &given).await.unwrap();
        listed.extend(part.data["customers"].as_array().unwrap().clone());
        let Some(next) = part.data["next_after"].as_str() else {
            break;
        };
        after = next.to_owned();
    }
    assert_eq!(listed.len(), 3);
    let short = [("host", "localhost"), ("text", "an")];
    let (kind, _) = told(&office.perform("customer list", &short).await);
    assert_eq!(kind, "not acceptable");
    search_goes_on(&office).await;
    let unknown = [("host", "localhost"), ("text", "ann"), ("after", "x")];
    let (kind, _) = told(&office.perform("customer list", &unknown).await);
    assert_eq!(kind, "not found");
}

/// To an account a file goes as a stanza; the command line takes it however long it is.
#[tokio::test]
async fn an_export_by_form_is_no_longer_than_a_stanza() {
    let office = Office::new().await;
    let row = |at: usize| format!("Name {at},{}\n", "x".repeat(250));
    let table: String = (0..1_100).map(row).collect();
    import(&office, &format!("name,company\n{table}"), false)
        .await
        .unwrap();
    let from = "chief@localhost/desk".parse().unwrap();
    let by = Actor::account(&office.operator.config, &from, Role::Administrator, None);
    let export = async |given: &[(&str, &str)]| {
        let given = texts(&[&[("host", "localhost")], given].concat());
        let done = perform(&office.operator, &by, "customer export", &given);
        told(&Box::pin(done).await)
    };
    for format in ["csv", "vcf"] {
        let (kind, text) = export(&[("format", format)]).await;
        assert_eq!(kind, "not acceptable", "{text}");
        assert!(text.contains("parlour customer export"), "{text}");
        let (kind, _) = export(&[("format", format), ("max", "500")]).await;
        assert_eq!(kind, "done", "{format}");
    }
    let all = office.perform("customer export", &[("host", "localhost")]);
    assert_eq!(all.await.unwrap().data["count"], 1_100);
}

/// Behind the place of a customer who is gone meanwhile.
async fn search_goes_on(office: &Office) {
    let list = async |given: &[(&str, &str)]| {
        let given = [&[("host", "localhost"), ("text", "search")], given].concat();
        office.perform("customer list", &given).await.unwrap().data
    };
    let text = "name\nSearcha\nSearchb\nSearchc\n";
    import(office, text, false).await.unwrap();
    let first = list(&[("max", "2")]).await;
    let next = first["next_after"].as_str().unwrap();
    let id = first["customers"][1]["id"].as_str().unwrap();
    let erase = [("host", "localhost"), ("id", id), ("confirm", "true")];
    office.perform("customer erase", &erase).await.unwrap();
    let rest = list(&[("after", next)]).await;
    assert_eq!(rest["customers"].as_array().unwrap().len(), 1, "{rest}");
    assert_eq!(rest["customers"][0]["name"], "Searchc");
    assert_eq!(rest["complete"], true);
}
