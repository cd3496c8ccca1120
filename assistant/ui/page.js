/* What the page does by itself: the composer, conversations, chips and their tips, views, menus.
   Conversations live on the server, in the library's folder: what this script shows of them is
   keyed by the conversation, so that nothing is drawn into another. What is done by Gradio's
   events is sent with `trigger`, and what Python has to say to the page comes back through
   `watch`. Texts are set as text, never as HTML; the HTML of answers is made and escaped by the
   server. Runs once, as the js_on_load of the bridge. */

const EVENTS = ["source", "sample", "state", "view", "list", "remove", "cancel", "settings", "seek",
  "include", "forecast", "compose", "resume", "halt", "save", "unkeep", "sources", "sync", "forget"];
const root = document.documentElement;
const $ = (query, within = document) => within.querySelector(query);
const $$ = (query, within = document) => [...within.querySelectorAll(query)];
const make = (tag, props = {}, ...children) => {
  const node = Object.assign(document.createElement(tag), props);
  node.append(...children);
  return node;
};
const send = (name, data = {}) => { if (EVENTS.includes(name)) trigger(name, data); };
const newId = () => [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");

/* -- the server ---------------------------------------------------------------------------------- */
class Refused extends Error {}
async function api(method, path, body) {
  const reply = await fetch(`page/${path}`, {
    method, keepalive: method !== "GET" && JSON.stringify(body || "").length < 60000,
    headers: body === undefined ? {} : { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const data = await reply.json().catch(() => ({}));
  if (reply.ok) return data;
  const told = (data.error && data.error.message) || `The server answered ${reply.status}.`;
  if (reply.status < 500) throw new Refused(told);
  throw new Error(told);
}
const others = "BroadcastChannel" in window ? new BroadcastChannel("abstract-assistant") : null;
const nudge = () => others && others.postMessage("changed");
const store = {  // what only this browser needs to know: drafts, scopes, questions on their way
  get(key) { try { return JSON.parse(localStorage.getItem(`abstract-assistant.${key}`)); } catch { return null; } },
  put(key, value) {
    try {
      if (value === null || value === "") localStorage.removeItem(`abstract-assistant.${key}`);
      else localStorage.setItem(`abstract-assistant.${key}`, JSON.stringify(value));
    } catch { /* switched off: a draft is kept while the page is open */ }
  },
  keys(start) {
    const found = [];
    try {
      for (let i = 0; i < localStorage.length; i++) {
        const key = localStorage.key(i);
        if (key.startsWith(`abstract-assistant.${start}`)) found.push(key.slice("abstract-assistant.".length));
      }
    } catch { /* switched off */ }
    return found;
  },
};

/* -- the conversation that is shown ---------------------------------------------------------------- */
const fresh = () => ({ id: newId(), title: "", turns: [], busy: false, revision: -1, begun: false });
let current = fresh();
let editing = null;
let known = { revision: -1, conversations: [], kept: true };
const draftKey = () => `draft.${current.begun ? current.id : "new"}`;

let arrived = false;  // at the address that the page was opened with
function address() {  // of what is shown
  const params = new URLSearchParams(location.search);
  params.delete("q");
  if (current.begun) params.set("c", current.id); else if (arrived) params.delete("c");
  const query = params.toString(), view = root.dataset.view;
  return `${location.pathname}${query ? `?${query}` : ""}${view && view !== "chat" ? `#${view}` : ""}`;
}
function note(push) {  // the address into the history of the browser
  const to = address();
  if (to === `${location.pathname}${location.search}${location.hash}`) return;
  history[push ? "pushState" : "replaceState"](null, "", to);
}
function show(id, push = true) {  // push: a step of the browser's history; null: it is one already
  unfollow();
  keepDraft();
  current = id ? { ...fresh(), id, begun: true } : fresh();
  leaveEditing(); closePanel(); delete root.dataset.rail;
  delete root.dataset.busy;
  following = true;
  seen.clear();
  $("#live .turns").replaceChildren();
  look("chat", false);
  if (push !== null) note(push);
  drawRail(); restoreDraft(); drawScope();
  return id ? refresh() : welcome();
}
async function welcome() {
  const id = current.id;
  const data = await api("GET", "welcome").catch((error) => { toast(error.message); return null; });
  if (!data || current.id !== id || current.turns.length) return;
  $("#thread .turns").innerHTML = data.html;
}
async function refresh() {
  const id = current.id;
  try { draw(await api("GET", `conversations/${id}`)); }
  catch (error) {
    if (current.id !== id) return;
    if (store.keys("outbox.").some((key) => (store.get(key) || {}).conversation === id)) return;  // on its way
    if (error instanceof Refused) gone(id, error.message); else toast(error.message);
  }
}
function gone(id, message) {
  if (current.id !== id) return;
  const text = box().value;
  toast(message);
  show("", false);
  if (text && !box().value) { box().value = text; keepDraft(); grow(); }
}
const seen = new Map();  // turn → its state when it was drawn last
const asked = new Set();  // turns that were asked from this window
function draw(shown) {
  if (!shown || shown.id !== current.id) return;  // of another conversation
  if (shown.revision < current.revision) return;  // older than what is drawn
  current = { ...current, ...shown, begun: true };
  const done = shown.turns.filter((t) => t.state === "done"), open = shown.turns.filter((t) => t.state !== "done");
  place($("#thread .turns"), done);
  place($("#live .turns"), open);
  let finished = 0, last = null;
  for (const t of shown.turns) {
    const before = seen.get(t.id);
    if (t.state === "done" && (before ? before !== "done" : asked.has(t.id))) { finished++; last = t; }
    seen.set(t.id, t.state);
  }
  if (shown.busy) root.dataset.busy = "1"; else delete root.dataset.busy;
  if (finished) {
    root.dataset.answers = +(root.dataset.answers || 0) + finished;
    const node = $(`#thread .turn[data-turn="${last.id}"] .answer`);
    announce(node ? `Answer: ${node.textContent.trim().slice(0, 600)}` : "The question is done.");
  }
  hint();
  $("#talk-title").textContent = shown.title || "Conversation";
  document.title = shown.title ? `${shown.title} · Abstract Assistant` : "Abstract Assistant";
  if (shown.busy) follow(shown.id);
}
function place(into, turns) {  // what has not changed stays: focus, selection and open details too
  const there = new Map([...into.children].map((node) => [node.dataset.turn, node]));
  const nodes = turns.map((t) => {
    const old = there.get(t.id);
    if (old && old.drawn !== t.html) { morph(old, made(t.html)); old.drawn = t.html; }
    return old || made(t.html);
  });
  if (nodes.length !== into.children.length || nodes.some((node, n) => into.children[n] !== node)) into.replaceChildren(...nodes);
}
function made(html) {
  const frame = make("template");
  frame.innerHTML = html;
  const node = frame.content.firstElementChild, clock = $(".elapsed", node);
  node.drawn = html;
  if (clock) { clock.since = performance.now() - 1000 * clock.dataset.elapsed; tick(clock); }
  return node;
}
function morph(old, now) {  // what is the same stays: selection, focus, set formulas, what was folded
  if (old.nodeType === 3 && now.nodeType === 3) { if (old.data !== now.data) old.data = now.data; return; }
  if (old.nodeType !== 1 || old.nodeName !== now.nodeName) { old.replaceWith(now); return; }
  if (old.className === "elapsed" || (old.dataset.tex && old.dataset.tex === now.dataset.tex)) return;
  for (const { name } of [...old.attributes]) if (name !== "open" && !now.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of now.attributes) if (name !== "open" && old.getAttribute(name) !== value) old.setAttribute(name, value);
  const olds = [...old.childNodes], news = [...now.childNodes];
  news.forEach((child, n) => { if (olds[n]) morph(olds[n], child); else old.append(child); });
  olds.slice(news.length).forEach((child) => child.remove());
}
function tick(clock) {
  const seconds = Math.floor((performance.now() - clock.since) / 1000);
  clock.textContent = seconds >= 2 ? `${seconds} s` : "";
}
setInterval(() => $$(".elapsed").forEach((clock) => clock.since && tick(clock)), 1000);

let stream = null;
function unfollow() { if (stream) { stream.close(); stream = null; } }
function follow(id) {
  if (stream && stream.conversation === id && stream.readyState !== 2) return;
  unfollow();
  const mine = new EventSource(`page/conversations/${id}/follow`);
  mine.conversation = id;
  stream = mine;
  const take = (name, act) => mine.addEventListener(name, (event) => { if (stream === mine) act(JSON.parse(event.data)); });
  take("conversation", (shown) => { draw(shown); freshRail(); });
  take("turn", (picture) => {
    if (picture.conversation !== current.id) return;
    const node = $(`#live .turn[data-turn="${picture.id}"]`);
    if (!node) return;
    morph(node, made(picture.html));
    const step = $(".working summary", node);
    if (step && !$(".answer", node)) announce(step.textContent.trim(), 4000);
  });
  take("gone", (lost) => { unfollow(); gone(lost.id, lost.message); });
  take("end", () => { unfollow(); refresh(); freshRail(); });
  mine.onerror = () => {  // it tries again by itself, unless the server refused
    if (mine.readyState === 2 && stream === mine) { unfollow(); setTimeout(() => current.id === id && refresh(), 1500); }
  };
}
let announced = 0;
function announce(text, gap = 0) {
  const now = performance.now();
  if (now - announced < gap) return;
  announced = now;
  const region = $("#progress-told");
  if (region && region.textContent !== text) region.textContent = text;
}

/* -- the list of conversations ---------------------------------------------------------------------- */
async function freshRail() {
  const words = $("#rail-words") ? $("#rail-words").value.trim() : "";
  const found = await api("GET", `conversations?words=${encodeURIComponent(words)}`).catch(() => null);
  if (!found || words !== ($("#rail-words") ? $("#rail-words").value.trim() : "")) return;
  known = found;
  drawRail();
}
function drawRail() {
  const list = $("#rail ul");
  if (!list || $("input.rename", list)) return;
  const rows = [];
  let folder = null;
  const sorted = [...known.conversations].sort((a, b) => b.pinned - a.pinned || (a.pinned ? 0 : a.folder.localeCompare(b.folder)));
  for (const c of sorted) {
    const heading = c.pinned ? "Pinned" : c.folder;
    if (heading !== (folder || "")) rows.push(make("li", { className: "folder", textContent: heading || "Others" }));
    folder = heading;
    const open = make("button", { type: "button", className: "open", textContent: c.title || "Untitled", title: c.title });
    open.onclick = () => show(c.id);
    const more = make("button", { type: "button", className: "more", textContent: "⋯" });
    more.setAttribute("aria-label", `More on “${c.title}”`);
    more.setAttribute("aria-haspopup", "menu");
    more.dataset.of = c.id;
    more.onclick = (event) => { event.stopPropagation(); conversationMenu(more, c); };
    const row = make("li", {}, open, more);
    if (c.busy) open.append(make("i", { className: "spinner", title: "A question is in work" }));
    row.dataset.id = c.id;
    if (c.id === current.id) { row.className = "current"; open.setAttribute("aria-current", "true"); }
    rows.push(row);
  }
  const held = list.contains(document.activeElement) ? document.activeElement : null, row = held && held.closest("li");
  const at = row ? $$("li[data-id]", list).indexOf(row) : -1;
  list.replaceChildren(...rows);
  if (row) {  // whoever is here by keys stays here, beside what was taken away
    const left = $$("li[data-id]", list), now = left.find((other) => other.dataset.id === row.dataset.id) || left[Math.min(at, left.length - 1)];
    (now ? $(held.classList.contains("open") ? ".open" : ".more", now) : box()).focus({ preventScroll: true });
  }
  const words = $("#rail-words").value.trim();
  $("#rail-note").textContent = !known.kept ? "The library’s folder cannot be written: conversations are lost when the program ends."
    : rows.length ? "" : words ? "No conversation holds these words." : "Your conversations are kept in the library’s folder.";
}
function conversationMenu(anchor, c) {
  menu(anchor, [
    ["Rename", () => rename(c)],
    [c.pinned ? "Unpin" : "Pin", () => change(c.id, { pinned: !c.pinned })],
    ["Move to folder…", () => rename(c, "folder")],
    ["Export as Markdown", () => exportOne(c.id, "md")],
    ["Export as JSON", () => exportOne(c.id, "json")],
    ["Export as HTML page", () => exportOne(c.id, "html")],
    ["Delete", () => sure("Delete this conversation, with all its versions? It is kept nowhere else.", "Delete", async () => {
      await api("DELETE", `conversations/${c.id}`).catch((error) => toast(error.message));
      store.put(`draft.${c.id}`, null);
      nudge();
      if (c.id === current.id) show(""); 
      freshRail();
    }), true],
  ]);
}
function menu(anchor, entries) {
  $$(".menu").forEach((m) => m.remove());
  const box = anchor.getBoundingClientRect();
  const back = () => {  // the list may have been drawn again
    const to = anchor.isConnected ? anchor : $(`#rail .more[data-of="${CSS.escape(anchor.dataset.of || "")}"]`);
    if (to) to.focus({ preventScroll: true });
  };
  const shown = make("div", { className: "menu" }, ...entries.map(([text, act, danger]) => {
    const b = make("button", { type: "button", textContent: text, className: danger ? "danger" : "", tabIndex: -1 });
    b.setAttribute("role", "menuitem");
    b.onclick = () => { shown.remove(); back(); act(); };
    return b;
  }));
  shown.setAttribute("role", "menu");
  shown.onkeydown = (event) => {
    const all = [...shown.children], at = all.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (to !== undefined) { event.preventDefault(); all[(to + all.length) % all.length].focus(); }
    if (event.key === "Escape" || event.key === "Tab") { event.preventDefault(); event.stopPropagation(); shown.remove(); back(); }
    if (event.key.length === 1) {
      const fit = all.find((b) => b.textContent.toLowerCase().startsWith(event.key.toLowerCase()));
      if (fit) fit.focus();
    }
  };
  ($("main") || document.body).append(shown);
  const size = shown.getBoundingClientRect();
  Object.assign(shown.style, { left: `${Math.max(8, Math.min(box.left, innerWidth - size.width - 8))}px`,
    top: `${Math.max(8, Math.min(box.bottom + 4, innerHeight - size.height - 8))}px` });
  shown.firstChild.focus();
}
async function change(id, wanted) {
  await api("PATCH", `conversations/${id}`, wanted).catch((error) => toast(error.message));
  nudge();
  freshRail();
}
function rename(c, field = "title") {
  const row = $(`#rail li[data-id="${CSS.escape(c.id)}"]`);
  if (!row) return;
  const input = make("input", { value: c[field], maxLength: field === "title" ? 200 : 80, className: "rename",
    placeholder: field === "folder" ? "Folder (empty: none)" : "" });
  input.setAttribute("aria-label", field === "title" ? "Name of the conversation" : "Folder of the conversation");
  let over = false;
  const done = (take) => {
    if (over) return;
    over = true;
    const value = input.value.trim();
    input.classList.remove("rename");
    if (take && (value || field === "folder") && value !== c[field]) { c[field] = value; change(c.id, { [field]: value }); }
    drawRail();
  };
  input.onkeydown = (e) => { if (e.key === "Enter") { e.preventDefault(); done(true); } if (e.key === "Escape") { e.stopPropagation(); done(false); } };
  input.onblur = () => done(true);
  row.replaceChildren(input);
  input.select();
}
async function saveFile(path) {
  try { const file = await api("GET", path); download(file.name, file.text); }
  catch (error) { toast(error.message); }
}
const exportOne = (id, form) => saveFile(`conversations/${id}/export?form=${form}`);
function importFile() {
  const pick = make("input", { type: "file", accept: ".json,application/json" });
  pick.onchange = async () => {
    try {
      const added = await api("POST", "import", { text: await pick.files[0].text() });
      toast(`Added ${added.conversations} conversations and ${added.reviews} reviews`);
    } catch (error) { toast(error.message); }
    nudge();
    freshRail();
  };
  pick.click();
}
async function takeOver() {  // conversations that earlier versions kept in this browser
  const prefix = "conversation.", keys = store.keys(prefix);
  const old = keys.map((key) => store.get(key)).filter((c) => c && c.id && Array.isArray(c.turns) && c.turns.length);
  if (!old.length) return;
  const conversations = old.map((c) => {
    const ids = c.turns.map(() => newId()), at = (c.updated || Date.now()) / 1000;
    return { id: c.id, title: c.title || "", created: at, updated: at, leaf: ids[ids.length - 1], turns: c.turns.map((t, n) =>
      ({ id: ids[n], parent: n ? ids[n - 1] : null, question: t.question || "", data: t, created: at })) };
  });
  const text = JSON.stringify({ format: "abstract-assistant conversations", version: 1, conversations });
  try { await api("POST", "import", { text }); keys.forEach((key) => store.put(key, null)); } catch { /* they stay where they are */ }
}
function download(name, text, type = "text/plain") {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const a = make("a", { href: url, download: name });
  document.body.append(a);
  a.click();
  a.remove();
  setTimeout(() => URL.revokeObjectURL(url), 2000);
}
async function copy(text, done, rich = "") {
  try {
    if (rich && window.ClipboardItem) {
      await navigator.clipboard.write([new ClipboardItem({ "text/plain": new Blob([text], { type: "text/plain" }),
        "text/html": new Blob([rich], { type: "text/html" }) })]);
    } else await navigator.clipboard.writeText(text);
  }
  catch { /* no secure context: the old way */
    const area = make("textarea", { value: text });
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  toast(done);
}
function toast(text) {
  $$(".toast").forEach((t) => t.remove());
  const shown = make("div", { className: "toast", textContent: text });
  shown.setAttribute("role", "status");
  ($("main") || document.body).append(shown);
  setTimeout(() => shown.remove(), 3200);
}
function sure(text, verb, act) {
  const dialog = make("dialog", { className: "ask-first" }, make("p", { textContent: text }));
  const no = make("button", { type: "button", className: "button", textContent: "Keep", onclick: () => dialog.close() });
  const yes = make("button", { type: "button", className: "button danger", textContent: verb });
  yes.onclick = () => { dialog.close(); act(); };
  dialog.append(make("div", {}, no, yes));
  dialog.onclose = () => dialog.remove();
  document.body.append(dialog);
  dialog.showModal();
  no.focus();
}

/* -- asking --------------------------------------------------------------------------------------- */
const box = () => $("#composer textarea");
function grow() {
  const area = box();
  if (!area) return;
  area.style.height = "auto";
  area.style.height = `${Math.min(area.scrollHeight, 200)}px`;
  if (area.value.trim()) delete root.dataset.empty; else root.dataset.empty = "1";
}
function keepDraft() { if (box()) store.put(draftKey(), editing === null ? box().value : ""); }
function restoreDraft() { box().value = store.get(draftKey()) || ""; grow(); hint(); }
function hint(text = "") {
  const line = $("#composer-hint");
  const waits = root.dataset.busy !== undefined ? "The next question waits until this answer is whole." : "";
  if (line) line.textContent = text || waits;
}
function ask(text, { insteadOf = null, library = null, scope = null } = {}) {
  text = text.trim();
  if (!text) { hint("Write a question first."); box().focus(); return; }
  if (insteadOf === null && editing !== null) insteadOf = editing;
  const turn = { id: newId(), conversation: current.id, text, library: library || $(".composer-scope").elements.library.value || null, instead_of: insteadOf,
    ...(scope ? { filters: scope } : scopeOf()), at: Date.now() };
  store.put(`outbox.${turn.id}`, turn);  // until the server has it
  store.put(draftKey(), null);
  const scoped = scopeKey();
  leaveEditing();
  if (!current.begun) {
    current.begun = true;
    store.put(scopeKey(), store.get(scoped));
    store.put(scoped, null);
  }
  box().value = "";
  grow();
  look("chat", false);
  note(false);
  following = true;
  root.dataset.busy = "1";
  hint();
  const starting = $("#thread .welcome");
  if (starting) starting.remove();
  deliver(turn);
}
async function deliver(turn) {
  const { conversation, at, ...body } = turn;
  asked.add(turn.id);
  try {
    const shown = await api("POST", `conversations/${conversation}/ask`, body);
    store.put(`outbox.${turn.id}`, null);
    draw(shown);
    nudge();
    freshRail();
    if (turn.library) send("state");
  } catch (error) {
    if (error instanceof Refused) {
      store.put(`outbox.${turn.id}`, null);
      if (conversation === current.id) { gone(conversation, error.message); if (!box().value) { box().value = turn.text; keepDraft(); grow(); } }
      else toast(error.message);
      return;
    }
    const why = error instanceof TypeError ? "The server does not answer" : error.message.replace(/\.$/, "");
    toast(`${why}; the question is kept and sent again.`);
    setTimeout(() => deliver(turn), 2500);
  }
}
function leaveEditing() { editing = null; delete root.dataset.editing; }

/* -- which papers are asked -------------------------------------------------------------------------- */
const scopeOf = () => { const { year, filters } = picks($(".composer-scope")); return { year, filters: { ...filters, ids: chosen.map((p) => p.id) } }; };
const scopeKey = () => `scope.${current.begun ? current.id : "new"}`;
const FIELDS = ["year", "venue", "author", "source", "tag"];
let chosen = [];  // papers that were chosen one by one
function picked(form, name) {  // the chips of a field, and what is typed beside them
  const field = $(`[name=${name}]`, form), chips = $$("button", field.closest(".pick")).map((b) => b.dataset.value);
  return [...new Set([...chips, field.value.trim()])].filter(Boolean);
}
function picks(form) {  // as the server takes them
  const { year, ...filters } = Object.fromEntries(FIELDS.map((name) => [name, picked(form, name)]));
  return { year: year.join(","), filters };
}
function chip(field, values) {
  const there = $(".picked", field.closest(".pick")), known = [...there.children].map((b) => b.dataset.value);
  there.append(...values.filter((value) => !known.includes(value)).map((value) => {
    const b = make("button", { type: "button", className: "tag", textContent: `${value} ×` });
    b.setAttribute("aria-label", `Leave out ${value}`);
    Object.assign(b.dataset, { act: "unpick", value });
    return b;
  }));
  field.value = "";
}
function pick(field) {  // what is typed becomes a chip
  const values = picked(field.form || field.closest("form"), field.name);
  if (field.value.trim()) { chip(field, field.name === "year" ? values.flatMap((v) => v.split(",")).map((v) => v.trim()).filter(Boolean) : values); keepScope(); }
}
function keepScope() {
  const form = $(".composer-scope"), library = form.elements.library;
  const raw = Object.fromEntries(FIELDS.map((name) => [name, picked(form, name)]));
  const any = library.value || chosen.length || FIELDS.some((name) => raw[name].length);
  store.put(scopeKey(), any ? { ...raw, chosen, library: library.value } : null);
  const parts = library.value ? [library.selectedOptions[0].text.toLowerCase()] : [];
  const said = { year: "", venue: "", author: "", source: "source ", tag: "tag " };
  for (const name of FIELDS) if (raw[name].length) parts.push(said[name] + raw[name].join(" or "));
  if (chosen.length) parts.push(chosen.length === 1 ? `“${chosen[0].title.slice(0, 60)}”` : `${chosen.length} chosen papers`);
  $("#scope-text").textContent = parts.length ? parts.join(", ") : "all papers";
}
function drawScope() {
  const kept = store.get(scopeKey()) || {}, form = $(".composer-scope");
  chosen = kept.chosen || [];
  form.elements.library.value = kept.library || "";
  const range = kept.first_year || kept.last_year ? [`${kept.first_year || ""}..${kept.last_year || ""}`] : [];  // as it was kept before
  $$(".picked", form).forEach((chips) => chips.replaceChildren());
  for (const name of FIELDS) chip(form.elements[name], kept[name] || (name === "year" ? range : []));
  keepScope();
}

async function offerScope() {  // what the library has, to choose from
  const library = $(".composer-scope").elements.library.value;
  const found = await api("GET", `scope${library ? `?library=${library}` : ""}`).catch(() => ({}));
  for (const [name, values] of Object.entries(found))
    $(`#scope-${name}s`).replaceChildren(...values.map((value) => make("option", { value })));
}

/* -- the view, the panel, the tips ----------------------------------------------------------------- */
let following = true, lastAt = 0;
function look(view, push = true) {
  if (root.dataset.view === view) return;
  root.dataset.view = view;
  $$(".views button").forEach((b) => b.dataset.view === view ? b.setAttribute("aria-current", "page") : b.removeAttribute("aria-current"));
  if (push) note(true);
  if (view !== "chat") { closePanel(); scrollTo(0, 0); }
  if (view === "chat" && !current.begun && $("#thread .welcome")) welcome();  // the library may be another one now
  if (view === "library") { send("sources"); send("view"); }
  if (view === "settings") send("settings");
  if (view === "screen") openScreen(new URLSearchParams(location.search).get("s") || "");
  if (view === "review") send("resume", { id: new URLSearchParams(location.search).get("r") || "" });
}
let opener = null;
function openPanel(from) {
  opener = from;
  $$(".chip.open").forEach((c) => c.classList.remove("open"));
  if (from.classList.contains("chip")) from.classList.add("open");
  root.dataset.panel = "";
}
function closePanel() {
  if (!("panel" in root.dataset)) return;
  delete root.dataset.panel;
  $$(".chip.open").forEach((c) => c.classList.remove("open"));
  if (opener && opener.isConnected) opener.focus({ preventScroll: true });
}
const tip = make("div", { className: "tip", hidden: true });
tip.setAttribute("role", "tooltip");
function hover(target) {
  const chip = target && target.closest && target.closest(".chip[data-title]");
  tip.hidden = !chip;
  if (!chip) return;
  if (!tip.isConnected) ($("main") || document.body).append(tip);
  const quote = make("q", { textContent: chip.dataset.quote });
  tip.replaceChildren(make("strong", { textContent: chip.dataset.title }), quote);
  const b = chip.getBoundingClientRect(), t = tip.getBoundingClientRect();
  tip.style.left = `${Math.max(12, Math.min(b.left - 20, innerWidth - t.width - 12))}px`;
  tip.style.top = b.top > t.height + 20 ? `${b.top - t.height - 10}px` : `${b.bottom + 10}px`;
}
function theme() {
  const dark = !document.body.classList.contains("dark");
  document.body.classList.toggle("dark", dark);
  localStorage.setItem("abstract-assistant.theme", dark ? "dark" : "light");
  window.dispatchEvent(new Event("themechange"));
}

/* -- one listener for all clicks --------------------------------------------------------------------- */
const turnOf = (id) => current.turns.find((t) => t.id === id);
const ACTS = {
  ask: (d) => ask(d.text, { library: d.library }),
  retry: (d) => { const t = turnOf(d.turn); if (t) ask(t.question, { insteadOf: t.id, scope: t.filters }); },
  "ask-all": (d) => { const t = turnOf(d.turn); if (t) ask(t.question, { insteadOf: t.id, library: t.library, scope: {} }); },
  edit: (d) => {
    const t = turnOf(d.turn);
    if (!t) return;
    keepDraft();
    editing = t.id;
    root.dataset.editing = "";
    box().value = t.question;
    grow();
    box().focus();
  },
  "leave-editing": () => { leaveEditing(); restoreDraft(); },
  branch: async (d) => {
    try { draw(await api("POST", `turns/${d.turn}/choose`)); nudge(); } catch (error) { toast(error.message); }
  },
  withdraw: async (d) => {
    const t = turnOf(d.turn);
    try {
      draw(await api("DELETE", `turns/${d.turn}`));
      nudge();
      if (t && !box().value) { box().value = t.question; keepDraft(); grow(); }
    } catch (error) { toast(error.message); }
  },
  copy: (d) => { const t = turnOf(d.turn); if (t) copy(t.markdown, "Copied, with references", t.rich); },
  link: (d) => copy(`${location.origin}${location.pathname}?q=${encodeURIComponent(d.text)}`, "Link copied"),
  bibtex: (d) => saveFile(`turns/${d.turn}/export?form=bib`),
  export: (d, from) => menu(from, [["Markdown", "md"], ["HTML page", "html"], ["BibTeX", "bib"], ["RIS", "ris"], ["CSL-JSON", "csl"]]
    .map(([name, form]) => [name, () => saveFile(`turns/${d.turn}/export?form=${form}`)])),
  "export-all": () => saveFile("export"),
  import: () => importFile(),
  rate: (d) => rate(d.turn, d.rating, ""),
  source: (d, from) => { openPanel(from); send("source", { ...d }); },
  close: () => closePanel(),
  view: (d) => look(d.view),
  review: (d) => openReview(d.id),
  unkeep: (d) => sure(`Delete the review “${d.title}”? It is kept nowhere else.`, "Delete", () => send("unkeep", { id: d.id })),
  sample: () => {
    seekAgain = root.dataset.view === "review";
    if (!seekAgain) look("chat");
    send("sample");
  },
  compose: () => {
    if (root.dataset.writing !== undefined) return;
    root.dataset.writing = "1";
    send("compose", { ticks: ticks() });
  },
  halt: () => send("halt"),
  save: (d) => send("save", { form: d.form }),
  theme: () => theme(),
  rail: () => { root.dataset.rail = ""; const first = $("#rail button"); if (first) first.focus(); },
  new: () => { show(""); box().focus(); },
  stop: () => api("POST", `conversations/${current.id}/stop`).catch((error) => toast(error.message)),
  list: (d) => send("list", { ...d }),
  remove: (d) => sure(`Remove “${d.title}” from the library? It can be added again from its file.`, "Remove",
    () => send("remove", { ...d, ...listing() })),
  cancel: (d) => send("cancel", { upload: d.upload }),
  sync: (d) => send("sync", { source: d.source }),
  "sync-all": () => send("sync", { all: true }),
  forget: (d) => sure(`Forget “${d.source}”? Its papers stay.`, "Forget", () => send("forget", { source: d.source })),
  like: (d, from) => {
    const now = from.getAttribute("aria-pressed") !== "true";
    from.setAttribute("aria-pressed", String(now));
    from.textContent = now ? "♥ Liked" : "♡ Like";
    keepMark(from.closest("form"));
  },
  "only-paper": (d) => {
    if (!chosen.some((p) => p.id === d.paper)) chosen.push({ id: d.paper, title: d.title });
    look("chat"); keepScope(); closePanel(); box().focus();
    toast(chosen.length === 1 ? "Questions go to this paper only" : `Questions go to ${chosen.length} papers only`);
  },
  "all-papers": () => { store.put(scopeKey(), null); drawScope(); },
  unpick: (d, from) => {
    const field = $("input", from.closest(".pick"));
    from.remove(); field.focus(); keepScope();
  },
  keys: () => keySheet(),
};
const FORMS = {
  ask: () => ask(box().value),
  seek: () => seek(),
  sync: (form) => send("sync", { source: form.elements.source.value, most: form.elements.most.value }),
  include: (form) => send("include", { name: form.elements.name.value, ticks: ticks() }),
  rate: (form) => rate(form.dataset.turn, form.dataset.rating, form.elements.note.value),
  mark: (form) => keepMark(form),
  scope: () => { keepScope(); box().focus(); },
};
async function rate(turn, rating, text) {
  try { draw(await api("POST", `turns/${turn}/rate`, { rating, note: text })); nudge(); }
  catch (error) { toast(error.message); }
}
function keepMark(form) {
  const tags = form.elements.tags.value.split(",").map((t) => t.trim()).filter(Boolean);
  api("PUT", "marks", { paper: form.dataset.paper, liked: $("[data-act=like]", form).getAttribute("aria-pressed") === "true",
    tags: [...new Set(tags)], note: form.elements.note.value, at: Date.now() / 1000 })
    .then(() => { if (root.dataset.view === "library") send("list", listing()); }).catch((error) => toast(error.message));
}
let unkept = null;  // a note that is being written
function keepUnkept() { if (unkept) { const form = unkept; unkept = null; keepMark(form); } }
const KEYS = [["/", "Write a question"], ["Enter", "Ask; while an answer is written, the question waits"], ["Shift + Enter", "A new line"],
  ["Esc", "Close what is open, or stop the answer"], ["Ctrl or ⌘ + K", "Search conversations"], ["Alt + N", "A new conversation"],
  ["Alt + ↑ ↓", "The conversation above, below"], ["↑ ↓ in a menu", "Choose"], ["?", "This sheet"]];
function keySheet() {
  if ($("dialog.keys")) return;
  const rows = KEYS.map(([key, what]) => make("tr", {}, make("th", { scope: "row", textContent: key }), make("td", { textContent: what })));
  const close = make("button", { type: "button", className: "button", textContent: "Close" });
  const dialog = make("dialog", { className: "ask-first keys" }, make("h2", { textContent: "Keyboard" }), make("table", {}, make("tbody", {}, ...rows)), make("div", {}, close));
  dialog.setAttribute("aria-label", "Keyboard shortcuts");
  close.onclick = () => dialog.close();
  dialog.onclose = () => dialog.remove();
  document.body.append(dialog);
  dialog.showModal();
}
document.addEventListener("click", (event) => {
  const from = event.target.closest("[data-act]");
  if (!event.target.closest(".menu, .more, [data-act=export]")) $$(".menu").forEach((m) => m.remove());
  if ("rail" in root.dataset && !event.target.closest("#rail") && !(from && from.dataset.act === "rail")) delete root.dataset.rail;
  if (!from || !ACTS[from.dataset.act]) return;
  event.preventDefault();
  const { act, ...data } = from.dataset;
  tip.hidden = true;
  ACTS[act](data, from);
});
document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-form]");
  if (!form) return;
  event.preventDefault();
  if (FORMS[form.dataset.form]) FORMS[form.dataset.form](form);
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target === box() && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    ask(box().value);
  }
  const field = event.target.closest && event.target.closest(".pick input");
  if (field && (event.key === "Enter" || event.key === ",") && field.value.trim()) { event.preventDefault(); pick(field); }
  if (field && event.key === "Backspace" && !field.value) { const last = $$("button", field.closest(".pick")).pop(); if (last) { last.remove(); keepScope(); } }
  if (event.key === "Escape") {
    if ($(".menu")) $$(".menu").forEach((m) => m.remove());
    else if ("rail" in root.dataset) delete root.dataset.rail;
    else if (root.dataset.panel !== undefined) closePanel();
    else if (root.dataset.busy !== undefined && root.dataset.view === "chat") ACTS.stop();
    else if (root.dataset.writing !== undefined && root.dataset.view === "review") send("halt");
    else if (editing !== null) ACTS["leave-editing"]();
    else closePanel();
  }
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    look("chat");
    root.dataset.rail = "";
    $("#rail-words").focus();
  }
  if (event.altKey && event.key.toLowerCase() === "n") { event.preventDefault(); ACTS.new(); }
  if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown") && known.conversations.length) {
    event.preventDefault();
    const rows = $$("#rail li[data-id]").map((row) => row.dataset.id), at = rows.indexOf(current.id);
    show(rows[Math.max(0, Math.min(rows.length - 1, at + (event.key === "ArrowDown" ? 1 : -1)))]);
  }
  if (event.key === "?" && !/^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) keySheet();
  if (event.key === "/" && !/^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) {
    event.preventDefault();
    look("chat");
    box().focus();
  }
});
document.addEventListener("input", (event) => {
  if (event.target === box()) { grow(); keepDraft(); hint(); }
  if (event.target.id === "rail-words") later(freshRail);
  if (event.target.closest(".pick")) {
    if (event.inputType === "insertReplacementText" || !event.inputType) pick(event.target); else keepScope();  // chosen from the list
  }
  const marks = event.target.closest("form.marks");
  if (marks) { unkept = marks; later(keepUnkept); }
  if (event.target.closest(".candidates")) {
    const chosen = ticks().length;
    $("#review-chosen").textContent = `${chosen} of ${$$(".candidates input").length} chosen`;
    $("[data-act=compose]").disabled = !chosen;
    if ($("#review-cost *")) later(() => send("forecast", { ticks: ticks() }));
  }
  if (event.target.closest(".table-tools")) later(() => send("list", listing()));
});
document.addEventListener("change", (event) => { if (event.target.name === "library") { keepScope(); offerScope(); } });
document.addEventListener("toggle", (event) => { if ($(".pick", event.target) && event.target.open) offerScope(); }, true);
function uncover(node) {  // what has the focus is never behind the bar or the composer, however high
  const low = $("#composer").getBoundingClientRect().top - 24, high = $("#bar").getBoundingClientRect().bottom + 8;
  const { top, bottom } = node.getBoundingClientRect();
  if (bottom > low) scrollBy(0, Math.min(bottom - low, top - high)); else if (top < high) scrollBy(0, top - high);
}
document.addEventListener("mouseover", (event) => hover(event.target));
document.addEventListener("focusin", (event) => {
  if (!event.target.matches || !event.target.matches(":focus-visible")) return;
  if (event.target.closest("#thread")) { following = false; uncover(event.target); }
  hover(event.target);
});
document.addEventListener("focusout", () => { tip.hidden = true; });
// an answer is followed until the reader goes up, and again once they are at the end
addEventListener("scroll", () => {
  tip.hidden = true;
  if (scrollY > lastAt && innerHeight + scrollY > document.body.scrollHeight - 160) following = true;
  lastAt = scrollY;
}, { passive: true });
const leaves = (event) => {
  if (event.deltaY < 0 || event.type === "touchmove" || event.clientX >= root.clientWidth
    || (/^(PageUp|Home|ArrowUp)$/.test(event.key) && event.target !== box())) following = false;
};
for (const kind of ["wheel", "touchmove", "keydown", "pointerdown"]) addEventListener(kind, leaves, { passive: true });
function arrive() {  // at an address: the first one, or by back and forward
  const params = new URLSearchParams(location.search), id = params.get("c") || "", view = location.hash.slice(1);
  const named = ["review", "screen", "library", "settings"].includes(view) ? view : "chat";
  if (!root.dataset.view || id !== (current.begun ? current.id : "")) show(/^[A-Za-z0-9-]{8,64}$/.test(id) ? id : "", null);
  arrived = true;
  if (named !== "screen" || root.dataset.view !== "screen") look(named, false);
  else if ((params.get("s") || "") !== (work ? work.name : "")) openScreen(params.get("s") || "");
}
addEventListener("popstate", arrive);
addEventListener("beforeunload", () => { keepDraft(); keepUnkept(); });
document.addEventListener("focusout", (event) => { if (event.target.closest("form.marks")) keepUnkept(); });
if (others) others.onmessage = () => catchUp();
document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") catchUp(); else unfollow(); });
async function catchUp() {  // with what other windows did
  catchUpScreen();
  await freshRail();
  if (current.begun) refresh();
}
setInterval(async () => {
  if (document.visibilityState !== "visible") return;
  catchUpScreen();
  const now = await api("GET", "revision").catch(() => null);
  if (now && now.revision !== known.revision) catchUp();
}, 4000);

