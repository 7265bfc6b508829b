//! A scrape by the parser of Prometheus' Python client.

use anyhow::{Context as _, Result, ensure};
use parlour::observe::metrics::{MEASURES, MeasureKind};

use crate::{Transport, folder, python, stage_for_components, succeeds, told};

/// The value of a sample among the lines that the scrape printed.
fn value(page: &str, sample: &str) -> Result<f64> {
    let line = page.lines().find_map(|line| line.strip_prefix(sample));
    let value = line.with_context(|| format!("{sample} is not in\n{page}"))?;
    Ok(value.trim().parse()?)
}

#[tokio::test]
async fn prometheus_reads_every_documented_name() -> Result<()> {
    let server = stage_for_components()?;
    let mut talk = told(python(), &server, Transport::StartTls)?;
    talk.arg(folder().join("slixmpp_talk.py"));
    succeeds(talk, &server).await?;
    let names: Vec<String> = MEASURES
        .iter()
        .map(|measure| {
            let kind = match measure.kind {
                MeasureKind::Counter => "counter",
                MeasureKind::Gauge => "gauge",
                MeasureKind::Histogram => "histogram",
            };
            format!("{} {kind}", measure.name)
        })
        .collect();
    let mut scrape = told(python(), &server, Transport::StartTls)?;
    scrape
        .arg(folder().join("prometheus_scrape.py"))
        .env(
            "METRICS_URL",
            format!("http://{}/metrics", server.address("http")?),
        )
        .env("METRICS_NAMES", names.join(","));
    let page = succeeds(scrape, &server).await?;
    for sample in [
        "parlour_stanzas_received_total{from=client,kind=message}",
        "parlour_stanzas_delivered_total{kind=presence}",
        "parlour_sessions_begun_total{}",
        "parlour_logins_total{result=accepted}",
        "parlour_messages_kept_total{}",
        "parlour_store_seconds_count{act=read}",
        "process_resident_memory_bytes{}",
    ] {
        ensure!(value(&page, sample)? > 0.0, "{sample} in\n{page}");
    }
    for (sample, expected) in [
        ("parlour_sessions{state=connected}", 0.0),
        ("parlour_component_connected{domain=away.localhost}", 0.0),
        ("parlour_peers{kind=component,state=away}", 1.0),
        ("parlour_peers{kind=component,state=established}", 0.0),
    ] {
        ensure!(value(&page, sample)? == expected, "{sample} in\n{page}");
    }
    Ok(())
}
