// Editing in place: a marked value becomes a form over it by double-click, Enter or tap; Escape leaves it as it was.
// Pages that swap nothing themselves have no htmx yet. It starts at once only in a page that is complete.
function addHtmx() {
  const script = document.createElement("script");
  script.src = document.getElementById("editing-module").dataset.htmx;
  document.head.append(script);
}
if (!window.htmx) {
  if (document.readyState === "complete") addHtmx();
  else addEventListener("load", addHtmx);
}

const place = (element) => element.closest(".editable-place");

// A mouse's single click reads; Enter, a screen reader and a finger have no double-click of their own.
document.addEventListener("click", (event) => {
  const value = event.target.closest("[data-edit]");
  if (!value || !window.htmx || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const isMouse = event.pointerType === "mouse" && event.detail > 0;
  if (isMouse && event.detail < 2) return;
  if (!place(value).querySelector("[data-editing]")) value.dispatchEvent(new Event("edit", { bubbles: true }));
});

function leave(form) {
  const value = place(form)?.querySelector("[data-edit]");
  form.remove();
  value?.focus({ preventScroll: true });
}

document.addEventListener("click", (event) => {
  const cancel = event.target.closest("[data-edit-cancel]");
  if (!cancel) return;
  // On a page of its own there is no value to go back to.
  if (place(cancel)) leave(cancel.closest("[data-editing]"));
  else history.back();
});

document.addEventListener("keydown", (event) => {
  const form = event.key === "Escape" && event.target.closest?.("[data-editing]");
  if (!form || !place(form)) return;
  event.preventDefault();
  leave(form);
});

// What was refused (422) or changed by somebody else (409) comes back as the form, with the reason in it.
document.body.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, requestConfig } = event.detail;
  if (!requestConfig.elt.matches("[data-editing]") || ![409, 422].includes(xhr.status)) return;
  event.detail.shouldSwap = true;
  event.detail.isError = false;
  event.detail.target = requestConfig.elt;
});

document.body.addEventListener("htmx:afterSettle", (event) => {
  const form = event.detail.elt.matches?.("[data-editing]") ? event.detail.elt : event.detail.elt.querySelector?.("[data-editing]");
  const input = form?.querySelector("[name=value]");
  if (input) {
    form.classList.toggle("editing-end", form.getBoundingClientRect().right > innerWidth - 8);
    input.focus();
    input.select?.();
  } else if (event.detail.requestConfig?.elt?.matches("[data-editing]")) {
    event.detail.elt.querySelector?.("[data-edit]")?.focus({ preventScroll: true });
  }
});
