// How a request is made of the panel's fields, and how an answer's body is shown.
const MOST_SHOWN = 200_000;
const MOST_PAINTED = 50_000;

// What the fields of the panel say, as a request: its path, URL, headers and body.
export function requestOf(form) {
  let path = form.dataset.path;
  const query = [];
  const headers = {};
  for (const field of form.querySelectorAll("[data-where]")) {
    const { name, where, repeats } = field.dataset;
    if (where === "path") path = path.replace(`{${name}}`, encodeURIComponent(field.value));
    if (where === "query" && field.value !== "") {
      const values = repeats === undefined ? [field.value] : field.value.split(",");
      for (const value of values) query.push(`${encodeURIComponent(name)}=${encodeURIComponent(value.trim())}`);
    }
    if (where === "header" && field.value !== "") headers[name] = field.value;
  }
  const made = { path, url: form.dataset.base + path + (query.length ? `?${query.join("&")}` : ""), headers };
  const body = form.querySelector("#try-body");
  if (body && body.value.trim() !== "" && !["GET", "HEAD"].includes(form.dataset.method)) {
    [made.body, headers["Content-Type"]] = encoded(body.value, body.dataset.type);
    if (made.body instanceof FormData) delete headers["Content-Type"];
  }
  return made;
}

// Forms are written as a JSON object in the panel, and sent as the form that the API asks for.
function encoded(text, type) {
  const shape = { "application/x-www-form-urlencoded": URLSearchParams, "multipart/form-data": FormData }[type];
  if (!shape) return [text, type];
  const sent = new shape();
  try {
    for (const [name, value] of Object.entries(JSON.parse(text))) {
      sent.append(name, typeof value === "object" ? JSON.stringify(value) : String(value));
    }
  } catch {
    return [text, type];
  }
  return [sent, type];
}

// The body as text; JSON with line breaks.
export function readable(bytes, type) {
  const text = new TextDecoder().decode(bytes.subarray(0, MOST_SHOWN * 4));
  if (/json/.test(type) && text.length < MOST_SHOWN) {
    try {
      return JSON.stringify(JSON.parse(text), null, 2);
    } catch {
      // Not JSON after all: shown as it came.
    }
  }
  return text.includes("\0") ? "…" : text.slice(0, MOST_SHOWN);
}

// Text into an element, JSON in colours; markup in it stays text.
export function paint(target, text) {
  target.replaceChildren();
  if (!/^[[{]/.test(text) || text.length > MOST_PAINTED) {
    target.textContent = text;
    return;
  }
  let end = 0;
  for (const found of text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?|\b(?:true|false|null)\b|-?\b\d[\d.eE+-]*/g)) {
    target.append(text.slice(end, found.index));
    const part = document.createElement("span");
    part.className = found[1] ? "k" : found[0][0] === '"' ? "s" : "d";
    part.textContent = found[0];
    target.append(part);
    end = found.index + found[0].length;
  }
  target.append(text.slice(end));
}
