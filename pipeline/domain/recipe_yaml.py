"""Reading a recipe's YAML as plain values, with the line named where it is broken."""

from __future__ import annotations

from typing import Any

import yaml

from pipeline.errors import InvalidRecipe

_MEND = "recipes/ holds worked examples"


class _Loader(yaml.SafeLoader):
    """Refuses a key that is given twice, which YAML would pass over in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == "tag:yaml.org,2002:merge":
                continue
            if key.value in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"key '{key.value}' is given twice", problem_mark=key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


def loaded_yaml(text: str, name: str) -> dict[str, Any]:
    """The mapping that a YAML text holds.

    Args:
        name: what the person calls the text; stands in front of messages.

    Raises:
        InvalidRecipe: the text is empty, no YAML, or no mapping of keys.
    """
    try:
        found = yaml.load(text, _Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f" at line {mark.line + 1}" if mark else ""
        if (error.problem or "").endswith("given twice"):
            raise InvalidRecipe(f"{name}: {error.problem}{where}; take one of them out") from None
        raise InvalidRecipe(f"{name}: this is not YAML{where}; {error.problem or 'check it'}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise InvalidRecipe(f"{name}: this is not YAML; {reason}") from None
    if found is None:
        raise InvalidRecipe(f"{name}: the file is empty; {_MEND}")
    if not isinstance(found, dict):
        raise InvalidRecipe(f"{name}: a recipe is a list of keys and values; {_MEND}")
    return found
