// Sends pictures of a shared window over a WebSocket, one whenever the server asks. It runs in a worker because browsers
// slow down the clocks and the drawing of pages that are hidden, as this one is during a call.
const [OVER, ELSEWHERE, UNFIT, LOGIN] = [4000, 4001, 4002, 1008];
const WHY = { [OVER]: "over", [ELSEWHERE]: "elsewhere", [UNFIT]: "unfit", [LOGIN]: "login" };
const LEAST = 500, MOST = 5000; // milliseconds between two attempts to connect
const PATIENCE = 600_000; // milliseconds without a connection after which the window is let go; the lesson has ended
const LOOK = 20; // milliseconds between two looks whether a picture has left
let socket = null, wait = LEAST, ended = false, lostAt = null;
let frame = null, fresh = false, sentAny = false, canvas = null, page = null, work = Promise.resolve();

self.onmessage = ({ data }) => {
  if (data.type === "begin") begin(data);
  else if (data.type === "drawn" && page) page(data.blob);
  else if (data.type === "stop") stop();
};

function begin({ address, readable, track }) {
  if (track && !self.MediaStreamTrackProcessor) {
    track.stop();
    self.postMessage({ type: "no processor" });
    return;
  }
  const source = track ? new MediaStreamTrackProcessor({ track, maxBufferSize: 1 }).readable : readable;
  if (source) read(source.getReader());
  connect(address, Boolean(source));
}

// Keep the newest frame only: a browser has few, and stops when they are not given back.
async function read(reader) {
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    if (frame) frame.close();
    [frame, fresh] = [value, true];
  }
}

function connect(address, here) {
  socket = new WebSocket(address);
  const mine = socket;
  mine.onopen = () => {
    [wait, sentAny, lostAt] = [LEAST, false, null];
    self.postMessage({ type: "open" });
  };
  mine.onmessage = ({ data }) => {
    const take = JSON.parse(data);
    // One after the other, so that answers come in the order of the questions.
    if (take.type !== "take") return;
    self.postMessage({ type: "asked" });
    work = work.then(() => answer(mine, take, here)).catch(() => say(mine, "none"));
  };
  mine.onclose = ({ code }) => {
    if (ended) return self.close();
    lostAt ??= performance.now();
    const why = WHY[code] ?? (performance.now() - lostAt > PATIENCE ? "gone" : null);
    if (why) return self.postMessage({ type: "closed", why });
    self.postMessage({ type: "lost" });
    setTimeout(() => connect(address, here), wait);
    wait = Math.min(2 * wait, MOST);
  };
}

async function answer(to, take, here) {
  // Over a slow line, a picture is made when the one before has left. So it is new, and nothing queues here.
  while (to.readyState === WebSocket.OPEN && to.bufferedAmount) await new Promise((done) => setTimeout(done, LOOK));
  if (here && !frame) return say(to, "none");
  if (here && !fresh && sentAny) return say(to, "same");
  try {
    const blob = here ? await drawn(take) : await drawnByPage(take);
    if (!blob) throw new Error("There is no picture.");
    const picture = await blob.arrayBuffer();
    if (to.readyState !== WebSocket.OPEN) return;
    to.send(picture);
  } catch {
    fresh = Boolean(frame); // it was not sent, so it is not "the same" next time
    return say(to, "none");
  }
  if (to === socket) sentAny = true;
}

async function drawn({ width, height, quality }) {
  fresh = false;
  const picture = frame.clone(); // the next frame may come while this one is drawn
  try {
    const scale = Math.min(1, width / picture.displayWidth, height / picture.displayHeight);
    const [w, h] = [picture.displayWidth, picture.displayHeight].map((side) => Math.max(1, Math.round(side * scale)));
    if (!canvas || canvas.width !== w || canvas.height !== h) canvas = new OffscreenCanvas(w, h);
    canvas.getContext("2d", { alpha: false }).drawImage(picture, 0, 0, w, h);
  } finally {
    picture.close();
  }
  return canvas.convertToBlob({ type: "image/jpeg", quality });
}

function drawnByPage({ width, height, quality }) {
  return new Promise((resolve) => {
    page = resolve;
    self.postMessage({ type: "draw", width, height, quality });
    setTimeout(() => resolve(null), MOST);
  });
}

function say(to, type) {
  if (to.readyState === WebSocket.OPEN) to.send(JSON.stringify({ type }));
}

function stop() {
  ended = true;
  if (!socket || socket.readyState !== WebSocket.OPEN) return self.close();
  say(socket, "stopped");
  socket.close(1000);
}
