// The editor's help: checks while somebody types, jumps to a line, warns before unpublished text is lost.
"use strict";
const form = document.getElementById("editor");
const box = document.getElementById("text");
const checked = document.getElementById("checked");
const before = box.value;
let timer = 0;
let running = null;

async function check() {
  if (running) running.abort();
  running = new AbortController();
  try {
    const response = await fetch(form.dataset.check, { method: "POST", body: new FormData(form), signal: running.signal });
    if (response.ok && !response.redirected) checked.innerHTML = await response.text();
  } catch (error) {
    if (error.name !== "AbortError") checked.textContent = "现在连不上，没有检查。";
  }
}

box.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(check, 700);
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-line]");
  if (!link) return;
  event.preventDefault();
  const lines = box.value.split("\n");
  const number = Math.min(Number(link.dataset.line), lines.length) - 1;
  const start = lines.slice(0, number).join("\n").length + (number ? 1 : 0);
  box.focus();
  box.setSelectionRange(start, start + lines[number].length);
  box.scrollTop = (number / lines.length) * box.scrollHeight - box.clientHeight / 3;
});

let leaving = false;
form.addEventListener("submit", (event) => { leaving = event.submitter.formTarget !== "_blank"; });
window.addEventListener("beforeunload", (event) => {
  if (!leaving && box.value !== before) event.preventDefault();
});
