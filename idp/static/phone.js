/* The app on the phone: keeps a key that never leaves it, asks what waits every two seconds while it is open, and
   signs the answer. The number stands on the computer's page alone; nobody tells it to this script. */
(function () {
  "use strict";
  var root = document.getElementById("phone");
  var by = function (id) { return document.getElementById(id); };
  var parts = root.querySelectorAll("[data-part]");
  var show = function (name) { parts.forEach(function (part) { part.hidden = part.dataset.part !== name; }); };
  if (!window.crypto || !crypto.subtle || !window.indexedDB) { show("unable"); return; }

  var EVERY = 2000, WAITS = 10 * 60 * 1000;
  var skew = 0, last = 0, keys = [], shown = null, busy = Promise.resolve(), typing = false, comparing = false, worker = null;

  /* What is kept: per account a key whose private half the browser gives to nobody. */
  var kept = function (mode, act) {
    return new Promise(function (done, fail) {
      var asked = indexedDB.open("credence-phone", 1);
      asked.onupgradeneeded = function () { asked.result.createObjectStore("keys", { keyPath: "thumbprint" }); };
      asked.onerror = function () { fail(asked.error); };
      asked.onsuccess = function () {
        var base = asked.result, result = act(base.transaction("keys", mode).objectStore("keys"));
        result.onsuccess = function () { base.close(); done(result.result); };
        result.onerror = function () { base.close(); fail(result.error); };
      };
    });
  };
  var load = function () { return kept("readonly", function (store) { return store.getAll(); }); };
  var save = function (key) { return kept("readwrite", function (store) { return store.put(key); }); };
  var drop = function (key) { return kept("readwrite", function (store) { return store.delete(key.thumbprint); }); };

  var text = function (buffer) {
    var raw = "";
    new Uint8Array(buffer).forEach(function (byte) { raw += String.fromCharCode(byte); });
    return btoa(raw).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  };
  var bytes = function (word) {
    return Uint8Array.from(atob(word.replace(/-/g, "+").replace(/_/g, "/")), function (letter) { return letter.charCodeAt(0); });
  };
  var utf8 = function (words) { return new TextEncoder().encode(words); };

  var call = function (key, address, claims, more) {
    var at = Date.now() + skew;
    last = Math.max(last + 1, Math.floor(at));
    var said = Object.assign({
      iss: key.thumbprint, aud: root.dataset.issuer + "/phone/" + address,
      iat: Math.floor(at / 1000), exp: Math.floor(at / 1000) + 60, n: last
    }, claims);
    var message = text(utf8(JSON.stringify({ alg: "ES256", typ: "phone+jwt" }))) + "." + text(utf8(JSON.stringify(said)));
    return crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, key.privateKey, utf8(message)).then(function (signature) {
      var body = new URLSearchParams(Object.assign({ call: message + "." + text(signature) }, more));
      return fetch("/phone/" + address, { method: "POST", body: body, credentials: "omit", redirect: "error" });
    }).then(function (answer) {
      return answer.json().then(function (told) {
        if (typeof told.now === "number") { skew = told.now * 1000 - Date.now(); }
        return { status: answer.status, told: told };
      });
    });
  };
  /* One call after the other: the server listens to none that is older than the last. */
  var inTurn = function (act) { busy = busy.then(act, act); return busy; };
  var trouble = function (on) { by("trouble").textContent = on ? by("trouble").dataset.away : ""; };

  /* Connecting. */
  var connect = function (code) {
    return crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]).then(function (pair) {
      return crypto.subtle.exportKey("jwk", pair.publicKey).then(function (open) {
        var input = '{"crv":"P-256","kty":"EC","x":"' + open.x + '","y":"' + open.y + '"}';
        return crypto.subtle.digest("SHA-256", utf8(input)).then(function (digest) {
          var key = { thumbprint: text(digest), privateKey: pair.privateKey, since: Date.now(), confirmed: false };
          var ask = function () { return call(key, "enrolment", { code: code }, { x: open.x, y: open.y }); };
          return ask().then(function (first) { return first.status === 401 ? ask() : first; }).then(function (answer) {
            if (answer.status !== 200) { throw answer.told; }
            return save(key).then(function () {
              keys.push(key);
              typing = false;
              comparing = true;
              by("check").textContent = answer.told.check;
              show("compare");
            });
          });
        });
      });
    });
  };
  by("connect-form").addEventListener("submit", function (event) {
    event.preventDefault();
    var said = by("connect-said");
    said.textContent = "";
    inTurn(function () { return connect(by("code").value); }).catch(function (told) {
      said.textContent = (told && told.sentence) || said.dataset.failed;
    });
  });
  by("again").addEventListener("click", function () { typing = true; show("connect"); by("code").focus(); });

  /* What waits. */
  var look = function (key) {
    return call(key, "requests", {}).then(function (answer) {
      if (answer.status === 404) {
        if (key.confirmed || Date.now() - key.since > WAITS) {
          keys = keys.filter(function (each) { return each !== key; });
          return drop(key);
        }
        return null;
      }
      if (answer.status !== 200) { return null; }
      key.told = answer.told;
      if (!key.confirmed) {
        key.confirmed = true;
        comparing = false;
        return save({ thumbprint: key.thumbprint, privateKey: key.privateKey, since: key.since, confirmed: true });
      }
      return null;
    });
  };
  var when = function (moment) {
    return new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" }).format(new Date(moment));
  };
  var paint = function () {
    var asking = keys.find(function (key) { return key.told && key.told.request && key.told.request.nonce !== (shown && shown.over); });
    if (asking) {
      var request = asking.told.request;
      if (!shown || shown.nonce !== request.nonce) {
        shown = { nonce: request.nonce, key: asking, request: request };
        by("portal").textContent = request.portal;
        by("browser").textContent = request.browser;
        by("address").textContent = request.address;
        by("when").textContent = when(request.at);
        by("account").textContent = asking.told.account;
        by("number").value = by("number-said").textContent = "";
        by("not-me").classList.remove("sure");
        by("not-me").textContent = by("not-me").dataset.words;
        show("request");
        by("asks").focus();
      }
      return;
    }
    if (shown && shown.over) { return; }
    shown = null;
    if (typing) { return; }
    if (comparing) { show("compare"); return; }
    var mine = keys.filter(function (key) { return key.confirmed && key.told; });
    if (!mine.length) { show(keys.some(function (key) { return key.confirmed; }) ? "ready" : "connect"); return; }
    var lines = mine.map(function (key) { return key.told.account + " (" + key.told.name + ")"; });
    if (by("accounts").dataset.lines !== lines.join("\n")) {
      by("accounts").dataset.lines = lines.join("\n");
      by("accounts").replaceChildren.apply(by("accounts"), lines.map(function (line) {
        var item = document.createElement("li");
        item.textContent = line;
        return item;
      }));
    }
    show("ready");
    offerRinging(mine);
  };
  var round = function () {
    var next = function () { setTimeout(round, EVERY); };
    if (document.hidden || !keys.length) { paint(); next(); return; }
    inTurn(function () {
      return keys.slice().reduce(function (before, key) { return before.then(function () { return look(key); }); }, Promise.resolve());
    }).then(function () { trouble(false); paint(); }).catch(function () { trouble(true); }).then(next);
  };

  /* The answer. */
  var end = function (sentence) {
    shown = { over: shown.nonce };
    by("result").textContent = sentence;
    show("done");
    by("result").focus();
  };
  var decide = function (decision, number) {
    var asked = shown;
    inTurn(function () {
      var said = { txn: asked.request.txn, number: number, decision: decision, jti: asked.request.nonce };
      var send = function () { return call(asked.key, "answer", said); };
      return send().then(function (first) { return first.status === 401 ? send() : first; });
    }).then(function (answer) {
      if (answer.told.sentence) { end(answer.told.sentence); } else { trouble(true); }
    }).catch(function () { trouble(true); });
  };
  by("answer-form").addEventListener("submit", function (event) {
    event.preventDefault();
    var number = by("number").value.trim(), said = by("number-said");
    said.textContent = /^[0-9]{2}$/.test(number) ? "" : said.dataset.two;
    if (said.textContent) { by("number").focus(); } else if (shown && shown.request) { decide("approve", number); }
  });
  by("deny").addEventListener("click", function () { if (shown && shown.request) { decide("deny", ""); } });
  by("not-me").addEventListener("click", function () {
    if (!by("not-me").classList.contains("sure")) {
      by("not-me").classList.add("sure");
      by("not-me").textContent = by("not-me").dataset.sure;
    } else if (shown && shown.request) { decide("not_me", ""); }
  });
  by("close").addEventListener("click", function () {
    keys.forEach(function (key) { if (key.told) { key.told.request = null; } });
    shown = null;
    paint();
  });

  /* Ringing while the app is closed, where the browser can. */
  var subscribe = function (mine) {
    var wanted = mine.map(function (key) { return key.told.ring; }).find(Boolean);
    return worker.pushManager.getSubscription().then(function (old) {
      var same = old && old.options.applicationServerKey && text(old.options.applicationServerKey) === wanted;
      return same ? old : (old ? old.unsubscribe() : Promise.resolve()).then(function () {
        return worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(wanted) });
      });
    }).then(function (made) {
      var said = { endpoint: made.endpoint, p256dh: text(made.getKey("p256dh")), auth: text(made.getKey("auth")), key: wanted };
      return inTurn(function () {
        return mine.reduce(function (before, key) {
          return before.then(function () { return key.told.ring ? call(key, "subscription", said) : null; });
        }, Promise.resolve());
      });
    });
  };
  var tried = false;
  var ring = function (mine) {
    tried = true;
    subscribe(mine).then(function () { by("ring").hidden = true; }).catch(function () { by("ring-said").textContent = by("ring-said").dataset.off; });
  };
  var offerRinging = function (mine) {
    var wanted = mine.some(function (key) { return key.told.ring; });
    var able = worker && worker.pushManager && "Notification" in window && Notification.permission !== "denied";
    by("ring").hidden = !(wanted && able && !tried && Notification.permission === "default");
    if (!wanted && able) { by("ring-said").textContent = by("ring-said").dataset.on; }
    if (!able) { by("ring-said").textContent = by("ring-said").dataset.off; }
    if (wanted && able && !tried && Notification.permission === "granted") { ring(mine); }
  };
  by("ring").addEventListener("click", function () {
    Notification.requestPermission().then(function (said) {
      if (said === "granted") { ring(keys.filter(function (key) { return key.confirmed && key.told; })); }
    });
  });

  if (navigator.serviceWorker) {
    navigator.serviceWorker.register(root.dataset.worker, { scope: root.dataset.scope })
      .then(function () { return navigator.serviceWorker.ready; })
      .then(function (ready) { worker = ready; })
      .catch(function () { worker = null; });
  }
  load().then(function (found) {
    keys = found;
    var code = window.location.hash.slice(1);
    if (/^[0-9A-Za-z-]{12,20}$/.test(code)) {
      history.replaceState(null, "", window.location.pathname);
      by("code").value = code;
      typing = true;
      show("connect");
      by("connect-submit").focus();
    }
    round();
  }).catch(function () { show("unable"); });
})();
