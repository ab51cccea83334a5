/** Who else is in the call: who they are, and why they came, in one sentence. */

import { html, useEffect, useState } from "../../kit/ui.js";
import { pick, t } from "../../kit/text.js";
import { Note } from "../parts.js";

/** @typedef {import("../../kit/messages.js").StationCall} StationCall */
/** @typedef {import("../../kit/messages.js").PersonView} PersonView */

/** As long as the sentence about somebody who came is shown. */
const NEWS_MS = 12_000;

/** @param {StationCall} call @returns {PersonView[]} those who are seen and heard */
export function present(call) {
  return call.people.filter(({ ringing }) => !ringing);
}

/** @param {PersonView} person */
export function nameOf(person) {
  return `${pick(person.name)} · ${roleOf(person)}`;
}

/** @param {PersonView} person */
function roleOf({ role }) {
  return {
    resident: t("station.role.resident"),
    agent: t("station.role.agent"),
    expert: t("station.role.expert"),
    interpreter: t("station.role.interpreter"),
    supervisor: t("station.role.supervisor"),
  }[role];
}

/** The newest news of the company: somebody came, or somebody else goes on with the call. @param {{call: StationCall}} props */
export function CompanyNews({ call }) {
  const others = present(call).filter(({ owner }) => !owner);
  const owner = present(call).find((person) => person.owner);
  const newest = others.at(-1);
  const [shown, show] = useState("");
  const [first] = useState(owner?.participant);
  const key = `${owner?.participant} ${newest?.participant ?? ""}`;
  useEffect(() => {
    show(key);
    const timer = setTimeout(() => show(""), NEWS_MS);
    return () => clearTimeout(timer);
  }, [key]);
  if (shown !== key) return null;
  if (newest !== undefined) return html`<${Note} icon="users" tone="info">${came(newest)}<//>`;
  if (owner !== undefined && owner.participant !== first) {
    return html`<${Note} icon="user" tone="info">${t("station.company.owner", { name: pick(owner.name) })}<//>`;
  }
  return null;
}

/** @param {PersonView} person */
function came(person) {
  const words = { name: pick(person.name), department: pick(person.department) };
  return {
    resident: "",
    agent: t("station.company.agent", words),
    expert: t("station.company.expert", words),
    interpreter: t("station.company.interpreter", words),
    supervisor: t("station.company.supervisor", words),
  }[person.role];
}
