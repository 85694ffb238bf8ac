// Three things that Streamlit leaves out, on every page.
// What is moved sideways on a small window (charts, tables, commands) can be moved with the keyboard too: it is a stop of
// the Tab key as long as it is wider than its place. Safari gives no such stop by itself.
// A message at the edge of the window names a title that is not there: its own words become its name.
// A tab whose login ended in another tab would show "Connection failed with status 401": it goes to the page to log in.
const WIDE = `[data-testid="stVegaLiteChart"], [data-testid="stTable"] div, .fs-help pre, .fs-help table,
  [data-testid="stMarkdownContainer"] table, [data-testid="stMarkdownContainer"] *:has(> table)`;
const EVERY = 400; // milliseconds between two looks, however often the page changes

function look() {
  for (const box of document.querySelectorAll(WIDE)) {
    const moves = box.scrollWidth > box.clientWidth + 1 && ["auto", "scroll"].includes(getComputedStyle(box).overflowX);
    if (moves === Boolean(box.movesSideways)) continue;
    box.movesSideways = moves;
    if (moves) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
  for (const said of document.querySelectorAll('[data-testid="stToast"][role="alertdialog"]:not([aria-label])')) {
    said.removeAttribute("aria-labelledby");
    said.setAttribute("aria-label", said.innerText.trim());
  }
  for (const told of document.querySelectorAll('[role="dialog"]')) {
    if (told.innerText.includes("Connection failed with status 401")) location.reload();
  }
}

export default function () {
  if (window.fewshotPage) return; // one for all pages of a tab
  let waits = false;
  const soon = () => {
    if (waits) return;
    waits = true;
    setTimeout(() => {
      waits = false;
      look();
    }, EVERY);
  };
  window.fewshotPage = new MutationObserver(soon);
  window.fewshotPage.observe(document.body, { childList: true, subtree: true });
  window.addEventListener("resize", soon);
  soon();
}
