// Starts the REST console; the page has no inline script.
const target = document.getElementById("console");
window.SwaggerUIBundle({
  domNode: target,
  url: target.dataset.schema,
  deepLinking: true,
  // It brings a <main> of its own, and a page has one.
  onComplete: () => document.getElementById("operations")?.setAttribute("role", "group"),
  requestInterceptor: (request) => {
    const cookie = document.cookie.split("; ").find((part) => part.startsWith("csrftoken="));
    if (cookie && new URL(request.url, location.href).origin === location.origin) {
      request.headers["X-CSRFToken"] = cookie.slice("csrftoken=".length);
    }
    return request;
  },
});
