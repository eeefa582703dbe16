/* The phone app's worker: shows that a request waits, and a page of ours while there is no connection. */
"use strict";
var CACHE = "credence-phone-1", OFFLINE = "/phone/offline", APP = "/phone/";

self.addEventListener("install", function (event) {
  event.waitUntil(caches.open(CACHE).then(function (cache) {
    return fetch(OFFLINE, { cache: "reload", credentials: "omit" }).then(function (page) {
      if (!page.ok) { throw new Error(String(page.status)); }
      return page.clone().text().then(function (text) {
        var files = Array.from(text.matchAll(/href="(\/static\/[^"]+\.css[^"]*)"/g), function (found) { return found[1].replace(/&amp;/g, "&"); });
        return cache.put(OFFLINE, page).then(function () { return cache.addAll(files); });
      });
    });
  }).then(function () { return self.skipWaiting(); }));
});

self.addEventListener("activate", function (event) { event.waitUntil(self.clients.claim()); });

self.addEventListener("fetch", function (event) {
  var asked = event.request;
  if (asked.method !== "GET" || new URL(asked.url).origin !== self.location.origin) { return; }
  if (asked.mode === "navigate") {
    event.respondWith(fetch(asked).catch(function () { return caches.match(OFFLINE); }));
  } else if (asked.destination === "style") {
    event.respondWith(fetch(asked).catch(function () {
      return caches.match(asked).then(function (kept) { return kept || Response.error(); });
    }));
  }
});

self.addEventListener("push", function (event) {
  var told = {};
  try { told = event.data ? event.data.json() : {}; } catch (error) { told = {}; }
  event.waitUntil(self.registration.showNotification(String(told.title || "Credence"), {
    body: String(told.body || ""), tag: "sign-in", renotify: true, requireInteraction: true, icon: "/static/phone-192.png"
  }));
});

self.addEventListener("notificationclick", function (event) {
  event.notification.close();
  event.waitUntil(self.clients.matchAll({ type: "window", includeUncontrolled: true }).then(function (open) {
    var here = open.find(function (each) { return new URL(each.url).pathname === APP; });
    return here ? here.focus() : self.clients.openWindow(APP);
  }));
});
