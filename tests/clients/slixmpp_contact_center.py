"""Two agents use the plugins of examples/parlour_slixmpp: another implementation of the protocols than the server's.

Told by the environment as slixmpp_person.py says. Romeo and Juliet are agents, and `lunch` and `shift-over` are reasons. Exits with 0
when all went as it should.
"""

import asyncio
import os
import pathlib
import sys
import xml.etree.ElementTree as ET

from slixmpp_person import Person, expect, says

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "examples"))

import parlour_slixmpp  # noqa: E402
from parlour_slixmpp import Customer, Object, Refused  # noqa: E402

EVENTS = (
    ("parlour_context", "context"),
    ("parlour_context_progress", "step"),
    ("parlour_email_failed", "failed"),
    ("parlour_im_invitation", "invitation"),
    ("parlour_im_said", "said"),
    ("parlour_im_event", "event"),
    ("parlour_follow_up", "follow_up"),
    ("parlour_message_stream", "notice"),
    ("parlour_message_not_delivered", "not_delivered"),
    ("roster_update", "roster"),
)

CARD = "<FN>Juliet Capulet</FN><TEL><WORK/><NUMBER>+49 30 12345678</NUMBER></TEL>"
FORGED = (
    "<email-failed xmlns='urn:parlour:reach:0' id='1' colleague='juliet'><subject/><why/></email-failed>",
    "<progress xmlns='urn:parlour:context:0' id='1' jid='juliet@localhost' progress='opened'/>",
    "<context xmlns='urn:parlour:context:0' id='1' sender='juliet@localhost'/>",
    "<event xmlns='urn:parlour:im:0' id='1' type='ended' at='2026-01-31T12:00:00Z'/>",
    "<invitation xmlns='urn:parlour:im:0' id='1' from='juliet@localhost' until='2026-01-31T12:00:00Z'/>",
    "<said xmlns='urn:parlour:im:0' id='1'/>",
    "<changed xmlns='urn:parlour:message-stream:0' id='1' customer='1' version='1' what='created'/>",
    "<not-delivered xmlns='urn:parlour:message-stream:0' id='1' message='1'>No.</not-delivered>",
)


class Agent(Person):
    def __init__(self, who):
        # Receipts are sent by the library, which knows nothing of contexts.
        super().__init__(os.environ[who], ("xep_0184",), EVENTS)
        parlour_slixmpp.register(self)

    async def arrives(self):
        self.dial()
        await self.sees("session")
        await self.get_roster()
        self.send_presence()

    async def has(self, contact, subscription):
        """Waits until a push of the roster has a contact so."""

        def tells(push):
            items = push["roster"]["items"]
            return contact in items and items[contact]["subscription"] == subscription

        await self.sees("roster", tells)


async def refused(code, request):
    try:
        await request
    except Refused as refusal:
        expect(refusal.code == code, f"{refusal.code}, not {code}: {refusal}")
        expect(refusal.text, f"{code} without a sentence")
    else:
        sys.exit(f"{code} is not refused")


async def states(romeo):
    agent = romeo.plugin["parlour_agent"]
    await refused("agent-logged-out", agent.ready())
    state = await agent.login()
    expect(state.state == "available" and state.jid == romeo.boundjid.bare, state)
    state = await agent.not_ready("lunch")
    expect((state.state, state.reason, state.label) == ("not-ready", "lunch", "Lunch"), state)
    await refused("reason-code-unknown", agent.not_ready("dinner"))
    expect((await agent.state()).state == "not-ready", "what was refused has changed something")
    expect((await agent.ready()).state == "available", "not available again")
    state = await agent.logout("shift-over")
    expect(state.state == "logged-out" and state.since, state)
    changes = [(it.change, it.reason, it.origin) for it in await agent.history(max=2, before="")]
    expect(changes == [("available", None, "agent"), ("logout", "shift-over", None)], changes)
    await refused("right-missing", agent.agents())


