// Keyboard: "/" search, "?" help, "g" then a letter jumps. Can be switched off (WCAG 2.1.4); does nothing while typing.
const WAIT_MS = 1500;
let prefixAt = 0;

const isTyping = (target) => target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

export function listen() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || document.querySelector(".mud-dialog")) return;
    if (failoverHubPreferences.cookie("fh-keys") === "off" || document.documentElement.dataset.hub === "lost") return;
    const jumping = Date.now() - prefixAt < WAIT_MS;
    prefixAt = 0;
    const target = jumping ? document.querySelector(`[data-jump="${CSS.escape(event.key)}"]`)
      : event.key === "/" ? document.querySelector("[data-search]")
      : event.key === "?" ? document.querySelector("[data-help]")
      : null;
    if (target) {
      event.preventDefault();
      if (target.matches("[data-search]")) { target.focus(); target.select?.(); } else target.click();
    } else if (event.key === "g") {
      prefixAt = Date.now();
    }
  });
}
