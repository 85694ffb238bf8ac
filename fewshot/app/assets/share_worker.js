// Sends pictures of a shared window over a WebSocket, one whenever the server asks. It runs in a worker because browsers
// slow down the clocks and the drawing of pages that are hidden, as this one is during a call.
const [OVER, ELSEWHERE, UNFIT] = [4000, 4001, 1008];
const WHY = { [OVER]: "over", [ELSEWHERE]: "elsewhere", [UNFIT]: "unfit" };
const LEAST = 500, MOST = 5000; // milliseconds between two attempts to connect
let socket = null, wait = LEAST, ended = false;
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
    [wait, sentAny] = [LEAST, false];
    self.postMessage({ type: "open" });
  };
  mine.onmessage = ({ data }) => {
    const take = JSON.parse(data);
    // One after the other, so that answers come in the order of the questions.
    if (take.type === "take") work = work.then(() => answer(mine, take, here)).catch(() => say(mine, "none"));
  };
  mine.onclose = ({ code }) => {
    if (ended) return self.close();
    if (WHY[code]) {
      self.postMessage({ type: "closed", why: WHY[code] });
      return;
    }
    self.postMessage({ type: "lost" });
    setTimeout(() => connect(address, here), wait);
    wait = Math.min(2 * wait, MOST);
  };
}

async function answer(to, take, here) {
  if (here && !frame) return say(to, "none");
  if (here && !fresh && sentAny) return say(to, "same");
  const blob = here ? await drawn(take) : await drawnByPage(take);
  if (!blob) return say(to, "none");
  if (to.readyState !== WebSocket.OPEN) return;
  to.send(await blob.arrayBuffer());
  sentAny = true;
}

async function drawn({ width, quality }) {
  fresh = false;
  const picture = frame.clone(); // the next frame may come while this one is drawn
  try {
    const scale = Math.min(1, width / picture.displayWidth);
    const [w, h] = [picture.displayWidth, picture.displayHeight].map((side) => Math.max(1, Math.round(side * scale)));
    if (!canvas || canvas.width !== w || canvas.height !== h) canvas = new OffscreenCanvas(w, h);
    canvas.getContext("2d", { alpha: false }).drawImage(picture, 0, 0, w, h);
  } finally {
    picture.close();
  }
  return canvas.convertToBlob({ type: "image/jpeg", quality });
}

function drawnByPage({ width, quality }) {
  return new Promise((resolve) => {
    page = resolve;
    self.postMessage({ type: "draw", width, quality });
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
