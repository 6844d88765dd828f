#!/usr/bin/env bash
# Trains on all clips of DATA/clips on a GPU, exports and measures: training/dynamics/on_gpu.sh DATA [KATHLEEN]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
data=${1:?the folder that holds clips}
python -c 'import torch; assert torch.cuda.is_available(), "no GPU is seen"; print(torch.cuda.get_device_name())'
python -m training.dynamics.train --clips "$data"/clips/*.npz --out "$data/run" --steps 20000 --batch 64 --rate 1.5e-3
python -m training.dynamics.export --run "$data/run" --out runtime/vivant/weights/dynamics.npz
python -m training.dynamics.calibrate --clips "$data"/clips/*.npz --most 3 --weights runtime/vivant/weights/dynamics.npz
if [ $# -gt 1 ]; then python -m benchmarks dynamics --voice "$2" --manners --card docs/dynamics.md; fi
