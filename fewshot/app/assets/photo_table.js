// A table of photos that are not enrolled yet. Every row keeps its elements while what it says changes, so that focus and
// half-typed words stay. All changes are kept here and sent together: a quick second one does not lose the first.
export default function (component) {
  const { data, parentElement, setStateValue } = component;
  const root = parentElement.querySelector(".photos");
  root.changes = changesOf(data);
  root.known ??= new Map();
  root.send = () => setStateValue("changes", structuredClone(root.changes));
  root.data = data;
  speak(root, data);
  list(root.querySelector("datalist"), data.names);
  const body = root.querySelector("tbody");
  const rows = data.rows.map((row) => {
    let line = root.known.get(row.id);
    if (!line) root.known.set(row.id, (line = made(root, row)));
    fill(root, line, row);
    return line;
  });
  if (rows.some((line, place) => body.children[place] !== line)) body.replaceChildren(...rows);
  const only = root.querySelector(".only input");
  only.onchange = () => root.classList.toggle("few", only.checked);
  root.querySelector(".only").hidden = !data.rows.some((row) => row.look);
}

// The words of the page's language. In another one the rows are made anew: no half-typed word is lost then.
function speak(root, data) {
  if (root.language === data.language) return;
  if (root.language) root.known.clear();
  root.language = data.language;
  root.querySelector(".only").lastChild.textContent = ` ${data.words.only}`;
  root.querySelector(".frame").setAttribute("aria-label", data.words.table);
  root.querySelectorAll("th").forEach((cell, place) => (cell.textContent = data.columns[place]));
}

