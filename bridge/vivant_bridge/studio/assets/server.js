/** The studio's own routes. Every answer that is none is an Error with the server's one sentence. */

const NAME = "vivant-client";

/** Whose portraits these are, as the door said it; kept by this page alone, so that they are there after a reload. */
export const clientName = () => sessionStorage.getItem(NAME) ?? "";

export function keepClientName(name) {
  if (name) sessionStorage.setItem(NAME, name);
}

const TOKEN = "vivant-token";

/** What the studio wants to be shown where other machines reach it; empty where it wants nothing. */
export const token = () => sessionStorage.getItem(TOKEN) ?? "";

export const keepToken = (said) => sessionStorage.setItem(TOKEN, said);

async function asked(path, options = {}) {
  const headers = {
    ...options.headers, ...(clientName() && { "Vivant-Client": clientName() }), ...(token() && { Authorization: `Bearer ${token()}` }),
  };
  const answer = await fetch(path, { ...options, headers });
  if (!answer.ok) throw await refusal(answer);
  return answer;
}

async function refusal(answer) {
  const said = await answer.json().catch(() => null);
  const { message = `${answer.status} ${answer.statusText}`, code = "" } = said?.error ?? {};
  return Object.assign(new Error(message), { code });
}

export const get = async (path) => (await asked(path)).json();
export const post = async (path, body = {}) => (await asked(path, { method: "POST", body: JSON.stringify(body) })).json();
export const put = (path, body) => asked(path, { method: "PUT", body: JSON.stringify(body) });
export const remove = (path) => asked(path, { method: "DELETE" });

/** A picture or film of this page's, as an address for an element. */
export async function blobAddress(path) {
  return URL.createObjectURL(await (await asked(path)).blob());
}

const VOICE_HZ = 24_000;

/** A text, spoken by a voice of this machine: Float32Array at that rate, and the name by which a film will know who spoke. */
export async function spoken(text, rate_hz) {
  const answer = await asked("/studio/say", { method: "POST", body: JSON.stringify({ text }) });
  const samples = await resampled(new Int16Array(await answer.arrayBuffer()), Number(answer.headers.get("Sample-Rate")), rate_hz);
  return { samples, id: answer.headers.get("Utterance") ?? "" };
}

/** The bundled voice: Float32Array at that rate. */
export async function voice(rate_hz) {
  return resampled(new Int16Array(await (await asked("/studio/voice.pcm")).arrayBuffer()), VOICE_HZ, rate_hz);
}

/** PCM at another rate, by the browser's own resampler. */
async function resampled(pcm, from_hz, to_hz) {
  const given = new AudioBuffer({ length: pcm.length, sampleRate: from_hz });
  given.copyToChannel(Float32Array.from(pcm, (sample) => sample / 32768), 0);
  const offline = new OfflineAudioContext(1, Math.ceil((pcm.length * to_hz) / from_hz), to_hz);
  const source = new AudioBufferSourceNode(offline, { buffer: given });
  source.connect(offline.destination);
  source.start();
  return (await offline.startRendering()).getChannelData(0);
}

/** Make a picture a face: yields what the server says, a stage at a time, and last {portrait} or {ask}. */
export async function* made(file, consent, signal) {
  const query = consent ? `?consent=${encodeURIComponent(consent)}` : "";
  const answer = await asked(`/studio/portraits${query}`, { method: "POST", body: file, signal });
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    const lines = (rest + piece.value).split("\n");
    rest = lines.pop();
    for (const line of lines) yield JSON.parse(line);
  }
}

/** A picture to put behind the person; its name on this server. */
export async function putBackground(file) {
  return (await (await asked("/studio/backgrounds", { method: "POST", body: file })).json()).background;
}