async def watching(juliet):
    """What Juliet sees of the others, who may list agents."""
    agent, romeo = juliet.plugin["parlour_agent"], os.environ["XMPP_ROMEO"]
    state = await agent.state(romeo)
    expect((state.state, state.view) == ("logged-out", "offline") and state.seconds >= 0, state)
    expect([it.jid for it in await agent.agents(max=5)] == [romeo], "another list")
    expect(await agent.agents(["available", "engaged"]) == [], "who has logged out is available")
    [change] = await agent.history(romeo, max=1)
    expect((change.id, change.change) == ("1", "login"), change)
    await refused("page-unknown", agent.history(romeo, after="x"))


async def contexts(romeo, juliet):
    ours, hers = romeo.plugin["parlour_context"], juliet.plugin["parlour_context"]
    fire = Object("case", "4711", "Printer is on fire", "https://crm.example/4711", "open", {"Site": "Verona"})
    order = Object("sales-order", "7", "Order & delivery")
    await ours.opened(order)
    sent = await ours.send([juliet.boundjid.bare], [fire, Object("sales-order", "7")], "Look <here>")
    expect(sent.objects == [fire, order] and sent.note == "Look <here>", sent)
    brought = await juliet.sees("context")
    expect((brought.id, brought.objects, brought.note) == (sent.id, sent.objects, sent.note), brought)
    about, step = await romeo.sees("step")
    expect((about, step.jid, step.progress) == (sent.id, juliet.boundjid.bare, "delivered"), step)
    opened = await hers.open(sent.id)
    expect([step.progress for step in opened.recipients] == ["opened"], opened)
    about, step = await romeo.sees("step")
    expect((about, step.progress) == (sent.id, "opened"), step)
    expect((await ours.find(sent.id)).recipients == [step], "the sender sees something else")
    second = await ours.send([juliet.boundjid.bare], [order])
    await juliet.sees("context")
    about, step = await romeo.sees("step")
    expect((about, step.progress) == (second.id, "delivered"), step)
    page = await hers.received(max=1)
    expect([it.id for it in page] == [second.id], page)
    page = await hers.received(max=5, after=second.id)
    expect([it.id for it in page] == [sent.id], page)
    expect([it.id for it in await ours.sent()] == [second.id, sent.id], "not in the order of sending")
    names = [it.id for it in await hers.recent()]
    expect(sorted(names) == ["4711", "7"], names)
    await hers.forget("case", "4711")
    await refused("object-not-recent", hers.forget("case", "4711"))
    await refused("oneself", ours.send([romeo.boundjid.bare], [order]))
    await refused("object-url-malformed", ours.opened(Object("case", "1", "One", "javascript:x")))
    await refused("context-unknown", hers.open("no-such-context"))


async def contacts(romeo, juliet):
    contact, jid = romeo.plugin["parlour_contact"], juliet.boundjid.bare
    expect(await contact.contacts() == [], "there are contacts already")
    await contact.add(jid)
    await romeo.has(jid, "both")
    await juliet.has(romeo.boundjid.bare, "both")
    [seen] = await contact.contacts(max=10)
    expect((seen.jid, seen.view, seen.status) == (jid, "offline", "Offline"), seen)
    await juliet.plugin["parlour_agent"].login()
    [seen] = await contact.contacts()
    expect((seen.view, seen.status) == ("online", "Online"), seen)
    expect(await contact.contacts(after=jid) == [], "somebody is behind the last")
    await refused("already-contact", contact.add(jid))
    await refused("no-account", contact.add("nobody"))
    await juliet.plugin["parlour_contact"].remove(romeo.boundjid.user)
    await romeo.has(jid, "remove")
    await juliet.has(romeo.boundjid.bare, "remove")
    await refused("no-contact", contact.remove(jid))


async def directory(romeo, juliet):
    await juliet.publishes(CARD)
    search = romeo.plugin["parlour_directory"].search
    found = await search("cap")
    seen = [(it.jid, it.view, it.name) for it in found.colleagues]
    expect(seen == [(juliet.boundjid.bare, "online", "Juliet Capulet")], found)
    expect(found.complete, found)
    found = await search("jul cap", ["busy", "offline"])
    expect(found.colleagues == [] and found.complete, found)
    found = await search("juliet", max=1, after=juliet.boundjid.bare)
    expect(found.colleagues == [], found)
    await refused("query-too-short", search("ca"))


