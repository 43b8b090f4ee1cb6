/* Precise tag. <script async src="https://HOST/tag.js" data-key="prc_…"></script>
 * Then precise("purchase", {revenue: 10, currency: "USD"}) anywhere; page views go by themselves.
 * Consent: data-consent="granted|denied", a TCF 2 API in the page, or precise.consent("granted", "source").
 * Without consent no identifier is made, and what an earlier one made is removed once it is denied. */
(function () {
  "use strict";
  var script = document.currentScript, key = script && script.dataset.key;
  if (!key || (window.precise && window.precise.key)) return;
  var address = new URL("/p.gif?k=" + encodeURIComponent(key), script.src).href;
  var waiting = (window.precise && window.precise.q) || [], queue = [], timer = null;
  var consent = {status: script.dataset.consent || "unknown"};

  function random() {
    return Array.from(crypto.getRandomValues(new Uint8Array(16)), function (byte) {
      return (byte + 256).toString(16).slice(1);
    }).join("");
  }

  /* An identifier of this site's own, in this site's own storage. */
  function kept(place, name) {
    if (consent.status !== "granted") return undefined;
    try {
      var value = window[place].getItem(name) || random();
      window[place].setItem(name, value);
      return value;
    } catch (error) {
      return undefined;
    }
  }

  function forget() {
    [["localStorage", "precise_id"], ["sessionStorage", "precise_session"]].forEach(function (place) {
      try { window[place[0]].removeItem(place[1]); } catch (error) { /* storage is blocked: nothing is kept */ }
    });
  }

  function utm() {
    var found = {}, query = new URLSearchParams(location.search);
    ["source", "medium", "campaign", "content", "term"].forEach(function (name) {
      var value = query.get("utm_" + name);
      if (value) found[name] = value;
    });
    return found;
  }

  function send() {
    clearTimeout(timer);
    timer = null;
    while (queue.length) {
      var body = JSON.stringify(queue.splice(0, 50));
      if (!(navigator.sendBeacon && navigator.sendBeacon(address, body))) {
        fetch(address, {method: "POST", body: body, keepalive: true, mode: "no-cors"}).catch(function () {});
      }
    }
  }

  function precise(type, properties, more) {
    queue.push(Object.assign({
      event_type: type,
      event_id: random(),
      timestamp: new Date().toISOString(),
      anonymous_id: kept("localStorage", "precise_id"),
      session_id: kept("sessionStorage", "precise_session"),
      utm: utm(),
      properties: Object.assign({url: location.origin + location.pathname, referrer: document.referrer.split("?")[0]}, properties),
      consent: consent
    }, more));
    if (queue.length >= 20) send();
    else timer = timer || setTimeout(send, 2000);
  }

  precise.key = key;
  precise.flush = send;
  precise.consent = function (status, source) {
    consent = {status: status, source: source};
    if (status !== "granted") forget();
  };
  window.precise = precise;
  if (consent.status === "denied") forget();

  function begin() {
    waiting.forEach(function (call) { precise.apply(null, call); });
    precise("page_view");
  }

  document.addEventListener("visibilitychange", function () {
    if (document.visibilityState === "hidden") send();
  });
  addEventListener("pagehide", send);
  if (!script.dataset.consent && typeof window.__tcfapi === "function") {
    window.__tcfapi("addEventListener", 2, function (data, ok) {
      if (!ok || data.eventStatus === "cmpuishown") return;
      var purposes = (data.purpose && data.purpose.consents) || {};
      precise.consent(data.gdprApplies === false || purposes[1] ? "granted" : "denied", data.tcString);
      if (begin) { begin(); begin = null; }
    });
  } else begin();
})();
