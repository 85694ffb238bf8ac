"""What pyproject.toml cannot say: where conf/ ships, and that a build leaves nothing behind in the checkout."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from setuptools import setup
from setuptools.command.build import build
from setuptools.command.build_py import build_py
from setuptools.command.egg_info import egg_info

WHEEL_ONLY = {"bdist_wheel", "dist_info", "egg_info"}
"""The commands of ``pip install .``. A source distribution and an editable installation need the folder *.egg-info."""


@cache
def scratch() -> TemporaryDirectory[str]:
    """The folder for what is only needed during the build. It is removed when the process ends."""
    return TemporaryDirectory(prefix="fewshot-build-", ignore_cleanup_errors=True)


class BuildElsewhere(build):
    """Builds in a temporary folder: files of an old ``build/`` would otherwise get into the next wheel."""

    def initialize_options(self) -> None:
        super().initialize_options()
        self.build_base = scratch().name


class DescribeElsewhere(egg_info):
    """Writes *.egg-info into the temporary folder if only a wheel is built."""

    def finalize_options(self) -> None:
        if self.egg_base is None and WHEEL_ONLY.issuperset(self.distribution.commands):
            self.egg_base = scratch().name
        super().finalize_options()


class BuildWithConf(build_py):
    """Copies the package, then conf/ as fewshot/conf, so that an installed package can train.

    An editable installation finds the folder of the checkout.
    """

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


setup(cmdclass={"build": BuildElsewhere, "build_py": BuildWithConf, "egg_info": DescribeElsewhere})
