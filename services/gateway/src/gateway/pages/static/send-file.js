// Sends a file as soon as it is chosen, and writes into its form which one it is.
//
// The form itself carries no file: it names one that is kept, as any caller of the API does.
// What was refused in the form leaves the file where it is, so that it is sent once.
(() => {
  "use strict";
  const language = document.documentElement.lang;
  const count = new Intl.NumberFormat(language, { style: "unit", unit: "megabyte", maximumFractionDigits: 1 });
  const inMegabytes = (bytes) => count.format(bytes / 1e6);

  const take = (group) => {
    const chooser = group.querySelector(".chooser");
    const input = chooser.querySelector("input");
    const told = chooser.querySelector("[role=status]");
    const button = group.closest("form").querySelector("button.primary");
    const named = (name) => group.querySelector(`input[name$=".file.${name}"]`);
    const fields = ["name", "media_type", "size_bytes", "sha256"].map(named);
    let underWay = null;

    // Only what it is called is for a person to say; the rest is as it was answered.
    const show = () => {
      const isKnown = fields.some((field) => field.value || field.hasAttribute("aria-invalid"));
      for (const field of fields) {
        field.closest(".field").hidden = !isKnown;
        field.readOnly = field !== fields[0];
      }
    };
    const tell = (text, isBroken) => {
      told.textContent = text;
      told.className = isBroken ? "broken" : "under";
    };
    const fill = (values) => fields.forEach((field, place) => { field.value = values[place]; });

    const answered = (request, file) => {
      let answer = null;
      try { answer = JSON.parse(request.responseText); } catch { /* It is told as cut. */ }
      if (request.status === 201 && answer) {
        fill([file.name, answer.media_type, answer.size_bytes, answer.sha256]);
        tell(told.dataset.kept, false);
      } else {
        input.value = "";
        const found = (answer?.errors ?? []).map((error) => error.detail);
        tell([answer?.detail ?? told.dataset.lost, ...found].join(" "), true);
      }
    };

    const send = (file) => {
      const request = new XMLHttpRequest();
      underWay = request;
      button.disabled = true;
      request.open("POST", group.dataset.sendsTo);
      request.setRequestHeader("Content-Type", file.type.split(";")[0] || "application/octet-stream");
      request.setRequestHeader("Accept-Language", language);
      request.upload.addEventListener("progress", (event) => {
        const text = told.dataset.sending.replace("{part}", inMegabytes(event.loaded));
        tell(text.replace("{whole}", inMegabytes(file.size)), false);
      });
      request.addEventListener("loadend", () => {
        // Another was chosen meanwhile.
        if (underWay !== request) return;
        button.disabled = false;
        answered(request, file);
        show();
      });
      request.send(file);
    };

    input.addEventListener("change", () => {
      underWay?.abort();
      underWay = null;
      button.disabled = false;
      fill(["", "", "", ""]);
      show();
      if (input.files.length) send(input.files[0]);
    });
    chooser.hidden = false;
    show();
  };

  document.querySelectorAll("[data-sends-to]").forEach(take);
})();
