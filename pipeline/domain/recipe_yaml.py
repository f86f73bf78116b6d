"""Read a recipe's YAML as plain values within fixed limits; errors name the line."""

from __future__ import annotations

import yaml

from pipeline.domain.texts import LONGEST_PROMPT, text_fault
from pipeline.errors import InvalidRecipe

MOST_CHARACTERS = 100_000  # of a recipe's text
_MOST_NODES = 5_000  # keys, values, lists and mappings; what an alias (*name) repeats counts again
_MOST_LEVELS = 20
_LONGEST_NUMBER = 40  # characters of one number
_SHOWN = 40
_REMEDY = "recipes/ holds worked examples"
_PREFIX = "tag:yaml.org,2002:"
_READ = frozenset(f"{_PREFIX}{kind}" for kind in ("str", "int", "float", "bool", "null"))
_SIZES = {"map": yaml.MappingNode, "seq": yaml.SequenceNode}

Scalar = str | int | float | bool | None
Plain = Scalar | list["Plain"] | dict[Scalar, "Plain"]


class _Refused(yaml.MarkedYAMLError):
    """YAML that a recipe may not contain; `problem` is a clause with its remedy."""

    def __init__(self, problem: str, mark: yaml.Mark) -> None:
        super().__init__(problem=problem, problem_mark=mark)


class _Loader(yaml.SafeLoader):
    """Builds str, int, float, bool, None, list and dict; anything else, and anything too large, is refused."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._nodes = self._level = 0
        self._sizes: dict[yaml.Node, tuple[int, int]] = {}  # nodes and levels of what an anchor names

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        mark = self.peek_event().start_mark
        repeated = self.check_event(yaml.AliasEvent)
        if not repeated:
            self._count(1, 1, mark)
        self._level += 1
        before, node = self._nodes, super().compose_node(parent, index)
        self._level -= 1
        assert node is not None
        if not repeated:
            self._sizes[node] = (self._nodes - before + 1, _levels(node, self._sizes))
        elif node not in self._sizes:  # its own end has not been read yet
            raise _Refused("an alias stands inside what it names; write the value out", mark)
        else:
            self._count(*self._sizes[node], mark)
        return node

    def _count(self, nodes: int, levels: int, mark: yaml.Mark) -> None:
        self._nodes += nodes
        if self._nodes > _MOST_NODES:
            raise _Refused(f"there are more than {_MOST_NODES} keys and values; shorten the lists", mark)
        if self._level + levels > _MOST_LEVELS:
            raise _Refused(f"it is nested more than {_MOST_LEVELS} levels deep; flatten it", mark)

    def value(self, node: yaml.Node) -> Plain:
        """Return the plain value of a node."""
        match node:
            case yaml.ScalarNode():
                return self._scalar(node)
            case yaml.SequenceNode():
                _refuse_tag(node, "seq")
                return [self.value(item) for item in node.value]
            case _:
                _refuse_tag(node, "map")
                return self._mapping(node)

    def _mapping(self, node: yaml.Node) -> dict[Scalar, Plain]:
        values: dict[Scalar, Plain] = {}
        seen: set[str] = set()
        for key, item in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _Refused("a key must be a text, not a list or a mapping", key.start_mark)
            if key.tag == f"{_PREFIX}merge":
                raise _Refused("the merge key << is not read in recipes; write the keys out", key.start_mark)
            name = self._scalar(key)
            if key.value in seen or name in values:
                raise _Refused(
                    f"key '{_short(key.value)}' is given twice; remove one of them", key.start_mark
                )
            seen.add(key.value)
            values[name] = self.value(item)
        return values

    def _scalar(self, node: yaml.ScalarNode) -> Scalar:
        text, kind = node.value, node.tag.removeprefix(_PREFIX)
        if node.tag not in _READ:
            raise _Refused(
                f"the tag {_short(node.tag)} is not read in recipes; leave it out, or put the value in quotes",
                node.start_mark,
            )
        if kind == "str":
            return _checked_text(node)
        if len(text) > _LONGEST_NUMBER:
            raise _Refused(
                f"a number has {len(text)} characters; at most {_LONGEST_NUMBER} are read", node.start_mark
            )
        plain = self.resolve(yaml.ScalarNode, text, (True, False))
        if plain != node.tag and not (kind == "float" and plain == f"{_PREFIX}int"):
            raise _Refused(
                f"'{_short(text)}' does not fit the tag !!{kind}; leave the tag out", node.start_mark
            )
        try:
            number: Scalar = self.construct_object(node)
            return number
        except (ValueError, ArithmeticError):
            raise _Refused(
                f"'{_short(text)}' is not a number; put a text in quotes", node.start_mark
            ) from None


# what YAML 1.1 reads as a date, or as the value of a mapping, is a text in a recipe
_Loader.yaml_implicit_resolvers = {
    first: [(tag, shape) for tag, shape in resolvers if tag in _READ or tag == f"{_PREFIX}merge"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def loaded_yaml(text: str, name: str) -> dict[Scalar, Plain]:
    """Read the mapping of a YAML text.

    The work is bounded: texts over 100,000 characters, 5,000 nodes (what an alias repeats counts again), 20 levels,
    values over 2,000 characters and numbers over 40 are refused.

    Args:
        name: what the person calls the text; stands in front of messages.

    Raises:
        InvalidRecipe: the text is empty, not YAML, not a mapping of keys, or exceeds a limit.
    """
    if len(text) > MOST_CHARACTERS:
        raise InvalidRecipe(
            f"{name}: the recipe has {len(text):,} characters; at most {MOST_CHARACTERS:,} are read"
        )
    loader = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        content = None if node is None else loader.value(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f" at line {mark.line + 1}" if mark else ""
        if isinstance(error, _Refused):
            raise InvalidRecipe(f"{name}{where}: {error.problem}") from None
        raise InvalidRecipe(f"{name}: this is not YAML{where}; {error.problem or 'check it'}") from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        reason = " ".join(str(error).split()).encode("utf-8", "replace").decode()
        raise InvalidRecipe(f"{name}: this is not YAML; {reason}") from None
    finally:
        if loader is not None:
            loader.dispose()
    if content is None:
        raise InvalidRecipe(f"{name}: the file is empty; {_REMEDY}")
    if not isinstance(content, dict):
        raise InvalidRecipe(f"{name}: a recipe is a list of keys and values; {_REMEDY}")
    return content


def _levels(node: yaml.Node, sizes: dict[yaml.Node, tuple[int, int]]) -> int:
    """How many levels a node spans; what lies in it has been measured before."""
    if isinstance(node, yaml.ScalarNode):
        return 1
    pairs = isinstance(node, yaml.MappingNode)
    inner = [part for item in node.value for part in item] if pairs else node.value
    return 1 + max((sizes[part][1] for part in inner), default=0)


def _refuse_tag(node: yaml.Node, kind: str) -> None:
    if node.tag != f"{_PREFIX}{kind}":
        raise _Refused(f"the tag {_short(node.tag)} is not read in recipes; leave it out", node.start_mark)


def _checked_text(node: yaml.ScalarNode) -> str:
    text = str(node.value)
    if fault := text_fault(text, LONGEST_PROMPT):
        raise _Refused(f"a text {fault}", node.start_mark)
    return text


def _short(text: str) -> str:
    readable = text.replace(_PREFIX, "!!", 1).encode("utf-8", "replace").decode()
    return readable if len(readable) <= _SHOWN else f"{readable[: _SHOWN - 1]}…"
