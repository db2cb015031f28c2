// The few things that only the browser can do for a page; called from BrowserInterop.
const preferences = window.failoverHubPreferences;

export function read() {
  return {
    theme: preferences.cookie("fh-theme") ?? "system",
    dark: preferences.apply(),
    utc: preferences.cookie("fh-time") !== "local",
    zone: decodeURIComponent(preferences.cookie("fh-zone") ?? "UTC"),
    shortcuts: preferences.cookie("fh-keys") !== "off",
  };
}

export function keep(name, value) {
  preferences.keep(name, value);
  return read();
}

export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // No permission, or a page without TLS: the old way still works there.
    const area = Object.assign(document.createElement("textarea"), { value: text });
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

// After the dialog's own focus trap has settled, which takes the focus for itself first.
export function focusSoon(element) {
  setTimeout(() => element?.focus?.(), 80);
}

let watching = null;
export function watchSystem(page) {
  watching = () => page.invokeMethodAsync("SystemThemeChanged");
  preferences.system.addEventListener("change", watching);
}

export function stop() {
  if (watching) preferences.system.removeEventListener("change", watching);
  watching = null;
}
