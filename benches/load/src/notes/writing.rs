//! The writing of the notes.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tokio::task::JoinSet;

use super::book::{Entry, Of, title};
use super::{Scene, made};
use crate::report::{Record, cpu_per_unit};
use crate::scan;
use crate::session::Session;

/// Parts in which the notes are written. Behind each the reader plans its share of the follow-ups, which is not measured.
const PARTS: usize = 20;
/// There is one follow-up for so many notes.
const NOTES_PER_FOLLOW_UP: usize = 10;

/// An agent who writes.
struct Writer {
    number: usize,
    session: Session,
    entries: Vec<Entry>,
    latencies: Vec<Duration>,
}

/// Writes all of it: what there is then, and what a note has cost.
pub(super) async fn write(
    scene: &Arc<Scene>,
    reader: &mut Session,
    notes: usize,
    seconds_max: u64,
) -> Result<(Vec<Entry>, Record)> {
    let (target, count) = (&scene.target, scene.rules.writers);
    let mut writers = Vec::with_capacity(count);
    for number in 0..count {
        writers.push(Writer {
            number,
            session: Session::log_in(target, scene.first + number, "writer").await?,
            entries: Vec::new(),
            latencies: Vec::new(),
        });
    }
    let mut entries = Vec::with_capacity(notes + notes / NOTES_PER_FOLLOW_UP);
    let (mut seconds, mut cpu_us) = (0.0, Some(0.0));
    let began = Instant::now();
    for part in 0..PARTS {
        let share = |all: usize| part * all / PARTS..(part + 1) * all / PARTS;
        let (before, start) = (target.usage()?, Instant::now());
        writers = write_part(scene, writers, share(notes)).await?;
        seconds += start.elapsed().as_secs_f64();
        let of_part = cpu_per_unit(before.as_ref(), target.usage()?.as_ref(), 1);
        cpu_us = cpu_us.zip(of_part).map(|(before, it)| before + it);
        for number in share(notes / NOTES_PER_FOLLOW_UP) {
            entries.push(plan(scene, reader, number).await?);
        }
        let in_time = began.elapsed() < Duration::from_secs(seconds_max);
        ensure!(
            in_time,
            "after {seconds_max} s part {part} of {PARTS} is written"
        );
    }
    let mut latencies = Vec::with_capacity(notes);
    for writer in writers {
        entries.extend(writer.entries);
        latencies.extend(writer.latencies);
        writer.session.close().await?;
    }
    ensure!(
        latencies.len() == notes,
        "{} notes of {notes}",
        latencies.len()
    );
    let shape = format!("{notes} about one customer, {count} under way at once, 12 words");
    let record = Record {
        count: notes as u64,
        seconds,
        cpu_us: cpu_us.map(|all| all / notes as f64),
        ..target
            .record("notes written", "note", shape)
            .with_latencies(latencies)
    };
    Ok((entries, record))
}

/// Everybody writes those of its notes that are among these.
async fn write_part(
    scene: &Arc<Scene>,
    writers: Vec<Writer>,
    notes: Range<usize>,
) -> Result<Vec<Writer>> {
    let mut tasks = JoinSet::new();
    for mut writer in writers {
        let (scene, notes) = (Arc::clone(scene), notes.clone());
        tasks.spawn(async move {
            let number = writer.number;
            for note in notes.filter(|it| scene.rules.writer(*it) == number) {
                writer.write(&scene, note).await?;
            }
            anyhow::Ok(writer)
        });
    }
    tasks.join_all().await.into_iter().collect()
}

impl Writer {
    async fn write(&mut self, scene: &Scene, note: usize) -> Result<()> {
        let (title, text) = (title(note), scene.rules.text(note));
        let recipient = scene.rules.recipient(note).map(|number| {
            let account = scene.target.account(scene.first + number);
            format!("<recipient>{account}@{}</recipient>", scene.target.domain())
        });
        let id = format!("n{note}");
        let request = format!(
            "<iq type='set' id='{id}' to='{}'>\
             <create xmlns='urn:parlour:message-stream:0' customer='{}'>\
             <title>{title}</title><text>{text}</text>{}</create></iq>",
            scene.service,
            scene.customer,
            recipient.unwrap_or_default(),
        );
        let began = Instant::now();
        let answer = self.session.ask(&id, &request, |_| Ok(())).await?;
        self.latencies.push(began.elapsed());
        let (id, stream) = made(&answer, "<stream ")?;
        let unchanged = scan::between(stream, "<title>", "</title>") == Some(&title)
            && scan::between(stream, "<text>", "</text>") == Some(&text);
        ensure!(unchanged, "{title}: {}", String::from_utf8_lossy(stream));
        self.entries.push(Entry {
            id,
            title,
            of: Of::Note(note),
        });
        Ok(())
    }
}

/// The reader plans a follow-up of its own.
async fn plan(scene: &Scene, reader: &mut Session, number: usize) -> Result<Entry> {
    let (id, title) = (format!("f{number}"), format!("Ask again {number}"));
    let request = format!(
        "<iq type='set' id='{id}' to='{}'>\
         <plan xmlns='urn:parlour:follow-up:0' source='case' source-id='{number}' type='phone-call' customer='{}'>\
         <title>{title}</title></plan></iq>",
        scene.service, scene.customer,
    );
    let answer = reader.ask(&id, &request, |_| Ok(())).await?;
    let (id, _) = made(&answer, "<follow-up ")?;
    Ok(Entry {
        id,
        title,
        of: Of::FollowUp,
    })
}
