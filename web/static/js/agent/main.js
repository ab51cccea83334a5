/** The agent's console: fetch the words, connect, draw. */

import { Connection, socketUrl } from "../kit/protocol.js";
import { effect, html, render } from "../kit/ui.js";
import { Desk } from "./desk.js";
import { wasChecked } from "./devices.js";
import { listen } from "./keys.js";
import { audible, unlock } from "./sound.js";
import { catalogue, checking, mode, soundAllowed } from "./state.js";
import { loadTexts, t } from "./text.js";
import { Console } from "./views/console.js";

async function loadCatalogue() {
  const response = await fetch("/api/catalogue");
  if (!response.ok) throw new Error(`/api/catalogue: ${response.status}`);
  return response.json();
}

/** Browsers keep a page silent until it is touched: say so while it matters, and notice the touch. */
function watchSound() {
  const look = () => (soundAllowed.value = audible());
  for (const kind of ["pointerdown", "keydown"]) document.addEventListener(kind, () => void unlock().then(look));
  look();
}

function connect(/** @type {Desk} */ desk) {
  return new Connection({
    url: socketUrl(location, "/ws/agent"),
    hello: async () => ({}),
    onMessage: (message) => desk.receive(message),
    onState: (state, code) => desk.linked(state, code),
  });
}

await loadTexts(["agent"]);
checking.value = !wasChecked();
const desk = new Desk(connect);
effect(() => {
  if (mode.value !== "ring") document.title = t("title"); // a ring blinks it
});
listen(desk);
watchSound();
render(html`<${Console} desk=${desk} />`, /** @type {HTMLElement} */ (document.getElementById("app")));
desk.start();
try {
  catalogue.value = await loadCatalogue();
} catch {
  catalogue.value = "failed";
}
