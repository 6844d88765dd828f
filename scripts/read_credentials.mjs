// Reads content credentials with an implementation that shares no code with ours (npm install @trustnxt/c2pa-ts).
//     node scripts/read_credentials.mjs out.mp4 frame.png
// It knows no trust lists, and a local key is on none: everything else must hold. Exit code 1 when something does not.
import { readFile } from 'node:fs/promises';
import { BMFF, JPEG, PNG } from '@trustnxt/c2pa-ts/asset';
import { SuperBox } from '@trustnxt/c2pa-ts/jumbf';
import { ManifestStore, ValidationResult } from '@trustnxt/c2pa-ts/manifest';

// MP4 and QuickTime have the same boxes as the HEIF that it names.
for (const brand of ['isom', 'qt  ']) BMFF.canReadBrands.add(brand);

for (const name of process.argv.slice(2)) {
  const bytes = await readFile(name);
  const Kind = [JPEG, PNG, BMFF].find((kind) => kind.canRead(bytes));
  const asset = Kind && new Kind(bytes);
  const jumbf = asset?.getManifestJUMBF();
  let result = null;
  if (jumbf) {
    try {
      result = await ManifestStore.read(SuperBox.fromBuffer(jumbf)).validate(asset);
    } catch (error) {
      result = ValidationResult.fromError(error);
    }
  }
  const failed = result?.statusEntries.filter((entry) => !entry.success).map((entry) => `${entry.code} ${entry.explanation ?? ''}`);
  console.log(`${name}: ${result ? (result.isValid ? 'valid' : `broken: ${failed.join(', ')}`) : 'no credentials'}`);
  if (!result?.isValid) process.exitCode = 1;
}
