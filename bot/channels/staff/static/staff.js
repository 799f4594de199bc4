// The editor's help: checks while somebody types, jumps to a line, warns before unpublished text is lost.
"use strict";
const form = document.getElementById("editor");
const box = document.getElementById("text");
const checked = document.getElementById("checked");
const before = box.defaultValue;
let timer = 0;
let running = null;

async function check() {
  if (running) running.abort();
  running = new AbortController();
  try {
    const response = await fetch(form.dataset.check, { method: "POST", body: new FormData(form), signal: running.signal });
    if (response.redirected) checked.textContent = "登录过期了：先把你写的复制下来，再重新登录。";
    else if (response.ok) checked.innerHTML = await response.text();
  } catch (error) {
    if (error.name !== "AbortError") checked.textContent = "现在连不上，没有检查。";
  }
}

box.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(check, 700);
});

function go(wanted) {
  const lines = box.value.split("\n");
  const number = Math.min(Number(wanted), lines.length) - 1;
  const start = lines.slice(0, number).join("\n").length + (number ? 1 : 0);
  box.focus();
  box.setSelectionRange(start, start + lines[number].length);
  // Lines that do not fit are broken: measure how high the text before is, in a box of the same width.
  const before = box.cloneNode();
  before.removeAttribute("id");
  before.rows = 1;
  before.className = "measure";
  before.value = lines.slice(0, number).join("\n");
  box.after(before);
  box.scrollTop = before.scrollHeight - box.clientHeight / 3;
  before.remove();
  box.scrollIntoView({ block: "nearest" });
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-line]");
  if (!link) return;
  event.preventDefault();
  go(link.dataset.line);
});

const wanted = form.dataset.go || (location.hash.match(/^#line-(\d+)$/) || [])[1];
if (wanted) go(wanted);

let leaving = false;
form.addEventListener("submit", (event) => { leaving = event.submitter.formTarget !== "_blank"; });
window.addEventListener("beforeunload", (event) => {
  if (!leaving && box.value !== before) event.preventDefault();
});
