// The sign-in page's one script: shows the passkey button where the browser can, and sends its answer with the form.
import { available, use } from "./passkeys.js";

const form = document.getElementById("passkey-form");
const problem = document.getElementById("passkey-problem");
if (form && available()) {
  form.hidden = false;
  form.addEventListener("submit", async (pressed) => {
    if (form.elements.credential.value !== "") {
      return;
    }

    pressed.preventDefault();
    problem.textContent = "";
    try {
      form.elements.credential.value = await use("/sign-in/passkey/options", form.elements.__RequestVerificationToken.value);
      form.submit();
    } catch (fault) {
      problem.textContent = fault.name === "NotAllowedError" ? "No passkey was used: it was cancelled, took too long, or there is none for this hub." : fault.message;
    }
  });
}
