// Two people talk with Converse.js in headless Chromium, over WebSocket: they log in by the
// form, add each other to the roster, talk both ways, meet in a room, share a file; one
// reloads the page and resumes the session.
//
// Told by the environment: XMPP_WEBSOCKET (a URL), XMPP_ROMEO, XMPP_JULIET (bare JIDs), XMPP_PASSWORD, XMPP_ROOMS (the domain of rooms), XMPP_OUTPUT (a folder for
// the screenshot). Exits with 0 when all was seen.

import { createReadStream } from "node:fs";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

const PATIENCE_MS = 30_000;
const { XMPP_WEBSOCKET, XMPP_ROMEO, XMPP_JULIET, XMPP_PASSWORD, XMPP_ROOMS, XMPP_OUTPUT } =
  process.env;

const dist = join(fileURLToPath(new URL(".", import.meta.url)), "node_modules/converse.js/dist");
const TYPES = {
  ".css": "text/css",
  ".html": "text/html",
  ".js": "text/javascript",
  ".json": "application/json",
  ".svg": "image/svg+xml",
};
const settings = {
  view_mode: "overlayed",
  authentication: "login",
  websocket_url: XMPP_WEBSOCKET,
  discover_connection_methods: false,
  assets_path: "/dist/",
  blacklisted_plugins: ["converse-omemo", "converse-omemo-views"],
  whitelisted_plugins: ["witness"],
  allow_non_roster_messaging: true,
  auto_join_on_invite: true,
  auto_subscribe: true,
  muc_domain: XMPP_ROOMS,
  play_sounds: false,
  show_background: false,
  show_controlbox_by_default: true,
  loglevel: "warn",
  i18n: "en",
};
const page = `<!doctype html><meta charset="utf-8"><title>Talk</title><link rel="icon" href="data:,">
<link rel="stylesheet" href="/dist/converse.min.css"><body class="converse-fullscreen">
<script type="module" src="/dist/converse.min.js"></script>
<script type="module">
  converse.plugins.add("witness", { initialize() { window.converse_api = this._converse.api; } });
  converse.initialize(${JSON.stringify(settings)});
</script>`;

