/** A camera that was switched off sends black frames: to who looks at them the screen is broken, unless words say so. */

const WIDTH = 8;
const HEIGHT = 6;
const BLACK = 12; // of 255, in every colour: a dim room is brighter than that somewhere

const canvas = new OffscreenCanvas(WIDTH, HEIGHT);
const context = canvas.getContext("2d", { willReadFrequently: true });

/** Whether the picture is black all over just now. @param {HTMLVideoElement | null | undefined} video */
export function dark(video) {
  if (!context || !video || video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return false;
  context.drawImage(video, 0, 0, WIDTH, HEIGHT);
  const { data } = context.getImageData(0, 0, WIDTH, HEIGHT);
  return data.every((value, index) => index % 4 === 3 || value < BLACK);
}
