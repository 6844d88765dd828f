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
const head = avatar.getObjectByName('head');
const eyes = ['leftEye', 'rightEye'].map((name) => avatar.getObjectByName(name));
const camera = new THREE.PerspectiveCamera(24, 1, 0.05, 20);
const middle = head.getWorldPosition(new THREE.Vector3()).add(new THREE.Vector3(0, 0.06, 0));
camera.position.copy(middle).add(new THREE.Vector3(0, 0, 0.95));
camera.lookAt(middle);

const radians = THREE.MathUtils.degToRad;
const face = connect(server, { pictures: 'none' });
face.on('motion', ({ names, weights, pose, gaze }) => {
  for (const mesh of meshes) {
    names.forEach((name, i) => {
      const target = mesh.morphTargetDictionary[name];
      if (target !== undefined) mesh.morphTargetInfluences[target] = weights[i];
    });
  }
  head.rotation.set(-radians(pose.pitch_deg), radians(pose.yaw_deg), -radians(pose.roll_deg), 'YXZ');
  for (const eye of eyes) eye?.rotation.set(-radians(gaze.pitch_deg), radians(gaze.yaw_deg), 0, 'YXZ');
});
document.querySelector('button').onclick = () => face.listen();

renderer.setAnimationLoop(() => {
  const { clientWidth, clientHeight } = canvas;
  renderer.setSize(clientWidth, clientHeight, false);
  camera.aspect = clientWidth / clientHeight;
  camera.updateProjectionMatrix();
  renderer.render(scene, camera);
});
Object.assign(window, { face, meshes });
