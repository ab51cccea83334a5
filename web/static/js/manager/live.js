// The manager's first page: one socket, one state, one drawing.

import { Connection, RequestError, socketUrl } from "../kit/protocol.js";
import { loadTexts } from "../kit/text.js";
import { html, render, signal } from "../kit/ui.js";
import { LiveView } from "./live-view.js";
import { Supervising } from "./supervision.js";

/** @typedef {import("../kit/messages.js").ManagerState} ManagerState */
/** @typedef {import("../kit/protocol.js").State} State */

const state = signal(/** @type {ManagerState | null} */ (null));
const link = signal(/** @type {State} */ ("connecting"));
const serverNow = signal(Date.now());
const revision = signal(0); // of what the supervised call's connection carries
const trouble = signal(/** @type {string | null} */ (null)); // with the supervisor's own devices
const refused = signal(/** @type {{zh: string, en: string} | null} */ (null)); // why the last act was not done

const supervising = new Supervising(
  (type, fields) => connection.request(type, fields),
  () => {
    revision.value += 1;
  },
  (found) => {
    trouble.value = found;
  },
);

/** What was asked is done, or a sentence says why not. @param {Promise<unknown>} work */
function act(work) {
  refused.value = null;
  work.catch((fault) => {
    refused.value = fault instanceof RequestError ? fault.text : null;
  });
}

const connection = new Connection({
  url: socketUrl(location, "/ws/manager"),
  hello: async () => ({}),
  onMessage: (message) => {
    if (message.type === "offer") void supervising.take(message);
    if (message.type !== "manager_state") return;
    serverNow.value = connection.serverNow();
    state.value = message;
    supervising.follow(message.supervising);
  },
  onState: (next) => {
    link.value = next;
  },
});

const root = document.querySelector("[data-live]");
if (root instanceof HTMLElement) {
  await loadTexts(["manager"]);
  root.replaceChildren();
  render(html`<${LiveView} ...${{ state, link, now: serverNow, revision, trouble, refused, supervising, act }} />`, root);
  connection.start();
  setInterval(() => {
    serverNow.value = connection.serverNow();
  }, 1000);
  addEventListener("online", () => connection.retryNow());
}