async def ways(romeo, juliet):
    """How Juliet can be reached, and how not."""
    ours, jid = romeo.plugin["parlour_reach"], juliet.boundjid.bare
    reached = await ours.reach(jid)
    expect((reached.jid, reached.view) == (jid, "online"), reached)
    expect(sorted(reached.means) == ["context", "email", "instant-message", "telephone"], reached)
    expect(reached.means["telephone"].uri == "tel:+493012345678", reached)
    expect(reached.means["instant-message"].uri == f"xmpp:{jid}?message", reached)
    email = reached.means["email"]
    expect(email.uri is None and email.code == "no-address" and email.text, email)
    by = await ours.contact_by(jid, "telephone")
    expect((by.uri, by.interaction) == ("tel:+493012345678", None), by)
    await refused("no-address", ours.contact_by(jid, "email"))
    await refused("no-address", ours.send_email(jid, "Lunch", "At noon?"))
    await juliet.publishes(CARD + "<EMAIL><USERID>juliet@mail.example</USERID></EMAIL>")
    email = await ours.send_email(jid, "Lunch & more", "At noon?")
    uri = "mailto:juliet@mail.example?subject=Lunch%20%26%20more&body=At%20noon%3F"
    expect((email.id, email.uri) == (None, uri), email)
    await refused("email-empty", ours.send_email(jid, "Lunch", " "))
    await refused("oneself", ours.reach(romeo.boundjid.bare))
    await juliet.plugin["parlour_agent"].not_ready("lunch")
    await refused("colleague-not-ready", ours.contact_by(jid, "telephone"))
    await refused("colleague-not-ready", romeo.plugin["parlour_im"].invite(jid, "Lunch?"))
    await juliet.plugin["parlour_agent"].ready()


async def talk(romeo, juliet):
    """An invitation, the conversation, its end, and what is left of it."""
    ours, hers = romeo.plugin["parlour_im"], juliet.plugin["parlour_im"]
    session = await ours.invite(juliet.boundjid.bare, "Can you <help> me?")
    expect(session.colleague == juliet.boundjid.bare, session)
    expect((session.side, session.status) == ("inviter", "pending"), session)
    invitation = await juliet.sees("invitation")
    expect((invitation.id, invitation.sender) == (session.id, romeo.boundjid.bare), invitation)
    expect(invitation.text == "Can you <help> me?", invitation)
    expect(invitation.until > session.invited, invitation)
    await refused("not-the-invitee", ours.accept(session.id))
    expect((await hers.accept(session.id)).status == "connected", "not connected")
    await event(romeo, session, "accepted", juliet)
    await event(juliet, session, "connected", juliet)
    await hers.say(session.id, "Of course.")
    said = await romeo.sees("said")
    expect((said.id, said.sender, said.text) == (session.id, juliet.boundjid.bare, "Of course."), said)
    # What the client sends itself belongs to the session, too.
    romeo.send_message(mto=juliet.boundjid.bare, mbody="It is about an order.", mtype="chat")
    said = await juliet.sees("said")
    expect((said.id, said.text) == (session.id, "It is about an order."), said)
    ended = await ours.end(session.id)
    expect((ended.status, ended.done) == ("ended", False), ended)
    await event(romeo, session, "ended", romeo)
    await event(juliet, session, "ended", romeo)
    await refused("im-session-ended", hers.say(session.id, "One more thing"))
    expect([it.id for it in await ours.sessions()] == [session.id], "it is not listed")
    expect((await ours.done(session.id)).done, "it is not done")
    await event(romeo, session, "done", romeo)
    expect(await ours.sessions() == [], "what is done is listed")
    expect([it.id for it in await ours.sessions(all=True, max=5)] == [session.id], "what is done is lost")
    expect([it.id for it in await hers.sessions()] == [session.id], "it left the list of the other")
    await transcripts(ours, hers, session)
    await answers(romeo, juliet)


async def transcripts(ours, hers, session):
    lines = await ours.transcript(session.id)
    told = [(it.kind, it.logon, it.text) for it in lines]
    expected = [
        ("message", "romeo", "Can you <help> me?"),
        ("accepted", "juliet", None),
        ("message", "juliet", "Of course."),
        ("message", "romeo", "It is about an order."),
        ("ended", "romeo", None),
    ]
    expect(told == expected, told)
    expect(await hers.transcript(session.id) == lines, "the other reads something else")
    page = await hers.transcript(session.id, max=2, after=lines[0].n)
    expect(page == lines[1:3], page)
    await refused("im-session-unknown", ours.transcript("no-such-session"))


