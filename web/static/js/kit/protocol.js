/**
 * The WebSocket protocol of signaling/messages.py, browser side. Knows no DOM: socket, clock and randomness can be
 * given from outside.
 *
 * A session outlives its socket by 10 s. After a lost socket the connection comes back by itself, names the session's
 * token and the last `seq` that it saw, drops what it has already had, and sends again, under the same `ref`, what was
 * not acknowledged.
 */

/** @typedef {import("./messages.js").StationOut | import("./messages.js").AgentOut | import("./messages.js").ManagerOut} Message */
/** @typedef {import("./messages.js").Requests} Requests */
/** @typedef {{zh: string, en: string}} Text */
/** @typedef {"connecting" | "open" | "lost" | "closed"} State */
/**
 * @typedef {object} Socket what is used of a WebSocket
 * @property {(text: string) => void} send
 * @property {(code?: number) => void} close
 * @property {((event: {data: any}) => void) | null} onmessage
 * @property {((event: {code: number}) => void) | null} onclose
 * @property {((event: any) => void) | null} onopen
 */
/** @typedef {new (url: string) => Socket} SocketConstructor */
/**
 * @typedef {object} Clock
 * @property {() => number} now Unix milliseconds
 * @property {() => number} random 0 up to 1
 * @property {(run: () => void, ms: number) => any} setTimeout
 * @property {(timer: any) => void} clearTimeout
 */
/**
 * @typedef {object} Options
 * @property {string} url ws: or wss: address
 * @property {(challenge: string | null) => Promise<object>} hello the fields of the hello message that are the
 *   role's own; `type`, `protocol`, `resume` and `seen` are added
 * @property {boolean} [challenged] whether the server speaks first, with a challenge (stations)
 * @property {(message: Message) => void} onMessage welcome, offer, states, taken_over, errors without ref
 * @property {(state: State, closeCode?: number) => void} onState
 * @property {SocketConstructor} [WebSocket]
 * @property {Clock} [clock]
 */
/**
 * @typedef {object} Pending
 * @property {number | null} ref null until it is first sent
 * @property {string} type
 * @property {object} fields
 * @property {() => void} resolve
 * @property {(fault: RequestError) => void} reject
 */

export const PROTOCOL = 1;
export const HEARTBEAT_MS = 3_000;
export const SILENCE_MS = 10_000;
const BACK_OFF_MS = { first: 300, most: 5_000 };

/** Close codes of signaling/messages.py. */
export const CloseCode = Object.freeze({
  NOT_SIGNED_IN: 4001,
  BAD_HELLO: 4002,
  TAKEN_OVER: 4003,
  SILENT: 4004,
  TOO_MANY: 4005,
  SIGNED_OUT: 4006,
  NOT_ALLOWED: 4007,
  RESTARTING: 4008,
});

/** After these nobody reconnects: a person has to do something first. */
const FINAL = new Set([
  CloseCode.NOT_SIGNED_IN,
  CloseCode.TAKEN_OVER,
  CloseCode.SIGNED_OUT,
  CloseCode.NOT_ALLOWED,
].map(Number));

/** A request that was refused: `code` is an ErrorCode, or "lost" or "closed" when nobody answered it. */
export class RequestError extends Error {
  /** @param {string} code @param {Text} text */
  constructor(code, text) {
    super(`${code}: ${text.en}`);
    this.name = "RequestError";
    this.code = code;
    this.text = text;
  }
}

const LOST = {
  zh: "网络刚才断了，请再按一次。",
  en: "The connection was interrupted. Please press again.",
};

/** @returns {Clock} */
function systemClock() {
  const host = /** @type {any} */ (globalThis);
  return {
    now: () => Date.now(),
    random: () => Math.random(),
    setTimeout: (run, ms) => host.setTimeout(run, ms),
    clearTimeout: (timer) => host.clearTimeout(timer),
  };
}

export class Connection {
  /** @type {Options} */ #options;
  /** @type {Clock} */ #clock;
  /** @type {SocketConstructor} */ #WebSocket;
  /** @type {Socket | null} */ #socket = null;
  /** @type {State} */ #state = "connecting";
  /** @type {string | null} */ #resume = null;
  /** @type {Pending[]} */ #pending = [];
  #started = false;
  #ready = false;
  #seen = 0;
  #ref = 0;
  #attempt = 0;
  #offset = 0;
  #heard = 0;
  #heartbeatMs = HEARTBEAT_MS;
  /** @type {any} */ #retry = null;
  /** @type {any} */ #beat = null;

