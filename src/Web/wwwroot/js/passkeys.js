// Passkeys: between the hub's JSON and the browser's WebAuthn. Used by the sign-in page and by the account page.
const toBytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const toText = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const withIds = (list) => (list ?? []).map((one) => ({ ...one, id: toBytes(one.id) }));

// An IP address has no passkeys: they belong to a host name, and to a page that nobody can change on the way.
export function available() {
  return typeof PublicKeyCredential !== "undefined" && window.isSecureContext && !/^[\d.:[\]]+$/.test(location.hostname);
}

async function post(url, token, body) {
  const answer = await fetch(url, { method: "POST", credentials: "same-origin", headers: { RequestVerificationToken: token, "Content-Type": "application/json", Accept: "application/json" }, body });
  if (!answer.ok) {
    const problem = await answer.json().catch(() => null);
    throw new Error(problem?.detail ?? `The hub answered ${answer.status}.`);
  }

  return answer;
}

function toJson(credential) {
  const response = credential.response;
  const common = { id: credential.id, rawId: toText(credential.rawId), type: credential.type, authenticatorAttachment: credential.authenticatorAttachment ?? undefined, clientExtensionResults: credential.getClientExtensionResults() };
  return JSON.stringify(response.attestationObject
    ? { ...common, response: { clientDataJSON: toText(response.clientDataJSON), attestationObject: toText(response.attestationObject), transports: response.getTransports?.() ?? [] } }
    : { ...common, response: { clientDataJSON: toText(response.clientDataJSON), authenticatorData: toText(response.authenticatorData), signature: toText(response.signature), userHandle: response.userHandle ? toText(response.userHandle) : undefined } });
}

// What the browser's owner has to confirm; the answer as JSON for the hub.
export async function use(url, token) {
  const options = await (await post(url, token)).json();
  const credential = await navigator.credentials.get({ publicKey: { ...options, challenge: toBytes(options.challenge), allowCredentials: withIds(options.allowCredentials) } });
  return toJson(credential);
}

// Makes one for the account of this page. Null when it is kept, else why not.
export async function add(name, password) {
  try {
    const token = document.querySelector("#account-form input[name=__RequestVerificationToken]").value;
    const options = await (await post("/account/passkeys/options", token)).json();
    const credential = await navigator.credentials.create({
      publicKey: { ...options, challenge: toBytes(options.challenge), user: { ...options.user, id: toBytes(options.user.id) }, excludeCredentials: withIds(options.excludeCredentials) },
    });
    await post("/account/passkeys", token, JSON.stringify({ credential: toJson(credential), name, password }));
    return null;
  } catch (problem) {
    return problem.name === "NotAllowedError" ? "The browser did not make a passkey: it was cancelled, or took too long." : problem.message;
  }
}
