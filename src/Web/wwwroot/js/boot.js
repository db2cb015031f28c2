// Runs before the first paint: picks the theme, so that no page flashes in the wrong one, and leaves in cookies what
// the server needs for its first drawing (dark or not, time zone).
(() => {
  const cookie = (name) => document.cookie.split("; ").find((c) => c.startsWith(name + "="))?.slice(name.length + 1);
  const keep = (name, value) => {
    document.cookie = `${name}=${value}; path=/; max-age=31536000; samesite=strict${location.protocol === "https:" ? "; secure" : ""}`;
  };
  const system = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const choice = cookie("fh-theme") ?? "system";
    const dark = choice === "dark" || (choice !== "light" && system.matches);
    document.documentElement.dataset.theme = dark ? "dark" : "light";
    keep("fh-dark", dark ? "1" : "0");
    return dark;
  };

  apply();
  keep("fh-zone", encodeURIComponent(Intl.DateTimeFormat().resolvedOptions().timeZone ?? "UTC"));
  window.failoverHubPreferences = { cookie, keep, apply, system };
})();
