// The review page: one answer at a time, points and comments saved as they are given.
"use strict";
(() => {
  const box = document.getElementById("answer");
  const said = document.getElementById("said");
  const who = document.getElementById("who");
  const base = location.pathname;
  const key = crypto.getRandomValues(new Uint32Array(2)).join("-");
  const places = [...document.querySelectorAll(".place")];
  let current = null;
  let dirty = false;
  let asking = false;

  who.value = localStorage.getItem("who") || "";
  who.addEventListener("change", () => localStorage.setItem("who", who.value));

  // A door asks for the token in the cookie that came with the page; the page's own server has none.
  function token() {
    const cookie = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/);
    return cookie ? { "X-CSRFToken": cookie[1] } : {};
  }

  function say(text) {
    said.textContent = text;
    said.hidden = !text;
  }

  function button(place) {
    return places.find((one) => Number(one.dataset.place) === place);
  }

  function setState(place, state) {
    const one = button(place);
    if (!one) return;
    one.classList.remove("open", "given", "automatic");
    one.classList.add(state);
    const left = places.filter((other) => other.classList.contains("open")).length;
    document.getElementById("open-count").textContent = left ? `${left} to do.` : "Nothing to do.";
  }

  async function show(place) {
    if (dirty && !confirm("Leave this answer without saving?")) return;
    let reply;
    try {
      reply = await fetch(`${base}/${place}`);
      if (!reply.ok) return say((await reply.json()).error);
      box.innerHTML = await reply.text();
    } catch {
      return say("The server does not answer. Is it still running?");
    }
    current = place;
    dirty = false;
    places.forEach((one) => one.toggleAttribute("aria-current", Number(one.dataset.place) === place));
    button(place).scrollIntoView({ block: "nearest" });
    here();
  }

  function step(by) {
    const at = places.findIndex((one) => Number(one.dataset.place) === current);
    const next = places[at + by];
    if (next) show(Number(next.dataset.place));
  }

  // The next answer that waits and that nobody else looks at.
  function nextOpen() {
    const at = places.findIndex((one) => Number(one.dataset.place) === current);
    const order = [...places.slice(at + 1), ...places.slice(0, at)];
    const free = order.find((one) => one.classList.contains("open") && !one.classList.contains("taken"));
    if (free) show(Number(free.dataset.place));
    else say("Nothing waits here that nobody else looks at.");
  }

  // The comment with a line for each chosen item. What is typed behind them begins a line of its own: in an item's line
  // the item could no longer be taken back.
  function commented(comment, texts, chosen) {
    const own = comment.split("\n").filter((line) => !texts.includes(line.replace(/^- /, "")));
    const lines = [...own, ...chosen.map((text) => `- ${text}`)].join("\n").trim();
    return lines && chosen.length ? `${lines}\n` : lines;
  }

  function reckon() {
    const items = [...box.querySelectorAll(".rubric input")];
    const chosen = items.filter((item) => item.checked);
    const most = Number(box.dataset.points);
    const gains = items.some((item) => Number(item.dataset.points) > 0);
    const sum = chosen.reduce((all, item) => all + Number(item.dataset.points), gains ? 0 : most);
    const form = box.querySelector("form");
    form.score.value = Math.min(most, Math.max(0, Number(sum.toFixed(6))));
    const text = (item) => item.closest("label").querySelector("span").textContent;
    form.comment.value = commented(form.comment.value, items.map(text), chosen.map(text));
    dirty = true;
  }

  async function save(score) {
    const form = box.querySelector("form");
    if (!form) return;
    const article = box.querySelector("article");
    const place = current;
    const body = JSON.stringify({ score, comment: form.comment.value, seen: article.dataset.seen });
    let reply, told;
    try {
      reply = await fetch(`${base}/${place}`, { method: "POST", body, headers: token() });
      told = await reply.json();
    } catch {
      return say("The server does not answer. Is it still running? Your entry is still on this page.");
    }
    if (told.state) setState(place, told.state);
    if (!reply.ok) return say(told.error);
    say("");
    dirty = false;
    article.dataset.seen = told.version;
    return true;
  }

  async function saveAndGoOn() {
    const text = box.querySelector("form").score.value.trim();
    if (text === "") return say("Give points first.");
    if (await save(Number(text))) nextOpen();
  }

  async function here() {
    if (current === null || asking) return;
    asking = true;
    try {
      const body = JSON.stringify({ key, who: who.value, question: Number(box.dataset.number), place: current });
      const reply = await fetch(`${base.replace(/\/q\/\d+$/, "")}/here`, { method: "POST", body, headers: token() });
      if (!reply.ok) return;
      const told = await reply.json();
      Object.entries(told.states).forEach(([place, state]) => setState(Number(place), state));
      places.forEach((one) => one.classList.remove("taken"));
      told.others.forEach((other) => button(other.place)?.classList.add("taken"));
      const beside = told.others.filter((other) => other.place === current).map((other) => other.who);
      if (beside.length) say(`${beside.join(", ")} looks at this answer, too.`);
    } catch {
      // The next save tells.
    } finally {
      asking = false;
    }
  }

  places.forEach((one) => one.addEventListener("click", () => show(Number(one.dataset.place))));
  box.addEventListener("input", () => { dirty = true; });
  box.addEventListener("change", (event) => { if (event.target.closest(".rubric")) reckon(); });
  box.addEventListener("submit", (event) => { event.preventDefault(); saveAndGoOn(); });
  box.addEventListener("click", (event) => {
    const saved = event.target.closest("[data-comment]");
    if (saved) {
      const area = box.querySelector("form").comment;
      area.value = [area.value, saved.dataset.comment].filter(Boolean).join("\n");
      dirty = true;
    }
    if (event.target.closest("[data-clear]")) save(null).then((done) => { if (done) show(current); });
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) return saveAndGoOn();
    if (event.key === "Escape") document.activeElement.blur();
    if (event.target.closest("input, textarea") && event.target.type !== "checkbox") return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const form = box.querySelector("form");
    const item = /^[1-9]$/.test(event.key) && box.querySelectorAll(".rubric input")[Number(event.key) - 1];
    if (item) { item.checked = !item.checked; return reckon(); }
    const give = (points) => { form.score.value = points; dirty = true; form.score.focus(); };
    const acts = {
      n: nextOpen, j: () => step(1), k: () => step(-1), ArrowRight: () => step(1), ArrowLeft: () => step(-1),
      f: () => give(box.dataset.points), z: () => give(0), c: () => form.comment.focus(),
    };
    if (acts[event.key]) { event.preventDefault(); acts[event.key](); }
  });
  window.addEventListener("beforeunload", (event) => { if (dirty) event.preventDefault(); });
  setInterval(here, 5000);
  const first = places.find((one) => one.classList.contains("open")) || places[0];
  if (first) show(Number(first.dataset.place));
})();
