// Puts tiles in place. A tile's element stays the same one while its content changes, so that keyboard focus stays.
// The grid is one stop of the Tab key; inside it the arrow keys, Home and End move from tile to tile.
export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const grid = parentElement.querySelector(".grid");
  grid.classList.toggle("wide", Boolean(data.wide));
  grid.onkeydown = (event) => move(grid, event);
  const known = (grid.known ??= new Map());
  const wanted = new Set();
  for (const [key, words, kind, colour, html, number] of data.tiles) {
    wanted.add(key);
    let tile = known.get(key);
    if (!tile) {
      tile = document.createElement("button");
      tile.type = "button";
      tile.tabIndex = -1;
      tile.onclick = () => {
        stopAt(grid, tile);
        attend(grid, tile);
        setTriggerValue("picked", key);
      };
      tile.onfocus = () => stopAt(grid, tile);
      known.set(key, tile);
      grid.appendChild(tile);
    }
    if (tile.drawn !== html) {
      tile.innerHTML = tile.drawn = html;
      tile.style.setProperty("--state", colour);
    }
    if (tile.getAttribute("aria-label") !== words) tile.setAttribute("aria-label", words);
    // The number is not part of the HTML: a tile that is drawn anew would close what shows on hover.
    const sure = tile.querySelector(".sure");
    if (sure && sure.title !== number) sure.title = number;
    tile.className = `tile ${kind}${key === data.chosen ? " chosen" : ""}`;
    tile.setAttribute("aria-pressed", key === data.chosen ? "true" : "false");
  }
  for (const [key, tile] of known) {
    if (!wanted.has(key)) {
      tile.remove();
      known.delete(key);
    }
  }
  if (!data.wide) watchSpace(grid);
  inOrder(grid, [...wanted].map((key) => known.get(key)));
  if (![...grid.children].some((tile) => tile.tabIndex === 0) && grid.firstElementChild) {
    grid.firstElementChild.tabIndex = 0;
  }
  grid.dataset.updates = String(Number(grid.dataset.updates ?? 0) + 1);
}

// Few tiles grow into the space that there is, so that they can be read from a distance; many keep their size. A window
// that changes its size, and a panel that opens beside the tiles, are followed.
const LARGEST = 2.4;

function watchSpace(grid) {
  grid.space ??= new ResizeObserver(() => fit(grid));
  if (!grid.watched) {
    grid.watched = true;
    grid.space.observe(grid.parentElement);
    window.addEventListener("resize", () => grid.isConnected && fit(grid));
  }
  if (grid.fitted !== grid.children.length) fit(grid);
}

function fit(grid) {
  const count = grid.children.length;
  const width = grid.clientWidth;
  if (!count || !width) return;
  // The place of the grid in the page, not in the window: scrolling must not change the tiles.
  const page = grid.getRootNode().host?.closest('[data-testid="stMain"]') ?? document.querySelector('[data-testid="stMain"]');
  const top = grid.getBoundingClientRect().top + (page?.scrollTop ?? window.scrollY);
  // A scroll bar that comes and goes must not make the tiles jump: small changes of the place count for nothing.
  const place = [count, width, top, window.innerHeight].map((pixels) => Math.round(pixels / 24)).join();
  if (grid.place === place && grid.fitted === count) return;
  grid.place = place;
  const space = window.innerHeight - top - 70; // the legend below the tiles
  const one = (grid.firstElementChild.offsetHeight || 64) / (Number(grid.style.getPropertyValue("--scale")) || 1);
  let scale = 1;
  for (let tried = LARGEST; tried > 1; tried -= 0.1) {
    const columns = Math.max(1, Math.floor((width + 5 * tried) / (125 * tried)));
    const rows = Math.ceil(count / columns);
    if (tried * (rows * (one + 5) - 5) <= space) {
      scale = tried;
      break;
    }
  }
  grid.fitted = count;
  const text = scale.toFixed(1);
  if (grid.style.getPropertyValue("--scale") !== text) grid.style.setProperty("--scale", text);
  fitNames(grid, scale);
}

// A long name on a tile that has grown keeps smaller letters, rather than lose its end.
const SMALLEST = 0.6; // of the letters of the other names
function fitNames(grid, scale) {
  const names = [...grid.children].map((tile) => [tile, tile.querySelector(".name")]);
  for (const [tile] of names) tile.style.removeProperty("--name");
  if (scale <= 1) return;
  const shares = names.map(([, name]) => (name ? name.clientWidth / name.scrollWidth : 1));
  names.forEach(([tile], place) => {
    const share = Math.max(1 / scale, SMALLEST, Math.floor(100 * shares[place]) / 100);
    if (share < 1) tile.style.setProperty("--name", share.toFixed(2));
  });
}

// Tiles change places only while nobody points at them, so that a click does not meet another tile.
function inOrder(grid, tiles) {
  if (grid.matches(":hover") || tiles.every((tile, place) => grid.children[place] === tile)) return;
  const focused = tiles.find((tile) => tile.getRootNode().activeElement === tile);
  tiles.forEach((tile, place) => {
    if (grid.children[place] !== tile) grid.insertBefore(tile, grid.children[place]);
  });
  focused?.focus({ preventScroll: true });
}

function stopAt(grid, chosen) {
  for (const tile of grid.children) tile.tabIndex = tile === chosen ? 0 : -1;
}

function move(grid, event) {
  const tiles = [...grid.children];
  const at = tiles.findIndex((tile) => tile.contains(event.target));
  if (at < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
  const wide = tiles.filter((tile) => tile.offsetTop === tiles[0].offsetTop).length;
  const back = getComputedStyle(grid).direction === "rtl" ? 1 : -1;
  const steps = { ArrowLeft: back, ArrowRight: -back, ArrowUp: -wide, ArrowDown: wide, Home: -at };
  const to = event.key === "End" ? tiles.length - 1 : at + (steps[event.key] ?? NaN);
  if (Number.isNaN(to)) return;
  event.preventDefault();
  if (to >= 0 && to < tiles.length) tiles[to].focus();
}

// What a click opens (a panel beside the tiles, or a dialog) is brought into view where the window is narrow. When it is
// closed, the focus returns to the tile, unless it is somewhere else by then.
function attend(grid, tile) {
  clearInterval(grid.watch);
  const begun = Date.now();
  let opened = false;
  let shown = false;
  grid.watch = setInterval(() => {
    const panel = document.querySelector(".st-key-correction");
    const open = tile.classList.contains("chosen") || document.querySelector('[role="dialog"]') !== null;
    opened ||= open;
    if (panel && !shown && tile.classList.contains("chosen")) {
      shown = true;
      const { top, bottom } = panel.getBoundingClientRect();
      if (top < 0 || bottom > window.innerHeight) panel.scrollIntoView({ block: "center" });
    }
    if (!tile.isConnected || (!opened && Date.now() - begun > 20000)) {
      clearInterval(grid.watch);
    } else if (opened && !open) {
      clearInterval(grid.watch);
      const focused = document.activeElement;
      if (!focused || focused === document.body || !focused.isConnected) tile.focus();
    }
  }, 150);
}