/* -- reviews: what is ticked is sent along -------------------------------------------------------- */
let seekAgain = false;
const ticks = () => $$(".candidates input:checked").map((tick) => tick.value);
function seek() {
  const form = $("form[data-form=seek]");
  if (!form.elements.topic.value.trim()) { toast("Write a topic first."); form.elements.topic.focus(); return; }
  if (root.dataset.writing !== undefined) { toast("A review is in work: wait for it, or stop it."); return; }
  root.dataset.writing = "1";
  send("seek", { topic: form.elements.topic.value, papers: form.elements.papers.value });
}

function reviewAddress(id) {
  const params = new URLSearchParams(location.search);
  if (id) params.set("r", id); else params.delete("r");
  const query = params.toString();
  history.replaceState(null, "", `${location.pathname}${query ? `?${query}` : ""}#review`);
}
function openReview(id) {
  const params = new URLSearchParams(location.search);
  params.set("r", id);
  history.pushState(null, "", `${location.pathname}?${params}#review`);
  send("resume", { id });
}

let timer = 0;
function later(act) { clearTimeout(timer); timer = setTimeout(act, 220); }
function listing() {
  const words = $("#paper-words"), pick = $("#paper-theme"), table = $("#papers [data-sort]");
  return { words: words ? words.value : "", theme: pick ? pick.value : "", sort: table ? table.dataset.sort : "added", page: "0" };
}

