/** All texts of the studio, in one table: a translation is another table with the same keys. */

import { all } from "./dom.js";

export const en = {
  title: "Vivant Studio",
  skip: "Skip to the face",
  portraits: "Portraits",
  // Gallery
  galleryTitle: "Choose a face. It speaks.",
  galleryHint: "Nothing leaves this computer.",
  yourPicture: "Your picture",
  yourPictureHint: "Drop it anywhere, or choose a file",
  dropHere: "Let go, and it becomes a face",
  galleryEmpty: "No portraits are here. Drop a picture of your own.",
  galleryFailed: "The portraits did not come. Is the studio still running?",
  speakAs: "{name}: speak",
  remove: "Remove {name}",
  galleryHintElsewhere: "Your picture and voice go to {host} and no further.",
  // Door, for other machines
  doorTitle: "This studio asks for its token.",
  doorHint: "Whoever started it has it: one line of text.",
  doorRefused: "That is not its token.",
  token: "Token",
  enter: "Come in",
  // Consent
  consentTitle: "Who does this picture show?",
  consentHint: "Only people who agreed may be animated. Your answer is kept with the portrait and written into what you record.",
  consent_me: "Me",
  consent_agreed: "Someone who agreed to this",
  consent_unreal: "Nobody real: a drawing, a character",
  consent_synthetic: "A synthetic person",
  consent_other: "Someone else",
  consentRefused: "Then it stays a picture. A face that speaks words it never said harms its owner and those who believe it; ask them first.",
  cancel: "Cancel",
  close: "Close",
  // Making a face
  makingTitle: "Becoming a face",
  reading: "Reading the picture",
  "loading the networks": "Waking the eyes that read portraits",
  "looking for the face": "Looking for the face",
  "separating person and background": "Separating person and background",
  "finding how this face moves": "Finding how this face moves",
  drawing: "Drawing eyes, lids and mouth",
  madeFailed: "This picture did not become a face",
  tooLarge: "This file has {mb} MB; a picture may have {most} MB. Save it smaller.",
  notOne: "Drop one picture at a time.",
  tryAnother: "Try another picture",
  // Stage
  stage: "The face",
  waking: "{name} wakes up",
  ready: "{name} listens",
  speaking: "{name} speaks",
  live: "{name} speaks as you do",
  speak: "Speak",
  stop: "Stop",
  microphone: "Use my voice",
  microphoneOff: "Voice off",
  record: "Record",
  recordStop: "Stop recording",
  delay: "{ms} ms from microphone to picture",
  level: "Level of your voice",
  sayPlaceholder: "Type, and it speaks",
  sayVoice: "The voice is {voice}, a synthetic one.",
  sayNone: "No voice is here to say what you type. This brings one: {command}",
  say: "Say it",
  // Errors
  noMicrophonePermission: "The browser keeps the microphone from this page. Allow it beside the address, then press the button again.",
  noMicrophone: "No microphone was found. Plug one in, then press the button again.",
  microphoneTaken: "Another program holds the microphone. Close it there, then press the button again.",
  noSpeaker: "This browser found no speaker, and without one it gives this page no sound. Plug one in, then load the page again.",
  away: "The studio has stopped",
  awayHint: "Start vivant studio again. This page comes back by itself.",
  full: "The studio draws as many faces as it can. Close another page with a face.",
  refused: "This face cannot be shown: {why}",
  gone: "This portrait is no longer here. Drop the picture again.",
  old: "This browser lacks what a live face needs ({what}). Use a current Firefox, Chrome, Edge or Safari.",
  failed: "That did not work: {why}",
  again: "Try again",
  // Tabs
  panel: "Controls",
  tab_steer: "Steer",
  tab_look: "Look",
  tab_use: "Use",
  tab_quality: "Quality",
  // Steer
  emotion: "Expression",
  emotion_neutral: "Neutral",
  emotion_happy: "Happy",
  emotion_sad: "Sad",
  emotion_angry: "Angry",
  emotion_surprised: "Surprised",
  emotion_afraid: "Afraid",
  emotion_disgusted: "Disgusted",
  emotion_contempt: "Contempt",
  act: "Once",
  act_nod: "Nod",
  act_shake: "Shake",
  act_tilt: "Tilt",
  act_think: "Think",
  act_laugh: "Laugh",
  gaze: "Gaze and head",
  gazeHint: "Drag, or use the arrow keys. Double click looks at you.",
  gazeYaw: "Look left or right",
  gazePitch: "Look up or down",
  degrees: "{value} degrees",
  distance: "Distance",
  intensity: "Intensity",
  head_motion: "Head motion",
  mouth: "Mouth",
  eye_contact: "Eye contact",
  singing: "Singing",
  singingHint: "Held vowels stay open",
  reset: "Back to the start",
  // Look
  background: "Background",
  backgroundHint: "The first other one takes some seconds: the person is cut out.",
  background_original: "Its own",
  background_blur: "Blurred",
  background_color: "Colour",
  background_picture: "Picture",
  background_transparent: "None",
  colour: "Colour of the background",
  pictureChoose: "Choose a picture",
  label: "Label",
  labelHint: "Everything Vivant shows says that it is made by AI. Choose the corner.",
  corner_auto: "Beside the face",
  "corner_top left": "Top left",
  "corner_top right": "Top right",
  "corner_bottom left": "Bottom left",
  "corner_bottom right": "Bottom right",
  // Use
  camera: "Virtual camera",
  cameraHint: "Zoom, Meet, Teams, Discord and OBS see the face. Choose a virtual cable below, and they hear the voice in time with it.",
  cameraStart: "Start the camera",
  cameraStop: "Stop the camera",
  cameraOn: "The camera shows {name}",
  cameraFps: "The camera shows it, {fps} pictures a second",
  microphoneChoice: "Microphone",
  speakerChoice: "Speaker or cable",
  speakerHint: "The usual one is silent while you speak, so that you do not hear yourself; another one that you choose gets your voice, too.",
  speakerFixed: "This browser lets no page choose its speaker, so a cable cannot be fed from here. Chrome and Edge can, and so can vivant cam.",
  choice_default: "The usual one",
  doctor: "Is everything there?",
  doctorRun: "Look again",
  doctorWait: "Looking around",
  copy: "Copy",
  copied: "Copied",
  obs: "OBS browser source",
  obsHint: "Add a browser source of 512 by 512 with this address. It shows this page's face, cut out, on nothing.",
  obsAddress: "Address for OBS",
  motion: "Another avatar",
  motionHint: "Its motion drives an avatar of another program.",
  motion_none: "Off",
  motion_vmc: "VMC (VSeeFace, Warudo, VNyan)",
  "motion_vtube-studio": "VTube Studio",
  "motion_live-link-face": "Live Link Face (Unreal)",
  motion_ifacialmocap: "iFacialMocap",
  recordings: "Recordings",
  recordingsEmpty: "Press Record under the face. The film is labelled and signed.",
  download: "Download {name}",
  play: "Play {name}",
  log: "What happened",
  logEmpty: "Nothing yet.",
  // Quality
  visemes: "Sounds",
  visemesHint: "Click a sound, and the face makes it.",
  viseme: "The sound {name}",
  visemeBack: "Back to life",
  plots: "How it runs",
  plot_fps: "Pictures a second",
  plot_lag: "Voice to picture, ms",
  plot_cpu: "Processor, % of one core",
  plot_detail: "Detail left out, in steps",
  detail_0: "Every picture, in whole size.",
  detail_1: "Every second picture: the studio's computer is busy.",
  detail_2: "Every second picture, half as large: the studio's computer is very busy.",
  plotNow: "{name}: now {value}",
  // Log, in plain words
  log_opened: "{name} woke up",
  log_spoke: "It said the bundled lines",
  log_said: "It said what was typed",
  log_live: "Your voice moved it",
  log_microphoneOff: "The microphone went off",
  log_interrupted: "It was stopped in mid-sentence",
  log_away: "The studio was gone",
  log_back: "The studio is back",
  log_said_by_studio: "{text}",
  log_recording: "Recording began",
  log_recorded: "A film of {s} seconds was kept",
  log_made: "A picture became a face",
  log_cameraOn: "The camera started",
  log_cameraOff: "The camera stopped",
  keys: "Keys: 1 to 8 expressions, space speak or stop, M microphone, R record, Escape portraits",
};

let table = en;

/** The text of a key, with its {values} filled in. */
export function t(key, values = {}) {
  const text = table[key];
  if (text === undefined) throw new Error(`no text is called ${key}`);
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}

/** Whether there is a text of that key; stages of a build may be new. */
export const has = (key) => table[key] !== undefined;

/** Another language from now on; keys it lacks stay English. */
export function useTable(other) {
  table = { ...en, ...other };
}

/** Fill every element that names its text: data-t its content, data-t-label, -placeholder and -title these attributes. */
export function fill(root = document) {
  for (const element of all("[data-t]", root)) element.textContent = t(element.dataset.t);
  for (const [data, attribute] of [["tLabel", "aria-label"], ["tPlaceholder", "placeholder"], ["tTitle", "title"]]) {
    const selector = `[data-${data.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}]`;
    for (const element of all(selector, root)) element.setAttribute(attribute, t(element.dataset[data]));
  }
}
