/* What the page does by itself: conversations in this browser, the composer, chips and their
   tips, views, menus. Everything that needs the library is sent to Python with `trigger`, and
   what Python has to say to the page comes back through `watch`. Texts are set as text, never
   as HTML. Runs once, as the js_on_load of the bridge. */

const EVENTS = ["ask", "stop", "open", "source", "rate", "bibtex", "sample", "view", "list",
  "remove", "settings", "seek", "include", "forecast", "compose", "halt", "save"];
const root = document.documentElement;
const $ = (query, within = document) => within.querySelector(query);
const $$ = (query, within = document) => [...within.querySelectorAll(query)];
const make = (tag, props = {}, ...children) => {
  const node = Object.assign(document.createElement(tag), props);
  node.append(...children);
  return node;
};
const send = (name, data = {}) => { if (EVENTS.includes(name)) trigger(name, data); };

/* -- conversations: one entry of the local storage each, so that two windows don't collide ------ */
const PREFIX = "abstract-assistant.conversation.";
const kept = {
  all() {
    const found = [];
    for (let i = 0; i < localStorage.length; i++) {
      const key = localStorage.key(i);
      if (!key.startsWith(PREFIX)) continue;
      try { found.push(JSON.parse(localStorage.getItem(key))); } catch { /* not ours */ }
    }
    return found.filter((c) => c && c.id && Array.isArray(c.turns)).sort((a, b) => b.updated - a.updated);
  },
  get(id) {
    try { return JSON.parse(localStorage.getItem(PREFIX + id)); } catch { return null; }
  },
  put(conversation) {
    const text = JSON.stringify(conversation);
    for (let tries = 0; tries < 20; tries++) {
      try { localStorage.setItem(PREFIX + conversation.id, text); return; }
      catch { /* full: the oldest goes */
        const oldest = this.all().filter((c) => c.id !== conversation.id).pop();
        if (!oldest) break;
        this.remove(oldest.id);
      }
    }
    toast("This browser does not keep the conversation: its storage is full or switched off.");
  },
  remove(id) { localStorage.removeItem(PREFIX + id); },
};
const fresh = () => ({ id: crypto.randomUUID ? crypto.randomUUID() : String(Math.random()).slice(2),
  title: "", updated: Date.now(), turns: [] });
let current = kept.get(sessionStorage.getItem("abstract-assistant.current") || "") || fresh();
let editing = null;