async def answers(romeo, juliet):
    """One that is rejected, one that is taken back."""
    ours, hers = romeo.plugin["parlour_im"], juliet.plugin["parlour_im"]
    session = await ours.invite(juliet.boundjid.user, "Tea?")
    expect((await juliet.sees("invitation")).id == session.id, "another invitation")
    expect((await hers.reject(session.id)).status == "rejected", "not rejected")
    for person in (romeo, juliet):
        await event(person, session, "rejected", juliet)
    session = await ours.invite(juliet.boundjid.user, "Coffee?")
    expect((await juliet.sees("invitation")).id == session.id, "another invitation")
    expect((await ours.cancel(session.id)).status == "cancelled", "not cancelled")
    for person in (romeo, juliet):
        await event(person, session, "cancelled", romeo)
    expect((await hers.session(session.id)).status == "cancelled", "the other sees it otherwise")
    await refused("invitation-cancelled", hers.accept(session.id))


async def notes(romeo, juliet):
    """Message streams about a customer: written, told, found, changed by two, taken out of sight, deleted."""
    ours, hers, jid = romeo.plugin["parlour_message_stream"], juliet.plugin["parlour_message_stream"], juliet.boundjid.bare
    customer = (await romeo.plugin["parlour_customer"].create(Customer(name="Ann Example"))).id
    await hers.watch()
    watch = await ours.stop_watch("d1", "start")
    expect((watch.seconds, watch.minutes) == (0, 0) and watch.since, watch)
    made = await ours.create(customer, "Call back", "She <called>.", draft="d1", recipients=[jid])
    expect((made.version, made.recipients, made.minutes is not None) == (1, [jid], True), made)
    notice = await juliet.sees("notice")
    expect((notice.kind, notice.id, notice.what, notice.version) == ("changed", made.id, "created", 1), notice)
    expect(notice.customer == customer, notice)
    page = await hers.unread()
    [unread] = page
    expect((unread.id, unread.unread, unread.title) == (made.id, 1, "Call back"), unread)
    expect((page.unread, page.complete, page.count, page.first, page.last) == (1, True, 1, made.id, made.id), vars(page))
    await hers.mark_read(made.id)
    expect(await hers.unread() == [], "still unread")
    replied = await hers.reply(made.id, "I will.")
    expect([it.text for it in replied.messages] == ["She <called>.", "I will."], replied)
    await refused("stream-changed", ours.edit(made, made.messages[0].id, "She called."))
    edited = await ours.edit(replied, made.messages[0].id, "She called.", title="Call her back")
    expect((edited.title, edited.messages[0].text, edited.messages[0].versions) == ("Call her back", "She called.", 1), edited)
    [before] = await hers.versions(made.id, made.messages[0].id)
    expect((before.n, before.title, before.text, before.taken) == (1, "Call back", "She <called>.", []), before)
    await refused("whisper-with-minutes", ours.properties(edited, whisper=True, minutes=5))
    await refused("billable-tag-missing", ours.properties(edited, minutes=5, billable=True))
    await refused("tag-unknown", ours.tags(edited, ["no-such-tag"]))
    await refused("stream-changed", ours.tags(made, []))
    found = await hers.streams(customer, text="call", state="open")
    expect(([it.id for it in found], found[0].recipients, found.complete) == ([made.id], 1, True), found)
    expect((await ours.complete(made.id)).completed, "not completed")
    await refused("stream-completed", hers.reply(made.id, "Late."))
    expect((await ours.reopen(made.id)).completed is None, "still completed")
    history = await romeo.plugin["parlour_customer"].history(customer, max=5)
    expect([(it.kind, it.id, it.title, it.state) for it in history.entries] == [("message-stream", made.id, "Call her back", "open")], history)
    expect(history.complete and history.last == "message-stream/" + made.id, history)
    secret = await ours.create(customer, "Secret", "Not for long.", recipients=[jid])
    await ours.properties(secret, recipients=[romeo.boundjid.bare])
    while (notice := await juliet.sees("notice")).kind != "gone":
        expect(notice.kind == "changed", notice)
    expect(notice.id == secret.id, notice)
    await refused("stream-unknown", hers.stream(secret.id))
    expect((await ours.stream(made.id, max=1)).messages[0].text == "She called.", "something else is read")
    await leafed_through(ours, hers, customer, [secret.id, made.id])
    await timed(ours, made)
    suggested = await ours.suggest("jul")
    expect((list(suggested.recipients), suggested.tags) == ([jid], {}), suggested)
    await ours.delete(secret.id)
    await ours.delete(made.id)
    await refused("stream-unknown", ours.stream(made.id))
    await hers.watch(False)