  /** @param {Options} options */
  constructor(options) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock();
    this.#WebSocket = options.WebSocket ?? /** @type {any} */ (globalThis).WebSocket;
  }

  /** @returns {State} */
  get state() {
    return this.#state;
  }

  start() {
    if (this.#started) return;
    this.#started = true;
    this.#options.onState("connecting");
    this.#connect();
  }

  /** Ends the session; every open request is rejected with "closed". */
  close() {
    this.#end(1000);
  }

  /** Tries now rather than when the back-off is over (the browser says that the network is back). */
  retryNow() {
    if (this.#state === "closed" || !this.#retry) return;
    this.#attempt = 0;
    this.#connect();
  }

  /** The server's clock, Unix milliseconds. */
  serverNow() {
    return this.#clock.now() + this.#offset;
  }

  /**
   * Sends a request and waits for its ack. While the connection is lost it waits for the next one.
   *
   * @template {keyof Requests} K
   * @param {K} type
   * @param {Requests[K]} fields
   * @returns {Promise<void>} rejects with RequestError
   */
  request(type, fields) {
    return new Promise((resolve, reject) => {
      if (this.#state === "closed") {
        reject(new RequestError("closed", LOST));
        return;
      }
      const pending = { ref: null, type, fields, resolve, reject };
      this.#pending.push(pending);
      if (this.#ready) this.#send(pending);
    });
  }

  #connect() {
    this.#clock.clearTimeout(this.#retry);
    this.#retry = null;
    this.#drop();
    const socket = new this.#WebSocket(this.#options.url);
    this.#socket = socket;
    this.#heard = this.#clock.now();
    socket.onopen = () => {
      if (!this.#options.challenged) void this.#greet(socket, null);
    };
    socket.onmessage = (event) => this.#receive(socket, event.data);
    socket.onclose = (event) => this.#lose(event.code);
    this.#tick();
  }

  /** @param {Socket} socket @param {string | null} challenge */
  async #greet(socket, challenge) {
    let fields;
    try {
      fields = await this.#options.hello(challenge);
    } catch {
      if (socket === this.#socket) this.#lose(CloseCode.BAD_HELLO);
      return;
    }
    if (socket !== this.#socket) return;
    const type = challenge === null ? "hello" : "station_hello";
    socket.send(JSON.stringify({ type, protocol: PROTOCOL, ...fields, resume: this.#resume, seen: this.#seen }));
  }

  /** @param {Socket} socket @param {string} text */
  #receive(socket, text) {
    if (socket !== this.#socket) return;
    this.#heard = this.#clock.now();
    /** @type {Message} */
    const message = JSON.parse(text);
    switch (message.type) {
      case "ping":
        socket.send('{"type":"pong"}');
        return;
      case "pong":
        return;
      case "challenge":
        void this.#greet(socket, message.nonce);
        return;
      case "welcome":
        this.#welcome(message);
        return;
    }
    if (this.#repeated(message.seq)) return;
    if (message.type === "ack") this.#settle(message.ref, null);
    else if (message.type === "error" && message.ref !== null) this.#settle(message.ref, message);
    else this.#options.onMessage(message);
  }

  /** @param {number | undefined} seq */
  #repeated(seq) {
    if (seq === undefined) return false;
    if (seq <= this.#seen) return true;
    this.#seen = seq;
    return false;
  }

  /** @param {import("./messages.js").Welcome} message */
  #welcome(message) {
    this.#offset = message.now - this.#clock.now();
    this.#heartbeatMs = message.heartbeat_ms;
    this.#resume = message.resume;
    this.#attempt = 0;
    if (!message.resumed) this.#begin(message.seq ?? 0);
    this.#ready = true;
    this.#become("open");
    this.#options.onMessage(message);
    for (const pending of this.#pending) this.#send(pending);
  }

  /** A new session: what the old one was asked and never answered is given back to who asked. */
  #begin(/** @type {number} */ seq) {
    this.#seen = seq;
    this.#ref = 0;
    const asked = this.#pending.filter((pending) => pending.ref !== null);
    this.#pending = this.#pending.filter((pending) => pending.ref === null);
    for (const pending of asked) pending.reject(new RequestError("lost", LOST));
  }

  /** @param {Pending} pending */
  #send(pending) {
    pending.ref ??= ++this.#ref;
    this.#socket?.send(JSON.stringify({ ...pending.fields, type: pending.type, ref: pending.ref }));
  }

  /** @param {number} ref @param {import("./messages.js").Error | null} fault */
  #settle(ref, fault) {
    const found = this.#pending.find((pending) => pending.ref === ref);
    if (!found) return;
    this.#pending = this.#pending.filter((pending) => pending !== found);
    if (fault) found.reject(new RequestError(fault.code, fault.text));
    else found.resolve();
  }

  /** The heartbeat: says that we are here, and notices when nobody else is. */
  #tick() {
    this.#clock.clearTimeout(this.#beat);
    this.#beat = this.#clock.setTimeout(() => {
      if (this.#clock.now() - this.#heard >= SILENCE_MS) {
        this.#lose(CloseCode.SILENT);
        return;
      }
      if (this.#ready) this.#socket?.send('{"type":"ping"}');
      this.#tick();
    }, this.#heartbeatMs);
  }

  /** @param {number} code */
  #lose(code) {
    if (FINAL.has(code)) {
      this.#end(code);
      return;
    }
    if (code === CloseCode.BAD_HELLO) this.#resume = null;
    if (code === CloseCode.TOO_MANY) this.#attempt = Math.max(this.#attempt, 5);
    this.#drop();
    this.#become("lost", code);
    const full = Math.min(BACK_OFF_MS.most, BACK_OFF_MS.first * 2 ** this.#attempt);
    this.#attempt += 1;
    const wait = full * (0.5 + this.#clock.random() / 2);
    this.#retry = this.#clock.setTimeout(() => this.#connect(), wait);
  }

  /** @param {number} code */
  #end(code) {
    this.#clock.clearTimeout(this.#retry);
    this.#retry = null;
    this.#drop();
    const left = this.#pending;
    this.#pending = [];
    this.#become("closed", code);
    for (const pending of left) pending.reject(new RequestError("closed", LOST));
  }

  #drop() {
    this.#clock.clearTimeout(this.#beat);
    this.#ready = false;
    const socket = this.#socket;
    if (!socket) return;
    this.#socket = null;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  /** @param {State} state @param {number} [code] */
  #become(state, code) {
    if (this.#state === state) return;
    this.#state = state;
    this.#options.onState(state, code);
  }
}

/** The address of a WebSocket on the host that served the page. @param {{protocol: string, host: string}} page @param {string} path */
export function socketUrl(page, path) {
  return `${page.protocol === "https:" ? "wss:" : "ws:"}//${page.host}${path}`;
}
