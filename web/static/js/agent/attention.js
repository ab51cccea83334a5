/**
 * Reaching an agent who looks at another window: the blinking title and the desktop notice.
 */

const BLINK_MS = 900;

/**
 * Alternate the document's title between `words` and what it was, until the returned function is called.
 *
 * @param {string} words
 * @returns {() => void}
 */
export function blinkTitle(words) {
  const usual = document.title;
  document.title = words;
  const timer = setInterval(() => {
    document.title = document.title === words ? usual : words;
  }, BLINK_MS);
  return () => {
    clearInterval(timer);
    document.title = usual;
  };
}

/** @returns {NotificationPermission | "unsupported"} */
export function noticePermission() {
  return "Notification" in window ? Notification.permission : "unsupported";
}

/**
 * A desktop notice that stays until the returned function is called. A click brings the console to the front.
 *
 * @param {string} title
 * @param {string} body
 * @returns {() => void}
 */
export function notice(title, body) {
  if (noticePermission() !== "granted" || document.hasFocus()) return () => undefined;
  const shown = new Notification(title, { body, tag: "bangban-ring", requireInteraction: true });
  shown.onclick = () => {
    window.focus();
    shown.close();
  };
  return () => shown.close();
}
