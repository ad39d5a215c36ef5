// What scripts add to pages that work without them. htmx does searching and polling; see templates/ui.
(() => {
  const on = (type, handler) => document.addEventListener(type, handler);
  const find = (selector) => document.querySelector(selector);
  const findAll = (selector) => [...document.querySelectorAll(selector)];
  const closest = (event, selector) => (event.target instanceof Element ? event.target.closest(selector) : null);
  const menus = (kept) => {
    for (const menu of findAll("details[data-menu][open]")) if (menu !== kept && !menu.contains(kept)) menu.open = false;
  };

  on("change", (event) => {
    closest(event, "select[data-autosubmit]")?.form.requestSubmit();
    const all = closest(event, "[data-pick-all]");
    if (all) for (const box of findAll("[data-pick]")) box.checked = all.checked;
  });

  // The one menu of a list's rows, made that of the row whose button was pressed, and kept beside it.
  let rowButton;
  const place = () => {
    if (!rowButton?.isConnected) return;
    const { top, bottom, right } = rowButton.getBoundingClientRect();
    const isAbove = bottom > innerHeight * 0.6;
    Object.assign(find("#row-menu").style, {
      right: `${Math.max(document.documentElement.clientWidth - right, 8)}px`,
      top: isAbove ? "auto" : `${bottom + 4}px`,
      bottom: isAbove ? `${innerHeight - top + 4}px` : "auto",
    });
  };
  const aim = (button) => {
    const menu = find("#row-menu");
    rowButton = button;
    menu.querySelector("[data-row-id]").value = button.dataset.rowMenu;
    for (const link of menu.querySelectorAll("[data-row-href]")) {
      link.href = link.dataset.rowHref.replace("__row__", button.dataset.rowMenu);
    }
    for (const sure of menu.querySelectorAll("details")) sure.open = false;
    place();
  };
  window.addEventListener("scroll", place, { capture: true, passive: true });
  window.addEventListener("resize", place);

  on("click", async (event) => {
    const ofRow = closest(event, "[data-row-menu]");
    if (ofRow) aim(ofRow);
    menus(closest(event, "details[data-menu]"));
    closest(event, "[data-dismiss]")?.closest("[data-dismissible]").remove();
    if (closest(event, "[data-palette-open]") && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      openPalette();
    }
    if (closest(event, "[data-shortcut-help]")) find("#shortcuts").showModal();
    if (event.target instanceof HTMLDialogElement) event.target.close(); // a click beside it
    const copy = closest(event, "[data-copy]");
    if (!copy || !navigator.clipboard) return; // browsers copy on secure addresses only
    await navigator.clipboard.writeText(document.getElementById(copy.dataset.copy).textContent);
    copy.lastElementChild.textContent = copy.nextElementSibling.textContent = copy.dataset.copied;
  });

  // The command palette: a combobox over the links of its page.
  const openPalette = () => {
    const dialog = find("#palette");
    if (!dialog || dialog.open) return;
    dialog.showModal();
    const input = dialog.querySelector("input");
    input.select();
    input.dispatchEvent(new Event("palette"));
  };
  const choices = () => findAll("#palette [data-palette-item]");
  const choose = (step) => {
    const found = choices();
    if (!found.length) return;
    const now = found.findIndex((item) => item.getAttribute("aria-selected") === "true");
    const next = found[(now + step + found.length) % found.length];
    for (const item of found) item.setAttribute("aria-selected", String(item === next));
    find("[data-palette-input]").setAttribute("aria-activedescendant", next.id);
    next.scrollIntoView({ block: "nearest" });
  };
  on("htmx:after:swap", () => {
    const list = find("#palette #palette-list");
    if (!list || list.getAttribute("role") === "listbox" || !choices().length) return;
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", find("#palette").getAttribute("aria-label"));
    for (const group of list.querySelectorAll("ul")) group.setAttribute("role", "group");
    for (const entry of list.querySelectorAll("li")) entry.setAttribute("role", "presentation");
    choices().forEach((item, number) => {
      item.id = `palette-item-${number}`;
      item.tabIndex = -1;
      item.setAttribute("role", "option");
      item.setAttribute("aria-selected", String(number === 0));
    });
    find("[data-palette-input]").setAttribute("aria-activedescendant", "palette-item-0");
  });
  const paletteKey = (event) => {
    if (event.key === "ArrowDown") choose(1);
    else if (event.key === "ArrowUp") choose(-1);
    else if (event.key === "Enter") choices().find((item) => item.getAttribute("aria-selected") === "true")?.click();
    else return;
    event.preventDefault();
  };

  // Rows of a list by keys: the row in hand is marked, its link has the focus.
  const step = (by) => {
    const rows = findAll("[data-row]");
    if (!rows.length) return;
    const now = rows.indexOf(find("[data-row].is-current") ?? document.activeElement.closest("[data-row]"));
    const next = rows[Math.min(Math.max(now + by, 0), rows.length - 1)];
    for (const row of rows) row.classList.toggle("is-current", row === next);
    (next.querySelector("th a") ?? next.querySelector("input"))?.focus({ focusVisible: true });
  };
  const keys = {
    "/": () => { find("[data-list-search]")?.focus(); find("[data-list-search]")?.select(); },
    j: () => step(1),
    k: () => step(-1),
    x: () => find("[data-row].is-current [data-pick]")?.click(),
    e: () => find("[data-export]")?.click(),
    "?": () => find("#shortcuts")?.showModal(),
  };
  let before = "";
  on("keydown", (event) => {
    if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault(); // browsers have a use of their own for it
      openPalette();
      return;
    }
    if (event.target.matches?.("[data-palette-input]")) return paletteKey(event);
    if (event.key === "Escape") {
      const open = closest(event, "details[data-menu][open]");
      menus(null);
      open?.querySelector("summary").focus();
      if (event.target.matches?.("[data-list-search]")) event.target.blur();
    }
    const typing = closest(event, "input:not([type=checkbox]), textarea, select, [contenteditable], dialog[open]");
    const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (typing || !isPlain || !document.body.hasAttribute("data-shortcuts")) return;
    const page = before === "g" && find(`.nav-link[data-go="${CSS.escape(event.key)}"]`);
    if (page) location.assign(page.href);
    else if (keys[event.key]) {
      event.preventDefault();
      keys[event.key]();
    }
    before = event.key;
  });

  // A form with changes asks before it is left.
  let isDirty = false;
  on("input", (event) => {
    const form = closest(event, "form[data-guard]");
    if (!form || isDirty) return;
    isDirty = true;
    for (const note of form.querySelectorAll("[data-dirty-note]")) note.hidden = false;
  });
  on("submit", (event) => {
    if (event.target.matches("form[data-guard]")) isDirty = false;
    if (event.target.method !== "post") return;
    const isDownload = event.submitter?.closest("[form='list-export'], [formaction$='/export']");
    if (isDownload) return;
    event.submitter?.setAttribute("aria-busy", "true");
  });
  window.addEventListener("beforeunload", (event) => { if (isDirty) event.preventDefault(); });

  // Empty filters stay out of the address, so that it can be shared.
  on("htmx:config:request", ({ detail: { ctx } }) => {
    if (ctx.request.method !== "GET") return;
    for (const [name, value] of [...ctx.request.body]) if (value === "" && name !== "view") ctx.request.body.delete(name);
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
