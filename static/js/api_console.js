// The full console of one API. The token stays in this file's memory and goes to the API's own address only.
const place = document.getElementById("console");
const tokenForm = document.getElementById("console-token");
let token = "";

window.SwaggerUIBundle({
  domNode: place,
  url: place.dataset.schema,
  deepLinking: true,
  validatorUrl: null,
  // It brings a <main> of its own, and a page has one.
  onComplete: () => document.getElementById("operations")?.setAttribute("role", "group"),
  requestInterceptor: (request) => {
    if (token && request.url.startsWith(`${place.dataset.gateway}/`)) request.headers.Authorization = `Bearer ${token}`;
    return request;
  },
});

tokenForm?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const said = document.getElementById("console-said");
  const answer = await fetch(tokenForm.action, { method: "POST", body: new FormData(tokenForm), redirect: "manual" });
  const body = await answer.json().catch(() => ({}));
  token = body.access_token || "";
  said.textContent = token ? said.dataset.ready : body.message || said.dataset.failed;
});
