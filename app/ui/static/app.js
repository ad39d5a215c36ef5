// What scripts add to pages that work without them. htmx does searching and polling; see templates/ui.
(() => {
  const on = (type, handler) => document.addEventListener(type, handler);
  const closest = (event, selector) => (event.target instanceof Element ? event.target.closest(selector) : null);
  const menus = (kept) => {
    for (const menu of document.querySelectorAll("details[data-menu][open]")) if (menu !== kept) menu.open = false;
  };

  on("change", (event) => closest(event, "select[data-autosubmit]")?.form.requestSubmit());

  on("click", async (event) => {
    menus(closest(event, "details[data-menu]"));
    closest(event, "[data-dismiss]")?.closest("[data-dismissible]").remove();
    const copy = closest(event, "[data-copy]");
    if (!copy || !navigator.clipboard) return; // browsers copy on secure addresses only
    await navigator.clipboard.writeText(document.getElementById(copy.dataset.copy).textContent);
    copy.lastElementChild.textContent = copy.nextElementSibling.textContent = copy.dataset.copied;
  });

  on("keydown", (event) => {
    if (event.key === "Escape") {
      const open = closest(event, "details[data-menu][open]");
      menus(null);
      open?.querySelector("summary").focus();
    }
    const search = document.querySelector("[data-list-search]");
    const typing = closest(event, "input, textarea, select, [contenteditable]");
    if (event.key === "/" && search && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      search.focus();
      search.select();
    }
  });

  // Empty filters stay out of the address, so that it can be shared.
  on("htmx:config:request", ({ detail: { ctx } }) => {
    if (ctx.request.method !== "GET") return;
    for (const [name, value] of [...ctx.request.body]) if (value === "") ctx.request.body.delete(name);
  });

  // An answer without the part that was asked for (signed out, gone, failed) is shown as the page it is.
  // Work that is being watched waits for a server that is restarting.
  on("htmx:before:swap", (event) => {
    const { ctx, tasks } = event.detail;
    if (!ctx.select || tasks.some((task) => task.type === "main" && task.fragment.childElementCount)) return;
    event.preventDefault();
    if (ctx.response.status < 500 || ctx.push) location.assign(ctx.response.raw.url);
  });
})();
