// The manager's first page: one socket, one state, one drawing.

import { Connection, socketUrl } from "../kit/protocol.js";
import { loadTexts } from "../kit/text.js";
import { html, render, signal } from "../kit/ui.js";
import { LiveView } from "./live-view.js";

/** @typedef {import("../kit/messages.js").ManagerState} ManagerState */
/** @typedef {import("../kit/protocol.js").State} State */

const state = signal(/** @type {ManagerState | null} */ (null));
const link = signal(/** @type {State} */ ("connecting"));
const serverNow = signal(Date.now());

const connection = new Connection({
  url: socketUrl(location, "/ws/manager"),
  hello: async () => ({}),
  onMessage: (message) => {
    if (message.type !== "manager_state") return;
    serverNow.value = connection.serverNow();
    state.value = message;
  },
  onState: (next) => {
    link.value = next;
  },
});

const root = document.querySelector("[data-live]");
if (root instanceof HTMLElement) {
  await loadTexts(["manager"]);
  root.replaceChildren();
  render(html`<${LiveView} state=${state} link=${link} now=${serverNow} />`, root);
  connection.start();
  setInterval(() => {
    serverNow.value = connection.serverNow();
  }, 1000);
  addEventListener("online", () => connection.retryNow());
}
