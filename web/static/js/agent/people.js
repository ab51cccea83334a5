/** Who is in the call, read off the last state. Pure. */

/** @typedef {import("../kit/messages.js").AgentCall} AgentCall */
/** @typedef {import("../kit/messages.js").PersonView} PersonView */

const MOST = 4; // people in a call, the resident and I among them

/** Those whom everybody sees and hears: nobody who is still rung, no supervisor in the background. @param {AgentCall} call */
export function present(call) {
  return call.people.filter(({ ringing, supervision }) => !ringing && (supervision === null || supervision === "barge"));
}

/** @param {AgentCall} call @returns {PersonView | null} who owns the call, when it is not I */
export function owner(call) {
  return call.owner ? null : (call.people.find((person) => person.owner) ?? null);
}

/**
 * Whom I talk with while the resident is on hold: who was brought in for it, or who asked me.
 *
 * @param {AgentCall} call
 * @returns {PersonView | null}
 */
export function partner(call) {
  const here = present(call);
  const first = here.find((person) => (call.owner ? person.joining === "consult" : person.owner));
  return first ?? here[0] ?? null;
}

/** Whether nobody more fits in. @param {AgentCall} call */
export function isFull(call) {
  return call.people.length + 2 >= MOST;
}

/** Whether the call can be given to this one: an interpreter helps, and answers for nothing. @param {PersonView} person */
export function mayOwn({ role, away }) {
  return (role === "agent" || role === "expert") && !away;
}
