"""Chooses the few cases per operator that the repository keeps."""
import copy

LIMIT = 14
# Of calls with complex elements.
COMPLEX_LIMIT = 8


def pick(operator, entries):
    """Indices of cases: one per kind of shape and one per hint first, then one per combination of types, two refusals last."""
    chosen, types, hints, shapes = [], set(), set(), set()
    complex_ones = [i for i, e in enumerate(entries) if e["method"].endswith("_complex")]
    usable = [i for i, e in enumerate(entries) if not (e.get("platform_defined") or e.get("optimized_only") or _overlooks_order(e) or i in complex_ones)]
    good = [i for i in usable if "error" not in entries[i] and not entries[i].get("undefined_outputs")]
    refused = [i for i in usable if entries[i].get("error", {}).get("stage") in ("load", "set_input", "execute", "abort")]
    room = LIMIT - min(len(refused), 2)
    for index in good:
        if _shapes(entries[index]) - shapes:
            shapes |= _shapes(entries[index])
            hints.add(_hint(entries[index]))
            types.add(_types(entries[index]))
            chosen.append(index)
    for index in good:
        if _hint(entries[index]) not in hints and len(chosen) < room * 2 // 3:
            hints.add(_hint(entries[index]))
            types.add(_types(entries[index]))
            chosen.append(index)
    for index in good:
        if _types(entries[index]) not in types and len(chosen) < room:
            types.add(_types(entries[index]))
            chosen.append(index)
    chosen += [i for i in good if i not in chosen][: max(room - len(chosen), 0)]
    chosen += refused[: LIMIT - len(chosen)] if len(good) < room else refused[:2]
    if not chosen:
        chosen = usable[:LIMIT]
    return sorted(chosen + _few(complex_ones, entries))


def _few(indices, entries):
    """Some more, with complex elements."""
    refused = [i for i in indices if entries[i].get("error", {}).get("stage") == "execute"]
    good = [i for i in indices if "error" not in entries[i] and not entries[i].get("undefined_outputs")]
    return good[: COMPLEX_LIMIT - len(refused[:2])] + refused[:2]


def _overlooks_order(entry):
    """Whether the kernel takes channels-last memory for plain one: in the full set only."""
    ordered = any("dim_order" in t for t in entry["inputs"] if isinstance(t, dict))
    return ordered and entry.get("differs_from_pytorch", False)


def _hint(entry):
    """The method's name without its number and types."""
    words = entry["method"].split("_")[1:]
    return "_".join(word for word in words if len(word) > 3 or word in ("bound", "dim", "pad", "all"))


def _shapes(entry):
    """What is special about the shapes of a case."""
    tensors = [t for value in entry["inputs"] for t in (value if isinstance(value, list) else [value]) if isinstance(t, dict)]
    shapes = [t["sizes"] for t in tensors]
    kinds = {
        "no dimensions": [] in shapes,
        "no elements": any(0 in shape for shape in shapes),
        "broadcast": len({tuple(shape) for shape in shapes}) > 1,
        "other order": any("dim_order" in t for t in tensors),
    }
    return {kind for kind, found in kinds.items() if found}


def _types(entry):
    described = [t["dtype"] if isinstance(t, dict) else type(t).__name__ for t in entry["inputs"][:2]]
    return tuple(described + [o["dtype"] for o in entry.get("outputs", []) if isinstance(o, dict)][:1])


def restrict(operator, indices):
    """The operator with only these cases."""
    small = copy.copy(operator)
    small.cases = [operator.cases[i] for i in indices]
    return small


def brief(entries):
    """What a test must know beyond the bundled program itself."""
    kept = ("method", "error", "undefined_outputs", "differs_from_pytorch", "within")
    return [{k: e[k] for k in kept if k in e} for e in entries]
