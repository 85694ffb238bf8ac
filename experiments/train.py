"""Train the prototypical network.

    python experiments/train.py experiment=mobilenetv2
    python experiments/train.py backbone=resnet18 loss=episodic augmentation=gentle trainer=gpu
    python experiments/train.py -m experiment=ablation seed=0,1,2
    python experiments/train.py experiment=mobilenetv2 resume=outputs/train/mobilenetv2/last.ckpt

Checkpoints (every epoch, with the averaged weights in ``state_dict``), CSV and TensorBoard logs go to outputs/train/.
"""

from __future__ import annotations

from fewshot.research.training.train import main

if __name__ == "__main__":
    main()
