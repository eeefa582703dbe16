/* Small comforts. Every page works without this file. */
(function () {
  "use strict";
  var each = function (selector, act) { document.querySelectorAll(selector).forEach(act); };
  var announcer = function (id) { return document.querySelector('[data-announcer="' + id + '"]'); };

  /* Show what is typed as a password; hidden again before it is sent. */
  each("[data-show]", function (button) {
    var input = document.getElementById(button.dataset.show);
    if (!input) { return; }
    var show = function (on) { input.type = on ? "text" : "password"; button.setAttribute("aria-pressed", String(on)); };
    button.hidden = false;
    button.addEventListener("click", function () { show(input.type === "password"); input.focus(); });
    if (input.form) { input.form.addEventListener("submit", function () { show(false); }); }
  });

  /* A button that prints the page, where there is a printer to ask. */
  each("[data-print]", function (button) {
    button.hidden = false;
    button.addEventListener("click", function () { window.print(); });
  });

  /* Password rules: marked while typing, the count announced after a pause. The server decides. */
  var tests = {
    lower: /\p{Ll}/u, upper: /\p{Lu}/u, digit: /\p{Nd}/u, special: /[^\p{L}\p{N}\s]/u,
    "digit-or-special": /[^\p{L}\s]/u, ascii: /^[\x21-\x7e]*$/
  };
  var holds = function (test, value) {
    var parts = test.split(":");
    if (parts[0] === "length") { return Array.from(value).length >= Number(parts[1]); }
    return parts[0] in tests ? value !== "" && tests[parts[0]].test(value) : null;
  };
  each("[data-rules-of]", function (list) {
    var input = document.getElementById(list.dataset.rulesOf), status = announcer(list.dataset.rulesOf), timer;
    var rules = list.querySelectorAll("[data-test]");
    if (!input || !rules.length) { return; }
    input.addEventListener("input", function () {
      var met = 0;
      rules.forEach(function (rule) {
        var good = holds(rule.dataset.test, input.value);
        rule.classList.remove("unmet");
        rule.classList.toggle("met", good === true);
        if (good) { met += 1; }
      });
      clearTimeout(timer);
      timer = setTimeout(function () {
        if (status) { status.textContent = list.dataset.announce.replace("{met}", met).replace("{all}", rules.length); }
      }, 900);
    });
  });

  /* How many characters are left. */
  each("[data-countdown]", function (area) {
    var line = document.getElementById(area.dataset.countdown), status = announcer(area.id), timer;
    if (!line) { return; }
    var count = function () {
      var words = line.dataset.left.replace("{count}", area.maxLength - area.value.length);
      line.textContent = words;
      clearTimeout(timer);
      timer = setTimeout(function () { if (status) { status.textContent = words; } }, 1200);
    };
    area.addEventListener("input", count);
    if (area.value) { line.textContent = line.dataset.left.replace("{count}", area.maxLength - area.value.length); }
  });

  /* Narrow a list that the page already holds; a longer one is searched by the server. */
  each("[data-filter]", function (input) {
    var items = document.querySelectorAll(input.dataset.filter), status = announcer(input.id);
    var plain = function (text) { return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase(); };
    var narrow = function () {
      var wanted = plain(input.value).split(/\s+/), shown = 0;
      items.forEach(function (item) {
        var text = plain(item.textContent);
        item.hidden = !wanted.every(function (word) { return text.includes(word); });
        if (!item.hidden) { shown += 1; }
      });
      if (status) { status.textContent = (input.dataset.found || "{count}").replace("{count}", shown); }
    };
    var part = input.closest("[data-filter-part]");
    if (part) { part.hidden = false; }
    input.addEventListener("input", narrow);
    if (input.form && input.hasAttribute("data-filter-only")) {
      input.form.addEventListener("submit", function (event) { event.preventDefault(); narrow(); });
    }
  });

  /* Check Availability without a page load; the answer is heard, and the field stays as it was typed. */
  each("[data-availability]", function (button) {
    var input = document.getElementById(button.dataset.of), said = document.getElementById(button.dataset.of + "-available");
    var token = input && input.form ? input.form.elements.csrf_token : null;
    if (!said || !token) { return; }
    button.addEventListener("click", function (event) {
      event.preventDefault();
      var body = new URLSearchParams({ csrf_token: token.value });
      body.set(button.dataset.of, input.value);
      fetch(button.dataset.availability, { method: "POST", body: body, credentials: "same-origin" })
        .then(function (answer) { if (!answer.ok) { throw new Error(); } return answer.json(); })
        .then(function (told) { said.textContent = told.sentence; })
        .catch(function () { button.removeAttribute("data-availability"); input.form.requestSubmit(button); });
    });
    input.addEventListener("input", function () { said.textContent = ""; });
  });

  /* Of several groups of fields only the one that is chosen; the server looks at no other. */
  each("[data-shown-by]", function (group) {
    var choices = document.querySelectorAll('[name="' + group.dataset.shownBy + '"]');
    var show = function () {
      group.hidden = !Array.from(choices).some(function (each) { return each.checked && each.value === group.dataset.shownFor; });
    };
    choices.forEach(function (choice) { choice.addEventListener("change", show); });
    window.addEventListener("pageshow", show);
    show();
  });

  /* Two lists and the arrows between them: moved here at once; without scripts the arrows ask the server. */
  each("[data-picker]", function (picker) {
    var said = picker.querySelector("[data-moved]"), free = picker.querySelector("#available"), held = picker.querySelector("#assigned");
    each("button[name=move]", function (arrow) {
      if (!picker.contains(arrow)) { return; }
      arrow.addEventListener("click", function (event) {
        var gives = arrow.value.indexOf("assign") === 0, from = gives ? free : held, to = gives ? held : free;
        var all = arrow.value.slice(-4) === "_all", moved = [];
        event.preventDefault();
        from.querySelectorAll("input[type=checkbox]:not(:disabled)").forEach(function (box) {
          if (all || box.checked) { box.checked = false; moved.push(box.closest("li")); }
        });
        moved.forEach(function (item) {
          var kept = item.querySelector("input[type=hidden]");
          if (kept) { kept.remove(); }
          if (gives) { item.insertAdjacentHTML("beforeend", '<input type="hidden" value="yes">'); item.lastElementChild.name = item.dataset.level; }
          to.append(item);
        });
        if (moved.length) {
          said.textContent = gives ? said.dataset.toAssigned : said.dataset.toAvailable;
          moved[0].querySelector("input[type=checkbox]").focus();
        }
      });
    });
  });

  /* A second press of the same button sends nothing twice. */
  each("form[method=post]", function (form) {
    form.addEventListener("submit", function (event) {
      if (form.dataset.sent) { event.preventDefault(); return; }
      form.dataset.sent = "yes";
    });
  });
  window.addEventListener("pageshow", function () { each("form[data-sent]", function (form) { delete form.dataset.sent; }); });

  /* What went wrong, or what was done, is heard first. */
  var first = document.getElementById("error") || document.getElementById("done");
  if (first && first.tabIndex === -1) { first.focus(); }
})();
