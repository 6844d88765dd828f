/** A page for a browser source of OBS: the face that the studio shows, and nothing else. */

const HEAD_BYTES = 24;
const AGAIN_MS = 1000;
const canvas = /** @type {HTMLCanvasElement} */ (document.getElementById("face"));
const context = canvas.getContext("2d");
const cut = new OffscreenCanvas(canvas.width, canvas.height);
const cutting = cut.getContext("2d", { willReadFrequently: true });

/** Colours and alpha of a picture's message, as in docs/web.md. */
async function draw(message) {
  const colours = new DataView(message).getUint32(20, true);
  const [picture, alpha] = await Promise.all([bitmap(message, HEAD_BYTES, colours), bitmap(message, HEAD_BYTES + colours)]);
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  if (alpha === null) return;
  cutting.drawImage(alpha, 0, 0, cut.width, cut.height);
  const mask = cutting.getImageData(0, 0, cut.width, cut.height);
  for (let i = 0; i < mask.data.length; i += 4) mask.data[i + 3] = mask.data[i];
  cutting.putImageData(mask, 0, 0);
  context.globalCompositeOperation = "destination-in";
  context.drawImage(cut, 0, 0);
  context.globalCompositeOperation = "source-over";
}

async function bitmap(message, from, bytes) {
  const data = new Uint8Array(message, from, bytes);
  return data.length ? createImageBitmap(new Blob([data], { type: "image/jpeg" })) : null;
}

function watch() {
  const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/studio/watch`);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => socket.send(location.hash.slice(1));
  let drawing = Promise.resolve();
  socket.onmessage = ({ data }) => { drawing = drawing.then(() => draw(data)).catch(() => null); };
  socket.onclose = () => {
    context.clearRect(0, 0, canvas.width, canvas.height);
    setTimeout(watch, AGAIN_MS);
  };
}

watch();
