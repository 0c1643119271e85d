// What HTML alone cannot do yet: copy buttons, the search key, the theme without a reload, dialogs in older browsers.
const REDUCED_LABEL_MS = 1600;

async function copyFrom(button) {
  const source = button.dataset.copyFrom ? document.getElementById(button.dataset.copyFrom).textContent : button.dataset.copy;
  await navigator.clipboard.writeText(source);
  const label = button.getAttribute("aria-label");
  button.setAttribute("aria-label", document.body.dataset.copied);
  button.classList.add("copied");
  setTimeout(() => {
    button.setAttribute("aria-label", label);
    button.classList.remove("copied");
  }, REDUCED_LABEL_MS);
}

document.addEventListener("click", (event) => {
  const copy = event.target.closest("[data-copy], [data-copy-from]");
  if (copy) {
    copyFrom(copy);
    return;
  }
  // `command`/`commandfor` is missing in browsers older than December 2025.
  const command = event.target.closest("[commandfor]");
  if (command && !("commandForElement" in HTMLButtonElement.prototype)) {
    const dialog = document.getElementById(command.getAttribute("commandfor"));
    if (command.getAttribute("command") === "show-modal") dialog.showModal();
    if (command.getAttribute("command") === "close") dialog.close();
  }
  // A disabled primary button stays focusable and says why; it only does nothing.
  if (event.target.closest("[aria-disabled=true]")) event.preventDefault();
});

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
    const field = document.getElementById("omni");
    if (field) {
      event.preventDefault();
      field.focus();
    }
  }
});

document.addEventListener("change", (event) => {
  const form = event.target.closest("[data-theme-form]");
  if (form) fetch(form.action, { method: "POST", body: new FormData(form) });
  const sending = event.target.closest("[data-send-on-change]");
  if (sending) sending.form.requestSubmit();
});

function focusErrors(root) {
  const summary = root.querySelector?.(".error-summary");
  if (summary) summary.focus();
}
document.addEventListener("DOMContentLoaded", () => focusErrors(document));

// Forms that open over the page. Where that is not possible, their links lead to the form's own page.
const sayFailed = (target, failed) => {
  const note = document.getElementById(`${target.id}-failed`);
  if (note) note.hidden = !failed;
};
const dialog = document.getElementById("dialog");
dialog.addEventListener("close", () => dialog.replaceChildren());
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target === dialog && !dialog.open) dialog.showModal();
  sayFailed(event.detail.target, false);
  focusErrors(event.detail.elt);
});
document.addEventListener(
  "click",
  (event) => {
    const elsewhere = event.ctrlKey || event.metaKey || event.shiftKey;
    if (elsewhere && event.target.closest("[data-in-dialog]")) event.stopPropagation();
  },
  true,
);
for (const failure of ["htmx:responseError", "htmx:sendError"]) {
  document.addEventListener(failure, (event) => {
    if (event.detail.elt.matches("[data-in-dialog]")) location.assign(event.detail.elt.href);
    else sayFailed(event.detail.target, true);
  });
}
