// Starts the circuit and watches over it. The page is only as true as its connection to the hub: without one, or when
// the once-a-second beat stays out, everything is greyed and inert until the hub is heard again.
import { listen } from "./keys.js";

const BEAT_LIMIT_MS = 5000;
const root = document.documentElement;
let heardAt = null;
let disconnected = false;
let focusedBefore = null;

function show() {
  const silentFor = heardAt === null ? 0 : Date.now() - heardAt;
  const lost = disconnected || silentFor > BEAT_LIMIT_MS;
  // What becomes inert loses the focus; whoever was there finds himself there again.
  if (lost && !root.dataset.hub) focusedBefore = document.activeElement;
  if (lost) {
    root.dataset.hub = "lost";
    const seconds = Math.round(silentFor / 1000);
    document.getElementById("fh-lost-age").textContent = heardAt === null ? "" : `What you see is ${seconds} s old.`;
  } else if (root.dataset.hub) {
    delete root.dataset.hub;
  }
  document.querySelectorAll(".fh-app, .mud-dialog-container").forEach((e) => { e.inert = lost; });
  if (!lost && focusedBefore) {
    if (document.activeElement === document.body && focusedBefore.isConnected) focusedBefore.focus({ preventScroll: true });
    focusedBefore = null;
  }
}

const beats = new MutationObserver(() => { heardAt = Date.now(); show(); });
function watchBeat() {
  const beat = document.getElementById("fh-beat");
  if (beat && !beat.dataset.watched) {
    beat.dataset.watched = "yes";
    heardAt = Date.now();
    beats.observe(beat, { attributes: true, attributeFilter: ["data-beat"] });
  }
}
setInterval(() => { watchBeat(); show(); }, 500);
document.addEventListener("visibilitychange", show);

// A circuit that the hub no longer knows (it was restarted) cannot be picked up again: load the page anew. Asking first
// keeps the last picture on the screen instead of the browser's own error page.
async function reloadWhenTheHubAnswers() {
  for (;;) {
    try {
      const answer = await fetch("/healthz/live", { cache: "no-store" });
      if (answer.status < 500) break;
    } catch {
      // Still away; asked again below.
    }
    await new Promise((wait) => setTimeout(wait, 1000));
  }
  location.reload();
}

document.getElementById("components-reconnect-modal").addEventListener("components-reconnect-state-changed", (event) => {
  switch (event.detail.state) {
    case "show":
    case "retrying":
      disconnected = true;
      break;
    case "hide":
      disconnected = false;
      break;
    case "failed":
    case "rejected":
    case "resume-failed":
      disconnected = true;
      reloadWhenTheHubAnswers();
      break;
  }
  show();
});

listen();
await Blazor.start({
  circuit: {
    reconnectionOptions: {
      maxRetries: Number.MAX_SAFE_INTEGER,
      retryIntervalMilliseconds: (attempt) => Math.min(250 * 1.5 ** attempt, 3000),
    },
    configureSignalR: (builder) => builder.withServerTimeout(8000).withKeepAliveInterval(3000),
  },
});
