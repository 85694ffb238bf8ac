"""The prototypical network and how it is trained. Needs the extra ``train`` (torch, timm, lightning, hydra)."""
