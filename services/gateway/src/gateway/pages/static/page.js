// Tells the reader at once when what the page shows is no longer live.
//
// The line is known to be alive by its messages; it is taken as cut when it closes,
// when a fetch of the figures fails, or when it is silent for longer than it may be.
(() => {
  "use strict";
  const notice = document.getElementById("connection");
  const live = document.getElementById("live");
  const main = document.getElementById("network");
  const longestSilence = Number(notice.dataset.silence);
  let lineIsOpen = true;
  let figuresArrive = true;
  let lastHeard = performance.now();
  // A page that comes to the front again opens its line anew and is given time to.
  let graceEnds = 0;
  let connection = null;
  let retry = 0;

  const show = () => {
    const lost = (!lineIsOpen && performance.now() >= graceEnds) || !figuresArrive;
    document.documentElement.classList.toggle("is-cut", lost);
    if (lost) {
      const time = document.getElementById("picture")?.dataset.time ?? "—";
      const text = notice.dataset.lost.replace("{time}", time);
      if (notice.textContent !== text) notice.textContent = text;
    }
    notice.hidden = !lost;
  };

  const heard = () => {
    lastHeard = performance.now();
    if (!lineIsOpen) {
      lineIsOpen = true;
      // Whatever happened meanwhile is fetched now.
      live.dispatchEvent(new CustomEvent("look"));
    }
    show();
  };

  const cut = () => {
    lineIsOpen = false;
    show();
    setTimeout(show, Math.max(0, graceEnds - performance.now()));
  };

  const connectAgain = () => {
    clearTimeout(retry);
    retry = setTimeout(() => live.dispatchEvent(new CustomEvent("connect-again")), 1000);
  };

  // A page that leaves closes its line itself: nothing is cut then.
  let leaving = false;
  addEventListener("pagehide", () => { leaving = true; });
  addEventListener("pageshow", () => { leaving = false; });

  live.addEventListener("htmx:sse:after:connection", (event) => {
    connection = event.detail.connection;
  });
  live.addEventListener("alive", heard);
  live.addEventListener("changed", heard);
  live.addEventListener("htmx:sse:before:connection", (event) => {
    // A hidden page closes its line by itself and opens it when it is looked at.
    if (event.detail.connection.attempt > 0 && !document.hidden && !leaving) cut();
  });
  live.addEventListener("htmx:sse:error", () => { if (!leaving) cut(); });
  live.addEventListener("htmx:sse:close", () => {
    if (!leaving) {
      cut();
      connectAgain();
    }
  });
  for (const name of ["htmx:error", "htmx:response:error"]) {
    live.addEventListener(name, () => {
      if (!leaving) {
        cut();
        connectAgain();
      }
    });
    main.addEventListener(name, () => {
      figuresArrive = false;
      if (!leaving) show();
    });
  }

  main.addEventListener("htmx:after:swap", () => {
    figuresArrive = true;
    const picture = document.getElementById("picture");
    if (picture) document.title = picture.dataset.title;
    show();
  });

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) {
      lastHeard = performance.now();
      graceEnds = lastHeard + 3000;
      live.dispatchEvent(new CustomEvent("look"));
    }
  });

  setInterval(() => {
    if (document.hidden || performance.now() - lastHeard <= longestSilence) return;
    cut();
    // The other end may be gone without a word: the line is given up and opened anew.
    lastHeard = performance.now();
    connection?.reader?.cancel();
  }, 1000);
})();
