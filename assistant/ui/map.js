/* The map of the library on a canvas: drag, wheel, pinch or buttons move it, a point shows its
   title and opens its paper. Drawn anew only when something changed. */
(() => {
  let data = null, canvas = null, pen = null, wide = 0, high = 0, view = { x: 0, y: 0, k: 1 };
  let over = -1, only = null, queued = false, lit = new Set(), library = "own";
  const hue = (theme) => (168 + theme * 137.5) % 360;
  const color = (theme) => `hsl(${hue(theme)} ${document.body.classList.contains("dark") ? "48% 66%" : "46% 42%"})`;
  const css = (name) => getComputedStyle(document.body).getPropertyValue(name).trim();
  const at = (i) => [(data.x[i] * (wide - 80) + 40) * view.k + view.x, (data.y[i] * (high - 80) + 40) * view.k + view.y];
  const draw = () => { if (!queued) { queued = true; requestAnimationFrame(paint); } };

  function paint() {
    queued = false;
    if (!data || !canvas || !wide) return;
    const ratio = devicePixelRatio || 1, ink = css("--ink"), ground = css("--raised");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, wide, high);
    const many = data.ids.length, size = Math.max(1.8, Math.min(5.5, 70 / Math.sqrt(many))) * Math.min(2, Math.sqrt(view.k));
    const centre = data.themes.map(() => [0, 0, 0]);
    for (let t = 0; t < data.themes.length; t++) {
      pen.beginPath();
      for (let i = 0; i < many; i++) {
        if (data.theme[i] !== t) continue;
        const [x, y] = at(i);
        centre[t][0] += x; centre[t][1] += y; centre[t][2]++;
        if (x < -9 || y < -9 || x > wide + 9 || y > high + 9) continue;
        pen.moveTo(x + size, y);
        pen.arc(x, y, size, 0, 6.3);
      }
      pen.fillStyle = color(t);
      pen.globalAlpha = only !== null && only !== t ? 0.12 : lit.size ? 0.45 : 0.8;
      pen.fill();
    }
    pen.globalAlpha = 1;
    pen.textAlign = "center";
    pen.lineJoin = "round";
    const placed = [], write = (text, x, y) => {
      pen.lineWidth = 5;
      pen.strokeStyle = ground;
      pen.strokeText(text, x, y);
      pen.fillStyle = ink;
      pen.fillText(text, x, y);
    };
    data.themes.forEach((name, t) => {
      const [sx, sy, n] = centre[t];
      if (!n || (only !== null && only !== t)) return;
      pen.font = `600 14px ${css("--sans")}`;
      const x = sx / n, half = pen.measureText(name).width / 2;
      let y = sy / n;
      while (placed.some((p) => Math.abs(p[0] - x) < p[2] + half + 8 && Math.abs(p[1] - y) < 20)) y += 20;
      placed.push([x, y, half]);
      write(name, x, y);
    });
    if (view.k >= 2.5) {  // near enough for titles, as many as find room
      pen.font = `400 12px ${css("--sans")}`;
      let told = 0;
      for (let i = 0; i < many && told < 60; i++) {
        if (only !== null && data.theme[i] !== only) continue;
        const [x, y] = at(i);
        if (x < 0 || y < 0 || x > wide || y > high) continue;
        const title = data.titles[i].length > 48 ? `${data.titles[i].slice(0, 46)}…` : data.titles[i];
        const half = pen.measureText(title).width / 2, below = y + size + 13;
        if (placed.some((p) => Math.abs(p[0] - x) < p[2] + half + 6 && Math.abs(p[1] - below) < 15)) continue;
        placed.push([x, below, half]);
        write(title, x, below);
        told++;
      }
    }
    for (let i = 0; i < many; i++) {
      if (!lit.has(data.ids[i]) && i !== over) continue;
      const [x, y] = at(i);
      pen.beginPath();
      pen.arc(x, y, size + 2.5, 0, 6.3);
      pen.fillStyle = color(data.theme[i]);
      pen.fill();
      pen.lineWidth = 2.5;
      pen.strokeStyle = ink;
      pen.stroke();
    }
  }
  function size() {
    if (!canvas) return;
    const box = canvas.getBoundingClientRect(), ratio = devicePixelRatio || 1;
    if (!box.width || (box.width === wide && box.height === high)) return;
    wide = box.width; high = box.height;
    canvas.width = wide * ratio; canvas.height = high * ratio;
    draw();
  }
  function nearest(x, y) {
    let best = -1, least = 196;
    for (let i = 0; i < data.ids.length; i++) {
      if (only !== null && data.theme[i] !== only) continue;
      const [px, py] = at(i), d = (px - x) ** 2 + (py - y) ** 2;
      if (d < least) { least = d; best = i; }
    }
    return best;
  }
  function zoom(factor, x = wide / 2, y = high / 2) {
    const k = Math.max(1, Math.min(40, view.k * factor)), f = k / view.k;
    view = k === 1 ? { x: 0, y: 0, k: 1 } : { x: x - (x - view.x) * f, y: y - (y - view.y) * f, k };
    draw();
  }
  function label(i, event) {
    canvas.style.cursor = i < 0 ? "" : "pointer";
    if (i < 0) { tip.hidden = true; return; }
    const strong = document.createElement("strong"), name = document.createElement("span");
    strong.textContent = data.titles[i];
    name.textContent = data.themes[data.theme[i]];
    tip.replaceChildren(strong, name);
    if (!tip.isConnected) canvas.closest("main").append(tip);
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    tip.style.left = `${Math.max(12, Math.min(event.clientX + 14, innerWidth - box.width - 12))}px`;
    tip.style.top = `${Math.max(12, Math.min(event.clientY + 14, innerHeight - box.height - 12))}px`;
  }
  function attach() {
    const found = document.querySelector("#map canvas");
    if (!found || found === canvas) return;
    canvas = found;
    pen = canvas.getContext("2d");
    new ResizeObserver(size).observe(canvas);
    const fingers = new Map();
    let moved = 0, apart = 0;
    const place = (e) => { const b = canvas.getBoundingClientRect(); return [e.clientX - b.left, e.clientY - b.top]; };
    canvas.addEventListener("wheel", (e) => { if (!data || !(e.ctrlKey || e.metaKey || view.k > 1 || e.shiftKey)) return;
      e.preventDefault(); const [x, y] = place(e); zoom(Math.exp(-e.deltaY * 0.0022), x, y); }, { passive: false });
    canvas.addEventListener("dblclick", (e) => { if (data) { const [x, y] = place(e); zoom(2, x, y); } });
    canvas.addEventListener("pointerdown", (e) => { canvas.setPointerCapture(e.pointerId); fingers.set(e.pointerId, place(e)); moved = 0; });
    canvas.addEventListener("pointermove", (e) => {
      if (!data) return;
      const [x, y] = place(e), before = fingers.get(e.pointerId);
      if (!before) { const i = nearest(x, y); if (i !== over) { over = i; draw(); } label(i, e); return; }
      fingers.set(e.pointerId, [x, y]);
      moved += Math.abs(x - before[0]) + Math.abs(y - before[1]);
      if (fingers.size === 2) {
        const [a, b] = [...fingers.values()], d = Math.hypot(a[0] - b[0], a[1] - b[1]);
        if (apart) zoom(d / apart, (a[0] + b[0]) / 2, (a[1] + b[1]) / 2);
        apart = d;
      } else if (view.k > 1) { view.x += x - before[0]; view.y += y - before[1]; draw(); }
    });
    const up = (e) => {
      const was = fingers.delete(e.pointerId);
      apart = 0;
      if (!data || !was || moved > 6 || e.type === "pointercancel") return;
      const [x, y] = place(e), i = nearest(x, y);
      if (i < 0) return;
      openPanel(canvas);
      send("source", { paper: data.ids[i], library });
    };
    canvas.addEventListener("pointerup", up);
    canvas.addEventListener("pointercancel", up);
    canvas.addEventListener("pointerleave", () => { over = -1; if (data) { label(-1); draw(); } });
    document.querySelector("#map .zoom").addEventListener("click", (e) => {
      const b = e.target.closest("button");
      if (b && data) b.dataset.zoom === "all" ? zoom(0) : zoom(b.dataset.zoom === "in" ? 1.6 : 1 / 1.6);
    });
    size();
  }
  function legend() {
    const list = document.querySelector("#map .legend");
    if (!list) return;
    list.replaceChildren(...data.themes.map((name, t) => {
      const b = document.createElement("button"), dot = document.createElement("i"), row = document.createElement("li");
      b.type = "button";
      dot.className = "swatch";
      dot.style.background = color(t);
      b.append(dot, `${name} (${data.theme.filter((x) => x === t).length})`);
      b.setAttribute("aria-pressed", String(only === t));
      b.onclick = () => { only = only === t ? null : t; legend(); draw(); };
      row.append(b);
      return row;
    }));
  }
  const light = () => { const last = current.turns[current.turns.length - 1];
    lit = new Set(last && (last.library || "own") === library ? last.cited : []); };
  window.addEventListener("librarymap", (e) => {
    data = e.detail.map; library = e.detail.library; view = { x: 0, y: 0, k: 1 }; only = null; over = -1;
    attach(); light(); legend(); size(); draw();
    const box = document.querySelector("#map .map");
    if (box) { box.dataset.points = data.ids.length; box.dataset.lit = data.ids.filter((id) => lit.has(id)).length; }
  });
  window.addEventListener("themechange", () => { if (data) { legend(); draw(); } });
  window.mapPoint = (id) => { const i = data.ids.indexOf(id), b = canvas.getBoundingClientRect(), [x, y] = at(i); return [x + b.left, y + b.top]; };
})();