/* -- what Python says ------------------------------------------------------------------------------- */
function heard(said) {
  if (!said || typeof said !== "object") return;
  if (said.download) {
    const file = said.download;
    if (file.base64) download(file.name, Uint8Array.from(atob(file.base64), (c) => c.charCodeAt(0)), "application/octet-stream");
    else download(file.name, file.text);
  }
  if (said.toast) toast(said.toast);
  if (said.map) window.dispatchEvent(new CustomEvent("librarymap", { detail: said.map }));
  if (said.state) send("state");
  if (said.review === "writing") root.dataset.writing = "1";
  else if (said.review) delete root.dataset.writing;
  if ("id" in said && root.dataset.view === "review") reviewAddress(said.id);
  if (said.topic && !$("#review-topic").value) $("#review-topic").value = said.topic;
  // Gradio keeps the fields of a list that it draws again as they were typed and ticked
  if (said.review === "found") setTimeout(() => $$(".candidates input").forEach((t) => { t.checked = t.defaultChecked; }), 60);
  if (said.review === "added" && $(".include input")) $(".include input").value = "";
  if (said.review === "written") setTimeout(() => { const shown = $("#review-result .review"); if (shown) shown.scrollIntoView(); }, 60);
  if (said.sample) {
    const last = current.turns[current.turns.length - 1];
    if (seekAgain) { seekAgain = false; seek(); }
    else if (last && $(`#thread .turn[data-turn="${last.id}"] .card.empty`)) ask(last.question, { insteadOf: last.id, library: "sample" });
    else if (!current.turns.length) welcome();
  }
}
watch("value", () => heard(props.value));

