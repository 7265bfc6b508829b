//! The README's table of what Prometheus can be shown is what the code counts.

use parlour::observe::metrics::{MEASURES, MeasureKind};

use crate::source::root;

const BEGIN: &str = "<!-- measures:begin -->\n";
const END: &str = "<!-- measures:end -->";

fn table() -> String {
    let mut table = String::from("| Name | Kind | Labels | What it says |\n|---|---|---|---|\n");
    for measure in MEASURES {
        let kind = match measure.kind {
            MeasureKind::Counter => "counter",
            MeasureKind::Gauge => "gauge",
            MeasureKind::Histogram => "histogram",
        };
        let (name, labels, help) = (measure.name, measure.labels, measure.help);
        table.push_str(&format!("| `{name}` | {kind} | {labels} | {help} |\n"));
    }
    table
}

#[test]
fn the_readme_lists_what_is_counted() {
    let path = root().join("README.md");
    let readme = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = readme.split_once(BEGIN).expect("measures:begin");
    let (_, after) = rest.split_once(END).expect("measures:end");
    let wanted = format!("{before}{BEGIN}{}{END}{after}", table());
    if std::env::var_os("PARLOUR_BLESS").is_some() {
        std::fs::write(&path, wanted).unwrap();
        return;
    }
    assert!(
        readme == wanted,
        "`PARLOUR_BLESS=1 cargo test --test tidy` writes the table anew"
    );
}

#[test]
fn each_name_ends_with_its_unit_and_stands_once() {
    for (number, measure) in MEASURES.iter().enumerate() {
        let counts = measure.name.ends_with("_total");
        assert_eq!(counts, measure.kind == MeasureKind::Counter, "{measure:?}");
        let before = MEASURES.get(..number).unwrap();
        assert!(
            before.iter().all(|other| other.name != measure.name),
            "{measure:?}"
        );
    }
}
