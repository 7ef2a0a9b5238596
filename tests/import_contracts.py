"""A contract for import-linter that lists what may be imported, rather than what may not."""

import sys
from typing import cast

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class AllowedImportsContract(Contract):
    """Holds packages to a list of what they may import directly.

    ``packages`` may import themselves, the standard library, and what ``allowed`` names: packages
    of this project with all that is in them, or other projects by their top-level name.
    """

    type_name = "allowed_imports"

    packages = fields.ListField(subfield=fields.StringField())
    allowed = fields.ListField(subfield=fields.StringField(), required=False)

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        # import-linter puts the configured values in the place of the fields.
        packages = cast(list[str], self.packages)
        allowed = tuple(cast(list[str] | None, self.allowed) or ())
        illegal = [
            (importer, imported)
            for package in packages
            for importer in sorted({package} | graph.find_descendants(package))
            for imported in sorted(graph.find_modules_directly_imported_by(importer))
            if not _within(imported, (package, *allowed))
            and imported.partition(".")[0] not in sys.stdlib_module_names
        ]
        return ContractCheck(kept=not illegal, metadata={"illegal": illegal})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for importer, imported in check.metadata["illegal"]:
            output.print_error(f"{importer} may not import {imported}", bold=False)


def _within(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)