function lastQuestion() { // its top under the bar: an answer is read from its beginning
  const last = $$("#talk .turn:not(.waits)").pop();
  return last ? last.getBoundingClientRect().top + scrollY - $("#bar").offsetHeight - 24 : Infinity;
}
const grown = new MutationObserver(() => {
  if (document.activeElement.matches("#thread :focus-visible")) return; // read by key: it stays in sight
  if (following && root.dataset.view === "chat" && (current.turns.length || root.dataset.busy !== undefined))
    scrollTo({ top: Math.min(document.body.scrollHeight, lastQuestion()) });
});
const panelSeen = new MutationObserver(() => {
  const mark = $("#panel mark"), panel = $("#panel .panel");
  if (!panel || !("panel" in root.dataset)) return;
  $("#panel").scrollTop = 0;
  if (mark && mark.getBoundingClientRect().bottom > innerHeight) mark.scrollIntoView({ block: "center" });
  panel.focus({ preventScroll: true });
});

/* -- begin ------------------------------------------------------------------------------------------ */
function begin() {
  if (!box() || !$("#rail ul") || !$("#thread .turns") || !$("#live .turns")) { setTimeout(begin, 40); return; }
  const wanted = localStorage.getItem("abstract-assistant.theme");
  if (wanted) document.body.classList.toggle("dark", wanted === "dark");
  for (const id of ["#thread", "#live"]) grown.observe($(id), { childList: true, subtree: true, characterData: true });
  panelSeen.observe($("#panel"), { childList: true, subtree: true });
  formulas.observe(document.body, { childList: true, subtree: true });
  const question = new URLSearchParams(location.search).get("q");
  start(question || "");
}
async function start(question) {
  await takeOver();  // the first request also gives this browser its name
  await freshRail();
  send("state");
  arrive();
  if (question) {  // a link fills the box; asking is the person's to do
    show("", false);
    box().value = question.slice(0, 20000);
    keepDraft(); grow();
  }
  for (const key of store.keys("outbox.")) { const turn = store.get(key); if (turn) deliver(turn); }
  for (let tries = 0; tries < 60 && !$("#state .state"); tries++) await new Promise((done) => setTimeout(done, 50));
  root.dataset.ready = "";
  if (innerWidth > 860 && root.dataset.view === "chat") box().focus();
}

/* -- formulas: KaTeX is fetched from this server when the first one is seen --------------------------- */
let typeset = null;
const formulas = new MutationObserver(() => {
  const upload = $("#upload button[aria-label^='Click to upload']");
  if (upload) upload.removeAttribute("aria-label");  // Gradio's, which is not what it shows
  if ($(".math:not([data-done])")) setFormulas();
});
function setFormulas() {
  if (!typeset) {
    document.head.append(make("link", { rel: "stylesheet", href: "katex/katex.min.css" }));
    typeset = new Promise((done) => { const s = make("script", { src: "katex/katex.min.js", onload: done, onerror: done }); document.head.append(s); });
  }
  typeset.then(() => {
    if (!window.katex) return;
    for (const node of $$(".math:not([data-done])")) {
      node.dataset.done = "1";
      try { window.katex.render(node.dataset.tex, node, { displayMode: node.classList.contains("display"), throwOnError: true, trust: false, maxExpand: 200, maxSize: 30 }); }
      catch { /* it stays as it was written */ }
    }
  });
}
begin();
