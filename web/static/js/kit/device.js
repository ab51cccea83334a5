/**
 * A station's identity: an Ed25519 key that never leaves this browser, made at enrolment and used to answer the
 * challenge of every connection.
 */

/** @typedef {{station: string, name: {zh: string, en: string}}} Identity */
/** @typedef {{identity: Identity | null, key: CryptoKey, publicKey: string}} Device */

const DATABASE = "bangban";
const STORE = "device";
const RECORD = "station";

/** The code was refused; `text` says what to do. */
export class EnrolError extends Error {
  /** @param {{zh: string, en: string} | null} text null when nobody answered */
  constructor(text) {
    super(text?.en ?? "the service did not answer");
    this.name = "EnrolError";
    this.text = text;
  }
}

/** Who this station is, or null while it is not enrolled. @returns {Promise<Identity | null>} */
export async function identity() {
  return (await load())?.identity ?? null;
}

/**
 * Exchanges the administrator's code for an identity. The key is kept before the code is spent, so that an answer
 * lost on the way can be asked for again with the same key.
 *
 * @param {string} code
 * @returns {Promise<Identity>} rejects with EnrolError
 */
export async function enrol(code) {
  const device = (await load()) ?? (await create());
  await save(device);
  const response = await fetch("/station/enrol", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ code, public_key: device.publicKey }),
  }).catch(() => {
    throw new EnrolError(null);
  });
  const answer = await response.json().catch(() => null);
  if (!response.ok || !answer) throw new EnrolError(answer?.text ?? null);
  const found = { station: answer.station, name: answer.name };
  await save({ ...device, identity: found });
  return found;
}

/**
 * The fields of StationHello (signaling/messages.py) that prove who this is.
 *
 * @param {string} origin
 * @param {string} nonce
 * @returns {Promise<{station: string, signature: string}>}
 */
export async function stationHello(origin, nonce) {
  const device = await load();
  if (!device?.identity) throw new Error("this station is not enrolled");
  const { station } = device.identity;
  return { station, signature: await sign(device.key, origin, station, nonce) };
}

/** @param {CryptoKey} key @param {string} origin @param {string} station @param {string} nonce */
async function sign(key, origin, station, nonce) {
  const said = new TextEncoder().encode(`bangban-station-1\n${origin}\n${station}\n${nonce}`);
  return base64url(await crypto.subtle.sign("Ed25519", key, said));
}

/** Forgets who this station was: the next enrolment makes a new key. */
export async function forget() {
  await run("readwrite", (store) => store.delete(RECORD));
}

/** @returns {Promise<Device>} */
async function create() {
  const pair = /** @type {CryptoKeyPair} */ (await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]));
  const raw = await crypto.subtle.exportKey("raw", pair.publicKey);
  return { identity: null, key: pair.privateKey, publicKey: base64url(raw) };
}

/** @returns {Promise<Device | undefined>} */
function load() {
  return run("readonly", (store) => store.get(RECORD));
}

/** @param {Device} device */
function save(device) {
  return run("readwrite", (store) => store.put(device, RECORD));
}

/**
 * @template T
 * @param {IDBTransactionMode} mode
 * @param {(store: IDBObjectStore) => IDBRequest<T>} verb
 * @returns {Promise<T>}
 */
async function run(mode, verb) {
  const database = await open();
  try {
    return await done(verb(database.transaction(STORE, mode).objectStore(STORE)));
  } finally {
    database.close();
  }
}

/** @returns {Promise<IDBDatabase>} */
function open() {
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE);
  return done(request);
}

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** Without padding (RFC 4648, 5). @param {ArrayBuffer} bytes */
function base64url(bytes) {
  const text = btoa(String.fromCharCode(...new Uint8Array(bytes)));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
