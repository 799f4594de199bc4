"use strict";
// Makes the chat page answer without a reload. The server renders every turn; this only sends, waits, and puts it in.
(() => {
  const log = document.getElementById("log");
  const form = document.getElementById("ask");
  const box = document.getElementById("q");
  const size = document.getElementById("size");
  const LONGEST_WAIT = 30000; // ms between two attempts
  const MOST_FAULTS = 4; // answers 5xx or 429 before the text goes back into the box; a lost network waits for ever
  const MOST_KEPT = 30; // turns that survive a reload
  let queue = Promise.resolve();

  const store = {
    get(name) { try { return sessionStorage.getItem(name); } catch { return null; } },
    set(name, value) { try { sessionStorage.setItem(name, value); } catch { /* private mode, or full: only a reload loses */ } },
  };

  const freshId = () => Array.from(crypto.getRandomValues(new Uint8Array(12)), (n) => n.toString(16).padStart(2, "0")).join("");
  const element = (name, className, text) => Object.assign(document.createElement(name), { className, textContent: text || "" });
  const parsed = (html) => document.createRange().createContextualFragment(html).firstElementChild;
  const pause = (ms) => new Promise((done) => {
    const go = () => { clearTimeout(timer); removeEventListener("online", go); done(); };
    const timer = setTimeout(go, ms);
    addEventListener("online", go);
  });

  // Sends until there is an answer. The same id goes along each time, so that nothing is asked twice.
  async function send(url, fields, tell) {
    let faults = 0;
    for (let attempt = 0; ; attempt++) {
      const token = form.elements.csrf_token.value;
      try {
        const response = await fetch(url, {
          method: "POST",
          headers: { "X-Part": "1", "X-CSRFToken": token },
          body: new URLSearchParams(fields),
        });
        const text = await response.text();
        const renewed = response.headers.get("X-Form-Token");
        if (renewed) form.elements.csrf_token.value = renewed;
        if (response.status === 400 && renewed && ++faults < 2) continue;
        if (response.status < 500 && response.status !== 429) return { ok: response.ok, html: text };
        if (++faults >= MOST_FAULTS) return { ok: false, html: text };
        tell(response.status === 429 ? "问的人多，稍等一下会自动再问…" : "这边出了点问题，正在再试…");
        await pause(Math.min(LONGEST_WAIT, 1000 * (response.headers.get("Retry-After") || 2 ** attempt)));
      } catch {
        tell("网络断了。你写的还在，连上后会自动发出。");
        await pause(Math.min(LONGEST_WAIT, 1000 * 2 ** attempt));
      }
    }
  }

  // Once there is something to read, the welcome and the suggestions make room; beginning again brings them back.
  function started() {
    for (const welcome of document.querySelectorAll("#suggest, #log > :not(.turn)")) welcome.remove();
    document.querySelector("h1").className = "hidden";
    document.getElementById("again").classList.remove("quiet");
  }

  function begin(text) {
    started();
    const turn = element("article", "turn");
    const waiting = element("p", "waiting", "正在找…");
    const reply = element("div", "reply");
    reply.append(waiting);
    turn.append(element("p", "asked", text), reply);
    log.append(turn);
    turn.scrollIntoView({ block: "start" });
    return { turn, reply, tell: (words) => { if (waiting.textContent !== words) waiting.textContent = words; } };
  }

  function ask(fields, shown, typed) {
    const { turn, reply, tell } = begin(shown);
    fields.id = freshId();
    queue = queue.then(async () => {
      const { ok, html } = await send(form.action, fields, tell);
      if (ok) {
        const finished = parsed(html);
        turn.replaceWith(finished);
        finished.scrollIntoView({ block: "start" });
        keep();
      } else {
        reply.replaceChildren(parsed(html) || element("p", "notice", "没发出去，请再试一次。"));
        if (typed && !box.value) box.value = shown;
      }
    });
  }

  const keep = () => {
    const turns = Array.from(log.querySelectorAll(".turn"), (turn) => turn.outerHTML).slice(-MOST_KEPT);
    store.set("log", JSON.stringify({ conversation: log.dataset.conversation, turns }));
  };

  function restore() {
    let kept = null;
    try { kept = JSON.parse(store.get("log")); } catch { /* an older form of it */ }
    if (!kept || kept.conversation !== log.dataset.conversation) return;
    const shown = new Set(Array.from(log.querySelectorAll(".turn .rate input[name=id]"), (input) => input.value));
    const turns = kept.turns.map(parsed).filter((turn) => {
      const id = turn.querySelector(".rate input[name=id]");
      return !id || !shown.has(id.value);
    });
    if (!turns.length) return;
    log.replaceChildren(...turns, ...log.querySelectorAll(".turn"));
    started();
    log.lastElementChild.scrollIntoView({ block: "start" });
  }

  async function rate(button) {
    const old = button.closest(".rate, .rated");
    const fields = new URLSearchParams(new FormData(button.form));
    fields.delete("csrf_token");
    if (button.name) fields.set(button.name, button.value);
    const status = element("p", "waiting", "正在记下…");
    old.after(status);
    const { ok, html } = await send(button.form.action, fields, (words) => { status.textContent = words; });
    const thanks = parsed(html);
    status.remove();
    if (!ok) { old.after(thanks); return; }
    old.replaceWith(thanks);
    thanks.focus({ preventScroll: true }); // the tapped button is gone: keep the place
    keep();
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = box.value.trim();
    if (!text) { box.focus(); return; }
    ask({ q: text }, text, true);
    box.value = "";
    store.set("draft", "");
  });

  box.addEventListener("keydown", (event) => {
    // While Chinese is being composed, Enter picks a word; keyCode 229 says so where isComposing does not.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    form.requestSubmit();
  });

  box.addEventListener("input", () => store.set("draft", box.value));

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button || !button.form) return;
    if (button.closest("form.choices, .suggest")) {
      event.preventDefault();
      ask({ [button.name]: button.value }, button.textContent.trim().replace(/^\d\. /, ""), false);
    } else if (button.closest(".rate, .reason")) {
      event.preventDefault();
      rate(button);
    }
  });

  // The switch for large text works as a link, too; here it keeps what is on the page.
  size.addEventListener("click", async (event) => {
    event.preventDefault();
    const large = document.documentElement.classList.toggle("large");
    await fetch(size.href, { redirect: "manual" }).catch(() => {});
    size.textContent = large ? "标准字" : "大字";
    size.href = size.href.replace(/\/size\/\w+/, large ? "/size/normal" : "/size/large");
  });

  restore();
  if (!box.value) box.value = store.get("draft") || "";
})();
