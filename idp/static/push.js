/* Looks every two seconds whether the phone has done its part. Without this file the button does the same. */
(function () {
  "use strict";
  var place = document.querySelector("[data-ask]");
  if (!place) { return; }
  var status = document.querySelector("[data-ask-status]");
  var look = function () {
    if (document.hidden) { return again(); }
    fetch(place.dataset.ask, { credentials: "same-origin", redirect: "error", headers: { Accept: "application/json" } })
      .then(function (answer) { if (!answer.ok) { throw new Error(String(answer.status)); } return answer.json(); })
      .then(function (told) {
        if (!told.ready) { return again(); }
        if (status) { status.textContent = status.dataset.ready; }
        if (place.tagName === "FORM") { place.submit(); } else { window.location.reload(); }
        return null;
      })
      .catch(again);
  };
  var again = function () { setTimeout(look, 2000); };
  again();
})();