async def leafed_through(ours, hers, customer, newest_first):
    """Two pages of everything that has two; hers have one that she does not see."""
    secret, made = newest_first
    for list_of, ids in ((ours, newest_first), (hers, [made])):
        seen, behind = [], {}
        while True:
            page = await list_of.streams(customer, max=1, **behind)
            seen += [it.id for it in page]
            expect(page.last in (None, seen[-1]), vars(page))
            if page.complete:
                break
            behind = {"after": page.last}
        expect(seen == ids, seen)
    oldest = await ours.streams(customer, order="ascending", max=1)
    expect(([it.id for it in oldest], oldest.complete) == ([made], False), vars(oldest))
    stream = await ours.stream(made, max=1)
    expect((len(stream.messages), stream.messages.count, stream.messages.complete) == (1, 2, False), stream)
    rest = (await ours.stream(made, after=stream.messages.last)).messages
    expect(([it.text for it in rest], rest.complete) == (["I will."], True), rest)
    unread = await ours.unread(max=1)
    expect((unread.complete, unread.unread) == (True, 1) and [it.id for it in unread] == [made], unread)
    await ours.mark_read(made, rest[-1].id)
    expect((await ours.unread()).count == 0, "still unread")


async def timed(ours, stream):
    """The stop watch of a draft fills the minutes of properties, and ends with it."""
    started = await ours.stop_watch("d2", "start")
    stopped = await ours.stop_watch("d2", "stop")
    expect(started.since and stopped.since is None and stopped.seconds >= started.seconds, stopped)
    started = await ours.stop_watch("d2", "start")
    expect((await ours.stop_watch("d2")).since == started.since, started)
    billed = await ours.properties(await ours.stream(stream.id), draft="d2")
    expect(billed.minutes is not None, billed)
    shown = await ours.stop_watch("d2")
    expect((shown.seconds, shown.since) == (0, None), shown)


async def customers(romeo):
    """When one was made, and as a card."""
    ours = romeo.plugin["parlour_customer"]
    made = await ours.create(Customer(name="Bea Example", telephones=["+493012345679"]))
    expect(made.created and made.merged_into is None, made)
    card = await ours.export(made.id)
    texts = [it.text for it in card.iter() if it.text and it.text.strip()]
    expect(card.tag == "{urn:ietf:params:xml:ns:vcard-4.0}vcard" and "Bea Example" in texts, texts)
    await ours.create(Customer(name="Beate Example"))
    first = await ours.search("bea", max=1)
    expect((len(first.customers), first.complete) == (1, False) and first.last, first)
    rest = await ours.search("bea", after=first.last)
    expect((len(rest.customers), rest.complete) == (1, True), rest)
    expect(rest.customers != first.customers, rest)