function keep() {
  current.updated = Date.now();
  if (current.turns.length) kept.put(current);
  sessionStorage.setItem("abstract-assistant.current", current.id);
  drawRail();
}
function drawRail() {
  const list = $("#rail ul");
  if (!list) return;
  const all = kept.all();
  list.replaceChildren(...all.map((c) => {
    const open = make("button", { type: "button", className: "open", textContent: c.title || "Untitled", title: c.title });
    open.onclick = () => show(c.id);
    const more = make("button", { type: "button", className: "more", textContent: "⋯" });
    more.setAttribute("aria-label", `More on “${c.title}”`);
    more.onclick = (event) => { event.stopPropagation(); menu(more, c.id); };
    const row = make("li", {}, open, more);
    row.dataset.id = c.id;
    if (c.id === current.id) { row.className = "current"; open.setAttribute("aria-current", "true"); }
    return row;
  }));
  $("#rail .quiet").hidden = all.length > 0;
}
function show(id) {
  current = kept.get(id) || fresh();
  sessionStorage.setItem("abstract-assistant.current", current.id);
  leaveEditing(); closePanel(); delete root.dataset.rail;
  look("chat"); drawRail();
  send("open", { turns: current.turns });
}
function menu(anchor, id) {
  $$(".menu").forEach((m) => m.remove());
  const box = anchor.getBoundingClientRect();
  const item = (text, act, danger) => {
    const b = make("button", { type: "button", textContent: text, className: danger ? "danger" : "" });
    b.setAttribute("role", "menuitem");
    b.onclick = () => { shown.remove(); act(); };
    return b;
  };
  const shown = make("div", { className: "menu" },
    item("Rename", () => rename(id)),
    item("Export as Markdown", () => exportOne(id, "md")),
    item("Export as JSON", () => exportOne(id, "json")),
    item("Delete", () => sure("Delete this conversation? It is kept nowhere else.", "Delete", () => {
      kept.remove(id);
      if (id === current.id) show(""); else drawRail();
    }), true));
  shown.setAttribute("role", "menu");
  Object.assign(shown.style, { left: `${Math.min(box.left, innerWidth - 210)}px`, top: `${Math.min(box.bottom + 4, innerHeight - 190)}px` });
  document.body.append(shown);
  shown.firstChild.focus();
}
function rename(id) {
  const row = $(`#rail li[data-id="${CSS.escape(id)}"]`), c = kept.get(id);
  if (!row || !c) return;
  const input = make("input", { value: c.title, maxLength: 120 });
  input.setAttribute("aria-label", "Name of the conversation");
  let over = false;
  const done = (take) => {
    if (over) return;
    over = true;
    if (take && input.value.trim()) {
      c.title = input.value.trim();
      kept.put(c);
      if (c.id === current.id) current.title = c.title;
    }
    drawRail();
  };
  input.onkeydown = (e) => { if (e.key === "Enter") done(true); if (e.key === "Escape") { e.stopPropagation(); done(false); } };
  input.onblur = () => done(true);
  row.replaceChildren(input);
  input.select();
}
function exportOne(id, form) {
  const c = kept.get(id);
  if (!c) return;
  const name = (c.title || "conversation").replace(/[^\p{L}\p{N}]+/gu, "-").slice(0, 60).replace(/^-|-$/g, "");
  if (form === "json") return download(`${name}.json`, JSON.stringify(c, null, 2), "application/json");
  const text = c.turns.map((t) => {
    const why = t.failure ? `*${t.failure.what} ${t.failure.do || ""}*` : "";
    return `## ${t.question}\n\n${t.markdown || ""}${why}`.trim();
  });
  download(`${name}.md`, `# ${c.title}\n\n${text.join("\n\n")}\n`, "text/markdown");
}
function download(name, text, type = "text/plain") {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const a = make("a", { href: url, download: name });
  document.body.append(a);
  a.click();
  a.remove();
  setTimeout(() => URL.revokeObjectURL(url), 2000);
}
async function copy(text, said) {
  try { await navigator.clipboard.writeText(text); }
  catch { /* no secure context: the old way */
    const area = make("textarea", { value: text });
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  toast(said);
}
function toast(text) {
  $$(".toast").forEach((t) => t.remove());
  const shown = make("div", { className: "toast", textContent: text });
  shown.setAttribute("role", "status");
  document.body.append(shown);
  setTimeout(() => shown.remove(), 2600);
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
}
function ask(text, from = null, library = "") {
  text = text.trim();
  if (!text || root.dataset.busy) return;
  if (from === null && editing !== null) from = editing;
  leaveEditing();
  if (from !== null) current.turns = current.turns.slice(0, from);
  root.dataset.busy = "";
  look("chat");
  following = true;
  box().value = "";
  grow();
  send("ask", { text, turns: current.turns, conversation: current.id, library });
}
function leaveEditing() { editing = null; delete root.dataset.editing; }

/* -- the view, the panel, the tips ----------------------------------------------------------------- */
let following = true;
function look(view) {
  if (root.dataset.view === view) return;
  root.dataset.view = view;
  $$(".views button").forEach((b) => b.dataset.view === view ? b.setAttribute("aria-current", "page") : b.removeAttribute("aria-current"));
  history.replaceState(null, "", view === "chat" ? location.pathname : `#${view}`);
  if (view !== "chat") { closePanel(); scrollTo(0, 0); }
  if (view === "library") send("view", { view });
  if (view === "settings") send("settings");
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
document.body.append(tip);
function hover(target) {
  const chip = target && target.closest && target.closest(".chip[data-title]");
  tip.hidden = !chip;
  if (!chip) return;
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
const ACTS = {
  ask: (d) => ask(d.text, null, d.library),
  retry: (d) => { const t = current.turns[+d.turn]; if (t) ask(t.question, +d.turn); },
  edit: (d) => {
    const t = current.turns[+d.turn];
    if (!t || root.dataset.busy) return;
    editing = +d.turn;
    root.dataset.editing = "";
    box().value = t.question;
    grow();
    box().focus();
  },
  "leave-editing": () => { leaveEditing(); box().value = ""; grow(); },
  copy: (d) => copy(d.text, "Copied, with references"),
  link: (d) => copy(`${location.origin}${location.pathname}?q=${encodeURIComponent(d.text)}`, "Link copied"),
  bibtex: (d) => { const t = current.turns[+d.turn]; if (t) send("bibtex", { turn: t }); },
  rate: (d) => {
    const t = current.turns[+d.turn];
    if (!t) return;
    t.rating = d.rating; t.noted = false;
    keep();
    send("rate", { turns: current.turns, at: +d.turn, rating: d.rating, note: "", conversation: current.id });
  },
  source: (d, from) => { openPanel(from); send("source", { ...d }); },
  close: () => closePanel(),
  view: (d) => look(d.view),
  sample: () => {
    seekAgain = root.dataset.view === "review";
    if (!seekAgain) look("chat");
    send("sample", { turns: current.turns });
  },
  compose: () => {
    if ("writing" in root.dataset) return;
    root.dataset.writing = "";
    send("compose", { ticks: ticks() });
  },
  halt: () => send("halt"),
  save: (d) => send("save", { form: d.form }),
  theme: () => theme(),
  rail: () => { root.dataset.rail = ""; },
  new: () => show(""),
  stop: () => send("stop"),
  list: (d) => send("list", { ...d }),
  remove: (d) => sure(`Remove “${d.title}” from the library? It can be added again from its file.`, "Remove",
    () => send("remove", { ...d, ...listing() })),
};
document.addEventListener("click", (event) => {
  const from = event.target.closest("[data-act]");
  if (!event.target.closest(".menu, .more")) $$(".menu").forEach((m) => m.remove());
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
  if (form.dataset.form === "ask") ask(box().value);
  if (form.dataset.form === "seek") seek();
  if (form.dataset.form === "include") send("include", { name: form.elements.name.value, ticks: ticks() });
  if (form.dataset.form === "rate") {
    const at = +form.dataset.turn, t = current.turns[at];
    t.noted = true;
    keep();
    send("rate", { turns: current.turns, at, rating: form.dataset.rating, note: form.elements.note.value, conversation: current.id });
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target === box() && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    ask(box().value);
  }
  if (event.key === "Escape") {
    if ($(".menu")) $$(".menu").forEach((m) => m.remove());
    else if ("rail" in root.dataset) delete root.dataset.rail;
    else if (root.dataset.busy !== undefined) send("stop");
    else if (root.dataset.writing !== undefined && root.dataset.view === "review") send("halt");
    else if (editing !== null) ACTS["leave-editing"]();
    else closePanel();
  }
  if (event.key === "/" && !/^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) {
    event.preventDefault();
    look("chat");
    box().focus();
  }
});
document.addEventListener("input", (event) => {
  if (event.target === box()) grow();
  if (event.target.closest(".candidates")) {
    const chosen = ticks().length;
    $("#review-chosen").textContent = `${chosen} of ${$$(".candidates input").length} chosen`;
    $("[data-act=compose]").disabled = !chosen;
    if ($("#review-cost *")) later(() => send("forecast", { ticks: ticks() }));
  }
  if (event.target.closest(".table-tools")) later(() => send("list", listing()));
});
document.addEventListener("mouseover", (event) => hover(event.target));
document.addEventListener("focusin", (event) => { if (event.target.matches && event.target.matches(":focus-visible")) hover(event.target); });
document.addEventListener("focusout", () => { tip.hidden = true; });
addEventListener("scroll", () => { tip.hidden = true; following = innerHeight + scrollY > document.body.scrollHeight - 160; }, { passive: true });
addEventListener("storage", drawRail);
addEventListener("hashchange", () => look(location.hash.slice(1) || "chat"));

/* -- reviews: what is ticked is sent along -------------------------------------------------------- */
let seekAgain = false;
const ticks = () => $$(".candidates input:checked").map((tick) => tick.value);
function seek() {
  const form = $("form[data-form=seek]");
  if (!form.elements.topic.value.trim() || "writing" in root.dataset) return;
  root.dataset.writing = "";
  send("seek", { topic: form.elements.topic.value, papers: form.elements.papers.value });
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
  if (said.turn && said.conversation === current.id) {
    current.turns = [...current.turns, said.turn];
    if (!current.title) current.title = said.turn.question.slice(0, 80);
    keep();
  } else if (said.turn) {
    const other = kept.get(said.conversation);  // another conversation was opened meanwhile
    if (other) { other.turns.push(said.turn); kept.put(other); }
  }
  if (said.idle) { delete root.dataset.busy; root.dataset.answers = +(root.dataset.answers || 0) + 1; }
  if (said.download) download(said.download.name, said.download.text);
  if (said.toast) toast(said.toast);
  if (said.map) window.dispatchEvent(new CustomEvent("librarymap", { detail: said.map }));
  if (said.ask) ask(said.ask);
  if (said.desk) delete root.dataset.writing;
  // Gradio keeps the fields of a list that it draws again as they were typed and ticked
  if (said.desk === "found") setTimeout(() => $$(".candidates input").forEach((t) => { t.checked = t.defaultChecked; }), 60);
  if (said.desk === "added" && $(".include input")) $(".include input").value = "";
  if (said.desk === "written") setTimeout(() => { const shown = $("#review-result .review"); if (shown) shown.scrollIntoView(); }, 60);
  if (said.toast && seekAgain) { seekAgain = false; seek(); }
  else if (said.again) ACTS.retry({ turn: current.turns.length - 1 });
}
watch("value", () => heard(props.value));

function lastQuestion() { // its top under the bar: an answer is read from its beginning
  const turns = $$("#talk .turn"), last = turns[turns.length - 1];
  return last ? last.getBoundingClientRect().top + scrollY - $("#bar").offsetHeight - 24 : Infinity;
}
const grown = new MutationObserver(() => {
  if (following && root.dataset.view === "chat" && current.turns.length + (root.dataset.busy !== undefined) > 0)
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
  if (!box() || !$("#rail ul") || !$("#thread")) { setTimeout(begin, 40); return; }
  const chosen = localStorage.getItem("abstract-assistant.theme");
  if (chosen) document.body.classList.toggle("dark", chosen === "dark");
  for (const id of ["#thread", "#live"]) grown.observe($(id), { childList: true, subtree: true, characterData: true });
  panelSeen.observe($("#panel"), { childList: true, subtree: true });
  drawRail();
  const question = new URLSearchParams(location.search).get("q");
  const view = location.hash.slice(1);
  if (question) { current = fresh(); history.replaceState(null, "", location.pathname); }
  root.dataset.view = "";
  look(["review", "library", "settings"].includes(view) ? view : "chat");
  send("open", { turns: current.turns, then: question || "" });
  root.dataset.ready = "";
  if (innerWidth > 860) box().focus();
}
begin();
