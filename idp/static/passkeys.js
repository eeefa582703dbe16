/* Passkeys: asks the authenticator and posts its answer as a form. Without this file the other ways to sign in remain. */
(function () {
  "use strict";
  var forms = document.querySelectorAll("form[data-passkey]");
  if (!forms.length || !window.PublicKeyCredential || !navigator.credentials) { return; }
  var REFRESH = 9 * 60 * 1000; /* a challenge lives ten minutes */

  var bytes = function (text) {
    var raw = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(raw, function (letter) { return letter.charCodeAt(0); });
  };
  var text = function (buffer) {
    var raw = "";
    new Uint8Array(buffer).forEach(function (byte) { raw += String.fromCharCode(byte); });
    return btoa(raw).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  };
  var named = function (list) {
    return (list || []).map(function (key) { return Object.assign({}, key, { id: bytes(key.id) }); });
  };

  forms.forEach(function (form) {
    var status = document.querySelector('[data-passkey-status="' + form.id + '"]'), waiting = null, timer;
    var say = function (words) { if (status) { status.textContent = words || ""; } };
    var fill = function (name, value) { if (form.elements[name]) { form.elements[name].value = value; } };

    var options = function () {
      var sent = new URLSearchParams({ csrf_token: form.elements.csrf_token.value });
      return fetch(form.dataset.options, { method: "POST", body: sent, credentials: "same-origin", redirect: "error" })
        .then(function (answer) { if (!answer.ok) { throw new Error(String(answer.status)); } return answer.json(); });
    };
    var create = function (asked) {
      var key = Object.assign({}, asked, { challenge: bytes(asked.challenge), excludeCredentials: named(asked.excludeCredentials) });
      key.user = Object.assign({}, asked.user, { id: bytes(asked.user.id) });
      return navigator.credentials.create({ publicKey: key }).then(function (made) {
        fill("client_data", text(made.response.clientDataJSON));
        fill("attestation", text(made.response.attestationObject));
        fill("transports", made.response.getTransports ? made.response.getTransports().join(" ") : "");
      });
    };
    var get = function (asked, more) {
      var key = Object.assign({}, asked, { challenge: bytes(asked.challenge), allowCredentials: named(asked.allowCredentials) });
      return navigator.credentials.get(Object.assign({ publicKey: key }, more)).then(function (used) {
        fill("credential_id", text(used.rawId));
        fill("client_data", text(used.response.clientDataJSON));
        fill("authenticator_data", text(used.response.authenticatorData));
        fill("signature", text(used.response.signature));
        fill("user_handle", used.response.userHandle ? text(used.response.userHandle) : "");
      });
    };
    var stop = function () {
      clearTimeout(timer);
      if (waiting) { waiting.abort(); waiting = null; }
    };
    var send = function () { stop(); form.submit(); };

    /* Passkeys among the suggestions of the user ID field, while the person may as well type. */
    var suggest = function () {
      waiting = new AbortController();
      var mine = waiting;
      options().then(function (asked) {
        return mine.signal.aborted ? null : get(asked, { mediation: "conditional", signal: mine.signal }).then(send);
      }).catch(function () { return null; });
      timer = setTimeout(function () { stop(); suggest(); }, REFRESH);
    };
    var suggesting = "conditional" in form.dataset && PublicKeyCredential.isConditionalMediationAvailable;
    if (suggesting) {
      PublicKeyCredential.isConditionalMediationAvailable().then(function (can) { if (can) { suggest(); } });
    }

    form.addEventListener("submit", function (event) {
      event.preventDefault();
      if (!form.reportValidity()) { return; }
      stop();
      say(form.dataset.waiting);
      options()
        .then(function (asked) { return form.dataset.passkey === "create" ? create(asked) : get(asked, {}); })
        .then(send)
        .catch(function (error) {
          var taken = error && error.name === "InvalidStateError";
          say(taken ? form.dataset.taken : error && error.name === "NotAllowedError" ? form.dataset.cancelled : form.dataset.failed);
        });
    });
    document.querySelectorAll('[data-passkey-part="' + form.id + '"]').forEach(function (part) { part.hidden = false; });
  });
  document.querySelectorAll("[data-without-passkeys]").forEach(function (words) { words.hidden = true; });
})();
