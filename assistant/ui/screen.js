/* Screening: the paper that is decided on, its keys, what is drawn anew after each decision. The
   work and its state are the server's; this script knows which paper is before the reader's eyes,
   and says so with every decision, so that no window overwrites what another did. */

let work = null;  // {name, paper, revision, reviewer, show, words, page}
let deciding = false;
const reviewer = () => encodeURIComponent(store.get("reviewer") || "");
const shownKey = (name) => `screen.${name}.${reviewer()}`;  // what was before this reviewer's eyes
const of = (rest = "") => `screenings/${encodeURIComponent(work.name)}${rest}`;
const told = (text, last = true) => {
  const line = $("#screen-last"), region = $("#screen-told");
  if (last && line) line.textContent = text;
  region.textContent = "";
  setTimeout(() => { region.textContent = text; }, 30);
};
const fill = (node, html) => morph(node, Object.assign(node.cloneNode(false), { innerHTML: html }));

function screenAddress(name, push) {
  const params = new URLSearchParams(location.search);
  if (name) params.set("s", name); else params.delete("s");
  const query = params.toString(), to = `${location.pathname}${query ? `?${query}` : ""}#screen`;
  if (push) history.pushState(null, "", to); else history.replaceState(null, "", to);
}
async function openScreen(name, push = false) {  // "": the list of all
  if (push) screenAddress(name, true);
  try {
    if (!name) {
      work = null;
      $("#screen-body").innerHTML = (await api("GET", "screenings")).html;
      return;
    }
    work = { name, paper: store.get(shownKey(name)) || "", show: "", words: "", page: 0 };
    const shown = await api("GET", of(`?reviewer=${reviewer()}&paper=${encodeURIComponent(work.paper)}`));
    if (!work || work.name !== name) return;
    $("#screen-body").innerHTML = shown.html;
    document.title = `${shown.topic} · Abstract Assistant`;
    take(shown);
    below();
  } catch (error) {
    toast(error.message);
    if (name && error instanceof Refused) { screenAddress("", false); openScreen(""); }
  }
}
function take(state) {  // the paper that comes next
  work.revision = state.revision;
  const moved = state.paper !== work.paper;
  work.paper = state.paper;
  store.put(shownKey(work.name), state.paper);
  const kept = $("#screen-last") ? $("#screen-last").textContent : "";
  const typed = !moved && $(".screen-do input") ? $(".screen-do input").value : "";
  fill($("#screen-card"), state.card);
  $("#screen-last").textContent = kept;
  if ($(".screen-do input")) $(".screen-do input").value = typed;
  $(".screen-foot input").checked = store.get("screen-keys") !== false;
  const head = $(".screen-head");
  if (moved && $("#screen-card").getBoundingClientRect().top < 0) scrollTo(0, head.getBoundingClientRect().bottom + scrollY - $("#bar").offsetHeight - 12);
}
async function below() {  // how far it is, and the parts below
  const mine = work;
  const query = `reviewer=${reviewer()}&show=${mine.show}&words=${encodeURIComponent(mine.words)}&page=${mine.page}`;
  const made = await api("GET", of(`/more?${query}`)).catch(() => null);
  if (!made || work !== mine || !$("#screen-more")) return;
  const typed = $(".criteria textarea");
  fill($("#screen-progress"), made.progress);
  if (typed && typed.value !== typed.defaultValue) return;  // criteria that are being written
  fill($("#screen-more"), made.more);
  $$("#screen-more select.choice").forEach((pick) => { pick.value = pick.dataset.now; });
}
async function act(work_, ask) {  // one thing at a time; then the next paper
  if (deciding || !work) return;
  deciding = true;
  try {
    const state = await ask();
    if (work !== work_) return;
    take(state);
    told(state.told);
    if (state.stood) toast(state.told);
    nudge();
    below();
  } catch (error) { toast(error.message); }
  finally { deciding = false; }
}
function decide(verdict, reason = "") {
  if (!work || !work.paper) return;
  const typed = $(".screen-do input");
  reason = reason || (typed ? typed.value.trim() : "");
  return act(work, () => api("POST", of("/decide"), { reviewer: store.get("reviewer") || "", paper: work.paper, verdict, reason, now: "" }));
}
const undo = () => act(work, () => api("POST", of(`/undo?reviewer=${reviewer()}`)));
async function choose(pick) {  // a decision in the list is changed
  const { paper, now, reason, reviewer: who } = pick.dataset, settles = who === "consensus";
  const why = pick.value === "exclude" || pick.value === now ? reason : "";
  await act(work, () => api("POST", of("/decide"), { reviewer: store.get("reviewer") || "", paper, verdict: pick.value, reason: why, now, settles, shown: work.paper }));
  pick.value = pick.dataset.now;
}
async function pickText(accept) {
  const pick = make("input", { type: "file", accept });
  return new Promise((done) => { pick.onchange = async () => done(await pick.files[0].text()); pick.click(); });
}
async function put(method, rest, body) {
  try { const made = await api(method, of(rest), body); told(made.told, false); toast(made.told); await openScreen(work.name); nudge(); }
  catch (error) { toast(error.message); }
}

