// Runs share_worker.js with stand-ins for the browser, and plays one scene of test_share_worker.py. It prints as JSON
// what was sent to the server, what was said to the page, and how often the worker connected.
import { readFileSync } from "node:fs";
import vm from "node:vm";

const [script, scene] = process.argv.slice(2);
const seen = { sent: [], said: [], sockets: 0, closed: false, open: 0, most: 0 };
let now = 0, timers = [], newest = null, give = null;

class WebSocket {
  static OPEN = 1;
  constructor() {
    newest = this;
    seen.sockets += 1;
    this.readyState = 0;
    this.bufferedAmount = 0;
  }
  send(data) { seen.sent.push(typeof data === "string" ? JSON.parse(data).type : data.byteLength); }
  close() { this.readyState = 3; this.onclose({ code: 1000 }); }
  begin() { this.readyState = 1; this.onopen(); }
  lose(code) { this.readyState = 3; this.onclose({ code }); }
  take(height = 4000) { this.onmessage({ data: JSON.stringify({ type: "take", width: 100, height, quality: 0.85 }) }); }
}

let fails = false;
class OffscreenCanvas {
  constructor(width, height) { [this.width, this.height] = [width, height]; }
  getContext() { return { drawImage() { if (fails) throw new Error("no"); } }; }
  async convertToBlob() { return { arrayBuffer: async () => new ArrayBuffer(this.width * 10000 + this.height) }; }
}

// Frames are few: the stand counts how many are not given back.
class Frame {
  constructor(width = 200, height = 100) {
    [this.displayWidth, this.displayHeight] = [width, height];
    seen.most = Math.max(seen.most, ++seen.open);
  }
  clone() { return new Frame(this.displayWidth, this.displayHeight); }
  close() { seen.open -= 1; }
}

const readable = { getReader: () => ({ read: () => new Promise((done) => { give = (value) => done({ value, done: false }); }) }) };
const self = { postMessage: (said) => seen.said.push(said.why ?? said.type), close: () => { seen.closed = true; } };
const setTimeout_ = (call, wait) => timers.push({ at: now + wait, call });
vm.runInNewContext(readFileSync(script, "utf8"), {
  self, WebSocket, OffscreenCanvas, setTimeout: setTimeout_, performance: { now: () => now }, JSON, Math, Promise, Boolean, Error,
});

const settle = async () => { for (let turn = 0; turn < 50; turn++) await null; };
async function pass(milliseconds) {
  const until = now + milliseconds;
  for (;;) {
    timers.sort((one, other) => one.at - other.at);
    if (!timers.length || timers[0].at > until) break;
    const { at, call } = timers.shift();
    now = at;
    call();
    await settle();
  }
  now = until;
}
async function show(frame = new Frame()) { give(frame); await settle(); }
async function take(...more) { newest.take(...more); await settle(); }

const SCENES = {
  async answers() {
    await take(); // nothing was shown yet
    await show();
    await take();
    await take(); // not changed
    await show();
    await take();
  },
  async frames() { for (let n = 0; n < 100; n++) { await show(); if (n % 3 === 0) await take(); } },
  async tall() { await show(new Frame(100, 1000)); await take(500); },
  async again() {
    await show();
    await take();
    newest.lose(1006);
    await pass(600);
    newest.begin();
    await take(); // the server may be another one, so it gets the picture again
  },
  async slow() {
    await show();
    newest.bufferedAmount = 300000;
    await take();
    await pass(5000);
    seen.sent.push("left");
    await show(new Frame(50, 50)); // the newest is sent, not the one of the time when it was asked for
    newest.bufferedAmount = 0;
    await pass(100);
  },
  async draws_badly() {
    await show();
    await take();
    await show();
    fails = true;
    await take();
    fails = false;
    await take(); // not "same": the newest was never sent
  },
  async for_ever() {
    newest.lose(1006);
    for (let n = 0; n < 1000 && !seen.said.includes("gone"); n++) {
      const last = newest;
      await pass(5000);
      if (newest !== last) newest.lose(1006);
    }
  },
  async stop() { newest.onclose.call(null, { code: 1006 }); await pass(600); newest.begin(); self.onmessage({ data: { type: "stop" } }); await pass(60000); },
  async code() { newest.lose(Number(process.argv[4])); await pass(60000); },
};

self.onmessage({ data: { type: "begin", address: "ws://localhost/share/socket", readable } });
newest.begin();
await settle();
await SCENES[scene]();
process.stdout.write(JSON.stringify(seen));
