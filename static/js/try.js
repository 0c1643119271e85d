// "Try it" on an operation's page: fetches a token from the portal and calls the gateway. The token stays in this file's
// memory. Whatever the gateway or the API says is shown as text, never as HTML.
import { paint, readable, requestOf } from "./try_message.js";

const form = document.getElementById("try");
const panel = document.getElementById("try-it");
const VERDICT_WAITS_MS = [150, 300, 600, 1200, 2400];
const ANSWERS = ["answered", "body", "checked", "cancelled", "no-token-given", "unreachable", "not-allowed", "wait", "no-verdict"];
let token = null;
let running = null;

const show = (name, visible) => panel.querySelectorAll(`[data-when="${name}"]`).forEach((part) => (part.hidden = !visible));
const fill = (name, text) => {
  const part = panel.querySelector(`[data-fill="${name}"]`);
  if (part) part.textContent = text || part.dataset.none || "";
};
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

class NoToken extends Error {}

// The clients of the chosen application only.
function narrow() {
  const application = form.querySelector("#try-application");
  const clients = form.querySelector("#try-credential");
  if (!application) return;
  for (const option of clients.options) {
    option.hidden = option.disabled = option.dataset.application !== application.value;
  }
  if (clients.selectedOptions[0]?.disabled !== false) {
    clients.value = [...clients.options].find((option) => !option.disabled).value;
  }
  forget();
}

function forget() {
  token = null;
  showToken();
}

function showToken() {
  show("token", token !== null);
  show("no-token", token === null);
  if (!token) return;
  fill("key-manager", form.querySelector("#try-credential").selectedOptions[0].dataset.keyManager);
  fill("scope", token.scope);
  show("lifetime", token.ends !== Infinity);
  fill("minutes", String(Math.max(0, Math.floor((token.ends - Date.now()) / 60_000))));
}

async function fetchToken(signal) {
  const answer = await fetch(form.action, { method: "POST", body: new FormData(form), signal, redirect: "manual" });
  const body = await answer.json().catch(() => ({}));
  if (!body.access_token) throw new NoToken(body.message || "");
  token = {
    value: body.access_token,
    scope: body.scope,
    ends: body.expires_in ? Date.now() + body.expires_in * 1000 : Infinity,
  };
  showToken();
}

async function send() {
  ANSWERS.forEach((name) => show(name, false));
  running = new AbortController();
  const begun = performance.now();
  const clock = setInterval(() => fill("elapsed", ` ${((performance.now() - begun) / 1000).toFixed(1)} s`), 100);
  show("running", true);
  show("idle", false);
  try {
    if (form.querySelector("#try-credential") && !(token && token.ends > Date.now() + 5000)) await fetchToken(running.signal);
    await call(running.signal);
  } catch (error) {
    if (error.name === "AbortError") show("cancelled", true);
    else if (error instanceof NoToken) {
      show("no-token-given", true);
      fill("refusal", error.message);
    } else await explainSilence();
  } finally {
    clearInterval(clock);
    fill("elapsed", "");
    show("running", false);
    show("idle", true);
  }
}

async function call(signal) {
  const { url, path, headers, body } = requestOf(form);
  if (token) headers.Authorization = `Bearer ${token.value}`;
  const begun = performance.now();
  const options = { method: form.dataset.method, headers, body, signal, credentials: "omit", cache: "no-store" };
  const answer = await fetch(url, options);
  const bytes = new Uint8Array(await answer.arrayBuffer());
  showAnswer(answer, bytes, performance.now() - begun);
  const reference = answer.headers.get("x-archway-reference");
  if (reference && !answer.ok) await showVerdict(reference, bytes, signal);
  else if (form.dataset.checks) await showChecks(path, signal);
}

function showAnswer(answer, bytes, milliseconds) {
  show("answered", true);
  const pill = panel.querySelector('[data-fill="status"]');
  pill.className = `st pill ${answer.ok ? "ok" : answer.status < 400 ? "info" : "bad"}`;
  pill.textContent = `${answer.status} ${answer.statusText}`.trim();
  fill("time", `${Math.round(milliseconds)} ms`);
  fill("size", bytes.length < 1024 ? `${bytes.length} B` : `${(bytes.length / 1024).toFixed(1)} KB`);
  fill("headers", [...answer.headers].map(([name, value]) => `${name}: ${value}`).join("\n"));
  const wait = answer.headers.get("retry-after");
  show("wait", Boolean(wait));
  fill("wait", wait);
  show("body", bytes.length > 0);
  paint(panel.querySelector("#try-shown"), readable(bytes, answer.headers.get("content-type") || ""));
}

// The verdict is written a moment after the answer; the portal draws it, as on the page of a refusal.
async function showVerdict(reference, bytes, signal) {
  const target = emptyVerdict();
  show("checked", true);
  const url = form.dataset.verdict.replace("REFERENCE", encodeURIComponent(reference));
  for (const wait of VERDICT_WAITS_MS) {
    await sleep(wait);
    const answer = await fetch(url, { signal }).catch(() => null);
    if (answer?.status === 200 && !answer.redirected) {
      draw(target, await answer.text());
      return;
    }
  }
  showRefusalAlone(bytes);
}

// The portal judges a call that went through once more: the gateway keeps verdicts of refusals only.
async function showChecks(path, signal) {
  const target = emptyVerdict();
  const asked = new FormData(form);
  asked.append("path", path);
  if (token) asked.append("token", token.value);
  const answer = await fetch(form.dataset.checks, { method: "POST", body: asked, signal, redirect: "manual" }).catch(() => null);
  if (answer?.status !== 200) return;
  draw(target, await answer.text());
  show("checked", true);
}

function emptyVerdict() {
  const target = panel.querySelector("#try-verdict");
  target.replaceChildren();
  return target;
}

function draw(target, html) {
  target.replaceChildren(...new DOMParser().parseFromString(html, "text/html").body.childNodes);
}

function showRefusalAlone(bytes) {
  let problem = {};
  try {
    problem = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    // A refusal without a problem document: its status is all there is to say.
  }
  const link = panel.querySelector('[data-fill-link="code"]');
  fill("detail", problem.detail || problem.title);
  link.hash = problem.code || "";
  show("no-verdict", true);
}

// A browser does not say why it got nothing: a call that needs no permission tells a silent gateway from one that
// does not know this portal.
async function explainSilence() {
  const probe = { mode: "no-cors", credentials: "omit", cache: "no-store" };
  const answered = await fetch(new URL("/", form.dataset.base), probe).then(() => true, () => false);
  show(answered ? "not-allowed" : "unreachable", true);
}

async function renew(again) {
  forget();
  if (again) return send();
  ANSWERS.forEach((name) => show(name, false));
  try {
    await fetchToken();
  } catch (error) {
    show("no-token-given", true);
    fill("refusal", error instanceof NoToken ? error.message : "");
  }
}

if (form) {
  form.hidden = false;
  narrow();
  form.querySelector("#try-application")?.addEventListener("change", narrow);
  form.querySelector("#try-credential")?.addEventListener("change", forget);
  form.querySelector("#try-type")?.addEventListener("change", ({ target }) => {
    const body = form.querySelector("#try-body");
    body.dataset.type = target.value;
    body.value = target.selectedOptions[0].dataset.example;
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
  panel.addEventListener("click", (event) => {
    if (event.target.closest("[data-cancel]")) running?.abort();
    const renewing = event.target.closest("[data-renew]");
    if (renewing) {
      event.preventDefault();
      renew(renewing.tagName === "A");
    }
  });
  setInterval(showToken, 15_000);
}