Object.assign(ACTS, {
  screening: (d) => openScreen(d.screening, true),
  screenings: () => openScreen("", true),
  unscreen: (d) => sure(`Delete the screening “${d.title}”, with the decisions of all reviewers?`, "Delete", async () => {
    await api("DELETE", `screenings/${encodeURIComponent(d.screening)}`).catch((error) => toast(error.message));
    openScreen("");
  }),
  "screen-decide": (d) => decide(d.verdict, d.reason),
  "screen-undo": undo,
  "screen-save": (d) => saveFile(of(`/export?form=${d.form}`)),
  "screen-page": (d) => { work.page = +d.page; below(); },
  "screen-conflicts": () => { work.show = "conflicts"; work.page = 0; $("[data-part=decided]").open = true; below().then(() => $("[data-part=decided] summary").focus()); },
  "screen-criteria": () => { $("[data-part=criteria]").open = true; $(".criteria textarea").focus(); },
  "criteria-file": async (d, from) => { $("textarea", from.closest("form")).value = await pickText(".txt,.md,text/*"); },
});
Object.assign(FORMS, {
  "screen-start": async (form) => {
    const fields = form.elements, button = $("button.first", form);
    if (!fields.topic.value.trim()) { toast("Write the question first."); fields.topic.focus(); return; }
    button.disabled = true;
    try {
      const made = await api("POST", "screenings", { topic: fields.topic.value, criteria: fields.criteria.value, most: +fields.most.value || 0, ...picks(form) });
      form.reset(); $$(".picked", form).forEach((chips) => chips.replaceChildren());
      await openScreen(made.name, true);
    } catch (error) { toast(error.message); }
    finally { button.disabled = false; }
  },
  "screen-do": () => decide("exclude"),
  "screen-reviewer": (form) => {
    const name = form.elements.reviewer.value.trim();
    if (name !== (store.get("reviewer") || "me")) { store.put("reviewer", name); openScreen(work.name); }
  },
  "screen-criteria": (form) => put("PUT", "/criteria", { text: form.elements.text.value }),
  "screen-import": async (form) => {
    const who = form.elements.who.value.trim() || store.get("reviewer") || "", every = form.elements.every.value || null;
    put("POST", "/import", { text: await pickText(".csv,.tsv,.ris,.txt"), reviewer: who, every });
  },
});
KEYS.splice(-1, 0, ["I, E, M", "Screening: include, exclude, maybe"], ["1 to 9", "Screening: exclude by that criterion"], ["U", "Screening: undo"]);
document.addEventListener("keydown", (event) => {
  const field = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) || event.target.isContentEditable;
  if (root.dataset.view !== "screen" || !work || field || store.get("screen-keys") === false || event.repeat || event.ctrlKey || event.metaKey || event.altKey || $("dialog[open], .menu")) return;
  const verdict = { i: "include", e: "exclude", m: "maybe" }[event.key.toLowerCase()];
  const reason = /^[1-9]$/.test(event.key) && $$("#screen-card aside ol button")[event.key - 1];
  if (verdict) decide(verdict);
  else if (reason) decide("exclude", reason.dataset.reason);
  else if (event.key.toLowerCase() === "u") undo();
  else return;
  event.preventDefault();
});
document.addEventListener("input", (event) => {
  if (event.target.id === "screen-words") { work.words = event.target.value; work.page = 0; later(below); }
});
document.addEventListener("change", (event) => {
  if (event.target.id === "screen-show") { work.show = event.target.value; work.page = 0; below(); }
  if (event.target.matches(".screen-foot input")) store.put("screen-keys", event.target.checked);
  if (event.target.matches("select.choice")) choose(event.target);
  if (event.target.matches(".screen-head [name=reviewer]")) event.target.form.requestSubmit();
});
async function catchUpScreen() {  // with what other windows and reviewers did
  if (!work || root.dataset.view !== "screen" || deciding) return;
  const mine = work, now = await api("GET", of("/revision")).catch(() => null);
  if (!now || work !== mine || deciding || now.revision === work.revision) return;
  const state = await api("GET", of(`/card?reviewer=${reviewer()}&paper=${encodeURIComponent(work.paper)}`)).catch(() => null);
  if (!state || work !== mine || deciding) return;
  take(state);
  below();
}
