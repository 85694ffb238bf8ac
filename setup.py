"""What pyproject.toml cannot say: the folder conf/ ships as fewshot/conf, so that an installed package can train."""

from __future__ import annotations

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithConf(build_py):
    """Copies the package, then conf/ into it; an editable installation finds the folder of the checkout."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            for source, target in self._conf().items():
                self.mkpath(str(Path(target).parent))
                self.copy_file(source, target)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        return [*super().get_outputs(include_bytecode), *self._conf().values()]

    def _conf(self) -> dict[str, str]:
        """Where each file of conf/ goes, by where it is."""
        return {str(path): str(Path(self.build_lib, "fewshot", path)) for path in sorted(Path("conf").rglob("*.yaml"))}


setup(cmdclass={"build_py": BuildWithConf})
