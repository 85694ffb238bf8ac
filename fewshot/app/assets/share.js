// Shares a window of the screen: the browser's own picker, what is watched as a small picture, and a worker that sends
// pictures when the server asks for them. A tab holds one share per ticket, so that a page that is drawn anew finds it.
const shares = (window.fewshotShares ??= new Map());

// Here no window can be chosen.
const FINAL = ["insecure", "unable", "over", "login"];

function first() {
  if (!window.isSecureContext) return "insecure";
  return navigator.mediaDevices && navigator.mediaDevices.getDisplayMedia ? "choose" : "unable";
}

class Share {
  constructor(ticket) {
    this.ticket = ticket;
    this.state = first();
    this.stream = this.worker = null;
    this.linked = this.asked = this.muted = false;
    this.listeners = new Set();
  }

  // Must be called by a click: browsers open the picker for nothing else.
  async choose() {
    const video = { frameRate: { ideal: 10, max: 15 } };
    const wished = { video, audio: false, selfBrowserSurface: "exclude", surfaceSwitching: "include" };
    // The teacher stays on this page, and is not moved to the tab that was chosen.
    const controller = window.CaptureController ? new CaptureController() : null;
    if (controller) wished.controller = controller;
    let stream;
    try {
      stream = await navigator.mediaDevices.getDisplayMedia(wished);
    } catch (error) {
      // Whoever closes the picker while a window is shared goes on with that one.
      if (!this.stream) this.become(/NotAllowed|Abort|InvalidState/.test(error.name) ? "refused" : "failed");
      return;
    }
    try {
      if (controller) controller.setFocusBehavior("no-focus-change");
    } catch {
      // a whole screen has no focus to keep
    }
    this.end();
    this.stream = stream;
    const [track] = stream.getVideoTracks();
    track.addEventListener("ended", () => this.stream === stream && this.stop());
    for (const type of ["mute", "unmute"])
      track.addEventListener(type, () => {
        if (this.stream !== stream) return;
        this.muted = type === "mute";
        if (this.linked) this.become(this.running());
      });
    this.become("connecting");
    this.send(track);
  }

  running() {
    if (this.muted) return "covered";
    if (!this.asked) return "ready";
    return this.pump ? "fallback" : "sharing";
  }

  send(track) {
    if (window.MediaStreamTrackProcessor) {
      // Frames go straight to the worker, whose clock does not slow down while this page is hidden.
      const { readable } = new MediaStreamTrackProcessor({ track, maxBufferSize: 1 });
      this.begin({ readable }, [readable]);
      return;
    }
    const copy = track.clone();
    try {
      this.begin({ track: copy }, [copy]); // Safari
    } catch {
      copy.stop();
      this.fallBack();
    }
  }

  begin(more, given) {
    const address = new URL("socket", import.meta.url);
    address.protocol = address.protocol.replace("http", "ws");
    address.searchParams.set("ticket", this.ticket);
    if (this.worker) this.worker.terminate();
    const worker = (this.worker = new Worker(new URL("share_worker.js", import.meta.url)));
    worker.onmessage = ({ data }) => this.worker === worker && this.hear(data);
    worker.onerror = () => this.worker === worker && this.hear({ type: "closed", why: "unreachable" });
    worker.postMessage({ type: "begin", address: address.href, ...more }, given);
  }

  hear(said) {
    if (said.type === "draw") this.draw(said);
    else if (said.type === "open" || said.type === "asked") {
      [this.linked, this.asked] = [true, said.type === "asked" || this.asked];
      if (this.state !== this.running()) this.become(this.running());
    } else if (said.type === "lost") {
      this.linked = false;
      this.become("lost");
    } else if (said.type === "no processor") this.fallBack();
    else if (said.type === "closed") {
      this.end();
      this.become(said.why);
    }
  }

  // The page itself draws the pictures.
  fallBack() {
    this.pump = document.createElement("video");
    this.pump.muted = true;
    this.pump.srcObject = this.stream;
    this.pump.play().catch(() => {}); // the window may be let go before it plays
    this.begin({}, []);
  }

  // Only for browsers whose workers cannot read frames.
  draw({ width, height, quality }) {
    const { videoWidth, videoHeight } = this.pump;
    const worker = this.worker;
    if (!videoWidth) return worker.postMessage({ type: "drawn", blob: null });
    const scale = Math.min(1, width / videoWidth, height / videoHeight);
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(videoWidth * scale));
    canvas.height = Math.max(1, Math.round(videoHeight * scale));
    canvas.getContext("2d").drawImage(this.pump, 0, 0, canvas.width, canvas.height);
    canvas.toBlob((blob) => worker.postMessage({ type: "drawn", blob }), "image/jpeg", quality);
  }

  stop() {
    if (this.worker) this.worker.postMessage({ type: "stop" });
    this.end(this.worker);
    this.become("stopped");
  }

  // Let go of the window. A worker that must still say so ends afterwards.
  end(lasting = null) {
    for (const track of this.stream ? this.stream.getTracks() : []) track.stop();
    if (this.worker && this.worker !== lasting) this.worker.terminate();
    if (this.pump) this.pump.srcObject = null;
    this.stream = this.worker = this.pump = null;
    this.linked = this.asked = this.muted = false;
  }

  become(state) {
    this.state = state;
    for (const listener of this.listeners) listener(state);
  }
}

// Show the share of a ticket in a place of the page, which holds video, .words, .choose and .stop. It may be called
// again for the same place. `said`: what is written, by the names of sharing/words.py. `connected`: whether the server
// has a browser that shares; undefined if this is not known.
export function attach(place, ticket, said, tell = () => {}, connected = undefined) {
  const share = shares.get(ticket) ?? new Share(ticket);
  shares.set(ticket, share);
  const find = (selector) => place.querySelector(selector);
  const [video, words, choose, stop] = ["video", ".words", ".choose", ".stop"].map(find);
  video.setAttribute("aria-label", said.shown);
  stop.textContent = said.stop;
  // While this tab shares, that browser is this one.
  let another = Boolean(connected) && !share.stream;
  const seen = (state) => {
    if (share.stream || FINAL.includes(state) || connected === undefined) return state;
    return another ? "elsewhere" : state === "elsewhere" ? "choose" : state;
  };
  const show = (now) => {
    if (share.stream) another = false;
    const state = seen(now);
    if (video.srcObject !== share.stream) video.srcObject = share.stream;
    video.hidden = !share.stream;
    stop.hidden = !share.stream;
    choose.hidden = FINAL.includes(state);
    choose.textContent = share.stream ? said.another : said.pick;
    choose.classList.toggle("first", !share.stream && state !== "elsewhere");
    if (words.textContent !== said[state]) words.textContent = said[state];
    place.dataset.state = state;
    tell(state);
  };
  choose.onclick = () => share.choose();
  stop.onclick = () => share.stop();
  if (place.share) place.share.listeners.delete(place.show);
  [place.share, place.show] = [share, show];
  share.listeners.add(show);
  show(share.state);
  return () => share.listeners.delete(show);
}
