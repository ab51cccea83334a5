/** How good the networks are: in the strip how the worst is, with the figures; over the picture whose is weak. */

import { html, Icon } from "../../kit/ui.js";
import { toggleFigures } from "../keys.js";
import { figuring, link, quality, state } from "../state.js";
import { t } from "../text.js";

/** @typedef {import("../../kit/messages.js").Network} Network */

const ICONS = { good: "network", weak: "weak-network", bad: "warning" };

/** What is known now of the networks of this call. @param {string} call */
function known(call) {
  const said = quality.value;
  return said !== null && said.call === call && link.value === "open" ? said.networks : [];
}

/** Nothing is drawn while nothing is known. @param {{call: string}} props */
export function Networks({ call }) {
  const networks = known(call);
  if (networks.length === 0) return null;
  const grades = networks.map(({ judgement }) => judgement);
  const worst = grades.includes("bad") ? "bad" : grades.includes("weak") ? "weak" : "good";
  return html`<div class="nets">
    <button type="button" class="act" data-act="figures" data-grade=${worst} aria-expanded=${figuring.value}
      aria-keyshortcuts="W" title=${t("net.figures")} onClick=${toggleFigures}>
      <${Icon} name=${ICONS[worst]} />${t(`net.all.${worst}`)}<kbd>W</kbd></button>
    ${figuring.value && html`<${Figures} networks=${networks} />`}
  </div>`;
}

/** Whose network is weak, in words. @param {{call: string}} props */
export function WeakNetworks({ call }) {
  const networks = known(call);
  const weak = networks.filter(({ judgement }) => judgement !== "good");
  const said = new Set(weak.map((network) => `${side(networks, network)}.${network.judgement}`));
  return [...said].map(
    (words) => html`<p key=${words} class="banner net" data-grade=${words.split(".")[1]} role="status">
      <${Icon} name=${ICONS[/** @type {Network["judgement"]} */ (words.split(".")[1])]} />${t(`net.${words}`)}</p>`,
  );
}

/**
 * The station's, mine, or somebody else's. Of several in my role the owner's is the first: they come in the order in
 * which their people came.
 *
 * @param {readonly Network[]} networks
 * @param {Network} network
 */
function side(networks, network) {
  if (network.role === "resident") return "station";
  const call = state.value?.call;
  const like = networks.filter(({ role }) => role === (call?.role ?? "agent"));
  return network === (call?.owner === false ? like.at(-1) : like[0]) ? "own" : "other";
}

/** @param {{networks: readonly Network[]}} props */
function Figures({ networks }) {
  /** @type {[string, (network: Network) => string][]} */
  const rows = [
    ["judgement", ({ judgement }) => t(`net.is.${judgement}`)],
    ["rtt", ({ rtt_ms }) => (rtt_ms === null ? "—" : `${rtt_ms} ms`)],
    ["loss", ({ loss }) => `${loss.toFixed(1)} %`],
    ["unrepaired", ({ unrepaired }) => `${unrepaired.toFixed(1)} %`],
    ["up", ({ up_kbps }) => `${up_kbps} kbit/s`],
    ["down", ({ down_kbps }) => `${down_kbps} kbit/s`],
  ];
  return html`<table class="net-figures">
    <thead><tr>
      <td></td>
      ${networks.map((network) => html`<th scope="col">${t(`net.${side(networks, network)}`)}</th>`)}
    </tr></thead>
    <tbody>
      ${rows.map(
        ([name, figure]) => html`<tr key=${name}>
          <th scope="row">${t(`net.row.${name}`)}</th>
          ${networks.map((network) => html`<td data-figure=${name}>${figure(network)}</td>`)}
        </tr>`,
      )}
    </tbody>
  </table>`;
}
