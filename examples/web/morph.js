// Motion alone, some 8 kB a second, moves the morph targets of a glTF face that is drawn here.
import * as THREE from 'three';
import { GLTFLoader } from 'three/addons/loaders/GLTFLoader.js';
import { connect } from '../../client/js/client/vivant.js';

const server = new URLSearchParams(location.search).get('server') ?? 'ws://localhost:50751';
const canvas = document.querySelector('canvas');
const renderer = new THREE.WebGLRenderer({ canvas, antialias: true });
const scene = new THREE.Scene();
scene.background = new THREE.Color(0xdfe3e6);
scene.add(new THREE.HemisphereLight(0xffffff, 0x99887f, 2.2));
const sun = new THREE.DirectionalLight(0xffffff, 1.6);
sun.position.set(1.2, 2.5, 3);
scene.add(sun);

// python examples/three_vrm/avatar.py examples/web/avatar.vrm; any glTF with targets of ARKit's names does.
const loader = new GLTFLoader();
const { scene: avatar } = await loader.loadAsync('avatar.vrm');
scene.add(avatar);
avatar.updateMatrixWorld(true);
const meshes = [];
avatar.traverse((node) => { if (node.morphTargetDictionary) meshes.push(node); });
const [head, spine] = ['head', 'spine'].map((name) => avatar.getObjectByName(name));
const spineRest = spine.position.clone();
const eyes = ['leftEye', 'rightEye'].map((name) => avatar.getObjectByName(name));
const camera = new THREE.PerspectiveCamera(24, 1, 0.05, 20);
const middle = head.getWorldPosition(new THREE.Vector3()).add(new THREE.Vector3(0, 0.06, 0));
camera.position.copy(middle).add(new THREE.Vector3(0, 0, 0.95));
camera.lookAt(middle);

const radians = THREE.MathUtils.degToRad;
const M_PER_EYES = 0.09; // between the outer corners of a person's eyes
const turn = (bone, yaw_deg, pitch_deg, roll_deg = 0) => bone.rotation.set(-radians(pitch_deg), radians(yaw_deg), -radians(roll_deg), 'YXZ');
const face = connect(server, { pictures: 'none' });
face.on('motion', ({ names, weights, pose, gaze, body }) => {
  for (const mesh of meshes) {
    names.forEach((name, i) => {
      const target = mesh.morphTargetDictionary[name];
      if (target !== undefined) mesh.morphTargetInfluences[target] = weights[i];
    });
  }
  turn(spine, body.yaw_deg, body.pitch_deg, body.roll_deg); // the shoulders follow, late and little, and breathe
  spine.position.set(spineRest.x + body.x * M_PER_EYES, spineRest.y + body.y * M_PER_EYES, spineRest.z);
  turn(head, pose.yaw_deg - body.yaw_deg, pose.pitch_deg - body.pitch_deg, pose.roll_deg - body.roll_deg); // it sits on them
  for (const eye of eyes) if (eye) turn(eye, gaze.yaw_deg, gaze.pitch_deg);
});
document.querySelector('button').onclick = () => face.listen();

renderer.setAnimationLoop(() => {
  const { clientWidth, clientHeight } = canvas;
  renderer.setSize(clientWidth, clientHeight, false);
  camera.aspect = clientWidth / clientHeight;
  camera.updateProjectionMatrix();
  renderer.render(scene, camera);
});
Object.assign(window, { face, meshes, spine });