async def follow_ups(romeo, juliet):
    """What is planned because of a case: written anew, given away, noted in, cancelled, completed; read page by page."""
    ours, hers = romeo.plugin["parlour_follow_up"], juliet.plugin["parlour_follow_up"]
    case = ("case", "4711", "task")
    planned = await ours.plan(*case, title="Ask the lawyer", note="Since Monday.", note_type="preparation", language="en")
    expect((planned.title, planned.count, planned.status) == ("Ask the lawyer", 1, "planned"), planned)
    edited = await ours.edit(planned.id, planned.version, "task", "Ask the judge", due="2099-01-31T12:00:00Z")
    expect((edited.title, edited.due, edited.overdue) == ("Ask the judge", "2099-01-31T12:00:00Z", False), edited)
    await refused("follow-up-changed", ours.edit(planned.id, planned.version, "task", "Too late"))
    await refused("follow-up-changed", ours.reassign(planned.id, juliet.boundjid.bare, planned.version))
    given = await ours.reassign(planned.id, juliet.boundjid.bare, edited.version)
    expect(given.responsible == juliet.boundjid.bare, given)
    told = await juliet.sees("follow_up")
    expect((told.what, told.by, told.follow_up.title) == ("assigned", romeo.boundjid.bare, "Ask the judge"), told)
    await written_into(ours, hers, planned.id)
    cancelled = await hers.cancel(planned.id)
    expect(cancelled.status == "cancelled" and cancelled.over, cancelled)
    told = await romeo.sees("follow_up", lambda it: it.what == "cancelled")
    expect((told.by, told.id) == (juliet.boundjid.bare, planned.id), told)
    await refused("follow-up-over", ours.complete(planned.id))
    second = await ours.plan(*case, title="Ask the clerk")
    expect((await ours.complete(second.id, second.version)).status == "completed", "not completed")
    seen, behind = [], {}
    while page := await ours.follow_ups(source="case", source_id="4711", max=1, **behind):
        seen += [(it.id, it.status) for it in page]
        behind = {"after": page.last}
    expect(seen == [(second.id, "completed"), (planned.id, "cancelled")], seen)


async def written_into(ours, hers, id):
    """Two notes, one of them in two versions, of which one was on the scratch pad."""
    noted = await hers.note(id, "Er weiß es.", note_type="preparation", language="de")
    await refused("follow-up-changed", ours.note(id, "Too late.", version=noted.version - 1))
    pad = await ours.write_scratch_pad("Since Tuesday.")
    expect(pad.text == "Since Tuesday." and pad.at, pad)
    await ours.note(id, note_type="preparation", language="en", version=noted.version)
    expect((await ours.scratch_pad()).text == "", "it is still on the scratch pad")
    first = (await ours.follow_up(id, max=1)).notes
    expect((len(first), first.count, first.complete) == (1, 2, False), first)
    rest = (await ours.follow_up(id, after=first.last)).notes
    expect((len(rest), rest.complete) == (1, True), rest)
    texts = sorted((it.language, it.text, it.versions) for it in [*first, *rest])
    expect(texts == [("de", "Er weiß es.", 1), ("en", "Since Tuesday.", 2)], texts)
    await refused("follow-up-note-unclear", ours.history(id, "preparation"))
    page = await ours.history(id, "preparation", "en", max=1)
    expect(([it.text for it in page], page.count, page.complete) == (["Since Monday."], 2, False), page)
    page = await ours.history(id, "preparation", "en", after=page.last)
    expect(([it.text for it in page], page.complete) == (["Since Tuesday."], True), page)


async def forged(romeo, juliet):
    """What only the server says is believed from nobody else."""
    for element in FORGED:
        message = juliet.make_message(romeo.boundjid.bare, mbody="forged", mtype="chat")
        message.append(ET.fromstring(element))
        message.send()
        await romeo.sees("message", says("forged"))
    await romeo.plugin["parlour_agent"].state()
    juliet.send_message(mto=romeo.boundjid.bare, mbody="that was all", mtype="chat")
    await romeo.sees("message", says("that was all"))
    believed = [it for it in romeo.kept if it[0] not in ("message", "roster")]
    expect(believed == [], believed)


async def event(person, session, kind, by):
    told = await person.sees("event")
    expect((told.id, told.type, told.by) == (session.id, kind, by.boundjid.bare), told)
    expect(told.text and told.at, told)


async def main():
    romeo, juliet = Agent("XMPP_ROMEO"), Agent("XMPP_JULIET")
    await romeo.arrives()
    await juliet.arrives()
    await states(romeo)
    await watching(juliet)
    await contexts(romeo, juliet)
    await contacts(romeo, juliet)
    await directory(romeo, juliet)
    await ways(romeo, juliet)
    await talk(romeo, juliet)
    await notes(romeo, juliet)
    await customers(romeo)
    await follow_ups(romeo, juliet)
    await forged(romeo, juliet)
    for person in (romeo, juliet):
        await person.leaves()


asyncio.run(asyncio.wait_for(main(), 100))