/** Gives out the page and the client's files. */
const files = createServer(async (request, response) => {
  const path = normalize(decodeURIComponent(new URL(request.url, "http://localhost").pathname));
  if (path === "/") {
    response.writeHead(200, { "content-type": "text/html" }).end(page);
    return;
  }
  const file = join(dist, path.replace(/^\/dist\//, ""));
  try {
    await stat(file);
  } catch {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" });
  createReadStream(file).pipe(response);
});
await new Promise((ready) => files.listen(0, "127.0.0.1", ready));
const origin = `http://127.0.0.1:${files.address().port}/`;

function note(what) {
  console.log(what);
}

/** A person at a browser of its own. */
class Person {
  constructor(address, page) {
    this.address = address;
    this.page = page;
    this.frames = [];
    page.setDefaultTimeout(PATIENCE_MS);
    page.on("websocket", (socket) => {
      socket.on("framereceived", ({ payload }) => this.frames.push(String(payload)));
    });
    page.on("console", (message) => {
      if (message.type() === "error") note(`${address} console: ${message.text()}`);
    });
    page.on("pageerror", (error) => note(`${address} page: ${error}`));
  }

  static async arrives(browser, address) {
    const context = await browser.newContext({
      viewport: { width: 1200, height: 800 },
      // The test authority is no authority to a browser.
      ignoreHTTPSErrors: true,
    });
    const person = new Person(address, await context.newPage());
    await person.page.goto(origin);
    await person.page.locator('input[name="jid"]').fill(address);
    await person.page.locator('input[name="password"]').fill(XMPP_PASSWORD);
    await person.page.locator('input[type="submit"], button[type="submit"]').first().click();
    await person.connected();
    note(`${address}: logged in`);
    return person;
  }

  async connected() {
    await this.page.waitForFunction(() => window.converse_api?.connection?.connected?.());
    await this.page.evaluate(() => window.converse_api.waitUntil("rosterContactsFetched"));
  }

  /** Waits until the page holds such an element. */
  async sees(what, selector, text) {
    await this.page.locator(selector, text ? { hasText: text } : {}).first().waitFor({ state: "attached" });
    note(`${this.address}: ${what}`);
  }

  async opensChat(other) {
    await this.page.evaluate((jid) => window.converse_api.chats.open(jid, {}, true).then(() => null), other);
    await this.page.locator("converse-chat textarea.chat-textarea").first().waitFor();
  }

  async says(box, text) {
    const area = this.page.locator(`${box} textarea.chat-textarea`).first();
    await area.fill(text);
    await area.press("Enter");
  }

  async opensRoom(room, nick) {
    await this.page.evaluate(
      ([room, nick]) => window.converse_api.rooms.open(room, { nick }, true).then(() => null),
      [room, nick],
    );
    await this.page.locator("converse-muc textarea.chat-textarea").first().waitFor();
    note(`${this.address}: entered the room`);
  }
}

const profile = await mkdtemp(join(tmpdir(), "converse-"));
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});
try {
  const romeo = await Person.arrives(browser, XMPP_ROMEO);
  const juliet = await Person.arrives(browser, XMPP_JULIET);

  // One asks, the other's client is set to approve and to ask back.
  await romeo.page.evaluate(
    (jid) => window.converse_api.contacts.add({ jid, name: "Juliet" }).then(() => null),
    XMPP_JULIET,
  );
  for (const [one, other] of [[romeo, juliet], [juliet, romeo]]) {
    await one.page.waitForFunction(
      (jid) => window.converse_api.contacts.get(jid).then((it) => it?.get("subscription") === "both"),
      other.address,
    );
    await one.sees("a contact", "converse-roster-contact, .list-item.roster-item", undefined);
  }

  // Both ways.
  await romeo.opensChat(XMPP_JULIET);
  await romeo.says("converse-chat", "Shall I hear more?");
  await juliet.opensChat(XMPP_ROMEO);
  await juliet.sees("a message", "converse-chat .chat-msg__text", "Shall I hear more?");
  await juliet.says("converse-chat", "What man art thou?");
  await romeo.sees("an answer", "converse-chat .chat-msg__text", "What man art thou?");

  // A file: the button asks for a file, the server gives a place, the message carries the URL.
  await romeo.page.locator("converse-chat input.fileupload").first().setInputFiles({
    name: "rose garden.txt",
    mimeType: "text/plain",
    buffer: Buffer.from("a rose by any other name\n"),
  });
  await juliet.sees("a file", "converse-chat .chat-msg a", "rose");
  const link = await juliet.page.locator("converse-chat .chat-msg a", { hasText: "rose" }).first().getAttribute("href");
  const file = await juliet.page.evaluate((url) => fetch(url).then((it) => it.text()), link);
  if (!file.startsWith("a rose")) throw new Error(`the file holds ${file}`);

  // A room.
  const room = `balcony@${XMPP_ROOMS}`;
  await romeo.opensRoom(room, "Romeo");
  await juliet.opensRoom(room, "Juliet");
  await juliet.says("converse-muc", "O Romeo, Romeo!");
  await romeo.sees("a message in the room", "converse-muc .chat-msg__text", "O Romeo, Romeo!");
  await juliet.sees("its own message come back", "converse-muc .chat-msg__text", "O Romeo, Romeo!");

  // The page is loaded again: the session goes on, and what was sent meanwhile arrives.
  romeo.frames.length = 0;
  await romeo.page.reload();
  await juliet.says("converse-chat", "while the page was loading");
  await romeo.connected();
  if (!romeo.frames.some((frame) => frame.includes("<resumed"))) {
    throw new Error(`the session was not resumed:\n${romeo.frames.join("\n")}`);
  }
  note(`${XMPP_ROMEO}: resumed`);
  await romeo.opensChat(XMPP_JULIET);
  await romeo.sees("a message sent meanwhile", "converse-chat .chat-msg__text", "while the page was loading");
  await romeo.says("converse-chat", "I am here again");
  await juliet.sees("an answer after that", "converse-chat .chat-msg__text", "I am here again");

  await romeo.page.screenshot({ path: join(XMPP_OUTPUT, "converse.png") });
  note("all was seen");
} finally {
  await browser.close();
  files.close();
  await rm(profile, { recursive: true, force: true });
}
