"""What pyproject.toml cannot say: the two files of sets go into the package as copies.

They lie at the root of a clone, where people edit them; an installed package finds them in
project/ (library/config/set_files.py).
"""

import os
import shutil

from setuptools import setup
from setuptools.command.build_py import build_py

SET_FILES = ('project.yaml', 'hyperparameters.yaml')


class BuildWithSets(build_py):
    """Copies the files of sets into the built package `project`, and leaves tests out."""

    def find_package_modules(self, package, package_dir):
        """The modules of a package, without what lends the tests of extras their fixtures."""
        found = super().find_package_modules(package, package_dir)
        return [each for each in found if each[1] != 'conftest']

    def run(self):
        """Builds; an editable install needs no copies, as it finds the clone's own files."""
        super().run()
        if not self.editable_mode:
            for name in SET_FILES:
                shutil.copy(name, os.path.join(self.build_lib, 'project', name))


setup(cmdclass={'build_py': BuildWithSets})
