"""The sample class of real photographs: makes fewshot/demo/portraits.jpg, and measures what the network reads in it.

    python experiments/sample_portraits.py               # the asset and the table
    python experiments/sample_portraits.py --draw 0 1 2  # ten people for each of these seeds, to look at

Everybody of the Face Research Lab London Set (../shared/data/london, CC BY 4.0) is enrolled with the neutral photograph
only, in classes of twelve. Ten people were drawn among those whose smile was classified clearly; the tens of the seeds
0 to 11 were looked at, and 7 was taken because its people look least alike. Two more were added whose smile people see
but the network does not. They are listed below, so that another network does not change who is in the class.
Writes experiments/results/portraits.md.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from fewshot.demo.portraits import MISSED, PORTRAITS, STATES
from fewshot.research.bench.portrait_class import correct, cut, draw, enrolled, numbers_of, read, read_all, sheet
from fewshot.research.evaluation.tables import markdown

CLASSES = 20
"""Seed of the classes of twelve in which everybody is measured."""
PEOPLE = ("091", "118", "119", "105", "134", "129", "030", "092", "117", "007", "021", "097")
"""Numbers of the photographs in the set, in the order of the codes."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--draw", type=int, nargs="*", help="seeds; writes nothing")
    parser.add_argument("--asset", type=Path, default=Path("fewshot/demo/portraits.jpg"))
    parser.add_argument("--out", type=Path, default=Path("experiments/results/portraits.md"))
    arguments = parser.parse_args()
    os.environ.setdefault("FEWSHOT_SHARED", str(arguments.shared))
    folder = arguments.shared / "data" / "london"
    everybody = numbers_of(folder)
    faces = {(number, state): face for number in everybody for state, face in cut(folder, number).items()}
    readings = read_all(faces, everybody, CLASSES)
    if arguments.draw:
        for seed in arguments.draw:
            print(seed, *draw(readings["happy"], seed))
        return
    size = sheet(faces, PEOPLE, arguments.asset)
    named = {
        (code, state): faces[number, state] for code, number in zip(PORTRAITS, PEOPLE, strict=True) for state in STATES
    }
    room = enrolled(named, PORTRAITS)
    shown = {state: read(room, named, PORTRAITS, state) for state in STATES}
    rows = []
    for code in PORTRAITS:
        row = {"person": code}
        for state in STATES:
            one = shown[state].get(code)
            row[f"{state} photograph"] = (
                "not found" if one is None else f"{one.emotion or 'unsure'} {one.confidence:.2f}"
            )
        if code in MISSED:
            after = correct(named, PORTRAITS, code)
            row["smile after one correction"] = (
                f"happy after {after.seconds:.1f} s" if after.seconds is not None else "not happy"
            )
            row["neutral after it"], row["others changed"] = after.neutral, str(after.others)
        rows.append(
            {
                head: row.get(head, "")
                for head in (*row, "smile after one correction", "neutral after it", "others changed")
            }
        )
    text = ["# The class of real photographs", "", "    python experiments/sample_portraits.py", ""]
    for state in STATES:
        right = sum(one.emotion == state for one in readings[state].values())
        unsure = sum(one.emotion is None for one in readings[state].values())
        text.append(
            f"- Of {len(everybody)} people, each enrolled with the neutral photograph: {len(readings[state])} {state} "
            f"photographs got the right name, {right} of them are shown as {state}, {unsure} as unsure."
        )
    text += [
        "",
        f"The asset has {size / 1000:.0f} kB. Network `{room.perception.network}`, detector "
        f"{room.perception.detector.name}.",
        "",
    ]
    text += [
        "The neutral photograph is also the enrolled one, so its column is no measure of accuracy.",
        "",
        markdown(rows),
        "",
    ]
    arguments.out.write_text("\n".join(text), encoding="utf-8")
    print("\n".join(text))


if __name__ == "__main__":
    main()
