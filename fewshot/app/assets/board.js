// Puts tiles in place. A tile's element stays the same one while its content changes, so that keyboard focus stays.
export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const grid = parentElement.querySelector(".grid");
  grid.classList.toggle("wide", Boolean(data.wide));
  const known = (grid.known ??= new Map());
  const wanted = new Set();
  for (const [key, words, kind, colour, html] of data.tiles) {
    wanted.add(key);
    let tile = known.get(key);
    if (!tile) {
      tile = document.createElement("button");
      tile.type = "button";
      tile.onclick = () => setTriggerValue("picked", key);
      known.set(key, tile);
      grid.appendChild(tile);
    }
    if (tile.drawn !== html) {
      tile.innerHTML = tile.drawn = html;
      tile.setAttribute("aria-label", words);
      tile.style.setProperty("--state", colour);
    }
    tile.className = `tile ${kind}${key === data.chosen ? " chosen" : ""}`;
    tile.setAttribute("aria-pressed", key === data.chosen ? "true" : "false");
  }
  for (const [key, tile] of known) {
    if (!wanted.has(key)) {
      tile.remove();
      known.delete(key);
    }
  }
  grid.dataset.updates = String(Number(grid.dataset.updates ?? 0) + 1);
}