function filled(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

// What was changed outlives the table's elements: the page may draw them anew while a change is under way.
function changesOf(data) {
  const kept = (globalThis.fewshotPhotoChanges ??= new Map());
  if (!kept.has(data.key)) kept.set(data.key, structuredClone(data.changes));
  for (const key of kept.keys()) if (kept.size > 2 && key !== data.key) kept.delete(key);
  return kept.get(data.key);
}

function element(kind, words = "", name = "") {
  const one = document.createElement(kind);
  one.textContent = words;
  one.className = name;
  return one;
}

function list(target, words) {
  const drawn = JSON.stringify(words);
  if (target.drawn === drawn) return;
  target.drawn = drawn;
  target.replaceChildren(...words.map((word) => Object.assign(element("option"), { value: word })));
}

function made(root, row) {
  const { words } = root.data;
  const about = { photo: row.id };
  const line = element("tr");
  const cell = (name, ...parts) => {
    const one = element("td", "", name);
    one.dataset.head = root.data.columns[line.children.length]; // what a card shows in place of the table's head
    one.append(...parts);
    line.append(one);
    return one;
  };
  const keep = Object.assign(element("input"), { type: "checkbox" });
  keep.setAttribute("aria-label", filled(words.keep, about));
  keep.onchange = () => change(root, row.id, { out: !keep.checked });
  cell("keep", keep);
  const picture = row.picture ? element("img") : element("span", words.none, "none");
  if (row.picture) Object.assign(picture, { alt: filled(words.alt, about), src: `data:image/jpeg;base64,${row.picture}` });
  cell("picture", picture, element("bdi", row.id, "file"));
  const student = Object.assign(element("input"), { type: "text", maxLength: 100, placeholder: words.name, dir: "auto" });
  student.setAttribute("list", "names");
  student.setAttribute("aria-label", filled(words.student, about));
  student.onchange = () => rename(root, row.id, student.value.trim());
  const more = element("button", "", "more");
  more.type = "button";
  more.hidden = true;
  cell("student", student, more);
  const shows = element("select");
  shows.setAttribute("aria-label", filled(words.shows, about));
  const word = Object.assign(element("input"), { type: "text", maxLength: 40, placeholder: root.data.labels.confused ?? "confused", hidden: true });
  word.setAttribute("aria-label", filled(words.word, about));
  shows.onchange = () => {
    word.hidden = shows.value !== "*";
    if (word.hidden) change(root, row.id, { shows: shows.value });
    else word.focus();
  };
  word.onchange = () => word.value.trim() && change(root, row.id, { shows: word.value.trim() });
  cell("shows", shows, word);
  cell("reads");
  cell("consent");
  cell("then", element("b"), element("span"));
  return Object.assign(line, { keep, student, more, shows, word });
}

function fill(root, line, row) {
  const mine = root.changes.rows[row.id] ?? {};
  const busy = (field) => line.getRootNode().activeElement === field;
  line.className = `${row.status.replace(" ", "-")}${row.look ? " look" : ""}`;
  line.keep.checked = !(mine.out ?? false);
  if (!busy(line.student)) line.student.value = mine.student ?? row.guess;
  const shows = mine.shows ?? row.shows ?? "";
  const { states, labels } = root.data;
  const options = [["", root.data.words.unknown], ...states.map((state) => [state, labels[state] ?? state])];
  if (shows && !states.includes(shows)) options.push([shows, shows]);
  options.push(["*", root.data.words.another]);
  const drawn = JSON.stringify(options);
  if (line.shows.drawn !== drawn) {
    line.shows.drawn = drawn;
    line.shows.replaceChildren(...options.map(([value, words]) => Object.assign(element("option", words), { value })));
    line.shows.value = shows;
  }
  if (!busy(line.shows) && !busy(line.word)) {
    line.shows.value = shows;
    line.word.hidden = true;
  }
  say(line.querySelector(".reads"), row.read, row.reads === "unsure" ? "faint" : row.differs ? "differs" : "");
  say(line.querySelector(".consent"), row.consents, row.consent === "missing" ? "bad" : "");
  const then = line.querySelector(".then");
  const words = JSON.stringify([row.status, row.says, row.words, row.like, row.asks, row.student]);
  if (then.drawn === words) return;
  then.drawn = words;
  then.replaceChildren(element("b", row.says, row.status.replace(" ", "-")), element("bdi", row.words));
  if (row.asks) then.append(question(root, row));
}

function say(cell, words, name) {
  if (cell.drawn === words + name) return;
  cell.drawn = words + name;
  cell.replaceChildren(element("bdi", words, name));
}

// The photos seem to show somebody who is there already: the same person, two people, or nobody to enroll.
function question(root, row) {
  const box = element("div", "", "ask");
  const all = root.data.rows.filter((other) => other.student === row.student && other.like === row.like);
  const button = (words, act) => {
    const one = element("button", words);
    one.type = "button";
    one.onclick = () => {
      act();
      root.send();
    };
    box.append(one);
  };
  const each = (what) => all.forEach((other) => (root.changes.rows[other.id] = { ...root.changes.rows[other.id], ...what }));
  button(filled(root.data.words.add, { student: row.like }), () => each({ student: row.like }));
  button(root.data.words.twins, () => root.changes.twins.push(row.student));
  button(root.data.words.out, () => each({ out: true }));
  return box;
}

function change(root, id, what) {
  root.changes.rows[id] = { ...root.changes.rows[id], ...what };
  root.send();
}

// A name is often wrong for a whole folder: after one photo is renamed, the others of that name are offered too.
function rename(root, id, name) {
  const before = nameOf(root, root.data.rows.find((row) => row.id === id));
  const others = root.data.rows.filter((row) => row.id !== id && nameOf(root, row) === before);
  const { more } = root.known.get(id);
  change(root, id, { student: name });
  for (const line of root.known.values()) line.more.hidden = true;
  if (!others.length || before === name || !name) return;
  const text = root.data.words[`${others.length > 1 ? "more" : "one"}${before ? " of" : ""}`];
  more.textContent = filled(text, { number: others.length, student: before });
  more.hidden = false;
  more.onclick = () => {
    more.hidden = true;
    for (const row of others) root.changes.rows[row.id] = { ...root.changes.rows[row.id], student: name };
    for (const row of others) root.known.get(row.id).student.value = name;
    root.send();
  };
}

function nameOf(root, row) {
  return root.changes.rows[row.id]?.student ?? row.guess;
}
